from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from microcoder_assets.config import SelectionPolicy
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


def decide(problems: pl.DataFrame, policy: dict[str, Any] | None = None, **values: Any) -> Decision:
    result, _ = select(calibrated(problems, **values), problems, SelectionPolicy.model_validate(policy or {}))
    (decision,) = result.decisions
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
        ({"rate": 0.98}, "too_easy", "difficulty.max_solve_rate = 0.97"),
        ({"rate": 0.01}, "ok", None),
        ({"rate": 0.009}, "too_hard", "difficulty.min_solve_rate = 0.01"),
        ({"score": 0.9}, "too_easy", "difficulty.min_score = 1"),
    ],
)
def test_difficulty_limits(unique_rows: Any, values: dict[str, float], reason: str, rule: str | None) -> None:
    decision = decide(unique_rows(GOOD), **values)
    assert (decision.reason, decision.rule) == (reason, rule)
    assert decision.detail["expected_solve_rate"] == values.get("rate", 0.5)


def test_every_row_is_decided_once_in_any_order(unique_rows: Any) -> None:
    problems = unique_rows(*({**GOOD, "tests": [TEST] * (n % 2)} for n in range(20)), {"problem_id": "other:1"})
    rows = calibrated(problems.head(20))
    result, _ = select(rows, problems, SelectionPolicy())
    assert result.accounted() is None
    assert sorted(d.problem_id for d in result.decisions) == sorted(rows["problem_id"])
    assert result.frame.schema == pl.Schema(SELECTED)
    assert result.frame.height == 10
    shuffled, _ = select(rows.sample(fraction=1, shuffle=True, seed=2), problems.reverse(), SelectionPolicy())
    assert_frame_equal(result.frame, shuffled.frame)
    assert list(result.decisions) == list(shuffled.decisions)


def test_no_rows(unique_rows: Any) -> None:
    empty = unique_rows()
    result, _ = select(calibrated(empty), empty, SelectionPolicy())
    assert result.frame.schema == pl.Schema(SELECTED)


@pytest.mark.parametrize(
    ("gates", "problem", "reason", "rule"),
    [
        ({"flags": ["premium"]}, {"flags": ["premium"]}, "flagged", "gates.flags: premium"),
        ({"flags": ["premium"]}, {"flags": ["needs_image"]}, "ok", None),
        ({"flags": []}, {"flags": ["multi_answer"]}, "unjudgeable", None),
        ({"flags": []}, {"flags": ["unsupported_checker"]}, "unsupported_checker", None),
        ({"min_tests": 2}, {}, "no_tests", "gates.min_tests = 2"),
        ({"min_tests": 2}, {"tests": [TEST, TEST]}, "ok", None),
        ({"min_references": 2}, {}, "no_reference", "gates.min_references = 2"),
        ({"min_references": 2}, {"references": [REFERENCE, REFERENCE]}, "ok", None),
        ({"min_references": 0}, {"references": None}, "ok", None),
    ],
)
def test_gates_are_what_the_policy_says(
    unique_rows: Any, gates: dict[str, Any], problem: dict[str, Any], reason: str, rule: str | None
) -> None:
    decision = decide(unique_rows({**GOOD, **problem}), {"gates": gates})
    assert (decision.reason, decision.rule) == (reason, rule)


@pytest.mark.parametrize(
    ("policy", "out", "reason", "rule", "full"),
    [
        ({"caps": {"platform": {"a": 2}}}, 3, "over_cap", "caps.platform.a = 2", "platform a"),
        ({"caps": {"platform": {"*": 2}}, "seed": 1}, 6, "over_cap", "caps.platform.* = 2", None),
        ({"size": 4}, 6, "over_size", "size = 4", None),
    ],
)
def test_what_the_draw_leaves_out_names_the_cap_or_the_size(
    unique_rows: Any, policy: dict[str, Any], out: int, reason: str, rule: str, full: str | None
) -> None:
    problems = unique_rows(*({**GOOD, "platform": "ab"[n % 2]} for n in range(10)))
    result, report = select(calibrated(problems), problems, SelectionPolicy.model_validate(policy))
    assert result.accounted() is None
    left_out = [d for d in result.decisions if d.kind is Kind.DROPPED]
    assert [(d.reason, d.rule) for d in left_out] == [(reason, rule)] * out
    assert full is None or {d.detail["full"] for d in left_out} == {full}
    assert all({"weight", "draw"} <= set(d.detail) for d in result.decisions)
    assert sorted(report.rows["rank"]) == list(range(1, 11))


def test_a_row_that_fails_a_gate_takes_no_place(unique_rows: Any) -> None:
    problems = unique_rows(*({**GOOD, "tests": [TEST] * (n % 2)} for n in range(20)))
    policy = SelectionPolicy.model_validate({"size": 10})
    result, report = select(calibrated(problems), problems, policy)
    assert result.frame.height == 10
    assert report.rows["rank"].count() == 10
