"""The reward of a completion: 1 if its program passes every test, else 0, as a judge decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from microcoder_judge import Problem, Result, Submission, Verdict
from microcoder_train.extraction import extract_code

NO_CODE = "NO_CODE"
"""Verdict of a completion without a program; beside the judge's own names."""


class Judging(Protocol):
    """What is used of `microcoder_judge.Judge`."""

    def evaluate_many(self, submissions: Sequence[Submission]) -> list[Result]: ...


@dataclass(frozen=True, slots=True)
class Verdicted:
    """One judged completion. verdict: a `Verdict` or `NO_CODE`; passed, total: tests accepted and tests there are."""

    code: str | None
    verdict: str
    passed: int
    total: int

    @property
    def accepted(self) -> bool | None:
        """None: the judge failed, so the program is neither right nor wrong."""
        return None if self.verdict == Verdict.IE else self.verdict == Verdict.AC


def judge_completions(
    judge: Judging, problems: Callable[[str], Problem], completions: Sequence[tuple[str, str]]
) -> list[Verdicted]:
    """Verdicts of (problem id, completion) pairs, in order."""
    known = {problem: problems(problem) for problem in dict.fromkeys(problem for problem, _ in completions)}
    codes = [(known[problem], extract_code(completion)) for problem, completion in completions]
    results = iter(judge.evaluate_many([Submission(code, problem) for problem, code in codes if code is not None]))
    return [
        Verdicted(None, NO_CODE, 0, len(problem.tests)) if code is None else _verdicted(code, next(results))
        for problem, code in codes
    ]


def _verdicted(code: str, result: Result) -> Verdicted:
    return Verdicted(code, str(result.verdict), result.passed, result.total)


class JudgeReward:
    """A TRL reward function: 1.0 for AC, None (masked by TRL) for IE, 0.0 for everything else.

    The judge works in processes of its own; this one only waits. The dataset has a column `problem_id`.
    """

    __name__ = "judge"

    def __init__(self, judge: Judging, problems: Callable[[str], Problem]) -> None:
        self._judge = judge
        self._problems = problems

    def __call__(
        self,
        completions: Sequence[Any],
        problem_id: Sequence[str],
        log_extra: Callable[[str, list[Any]], None] | None = None,
        **_: Any,
    ) -> list[float | None]:
        texts = [completion_text(completion) for completion in completions]
        judged = judge_completions(self._judge, self._problems, list(zip(problem_id, texts, strict=True)))
        if log_extra is not None:
            log_extra("problem_id", list(problem_id))
            log_extra("verdict", [item.verdict for item in judged])
            log_extra("passed", [item.passed for item in judged])
        return [None if item.accepted is None else float(item.accepted) for item in judged]


def completion_text(completion: Any) -> str:
    """The text of a completion as TRL hands it over: a string, or messages for a chat model."""
    return completion if isinstance(completion, str) else str(completion[-1]["content"])
