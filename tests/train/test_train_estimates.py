from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_train.estimates import bootstrap, paired_difference, pass_rates

RATES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_rates_are_shares_a_problem_and_leave_out_the_judges_failures() -> None:
    outcomes = [("a", True), ("b", False), ("a", False), ("a", None), ("c", None), ("b", False)]
    assert pass_rates(outcomes) == {"a": 0.5, "b": 0.0}


@given(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=8))
def test_mean_of_rates_is_the_share_of_accepted_samples_when_all_draw_alike(samples: list[list[bool]]) -> None:
    outcomes = [(str(problem), accepted) for problem, row in enumerate(samples) for accepted in row]
    rates = pass_rates(outcomes)
    assert math.isclose(
        sum(rates.values()) / len(rates), sum(accepted for _, accepted in outcomes) / len(outcomes), abs_tol=1e-12
    )


@given(RATES)
def test_interval_holds_the_mean_and_stays_in_the_data(rates: list[float]) -> None:
    estimate = bootstrap(rates, resamples=100)
    slack = 1e-9
    assert min(rates) - slack <= estimate.low <= estimate.high <= max(rates) + slack
    assert math.isclose(estimate.mean, sum(rates) / len(rates), abs_tol=1e-9)


@given(RATES)
def test_bootstrap_repeats_itself(rates: list[float]) -> None:
    assert bootstrap(rates, 50, seed=3) == bootstrap(rates, 50, seed=3)


def test_interval_narrows_with_the_square_root_of_the_problems() -> None:
    few, many = (bootstrap([0.0, 1.0] * pairs, 4000) for pairs in (20, 320))
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(4, rel=0.15)
    assert few.high - few.low == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(40), rel=0.1)


def test_difference_is_paired() -> None:
    base = {str(problem): problem / 20 for problem in range(20)}
    tuned = {problem: rate + 0.03 for problem, rate in base.items()}
    estimate = paired_difference(base, tuned, 200)
    assert (estimate.mean, estimate.low, estimate.high) == pytest.approx((0.03, 0.03, 0.03))


def test_difference_uses_the_problems_that_both_have() -> None:
    assert paired_difference({"a": 0.0, "b": 1.0}, {"a": 1.0}, 10).mean == 1.0


def test_nothing_to_judge_is_no_number() -> None:
    assert math.isnan(bootstrap([], 10).mean)
