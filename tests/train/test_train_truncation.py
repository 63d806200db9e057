"""The conditional truncation mask: every branch on fabricated completions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_train.truncation import TruncationMask, repeats

END, LENGTH = 0, 8
FULL = [1, 2, 3, 4, 5, 6, 7, 8]
LOOPING = [1, 2, 3, 4, 1, 2, 3, 4]


def mask(rule: str = "conditional", rho: float = 1.0) -> TruncationMask:
    return TruncationMask(rule, LENGTH, {END}, rho, 4, seed=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ids", "verdict", "masked"),
    [
        (FULL, "AC", True),
        (FULL, "NO_CODE", True),
        (FULL, "WA", False),
        (FULL, "TLE", False),
        (FULL, "IE", False),
        (LOOPING, "NO_CODE", False),
        (FULL[:-1], "NO_CODE", False),
        ([*FULL[:-1], END], "AC", False),
    ],
)
def test_a_completion_is_masked_that_is_cut_not_incorrect_and_not_repeating(
    ids: list[int], verdict: str, masked: bool
) -> None:
    assert mask().masked([ids], [verdict], "0") == [masked]
    assert mask(rho=0.0).masked([ids], [verdict], "0") == [False]
    assert mask("none").masked([ids], [verdict], "0") == [False]


def test_mask_all_takes_every_cut_completion_and_no_other() -> None:
    rows = [FULL, LOOPING, [*FULL[:-1], END], FULL[:-1]]
    assert mask("all", rho=0.0).masked(rows, ["WA"] * 4, "0") == [True, True, False, False]


def test_rho_is_the_share_that_is_masked_and_a_draw_has_a_name() -> None:
    rows, verdicts = [FULL] * 4000, ["AC"] * 4000
    first = mask(rho=0.1).masked(rows, verdicts, "step 0")
    assert 0.08 < sum(first) / len(first) < 0.12
    assert first == mask(rho=0.1).masked(rows, verdicts, "step 0")
    assert first != mask(rho=0.1).masked(rows, verdicts, "step 1")


@given(st.lists(st.integers(0, 2), max_size=12), st.integers(1, 4))
def test_repeats_compares_the_last_tokens_with_those_before(ids: list[int], size: int) -> None:
    expected = len(ids) >= 2 * size and all(ids[-n] == ids[-n - size] for n in range(1, size + 1))
    assert repeats(ids, size) == expected
