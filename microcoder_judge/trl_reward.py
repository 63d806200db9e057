"""A reward function for TRL's trainers: a completion's program is judged against its dataset row's tests.

reward = JudgeReward(JudgeClient("/run/judge.sock"))
GRPOTrainer(..., reward_funcs=[reward])
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from microcoder_judge.records import Problem, RecordError, Result, Submission, Verdict
from microcoder_judge.wire import KEYS, read_submission

COLUMNS = tuple(key for key in KEYS if key not in ("id", "code", "isolation", "stop_on_fail"))
"""The columns that are read where no `problems` are given: those keys of the wire form that say what to judge against;
`tests` is required."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*?)\s*$")


class Judging(Protocol):
    """What is used of a `Judge` or a `JudgeClient`."""

    def evaluate_many(self, submissions: Sequence[Submission]) -> list[Result]: ...


def last_code_block(completion: str) -> str | None:
    """The text of the last fenced block that is closed (CommonMark's fences, any language); None without one."""
    found = None
    opened: tuple[str, int] | None = None
    lines = completion.split("\n")
    for number, line in enumerate(lines):
        fence = _FENCE.match(line)
        if fence is None:
            continue
        if opened is None:
            opened = fence[1], number
        elif fence[1].startswith(opened[0]) and not fence[2]:
            found = "\n".join(lines[opened[1] + 1 : number])
            opened = None
    return found


class JudgeReward:
    """Rewards completions by their verdicts: 0.0 to 1.0, and None, which TRL masks, where the judge failed (IE).

    problems: from a row's `problem_id` to its problem; a mapping or a function. Without it the row's own columns say
        what to judge against, in the wire form (`COLUMNS`), lists and objects as such or as JSON text.
    extract: from a completion's text to its program, or None for a completion without one, whose reward is 0.0.
    reward: `binary`: 1.0 for AC, else 0.0. `fraction`: the part of the tests that are passed; every test is run.
    name: what TRL calls this reward in its logs.
    """

    def __init__(
        self,
        judge: Judging,
        *,
        problems: Mapping[str, Problem] | Callable[[str], Problem] | None = None,
        extract: Callable[[str], str | None] = last_code_block,
        reward: Literal["binary", "fraction"] = "binary",
        name: str = "judge",
    ) -> None:
        if reward not in ("binary", "fraction"):
            raise ValueError(f"reward must be binary or fraction, got {reward!r}")
        self.__name__ = name
        self._judge = judge
        self._problems = problems
        self._extract = extract
        self._fraction = reward == "fraction"

    def __call__(self, completions: Sequence[Any], **columns: Any) -> list[float | None]:
        """The rewards of completions (text, or chat messages, of which the last counts), in order.

        columns: one value a completion, as TRL hands them over; those that are not read here are passed by.
        Raises RecordError, naming the row, for a row that gives no problem.
        """
        rewards: list[float | None] = [0.0] * len(completions)
        submissions: dict[int, Submission] = {}
        for row, completion in enumerate(completions):
            code = self._extract(_text(completion))
            if code is not None:
                submissions[row] = self._submission(row, code, columns)
        results = self._judge.evaluate_many(list(submissions.values()))
        for row, result in zip(submissions, results, strict=True):
            rewards[row] = self._value(result)
        return rewards

    def _submission(self, row: int, code: str, columns: Mapping[str, Sequence[Any]]) -> Submission:
        try:
            if self._problems is None:
                return self._from_columns(row, code, columns)
            if "problem_id" not in columns:
                raise RecordError("the dataset has no column problem_id")
            return self._of(code, self._problem(columns["problem_id"][row]))
        except RecordError as error:
            raise RecordError(f"row {row}: {error}") from error

    def _problem(self, id: str) -> Problem:
        if callable(self._problems):
            return self._problems(id)
        if self._problems is None or id not in self._problems:
            raise RecordError(f"no problem {id!r} among those given")
        return self._problems[id]

    def _from_columns(self, row: int, code: str, columns: Mapping[str, Sequence[Any]]) -> Submission:
        fields = {key: _plain(columns[key][row]) for key in COLUMNS if key in columns}
        if isinstance(fields.get("tests"), list):
            # Arrow gives every object of a column the keys of all, so a test may hold nulls that it never had.
            keys = ("args", "expected") if fields.get("io") == "function" else ("input", "output")
            fields["tests"] = [_only(test, keys) for test in fields["tests"]]
        if isinstance(fields.get("checker"), dict):
            fields["checker"] = {key: value for key, value in fields["checker"].items() if value is not None}
        line = json.dumps({**fields, "id": row, "code": code}).encode()
        read = read_submission(line)
        return self._of(code, read.problem, read.language)

    def _of(self, code: str, problem: Problem, language: str = "python") -> Submission:
        return Submission(code, problem, language, stop_on_fail=not self._fraction)

    def _value(self, result: Result) -> float | None:
        if result.verdict is Verdict.IE:
            return None
        if self._fraction:
            return result.passed / result.total
        return float(result.accepted)


def _plain(value: Any) -> Any:
    """A column's value; JSON text of a list or an object is read."""
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _only(test: Any, keys: tuple[str, str]) -> Any:
    if not isinstance(test, dict):
        return test
    return {key: value for key, value in test.items() if value is not None or key in keys}


def _text(completion: Any) -> str:
    return completion if isinstance(completion, str) else str(completion[-1]["content"])
