"""Suites whose tests are assertions in Python: what HumanEval, MBPP and CRUXEval have in common.

A program is what was extracted, then the assertions, then a mark that only a program that came so far writes. What it
prints itself does not count. As in those suites' own graders a program could look for its tests: these are benchmarks
for policies that were not trained to.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from microcoder_judge import Checker, Limits, Problem, Test
from microcoder_train.errors import TrainError
from microcoder_train.evaluation.tasks import Task

LIMITS = Limits(time_s=3.0, memory_mb=4096)
"""3 s a task, as the graders of HumanEval and CRUXEval allow; MBPP states none. No grader sets a memory limit."""

SILENT = "import io as _io, sys as _sys\n_shown, _sys.stdout = _sys.stdout, _io.StringIO()\n"

Item = dict[str, Any]


def read_items(path: Path, parse: Callable[[Mapping[str, Any]], tuple[Task, Item]]) -> list[tuple[Task, Item]]:
    """Tasks of a JSON lines file, gzip or not, each with its row. Raises TrainError naming the line."""
    number, found = 0, []
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for line in lines:
                number += 1
                if line.strip():
                    found.append(parse(json.loads(line)))
    except FileNotFoundError as error:
        raise TrainError(f"{path} does not exist; give the suite's file of JSON lines") from error
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise TrainError(f"{path}:{max(number, 1)} is not a row of this suite ({error}); get the file again") from error
    if not found:
        raise TrainError(f"{path} holds no rows; get the file again")
    return found


def version_of(path: Path) -> str:
    """The data version: sha256 of the file, 16 digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def asserting(code: str, assertions: str, problem_id: str) -> str:
    """The whole program: silent code and assertions, then the mark."""
    return f"{SILENT}{code}\n\n{assertions}\n_shown.write({_mark(problem_id)!r})\n"


def marked_problem(problem_id: str) -> Problem:
    """What such a program is judged against: no input, and the mark."""
    return Problem(problem_id, (Test(b"", _mark(problem_id).encode(), "assertions"),), LIMITS, Checker("tokens"))


def _mark(problem_id: str) -> str:
    return f"passed-{hashlib.sha256(problem_id.encode()).hexdigest()[:16]}"
