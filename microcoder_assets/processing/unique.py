"""`unique_problems`: rows that overlap the benchmark are removed first, then duplicates are merged."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
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
from microcoder_assets.processing.documents import PREFERRED_LANGUAGE, read_corpus
from microcoder_assets.processing.duplicates import Match, find_clusters
from microcoder_assets.processing.embeddings import Embedder, near_translations
from microcoder_assets.processing.gram_index import Containment
from microcoder_assets.processing.minhash import Cache
from microcoder_assets.schema import UNIQUE, conform
from microcoder_assets.stage import Decision, Kind, StageResult


def find_unique(
    problems: pl.DataFrame,
    benchmark: pl.DataFrame,
    dedup: DedupSettings,
    decontamination: DecontaminationSettings,
    cache: Cache | None = None,
    embedder: Embedder | None = None,
) -> tuple[StageResult, OverlapReport]:
    """UNIQUE rows of NORMALIZED `problems`, a decision for each, and the proof that the benchmark is not among them.

    benchmark: at least problem_id, platform, native_id, title, url, statement, samples and io_mode; may be empty.
    cache: where signatures and the like outlive a run, so that the next one reads only statements of new content.
    embedder: finds statements alike in two languages; None: samples alone find those.
    """
    problems, benchmark = problems.sort("problem_id"), benchmark.sort("problem_id")
    items, index = read_items(benchmark, dedup, decontamination, cache)
    rows = read_corpus(problems, dedup, index, cache)

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
    frame = _assemble(problems, item_ids, kept, winners, containment)
    result = StageResult(frame, [*dropped, *merged, *_keep(ids, kept, winners, shas)])
    releases = benchmark["release"].to_list() if "release" in benchmark.columns else [None] * benchmark.height
    return result, report(rows, items, overlaps, containment, releases, window)


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


def _assemble(
    problems: pl.DataFrame,
    item_ids: Sequence[str],
    kept: Sequence[int],
    winners: dict[int, list[int]],
    containment: Containment,
) -> pl.DataFrame:
    """The rows that stay. A winner keeps its own fields and gains the tags and ratings of those merged into it."""
    rows = list(kept)
    nearest = [int(item) for item in containment.item_of_row[rows]]
    overlap = containment.row_score[rows].tolist() if item_ids else [None] * len(rows)
    frame = problems[rows].with_columns(
        pl.Series("benchmark_nearest", [item_ids[n] if n >= 0 else None for n in nearest], pl.String),
        pl.Series("benchmark_overlap", overlap, pl.Float64),
    )
    gained = _gained(problems, winners)
    frame = frame.join(gained, on="problem_id", how="left", suffix="_gained", maintain_order="left").with_columns(
        pl.coalesce("tags_gained", "tags").alias("tags"),
        pl.coalesce("ratings_gained", "ratings").alias("ratings"),
        pl.col("merged_ids").fill_null([]),
    )
    return conform(frame, UNIQUE)


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
