"""Hugging Face sets, read by the real `datasets` from folders in each set's layout."""

from __future__ import annotations

import datetime as dt
import json
import sys
import threading
from collections.abc import Callable, Mapping
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from hypothesis import given
from hypothesis import strategies as st
from set_rows import (
    ADD,
    ADD_CPP,
    ADD_PYTHON2,
    APPS,
    CODE_CONTESTS,
    CODE_CONTESTS_FEATURES,
    CODE_CONTESTS_PLUS,
    DEEPCODER,
    OPEN_R1,
    SUBTRACT,
    TACO,
    write_arrow,
    write_lines,
    write_parquet,
)

from microcoder_assets.collection.records import NATIVE_ID, ScrapedProblem, UnreadableRecord
from microcoder_assets.collection.sets import rows as set_rows
from microcoder_assets.collection.sets.fields import identifier, text_id, unwrapped
from microcoder_assets.collection.sources import SETS, open_source, parse_spec
from microcoder_assets.config import CollectionSettings
from microcoder_assets.errors import UserError
from microcoder_judge import Checker, Judge, Problem, Submission, Test, Verdict


def records(kind: str, path: Path, **settings: Any) -> list[ScrapedProblem | UnreadableRecord]:
    return list(open_source(parse_spec(f"{kind}:{path}"), CollectionSettings(**settings)).records())


def only(kind: str, path: Path, **settings: Any) -> ScrapedProblem:
    (record,) = records(kind, path, **settings)
    assert isinstance(record, ScrapedProblem), record
    return record


def read_code_contests(folder: Path, **changes: Any) -> ScrapedProblem:
    row = {**CODE_CONTESTS, **changes}
    write_parquet(folder / "data" / "train-00000-of-00001.parquet", [row], CODE_CONTESTS_FEATURES)
    return only("codecontests", folder)


def read_line(kind: str, folder: Path, row: dict[str, Any]) -> ScrapedProblem:
    return only(kind, write_lines(folder / "rows.jsonl", [row]))


def test_code_contests(tmp_path: Path) -> None:
    problem = read_code_contests(tmp_path)
    assert (problem.problem_id, problem.title, problem.contest) == ("codeforces:1234A", "Two Numbers", "1234")
    assert problem.url == "https://codeforces.com/problemset/problem/1234/A"
    assert [(t.name, t.sample, t.input, t.expected) for t in problem.tests] == [
        ("public-1", True, b"1 2\n", b"3\n"),
        ("private-1", False, b"5 6\n", b"11\n"),
        ("private-2", False, b"7 8\n", b"15\n"),
        ("generated-1", False, b"9 9\n", b"18\n"),
    ]
    assert [(r.name, r.language, r.label, r.code) for r in problem.references] == [
        ("accepted/python-1", "python", "accepted", ADD),
        ("accepted/python2-1", "python2", "accepted", ADD_PYTHON2),
        ("accepted/cpp-1", "cpp", "accepted", ADD_CPP),
        ("accepted/java-1", "java", "accepted", "class A {}"),
        ("accepted/python-2", "python", "accepted", "# 3"),
        ("rejected/python-1", "python", "rejected", SUBTRACT),
    ]
    assert (problem.time_limit_s, problem.memory_limit_mb, problem.checker) == (1.5, 256, None)
    assert (problem.tags, problem.ratings) == (("math",), (("codeforces", 1100.0),))
    assert (problem.published, problem.difficulty_label, problem.flags) == (None, None, ())


@pytest.mark.parametrize(
    ("source", "name", "problem_id", "title", "contest"),
    [
        (2, "1234_A1. Two. Numbers", "codeforces:1234A1", "Two. Numbers", "1234"),
        (5, "p03103 AtCoder Beginner Contest 121 - Energy - Drink", "atcoder:p03103", "Drink", "abc121"),
        (6, "p00001 List of Top 3 Hills", "aizu:p00001", "List of Top 3 Hills", None),
        (1, "prpaln", "codechef:PRPALN", "prpaln", None),
        (3, "adding-two-numbers", "hackerearth:adding-two-numbers", "adding-two-numbers", None),
        (4, "A. Two Numbers", "codecontests:A.-Two-Numbers", "A. Two Numbers", None),
    ],
)
def test_names_of_code_contests(
    tmp_path: Path, source: int, name: str, problem_id: str, title: str, contest: str | None
) -> None:
    problem = read_code_contests(tmp_path, source=source, name=name, cf_contest_id=0, cf_index="", difficulty=2)
    assert (problem.problem_id, problem.title, problem.contest) == (problem_id, title, contest)
    assert problem.difficulty_label == "medium"


