"""The rows of rLLM's files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from microcoder_assets.collection.records import ScrapedProblem, UnreadableRecord
from microcoder_assets.collection.rllm import open_rllm, read_asserts
from microcoder_assets.collection.signature import Signature

STARTER = "class Solution:\n    def add(self, a: int, b: int = 2) -> int:\n"
FUNCTION = {
    "problem": "Please solve the programming task below using a self-contained code snippet in a markdown code block."
    f"\n\nAdd.\n\nPlease complete the following python code precisely:\n```python\n{STARTER}```\n",
    "solutions": STARTER + "        return a + b",
    "tests": {"functional": "def check(c):\n    assert candidate(a = 1, b = 2) == 3\n\ncheck(Solution().add)"},
}
STDIN = {
    "problem": "Double it.\n\nTags:\n['math']\n\nTime Limit: 1500 ms\nMemory Limit: 256 MB\n",
    "tests": [{"input": "1", "output": "2"}],
}
CONTESTS = {
    "problem": "Double it.\n\nTime Limit: {'seconds': 2, 'nanos': 500000000}\nMemory Limit: 512000000 Bytes\n",
    "tests": {"inputs": ["1\n"], "outputs": ["2\n"]},
}


def read(folder: Path, *rows: Any) -> list[ScrapedProblem | UnreadableRecord]:
    (folder / "leetcode_test.json.gz").write_bytes(gzip.compress(json.dumps(rows).encode()))
    return list(open_rllm(folder).records())


def test_a_function_row(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, FUNCTION)
    assert isinstance(problem, ScrapedProblem)
    assert (problem.problem_id, problem.statement) == ("rllm:leetcode_test-1", "Add.")
    assert (problem.io_mode, problem.entry_point, problem.checker) == ("function", "add", None)
    assert [(t.input, t.expected) for t in problem.tests] == [(b"[1, 2]", b"3")]
    assert problem.references[0].code.endswith("return a + b")


@pytest.mark.parametrize(
    ("row", "time_s", "memory_mb", "tags", "given"),
    [(STDIN, 1.5, 256, ("math",), b"1"), (CONTESTS, 2.5, 512, (), b"1\n")],
)
def test_stdin_rows(
    tmp_path: Path, row: dict[str, Any], time_s: float, memory_mb: int, tags: tuple[str, ...], given: bytes
) -> None:
    (problem,) = read(tmp_path, row)
    assert isinstance(problem, ScrapedProblem)
    assert (problem.statement, problem.time_limit_s, problem.memory_limit_mb) == ("Double it.", time_s, memory_mb)
    assert (problem.tags, problem.tests[0].input, problem.checker) == (tags, given, None)


@pytest.mark.parametrize(
    ("code", "tests"),
    [
        ("assert candidate(b = 5, a = [1]) == {'x': None}", [(b"[[1], 5]", b'{"x": null}')]),
        ("assert candidate(1) == 3", [(b"[1]", b"3")]),
        ("assert candidate(1, b = -2) == -1.5", [(b"[1, -2]", b"-1.5")]),
        ("assert candidate(b = 5) == 3", []),
        ("assert candidate(a = 1, c = 5) == 3", []),
        ("assert candidate(a = tree_node([1])) == 3", []),
        ("assert is_same_list(candidate(a = 1), 2)", []),
        ("assert candidate(a = 1) != 3", []),
        ("assert candidate(a = 1) == {1, 2}", []),
        ("assert candidate(a = __import__('os').system('touch /tmp/never')) == 3", []),
    ],
)
def test_asserts_are_read_not_run(code: str, tests: list[tuple[bytes, bytes]]) -> None:
    signature = Signature.of_starter(STARTER)
    assert signature is not None
    assert [(t.input, t.expected) for t in read_asserts(code, signature)] == tests


def test_a_row_whose_check_names_no_method_of_the_starter_code(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, {**FUNCTION, "tests": {"functional": "check(Solution().other)"}})
    assert isinstance(problem, ScrapedProblem)
    assert (problem.io_mode, problem.flags) == (None, ("unusual_signature",))


def test_bad_rows_and_files_are_unreadable_records(tmp_path: Path) -> None:
    broken = {**FUNCTION, "tests": {"functional": "assert (\ncheck(Solution().add)"}}
    tags = [{**STDIN, "problem": f"Double it.\nTags: [{words}]\n"} for words in ("two words", "-" * 50_000 + "1")]
    found = read(tmp_path, {"problem": "x"}, broken, 7, *tags, STDIN)
    assert [type(record).__name__ for record in found] == ["UnreadableRecord"] * 5 + ["ScrapedProblem"]
    (tmp_path / "codeforces_test.json.gz").write_bytes(b"\x1f\x8b damaged")
    first = next(open_rllm(tmp_path).records())
    assert isinstance(first, UnreadableRecord) and first.source_ref == "codeforces_test.json.gz"
