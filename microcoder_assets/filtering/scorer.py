"""What every scorer is: something that has an opinion on problems, with a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import polars as pl


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
