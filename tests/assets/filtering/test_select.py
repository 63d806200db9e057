from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from microcoder_assets.config import SelectionSettings
from microcoder_assets.filtering.select import select
from microcoder_assets.schema import CALIBRATED, SELECTED
from microcoder_assets.stage import Decision, Kind
from microcoder_judge import Checker

TEST = {"name": "1", "sample": True, "input_sha": "a", "expected_sha": "b", "bytes": 2}
REFERENCE = {"name": "r", "language": "python", "label": "accepted", "code": "print(1)"}
GOOD = {"tests": [TEST], "references": [REFERENCE]}
CUSTOM = Checker(name="custom", program="exit(42)").to_json()


def calibrated(problems: pl.DataFrame, score: float = 3.0, rate: float = 0.5) -> pl.DataFrame:
    values = {"score": score, "expected_solve_rate": rate, "band": "medium", "evidence": "prior"}
    rows = [
        {**dict.fromkeys(CALIBRATED), **values, "problem_id": problem_id, "content_sha": sha}
        for problem_id, sha in problems.select("problem_id", "content_sha").iter_rows()
    ]
    return pl.DataFrame(rows, schema=CALIBRATED, orient="row")


def decide(problems: pl.DataFrame, **values: Any) -> Decision:
    (decision,) = select(calibrated(problems, **values), problems, SelectionSettings()).decisions
    return decision


def test_the_sentence_that_admits_several_answers_is_named(unique_rows: Any) -> None:
    evidence = [{"rule": "any_valid", "sentence": "Print any."}]
    decision = decide(unique_rows({**GOOD, "flags": ["multi_answer"], "checker_evidence": evidence}))
    assert (decision.reason, decision.detail["said"]) == ("unjudgeable", ["Print any."])


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        ({}, "ok"),
        ({"flags": ["multi_answer"]}, "unjudgeable"),
        ({"flags": ["multi_answer"], "checker": Checker().to_json()}, "unjudgeable"),
        ({"flags": ["multi_answer"], "checker": CUSTOM}, "ok"),
        ({"flags": ["needs_image"]}, "needs_image"),
        ({"flags": ["unsupported_checker"]}, "unsupported_checker"),
        ({"flags": ["premium"]}, "ok"),
        ({"flags": None}, "ok"),
        ({"tests": []}, "no_tests"),
        ({"tests": None}, "no_tests"),
        ({"references": []}, "no_reference"),
        ({"references": [{**REFERENCE, "label": "wrong_answer"}]}, "no_reference"),
        ({"references": [{**REFERENCE, "language": "cpp"}]}, "no_reference"),
        ({"flags": ["needs_image", "multi_answer"], "tests": []}, "unjudgeable"),
    ],
)
def test_reasons_in_their_order(unique_rows: Any, problem: dict[str, Any], reason: str) -> None:
    decision = decide(unique_rows({**GOOD, **problem}))
    assert decision.reason == reason
    assert decision.kind is (Kind.KEPT if reason == "ok" else Kind.DROPPED)
    assert decision.score == 3.0


@pytest.mark.parametrize(
    ("values", "reason", "rule"),
    [
        ({"rate": 0.97}, "ok", None),
        ({"rate": 0.98}, "too_easy", "max_solve_rate = 0.97"),
        ({"rate": 0.01}, "ok", None),
        ({"rate": 0.009}, "too_hard", "min_solve_rate = 0.01"),
        ({"score": 0.9}, "too_easy", "min_score = 1"),
    ],
)
def test_difficulty_limits(unique_rows: Any, values: dict[str, float], reason: str, rule: str | None) -> None:
    decision = decide(unique_rows(GOOD), **values)
    assert (decision.reason, decision.rule) == (reason, rule)
    assert decision.detail["expected_solve_rate"] == values.get("rate", 0.5)


def test_every_row_is_decided_once_in_any_order(unique_rows: Any) -> None:
    problems = unique_rows(*({**GOOD, "tests": [TEST] * (n % 2)} for n in range(20)), {"problem_id": "other:1"})
    rows = calibrated(problems.head(20))
    result = select(rows, problems, SelectionSettings())
    assert result.accounted() is None
    assert sorted(d.problem_id for d in result.decisions) == sorted(rows["problem_id"])
    assert result.frame.schema == pl.Schema(SELECTED)
    assert result.frame.height == 10
    shuffled = select(rows.sample(fraction=1, shuffle=True, seed=2), problems.reverse(), SelectionSettings())
    assert_frame_equal(result.frame, shuffled.frame)
    assert result.decisions == shuffled.decisions


def test_no_rows(unique_rows: Any) -> None:
    empty = unique_rows()
    assert select(calibrated(empty), empty, SelectionSettings()).frame.schema == pl.Schema(SELECTED)
