"""LiveCodeBench, and any set in the format of the exported benchmark: a folder as `data` reads it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from microcoder_judge import Problem, Test
from microcoder_train.data import read_data_version, read_part, read_table
from microcoder_train.errors import TrainError
from microcoder_train.evaluation.extraction import extract
from microcoder_train.evaluation.prompts import STYLES, build_prompt
from microcoder_train.evaluation.tasks import Extracted, Prompt, Rules, Task

COLUMNS = (
    "problem_id",
    "prompt",
    "difficulty",
    "title",
    "statement",
    "starter_code",
    "platform",
    "contest",
    "published",
    "release",
    "question_id",
    "native_id",
)
"""Only the first two are needed; sets of others may lack the rest."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which problems count. first, last: contest dates, both included. Empty: all, also those without a date."""

    first: dt.date | None = None
    last: dt.date | None = None
    platforms: tuple[str, ...] = ()
    difficulties: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()

    def holds(self, task: Task) -> bool:
        dated = self.first is None and self.last is None
        if task.published is not None:
            dated = (self.first or dt.date.min) <= task.published <= (self.last or dt.date.max)
        named = (
            (self.platforms, task.platform),
            (self.difficulties, task.difficulty),
            (self.releases, task.release),
        )
        return dated and all(not wanted or value in wanted for wanted, value in named)


EVERYTHING = Window()
WINDOWS = {"all": EVERYTHING, "paper": Window(releases=("v6",))}
"""`paper`: the 175 problems of the v6 increment, which arXiv 2603.07777 reports on (inferred from its Table 1)."""


class LiveCodeBench:
    """A Suite over an exported benchmark folder. Raises TrainError where it cannot be read or the window is empty."""

    name = "livecodebench"
    styles: tuple[str, ...] = STYLES
    rules: tuple[Rules, ...] = ("livecodebench", "faithful")

    def __init__(self, folder: Path, window: Window = EVERYTHING, examples: Path | None = None) -> None:
        self.version = read_data_version(folder)
        self._part = read_part(folder, "test")
        self._examples = examples
        tasks = _tasks(folder)
        self.tasks: Sequence[Task] = tuple(task for task in tasks if window.holds(task))
        if not self.tasks:
            raise TrainError(f"none of the {len(tasks)} problems of {folder} is in the window; widen it")

    def prompt(self, task: Task, style: str) -> Prompt:
        return build_prompt(task, style, self._examples)

    def extract(self, task: Task, completion: str, style: str) -> Extracted:
        return extract(completion, style)

    def program(self, task: Task, code: str) -> str:
        return code

    def problem(self, problem_id: str, rules: Rules, first: Sequence[Test] = ()) -> Problem | None:
        """LiveCodeBench puts its imports before every program; a judge of functions gives what LeetCode gives."""
        if problem_id in self._part.untested and not first:
            return None
        problem = self._part.problem(problem_id, first)
        return replace(problem, preamble=True) if rules == "livecodebench" else problem


def _tasks(folder: Path) -> list[Task]:
    table = read_table(folder, "test")
    known = [name for name in COLUMNS if name in table.column_names]
    rows: list[dict[str, Any]] = table.select(known).to_pylist()
    return [
        Task(
            problem_id=row["problem_id"],
            question_id=row.get("question_id") or row.get("native_id") or row["problem_id"],
            title=row.get("title") or "",
            statement=row.get("statement") or row["prompt"],
            prompt=row["prompt"],
            starter_code=row.get("starter_code"),
            difficulty=row.get("difficulty") or "unknown",
            platform=row.get("platform") or row["problem_id"].partition(":")[0],
            contest=row.get("contest"),
            published=row.get("published"),
            release=row.get("release"),
        )
        for row in rows
    ]