@pytest.mark.parametrize(
    ("change", "io_mode", "flags"),
    [
        ({"description": "Print any valid answer.\n"}, "stdin", ()),
        ({"description": "This is an interactive problem."}, "stdin", ("interactive",)),
        ({"description": "Let <image> be a number."}, "stdin", ("needs_image",)),
        ({"input_file": "input.txt"}, None, ("file_io",)),
        ({"time_limit": None, "memory_limit_bytes": 0, "cf_rating": 0, "cf_tags": None}, "stdin", ()),
    ],
)
def test_what_code_contests_is_flagged_for(
    tmp_path: Path, change: dict[str, Any], io_mode: str | None, flags: tuple[str, ...]
) -> None:
    problem = read_code_contests(tmp_path, **change)
    assert (problem.io_mode, problem.flags) == (io_mode, flags)
    if "time_limit" in change:
        assert (problem.time_limit_s, problem.memory_limit_mb, problem.ratings, problem.tags) == (None, None, (), ())


def test_references_are_capped_for_each_label_and_language(tmp_path: Path) -> None:
    many = {"language": [3] * 50 + [2] * 50, "solution": [f"{n}" for n in range(100)]}
    path = tmp_path / "data" / "train-00000-of-00001.parquet"
    write_parquet(path, [{**CODE_CONTESTS, "solutions": many, "incorrect_solutions": many}], CODE_CONTESTS_FEATURES)
    found = only("codecontests", tmp_path, max_references=3).references
    assert [r.name for r in found if r.language == "python"] == [
        f"{label}/python-{n}" for label in ("accepted", "rejected") for n in (1, 2, 3)
    ]
    assert [r.code for r in found if r.language == "cpp"] == ["50", "51", "52"] * 2


def test_code_contests_plus(tmp_path: Path) -> None:
    write_parquet(tmp_path / "ccplus_1x" / "part-00000.parquet", [CODE_CONTESTS_PLUS])
    problem = only("codecontests-plus", tmp_path)
    assert (problem.problem_id, problem.title, problem.contest) == ("codeforces:1234A", "Two Numbers", "1234")
    program = CODE_CONTESTS_PLUS["checker"]
    assert problem.checker == Checker("custom", program=program, language="cpp", protocol="testlib")
    assert (problem.flags, problem.time_limit_s, problem.memory_limit_mb) == ((), 2.0, 256)
    assert [(r.name, r.code) for r in problem.references] == [
        ("accepted/python-1", ADD),
        ("accepted/cpp-1", ADD_CPP),
        ("rejected/python-1", SUBTRACT),
    ]
    assert [(t.input, t.expected) for t in problem.tests] == [(b"1 2\n", b"3\n"), (b"20 30\n", b"50\n")]


@pytest.mark.parametrize(
    ("change", "problem_id"),
    [
        ({"checker": None}, "codeforces:1234A"),
        ({"checker": " ", "id": "1234_B2. Two"}, "codeforces:1234B2"),
        ({"checker": None, "source": "AIZU", "id": "p00001 Hills"}, "aizu:p00001"),
        ({"checker": "", "source": "Other", "id": "7 b"}, "codecontests:Other-7-b"),
    ],
)
def test_code_contests_plus_without_a_checker(tmp_path: Path, change: dict[str, Any], problem_id: str) -> None:
    problem = read_line("codecontests-plus", tmp_path, {**CODE_CONTESTS_PLUS, **change})
    assert (problem.problem_id, problem.checker, problem.flags) == (problem_id, None, ())


