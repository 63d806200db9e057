"""Predict: the five rubric dimensions of every problem, from any scorer."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from microcoder_assets.filtering.rubric import Rubric
from microcoder_assets.schema import DIMENSIONS, SCORED, conform
from microcoder_assets.stage import Decision, Kind, StageResult


@dataclass(frozen=True, slots=True)
class Draw:
    """One independent opinion: a value for every dimension, and what it cost (USD; zero where nothing was asked)."""

    values: Mapping[str, float]
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class ProblemScore:
    """What a scorer says of one problem. error: why there is no usable answer; then the draws are those it paid for
    and could use. uncertainty: the scorer's own, in rubric points; None: the spread of the draws.
    cost_usd: everything spent on the problem, unusable answers included."""

    problem_id: str
    draws: tuple[Draw, ...]
    uncertainty: float | None = None
    error: str | None = None
    cost_usd: float = 0.0


class Scorer(Protocol):
    @property
    def name(self) -> str:
        """`embedded:<version>` or `llm:<model>`; stored with every row."""
        ...

    def score(self, problems: pl.DataFrame) -> Iterator[ProblemScore]:
        """One ProblemScore a row, in the rows' order. Raises UserError when nothing can be scored at all."""
        ...


def score_problems(problems: pl.DataFrame, scorer: Scorer, rubric: Rubric) -> StageResult:
    """UNIQUE rows to SCORED rows. A problem that the scorer could not answer is an error row with the reason."""
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


def _row(scored: ProblemScore, scorer: Scorer, rubric: Rubric, sha: str) -> dict[str, object]:
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
