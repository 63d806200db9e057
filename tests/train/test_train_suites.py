"""Suites: prompts, the program in an answer, and what it is judged against."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from fabricated import function_row, stdin_row, write_folder

from microcoder_judge import Judge, Submission, Test
from microcoder_train.errors import TrainError
from microcoder_train.evaluation.prompts import STYLES, build_prompt, style_of
from microcoder_train.evaluation.suites import SUITES, open_suite
from microcoder_train.evaluation.suites.cruxeval import CruxEval
from microcoder_train.evaluation.suites.humaneval import HumanEval
from microcoder_train.evaluation.suites.livecodebench import WINDOWS, LiveCodeBench, Window
from microcoder_train.evaluation.suites.mbpp import Mbpp
from microcoder_train.evaluation.tasks import Suite, Task

STDIN = Task("p:1", "1", "One", "Add two numbers.", "Ours: add two numbers.")
FUNCTION = Task("p:2", "2", "Two", "Add two numbers.", "Ours.", "class Solution:\n    def add(self, a, b):")

HUMANEVAL = {
    "task_id": "HumanEval/0",
    "entry_point": "add",
    "prompt": 'LIMIT = 3\n\n\ndef add(a, b):\n    """Add."""\n',
    "canonical_solution": "    return a + b + LIMIT - 3\n",
    "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
}
MBPP = {
    "task_id": 11,
    "text": "Write a function to double a number.",
    "code": "def double(x):\n    return 2 * x",
    "test_setup_code": "TWO = 2",
    "test_list": ["assert double(1) == TWO", "assert double(4) == 8"],
}
CRUXEVAL = {"id": "sample_0", "code": "def f(x):\n    return x + [1]", "input": "[0]", "output": "[0, 1]"}


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def verdict(suite: Suite, completion: str, style: str) -> str:
    (task,) = suite.tasks
    found = suite.extract(task, completion, style)
    problem = suite.problem(task.problem_id, suite.rules[0])
    assert found.code is not None and problem is not None
    with Judge(workers=1) as judge:
        return str(judge.evaluate(Submission(suite.program(task, found.code), problem)).verdict)


def test_a_chat_model_is_asked_with_a_system_prompt_and_the_starter_code() -> None:
    system, user = build_prompt(FUNCTION, "OpenAIChat")
    assert isinstance(system, dict) and isinstance(user, dict)
    assert system["role"] == "system" and system["content"].startswith("You are an expert Python programmer.")
    assert user["content"] == (
        "### Question:\nAdd two numbers.\n\n### Format: You will use the following starter code to write the solution "
        "to the problem and enclose your code within delimiters.\n```python\n"
        "class Solution:\n    def add(self, a, b):\n"
        "```\n\n### Answer: (use the provided format with backticks)\n\n"
    )


def test_thinking_models_get_their_tags_and_reasoning_models_no_system_prompt() -> None:
    thinking = build_prompt(STDIN, "DeepSeekR1")
    assert isinstance(thinking, str)
    assert "<think> reasoning process here </think>" in thinking and thinking.endswith("```\n\n<｜Assistant｜>")
    (only,) = build_prompt(STDIN, "OpenAIReason")
    assert isinstance(only, dict) and "Implement a function called `main()`" in only["content"]


def test_base_models_see_the_first_example_of_the_same_form(tmp_path: Path) -> None:
    example = {"question": "Q", "sample_code": "class S:", "answer": "A"}
    (tmp_path / "func.json").write_text(json.dumps([example, {**example, "question": "second"}]))
    expected = (
        "### Question\nQ\n\n### Starter Code\nclass S:\n\n### Answer\n\nA\n\n"
        f"### Question\nAdd two numbers.\n\n### Starter Code\n{FUNCTION.starter_code}\n\n### Answer\n\n"
    )
    assert build_prompt(FUNCTION, "GenericBase", tmp_path) == expected
    with pytest.raises(TrainError, match=r"stdin\.json"):
        build_prompt(STDIN, "GenericBase", tmp_path)
    with pytest.raises(TrainError, match="--examples"):
        build_prompt(STDIN, "GenericBase")


def test_every_style_asks_every_form_and_an_unknown_one_is_named() -> None:
    for style in set(STYLES) - {"GenericBase", "plain"}:
        for task in (STDIN, FUNCTION):
            assert task.statement in json.dumps(build_prompt(task, style))
    assert build_prompt(STDIN, "plain") == [{"role": "user", "content": STDIN.prompt}]
    with pytest.raises(TrainError, match="unknown prompt style"):
        build_prompt(STDIN, "Parrot")


@pytest.mark.parametrize(
    ("model", "chat", "style"),
    [
        ("Qwen/Qwen2.5-Coder-7B-Instruct", True, "CodeQwenInstruct"),
        ("Qwen/QwQ-32B", True, "QwQ"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", True, "DeepSeekR1"),
        ("gpt-4o-2024-08-06", True, "OpenAIChat"),
        ("o3-mini-2025-01-31__high", True, "OpenAIReason"),
        ("gemini-2.5-pro", True, "GeminiThinking"),
        ("bigcode/starcoder2-7b", False, "GenericBase"),
    ],
)
def test_the_style_follows_the_models_family(model: str, chat: bool, style: str) -> None:
    assert style_of(model, chat) == style


def test_windows_choose_by_date_platform_difficulty_and_release(tmp_path: Path) -> None:
    dated = {"platform": "a", "published": dt.date(2024, 5, 4), "release": "v6"}
    rows = [
        {**stdin_row("one", "sum", "+", "-"), **dated},
        {**stdin_row("two", "sum", "+", "-", "hard"), **dated, "platform": "b", "release": "v1"},
        {**stdin_row("three", "sum", "+", "-"), **dated, "published": None, "release": "v1"},
    ]
    folder = write_folder(tmp_path / "bench", {"test": rows})

    def chosen(window: Window) -> list[str]:
        return [task.problem_id.partition(":")[2] for task in LiveCodeBench(folder, window).tasks]

    assert chosen(Window()) == ["one", "two", "three"]
    assert chosen(WINDOWS["paper"]) == ["one"]
    assert chosen(Window(first=dt.date(2024, 5, 4), last=dt.date(2024, 5, 4))) == ["one", "two"]
    assert chosen(Window(platforms=("b",))) == chosen(Window(difficulties=("hard",))) == ["two"]
    with pytest.raises(TrainError, match="none of the 3 problems"):
        chosen(Window(last=dt.date(2024, 5, 3)))


def test_livecodebenchs_imports_come_under_its_rules_only(tmp_path: Path) -> None:
    suite = LiveCodeBench(write_folder(tmp_path / "bench", {"test": [function_row("double")]}))
    official, faithful = (suite.problem("test:double", rules) for rules in suite.rules)
    assert official is not None and faithful is not None
    assert (official.preamble, faithful.preamble) == (True, False)
    assert official.tests == faithful.tests


def test_a_problem_without_tests_is_judged_by_a_further_test_alone(tmp_path: Path) -> None:
    suite = LiveCodeBench(write_folder(tmp_path / "b", {"test": [{**stdin_row("x", "sum", "+", "-"), "tests": []},
                                                                 stdin_row("y", "sum", "+", "-")]}))  # fmt: skip
    assert suite.problem("test:x", "faithful") is None
    found = suite.problem("test:x", "faithful", (Test(b"1", b"1"),))
    assert found is not None and len(found.tests) == 1
    other = suite.problem("test:y", "faithful", (Test(b"1", b"1"),))
    assert other is not None and len(other.tests) == 4


def test_humaneval_keeps_the_prompts_imports_and_ends_where_the_function_ends(tmp_path: Path) -> None:
    suite = HumanEval(lines(tmp_path / "h.jsonl", HUMANEVAL))
    assert verdict(suite, "    return a + b + LIMIT - 3\n\nprint('more')\n", "base") == "AC"
    assert verdict(suite, "```python\ndef add(a, b):\n    print(5)\n    return a + b + LIMIT - 3\n```", "chat") == "AC"
    assert verdict(suite, "```python\ndef add(a, b):\n    return a - b\n```", "chat") == "RE"
    assert verdict(suite, "```python\nraise SystemExit\n```", "chat") == "WA", "the assertions were never reached"


def test_mbpp_shows_its_examples_and_judges_with_setup_code(tmp_path: Path) -> None:
    path = lines(tmp_path / "m.jsonl", {**MBPP, "task_id": 2, "code": "SHOWN"}, MBPP, {**MBPP, "task_id": 900})
    suite = Mbpp(path)
    assert [task.problem_id for task in suite.tasks] == ["mbpp:11"] and len(suite.every) == 3
    prompt = suite.prompt(suite.tasks[0], "base")
    assert isinstance(prompt, str) and "[BEGIN]\nSHOWN\n[DONE]\n" in prompt and prompt.endswith("== 8\n[BEGIN]\n")
    assert verdict(suite, f"{MBPP['code']}\n[DONE]\nrubbish", "base") == "AC"
    assert verdict(suite, "```\ndef double(x):\n    return x + 1\n```", "chat") == "RE"


def test_cruxeval_takes_the_right_side_and_no_call_for_an_output(tmp_path: Path) -> None:
    path = lines(tmp_path / "c.jsonl", CRUXEVAL)
    output = CruxEval(path)
    assert verdict(output, "assert f([0]) == [0, 1]\n[/ANSWER]", "base") == "AC"
    assert verdict(output, "[ANSWER]\nassert f([0]) == [1]\n[/ANSWER]", "chat") == "RE"
    assert output.extract(output.tasks[0], "assert f([0]) == f([0])", "base").code is None
    given = CruxEval(path, "input")
    assert verdict(given, "assert f([0]) == [0, 1]\n[/ANSWER]", "base") == "AC"
    assert given.extract(given.tasks[0], "[0]", "base").code is None
    prompt = given.prompt(given.tasks[0], "base")
    assert isinstance(prompt, str) and prompt.endswith("assert f(??) == [0, 1]\n[/PYTHON]\n[ANSWER]\n")


@pytest.mark.parametrize("suite", [name for name in SUITES if name != "livecodebench"])
@pytest.mark.parametrize(("text", "words"), [("", "holds no rows"), ('{"a": 1}\n', ":1 is not a"), ("{", ":1 is not")])
def test_a_damaged_file_is_the_users_mistake(tmp_path: Path, suite: str, text: str, words: str) -> None:
    (tmp_path / "rows.jsonl").write_text(text)
    with pytest.raises(TrainError, match=words):
        open_suite(suite, tmp_path / "rows.jsonl")
