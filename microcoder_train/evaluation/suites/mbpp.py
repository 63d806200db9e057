"""MBPP (arXiv 2108.07732): a sentence and three assertions; the JSON lines of google-research's mbpp.jsonl.

Tasks 11 to 510 are the test part, 2 to 4 the examples of the prompt (section 2.1 and appendix A.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from microcoder_judge import Problem, Test
from microcoder_train.evaluation.extraction import extract
from microcoder_train.evaluation.suites.assertions import Item, asserting, marked_problem, read_items, version_of
from microcoder_train.evaluation.tasks import Extracted, Prompt, Rules, Task

TEST_PART = range(11, 511)
EXAMPLES = (2, 3, 4)
ASK = "You are an expert Python programmer, and here is your task: {} Your code should pass these tests:\n\n{}\n"
BEGIN, DONE = "[BEGIN]\n", "\n[DONE]\n"


class Mbpp:
    """tasks: the test part. items: every row of the file, references among them."""

    name = "mbpp"
    styles: tuple[str, ...] = ("chat", "base")
    rules: tuple[Rules, ...] = ("faithful",)

    def __init__(self, path: Path) -> None:
        items = read_items(path, _task)
        self.version = version_of(path)
        self.every = tuple(task for task, _ in items)
        self.tasks: Sequence[Task] = tuple(task for task in self.every if int(task.question_id) in TEST_PART)
        self.items: dict[str, Item] = {task.problem_id: item for task, item in items}

    def prompt(self, task: Task, style: str) -> Prompt:
        """Base models see three solved tasks first. The chat form is ours: the same request, answered in a block."""
        if style != "base":
            return [{"role": "user", "content": f"{task.prompt}\nAnswer with one Python code block."}]
        shots = (self.items[f"mbpp:{number}"] for number in EXAMPLES if f"mbpp:{number}" in self.items)
        solved = "".join(f"{item['asked']}{BEGIN}{item['code']}{DONE}" for item in shots)
        return f"{solved}{task.prompt}{BEGIN}"

    def extract(self, task: Task, completion: str, style: str) -> Extracted:
        if style == "base":
            return Extracted(completion.partition(DONE.strip())[0], "all")
        return extract(completion, style)

    def program(self, task: Task, code: str) -> str:
        item = self.items[task.problem_id]
        return asserting(f"{code}\n{item['setup']}", "\n".join(item["tests"]), task.problem_id)

    def problem(self, problem_id: str, rules: Rules, first: Sequence[Test] = ()) -> Problem | None:
        return marked_problem(problem_id)


def _task(row: Mapping[str, Any]) -> tuple[Task, Item]:
    number = str(row["task_id"])
    asked = ASK.format(row["text"], "\n".join(row["test_list"]))
    item = {"tests": row["test_list"], "setup": row["test_setup_code"], "code": row["code"], "asked": asked}
    return Task(f"mbpp:{number}", number, "", row["text"], asked), item
