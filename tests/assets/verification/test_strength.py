"""How well a problem's tests tell right from wrong, what shows it, and references that cannot be relied on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rows import DOUBLE, frame, selected, unique_row

from microcoder_assets.config import VerificationSettings
from microcoder_assets.lineage import story
from microcoder_assets.schema import VERIFICATION_EVIDENCE
from microcoder_assets.stage import StageResult
from microcoder_assets.store import Blobs, Packs, ParquetStore
from microcoder_assets.store.catalogue import query
from microcoder_assets.verification.plots import kill_counts, kill_matrix, strength_histogram
from microcoder_assets.verification.programs import Program, survivors
from microcoder_assets.verification.trial import Trial
from microcoder_assets.verification.verify import verify
from microcoder_judge import Judge, Problem, Result, Submission, Test, TestResult, Verdict

ABSOLUTE = "n = int(input())\nif n < 0:\n    n = -n\nprint(n)"
STRONG = [(b"5\n", b"5\n"), (b"-3\n", b"3\n"), (b"0\n", b"0\n"), (b"-1\n", b"1\n")]
WEAK = STRONG[:1]
MUTANTS, LIMIT = 4, 0.5


def run(blobs: Blobs, cache: Packs, problems: pl.DataFrame, **settings: Any) -> StageResult:
    return verify(selected(problems), problems, blobs, cache, VerificationSettings(workers=2, **settings))


def absolute(blobs: Blobs, problem_id: str, tests: list[tuple[bytes, bytes]], **fields: Any) -> dict[str, Any]:
    return unique_row(blobs, problem_id, tests, {"accepted": [ABSOLUTE]}, **fields)


def test_better_tests_kill_more_mutants_and_weak_ones_are_flagged(tmp_path: Path) -> None:
    blobs, cache = Blobs(tmp_path / "blobs"), Packs(tmp_path / "verdicts")
    problems = frame([absolute(blobs, "a:strong", STRONG), absolute(blobs, "a:weak", WEAK)])
    result = run(blobs, cache, problems, weak_below=LIMIT)
    strong, weak = result.frame.iter_rows(named=True)
    assert strong["mutants_run"] == weak["mutants_run"] >= MUTANTS
    assert strong["mutants_killed"] > weak["mutants_killed"]
    assert (strong["flags"], weak["flags"]) == ([], ["weak_tests"])
    for row in (strong, weak):
        killed = {name for kill in row["kills"] for name in kill["submissions"]}
        assert len(killed) == row["mutants_killed"] and killed.isdisjoint(row["survivors"])
        assert len(row["survivors"]) == row["mutants_run"] - row["mutants_killed"]
    dropped = run(blobs, cache, problems, weak_below=LIMIT, drop_weak=True)
    assert [d.reason for d in dropped.decisions] == ["ok", "weak_tests"]


def test_whether_weak_tests_are_dropped_is_decided_without_running_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs, cache = Blobs(tmp_path / "blobs"), Packs(tmp_path / "verdicts")
    problems = frame([absolute(blobs, "a:weak", WEAK)])
    run(blobs, cache, problems)

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a program was judged")

    monkeypatch.setattr("microcoder_judge.Judge.evaluate_many", refuse)
    (decision,) = run(blobs, cache, problems, weak_below=1.0, drop_weak=True).decisions
    assert decision.reason == "weak_tests"


def test_survivors_are_handed_over_as_programs(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    problems = frame([absolute(blobs, "a:weak", WEAK)])
    settings = VerificationSettings(workers=2)  # type: ignore[call-arg]
    row = run(blobs, Packs(tmp_path / "verdicts"), problems).frame.row(0, named=True)
    programs = survivors(problems.row(0, named=True), row["survivors"], row["verified_references"], settings)
    assert sorted(program.name for program in programs) == sorted(row["survivors"]) and programs
    weak, strong = (Problem("a:x", tuple(Test(*test) for test in tests)) for tests in (WEAK, STRONG))
    with Judge(workers=2) as judge:
        assert all(judge.evaluate(Submission(program.code, weak)).accepted for program in programs)
        assert not all(judge.evaluate(Submission(program.code, strong)).accepted for program in programs)


@pytest.mark.parametrize(("output", "reason"), [("4", "ok"), ("5", "sample_rejected")])
def test_a_sample_that_is_not_a_test_must_agree(tmp_path: Path, output: str, reason: str) -> None:
    blobs = Blobs(tmp_path / "blobs")
    sample = {"input": "-4", "output": output, "explanation": None}
    problems = frame([absolute(blobs, "a:x", STRONG, samples=[sample])])
    (decision,) = run(blobs, Packs(tmp_path / "verdicts"), problems, mutants=0).decisions
    assert decision.reason == reason
    if reason != "ok":
        assert "sample 1" in decision.detail["message"] and decision.detail["program"] == "accepted/0.py"


def test_references_that_agree_against_a_sample(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    tests = [(b"2\n", b"5\n"), (b"3\n", b"6\n")]
    references = {"accepted": [DOUBLE, "n = int(input())\nprint(n + n)"]}
    problems = frame([unique_row(blobs, "a:x", tests, references)])
    (decision,) = run(blobs, Packs(tmp_path / "verdicts"), problems).decisions
    assert decision.reason == "sample_rejected"


def ran(verdict: Verdict, cpu_s: float = 0.1) -> Result:
    return Result("a:x", verdict, 0, 1, (TestResult("0", verdict, cpu_s),))


REFERENCES = [Program(f"accepted/{n}.py", "accepted", "python", code) for n, code in enumerate((DOUBLE, ABSOLUTE))]


def trial(*runs: list[Result]) -> Trial:
    row = {"tests": [{"name": "0", "sample": False}], "samples": []}
    made = Trial(row, Problem("a:x", (Test(b"1", b"2", "0"),)), REFERENCES[: len(runs)], near_limit=0.5)
    made.runs = {program.name: list(results) for program, results in zip(REFERENCES, runs, strict=False)}
    return made


AC, WA, TLE = (ran(verdict) for verdict in (Verdict.AC, Verdict.WA, Verdict.TLE))


@pytest.mark.parametrize(
    ("runs", "reason"),
    [
        ([[AC, AC, AC]], "ok"),
        ([[AC, WA, AC]], "flaky_reference"),
        ([[AC, TLE, AC]], "slow_reference"),
        ([[WA, WA, WA]], "reference_failed"),
        ([[AC], [WA, AC, WA]], "ok"),
        ([[AC], [WA, WA, WA]], "references_disagree"),
    ],
)
def test_a_reference_that_changes_its_mind_proves_nothing(runs: list[list[Result]], reason: str) -> None:
    found, detail = trial(*runs).finding()
    assert found == reason
    unsteady = any(len({result.verdict for result in results}) > 1 for results in runs)
    assert ("unsteady" in detail) == unsteady


def test_only_doubtful_references_are_run_again(tmp_path: Path) -> None:
    assert trial([AC]).doubtful == []
    assert trial([ran(Verdict.AC, cpu_s=1.5)]).doubtful == REFERENCES[:1] == trial([WA]).doubtful
    assert trial([ran(Verdict.AC, cpu_s=1.5)]).all_near_limit and not trial([ran(Verdict.AC, 1.5)], [AC]).all_near_limit
    blobs, store = Blobs(tmp_path / "store" / "packs" / "blobs"), ParquetStore(tmp_path / "store")
    by_chance = "import random\nrandom.random()\n" + DOUBLE
    problems = frame([unique_row(blobs, "a:x", references={"accepted": [DOUBLE, by_chance]})])
    publish(store, run(blobs, store.packs("verdicts"), problems, mutants=0, repeats=3))
    rows = query(store, "SELECT program, verdicts FROM verification_evidence ORDER BY program").rows()
    assert rows == [("accepted/0.py", ["AC"]), ("accepted/1.py", ["AC"] * 4)]


def test_a_doubtful_reference_is_run_again_on_the_tests_that_raised_the_doubt() -> None:
    tests = tuple(Test(b"%d" % n, b"%d" % (2 * n), str(n)) for n in range(4))
    problem = Problem("a:x", tests)
    made = Trial({"tests": [], "samples": []}, problem, [REFERENCES[0]], near_limit=0.5)
    reached = (TestResult("0", Verdict.AC, 0.1), TestResult("1", Verdict.AC, 1.5), TestResult("2", Verdict.WA, 0.1))
    made.runs = {REFERENCES[0].name: [Result("a:x", Verdict.WA, 2, 4, reached)]}
    assert made.doubted_tests(REFERENCES[0]) == tests[1:3]
    made.runs = {REFERENCES[0].name: [Result("a:x", Verdict.CE, 0, 4, ())]}
    assert made.doubted_tests(REFERENCES[0]) == tests
    by_chance = replace(REFERENCES[0], code="import random\nrandom.random()\n" + DOUBLE)
    made.runs = {by_chance.name: [Result("a:x", Verdict.WA, 2, 4, reached)]}
    assert made.doubted_tests(by_chance) == tests


def publish(store: ParquetStore, result: StageResult) -> None:
    store.publish("verified_problems", result, inputs="inputs", code_version="1", run_id="0123456789")


def test_evidence_names_every_program_of_kept_and_dropped_problems(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path / "store")
    wrong = {"wrong_answer": ["print(1)"]}
    problems = frame(
        [
            unique_row(store.blobs, "a:kept", references={"accepted": [DOUBLE], **wrong}),
            unique_row(store.blobs, "a:dropped", references={"accepted": ["print(0)"], **wrong}),
        ]
    )
    result = run(store.blobs, store.packs("verdicts"), problems)
    publish(store, result)
    rows = query(store, "FROM verification_evidence")
    assert {name: rows.schema[name] for name in rows.columns}.keys() == VERIFICATION_EVIDENCE.keys()
    by_program = {(r["problem_id"], r["program"]): r for r in rows.iter_rows(named=True)}
    kept, slain = by_program["a:kept", "accepted/0.py"], by_program["a:kept", "wrong_answer/0.py"]
    assert (kept["verdict"], kept["failed_test"], kept["label"]) == ("AC", None, "accepted")
    assert (slain["verdict"], slain["failed_test"]) == ("WA", "0")
    assert kept["sha"] == Program("", "", "", DOUBLE).sha and kept["judged_at"] is not None
    assert by_program["a:dropped", "accepted/0.py"]["verdicts"] == ["WA"] * 3
    assert rows["label"].value_counts().height == 3
    strength = query(store, "FROM test_strength").row(0, named=True)
    assert (strength["true_positive_rate"], strength["true_negative_rate"]) == (1.0, 1.0)
    told = story(store, "a:kept")
    assert "1 of 1 pass" in told and "0 of 1 pass" in told and kept["tests_sha"][:12] in told


def test_equal_problems_are_equal_rows_in_two_homes(tmp_path: Path) -> None:
    results = []
    for home in ("one", "two"):
        blobs = Blobs(tmp_path / home / "blobs")
        results.append(run(blobs, Packs(tmp_path / home / "verdicts"), frame([absolute(blobs, "a:x", STRONG)])))
    assert results[0].frame.equals(results[1].frame) and results[0].decisions == results[1].decisions


def test_plots_hold_what_was_killed(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    wrong = {"accepted": [ABSOLUTE], "wrong_answer": ["print(5)"]}
    problems = frame([unique_row(blobs, "a:x", STRONG, wrong), absolute(blobs, "b:x", WEAK)])
    rows = run(blobs, Packs(tmp_path / "verdicts"), problems).frame
    counts = kill_counts(rows)
    assert counts.filter(pl.col("kind") == "known-wrong").rows() == [("a", "known-wrong", 1, 1)]
    mutants = counts.filter(pl.col("kind") != "known-wrong")
    assert mutants.select(pl.col("killed", "run").sum()).row(0) == (
        rows["mutants_killed"].sum(),
        rows["mutants_run"].sum(),
    )
    for frame_of in (rows, rows.clear()):
        assert kill_matrix(frame_of).startswith(b"\x89PNG") and strength_histogram(frame_of, 0.5).startswith(b"\x89PNG")
