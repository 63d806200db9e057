from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fabricated import fenced, program

from microcoder_judge import Judge, Result, Submission, Test, Verdict
from microcoder_train.data import read_part
from microcoder_train.rewards import JudgeReward, Scoring, tiers_passed


class FailingJudge:
    """A judge whose every verdict is given, as its own failure (IE) cannot be had on purpose."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict

    def evaluate_many(self, submissions: Sequence[Submission]) -> list[Result]:
        return [Result(s.problem.id, self.verdict, 0, len(s.problem.tests)) for s in submissions]


def test_reward_is_one_for_a_program_that_passes_every_test_and_zero_for_all_else(split: Path) -> None:
    part = read_part(split, "train")
    completions = [program("+"), program("-"), "print(", "while True: break\nraise ValueError"]
    extra: dict[str, list[Any]] = {}
    with Judge(workers=1) as judge:
        rewards = JudgeReward(judge, part.problem)(
            completions=[*map(fenced, completions), "no program here"],
            problem_id=["test:sum"] * 5,
            log_extra=extra.__setitem__,
            prompts=["?"] * 5,
        )
    assert rewards == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert extra["verdict"] == ["AC", "WA", "CE", "RE", "NO_CODE"]
    assert extra["passed"][0] == 3
    assert extra["first_failed"][:2] == [None, "0"]
    assert extra["judge_s"][0] > 0 == extra["judge_s"][4]


def test_function_problems_and_chat_completions_are_judged(split: Path) -> None:
    part = read_part(split, "train")
    code = "class Solution:\n    def twice(self, x):\n        return x + x"
    with Judge(workers=1) as judge:
        reward = JudgeReward(judge, part.problem)
        message = {"role": "assistant", "content": fenced(code)}
        assert reward(completions=[[message]], problem_id=["test:double"]) == [1.0]


def test_the_judges_own_failure_is_masked_not_punished(split: Path) -> None:
    reward = JudgeReward(FailingJudge(Verdict.IE), read_part(split, "train").problem)
    assert reward(completions=[fenced("print(1)"), "none"], problem_id=["test:sum", "test:sum"]) == [None, 0.0]


SOMETIMES = "a, b = map(int, input().split())\nprint(a + b if a < 10 else 0)"
"""Right on the tests `3 2` and `7 7` of test:sum, wrong on `10 4`."""


@pytest.mark.parametrize(
    ("scoring", "rewards"),
    [
        ("all_pass", [1.0, 0.0, 0.0, 0.0]),
        ("fraction", [1.0, 2 / 3, 0.0, 0.0]),
        ("tiers", [1.0, (0.1 + 0.2) / 0.6, 0.0, 0.0]),
    ],
)
def test_a_program_that_passes_some_tests_is_scored_as_asked(
    split: Path, scoring: Scoring, rewards: list[float]
) -> None:
    completions = [fenced(program("+")), fenced(SOMETIMES), fenced("print("), "no program"]
    with Judge(workers=1) as judge:
        problem = read_part(split, "train").problem
        plain = JudgeReward(judge, problem, scoring)
        assert plain(completions=completions, problem_id=["test:sum"] * 4) == pytest.approx(rewards)
        formatted = JudgeReward(judge, problem, scoring, format_weight=0.1)
        found = formatted(completions=completions, problem_id=["test:sum"] * 4)
    assert found == pytest.approx([rewards[0] + 0.1, rewards[1] + 0.1, 0.1, 0.0])
    assert [item.verdict for item in plain.latest] == ["AC", "WA", "CE", "NO_CODE"]


def test_tiers_are_parts_of_the_tests_by_input_size_each_passed_whole_or_not() -> None:
    tests = [Test(b"x" * size, b"", str(size)) for size in (8, 1, 2, 3, 4, 5, 6, 7)]
    assert tiers_passed(tests, [True] * 8) == 1
    assert tiers_passed(tests, [False] + [True] * 7) == pytest.approx(0.6)
    assert tiers_passed(tests, [True, True, False, True, True, True, True, True]) == pytest.approx(0.9)
    assert tiers_passed(tests[:1], [True]) == 1
    assert tiers_passed(tests, [False] * 8) == 0


def test_the_judges_own_failure_gives_no_reward_whatever_the_scoring(split: Path) -> None:
    for scoring in ("fraction", "tiers"):
        reward = JudgeReward(FailingJudge(Verdict.IE), read_part(split, "train").problem, scoring, 0.1)  # type: ignore[arg-type]
        assert reward(completions=[fenced("print(1)")], problem_id=["test:sum"]) == [None]
