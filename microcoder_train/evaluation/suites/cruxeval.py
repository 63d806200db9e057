"""CRUXEval (arXiv 2401.03065): what a short function returns, or which input gives an output; cruxeval.jsonl.

Prompts, extraction and grading as facebookresearch/cruxeval at 190faf1 has them, in the direct form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from microcoder_judge import Problem, Test
from microcoder_train.evaluation.suites.assertions import Item, asserting, marked_problem, read_items, version_of
from microcoder_train.evaluation.tasks import Extracted, Prompt, Rules, Task

OUTPUT = (
    "You are given a Python function and an assertion containing an input to the function. Complete the assertion with "
    "a literal (no unsimplified expressions, no function calls) containing the output when executing the provided code "
    "on the given input, even if the function is incorrect or incomplete. Do NOT output any extra information. Provide "
    "the full assertion with the correct output in [ANSWER] and [/ANSWER] tags, following the examples."
)
INPUT = (
    "You will be given a function f and an output in the form f(??) == output. Find any input such that executing f on "
    "the input leads to the given output. There may be multiple answers, but you should only output one. In [ANSWER] "
    "and [/ANSWER] tags, complete the assertion with one such input that will produce the output when executing the "
    "function."
)
COUNT_EVEN = """\
def f(my_list):
    count = 0
    for i in my_list:
        if len(i) % 2 == 0:
            count += 1
    return count"""
SHOTS = {
    "output": (
        ("def f(n):\n    return n", "f(17)", "17"),
        ('def f(s):\n    return s + "a"', 'f("x9j")', '"x9ja"'),
    ),
    "input": (
        (COUNT_EVEN, 'f(["mq", "px", "zy"])', "3"),
        ("def f(s1, s2):\n    return s1 + s2", 'f("ba", "nana")', '"banana"'),
    ),
}


class CruxEval:
    """asked: `output` (CRUXEval-O) or `input` (CRUXEval-I)."""

    styles: tuple[str, ...] = ("chat", "base")
    rules: tuple[Rules, ...] = ("faithful",)

    def __init__(self, path: Path, asked: str = "output") -> None:
        items = read_items(path, _task)
        self.name = f"cruxeval-{asked}"
        self.version = version_of(path)
        self._asked = asked
        self.tasks: Sequence[Task] = tuple(task for task, _ in items)
        self.items: dict[str, Item] = {task.problem_id: item for task, item in items}

    def prompt(self, task: Task, style: str) -> Prompt:
        item, output = self.items[task.problem_id], self._asked == "output"
        shots = "".join(
            f"{_question(code, call if output else 'f(??)', '??' if output else value)}[ANSWER]\n"
            f"assert {call} == {value}\n[/ANSWER]\n\n"
            for code, call, value in SHOTS[self._asked]
        )
        call, value = (f"f({item['input']})", "??") if output else ("f(??)", item["output"])
        text = f"{OUTPUT if output else INPUT}\n\n{shots}{_question(item['code'], call, value)}[ANSWER]\n"
        return text if style == "base" else [{"role": "user", "content": text}]

    def extract(self, task: Task, completion: str, style: str) -> Extracted:
        """The right side of the assertion, or for an input the call on its left. As in the suite's own grader an
        output that calls the function is none, and an input that does not call it."""
        text = completion.partition("[ANSWER]")[2] or completion
        text = text.partition("[/ANSWER]")[0].strip()
        item = self.items[task.problem_id]
        if self._asked == "output":
            answer = text.split("==")[1].strip() if "==" in text else text
            usable = bool(answer) and f"f({item['input']})" not in answer
        else:
            answer = text.split("==")[0].strip().removeprefix("assert").strip()
            usable = "f(" in answer
        return Extracted(answer, "block") if usable else Extracted(None, "no_block" if text else "empty")

    def program(self, task: Task, code: str) -> str:
        item = self.items[task.problem_id]
        return asserting(item["code"], f"assert {item['output']} == {code}", task.problem_id)

    def problem(self, problem_id: str, rules: Rules, first: Sequence[Test] = ()) -> Problem | None:
        return marked_problem(problem_id)


def _question(code: str, call: str, value: str) -> str:
    return f"[PYTHON]\n{code}\nassert {call} == {value}\n[/PYTHON]\n"


def _task(row: Mapping[str, Any]) -> tuple[Task, Item]:
    item = {name: row[name] for name in ("code", "input", "output")}
    return Task(f"cruxeval:{row['id']}", row["id"], "", row["code"], row["code"]), item
