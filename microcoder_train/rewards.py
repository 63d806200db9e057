"""The reward of a completion by what a judge says of its program: all tests passed (the paper's), a share, or tiers.

Tiers: TAROT (arXiv 2602.15449) gives each problem tests of four tiers, basic to edge, and rewards each tier that is
passed whole. A split's tests have no tiers: ours are its tests in four parts by the size of the input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from microcoder_judge import Problem, Result, Submission, Test, Verdict
from microcoder_train.evaluation.extraction import extract_code

NO_CODE = "NO_CODE"
"""Verdict of a completion without a program; beside the judge's own names."""

Scoring = Literal["all_pass", "fraction", "tiers"]
TIERS = (0.1, 0.2, 0.3, 0.4)
"""Weight of each tier, the smallest inputs first. Ours."""


class Judging(Protocol):
    """What is used of `microcoder_judge.Judge`."""

    def evaluate_many(self, submissions: Sequence[Submission]) -> list[Result]: ...


@dataclass(frozen=True, slots=True)
class Verdicted:
    """One judged completion. verdict: a `Verdict` or `NO_CODE`; passed, total: tests accepted and tests there are.

    first_failed: name of the first test that was not accepted. judge_s: wall seconds of its tests, 0 if none was run.
    accepted_tests: by position, the tests accepted; those that were not run are not.
    """

    code: str | None
    verdict: str
    passed: int
    total: int
    first_failed: str | None = None
    judge_s: float = 0.0
    accepted_tests: tuple[bool, ...] = ()

    @property
    def accepted(self) -> bool | None:
        """None: the judge failed, so the program is neither right nor wrong."""
        return None if self.verdict == Verdict.IE else self.verdict == Verdict.AC


def judge_completions(
    judge: Judging,
    problems: Callable[[str], Problem],
    completions: Sequence[tuple[str, str]],
    every_test: bool = False,
) -> list[Verdicted]:
    """Verdicts of (problem id, completion) pairs, in order. every_test: go on after the first that fails."""
    known = {problem: problems(problem) for problem in dict.fromkeys(problem for problem, _ in completions)}
    codes = [(known[problem], extract_code(completion)) for problem, completion in completions]
    submissions = [
        Submission(code, problem, stop_on_fail=not every_test) for problem, code in codes if code is not None
    ]
    results = iter(judge.evaluate_many(submissions))
    return [
        Verdicted(None, NO_CODE, 0, len(problem.tests)) if code is None else _verdicted(code, next(results))
        for problem, code in codes
    ]


def _verdicted(code: str, result: Result) -> Verdicted:
    failed = result.first_failed
    return Verdicted(
        code,
        str(result.verdict),
        result.passed,
        result.total,
        None if failed is None else result.tests[failed].name,
        round(sum(test.wall_s for test in result.tests), 6),
        tuple(test.verdict is Verdict.AC for test in result.tests),
    )


def tiers_passed(tests: Sequence[Test], accepted: Sequence[bool]) -> float:
    """Weight of the tiers of which every test is accepted, over that of the tiers there are; 0 to 1.

    tests: the problem's. accepted: of each, in the same order. With fewer than four tests the last tiers are empty.
    """
    order = sorted(range(len(tests)), key=lambda place: (len(tests[place].input), place))
    size = -(-len(order) // len(TIERS))
    parts = [order[start : start + size] for start in range(0, len(order), size)]
    weights = TIERS[: len(parts)]
    won = sum(weight for weight, part in zip(weights, parts, strict=True) if all(accepted[place] for place in part))
    return won / sum(weights)


class JudgeReward:
    """A TRL reward function: None (masked by TRL) for IE, else a score of 0 to 1, plus `format_weight` for a program.

    scoring: `all_pass`: 1 for AC, else 0. `fraction`: the share of the tests accepted. `tiers`: see `tiers_passed`.
    The judge works in processes of its own; this one only waits. The dataset has a column `problem_id`.
    latest: what was judged in the latest call.
    """

    __name__ = "judge"

    def __init__(
        self,
        judge: Judging,
        problems: Callable[[str], Problem],
        scoring: Scoring = "all_pass",
        format_weight: float = 0.0,
    ) -> None:
        self.latest: list[Verdicted] = []
        self._judge = judge
        self._problems = problems
        self._scoring = scoring
        self._format_weight = format_weight

    def __call__(
        self,
        completions: Sequence[Any],
        problem_id: Sequence[str],
        log_extra: Callable[[str, list[Any]], None] | None = None,
        **_: Any,
    ) -> list[float | None]:
        pairs = list(zip(problem_id, map(completion_text, completions), strict=True))
        self.latest = judge_completions(self._judge, self._problems, pairs, self._scoring != "all_pass")
        if log_extra is not None:
            log_extra("problem_id", list(problem_id))
            log_extra("verdict", [item.verdict for item in self.latest])
            log_extra("passed", [item.passed for item in self.latest])
            log_extra("first_failed", [item.first_failed for item in self.latest])
            log_extra("judge_s", [item.judge_s for item in self.latest])
        return [self._reward(problem, item) for problem, item in zip(problem_id, self.latest, strict=True)]

    def _reward(self, problem_id: str, item: Verdicted) -> float | None:
        if item.accepted is None:
            return None
        return self._score(problem_id, item) + (self._format_weight if item.code is not None else 0.0)

    def _score(self, problem_id: str, item: Verdicted) -> float:
        if item.accepted or self._scoring == "all_pass" or not item.passed:
            return float(item.accepted is True)
        if self._scoring == "fraction":
            return item.passed / item.total
        return tiers_passed(self._problems(problem_id).tests, item.accepted_tests)


def completion_text(completion: Any) -> str:
    """The text of a completion as TRL hands it over: a string, or messages for a chat model."""
    return completion if isinstance(completion, str) else str(completion[-1]["content"])
