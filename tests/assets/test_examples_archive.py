"""The sample archive is what its README says: complete packages, honest labels, and exactly the planted traps."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml

from microcoder_assets.collection.kattis import open_kattis
from microcoder_assets.collection.records import Reference, ScrapedProblem
from microcoder_assets.processing.shingles import WordHasher, grams
from microcoder_judge import Judge, Limits, Problem, Result, Submission, Test, Verdict

DIFFERENT_STATEMENTS = 0.35
"""Highest word 3-gram Jaccard of two problems that are not copies; well under the 0.5 that merges."""

WORDS_OF_TIER_1 = 45
VERDICTS = {"accepted": Verdict.AC, "wrong_answer": Verdict.WA, "run_time_error": Verdict.RE}
TOO_SLOW = "time_limit_exceeded"
HEADING = re.compile(r"^(?:## |\\section\*\{)(\w+)\}?$", re.MULTILINE)
"""In Markdown or LaTeX."""

COPIES = ("exact duplicate", "reworded duplicate", "translated duplicate")


class Planted(NamedTuple):
    kind: str
    package: str
    beside: str


@pytest.fixture(scope="module")
def archive(examples_dir: Path) -> Path:
    return examples_dir / "archive"


@pytest.fixture(scope="module")
def problems(archive: Path) -> dict[str, ScrapedProblem]:
    """By short name."""
    records = list(open_kattis(archive).records())
    return {record.native_id: record for record in records if isinstance(record, ScrapedProblem)}


@pytest.fixture(scope="module")
def extensions(archive: Path) -> dict[str, dict[str, Any]]:
    """microcoder.yaml by short name."""
    return {path.parent.name: yaml.safe_load(path.read_text()) for path in archive.glob("*/microcoder.yaml")}


@pytest.fixture(scope="module")
def planted(archive: Path) -> list[Planted]:
    rows = re.findall(r"^\| ([^|`]+) \| `(\w+)` \| (?:`(\w+)`)? *\|", (archive / "README.md").read_text(), re.MULTILINE)
    return [Planted(*row) for row in rows]


@pytest.fixture(scope="module")
def results(problems: dict[str, ScrapedProblem]) -> list[tuple[str, Reference, Result]]:
    """Every submission that is to end by itself."""
    return _results(problems, *VERDICTS)


def _results(problems: dict[str, ScrapedProblem], *labels: str) -> list[tuple[str, Reference, Result]]:
    """Submissions of these labels, judged on the tests and under the limits of their package."""
    runs = [
        (name, reference, _judged(problem))
        for name, problem in problems.items()
        for reference in problem.references
        if reference.label in labels
    ]
    with Judge() as judge:
        found = judge.evaluate_many([Submission(reference.code, problem) for _, reference, problem in runs])
    return [(name, reference, result) for (name, reference, _), result in zip(runs, found, strict=True)]


def _judged(problem: ScrapedProblem) -> Problem:
    assert problem.checker is not None and problem.time_limit_s and problem.memory_limit_mb
    return Problem(
        problem.native_id,
        tuple(Test(test.input, test.expected, test.name) for test in problem.tests),
        Limits(problem.time_limit_s, problem.memory_limit_mb),
        problem.checker,
        "function" if problem.io_mode == "function" else "stdin",
        problem.entry_point,
    )


def _of_kind(planted: list[Planted], *kinds: str) -> list[Planted]:
    return [row for row in planted if row.kind in kinds]


def _only(planted: list[Planted], kind: str) -> Planted:
    (row,) = _of_kind(planted, kind)
    return row


def _tests(problem: ScrapedProblem) -> list[tuple[str, bytes, bytes]]:
    return [(test.name, test.input, test.expected) for test in problem.tests]


def _description(problem: ScrapedProblem) -> str:
    return problem.statement.partition("\n## ")[0].strip()


def test_every_folder_is_a_readable_package(
    archive: Path, problems: dict[str, ScrapedProblem], extensions: dict[str, dict[str, Any]]
) -> None:
    folders = {path.name for path in archive.iterdir() if path.is_dir()}
    assert folders == set(problems) == set(extensions)
    assert all(re.fullmatch(r"[a-z0-9]+", name) for name in folders)


def test_the_archive_is_large_and_varied_enough(
    problems: dict[str, ScrapedProblem], extensions: dict[str, dict[str, Any]]
) -> None:
    modes = Counter(problem.io_mode for problem in problems.values())
    assert len(problems) >= 60 and modes["stdin"] >= 40 and modes["function"] >= 12
    assert {raw["tier"] for raw in extensions.values()} == {1, 2, 3, 4}
    assert {problem.platform for problem in problems.values()} == {"lantern", "harbor", "meadow"}
    assert len({f"{problem.published:%Y-%m}" for problem in problems.values()}) >= 6
    rated = [raw for raw in extensions.values() if "rating" in raw]
    assert 0.5 < len(rated) / len(extensions) < 0.9
    means = [np.mean([raw["rating"] for raw in rated if raw["tier"] == tier]) for tier in (1, 2, 3, 4)]
    assert means == sorted(means) and all(800 <= raw["rating"] <= 2600 for raw in rated)


def test_metadata_is_complete(archive: Path, extensions: dict[str, dict[str, Any]]) -> None:
    days: dict[tuple[str, str], set[dt.date]] = {}
    for name, ours in extensions.items():
        meta = yaml.safe_load((archive / name / "problem.yaml").read_text())
        assert meta["name"] and meta["source"], name
        assert (meta["license"], meta["rights_owner"]) == ("cc by-sa", "microcoder authors"), name
        assert meta["limits"]["time_limit"] > 0 and meta["limits"]["memory"] > 0, name
        assert meta["validation"] in ("default", "custom"), name
        assert (meta["validation"] == "custom") == (archive / name / "output_validators").exists(), name
        assert type(ours["published"]) is dt.date and ours["tags"], name
        function = ours["io_mode"] == "function"
        assert function == ("entry_point" in ours) == ("starter_code" in ours), name
        assert not function or f"def {ours['entry_point']}(" in ours["starter_code"], name
        days.setdefault((ours["platform"], ours["contest"]), set()).add(ours["published"])
    assert {contest: found for contest, found in days.items() if len(found) > 1} == {}


def test_every_package_has_its_parts(
    problems: dict[str, ScrapedProblem], extensions: dict[str, dict[str, Any]], planted: list[Planted]
) -> None:
    for name, problem in problems.items():
        tier = extensions[name]["tier"]
        labels = Counter(reference.label for reference in problem.references)
        assert labels["accepted"] >= (2 if tier <= 2 else 1), name
        assert labels["wrong_answer"] >= (3 if tier == 1 else 2), name
        assert set(labels) <= {*VERDICTS, TOO_SLOW}, name
        samples = sum(test.sample for test in problem.tests)
        assert 1 <= samples <= 2 and len(problem.tests) - samples >= 4, name
        headings = HEADING.findall(problem.statement)
        if name == _only(planted, "incomplete statement").package:
            assert headings == ["Input"] and not _description(problem).endswith((".", "?", "!"))
        else:
            assert headings in (["Input", "Output"], ["Eingabe", "Ausgabe"]), name


def test_function_tests_hold_one_line_of_json(problems: dict[str, ScrapedProblem]) -> None:
    for name, problem in problems.items():
        if problem.io_mode == "function":
            for test in problem.tests:
                assert test.input.startswith(b"[") and test.input.count(b"\n") <= 1, (name, test.name)


def test_tier_1_is_small_and_shares_its_solutions(
    problems: dict[str, ScrapedProblem], extensions: dict[str, dict[str, Any]]
) -> None:
    easy = {name: problem for name, problem in problems.items() if extensions[name]["tier"] == 1}
    canonical = Counter[tuple[str | None, str]]()
    for name, problem in easy.items():
        assert len(_description(problem).split()) <= WORDS_OF_TIER_1, name
        for reference in problem.references:
            assert len(reference.code.splitlines()) <= 4, (name, reference.name)
            if reference.name == "accepted/a.py":
                canonical[problem.io_mode, problem.entry_point or reference.code] += 1
    assert Counter((mode, count) for (mode, _), count in canonical.items()) == {("stdin", 4): 8, ("function", 3): 4}


def test_submissions_do_what_their_folder_says(
    results: list[tuple[str, Reference, Result]], planted: list[Planted]
) -> None:
    traps = {row.package for row in _of_kind(planted, "wrong reference", "several answers, no checker")}
    surprises = [
        f"{name}/{reference.name}: {result.verdict} {result.message}"
        for name, reference, result in results
        if result.verdict is not VERDICTS[reference.label] and not (name in traps and reference.label == "accepted")
    ]
    assert surprises == []


@pytest.mark.slow
def test_slow_submissions_exceed_a_limit(problems: dict[str, ScrapedProblem]) -> None:
    """The time limit; those that collect every possibility may run out of memory first."""
    found = _results(problems, TOO_SLOW)
    verdicts = Counter(result.verdict for _, _, result in found)
    assert set(verdicts) <= {Verdict.TLE, Verdict.MLE}, [f"{name}: {result.verdict}" for name, _, result in found]
    assert verdicts[Verdict.TLE] >= 2 and verdicts[Verdict.TLE] > verdicts[Verdict.MLE]


def test_planted_copies(problems: dict[str, ScrapedProblem], planted: list[Planted]) -> None:
    for row in _of_kind(planted, *COPIES):
        copy, original = problems[row.package], problems[row.beside]
        assert copy.platform != original.platform and _tests(copy) == _tests(original)
        assert (copy.statement == original.statement) == (row.kind == "exact duplicate")
        assert (copy.statement_language == original.statement_language) == (row.kind != "translated duplicate")


def test_planted_references(
    results: list[tuple[str, Reference, Result]], problems: dict[str, ScrapedProblem], planted: list[Planted]
) -> None:
    wrong = _only(planted, "wrong reference").package
    several = _only(planted, "several answers, no checker").package
    verdicts: dict[str, list[Verdict]] = {wrong: [], several: []}
    for name, reference, result in results:
        if name in verdicts and reference.label == "accepted":
            verdicts[name].append(result.verdict)
            if name == wrong:
                assert result.first_failed is not None and not problems[wrong].tests[result.first_failed].sample
    assert set(verdicts[wrong]) == {Verdict.WA}
    assert set(verdicts[several]) == {Verdict.AC, Verdict.WA}


def test_planted_checkers(problems: dict[str, ScrapedProblem], planted: list[Planted]) -> None:
    for kind, checker in (
        ("custom checker", "custom"),
        ("float tolerance", "tokens_float"),
        ("several answers, no checker", "tokens"),
    ):
        found = problems[_only(planted, kind).package].checker
        assert found is not None and found.name == checker, kind


def test_planted_benchmark_problems(
    examples_dir: Path, problems: dict[str, ScrapedProblem], planted: list[Planted]
) -> None:
    """Their samples, and no other package's, are samples of a benchmark record."""
    benchmark = {
        tuple(case["input"].split())
        for path in (examples_dir / "benchmark").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
        for case in json.loads(json.loads(line)["public_test_cases"])
    }
    inside = {
        name
        for name, problem in problems.items()
        if {tuple(test.input.decode().split()) for test in problem.tests if test.sample} & benchmark
    }
    assert inside == {row.package for row in _of_kind(planted, "in the benchmark")}


