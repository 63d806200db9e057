"""What is said of graded samples: estimates, comparisons, pages, and the forms of others."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fabricated import fenced, function_row, program, stdin_row, write_folder
from hypothesis import given
from hypothesis import strategies as st

from microcoder_train.cli import run
from microcoder_train.config import EvaluationSettings
from microcoder_train.errors import TrainError
from microcoder_train.estimates import (
    bootstrap,
    bootstrap_both,
    compare,
    difference_of_groups,
    pass_at_k,
    sign_flip_test,
)
from microcoder_train.evaluation.completions import Drawn
from microcoder_train.evaluation.interchange import write_eval_all
from microcoder_train.evaluation.regrade import read_recorded
from microcoder_train.evaluation.scorecard import around_cutoff, grouped, scorecard
from microcoder_train.evaluation.scoring import Answer, Graded, Judges, grade
from microcoder_train.evaluation.suites import HumanEval, LiveCodeBench, Mbpp
from microcoder_train.evaluation.tasks import Extracted, Suite
from microcoder_train.plots import month_plot, score_plot


@given(st.integers(1, 200), st.data())
def test_pass_at_k_is_the_exact_share_of_draws(samples: int, data: st.DataObject) -> None:
    correct, k = data.draw(st.integers(0, samples)), data.draw(st.integers(1, samples))
    exact = 1 - Fraction(math.comb(samples - correct, k), math.comb(samples, k))
    assert abs(pass_at_k(samples, correct, k) - exact) < 1e-12


def test_pass_at_k_of_too_few_samples_is_no_number() -> None:
    assert math.isnan(pass_at_k(3, 3, 4))


@given(st.lists(st.integers(0, 8), min_size=1, max_size=12), st.sampled_from((1, 5, 8)))
def test_intervals_over_samples_too_hold_the_mean(correct: list[int], k: int) -> None:
    estimate = bootstrap_both([(8, number) for number in correct], k, 200)
    assert math.isclose(estimate.mean, sum(pass_at_k(8, number, k) for number in correct) / len(correct))
    assert 0 <= estimate.low <= estimate.high <= 1


def test_resampled_samples_widen_an_interval() -> None:
    tallies = [(4, 2)] * 40
    both = bootstrap_both(tallies, 1, 1000)
    assert bootstrap([0.5] * 40, 1000).high == 0.5 < both.high
    assert both.high - both.low == pytest.approx(2 * 1.96 * 0.25 / math.sqrt(40), rel=0.15)


def test_sign_flips_are_exact_for_few_pairs() -> None:
    assert sign_flip_test([1.0] * 5, 100) == 2 / 32
    assert sign_flip_test([1.0, -1.0], 100) == 1.0 == sign_flip_test([], 100)
    assert sign_flip_test([0.5] * 30, 1000) == 1 / 1000
    assert sign_flip_test([0.5, -0.4] * 20, 1000) > 0.5


def test_a_comparison_counts_wins_and_losses() -> None:
    first = {"a": 0.0, "b": 1.0, "c": 0.5, "d": 0.2}
    found = compare(first, {"a": 1.0, "b": 0.5, "c": 0.5}, 100)
    assert (found.wins, found.losses, found.ties, found.difference.problems) == (1, 1, 1, 3)
    assert math.isnan(difference_of_groups([], [1.0], 10).mean)
    assert difference_of_groups([0.0, 0.5], [1.0], 50).mean == 0.75


def graded(problem: str, accepted: bool | None, **changes: Any) -> Graded:
    fields: dict[str, Any] = {
        "model": "m", "suite": "livecodebench", "problem_id": problem, "question_id": problem, "platform": "a",
        "difficulty": "easy", "month": "2024-05", "release": "v1", "sample": 0, "accepted": accepted, "verdict": "AC",
        "passed": 1, "total": 1, "message": "", "faithful": accepted, "faithful_verdict": "AC", "difference": None,
        "errata": None, "extracted": "block", "truncated": False, "tokens": 10, "prompt_tokens": 5, "code": "c",
        "completion": "```\nc\n```",
    }  # fmt: skip
    return Graded(**{**fields, **changes})


def test_a_card_gives_scores_by_both_rules_and_without_errata() -> None:
    samples = [
        graded("a", True),
        graded("b", False, errata="a test is wrong", faithful=True, truncated=True, tokens=30),
        graded("c", None, difficulty="hard"),
    ]
    card = scorecard(samples, EvaluationSettings(bootstrap=20, price_prompt=1.0, price_completion=2.0))
    rules = {name: (value["pass@1"], value["problems"]) for name, value in card["rules"].items()}
    assert rules == {"official": (0.5, 2), "faithful": (1.0, 2), "official without errata": (1.0, 1)}
    assert (card["errata"], card["not_judged"], card["tokens"]["accepted"], card["tokens"]["rejected"]) == (
        1,
        1,
        10,
        30,
    )
    assert card["truncated"] == pytest.approx(1 / 3)
    assert card["cost_usd"] == pytest.approx((15 * 1 + 50 * 2) / 1e6)
    assert set(card["pass@k"]) == {"pass@1"}


def test_a_cutoff_separates_months() -> None:
    samples = [
        graded("a", True, month="2024-05"),
        graded("b", False, month="2024-06"),
        graded("c", True, month="unknown"),
    ]
    found = around_cutoff(samples, dt.date(2024, 5, 31), 20)
    assert (found["before"]["overall"]["pass@1"], found["after"]["overall"]["pass@1"]) == (1.0, 0.0)
    assert found["change"]["pass@1"] == -1.0 and found["change"]["problems"] == 2


def test_plots_are_small_files_for_few_and_many_policies(tmp_path: Path) -> None:
    estimate = bootstrap([0.0, 1.0], 10)
    for policies in (2, 7):
        names = [f"policy {number}" for number in range(policies)]
        month_plot(
            tmp_path / "m.png", {name: {"2024-05": estimate, "2024-06": estimate} for name in names}, {"x": "2024-05"}
        )
        score_plot(tmp_path / "s.png", {name: {"overall": estimate} for name in names})
        for name in ("m.png", "s.png"):
            assert (tmp_path / name).read_bytes().startswith(b"\x89PNG") and (tmp_path / name).stat().st_size < 80_000


ROWS = [
    {**stdin_row("sum", "sum", "+", "-"), "question_id": "q1", "published": dt.date(2024, 5, 4)},
    {**function_row("double"), "question_id": "q2", "published": dt.date(2024, 6, 4)},
]
TWICE = "class Solution:\n    def twice(self, x):\n        return {}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("bench") / "b", {"test": ROWS})


def test_both_ways_of_judging_stand_side_by_side_with_what_each_says(folder: Path) -> None:
    suite = LiveCodeBench(folder)
    codes = [program("+"), program("-"), f"{program('+')}\nassert gcd(2, 4) == 2", "not Python"]
    task = suite.tasks[0]
    answers = [Answer(task, n, Drawn("", 0, False), Extracted(code, "block")) for n, code in enumerate(codes)]
    answers.append(Answer(task, 4, Drawn("", 0, False), Extracted(None, "no_block")))
    with Judges(suite, 1) as judges:
        found = grade("m", suite, answers, judges)
    assert [item.accepted for item in found] == [True, False, True, False, False]
    assert [item.faithful for item in found] == [True, False, False, False, False]
    assert found[4].verdict == "NO_CODE" and found[4].message == "no code block"
    (differing,) = (item for item in found if item.difference)
    assert differing.difference is not None and "NameError: name 'gcd' is not defined" in differing.difference


def test_eval_all_holds_what_livecodebench_scores(folder: Path, tmp_path: Path) -> None:
    suite = LiveCodeBench(folder)
    samples = [graded("test:double", False), graded("test:sum", True), graded("test:sum", None, sample=1, code=None)]
    write_eval_all(tmp_path / "e.json", suite, samples)
    first, second = json.loads((tmp_path / "e.json").read_text("utf-8"))
    assert [first["question_id"], second["question_id"]] == ["q1", "q2"]
    assert (first["graded_list"], first["code_list"], first["pass@1"]) == ([True, False], ["c", ""], 0.5)
    assert dt.datetime.fromisoformat(first["contest_date"]) == dt.datetime(2024, 5, 4)


RECORDED = [
    {"question_id": "q1", "code": program("+"), "passed": True, "model": "m"},
    {"question_id": "q1", "code": program("-"), "passed": False, "model": "m",
     "evaluator_metadata": {"inputs": "9 1\n", "expected": "10\n", "error_code": -2, "output": "8\n"}},
    {"question_id": "q2", "code": TWICE.format("x + x"), "passed": False, "model": "m",
     "evaluator_metadata": {"inputs": "[3]", "expected": "6", "error_code": -3}},
    {"question_id": "q2", "code": TWICE.format("x + x"), "passed": False, "model": "m",
     "evaluator_metadata": {"inputs": "[3...", "expected": "6", "error_code": -2}},
    {"question_id": "elsewhere", "code": "x", "passed": True, "model": "m"},
]  # fmt: skip


def test_recorded_generations_are_judged_and_each_disagreement_has_its_reason(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "recorded.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in RECORDED).encode()))
    out = tmp_path / "out"
    report = run(["regrade", str(path), "--benchmark", str(folder), "--out", str(out)], lambda _: None)
    lines = report.tables["agreement"].splitlines()
    assert "| official | passed | 1 | 1 | 0 | 0 |" in lines
    assert "| official | wrong answer | 1 | 1 | 0 | 0 |" in lines
    assert "| official | time limit | 1 | 0 | 1 | 0 |" in lines
    assert "| official | wrong answer, no input | 1 | 0 | 0 | 1 |" in lines
    (named,) = (line for line in (out / "agreement.md").read_text("utf-8").splitlines() if "test:double" in line)
    assert "its 6 s are wall time on a machine of its own" in named
    assert len(pq.read_table(out / "scores.parquet")) == 4


def test_every_form_of_recorded_generations_is_read(folder: Path, tmp_path: Path) -> None:
    suite = LiveCodeBench(folder)
    entry = {"question_id": "q1", "code_list": ["a", "b"], "graded_list": [True, False], "output_list": ["x", "y"],
             "metadata": ["{}", '{"error_code": -4}']}  # fmt: skip
    forms: list[tuple[object, list[str | None]]] = [
        ([entry], ["a", "b"]),
        ([{"question_id": "q1", "code_list": ["a"]}], ["a"]),
        ([["a"], ["b", "c"]], ["a", "b", "c"]),
        ([{"problem_id": "test:sum", "completion": fenced("d")}], ["d"]),
    ]
    for content, codes in forms:
        (tmp_path / "f.json").write_text(json.dumps(content))
        found = read_recorded(tmp_path / "f.json", suite)
        assert [item.answer.extracted.code for item in found] == codes
    (tmp_path / "f.json").write_text(json.dumps([entry]))
    assert [item.passed for item in read_recorded(tmp_path / "f.json", suite)] == [True, False]
    for content, words in (
        ("[{}]", "no file of recorded"),
        ("[", "no file of"),
        ('[{"question_id": 5}]', "no generation"),
    ):
        (tmp_path / "f.json").write_text(content)
        with pytest.raises(TrainError, match=words):
            read_recorded(tmp_path / "f.json", suite)


@pytest.mark.data
def test_tables_by_difficulty_are_those_of_the_leaderboard(data_dir: Path) -> None:
    """Lists of ten graded samples a problem, as the rates of the file are tenths, through the tables of a report."""
    path = data_dir / "livecodebench" / "leaderboard_performances_generation.json.gz"
    rows = json.loads(gzip.decompress(path.read_bytes()))["performances"]
    models = sorted({row["model"] for row in rows})
    assert len(models) == 16 and all(row["pass@1"] % 10 == 0 for row in rows)
    for model in models:
        own = [row for row in rows if row["model"] == model]
        samples = [
            graded(row["question_id"], n < row["pass@1"] / 10, platform=row["platform"], difficulty=row["difficulty"])
            for row in own
            for n in range(10)
        ]
        for grouping in ("difficulty", "platform"):
            for name, estimate in grouped(samples, grouping, 0).items():
                rates = [row["pass@1"] / 100 for row in own if row[grouping] == name]
                assert (estimate.problems, estimate.mean) == (
                    len(rates),
                    pytest.approx(sum(rates) / len(rates), abs=1e-12),
                )


def accepted_share(suite: Suite, programs: list[tuple[Any, str]]) -> float:
    answers = [Answer(task, 0, Drawn("", 0, False), Extracted(code, "all")) for task, code in programs]
    with Judges(suite, 1) as judges:
        return sum(bool(item.accepted) for item in grade("m", suite, answers, judges)) / len(answers)


@pytest.mark.data
def test_humaneval_references_pass_and_without_their_last_line_fail(data_dir: Path) -> None:
    suite = HumanEval(data_dir / "humaneval" / "HumanEval.jsonl.gz")
    tasks = suite.tasks[::4]
    solutions = [(task, suite.items[task.problem_id]["canonical_solution"]) for task in tasks]
    assert accepted_share(suite, [(task, task.prompt + code) for task, code in solutions]) == 1.0
    shorter = [(task, task.prompt + code.rstrip().rpartition("\n")[0]) for task, code in solutions]
    assert accepted_share(suite, shorter) <= 0.1


@pytest.mark.data
def test_mbpp_references_pass(data_dir: Path) -> None:
    suite = Mbpp(data_dir / "mbpp" / "mbpp.jsonl.gz")
    assert (len(suite.tasks), len(suite.every)) == (500, 974)
    assert accepted_share(suite, [(task, suite.items[task.problem_id]["code"]) for task in suite.tasks[::10]]) == 1.0
