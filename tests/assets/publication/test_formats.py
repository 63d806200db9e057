"""The split in other trainers' columns: a row can be judged from itself alone, a folder is whole or not there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_assets.errors import UserError
from microcoder_assets.publication.convert import convert
from microcoder_assets.publication.export import export
from microcoder_assets.publication.formats import FORMATS, CannotHold, problem_of, rllm_row, trl_row, verl_row
from microcoder_assets.publication.versions import Version, find_version
from microcoder_assets.schema import SPLIT
from microcoder_judge import Checker, Judge, Problem, Submission, Verdict
from microcoder_judge.trl_reward import JudgeReward
from microcoder_judge.wire import read_submission

HALF = {"checker": Checker("tokens_float", abs_tol=0.1, integers="close").to_json()}
RIGHT = {
    "a:half": "print(int(input()) / 2 + 0.01)",
    "a:word": "print(input()[::-1])",
    "a:call": "class Solution:\n    def join(self, words, by):\n        return by.join(words)",
}
WRONG = {
    "a:half": "print(int(input()) / 2 + 1)",
    "a:word": "print(input())",
    "a:call": "class Solution:\n    def join(self, words, by):\n        return ''.join(words)",
}


def split_row(problem_id: str, tests: list[tuple[bytes, bytes]], **facts: Any) -> dict[str, Any]:
    inside = [{"name": str(n), "sample": n == 0, "input": i, "expected": o} for n, (i, o) in enumerate(tests)]
    row = {**dict.fromkeys(SPLIT), "problem_id": problem_id, "platform": "a", "prompt": f"Solve {problem_id}.",
           "io_mode": "stdin", "tests": inside, "time_limit_s": 5.0, "split": "train", "difficulty": "hard",
           "references": [], "family": problem_id, "checker": Checker("tokens").to_json()}
    return {**row, **facts}


ROWS = [
    split_row("a:half", [(b"4\n", b"2\n"), (b"3\n", b"1.5\n")], **HALF),
    split_row("a:word", [("été\n".encode(), "été\n".encode()), (b"ab\n", b"ba\n")]),
    split_row("a:call", [(b'[["x", "y\\n"], "-"]', b'"x-y\\n"')], io_mode="function", entry_point="join",
              starter_code="class Solution:\n    def join(self, words, by):", checker=Checker("value").to_json(),
              split="validation"),
]
BYTES = split_row("a:bytes", [(b"\xff\n", b"\xfe\n")])
NOTHING = split_row("a:none", [(b"[]", b"1")], io_mode="function", entry_point="one", checker=None)


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge(workers=1) as judge:
        yield judge


def version_of(folder: Path, rows: list[dict[str, Any]]) -> Version:
    frame = pl.DataFrame(rows, schema=SPLIT)
    export(folder, frame, ("train", "validation"), "d1", "card", shard_bytes=200)
    return find_version(folder, "latest")


def call_of(text: str) -> list[Any]:
    return [json.loads(line) for line in text.split("\n")]


def from_wire(problem_id: str, **fields: Any) -> Problem:
    line = {"id": problem_id, "code": "", **fields}
    return read_submission(json.dumps(line).encode()).problem


def problem_of_verl(row: Mapping[str, Any]) -> Problem:
    truth = json.loads(row["reward_model"]["ground_truth"])
    limits = {key: truth[key] for key in ("checker", "time_limit_s", "memory_limit_mb")}
    pairs = list(zip(truth["inputs"], truth["outputs"], strict=True))
    problem_id = row["extra_info"]["problem_id"]
    if name := truth.get("fn_name"):
        tests = [{"args": call_of(given), "expected": json.loads(wanted)} for given, wanted in pairs]
        return from_wire(problem_id, io="function", entry=name, tests=tests, **limits)
    return from_wire(problem_id, tests=[{"input": given, "output": wanted} for given, wanted in pairs], **limits)


def problem_of_rllm(row: Mapping[str, Any]) -> Problem:
    tests, metadata = json.loads(row["ground_truth"]), json.loads(row["metadata"])
    limits = {key: metadata[key] for key in ("checker", "time_limit_s", "memory_limit_mb")}
    if tests[0]["testtype"] == "functional":
        name = tests[0]["metadata"]["func_name"]
        calls = [{"args": call_of(test["input"]), "expected": json.loads(test["output"])} for test in tests]
        return from_wire(row["uid"], io="function", entry=name, tests=calls, **limits)
    return from_wire(row["uid"], tests=[{key: test[key] for key in ("input", "output")} for test in tests], **limits)


READ: dict[str, tuple[Callable[[Path], list[dict[str, Any]]], Callable[[Mapping[str, Any]], Problem]]] = {
    "verl": (lambda path: list(pq.read_table(path).to_pylist()), problem_of_verl),
    "rllm": (lambda path: list(json.loads(path.read_text("utf-8"))), problem_of_rllm),
}


@pytest.mark.parametrize("name", list(READ))
def test_a_row_alone_says_what_a_program_is_judged_against(name: str, tmp_path: Path, judge: Judge) -> None:
    version, output = version_of(tmp_path / "exports", ROWS), tmp_path / "out"
    assert convert(version, name, output).left_out == {}
    read, problem = READ[name]
    files = [output / FORMATS[name].file.format(part) for part in ("train", "validation")]
    problems = [problem(row) for file in files for row in read(file)]
    assert sorted(problem.id for problem in problems) == sorted(RIGHT)
    for programs, wanted in ((RIGHT, Verdict.AC), (WRONG, Verdict.WA)):
        judged = judge.evaluate_many([Submission(programs[problem.id], problem) for problem in problems])
        assert [result.verdict for result in judged] == [wanted] * len(problems)


def test_trl_rows_are_what_the_reward_function_takes(tmp_path: Path, judge: Judge) -> None:
    version, output = version_of(tmp_path / "exports", [*ROWS, BYTES]), tmp_path / "out"
    assert convert(version, "trl", output).left_out == {}
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset(str(output), cache_dir=str(tmp_path / "cache"))
    rows = [*loaded["train"], *loaded["validation"]]
    assert all(row["prompt"] == [{"role": "user", "content": f"Solve {row['problem_id']}."}] for row in rows)
    programs = {"a:bytes": "import sys\nsys.stdin.buffer.read()\nsys.stdout.buffer.write(b'\\xfe\\n')"}
    for wanted, answers in ((1.0, RIGHT | programs), (0.0, WRONG | {"a:bytes": "print(1)"})):
        blocks = [f"```python\n{answers[row['problem_id']]}\n```" for row in rows]
        completions = [[{"role": "assistant", "content": block}] for block in blocks]
        columns = {key: [row[key] for row in rows] for key in rows[0] if key != "prompt"}
        assert JudgeReward(judge)(completions, **columns) == [wanted] * len(rows)


@pytest.mark.parametrize("name", list(READ))
def test_what_a_format_cannot_hold_is_left_out_and_told(name: str, tmp_path: Path) -> None:
    version = version_of(tmp_path / "exports", [*ROWS, BYTES, NOTHING])
    done = convert(version, name, tmp_path / "out")
    assert done.left_out == {"a:bytes": "a test is not UTF-8 text", "a:none": "a call without arguments"}
    assert sum(done.files.values()) == len(ROWS)
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["left_out"] == done.left_out


@pytest.mark.parametrize("name", list(FORMATS))
def test_an_export_is_there_whole_and_once(name: str, tmp_path: Path) -> None:
    version, output = version_of(tmp_path / "exports", ROWS), tmp_path / "out"
    first = convert(version, name, output)
    stamps = {path: path.stat().st_mtime_ns for path in output.rglob("*")}
    again = convert(version, name, output)
    assert (again.files, again.left_out) == (first.files, first.left_out)
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*")} == stamps
    convert(version, name, tmp_path / "other")
    for file in first.files:
        assert (tmp_path / "other" / file).read_bytes() == (output / file).read_bytes()
    with pytest.raises(UserError, match="holds something else"):
        convert(version, "trl" if name == "verl" else "verl", output)


def test_an_export_that_fails_leaves_nothing(tmp_path: Path) -> None:
    version = version_of(tmp_path / "exports", ROWS)
    torn = max(version.folder.glob("data/train-*.parquet"))
    torn.write_bytes(torn.read_bytes()[:-20])
    with pytest.raises(UserError, match=torn.name):
        convert(version, "verl", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["exports"]


TEXT = st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.tuples(st.binary(max_size=12) | TEXT, TEXT), min_size=1, max_size=4))
def test_tests_of_programs_survive_every_format(tests: list[tuple[bytes, bytes]]) -> None:
    row = split_row("a:any", tests)
    wanted = [(test.input, test.expected) for test in problem_of(row).tests]
    wire = trl_row(row, 0)
    found = from_wire("a:any", **{key: json.loads(wire[key]) for key in ("tests", "checker")})
    assert [(test.input, test.expected) for test in found.tests] == wanted
    for write, read in ((verl_row, problem_of_verl), (rllm_row, problem_of_rllm)):
        try:
            written = write(row, 0)
        except CannotHold:
            assert not all(_is_text(part) for test in tests for part in test)
            continue
        assert [(test.input, test.expected) for test in read(written).tests] == wanted


@given(st.lists(st.tuples(st.lists(VALUES, min_size=1, max_size=3), VALUES), min_size=1, max_size=4))
def test_calls_survive_every_format(calls: list[tuple[list[Any], Any]]) -> None:
    tests = [(json.dumps(given).encode(), json.dumps(wanted).encode()) for given, wanted in calls]
    row = split_row("a:any", tests, io_mode="function", entry_point="f", checker=None)
    for write, read in ((verl_row, problem_of_verl), (rllm_row, problem_of_rllm)):
        found = read(write(row, 0)).tests
        assert [(json.loads(test.input), json.loads(test.expected)) for test in found] == calls


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