@pytest.mark.parametrize(
    ("given", "time_s", "memory_mb"), [((2, 268435456), 2.0, 268), ((1500.0, 64), 1.5, 64), ((None, None), None, None)]
)
def test_limits_whose_unit_the_card_does_not_give(
    tmp_path: Path, given: tuple[Any, Any], time_s: float | None, memory_mb: int | None
) -> None:
    row = {**CODE_CONTESTS_PLUS, "time_limit": given[0], "memory_limit": given[1]}
    problem = read_line("codecontests-plus", tmp_path, row)
    assert (problem.time_limit_s, problem.memory_limit_mb) == (time_s, memory_mb)


@pytest.mark.parametrize("write", [write_arrow, lambda folder, rows: write_parquet(folder / "0000.parquet", rows)])
def test_taco(tmp_path: Path, write: Callable[[Path, list[dict[str, Any]]], Path]) -> None:
    write(tmp_path / "train", [TACO])
    problem = only("taco", tmp_path)
    assert (problem.problem_id, problem.title, problem.contest) == ("codeforces:1234A", "Two Numbers", "1234")
    assert [(t.input, t.expected) for t in problem.tests] == [(b"1 2\n", b"3\n"), (b"5\n6", b"11")]
    assert [(r.language, r.code) for r in problem.references] == [("python", ADD), ("python2", ADD_PYTHON2)]
    assert (problem.time_limit_s, problem.memory_limit_mb, problem.tags) == (1.5, 256, ("math", "greedy"))
    assert (problem.published, problem.published_basis) == (dt.date(2019, 9, 25), "archive")
    assert (problem.difficulty_label, problem.checker) == ("medium_hard", None)


@pytest.mark.parametrize(
    ("url", "problem_id", "contest"),
    [
        ("https://atcoder.jp/contests/abc121/tasks/abc121_c", "atcoder:abc121_c", "abc121"),
        ("https://abc001.contest.atcoder.jp/tasks/abc001_1", "atcoder:abc001_1", "abc001"),
        ("https://codeforces.com/contest/1234/problem/a", "codeforces:1234A", "1234"),
        ("https://codeforces.com/gym/100001/problem/B2", "codeforces:100001B2", "100001"),
        ("https://leetcode.com/problems/two-sum/", "leetcode:two-sum", None),
        ("https://open.kattis.com/problems/twonumbers", "kattis:twonumbers", None),
        ("https://www.codechef.com/SEPT19/problems/ADDTWO", "codechef:ADDTWO", None),
        ("https://www.hackerrank.com/challenges/add-two/problem", "hackerrank:add-two", None),
        ("https://www.hackerearth.com/practice/math/practice-problems/algorithm/add-two/", "hackerearth:add-two", None),
        ("https://practice.geeksforgeeks.org/problems/add-two/1", "geeksforgeeks:add-two", None),
        ("http://judge.u-aizu.ac.jp/onlinejudge/description.jsp?id=ITP1_1_A", "aizu:ITP1_1_A", None),
        ("https://codeforces.com/contest/1234/submission/7", f"taco:{text_id('text', TACO['question'])}", None),
        ("https://example.org/problems/1", f"taco:{text_id('text', TACO['question'])}", None),
        (None, f"taco:{text_id('text', TACO['question'])}", None),
    ],
)
def test_an_address_gives_the_id_under_which_other_sources_have_the_problem(
    tmp_path: Path, url: str | None, problem_id: str, contest: str | None
) -> None:
    row = {**TACO, "url": url, "date": None, "solutions": "", "time_limit": None, "difficulty": "UNKNOWN_DIFFICULTY"}
    problem = read_line("taco", tmp_path, row)
    assert (problem.problem_id, problem.contest) == (problem_id, contest)
    assert (problem.published, problem.references, problem.difficulty_label) == (None, (), None)


