"""The adapters on the real public records."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from microcoder_assets.collection.identity import identity_keys
from microcoder_assets.collection.leetcode import contest_date
from microcoder_assets.collection.livecodebench import BenchmarkProblem, read_benchmark
from microcoder_assets.collection.records import NATIVE_ID, ScrapedProblem
from microcoder_assets.collection.sources import open_source, parse_spec

pytestmark = pytest.mark.data

FOLDERS = {
    "leetcode": "leetcode-doocs",
    "codeforces": "codeforces-statements",
    "kattis": "kattis-packages",
    "oi": "oi-archive",
    "rllm": "deepscaler-rllm",
}
Problems = dict[str, list[ScrapedProblem]]


@pytest.fixture(scope="module")
def problems(data_dir: Path) -> Problems:
    """Every problem by source kind; a record that cannot be read fails here."""
    found: Problems = {}
    for kind, folder in FOLDERS.items():
        found[kind] = []
        for record in open_source(parse_spec(f"{kind}:{data_dir / folder}")).records():
            assert isinstance(record, ScrapedProblem), record
            found[kind].append(record)
    return found


@pytest.fixture(scope="module")
def benchmark(data_dir: Path) -> list[BenchmarkProblem]:
    found = list(read_benchmark(data_dir / "livecodebench"))
    assert all(isinstance(problem, BenchmarkProblem) for problem in found)
    return [problem for problem in found if isinstance(problem, BenchmarkProblem)]


def test_every_record_is_read(problems: Problems) -> None:
    assert {kind: len(found) for kind, found in problems.items()} == {
        "leetcode": 4029,
        "codeforces": 9803,
        "kattis": 60,
        "oi": 14232,
        "rllm": 2662,
    }
    assert len({problem.problem_id for problem in problems["codeforces"]}) == 9352
    assert all(NATIVE_ID.fullmatch(problem.native_id) for found in problems.values() for problem in found)


def test_no_reference_and_no_sample_is_empty_or_escaped(problems: Problems) -> None:
    """216 LeetCode rows list one empty solution, 72 Codeforces rows escape their samples as HTML."""
    assert all(reference.code.strip() for found in problems.values() for p in found for reference in p.references)
    assert sum(not problem.references for problem in problems["leetcode"]) == 589
    texts = [sample.input + sample.output for p in problems["codeforces"] for sample in p.samples]
    assert not any("&lt;" in text or "&gt;" in text for text in texts)


def test_leetcode_functions_and_dates(problems: Problems) -> None:
    leetcode = problems["leetcode"]
    assert sum(problem.io_mode == "function" for problem in leetcode) == 2976
    assert sum(bool(problem.ratings) for problem in leetcode) == 2569
    assert max(p.published for p in leetcode if p.published) == dt.date(2026, 8, 16)
    by_id = {problem.native_id: problem for problem in leetcode}
    two_sum = by_id["1"]
    assert (two_sum.entry_point, two_sum.checker) == ("twoSum", None)
    assert by_id["2"].flags == ("uses_nodes",)


def test_contest_dates_agree_with_livecodebench(benchmark: list[BenchmarkProblem]) -> None:
    apart: Counter[tuple[str, int]] = Counter()
    for problem in benchmark:
        if problem.platform == "leetcode" and problem.contest_id and problem.contest_date:
            series, _, number = problem.contest_id.split("-")
            apart[series, (contest_date(series, int(number)) - problem.contest_date).days] += 1
    assert apart.keys() == {("weekly", 0), ("weekly", 1), ("biweekly", 0)}


def test_the_benchmark(benchmark: list[BenchmarkProblem]) -> None:
    assert Counter(problem.platform for problem in benchmark) == {"atcoder": 602, "leetcode": 444, "codeforces": 9}
    assert Counter(problem.release for problem in benchmark) == {
        "v1": 400,
        "v2": 111,
        "v3": 101,
        "v4": 101,
        "v5": 167,
        "v6": 175,
    }
    assert sum(len(problem.public_tests) for problem in benchmark) == 2762
    assert all(bool(problem.entry_point) == (problem.platform == "leetcode") for problem in benchmark)


def test_identity_finds_every_benchmark_problem_and_nothing_else(
    problems: Problems, benchmark: list[BenchmarkProblem]
) -> None:
    keys = {
        key: problem.problem_id
        for problem in benchmark
        for key in identity_keys(problem.platform, problem.problem_id.partition(":")[2], problem.title, None)
    }
    for kind, expected in {"leetcode": 444, "codeforces": 9, "kattis": 0, "oi": 0, "rllm": 0}.items():
        hits = {
            problem.problem_id: keys[key]
            for problem in problems[kind]
            for key in identity_keys(problem.platform, problem.native_id, problem.title, problem.url)
            if key in keys
        }
        assert (len(hits), len(set(hits.values()))) == (expected, expected), kind


def test_no_two_problems_of_a_judge_share_an_identity_key(problems: Problems) -> None:
    owner: dict[str, str] = {}
    for found in problems.values():
        for problem in found:
            for key in identity_keys(problem.platform, problem.native_id, problem.title, problem.url):
                assert owner.setdefault(key, problem.problem_id) == problem.problem_id


def test_kattis_packages(problems: Problems) -> None:
    packages = {problem.native_id: problem for problem in problems["kattis"]}
    date_picker = packages["nwerc2023-datepicker"]
    assert (date_picker.title, date_picker.contest, len(date_picker.tests)) == ("Date Picker", "nwerc2023", 85)
    assert date_picker.checker and date_picker.checker.name == "tokens_float"
    fractions = packages["nwerc2023-fixingfractions"]
    assert fractions.flags == () and fractions.checker and fractions.checker.language == "cpp"
    assert packages["gcpc2022-hardcorehangman"].flags == ("interactive",)
    assert packages["po2024-final-laviner"].title == "Avalanche"
    assert "Output a single integer 5." in packages["bapctools-test-constants"].statement
    custom = packages["bapctools-test-testexpectations"].checker
    assert custom and custom.program and "judgemessage" in custom.program
    without = [name for name, problem in packages.items() if not problem.references]
    assert without == [f"rmrc2020-{name}" for name in ("arithmeticdecoding", "trainboarding", "vaccineefficacy")]


def test_rllm_tests(problems: Problems) -> None:
    rows = {problem.native_id: problem for problem in problems["rllm"]}
    first = rows["leetcode_train-1"]
    assert (first.entry_point, len(first.tests)) == ("twoSum", 3)
    assert (first.tests[0].input, first.tests[0].expected) == (b"[[2, 7, 11, 15], 9]", b"[0, 1]")
    assert sum(len(p.tests) for p in rows.values() if p.native_id.startswith("codeforces_test")) == 468
    assert sum(len(p.tests) for p in rows.values() if p.native_id.startswith("code_contests_test")) == 1837


def test_oi_archive(problems: Problems) -> None:
    assert Counter(problem.platform for problem in problems["oi"]) == {
        "bzoj": 4538,
        "joyoi": 3425,
        "cogs": 3028,
        "loj": 2202,
        "uoj": 520,
        "tsinsen": 519,
    }
    assert sum(problem.io_mode is None for problem in problems["oi"]) == 235
