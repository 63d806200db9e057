from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fabricated import fenced, program

from microcoder_judge import Judge, Result, Submission, Verdict
from microcoder_train.data import read_part
from microcoder_train.rewards import JudgeReward


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
