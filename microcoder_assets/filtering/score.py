"""Predict: the five rubric dimensions of every problem, from any scorer."""

from __future__ import annotations

import hashlib
import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from microcoder_assets.config import ScoringSettings
from microcoder_assets.filtering.embedded import load_embedded
from microcoder_assets.filtering.rubric import Rubric
from microcoder_assets.filtering.scorer import ProblemScore, Scorer
from microcoder_assets.llm.cache import Cache
from microcoder_assets.schema import DIMENSIONS, SCORED, Rows, conform, of_problems
from microcoder_assets.stage import Deciding, Decision, Kind, StageResult
from microcoder_assets.store import Manifest, ParquetStore

ROWS_AT_A_TIME = 50_000
"""Problems that are in memory with their text. Ours."""


def make_scorer(settings: ScoringSettings, rubric: Rubric, cache: Cache) -> Scorer:
    """The model that the settings name, else the embedded scorer. Key of the server: OPENAI_API_KEY."""
    if settings.model is None:
        return load_embedded()
    from microcoder_assets.filtering.llm_scorer import llm_scorer  # openai takes a second to import

    return llm_scorer(settings, rubric, cache, os.environ.get("OPENAI_API_KEY"))


def scoring_name(scorer: Scorer, rubric: Rubric) -> str:
    """Whose scores these are, as the name of a file: neither two rubrics nor two scorers share one."""
    return f"{rubric.version}@{hashlib.sha256(scorer.name.encode()).hexdigest()[:8]}"


def scored_before(store: ParquetStore, made_from: str, manifests: Sequence[Manifest]) -> pl.DataFrame:
    """SCORED rows that stand, of partitions of `prepared_problems` whose rows are those that were scored.

    made_from: of what the scores are made but the rows, as `scored_from` remembered it. manifests: those of now.
    """
    last = store.manifest("scored_problems")
    if last is None or last.extra.get("made_from") != made_from:
        return pl.DataFrame(schema=SCORED)
    scored = last.extra["partitions"]
    unchanged = [manifest for manifest in manifests if scored.get(manifest.partition) == manifest.sha256]
    ids = store.read_with_partition("prepared_problems", {"problem_id": pl.String}, unchanged)["problem_id"]
    return of_problems(store.scan("scored_problems", SCORED), ids).collect()


def scored_from(made_from: str, manifests: Sequence[Manifest]) -> dict[str, Any]:
    """What `scored_before` has to know of the scores, to be kept with them."""
    return {"made_from": made_from, "partitions": {manifest.partition: manifest.sha256 for manifest in manifests}}


def score_problems(
    problems: Rows, scorer: Scorer, rubric: Rubric, before: pl.DataFrame | None = None
) -> StageResult:
    """PREPARED rows to SCORED rows. A problem that the scorer could not answer is an error row with the reason.

    before: SCORED rows, of problems that are not scored again.
    """
    known = pl.DataFrame(schema=SCORED) if before is None else before
    ids = problems.lazy().select("problem_id", "platform", "contest").collect()
    frames, failed = [known], []
    for part in _whole_contests(ids.join(known, on="problem_id", how="anti")):
        rows = []
        ordered = of_problems(problems, part["problem_id"]).collect()
        for sha, scored in zip(ordered["content_sha"].to_list(), scorer.score(ordered), strict=True):
            if scored.error is None:
                rows.append(_row(scored, scorer, rubric, sha))
            else:
                failed.append(_failed(scored, scorer, sha))
        frames.append(pl.DataFrame(rows, schema=SCORED, orient="row"))
    frame = conform(pl.concat(frames), SCORED)
    return StageResult(frame, Deciding(frame.drop("draws"), _scored, failed))


def _whole_contests(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows by some ROWS_AT_A_TIME, those of one contest together. rows: `problem_id`, `platform`, `contest`."""
    ordered = rows.sort("platform", "contest", "problem_id")
    named = pl.struct("platform", "contest")
    ends = ordered.select((pl.col("contest").is_null() | named.ne_missing(named.shift(-1))).arg_true()).to_series() + 1
    start = 0
    while start < ordered.height:
        end = ends[min(int(ends.search_sorted(start + ROWS_AT_A_TIME)), len(ends) - 1)]
        yield ordered[start:end]
        start = end


def _scored(row: Mapping[str, Any]) -> Decision:
    return Decision(
        row["problem_id"],
        Kind.KEPT,
        "scored",
        detail={"rubric": row["rubric_version"], **{name: round(row[name], 2) for name in DIMENSIONS}},
        score=row["score"],
        rule=row["scorer"],
        sha_in=row["content_sha"],
        sha_out=row["content_sha"],
    )


def _failed(scored: ProblemScore, scorer: Scorer, sha: str) -> Decision:
    return Decision(
        scored.problem_id,
        Kind.ERROR,
        "score_failed",
        detail={"error": scored.error, "cost_usd": scored.cost_usd},
        rule=scorer.name,
        sha_in=sha,
    )


def _row(scored: ProblemScore, scorer: Scorer, rubric: Rubric, sha: str) -> dict[str, Any]:
    means = {name: statistics.fmean(draw.values[name] for draw in scored.draws) for name in DIMENSIONS}
    spread = statistics.pstdev(rubric.score(draw.values) for draw in scored.draws)
    return {
        "problem_id": scored.problem_id,
        "content_sha": sha,
        "scorer": scorer.name,
        "rubric_version": rubric.version,
        **means,
        "score": rubric.score(means),
        "uncertainty": spread if scored.uncertainty is None else scored.uncertainty,
        "draws": [
            {
                **draw.values,
                "prompt_tokens": draw.prompt_tokens,
                "completion_tokens": draw.completion_tokens,
                "cost_usd": draw.cost_usd,
            }
            for draw in scored.draws
        ],
    }
