"""Bounds as numbers, and what first lines of inputs say against them."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from microcoder_assets.processing.bounds import Bound, read_bounds
from microcoder_assets.processing.completeness import faults_of_inputs, first_line_names


def limits(text: str, section: str = "constraints") -> dict[str, tuple[float | None, float | None]]:
    return {bound.variable: (bound.low, bound.high) for bound in read_bounds({section: text})}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 ≤ n ≤ 10^5", {"n": (1, 1e5)}),
        ("$1 \\le n \\le 2 \\cdot 10^{5}$", {"n": (1, 2e5)}),
        ("$1 \\leqslant a_i, b_{i,j} \\leqslant 10^9$", {"a_i": (1, 1e9), "b_{i,j}": (1, 1e9)}),
        ("$|s| \\leq 100$", {"|s|": (None, 100)}),
        ("- `1 <= nums.length <= 3 * 10^4`\n- `-2^31 <= nums[i] <= 2^31 - 1`",
         {"nums.length": (1, 3e4), "nums[i]": (-(2.0**31), 2.0**31 - 1)}),
        ("`1 <= n == grid.length <= 50`", {"n": (1, 50), "grid.length": (1, 50)}),
        ("100 ≥ x > 3", {"x": (3, 100)}),
        ("1 ≤ n ≤ m ≤ 10", {"n": (1, 10), "m": (1, 10)}),
        ("$1 \\le k \\le n$", {"k": (1, None)}),
        ("0 ≤ k ≤ 2n", {"k": (0, None)}),
        ("$2 \\le n \\le 10\\,000$ and $1 \\le q \\le 300 000$", {"n": (2, 1e4), "q": (1, 3e5)}),
        ("1≤C≤1,000,000,000", {"C": (1, 1e9)}),
        ("n<=100,100<=m", {"n": (None, 100), "m": (100, None)}),
        ("$x \\in [1, 1000]$", {"x": (1, 1000)}),
        ("The sum of $n$ over all test cases does not exceed $2 \\cdot 10^5$.", {"sum(n)": (None, 2e5)}),
        ("对于 30% 的数据，N ≤ 1000；对于 100% 的数据，N≤100000，Q ≤ 5万。", {"N": (None, 1e5), "Q": (None, 5e4)}),
        ("The sum of all $n$ values across the tests is at most $50$.", {"sum(n)": (None, 50)}),
        ("The sum of the values $q$ over all cases does not exceed $50$.", {"sum(q)": (None, 50)}),
        ("The total of the words does not exceed 50; there are at most 9 of them in the range [1, 9].", {}),
        ("Each $size$ is at most $50$.", {"size": (None, 50)}),
        ("The sum of $h \\cdot w$ over all cases, and the product of all $a_i$, do not exceed $50$.", {}),
        ("The sum of $n^2$ over all cases does not exceed $50$, and the length of $s$ is at most $9$.", {}),
        ("N不超过1000。", {"N": (None, 1000)}),
        ("size不超过1000，HP∈[2,9]。", {"size": (None, 1000), "HP": (2, 9)}),
        ("N在(0,1001)", {"N": (0, 1001)}),
        ("| $1$ | $20$ | $N \\leq 500$ |", {}),
        ("$n + m \\le 100$, $x_i + x_j \\le 1$, $1 \\le n - k \\le 5$", {}),
        ("$n \\cdot m \\leq 10^5$, the sum of n ≤ 5, $\\sum n \\le 5$ and 2n ≤ 7", {}),
        ("`n` is even and `s` consists of lowercase letters.", {}),
        ("2 ≤ n ≤ 1", {}),
        ("1≤l≤r≤n, x=0", {"l": (1, None)}),
        ("$1 \\le n \\le 2\n\\times 10^5$", {"n": (1, 2e5)}),
        (r"$1 \leq \text{task\_id} \leq 3$", {"task_id": (1, 3)}),
    ],
)  # fmt: skip
def test_bounds_are_read(text: str, expected: dict[str, tuple[float | None, float | None]]) -> None:
    assert limits(text) == expected


def test_a_strict_bound_says_so() -> None:
    (bound,) = read_bounds({"input_spec": "$0 < p \\le 1$"})
    assert bound == Bound("p", 0, True, 1, False, "0 < p ≤ 1")
    assert not bound.allows(0) and bound.allows(1) and not bound.allows(1.5)


def test_the_widest_of_several_limits_holds() -> None:
    assert limits("1 <= n <= 10\n1 <= n <= 1000") == {"n": (1, 1000)}


def test_notes_are_read_only_where_they_speak_of_the_data() -> None:
    assert limits("In the first test $1 \\le n \\le 3$ holds.", "notes") == {}
    assert limits("数据范围：1<=N<=50", "notes") == limits("1<=N<=50", "notes") == {"N": (1, 50)}


NUMBERS = st.integers(-(10**18), 10**18)
POWERS = st.tuples(st.integers(1, 9), st.integers(0, 18))
SIGNS = st.sampled_from([("≤", "≤"), ("<=", "<="), ("\\le", "\\le"), (" \\leq ", " \\leq "), ("≤", "<")])
NAMES = st.sampled_from(["n", "a_i", "|s|", "nums.length", "x_{1}", "T", "grid[i][j]"])


@given(NAMES, NUMBERS, NUMBERS, SIGNS)
def test_a_written_bound_is_read_back(name: str, one: int, other: int, signs: tuple[str, str]) -> None:
    low, high = min(one, other), max(one, other)
    assume(low < high or signs[1] != "<")
    (bound,) = read_bounds({"constraints": f"${low} {signs[0]} {name} {signs[1]} {high}$"})
    assert (bound.low, bound.high) == (float(low), float(high))
    assert bound.high_strict == (signs[1] == "<") and not bound.low_strict


@given(POWERS, st.sampled_from(["{0} \\cdot 10^{{{1}}}", "{0}*10^{1}", "{0} × 10^{1}", "{0}e{1}"]))
def test_powers_in_all_spellings_are_one_number(power: tuple[int, int], spelling: str) -> None:
    (bound,) = read_bounds({"constraints": f"1 ≤ n ≤ {spelling.format(*power)}"})
    assert bound.high is not None and math.isclose(bound.high, power[0] * 10.0 ** power[1])


@given(st.text("n1|,.<>=≤^{}()[]_*-+ $\\e数不超过\n", max_size=60))
def test_any_text_is_read_and_no_bound_is_empty(text: str) -> None:
    for bound in read_bounds({"constraints": text}):
        assert bound.variable and (bound.low, bound.high) != (None, None)
        assert bound.low is None or bound.high is None or bound.low <= bound.high


FIRST = "The first line contains two integers $n$ and $k$ ($1 \\le n \\le 100$, $1 \\le k \\le n$)."


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (FIRST, ("n", "k")),
        ("The only line of the input contains a single integer n (1 ≤ n ≤ 5).", ("n",)),
        ("The first line contains three integers a, b and c — the sides.", ("a", "b", "c")),
        ("The first line contains two integers n, m and k.", ()),
        ("The first line of each test case contains two integers n and k.", ()),
        ("Each test contains multiple test cases. The first line contains two integers n and k.", ()),
        ("The first line contains the string s.", ()),
        ("Read it all.", ()),
    ],
)
def test_the_variables_of_the_first_line(text: str, names: tuple[str, ...]) -> None:
    assert first_line_names(text) == names


@pytest.mark.parametrize(
    ("given_input", "faults"),
    [
        (b"100 3\n1 2 3\n", set()),
        (b"101 3\n", {"tests_out_of_bounds"}),
        (b"5\n3\n", {"sample_shape"}),
        (b"0 1\n", {"tests_out_of_bounds"}),
        (b"five 1\n", set()),
        (b"", set()),
    ],
)
def test_first_lines_are_held_against_the_statement(given_input: bytes, faults: set[str]) -> None:
    assert faults_of_inputs(FIRST, read_bounds({"input_spec": FIRST}), [given_input]) == faults


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-2,000,000 ≤ h ≤ 2,000,000", {"h": (-2e6, 2e6)}),
        ("$1 \\le a \\le b$, $|c| \\le 50$", {"a": (1, None), "|c|": (None, 50)}),
        ("3≤k≤9，2≤e，k 是车站的数目", {"k": (3, 9), "e": (2, None)}),
        ("1 ≤ *N*, *M* ≤ 70", {"N": (1, 70), "M": (1, 70)}),
        ("$4 \\le b'_i \\le 6$", {"b'_i": (4, 6)}),
        ("- - 1 <= q <= 5", {"q": (1, 5)}),
        ("$1 \\le d_i \\le 10^4 (1 \\le i \\le n)$", {"d_i": (1, 1e4), "i": (1, None)}),
    ],
)
def test_lists_and_marks_around_a_limit_change_nothing(text: str, expected: dict[str, tuple[float, float]]) -> None:
    assert limits(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "If $x > 0$ go left. If $x < 0$ go right.",
        "Each line is at most 80 characters.",
        "The speed should be in [1, 150].",
        "The total over all test cases does not exceed 500.",
        "The sum of $r * c$ over all tests does not exceed 900.",
    ],
)
def test_words_cases_and_ends_of_expressions_have_no_limits(text: str) -> None:
    assert limits(text) == {}
