"""HumanEval, MBPP and CRUXEval as benchmark rows."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from microcoder_assets.collection.benchmark_files import benchmark_items, fingerprint
from microcoder_assets.errors import UserError
from microcoder_assets.schema import BENCHMARK

HUMANEVAL = {
    "task_id": "HumanEval/7",
    "prompt": 'def double(n: int) -> int:\n    """Twice n."""\n',
    "entry_point": "double",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert abs(candidate(3) - 6) < 1e-6\n",
}
MBPP = {
    "task_id": 11,
    "text": "Write a function to double a number.",
    "test_list": ["assert set(double([1])) == {2}", "assert double([3], k=2) == [6]", "assert double([3]) == [6]"],
}
CRUXEVAL = {"id": "sample_3", "code": "def f(n):\n    return 2 * n", "input": "2", "output": "4"}


def write(folder: Path, name: str, *rows: dict[str, object]) -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_each_form_becomes_a_benchmark_row(tmp_path: Path) -> None:
    files = [
        write(tmp_path, "HumanEval.jsonl", HUMANEVAL),
        write(tmp_path, "mbpp.jsonl", MBPP),
        write(tmp_path, "cruxeval.jsonl", CRUXEVAL),
    ]
    rows = benchmark_items(files)
    assert rows.schema == pl.Schema(BENCHMARK)
    assert rows["problem_id"].to_list() == ["cruxeval:sample_3", "humaneval:7", "mbpp:11"]
    assert rows["entry_point"].to_list() == [None, "double", "double"]
    assert rows["content_sha"].n_unique() == 3
    crux, human, mbpp = rows.iter_rows(named=True)
    assert crux["samples"] == [{"input": "2", "output": "4", "explanation": None}] and not crux["tests"]
    assert human["statement"] == HUMANEVAL["prompt"]
    assert human["tests"] == [{"name": "assert", "sample": True, "input": b"[2]", "expected": b"4"}]
    assert [(test["input"], test["expected"]) for test in mbpp["tests"]] == [(b"[[3]]", b"[6]")]


def test_no_files_are_no_rows() -> None:
    assert benchmark_items([]).is_empty()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds no rows"),
        ('{"question": "Why?"}\n', r"odd.jsonl#1: .*needs prompt and entry_point \(HumanEval\)"),
        ('{"task_id": 1, "text": "x", "test_list": ["assert ("]}\n', "odd.jsonl#1"),
        ("{\n", "odd.jsonl"),
    ],
)
def test_a_benchmark_that_cannot_be_read_whole_is_refused(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text(content)
    with pytest.raises(UserError, match=words):
        benchmark_items([path])
    with pytest.raises(UserError, match=r"none\.jsonl"):
        benchmark_items([tmp_path / "none.jsonl"])


def test_the_fingerprint_moves_with_the_bytes(tmp_path: Path) -> None:
    path = write(tmp_path, "mbpp.jsonl", MBPP)
    before = fingerprint([path])
    assert before == fingerprint([path]) != fingerprint([])
    write(tmp_path, "mbpp.jsonl", MBPP, {**MBPP, "task_id": 12})
    assert fingerprint([path]) != before


@pytest.mark.data
def test_the_published_files_are_read_whole(data_dir: Path) -> None:
    names = ("humaneval/HumanEval.jsonl.gz", "mbpp/mbpp.jsonl.gz", "cruxeval/cruxeval.jsonl")
    rows = benchmark_items([data_dir / name for name in names])
    assert dict(rows["platform"].value_counts().iter_rows()) == {"humaneval": 164, "mbpp": 974, "cruxeval": 800}
    assert rows["problem_id"].n_unique() == rows.height
    tested = rows.filter(pl.col("tests").list.len() > 0)
    assert tested.filter(platform="humaneval").height > 150 and tested.filter(platform="mbpp").height > 850
