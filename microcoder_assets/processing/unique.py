"""`unique_problems`: rows that overlap the benchmark are removed first, then duplicates are merged."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray
from scipy import sparse

from microcoder_assets.collection.platforms import PLATFORMS
from microcoder_assets.config import DecontaminationSettings, DedupSettings
from microcoder_assets.processing import documents, standing
from microcoder_assets.processing.decontaminate import (
    Overlap,
    OverlapReport,
    contest_window,
    find_shared_tests,
    overlap_alone,
    overlap_ladder,
    read_items,
    report,
    telling_containment,
)
from microcoder_assets.processing.documents import PREFERRED_LANGUAGE, Whole, content_keys, read_corpus
from microcoder_assets.processing.duplicates import Match, find_buckets, find_clusters, match_again
from microcoder_assets.processing.embeddings import Embedder, near_translations
from microcoder_assets.processing.gram_index import Containment
from microcoder_assets.processing.minhash import Cache
from microcoder_assets.schema import NORMALIZED, UNIQUE, Schema, conform
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_assets.store.ledger import decisions, snapshot

COLUMNS: Schema = {
    name: NORMALIZED[name]
    for name in (
        *("problem_id", "platform", "title", "url", "statement_language", "content_sha"),
        *("published", "published_basis", "references", "tests", "tags", "ratings"),
    )
}
"""What is decided of a row whose content is known."""


@dataclass(frozen=True, slots=True)
class Decided:
    """rows: columns of `standing`, one for each row that came in, by problem_id."""

    rows: pl.DataFrame

    def result(self, problems: pl.DataFrame) -> StageResult:
        """The UNIQUE rows among NORMALIZED `problems`, and the decisions for these."""
        found = self.rows.select("problem_id", "decision", "added").join(problems.select("problem_id"), on="problem_id")
        added = found.drop_nulls("added").select("problem_id", "added").unnest("added")
        frame = problems.drop("tags", "ratings").join(added, on="problem_id")
        return StageResult(conform(frame, UNIQUE), decisions(found.select("problem_id", "decision").unnest("decision")))

    def parts(self) -> dict[str, str]:
        """By partition a hash of all that is decided of its rows."""
        facts = self.rows.group_by("partition").agg(pl.col("facts").str.join()).iter_rows()
        return {partition: xxhash.xxh3_128_hexdigest(hashes.encode()) for partition, hashes in facts}


def find_unique(
    problems: pl.DataFrame,
    benchmark: pl.DataFrame,
    dedup: DedupSettings,
    decontamination: DecontaminationSettings,
    cache: Cache | None = None,
    embedder: Embedder | None = None,
) -> tuple[StageResult, OverlapReport]:
    """UNIQUE rows of NORMALIZED `problems`, a decision for each, and the proof that the benchmark is not among them.
    Arguments as `decide` takes them."""
    decided, overlap = decide(problems, benchmark, dedup, decontamination, cache, embedder)
    return decided.result(problems), overlap


def decide(
    problems: pl.DataFrame,
    benchmark: pl.DataFrame,
    dedup: DedupSettings,
    decontamination: DecontaminationSettings,
    cache: Cache | None = None,
    embedder: Embedder | None = None,
    whole: Whole | None = None,
    before: pl.DataFrame | None = None,
    unchanged: Collection[str] = (),
) -> tuple[Decided, OverlapReport]:
    """What becomes of each of `problems`, and the proof that the benchmark is not among those that stay.

    problems: NORMALIZED rows, or COLUMNS of them; then `whole` reads the rows whose content is new. benchmark: at least
    problem_id, platform, native_id, title, url, statement, samples and io_mode; may be empty. cache: where signatures
    and the like outlive a run, so that the next one reads only statements of new content. embedder: finds statements
    alike in two languages, and needs every statement; None: samples alone find those.

    before: `Decided.rows` of an earlier call with the same benchmark and settings and no embedder. unchanged: the
    partitions whose rows stand as they did then, and are not among `problems`. Only what is new or touched by what is
    new is decided anew, and the outcome is that of deciding about all rows together.
    """
    problems, benchmark = problems.sort("problem_id"), benchmark.sort("problem_id")
    before = standing.blank(dedup.permutations) if before is None else before
    items, index = read_items(benchmark, dedup, decontamination, cache)
    came = _inputs(problems)
    known = came.join(before, on=["problem_id", "key"], how="semi")
    new = problems.filter(~problems["problem_id"].is_in(known["problem_id"].implode()))
    corpus = read_corpus(new, dedup, index, cache, whole)
    alone = overlap_alone(corpus, items, index, find_shared_tests(new, benchmark), dedup, decontamination)
    seen = standing.rows_alone(corpus, find_buckets(corpus, dedup), alone, contest_window(new, benchmark))
    rows, then = standing.together(came.join(seen, on="problem_id"), known, before, unchanged)

    corpus, alone = standing.corpus_of(rows), standing.alone_of(rows)
    telling = telling_containment(corpus, index, alone)
    overlaps = overlap_ladder(corpus, items, alone, telling, decontamination)
    window = np.flatnonzero(rows["in_window"].to_numpy()).tolist()
    if decontamination.contest_window == "drop":
        for row in window:
            overlaps.setdefault(row, Overlap(None, "benchmark_window", "contest_window", 1.0, {}))
    stays = np.ones(rows.height, dtype=bool)
    stays[list(overlaps)] = False
    asked = np.flatnonzero(stays).tolist()
    near = near_translations(corpus, problems["statement"], asked, embedder) if embedder else {}
    number = np.full(before.height, -1)
    number[then[(then >= 0) & stays]] = np.flatnonzero((then >= 0) & stays)
    unseen = stays.copy()
    unseen[number[~before["overlaps"].to_numpy() & (number >= 0)]] = False
    new_buckets = standing.buckets_of(rows.filter(unseen), np.flatnonzero(unseen))
    matches, changed = match_again(corpus, new_buckets, *standing.as_they_were(before, number), dedup, near)

    of_pool = [
        pl.Series("telling_item", telling.item_of_row),
        pl.Series("telling_score", telling.row_score),
        pl.Series("overlaps", ~stays),
        standing.match_lists(matches, rows["problem_id"]),
    ]
    other = (pl.col(values.name).ne_missing(values) for values in of_pool[:3])
    changed |= rows.select(pl.any_horizontal(other)).to_series().to_numpy()
    redo = _with_matched(changed, matches)
    clusters, found = find_clusters(corpus, matches.filter(redo[matches["row"].to_numpy()]))
    fresh = _decide_rows(rows, redo, overlaps, clusters, found, benchmark["problem_id"].to_list(), telling)
    rows = rows.with_columns(*of_pool, *(_replaced(rows[values.name], redo, values) for values in fresh))
    releases = benchmark["release"].to_list() if "release" in benchmark.columns else [None] * benchmark.height
    return Decided(rows), report(corpus, items, overlaps, telling, releases, window)


def _inputs(problems: pl.DataFrame) -> pl.DataFrame:
    """standing.INPUTS of problems. Partition and source are empty where those have none."""
    lacking = (pl.lit("").alias(name) for name in ("partition", "source") if name not in problems.columns)
    counts = (pl.col(name).list.len().fill_null(0).cast(pl.Int64) for name in ("references", "tests"))
    rows = problems.with_columns(*lacking, *counts)
    beside = pl.struct("published", "published_basis", "references", "tests", "tags", "ratings").struct.json_encode()
    pairs = zip(content_keys(problems, documents.COLUMNS), rows.select(beside).to_series(), strict=True)
    keys = [xxhash.xxh3_128_hexdigest(f"{content} {facts}".encode()) for content, facts in pairs]
    return rows.with_columns(key=pl.Series(keys, dtype=pl.String)).select(*standing.INPUTS)


def _with_matched(rows: NDArray[np.bool_], matches: pl.DataFrame) -> NDArray[np.bool_]:
    """Those rows and all that matches join to them, directly or not."""
    ends = (matches["row"].to_numpy(), matches["other"].to_numpy())
    graph = sparse.coo_array((np.ones(matches.height, bool), ends), shape=(len(rows), len(rows)))
    count, group = sparse.csgraph.connected_components(graph, directed=False)
    touched = np.zeros(count, dtype=bool)
    touched[group[rows]] = True
    return np.asarray(touched[group])


def _decide_rows(
    rows: pl.DataFrame,
    asked: NDArray[np.bool_],
    overlaps: Mapping[int, Overlap],
    clusters: Sequence[Sequence[int]],
    matches: dict[tuple[int, int], Match],
    item_ids: Sequence[str],
    telling: Containment,
) -> pl.DataFrame:
    """Columns decision, added and facts of the rows asked for, by problem_id. clusters, matches: all of these rows."""
    ids, shas = rows["problem_id"].to_list(), rows["content_sha"].to_list()
    dropped = [_drop(ids[row], overlaps[row], item_ids, shas[row]) for row in overlaps if asked[row]]
    winners, merged = _merge(rows, ids, clusters, matches, shas)
    losers = {row for cluster in winners.values() for row in cluster}
    kept = [row for row in np.flatnonzero(asked).tolist() if row not in overlaps and row not in losers]
    added = _added(rows, item_ids, kept, winners, telling).select("problem_id", added=pl.struct(*standing.ADDED))
    lines = snapshot([*dropped, *merged, *_keep(ids, kept, winners, shas)])
    lines = lines.select("problem_id", decision=pl.struct(pl.all().exclude("problem_id")))
    lines = lines.join(added, on="problem_id", how="left", maintain_order="left").drop("problem_id")
    facts = lines.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    hashes = [xxhash.xxh3_128_hexdigest(line.encode()) for line in facts]
    return lines.with_columns(facts=pl.Series(hashes, dtype=pl.String))


def _replaced(column: pl.Series, places: NDArray[np.bool_], values: pl.Series) -> pl.Series:
    taken = np.arange(len(column))
    taken[places] = len(column) + np.arange(len(values))
    return pl.concat([column, values]).gather(taken)


def _drop(problem_id: str, overlap: Overlap, item_ids: Sequence[str], sha: str | None) -> Decision:
    item = None if overlap.item is None else item_ids[overlap.item]
    return Decision(
        problem_id,
        Kind.DROPPED,
        overlap.reason,
        {"item": item, **overlap.detail} if item else overlap.detail,
        score=round(overlap.score, 4),
        rule=overlap.rule,
        sha_in=sha,
        parents=[item] if item else [],
    )


def _merge(
    problems: pl.DataFrame,
    ids: Sequence[str],
    clusters: Sequence[Sequence[int]],
    matches: dict[tuple[int, int], Match],
    shas: Sequence[str | None],
) -> tuple[dict[int, list[int]], list[Decision]]:
    """Losers by winner, and a decision for each loser with its strongest match inside the cluster."""
    order = _completeness(problems, clusters)
    touching: defaultdict[int, list[tuple[Match, int]]] = defaultdict(list)
    for (i, j), match in matches.items():
        touching[i].append((match, j))
        touching[j].append((match, i))
    winners: dict[int, list[int]] = {}
    decisions = []
    for cluster in clusters:
        winner, *losers = sorted(cluster, key=order.__getitem__)
        winners[winner] = sorted(losers)
        members = set(cluster)
        for row in winners[winner]:
            near = [(other != winner, -match.score, other, match) for match, other in touching[row] if other in members]
            _, _, other, match = min(near, key=lambda candidate: candidate[:3])
            of, via = ids[winner], ids[other]
            detail = {"of": of, **match.detail} if of == via else {"of": of, "via": via, **match.detail}
            decisions.append(
                Decision(
                    ids[row],
                    Kind.MERGED,
                    f"duplicate_{match.reason}",
                    detail,
                    score=round(match.score, 4),
                    rule=match.rule,
                    sha_in=shas[row],
                    parents=[of],
                )
            )
    return winners, decisions


def _completeness(problems: pl.DataFrame, clusters: Sequence[Sequence[int]]) -> dict[int, tuple[Any, ...]]:
    """A sort key for each row of a cluster: smallest for the one to keep among duplicates."""
    rank = {platform: n for n, platform in enumerate(PLATFORMS)}
    members = [row for cluster in clusters for row in cluster]
    columns = problems[members].select(
        pl.col("references") == 0,
        -pl.col("tests"),
        pl.col("language").ne_missing(PREFERRED_LANGUAGE),
        pl.col("published").fill_null(dt.date.max),
        pl.col("platform").replace_strict(rank, default=len(rank), return_dtype=pl.Int64),
        "problem_id",
    )
    return dict(zip(members, columns.iter_rows(), strict=True))


def _keep(
    ids: Sequence[str], kept: Sequence[int], winners: dict[int, list[int]], shas: Sequence[str | None]
) -> Iterable[Decision]:
    for row in kept:
        merged = [ids[loser] for loser in winners.get(row, ())]
        detail = {"merged": merged} if merged else {}
        yield Decision(ids[row], Kind.KEPT, "ok", detail, sha_in=shas[row], sha_out=shas[row])


def _added(
    problems: pl.DataFrame,
    item_ids: Sequence[str],
    kept: Sequence[int],
    winners: dict[int, list[int]],
    containment: Containment,
) -> pl.DataFrame:
    """For each row that stays its nearest benchmark item, and its tags and ratings with those of the rows merged into
    it; its own fields it keeps."""
    rows = list(kept)
    nearest = [int(item) for item in containment.item_of_row[rows]]
    overlap = containment.row_score[rows].tolist() if item_ids else [None] * len(rows)
    frame = (
        problems[rows]
        .select("problem_id", "tags", "ratings")
        .with_columns(
            pl.Series("benchmark_nearest", [item_ids[n] if n >= 0 else None for n in nearest], pl.String),
            pl.Series("benchmark_overlap", overlap, pl.Float64),
        )
    )
    frame = frame.join(_gained(problems, winners), on="problem_id", how="left", suffix="_gained").with_columns(
        pl.coalesce("tags_gained", "tags").alias("tags"),
        pl.coalesce("ratings_gained", "ratings").alias("ratings"),
        pl.col("merged_ids").fill_null([]),
    )
    return conform(frame, {"problem_id": pl.String, **standing.ADDED})


def _gained(problems: pl.DataFrame, winners: dict[int, list[int]]) -> pl.DataFrame:
    """problem_id, tags, ratings and merged_ids of each winner."""
    groups = [(winner, member) for winner, losers in winners.items() for member in (winner, *losers)]
    members = problems[[member for _, member in groups]].select("problem_id", "tags", "ratings")
    members = members.with_columns(winner=pl.Series([winner for winner, _ in groups], dtype=pl.Int64))
    every = (pl.col(name).explode(empty_as_null=False, keep_nulls=False) for name in ("tags", "ratings"))
    return members.group_by("winner", maintain_order=True).agg(
        *(values.unique().sort() for values in every),
        problem_id=pl.col("problem_id").first(),
        merged_ids=pl.col("problem_id").slice(1),
    )
