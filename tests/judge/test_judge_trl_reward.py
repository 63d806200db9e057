"""The reward function for TRL: what it reads of a dataset row and of a completion, and what it gives back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_judge import Judge, Problem, RecordError, Result, Submission, Test, Verdict
from microcoder_judge.trl_reward import JudgeReward, last_code_block

SUM = Problem("sum", (Test(b"1 2", b"3"), Test(b"5 5", b"10")))
TESTS = [{"input": "1 2", "output": "3"}, {"input": "5 5", "output": "10"}]


def block(code: str) -> str:
    return f"Here it is.\n```python\n{code}\n```\nDone."


RIGHT, HALF = block("print(sum(map(int, input().split())))"), block("print(3)")


def test_rewards_of_rows_in_the_wire_form(judge: Judge) -> None:
    reward = JudgeReward(judge)
    completions = [RIGHT, HALF, "no program", [{"role": "assistant", "content": RIGHT}]]
    columns: dict[str, Any] = {
        "tests": [TESTS, TESTS, TESTS, json.dumps(TESTS)],
        "time_limit_s": [None, 1.0, None, 2],
        "prompts": ["p"] * 4,
        "trainer_state": object(),
    }
    assert reward(completions, **columns) == [1.0, 0.0, 0.0, 1.0]
    assert reward([], tests=[]) == []


def test_a_fraction(judge: Judge) -> None:
    reward = JudgeReward(judge, reward="fraction", name="passed")
    assert reward.__name__ == "passed"
    assert reward([HALF, block("print(10)"), RIGHT, ""], tests=[TESTS] * 4) == [0.5, 0.5, 1.0, 0.0]


def test_nulls_that_a_table_adds_to_objects_are_passed_by(judge: Judge) -> None:
    stdin = [{**test, "args": None, "expected": None} for test in TESTS]
    calls = [{"args": [2], "expected": None, "input": None, "output": None}]
    columns = {
        "tests": [stdin, calls],
        "io": ["stdin", "function"],
        "entry": [None, "f"],
        "checker": [{"type": "tokens", "case_sensitive": None, "abs": None}, {"type": "value", "rel": None}],
    }
    assert JudgeReward(judge)([RIGHT, block("def f(n): return None")], **columns) == [1.0, 1.0]


def test_problems_by_id(judge: Judge) -> None:
    for problems in ({"sum": SUM}, {"sum": SUM}.__getitem__):
        assert JudgeReward(judge, problems=problems)([RIGHT, HALF], problem_id=["sum", "sum"]) == [1.0, 0.0]
    with pytest.raises(RecordError, match="row 1: no problem 'other'"):
        JudgeReward(judge, problems={"sum": SUM})([RIGHT, RIGHT], problem_id=["sum", "other"])
    with pytest.raises(RecordError, match="row 0: the dataset has no column problem_id"):
        JudgeReward(judge, problems={"sum": SUM})([RIGHT])


def test_a_row_without_a_problem_is_named(judge: Judge) -> None:
    with pytest.raises(RecordError, match="row 0: tests is missing"):
        JudgeReward(judge)([RIGHT], answer=["3"])
    with pytest.raises(RecordError, match=r"row 1: .*tests\[0\]"):
        JudgeReward(judge)([RIGHT, RIGHT], tests=[TESTS, [{"input": "1"}]])
    with pytest.raises(ValueError, match="binary or fraction"):
        JudgeReward(judge, reward="best")  # type: ignore[arg-type]


class Failing:
    """A judge that fails."""

    def evaluate_many(self, submissions: Sequence[Submission]) -> list[Result]:
        return [Result(submission.problem.id, Verdict.IE, 0, 2) for submission in submissions]


def test_the_judges_own_failure_is_masked() -> None:
    for kind in ("binary", "fraction"):
        reward = JudgeReward(Failing(), reward=kind)
        assert reward([RIGHT, "no program"], tests=[TESTS, TESTS]) == [None, 0.0]


@pytest.mark.parametrize(
    ("completion", "code"),
    [
        ("```python\na\n```\nthen\n```\nb\nc\n```", "b\nc"),
        ("```\na\n```\n```python\nnever closed", "a"),
        ("````md\n```\na\n```\n````", "```\na\n```"),
        ("~~~\na```\n~~~", "a```"),
        ("```py\r\na\r\n```\r\n", "a\r"),
        ("```\n```", ""),
        ("inline ``` is no fence ```", None),
        ("none", None),
    ],
)
def test_the_last_closed_block(completion: str, code: str | None) -> None:
    assert last_code_block(completion) == code


@given(st.text(max_size=50).filter(lambda text: "```" not in text), st.text(max_size=30))
def test_any_program_in_a_fence_comes_back(code: str, before: str) -> None:
    before = before.replace("`", "").replace("~", "")
    assert last_code_block(f"{before}\n```python\n{code}\n```\n") == code