def test_apps(tmp_path: Path) -> None:
    write_lines(tmp_path / "train.jsonl", [APPS])
    write_lines(tmp_path / "README.json", ["not a data file"])
    problem = only("apps", tmp_path)
    assert problem.problem_id == "codewars:51f2d1cafc9c0f745c00037d"
    assert (problem.io_mode, problem.entry_point, problem.starter_code) == ("function", "add", "def add(a, b):")
    assert [(t.input, t.expected) for t in problem.tests] == [(b"[1, 2]", b"3"), (b"[5, 6]", b"11")]
    assert (problem.checker, problem.difficulty_label) == (None, "introductory")
    assert [r.language for r in problem.references] == ["python"]
    elsewhere = read_line("apps", tmp_path / "other", {**APPS, "url": "", "input_output": "", "solutions": ""})
    assert elsewhere.problem_id == f"apps:{text_id('text', APPS['question'])}"
    assert (elsewhere.tests, elsewhere.references, elsewhere.io_mode) == ((), (), "stdin")


SOLUTION = "class Solution:\n    def add(self, a: {}, b: int) -> {}:\n        "


@pytest.mark.parametrize(
    ("starter", "outputs", "expected", "flags"),
    [
        ("", [[3], [11]], [b"3", b"11"], ()),
        ("", [3, [11]], [b"3", b"[11]"], ()),
        (SOLUTION.format("int", "int"), [[3], [11]], [b"3", b"11"], ()),
        (SOLUTION.format("int", "List[int]"), [[3], [11]], [b"[3]", b"[11]"], ()),
        (SOLUTION.format("int", "List[int]"), [[[3]], [[11]]], [b"[3]", b"[11]"], ()),
        (SOLUTION.format("Optional[TreeNode]", "int"), [[3], [11]], [], ("uses_nodes",)),
        (SOLUTION.format("int", "int").replace("add", "plus"), [[3], [11]], [], ("unusual_signature",)),
    ],
)
def test_values_that_a_function_returns(
    tmp_path: Path, starter: str, outputs: list[Any], expected: list[bytes], flags: tuple[str, ...]
) -> None:
    tests = json.dumps({"fn_name": "add", "inputs": [[1, 2], [5, 6]], "outputs": outputs})
    problem = read_line("apps", tmp_path, {**APPS, "starter_code": starter, "input_output": tests})
    assert ([test.expected for test in problem.tests], problem.flags) == (expected, flags)
    assert problem.io_mode == (None if flags else "function")


@given(st.lists(st.integers() | st.text() | st.lists(st.integers(), max_size=2), max_size=4))
def test_wrapped_values_are_unwrapped_and_nothing_else(values: list[Any]) -> None:
    assert unwrapped([[value] for value in values], "") == values
    if not all(isinstance(value, list) and len(value) == 1 for value in values):
        assert unwrapped(values, "") == values


def test_open_r1(tmp_path: Path) -> None:
    write_parquet(tmp_path / "data" / "train-00000-of-00001.parquet", [OPEN_R1])
    problem = only("open-r1", tmp_path)
    assert (problem.problem_id, problem.title, problem.contest) == ("codeforces:1234A", "Two Numbers", "1234")
    assert (problem.published, problem.published_basis) == (dt.date(2019, 9, 23), "contest")
    assert problem.statement.split("\n\n") == [
        "Add two numbers.",
        "## Input",
        OPEN_R1["input_format"],
        "## Output",
        OPEN_R1["output_format"],
        "## Note",
        OPEN_R1["note"],
    ]
    assert [(t.name, t.sample, t.input) for t in problem.tests] == [
        ("sample-1", True, b"1 2"),
        ("official-2", False, b"5 6\n"),
    ]
    assert (problem.time_limit_s, problem.memory_limit_mb, problem.ratings) == (1.5, 256, (("codeforces", 1100.0),))
    assert problem.checker and (problem.checker.name, problem.checker.protocol) == ("custom", "testlib")
    assert problem.flags == ()


@pytest.mark.parametrize(
    ("change", "io_mode", "flags"),
    [
        ({"generated_checker": None}, "stdin", ()),
        ({"interaction_format": "Ask."}, "stdin", ("interactive",)),
        ({"input_mode": "file"}, None, ("file_io",)),
        ({"official_tests_complete": False}, "stdin", ("tests_incomplete",)),
        ({"official_tests": None, "official_tests_complete": False, "contest_start": None}, "stdin", ()),
    ],
)
def test_what_open_r1_is_flagged_for(
    tmp_path: Path, change: dict[str, Any], io_mode: str | None, flags: tuple[str, ...]
) -> None:
    problem = read_line("open-r1", tmp_path, {**OPEN_R1, **change})
    assert (problem.io_mode, problem.flags) == (io_mode, flags)
    assert (problem.published is None) == ("contest_start" in change)


