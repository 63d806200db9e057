"""`KIND:PATH`, and the adapters of JSON files on rows written here."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from collection_files import write_rows

from microcoder_assets.collection import files
from microcoder_assets.collection.records import ScrapedProblem, UnreadableRecord
from microcoder_assets.collection.sources import KINDS, open_source, parse_spec
from microcoder_assets.errors import UserError
from microcoder_judge import Checker

TWO_SUM = "class Solution:\n    def twoSum(self, nums: List[int], target: int = 0) -> List[int]:\n        return [0, 1]"
LEETCODE: dict[str, Any] = {
    "id": 1,
    "title": "Two Sum 🔒",
    "slug": "two-sum",
    "url": "https://leetcode.com/problems/two-sum",
    "premium": True,
    "difficulty": "Easy",
    "rating": 1500,
    "contest": "Weekly Contest 345 Q1",
    "tags": ["Array"],
    "statement_html": "<p>Find two numbers.</p>",
    "python_solutions": ["", TWO_SUM],
}
CODEFORCES: dict[str, Any] = {
    "pid": "P1925D",
    "title": "Good Trip",
    "tags": ["dp"],
    "rating": 1900,
    "time": "2s",
    "memory": "256m",
    "statement_md": "## Description\n\nCount.",
    "samples": [{"input": "1", "output": "2"}],
}
OI: dict[str, Any] = {
    "oj": "loj",
    "pid": "7",
    "time": 1500,
    "memory": 128,
    "title": "加法 ",
    "judge": "传统",
    "url": "https://loj.ac/problem/7",
    "description_type": "markdown",
    "description_md": "输入",
}


def records(kind: str, path: Path) -> list[ScrapedProblem | UnreadableRecord]:
    return list(open_source(parse_spec(f"{kind}:{path}")).records())


def only(kind: str, folder: Path, row: dict[str, Any]) -> ScrapedProblem:
    write_rows(folder / "problems.jsonl.gz", [row])
    (record,) = records(kind, folder)
    assert isinstance(record, ScrapedProblem), record
    return record


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("leetcode", "must be KIND:PATH"),
        ("leetcode:", "must be KIND:PATH"),
        ("spoj:/tmp", "unknown source kind 'spoj'.* one of leetcode, codeforces, kattis, rllm, oi"),
        ("kattis:no/such/folder", "source path no/such/folder does not exist"),
    ],
)
def test_a_wrong_source_says_what_to_mend(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        parse_spec(text)


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_that_holds_nothing_of_the_kind(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UserError, match=f"{kind} source {tmp_path}"):
        open_source(parse_spec(f"{kind}:{tmp_path}"))


def test_leetcode(tmp_path: Path) -> None:
    folder = tmp_path / "leetcode-doocs"
    plain = only("leetcode", folder, LEETCODE)
    assert (plain.problem_id, plain.title, plain.statement_format) == ("leetcode:1", "Two Sum", "html")
    assert (plain.io_mode, plain.entry_point, plain.checker) == ("function", "twoSum", None)
    assert plain.starter_code == (
        "class Solution:\n    def twoSum(self, nums: List[int], target: int=0) -> List[int]:\n"
    )
    assert [(r.name, r.label, r.code) for r in plain.references] == [("solution_1", "accepted", TWO_SUM)]
    assert (plain.contest, plain.published, plain.published_basis) == (
        "weekly-contest-345",
        dt.date(2023, 5, 14),
        "inferred",
    )
    assert (plain.ratings, plain.difficulty_label, plain.flags) == ((("zerotrac", 1500.0),), "easy", ("premium",))
    ratings = tmp_path / "leetcode-zerotrac" / "data.json"
    ratings.parent.mkdir()
    before = open_source(parse_spec(f"leetcode:{folder}")).fingerprint()
    ratings.write_text(
        json.dumps([{"TitleSlug": "two-sum", "Rating": 1501.5, "ContestSlug": "biweekly-contest-105"}])
    )
    assert only("leetcode", folder, LEETCODE).ratings == (("zerotrac", 1501.5),)
    undated = only("leetcode", folder, {**LEETCODE, "contest": None})
    assert undated.published == dt.date(2023, 5, 27)
    assert open_source(parse_spec(f"leetcode:{folder}")).fingerprint() != before
    ratings.write_text("{}")
    with pytest.raises(UserError, match=r"data\.json is not zerotrac's"):
        ratings.write_text("[1]")
        records("leetcode", folder)


@pytest.mark.parametrize(
    ("change", "flags"),
    [
        ({"python_solutions": [""]}, ("no_python",)),
        ({"python_solutions": ["class Solution:\n    def f("]}, ("design_class",)),
        ({"python_solutions": ["class Stack:\n    def push(self): ..."]}, ("design_class",)),
        ({"python_solutions": [TWO_SUM + "\n    def helper(self): ..."]}, ("design_class",)),
        ({"python_solutions": ["class Solution:\n  def f(self, a: Optional[TreeNode]) -> int: ..."]}, ("uses_nodes",)),
        ({"python_solutions": ["class Solution:\n  def f(self, a: 'ArrayReader') -> int: ..."]}, ("uses_api",)),
        ({"python_solutions": ["class Solution:\n  def f(self, a: List[int]) -> None: ..."]}, ("in_place",)),
        ({"python_solutions": ["class Solution:\n  def f(self, *a) -> int: ..."]}, ("unusual_signature",)),
        ({"python_solutions": [], "tags": ["Database"]}, ("no_python", "sql")),
    ],
)
def test_leetcode_problems_that_are_no_plain_function(
    tmp_path: Path, change: dict[str, Any], flags: tuple[str, ...]
) -> None:
    problem = only("leetcode", tmp_path, {**LEETCODE, "premium": False, **change})
    assert (problem.io_mode, problem.entry_point, problem.checker, problem.flags) == (None, None, None, flags)


def test_codeforces(tmp_path: Path) -> None:
    folder = tmp_path / "codeforces-statements"
    problem = only("codeforces", folder, CODEFORCES)
    assert (problem.problem_id, problem.contest) == ("codeforces:1925D", "1925")
    assert problem.url == "https://codeforces.com/problemset/problem/1925/D"
    assert [(t.name, t.sample, t.input, t.expected) for t in problem.tests] == [("sample-1", True, b"1", b"2")]
    assert (problem.time_limit_s, problem.memory_limit_mb, problem.published) == (2.0, 256, None)
    assert (problem.checker, problem.ratings) == (None, (("codeforces", 1900.0),))


def test_codeforces_samples_are_text(tmp_path: Path) -> None:
    hidden = '<a href="/cdn" class="__cf_email__" data-cfemail="2a4b6a486b">[email&nbsp;protected]</a>'
    maths = '<span class="tex-span">\\</span>y<span class="tex-span">\u2009/\u2009</span>'
    given = f"a &lt;b&gt;&nbsp;c\n<br>\nX:{maths}\n{hidden}"
    row = {"statement_md": f"Write to {hidden}.", "samples": [{"input": given, "output": "1 &lt; 2"}]}
    problem = only("codeforces", tmp_path / "codeforces-statements", CODEFORCES | row)
    assert problem.statement == "Write to a@bA."
    assert (problem.samples[0].input, problem.samples[0].output) == ("a <b> c\n\nX:\\y/\na@bA", "1 < 2")
    assert problem.tests[0].input.decode() == problem.samples[0].input


def test_codeforces_joins_the_newest_dump(tmp_path: Path) -> None:
    def dump(contest: int, rating: int | None) -> dict[str, Any]:
        known = {"contestId": 1925, "index": "D", "tags": ["math"]} | ({"rating": rating} if rating else {})
        return {"result": {"problems": [known, {"contestId": contest, "index": "A", "tags": []}]}}

    api = tmp_path / "codeforces-api"
    write_rows(api / "problemset.problems.json.gz", [dump(2000, 2100)])
    write_rows(api / "problemset.problems.2022-03.json.gz", [dump(1950, 1800)])
    problem = only("codeforces", tmp_path / "codeforces-statements", CODEFORCES)
    assert (problem.ratings, problem.tags) == ((("codeforces", 2100.0),), ("math",))
    write_rows(api / "problemset.problems.json.gz", [{"status": "FAILED"}])
    with pytest.raises(UserError, match=r"problemset\.problems\.json\.gz is not an answer"):
        records("codeforces", tmp_path / "codeforces-statements")


@pytest.mark.parametrize(
    ("change", "flags"),
    [
        ({"statement_md": "This is an interactive problem."}, ("interactive",)),
        ({"tags": ["interactive"]}, ("interactive",)),
        ({"time": "0s", "memory": "NaNm", "rating": None, "statement_md": None, "samples": []}, ()),
    ],
)
def test_codeforces_flags_and_gaps(tmp_path: Path, change: dict[str, Any], flags: tuple[str, ...]) -> None:
    problem = only("codeforces", tmp_path, {**CODEFORCES, **change})
    assert (problem.flags, problem.checker) == (flags, None)
    if "time" in change:
        assert (problem.time_limit_s, problem.memory_limit_mb, problem.ratings, problem.tests) == (None, None, (), ())


@pytest.mark.parametrize(
    ("judge", "io_mode", "checker", "flags"),
    [
        ("传统", "stdin", Checker("tokens"), ()),
        ("", "stdin", None, ()),
        ("传统或交互", "stdin", None, ()),
        ("传统 Special Judge", "stdin", None, ("multi_answer",)),
        ("交互", None, None, ("interactive",)),
        ("提交答案 + 评测插件", None, None, ("multi_answer", "output_only")),
    ],
)
def test_oi(
    tmp_path: Path, judge: str, io_mode: str | None, checker: Checker | None, flags: tuple[str, ...]
) -> None:
    problem = only("oi", tmp_path, {**OI, "judge": judge})
    assert (problem.io_mode, problem.checker, problem.flags) == (io_mode, checker, flags)
    assert (problem.problem_id, problem.title, problem.statement_language) == ("loj:7", "加法", "zh")
    assert (problem.time_limit_s, problem.memory_limit_mb) == (1.5, 128)


@pytest.mark.parametrize("memory", [0, -1, None])
def test_an_oi_problem_without_a_memory_limit(tmp_path: Path, memory: int | None) -> None:
    assert only("oi", tmp_path, {**OI, "memory": memory}).memory_limit_mb is None


def test_rows_of_another_shape_are_unreadable_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "problems.jsonl.gz", [OI, {"oj": "loj"}, [1], {**OI, "oj": "poj"}, {**OI, "pid": "8"}])
    found = records("oi", path)
    assert [getattr(r, "detail", "") for r in found] == [
        "",
        "no field 'judge'",
        "a row must be a JSON object, not list",
        "unknown judge 'poj'; one of bzoj, joyoi, cogs, loj, uoj, tsinsen",
        "",
    ]
    assert found[1] == UnreadableRecord("bzoj", "problems.jsonl.gz#2", "malformed_record", "no field 'judge'")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"contest": "weekly-contest-999999"}, "out of range"),
        ({"id": None}, "id must be a whole number or text, not NoneType"),
        ({"id": True}, "id must be a whole number or text, not bool"),
    ],
)
def test_one_bad_leetcode_row_does_not_end_the_run(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    write_rows(tmp_path / "problems.jsonl.gz", [{**LEETCODE, **change}, LEETCODE])
    bad, good = records("leetcode", tmp_path)
    assert isinstance(bad, UnreadableRecord) and words in bad.detail
    assert isinstance(good, ScrapedProblem)


def test_a_codeforces_limit_that_no_number_holds(tmp_path: Path) -> None:
    write_rows(tmp_path / "problems.jsonl.gz", [{**CODEFORCES, "memory": "9" * 400 + "m"}, CODEFORCES])
    bad, good = records("codeforces", tmp_path)
    assert isinstance(bad, UnreadableRecord) and isinstance(good, ScrapedProblem)


@pytest.mark.parametrize("content", [b"", gzip.compress(b""), gzip.compress(b"\n \n")], ids=["none", "gzip", "blank"])
@pytest.mark.parametrize("kind", ["leetcode", "codeforces", "oi", "rllm"])
def test_an_empty_file_is_the_users_mistake(tmp_path: Path, kind: str, content: bytes) -> None:
    path = tmp_path / ("rows.json.gz" if kind == "rllm" else "problems.jsonl.gz")
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"{path} holds no records"):
        records(kind, path)


def test_a_truncated_file_yields_what_can_be_read_and_says_where_it_breaks(tmp_path: Path) -> None:
    rows = [{**OI, "pid": str(n), "description_md": f"{n * 7919**3}" * 50} for n in range(2000)]
    path = write_rows(tmp_path / "problems.jsonl.gz", rows)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    *readable, last = records("oi", path)
    assert 500 < len(readable) < 1500
    assert all(isinstance(record, ScrapedProblem) for record in readable[:-1])
    assert isinstance(last, UnreadableRecord) and "the file breaks off after row" in last.detail


def test_a_file_that_is_not_gzip(tmp_path: Path) -> None:
    (tmp_path / "problems.jsonl.gz").write_bytes(b"<html>not found</html>")
    (record,) = records("oi", tmp_path)
    assert isinstance(record, UnreadableRecord) and record.source_ref == "problems.jsonl.gz#1"


def test_a_row_over_the_limit_is_skipped_and_the_next_one_is_read(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl.gz", [{"text": "x" * 5000}, {"text": "y"}])
    big, small = files.read_rows(path, "loj", max_bytes=1000)
    assert isinstance(big, UnreadableRecord) and big.source_ref == "rows.jsonl.gz#1"
    assert isinstance(small, files.Row) and small.parse() == {"text": "y"}
