"""The table of experiments and insights, and the rule by which runs judge them, on made-up runs."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from microcoder_train.config import PRESETS
from microcoder_train.errors import TrainError
from microcoder_train.experiments.grids import EXPERIMENTS, REFERENCE, find_experiments, settings_of
from microcoder_train.experiments.insights import INSIGHTS, Contrast, Insight
from microcoder_train.experiments.report import page, verdict_table
from microcoder_train.experiments.verdicts import (
    MEASURES,
    NOT_REPRODUCED,
    NOT_TESTABLE,
    REPRODUCED,
    TOO_FEW,
    find,
    judge,
    over_seeds,
    paired,
)
from microcoder_train.trainer import grpo_config

CELLS = {cell.name: cell for item in EXPERIMENTS.values() for cell in item.all_cells()}


def made(score: float, rewards: tuple[float, ...] = (0.1, 0.2), **columns: float) -> dict[str, Any]:
    """A summary as a run leaves it, as far as it is read."""
    estimate = {"pass@1": score, "low": 0.0, "high": 1.0}
    empty = {"diversity": None, "completion_length": 1.0, "masked": 0.0, "truncated": 0.0, "clip_high": 0.0}
    curve = [{"step": step, "reward": reward, **empty, **columns} for step, reward in enumerate(rewards)]
    validation = {"base": estimate, "tuned": estimate, "difference": estimate}
    return {"validation": validation, "curve": curve, "data_version": "v1", "seconds": 1.0}


def runs(**scores: list[float]) -> dict[str, dict[int, dict[str, Any]]]:
    return {cell: {seed: made(score) for seed, score in enumerate(own)} for cell, own in scores.items()}


def test_cells_of_one_name_are_one_run_wherever_they_stand() -> None:
    for item in EXPERIMENTS.values():
        for cell in item.all_cells():
            assert (cell.values, cell.data) == (CELLS[cell.name].values, CELLS[cell.name].data)


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_every_cell_divides_into_rollouts_and_differs_from_the_reference(cell: Any, tmp_path: Any) -> None:
    settings, reference = settings_of(cell, PRESETS["small"]), settings_of(CELLS[REFERENCE], PRESETS["small"])
    grpo_config(settings, tmp_path, 0)
    assert cell.name == REFERENCE or settings != reference or cell.data != "all"
    assert settings.steps == reference.steps, "cells are compared at the same number of updates"


def test_the_insights_are_the_papers_thirty_four_and_name_what_is_run() -> None:
    assert Counter(item.experiment for item in INSIGHTS) == {
        "evaluator": 4, "temperature": 10, "data": 4, "context": 6, "truncation": 6, "batch": 2, "kl-clip": 2,
    }  # fmt: skip
    for item in INSIGHTS:
        assert bool(item.contrasts) != bool(item.reason), item.claim
        grid = {cell.name for cell in EXPERIMENTS[item.experiment].all_cells()}
        for contrast in item.contrasts:
            assert contrast.measure in MEASURES and {contrast.more, contrast.less} - {None} <= grid, item.claim
        assert item.premise is None or (item.premise[0] in MEASURES and item.premise[1] in grid)


def test_experiments_are_found_by_name_in_the_order_of_the_table() -> None:
    assert [item.name for item in find_experiments(["batch", "methods"])] == ["methods", "batch"]
    assert len(find_experiments(["all"])) == len(EXPERIMENTS)
    with pytest.raises(TrainError, match="unknown experiment 'bach'; one of methods, "):
        find_experiments(["batch", "bach"])


def test_the_interval_over_seeds_is_students() -> None:
    found = over_seeds([1.0, 2.0, 3.0])
    assert (found.mean, found.problems) == (2.0, 3)
    assert found.high - found.mean == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert math.isnan(over_seeds([1.0]).low) and over_seeds([]).problems == 0
    assert over_seeds([1.0, math.nan, 3.0]).problems == 2


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ([0.33, 0.43, 0.54], REPRODUCED),
        ([0.29, 0.39, 0.48], NOT_REPRODUCED),
        ([0.301, 0.401, 0.501], REPRODUCED),
        ([0.31, 0.39, 0.5], NOT_TESTABLE),
        ([0.3, 0.4, 0.5], NOT_REPRODUCED),
        ([0.4, 0.5], TOO_FEW),
    ],
)
def test_a_contrast_is_paired_by_seed_and_judged_by_the_rule(more: list[float], verdict: str) -> None:
    """The three seeds differ far more from one another than the cells do."""
    contrast = Contrast("pass@1", "a", "b")
    assert find(contrast, runs(a=more, b=[0.3, 0.4, 0.5])).verdict == verdict


def test_a_seed_that_one_cell_lacks_is_left_out_and_below_turns_the_sign() -> None:
    both = runs(a=[0.4, 0.5], b=[0.1, 0.2, 0.3])
    assert paired(Contrast("pass@1", "a", "b"), both) == pytest.approx([0.3, 0.3])
    assert paired(Contrast("pass@1", "a", "b", below=True), both) == pytest.approx([-0.3, -0.3])
    assert paired(Contrast("pass@1", "a"), both) == [0.4, 0.5]
    assert paired(Contrast("pass@1", "a", "c"), both) == []


def test_measures_read_the_ends_of_the_curve_and_its_peak() -> None:
    run = made(0.5, rewards=(0.1, 0.3, 0.2, 0.9, 0.4, 0.5, 0.6, 0.4))
    found = {name: MEASURES[name].of(run) for name in ("reward, first", "reward, last", "peak", "peak at", "fall")}
    assert found == pytest.approx(
        {"reward, first": 0.2, "reward, last": 0.5, "peak": 0.9, "peak at": 3 / 7, "fall": 0.4}
    )
    assert math.isnan(MEASURES["D, first"].of(run)), "no rollout had a D"


def test_an_insight_needs_its_premise_and_all_its_contrasts() -> None:
    good, bad = Contrast("pass@1", "a", "b"), Contrast("pass@1", "b", "a")
    some = runs(a=[0.5, 0.6, 0.71], b=[0.1, 0.2, 0.3])
    assert judge(Insight("x", "", (good,)), some).verdict == REPRODUCED
    assert judge(Insight("x", "", (good, bad)), some).verdict == NOT_REPRODUCED
    never = judge(Insight("x", "", (good,), premise=("masked", "a")), some)
    assert (never.verdict, never.why) == (NOT_TESTABLE, "masked was 0 in every run of a")
    some["a"][1] = made(0.6, masked=0.2)
    assert judge(Insight("x", "", (good,), premise=("masked", "a")), some).verdict == REPRODUCED
    few = judge(Insight("x", "", (good,)), runs(a=[0.5], b=[0.1]))
    assert (few.verdict, few.why) == (TOO_FEW, "1 of 3 seeds")
    assert judge(Insight("x", "", reason="why"), {}).why == "why"


def test_the_page_has_every_insight_and_only_grids_that_were_run() -> None:
    found = {REFERENCE: {0: made(0.5), 1: made(0.6)}, "hot": {0: made(0.2), 1: made(0.1)}}
    judged = [judge(item, found) for item in INSIGHTS]
    assert len(verdict_table(judged).splitlines()) == 2 + 34
    text = page(found, judged)
    assert "![Temperature](temperature.png)" in text and "truncation.png" not in text
    assert "4 runs of 2 cells" in text and "-0.400 [-1.671, +0.871]" in text
