"""Strengthening runs real programs: a kept test rejects what slipped, and every reference agrees on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rows import DOUBLE, frame, selected, unique_row

from microcoder_assets.config import VerificationSettings
from microcoder_assets.stage import Kind, StageResult
from microcoder_assets.store import Blobs, Packs
from microcoder_assets.verification.programs import Program
from microcoder_assets.verification.stdin_inputs import stdin_model
from microcoder_assets.verification.strengthen import Strengthening, strengthen
from microcoder_assets.verification.verify import verify
from microcoder_judge import Judge, Problem, Test

TESTS = [(f"{n}\n".encode(), f"{2 * n}\n".encode()) for n in (1, 3, 4, 7)]
BOUND = {"variable": "n", "low": 1.0, "low_strict": False, "high": 1000.0, "high_strict": False, "text": "n"}
FORM: dict[str, Any] = {"input_spec": r"One integer $n$ ($1 \le n \le 1000$).", "bounds": [BOUND]}
ALSO_DOUBLE = "n = int(input())\nprint(n + n)"
SLIPS = "n = int(input())\nprint(2 * n if n < 50 else 0)"


def run(tmp_path: Path, references: dict[str, list[str]], **settings: Any) -> tuple[StageResult, Blobs]:
    blobs = Blobs(tmp_path / "blobs")
    problems = frame([unique_row(blobs, "a:double", TESTS, references, **FORM)])
    given = VerificationSettings(workers=2, strengthen=True, **settings)
    return verify(selected(problems), problems, blobs, Packs(tmp_path / "verdicts"), given), blobs


def test_a_submission_that_slipped_is_rejected_by_an_added_test(tmp_path: Path) -> None:
    references = {"accepted": [DOUBLE, ALSO_DOUBLE], "wrong_answer": [SLIPS]}
    result, blobs = run(tmp_path, references)
    decision, row = result.decisions[0], result.frame.row(0, named=True)
    assert (decision.kind, decision.reason, decision.detail["slipped"]) == (Kind.KEPT, "ok", [])
    assert decision.detail["strengthened"]["rejects"] == ["wrong_answer/0.py"]
    assert (row["wrong_run"], row["wrong_rejected"]) == (1, 1)
    [added] = row["added_tests"]
    stored = blobs.get_many([added["input_sha"], added["expected_sha"]])
    number = int(stored[added["input_sha"]])
    assert 50 <= number <= 1000 and int(stored[added["expected_sha"]]) == 2 * number
    assert {"test": added["name"], "submissions": ["wrong_answer/0.py"]} in row["kills"]
    again, _ = run(tmp_path / "again", references)
    assert again.decisions == result.decisions and again.frame.equals(result.frame)


def test_one_reference_is_not_believed_unless_the_settings_say_so(tmp_path: Path) -> None:
    references = {"accepted": [DOUBLE], "wrong_answer": [SLIPS]}
    assert run(tmp_path / "two", references)[0].decisions[0].reason == "wrong_accepted"
    assert run(tmp_path / "one", references, agreeing_references=1)[0].decisions[0].reason == "ok"


def test_what_the_tests_reject_is_not_searched_for(tmp_path: Path) -> None:
    result, _ = run(tmp_path, {"accepted": [DOUBLE, ALSO_DOUBLE], "wrong_answer": ["print(2)"]})
    assert result.frame["added_tests"].to_list() == [[]]
    assert "strengthened" not in result.decisions[0].detail


def test_a_problem_without_a_generator_says_why(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    references = {"accepted": [DOUBLE, ALSO_DOUBLE], "wrong_answer": [SLIPS]}
    problems = frame([unique_row(blobs, "a:double", TESTS[:2], references, **FORM)])
    settings = VerificationSettings(workers=1, strengthen=True)  # type: ignore[call-arg]
    decision = verify(selected(problems), problems, blobs, Packs(tmp_path / "verdicts"), settings).decisions[0]
    assert (decision.reason, decision.detail["no_generator"][:13]) == ("wrong_accepted", "2 small tests")


def search(other: str, judge: Judge, **settings: Any) -> Strengthening:
    problem = Problem("double", tuple(Test(*test) for test in TESTS))
    model = stdin_model({**FORM, "constraints": None}, [test.input for test in problem.tests])
    references = [Program("one", "accepted", "python", DOUBLE), Program("other", "accepted", "python", other)]
    chosen = VerificationSettings(**settings)
    return strengthen(problem, model, references, [Program("slips", "wrong_answer", "python", SLIPS)], judge, chosen)


@hypothesis_settings(max_examples=8)
@given(modulus=st.integers(2, 9), seed=st.integers(0, 99))
def test_a_test_on_which_references_disagree_is_never_kept(modulus: int, seed: int) -> None:
    other = f"n = int(input())\nprint(2 * n + (n >= 50 and n % {modulus} == 0))"
    with Judge(workers=1) as judge:
        found = search(other, judge, strengthen_rounds=2, strengthen_seed=seed, min_agreement=0.0)
    for new in found.tests:
        number = int(new.test.input)
        assert number % modulus and number >= 50
        assert int(new.test.expected) == 2 * number
    assert found.agreed <= found.inputs
    assert (found.survivors == ()) == bool(found.tests)


def test_nothing_is_kept_where_references_disagree_too_often() -> None:
    with Judge(workers=1) as judge:
        found = search("n = int(input())\nprint(2 * n if n < 60 else 1)", judge)
    assert found.tests == [] and found.survivors == ("slips",)
    assert found.refused.startswith("references agree on ")