def test_planted_list_names_packages_that_exist(problems: dict[str, ScrapedProblem], planted: list[Planted]) -> None:
    assert Counter(row.kind for row in planted) == {
        **dict.fromkeys(COPIES, 1),
        "incomplete statement": 1,
        "wrong reference": 1,
        "several answers, no checker": 1,
        "custom checker": 1,
        "float tolerance": 1,
        "in the benchmark": 2,
    }
    assert {name for row in planted for name in (row.package, row.beside) if name} <= set(problems)
    assert all(bool(row.beside) == (row.kind in COPIES) for row in planted)


def test_only_planted_copies_share_samples_or_text(problems: dict[str, ScrapedProblem], planted: list[Planted]) -> None:
    copies = {frozenset((row.package, row.beside)) for row in _of_kind(planted, *COPIES)}
    hasher = WordHasher()
    shingles = {name: grams(hasher(problem.statement), 3) for name, problem in problems.items()}
    samples = {
        name: {tuple(test.input.split()) for test in problem.tests if test.sample} for name, problem in problems.items()
    }
    for left, right in combinations(sorted(problems), 2):
        if frozenset((left, right)) in copies:
            assert samples[left] == samples[right]
            continue
        assert not samples[left] & samples[right], (left, right)
        shared = len(np.intersect1d(shingles[left], shingles[right], assume_unique=True))
        jaccard = shared / (len(shingles[left]) + len(shingles[right]) - shared)
        assert jaccard < DIFFERENT_STATEMENTS, (left, right)
