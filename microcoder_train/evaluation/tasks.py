"""What every benchmark suite gives: tasks, prompts, the program in an answer, and what it is judged against."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from microcoder_judge import Problem, Test

Prompt: TypeAlias = str | list[dict[str, str]]
"""Text to continue, or chat messages."""


def as_text(prompt: Prompt) -> str:
    """What a model without a chat template continues: its messages with an empty line between them."""
    return prompt if isinstance(prompt, str) else "\n\n".join(message["content"] for message in prompt)


Rules = Literal["livecodebench", "faithful"]
"""How answers are judged: as LiveCodeBench's grader compares, or as an online judge would."""


@dataclass(frozen=True, slots=True)
class Task:
    """One problem. prompt: in this project's own words. release: of LiveCodeBench, `v1` on; None elsewhere."""

    problem_id: str
    question_id: str
    title: str
    statement: str
    prompt: str
    starter_code: str | None = None
    difficulty: str = "unknown"
    platform: str = ""
    contest: str | None = None
    published: dt.date | None = None
    release: str | None = None

    @property
    def month(self) -> str:
        """`YYYY-MM`, `unknown` without a date."""
        return self.published.strftime("%Y-%m") if self.published else "unknown"


@dataclass(frozen=True, slots=True)
class Extracted:
    """The program in a completion. found: how it was found, or why there is none (code is None)."""

    code: str | None
    found: str


class Suite(Protocol):
    """name: of the suite. version: of its data. tasks: in the suite's order. styles: names of its prompts, the one for
    chat models first. rules: those its answers are judged by, the official one first."""

    name: str
    version: str
    tasks: Sequence[Task]
    styles: tuple[str, ...]
    rules: tuple[Rules, ...]

    def prompt(self, task: Task, style: str) -> Prompt: ...

    def extract(self, task: Task, completion: str, style: str) -> Extracted: ...

    def program(self, task: Task, code: str) -> str:
        """What the judge is handed for extracted code."""
        ...

    def problem(self, problem_id: str, rules: Rules, first: Sequence[Test] = ()) -> Problem | None:
        """What programs are judged against: `first`, then the suite's own tests. None where there is no test."""
        ...
