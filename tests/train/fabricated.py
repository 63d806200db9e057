"""Problems and folders that the tests of this room make up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

TINY = {
    "steps": 2,
    "prompts_per_rollout": 2,
    "generations": 4,
    "device_batch": 8,
    "max_completion_tokens": 8,
    "evaluation": {"samples": 2, "max_completion_tokens": 8, "bootstrap": 50, "judge_workers": 1},
    "benchmark": {"samples": 2, "max_completion_tokens": 8, "bootstrap": 50, "judge_workers": 1},
    "judge_workers": 1,
    "base": {"steps": 3, "hidden_size": 32, "intermediate_size": 32, "layers": 1, "heads": 2, "vocab_size": 300},
}
"""Overrides of the preset `tiny` with which everything runs and nothing is learnt."""


def fenced(code: str) -> str:
    return f"```python\n{code}\n```"


def program(operator: str) -> str:
    return f"a, b = map(int, input().split())\nprint(a {operator} b)"


def stdin_row(name: str, word: str, right: str, wrong: str, difficulty: str = "easy") -> dict[str, Any]:
    pairs = [(3, 2), (10, 4), (7, 7)]
    return {
        "problem_id": f"test:{name}",
        "prompt": f"Print the {word} of both numbers.\n\nTwo numbers on a line.\n",
        "io_mode": "stdin",
        "entry_point": None,
        "tests": [
            {
                "name": str(number),
                "sample": number == 0,
                "input": f"{a} {b}\n".encode(),
                "expected": f"{eval(f'{a} {right} {b}')}\n".encode(),
            }
            for number, (a, b) in enumerate(pairs)
        ],
        "checker": '{"name": "tokens"}',
        "time_limit_s": 5.0,
        "memory_limit_mb": None,
        "references": [
            {"name": "a.py", "language": "python", "label": "accepted", "code": program(right)},
            {"name": "b.py", "language": "python", "label": "wrong_answer", "code": program(wrong)},
        ],
        "difficulty": difficulty,
    }


def function_row(name: str, difficulty: str = "medium") -> dict[str, Any]:
    code = "class Solution:\n    def twice(self, x):\n        return {} * x"
    starter = "class Solution:\n    def twice(self, x):\n        pass"
    return {
        **stdin_row(name, "double", "+", "-", difficulty),
        "prompt": f"Return twice x.\n\nComplete this function.\n\n{fenced(starter)}\n",
        "io_mode": "function",
        "entry_point": "twice",
        "tests": [{"name": "0", "sample": True, "input": b"[4]", "expected": b"8"}],
        "checker": '{"name": "value"}',
        "references": [
            {"name": "a.py", "language": "python", "label": "accepted", "code": code.format(2)},
            {"name": "b.py", "language": "python", "label": "wrong_answer", "code": code.format(3)},
        ],
    }


def write_folder(folder: Path, parts: Mapping[str, list[dict[str, Any]]], version: str = "v1") -> Path:
    (folder / "data").mkdir(parents=True)
    for part, rows in parts.items():
        pq.write_table(pa.Table.from_pylist(rows), folder / "data" / f"{part}-00000-of-00001.parquet")
    (folder / "manifest.json").write_text(json.dumps({"data_version": version}), encoding="utf-8")
    return folder
