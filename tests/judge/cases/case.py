"""What a labelled case is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from microcoder_judge import Problem

Group = Literal["stdout", "values", "programs"]


@dataclass(frozen=True)
class Case:
    """code: the program handed in. output: what it prints, where the case is about that alone.
    right: whether a judge accepts it. reason: the judge's rule."""

    name: str
    group: Group
    problem: Problem
    code: str
    right: bool
    reason: str
    output: bytes | None = None
