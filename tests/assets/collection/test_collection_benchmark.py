"""LiveCodeBench's rows, and its packed private tests read without unpickling."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_assets.collection import packed_tests
from microcoder_assets.collection.benchmark import benchmark_result
from microcoder_assets.collection.livecodebench import BenchmarkProblem, fingerprint, read_benchmark, releases
from microcoder_assets.collection.packed_tests import PackedTestsError, pickled_string, unpack_tests
from microcoder_assets.collection.records import UnreadableRecord
from microcoder_assets.errors import UserError
from microcoder_assets.stage import Kind

TESTS = [{"input": '[1, 2]\n"é"\n', "output": "true", "testtype": "functional"}]
LEETCODE: dict[str, Any] = {
    "question_title": "find-the-sum",
    "question_content": "Find it.",
    "platform": "leetcode",
    "question_id": "2777",
    "contest_id": "weekly-contest-344",
    "contest_date": "2023-05-07T00:00:00",
    "starter_code": "class Solution:\n    def find(self, nums: List[int], s: str) -> bool:\n        ",
    "difficulty": "easy",
    "public_test_cases": json.dumps(TESTS),
    "metadata": json.dumps({"func_name": "find"}),
}
ATCODER: dict[str, Any] = {
    **LEETCODE,
    "platform": "atcoder",
    "question_title": "Overall Winner",
    "question_id": "abc301_a",
    "starter_code": "",
    "metadata": "{}",
    "public_test_cases": json.dumps([{"input": "1\n", "output": "2\n", "testtype": "stdin"}]),
}


def pack(value: object, protocol: int = pickle.DEFAULT_PROTOCOL) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value, protocol))).decode()


def write(path: Path, *rows: dict[str, Any]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def read_one(folder: Path, row: dict[str, Any]) -> BenchmarkProblem:
    write(folder / "test.jsonl", row)
    (problem,) = read_benchmark(folder)
    assert isinstance(problem, BenchmarkProblem), problem
    return problem


@given(st.text(), st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_a_pickled_string_comes_back_in_every_protocol(text: str, protocol: int) -> None:
    assert pickled_string(pickle.dumps(text, protocol)) == text


@given(st.binary(max_size=200))
def test_any_bytes_are_a_string_or_a_value_error(data: bytes) -> None:
    try:
        text = pickled_string(data)
    except ValueError:
        return
    assert pickle.loads(data) == text


class _Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_hostile_pickle_is_refused_and_never_runs(tmp_path: Path, protocol: int) -> None:
    trap = tmp_path / "executed"
    write(tmp_path / "test.jsonl", {**LEETCODE, "private_test_cases": pack(_Touch(trap), protocol)}, ATCODER)
    bad, good = read_benchmark(tmp_path)
    assert isinstance(bad, UnreadableRecord) and bad.source_ref == "test.jsonl#1"
    assert "the pickle holds opcode" in bad.detail
    assert isinstance(good, BenchmarkProblem)
    assert not trap.exists()


@pytest.mark.parametrize(
    "value",
    [["a"], {"input_output": "[]"}, b"[]", 7, None, ("[]", "[]")],
    ids=["list", "dict", "bytes", "int", "none", "tuple"],
)
def test_a_pickle_of_anything_else_is_refused(value: object) -> None:
    with pytest.raises(PackedTestsError, match=r"not one string|exactly one string"):
        unpack_tests(pack(value))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not base64!", "not base64 of zlib"),
        (base64.b64encode(b"plain").decode(), "not base64 of zlib"),
        (base64.b64encode(zlib.compress(pickle.dumps("[]"))[:-4]).decode(), "breaks off"),
        (base64.b64encode(zlib.compress(pickle.dumps("[]") + b"x")).decode(), "exactly one string"),
        (base64.b64encode(zlib.compress(pickle.dumps("[]")[:-1])).decode(), "exhausted"),
        (pack("{}"), "JSON list of objects"),
        (pack("[1]"), "JSON list of objects"),
        ("[" * 200_000, "cannot be read"),
    ],
)
def test_what_is_wrong_with_packed_tests_is_named(text: str, words: str) -> None:
    with pytest.raises(PackedTestsError, match=words):
        unpack_tests(text)


def test_a_decompression_bomb_is_refused() -> None:
    with pytest.raises(PackedTestsError, match="more than 1 MiB"):
        unpack_tests(base64.b64encode(zlib.compress(bytes(64 << 20))).decode(), max_bytes=1 << 20)
    assert packed_tests.MAX_UNPACKED_BYTES == 512 << 20


@pytest.mark.parametrize("private", [json.dumps(TESTS), pack(json.dumps(TESTS)), TESTS], ids=["json", "packed", "list"])
def test_a_function_problem(tmp_path: Path, private: object) -> None:
    problem = read_one(tmp_path, {**LEETCODE, "private_test_cases": private})
    assert (problem.problem_id, problem.question_id) == ("leetcode:find-the-sum", "2777")
    assert (problem.io_mode, problem.entry_point, problem.release) == ("function", "find", "v1")
    assert problem.contest_date == dt.date(2023, 5, 7)
    (test,) = problem.private_tests
    assert (test.input, test.expected, test.sample) == ('[[1, 2], "é"]'.encode(), b"true", False)
    assert [t.sample for t in problem.public_tests] == [True]


def test_the_entry_point_may_stand_in_the_starter_code_only(tmp_path: Path) -> None:
    assert read_one(tmp_path, {**LEETCODE, "metadata": None}).entry_point == "find"
    write(tmp_path / "test.jsonl", {**LEETCODE, "metadata": None, "starter_code": "def"})
    (record,) = read_benchmark(tmp_path)
    assert isinstance(record, UnreadableRecord) and "without func_name" in record.detail


def test_a_stdin_problem(tmp_path: Path) -> None:
    problem = read_one(tmp_path, ATCODER)
    assert (problem.problem_id, problem.io_mode, problem.entry_point) == ("atcoder:abc301_a", "stdin", None)
    assert [(t.input, t.expected) for t in problem.public_tests] == [(b"1\n", b"2\n")]
    codeforces = {**ATCODER, "platform": "codeforces", "question_id": "1873_A"}
    assert read_one(tmp_path, codeforces).problem_id == "codeforces:1873A"


def test_releases_follow_the_numbers_of_the_files(tmp_path: Path) -> None:
    for name in ("test10", "test2", "test"):
        write(tmp_path / f"{name}.jsonl", {**ATCODER, "question_id": name})
    (tmp_path / "leaderboard.jsonl").write_text("{}\n")
    found = [(p.question_id, p.release) for p in read_benchmark(tmp_path) if isinstance(p, BenchmarkProblem)]
    assert found == [("test", "v1"), ("test2", "v2"), ("test10", "v10")]


def test_rows_that_repeat_or_cannot_be_ids_are_unreadable(tmp_path: Path) -> None:
    write(tmp_path / "test.jsonl", ATCODER, ATCODER, {**ATCODER, "question_id": "../../etc"}, {"platform": "atcoder"})
    first, *rest = read_benchmark(tmp_path)
    assert isinstance(first, BenchmarkProblem)
    assert [getattr(record, "reason", None) for record in rest] == ["same_id", "malformed_record", "malformed_record"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"question_content": None}, "question_content must be text, not NoneType"),
        ({"question_content": "a\ud800"}, "question_content holds half of a surrogate pair"),
        ({"question_id": None}, "question_id must be text"),
        ({"difficulty": 3}, "difficulty must be text"),
        ({"starter_code": "\udfff"}, "starter_code holds half"),
        ({"metadata": '{"func_name": "\\ud800"}', "starter_code": "class S:"}, "func_name holds half"),
    ],
)
def test_one_bad_row_is_one_error(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    write(tmp_path / "test.jsonl", {**ATCODER, "question_id": "bad", **change}, ATCODER)
    result = benchmark_result(tmp_path)
    bad, good = result.decisions
    assert (bad.kind, bad.problem_id, good.kind) == (Kind.ERROR, "livecodebench:?test.jsonl#1", Kind.KEPT)
    assert words in bad.detail["error"]
    assert result.frame["problem_id"].to_list() == ["atcoder:abc301_a"]


@pytest.mark.parametrize(
    ("content", "words"), [("", "it is empty"), ('{"platform": 1}\n[1]\n', r"test\.jsonl#1: platform")]
)
def test_a_benchmark_without_a_readable_row_is_the_users_mistake(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "test.jsonl").write_text(content)
    with pytest.raises(UserError, match=f"benchmark {tmp_path} holds no readable problem; .*{words}"):
        benchmark_result(tmp_path)


def test_no_benchmark_is_no_rows() -> None:
    assert benchmark_result(None).frame.is_empty()


@pytest.mark.parametrize("name", ["test.jsonl", "test.jsonl.gz"])
def test_a_part_of_a_benchmark_is_the_users_mistake(tmp_path: Path, name: str) -> None:
    rows = [{**ATCODER, "question_id": f"a{n}", "question_content": f"{n * 7919**3}" * 50} for n in range(300)]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content.removesuffix(b"\n"))
    assert benchmark_result(tmp_path).frame.height == 300
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=rf"cannot read all of {path}, get it again: the file breaks off after row \d+"):
        benchmark_result(tmp_path)


def test_a_folder_without_a_benchmark_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no test\.jsonl"):
        list(read_benchmark(tmp_path))


def test_the_fingerprint_follows_the_files_that_are_read(tmp_path: Path) -> None:
    write(tmp_path / "test.jsonl", ATCODER)
    before = fingerprint(tmp_path)
    (tmp_path / "README.md").write_text("notes")
    assert fingerprint(tmp_path) == before
    (tmp_path / "test2.jsonl.gz").write_bytes(gzip.compress(json.dumps(LEETCODE).encode()))
    assert fingerprint(tmp_path) != before
    assert len(list(read_benchmark(tmp_path))) == 2


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("release_v2", ["v1", "v2"]),
        ("v2", ["v2"]),
        ("v2_v3", ["v2", "v3"]),
        ("release_latest", ["v1", "v2", "v3"]),
    ],
)
def test_a_release_tag_means_what_it_means_upstream(tmp_path: Path, tag: str, found: list[str]) -> None:
    for name in ("test", "test2", "test3"):
        write(tmp_path / f"{name}.jsonl", {**ATCODER, "question_id": name})
    result = benchmark_result(tmp_path, tag)
    assert sorted(result.frame["release"].to_list()) == found
    assert set(result.frame["question_id"].to_list()) <= {"test", "test2", "test3"}


@pytest.mark.parametrize("tag", ["", "v", "release_v2_v3", "latest", "release_v1\n"])
def test_an_unknown_release_tag_is_the_users_mistake(tag: str) -> None:
    with pytest.raises(UserError, match="unknown LiveCodeBench release"):
        releases(tag)


def test_parquet_is_read_through_datasets_and_dates_may_be_dates(tmp_path: Path) -> None:
    rows = [
        {**ATCODER, "release": None, "contest_date": dt.datetime(2024, 5, 4)},
        {**ATCODER, "question_id": "abc301_b", "release": "v3", "contest_date": dt.datetime(2024, 5, 5)},
    ]
    (tmp_path / "data").mkdir()
    pl.DataFrame(rows).write_parquet(tmp_path / "data" / "test-00000-of-00001.parquet")
    found = [p for p in read_benchmark(tmp_path) if isinstance(p, BenchmarkProblem)]
    assert [(p.question_id, p.release, p.contest_date) for p in found] == [
        ("abc301_a", "v1", dt.date(2024, 5, 4)),
        ("abc301_b", "v3", dt.date(2024, 5, 5)),
    ]
    damaged = (tmp_path / "data" / "test-00000-of-00001.parquet").read_bytes()[:-40]
    (tmp_path / "data" / "test-00000-of-00001.parquet").write_bytes(damaged)
    with pytest.raises(UserError, match="cannot read all of"):
        list(read_benchmark(tmp_path))


def test_a_name_on_the_hub_needs_its_commit_and_is_known_by_it() -> None:
    commit = "0123456789" * 4
    names = [Path(f"livecodebench/code_generation_lite@{c}") for c in (commit, commit[::-1])]
    assert fingerprint(names[0]) != fingerprint(names[1])
    with pytest.raises(UserError, match="needs the commit"):
        fingerprint(Path("livecodebench/code_generation_lite@main"))
