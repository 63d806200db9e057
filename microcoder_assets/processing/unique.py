"""`unique_problems`: rows that overlap the benchmark are removed first, then duplicates are merged."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from microcoder_assets.collection.platforms import PLATFORMS
from microcoder_assets.config import DecontaminationSettings, DedupSettings
from microcoder_assets.processing.decontaminate import (
    Overlap,
    OverlapReport,
    contest_window,
    find_shared_tests,
    overlap_ladder,
    read_items,
    report,
)
from microcoder_assets.processing.documents import PREFERRED_LANGUAGE, Whole, read_corpus
from microcoder_assets.processing.duplicates import Match, find_clusters
from microcoder_assets.processing.embeddings import Embedder, near_translations
from microcoder_assets.processing.gram_index import Containment
from microcoder_assets.processing.minhash import Cache
from microcoder_assets.schema import NORMALIZED, UNIQUE, Schema, conform
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_assets.store.ledger import snapshot

COLUMNS: Schema = {
    name: NORMALIZED[name]
    for name in (
        *("problem_id", "platform", "title", "url", "statement_language", "content_sha"),
        *("published", "published_basis", "references", "tests", "tags", "ratings"),
    )
}
"""What is decided of a row whose content is known."""

_ADDED: Schema = {name: UNIQUE[name] for name in UNIQUE if name not in NORMALIZED or name in ("tags", "ratings")}


@dataclass(frozen=True, slots=True)
class Decided:
    """decisions: one for each row, by its id. added: problem_id and, of every row that stays, what it gains."""

    decisions: dict[str, Decision]
    added: pl.DataFrame

    def result(self, problems: pl.DataFrame) -> StageResult:
        """The UNIQUE rows among NORMALIZED `problems`, and the decisions for these."""
        frame = problems.drop("tags", "ratings").join(self.added, on="problem_id")
        return StageResult(conform(frame, UNIQUE), [self.decisions[name] for name in problems["problem_id"]])

    def parts(self, partitions: pl.DataFrame) -> pl.DataFrame:
        """Columns partition and facts: all that is decided of its rows, as text.

        partitions: columns problem_id and partition of the rows decided about.
        """
        decided = snapshot(self.decisions.values()).join(self.added, on="problem_id", how="left", suffix="_added")
        facts = decided.select("problem_id", facts=pl.struct(pl.all()).struct.json_encode())
        rows = partitions.join(facts, on="problem_id").sort("partition", "problem_id")
        return rows.group_by("partition", maintain_order=True).agg(pl.col("facts").str.join("\n"))


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
) -> tuple[Decided, OverlapReport]:
    """What becomes of each of `problems`, and the proof that the benchmark is not among those that stay.

    problems: NORMALIZED rows, or COLUMNS of them; then `whole` reads the rows whose content is new. benchmark: at least
    problem_id, platform, native_id, title, url, statement, samples and io_mode; may be empty. cache: where signatures
    and the like outlive a run, so that the next one reads only statements of new content. embedder: finds statements
    alike in two languages, and needs every statement; None: samples alone find those.
    """
    problems, benchmark = problems.sort("problem_id"), benchmark.sort("problem_id")
    items, index = read_items(benchmark, dedup, decontamination, cache)
    rows = read_corpus(problems, dedup, index, cache, whole)

    tests = find_shared_tests(problems, benchmark)
    overlaps, containment = overlap_ladder(rows, items, index, tests, dedup, decontamination)
    window = contest_window(problems, benchmark)
    if decontamination.contest_window == "drop":
        for row in window:
            overlaps.setdefault(row, Overlap(None, "benchmark_window", "contest_window", 1.0, {}))
    stay = [row for row in range(problems.height) if row not in overlaps]
    near = near_translations(rows, problems["statement"], stay, embedder) if embedder else {}
    clusters, matches = find_clusters(rows, dedup, stay, near)

    ids, item_ids = problems["problem_id"].to_list(), benchmark["problem_id"].to_list()
    shas = problems["content_sha"].to_list()
    dropped = [_drop(ids[row], overlap, item_ids, shas[row]) for row, overlap in sorted(overlaps.items())]
    winners, merged = _merge(problems, ids, clusters, matches, shas)
    losers = {row for cluster in winners.values() for row in cluster}
    kept = [row for row in stay if row not in losers]
    decisions = [*dropped, *merged, *_keep(ids, kept, winners, shas)]
    decided = Decided({d.problem_id: d for d in decisions}, _added(problems, item_ids, kept, winners, containment))
    releases = benchmark["release"].to_list() if "release" in benchmark.columns else [None] * benchmark.height
    return decided, report(rows, items, overlaps, containment, releases, window)


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
    order = _completeness(problems)
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


def _completeness(problems: pl.DataFrame) -> list[tuple[Any, ...]]:
    """A sort key a row: smallest for the one to keep among duplicates."""
    rank = {platform: n for n, platform in enumerate(PLATFORMS)}
    columns = problems.select(
        pl.col("references").list.len().fill_null(0) == 0,
        -pl.col("tests").list.len().fill_null(0).cast(pl.Int64),
        pl.col("statement_language").ne_missing(PREFERRED_LANGUAGE),
        pl.col("published").fill_null(dt.date.max),
        pl.col("platform").replace_strict(rank, default=len(rank), return_dtype=pl.Int64),
        "problem_id",
    )
    return list(columns.iter_rows())


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
    frame = problems[rows].select("problem_id", "tags", "ratings").with_columns(
        pl.Series("benchmark_nearest", [item_ids[n] if n >= 0 else None for n in nearest], pl.String),
        pl.Series("benchmark_overlap", overlap, pl.Float64),
    )
    frame = frame.join(_gained(problems, winners), on="problem_id", how="left", suffix="_gained").with_columns(
        pl.coalesce("tags_gained", "tags").alias("tags"),
        pl.coalesce("ratings_gained", "ratings").alias("ratings"),
        pl.col("merged_ids").fill_null([]),
    )
    return conform(frame, {"problem_id": pl.String, **_ADDED})


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
