"""Predict: the five rubric dimensions of every problem, from any scorer."""

from __future__ import annotations

import hashlib
import os
import statistics
from typing import Any

import polars as pl

from microcoder_assets.config import ScoringSettings
from microcoder_assets.filtering.embedded import load_embedded
from microcoder_assets.filtering.rubric import Rubric
from microcoder_assets.filtering.scorer import ProblemScore, Scorer
from microcoder_assets.llm.cache import Cache
from microcoder_assets.schema import DIMENSIONS, SCORED, conform
from microcoder_assets.stage import Decision, Kind, StageResult


def make_scorer(settings: ScoringSettings, rubric: Rubric, cache: Cache) -> Scorer:
    """The model that the settings name, else the embedded scorer. Key of the server: OPENAI_API_KEY."""
    if settings.model is None:
        return load_embedded()
    from microcoder_assets.filtering.llm_scorer import llm_scorer  # openai takes a second to import

    return llm_scorer(settings, rubric, cache, os.environ.get("OPENAI_API_KEY"))


def scoring_name(scorer: Scorer, rubric: Rubric) -> str:
    """Whose scores these are, as the name of a file: neither two rubrics nor two scorers share one."""
    return f"{rubric.version}@{hashlib.sha256(scorer.name.encode()).hexdigest()[:8]}"


def score_problems(problems: pl.DataFrame, scorer: Scorer, rubric: Rubric) -> StageResult:
    """PREPARED rows to SCORED rows. A problem that the scorer could not answer is an error row with the reason."""
    rows, decisions = [], []
    ordered = problems.sort("problem_id")
    shas = ordered["content_sha"].to_list()
    for sha, scored in zip(shas, scorer.score(ordered), strict=True):
        if scored.error is not None:
            decisions.append(_failed(scored, scorer, sha))
            continue
        row = _row(scored, scorer, rubric, sha)
        rows.append(row)
        decisions.append(
            Decision(
                scored.problem_id,
                Kind.KEPT,
                "scored",
                detail={"rubric": rubric.version, **{name: round(row[name], 2) for name in DIMENSIONS}},
                score=row["score"],
                rule=scorer.name,
                sha_in=sha,
                sha_out=sha,
            )
        )
    return StageResult(conform(pl.DataFrame(rows, schema=SCORED, orient="row"), SCORED), decisions)


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