def test_a_checker_of_open_r1_judges(tmp_path: Path) -> None:
    checker = read_line("open-r1", tmp_path, OPEN_R1).checker
    broken = read_line("open-r1", tmp_path, {**OPEN_R1, "generated_checker": "raise OSError"}).checker
    hundred = read_line(
        "open-r1", tmp_path, {**OPEN_R1, "generated_checker": "import sys\nprint(100)\nsys.exit()"}
    ).checker
    tests = (Test(b"1 2\n", b"4\n"), Test(b"5 6\n", b"12\n"))
    cases = [(checker, ADD), (checker, SUBTRACT), (broken, ADD), (hundred, SUBTRACT)]
    with Judge(workers=2) as judge:
        submissions = [Submission(code, Problem("p", tests, checker=how), "python") for how, code in cases]
        verdicts = [result.verdict for result in judge.evaluate_many(submissions)]
    assert verdicts == [Verdict.AC, Verdict.WA, Verdict.IE, Verdict.AC]


def test_deepcoder(tmp_path: Path) -> None:
    for part, row in DEEPCODER.items():
        write_parquet(tmp_path / part / "train-00000-of-00001.parquet", [row])
    found = {p.native_id.partition("-")[0]: p for p in records("deepcoder", tmp_path) if isinstance(p, ScrapedProblem)}
    assert sorted(found) == sorted(DEEPCODER)
    assert {part: (p.io_mode, p.entry_point) for part, p in found.items()} == {
        "lcbv5": ("function", "add"),
        "primeintellect": ("stdin", None),
        "taco": ("function", "f"),
        "codeforces": ("stdin", None),
    }
    assert {part: [(t.input, t.expected) for t in p.tests] for part, p in found.items()} == {
        "lcbv5": [(b"[1, [2, 3]]", b"6")],
        "primeintellect": [(b"1\n", b"2\n")],
        "taco": [(b"[1]", b"4")],
        "codeforces": [(b"1", b"8")],
    }
    assert found["lcbv5"].native_id == text_id("lcbv5", "Add.")
    assert [r.code for r in found["taco"].references] == ["def f(x):\n    return 4 * x"]


@pytest.mark.parametrize(
    ("kind", "row", "words"),
    [
        ("codecontests", {**CODE_CONTESTS, "name": None}, "expected string"),
        ("codecontests", {"name": "1_A. x"}, "no field 'source'"),
        ("codecontests", {**CODE_CONTESTS, "private_tests": {"input": ["1"], "output": []}}, "shorter"),
        ("codecontests-plus", {**CODE_CONTESTS_PLUS, "test_cases": [{"input": "1"}]}, "no field 'output'"),
        ("codecontests-plus", {**CODE_CONTESTS_PLUS, "test_cases": [{"input": 1, "output": "2"}]}, "text, not int"),
        ("taco", {**TACO, "input_output": "{"}, "Expecting property name"),
        ("taco", {**TACO, "input_output": '{"inputs": ["1"], "outputs": []}'}, "shorter"),
        ("taco", {**TACO, "raw_tags": "{'math'}"}, "must be a list, not set"),
        ("taco", {**TACO, "raw_tags": "__import__('os')"}, "malformed node"),
        ("apps", {**APPS, "input_output": '{"fn_name": "add", "inputs": [1], "outputs": [1]}'}, "must be a list"),
        ("apps", {**APPS, "input_output": "[]"}, "list"),
        ("open-r1", {**OPEN_R1, "contest_start": 10**18}, "too large"),
        ("deepcoder", {"problem": "x", "tests": "nothing"}, "Expecting value"),
        ("deepcoder", {**DEEPCODER["lcbv5"], "tests": '[{"input": "1", "output": "1", "testtype": "functional"}]',
                       "metadata": "{}"}, "no field 'func_name'"),
        ("deepcoder", {**DEEPCODER["lcbv5"], "tests": "[" * 100_000}, "recursion"),
    ],
)  # fmt: skip
def test_a_bad_row_is_unreadable_and_the_next_one_is_read(
    tmp_path: Path, kind: str, row: dict[str, Any], words: str
) -> None:
    good = {"codecontests": CODE_CONTESTS, "codecontests-plus": CODE_CONTESTS_PLUS, "taco": TACO, "apps": APPS,
            "open-r1": OPEN_R1, "deepcoder": DEEPCODER["taco"]}[kind]  # fmt: skip
    bad, fine = records(kind, write_lines(tmp_path / "rows.jsonl", [row, good]))
    assert isinstance(bad, UnreadableRecord) and words in bad.detail, bad
    assert (bad.reason, bad.source_ref, "\n" in bad.detail) == ("malformed_record", "rows.jsonl#1", False)
    assert isinstance(fine, ScrapedProblem) and fine.source_ref == "rows.jsonl#2"


