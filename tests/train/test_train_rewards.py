from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fabricated import fenced, program

from microcoder_judge import Judge, Problem, Program, Result, Verdict
from microcoder_train.data import read_part
from microcoder_train.rewards import JudgeReward, RememberingJudge


class RecordingJudge:
    """A judge whose every verdict is given, as its own failure (IE) cannot be had on purpose."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.ran: list[str] = []

    def run_many(self, pairs: Sequence[tuple[Program, Problem]]) -> list[Result]:
        self.ran += [item.code for item, _ in pairs]
        return [Result(problem.id, self.verdict, 0, len(problem.tests)) for _, problem in pairs]


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
    reward = JudgeReward(RecordingJudge(Verdict.IE), read_part(split, "train").problem)
    assert reward(completions=[fenced("print(1)"), "none"], problem_id=["test:sum", "test:sum"]) == [None, 0.0]


def test_a_program_is_run_once_for_a_problem_unless_its_verdict_depends_on_the_load(split: Path) -> None:
    problem = read_part(split, "train").problem("test:sum")
    pairs = [(Program("x"), problem), (Program("y"), problem), (Program("x"), problem)]
    steady, loaded = RecordingJudge(Verdict.WA), RecordingJudge(Verdict.TLE)
    for judge in (steady, loaded):
        remembering = RememberingJudge(judge)
        first = remembering.run_many(pairs)
        assert remembering.run_many(pairs) == first
    assert steady.ran == ["x", "y"]
    assert loaded.ran == ["x", "y", "x", "y"]


def test_memory_is_bounded(split: Path) -> None:
    problem = read_part(split, "train").problem("test:sum")
    judge = RecordingJudge(Verdict.WA)
    remembering = RememberingJudge(judge, capacity=1)
    for code in ("x", "y", "x", "x"):
        remembering.run_many([(Program(code), problem)])
    assert judge.ran == ["x", "y", "x"]
