"""HumanEval (arXiv 2107.03374): complete a function from its signature and docstring; JSON lines as openai/human-eval
publishes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from microcoder_judge import Problem, Test
from microcoder_train.evaluation.extraction import extract
from microcoder_train.evaluation.suites.assertions import Item, asserting, marked_problem, read_items, version_of
from microcoder_train.evaluation.tasks import Extracted, Prompt, Rules, Task

STOP = re.compile(r"\n(?:class|def|#|if|print)")
"""Where a base model's continuation ends. Source: arXiv 2107.03374, section 2.2."""

ASK = "Complete this Python function. Answer with the whole function in one code block.\n\n```python\n{}```\n"
"""How a chat model is asked. HumanEval itself has no chat form: ours."""


class HumanEval:
    name = "humaneval"
    styles: tuple[str, ...] = ("chat", "base")
    rules: tuple[Rules, ...] = ("faithful",)

    def __init__(self, path: Path) -> None:
        items = read_items(path, _task)
        self.version = version_of(path)
        self.tasks: Sequence[Task] = tuple(task for task, _ in items)
        self.items: dict[str, Item] = {task.problem_id: item for task, item in items}

    def prompt(self, task: Task, style: str) -> Prompt:
        return task.prompt if style == "base" else [{"role": "user", "content": ASK.format(task.prompt)}]

    def extract(self, task: Task, completion: str, style: str) -> Extracted:
        """The prompt stays in front: it holds imports and helpers, and a whole function after it takes its place."""
        if style == "base":
            end = STOP.search(completion)
            return Extracted(task.prompt + completion[: end.start() if end else None], "all")
        found = extract(completion, style)
        return found if found.code is None else Extracted(f"{task.prompt}\n{found.code}", found.found)

    def program(self, task: Task, code: str) -> str:
        item = self.items[task.problem_id]
        return asserting(code, f"{item['test']}\ncheck({item['entry_point']})", task.problem_id)

    def problem(self, problem_id: str, rules: Rules, first: Sequence[Test] = ()) -> Problem | None:
        return marked_problem(problem_id)


def _task(row: Mapping[str, Any]) -> tuple[Task, Item]:
    number = str(row["task_id"])
    item = {name: row[name] for name in ("test", "entry_point", "canonical_solution")}
    task = Task(f"humaneval:{number.rpartition('/')[2]}", number, row["entry_point"], row["prompt"], row["prompt"])
    return task, item