def test_a_broken_line_and_a_huge_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_rows, "MAX_ROW_BYTES", 1 << 20)
    huge = {**TACO, "question": "x" * (2 << 20)}
    broken, large, fine = records("taco", write_lines(tmp_path / "rows.jsonl", ["{broken", huge, TACO]))
    assert isinstance(broken, UnreadableRecord) and broken.source_ref == "rows.jsonl#1"
    assert isinstance(large, UnreadableRecord) and "longer than 1 MiB" in large.detail
    assert isinstance(fine, ScrapedProblem)
    large, fine = records("taco", write_parquet(tmp_path / "rows.parquet", [huge, TACO]))
    assert isinstance(large, UnreadableRecord) and large.detail == "the row is larger than 1 MiB"
    assert isinstance(fine, ScrapedProblem) and fine.source_ref == "rows.parquet#2"


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_a_damaged_file_is_one_unreadable_record_and_the_next_file_is_read(tmp_path: Path, cut: int) -> None:
    whole = write_parquet(tmp_path / "b.parquet", [TACO]).read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[: len(whole) * cut // 3])
    (tmp_path / "a.arrow").write_bytes(b"nothing of the kind")
    *damaged, fine = records("taco", tmp_path)
    assert [record.source_ref for record in damaged] == ["a.arrow#1", "a.parquet#1"]
    assert all(isinstance(r, UnreadableRecord) and "breaks off after row 0" in r.detail for r in damaged)
    assert isinstance(fine, ScrapedProblem)


def test_rows_are_equal_in_every_file_format_and_every_part_of_a_row_counts(tmp_path: Path) -> None:
    table = only("taco", write_parquet(tmp_path / "rows.parquet", [TACO]))
    line = read_line("taco", tmp_path, TACO)
    assert table.record_sha == line.record_sha
    changed = [read_line("taco", tmp_path, {**TACO, name: "1"}).record_sha for name in ("name", "tags", "picture_num")]
    assert len({line.record_sha, *changed}) == 4


def test_a_lost_shard_is_named(tmp_path: Path) -> None:
    for number in (0, 2):
        write_parquet(tmp_path / "data" / f"train-0000{number}-of-00003.parquet", [OPEN_R1])
    with pytest.raises(UserError, match=r"lacks data/train-00001-of-00003\.parquet; get the whole set again"):
        records("open-r1", tmp_path)


def test_only_the_files_of_the_sets_layout_are_read_where_there_are_some(tmp_path: Path) -> None:
    write_parquet(tmp_path / "data" / "train-00000-of-00001.parquet", [OPEN_R1])
    write_parquet(tmp_path / "generated_tests" / "test_cases_1234.parquet", [{"problem_id": "1234/A", "input": "1"}])
    assert only("open-r1", tmp_path).native_id == "1234A"


@pytest.mark.parametrize("kind", SETS)
def test_a_folder_without_data_files(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UserError, match=f"{kind} source {tmp_path} holds no"):
        open_source(parse_spec(f"{kind}:{tmp_path}"))


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize("name", ["BAAI/TACO", "BAAI/TACO@main", "BAAI/TACO@0123abc"])
def test_a_name_on_the_hub_needs_its_commit(name: str) -> None:
    with pytest.raises(UserError, match=f"taco source {name}: no such folder, and .*BAAI/TACO@<40 hex"):
        open_source(parse_spec(f"taco:{name}"))


@pytest.mark.parametrize("spec", ["taco:no/such/folder", "taco:nothing", f"leetcode:BAAI/TACO@{COMMIT}"])
def test_what_is_no_name_on_the_hub_is_a_path(spec: str) -> None:
    with pytest.raises(UserError, match=r"source path .* does not exist"):
        parse_spec(spec)


class Hub(BaseHTTPRequestHandler):
    """A data set repository of one commit, as the Hugging Face Hub serves it. files: by their names in it."""

    files: Mapping[str, bytes]
    asked: list[str]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        name = self.path.removeprefix(f"/datasets/BAAI/TACO/resolve/{COMMIT}/")
        if self.path.startswith(f"/api/datasets/BAAI/TACO/tree/{COMMIT}"):
            tree = [{"type": "file", "path": n, "size": len(b), "oid": "0" * 40} for n, b in self.files.items()]
            self._answer(json.dumps(tree).encode(), "application/json")
        elif name in self.files:
            self._answer(self.files[name], "application/octet-stream")
        else:
            self.send_error(404)

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        headers = {"Content-Type": kind, "ETag": f'"{sha256(body).hexdigest()}"', "X-Repo-Commit": COMMIT}
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_a_set_of_the_hub_is_got_once_and_then_read_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_arrow(tmp_path / "taco" / "train", [TACO])
    shard = "train/data-00000-of-00001.arrow"
    Hub.files, Hub.asked = {shard: (tmp_path / "taco" / shard).read_bytes(), "README.md": b"# TACO"}, []

    def read(commit: str, offline: bool) -> list[str]:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
        return [record.source_ref for record in records("taco", Path(f"BAAI/TACO@{commit}"))]

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "ENDPOINT", address)
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.partition("/{repo_id}")
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{address}/{{repo_id}}{template[2]}")
        words = f"cannot get BAAI/TACO at {COMMIT} from the Hugging Face Hub, and its cache does not hold it"
        with pytest.raises(UserError, match=words):
            read(COMMIT, offline=True)
        assert not Hub.asked
        assert read(COMMIT, offline=False) == [f"{shard}#1"]
        assert f"GET /datasets/BAAI/TACO/resolve/{COMMIT}/{shard}" in Hub.asked and "README" not in str(Hub.asked)
        asked = len(Hub.asked)
        assert read(COMMIT, offline=True) == [f"{shard}#1"]
        assert len(Hub.asked) == asked
        with pytest.raises(UserError, match=f"cannot get BAAI/TACO at {COMMIT[::-1]} .*404 Not Found"):
            read(COMMIT[::-1], offline=False)
        server.shutdown()
    with pytest.raises(UserError, match="Connection refused"):
        read(COMMIT[::-1], offline=False)


def test_a_commit_is_the_fingerprint_of_a_set_of_the_hub() -> None:
    first, again, other = (open_source(parse_spec(f"taco:BAAI/TACO@{c}")) for c in (COMMIT, COMMIT, COMMIT[::-1]))
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()


def test_without_datasets_the_mend_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_arrow(tmp_path / "train", [TACO])
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match=r"needs `datasets`: pip install 'microcoder\[sets\]'"):
        records("taco", tmp_path)


@given(st.text())
def test_an_identifier_is_an_id_or_empty(text: str) -> None:
    assert not (found := identifier(text)) or NATIVE_ID.fullmatch(found)
    assert identifier(found) == found


@given(st.text(), st.text())
def test_texts_of_the_same_words_have_one_id(first: str, second: str) -> None:
    assert (text_id("a", first) == text_id("a", second)) == (first.split() == second.split())
    assert NATIVE_ID.fullmatch(text_id("a", first))
