"""Inputs of function problems: what is drawn obeys the constraints, as checks written apart from them say."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microcoder_assets.verification.argument_inputs import argument_model
from microcoder_assets.verification.inputs import FAMILIES, NoGenerator


def row(signature: str, constraints: str, description: str = "") -> dict[str, Any]:
    return {
        "entry_point": "f",
        "starter_code": f"def f({signature}) -> int:\n    pass\n",
        "constraints": constraints,
        "description": description,
    }


def connected(n: int, edges: list[list[int]]) -> bool:
    reached, before = {edges[0][0]} if edges else {0}, 0
    while before != len(reached):
        before = len(reached)
        reached |= {end for edge in edges if reached & set(edge[:2]) for end in edge[:2]}
    return len(reached) == n


CASES: dict[str, tuple[dict[str, Any], bytes, Callable[..., bool]]] = {
    "numbers of a list": (
        row("nums: List[int], k: int", "- `2 <= nums.length <= 10^5`\n- `-10 <= nums[i] < 7`\n"
            "- `1 <= k <= nums.length`"),
        b"[[1, 2], 2]",
        lambda nums, k: len(nums) >= 2 and all(-10 <= n < 7 for n in nums) and 1 <= k <= len(nums),
    ),
    "lists of one length": (
        row("a: List[int], b: List[int]", "n == a.length == b.length\n1 <= n <= 9\n0 <= a[i] < b[i] <= 50"),
        b"[[1], [2]]",
        lambda a, b: len(a) == len(b) <= 9 and all(0 <= x < y <= 50 for x, y in zip(a, b, strict=True)),
    ),
    "letters": (
        row("s: str, words: List[str]", "`1 <= s.length <= 20`\n`1 <= words.length <= 5`\n`1 <= words[i].length <= 4`\n"
            "`s` consists of **lowercase** English letters and digits.\n`words[i]` is either `'a'` or `'b'`."),
        b'["x1", ["ab"]]',
        lambda s, words: s.isalnum() and s == s.lower() and all(set(w) <= {"a", "b"} and len(w) <= 4 for w in words),
    ),
    "options": (
        row("bills: List[int]", "- `1 <= bills.length <= 8`\n- `bills[i]` is either `5`, `10`, or `20`."),
        b"[[5, 20]]",
        lambda bills: set(bills) <= {5, 10, 20} and 1 <= len(bills) <= 8,
    ),
    "distinct and sorted": (
        row("nums: List[int], p: List[int]", "1 <= nums.length <= 8\n0 <= nums[i] <= 20\n1 <= p.length <= 6\n"
            "`nums` is sorted in **strictly increasing** order.\n"
            "`p` is a permutation of the integers from 1 to p.length."),
        b"[[1, 5], [2, 1]]",
        lambda nums, p: nums == sorted(set(nums)) and sorted(p) == list(range(1, len(p) + 1)),
    ),
    "a matrix with named sides": (
        row("grid: List[List[int]]", "m == grid.length\nn == grid[i].length\n1 <= m, n <= 6\n`grid[i][j]` is 0 or 1."),
        b"[[[0, 1], [1, 1]]]",
        lambda grid: len({len(line) for line in grid}) == 1 and {x for line in grid for x in line} <= {0, 1},
    ),
    "a weighted tree": (
        row("n: int, edges: List[List[int]]", "2 <= n <= 10\nedges.length == n - 1\n0 <= u_i, v_i < n\n1 <= w_i <= 9\n"
            "The input is generated such that `edges` represents a valid tree.", "`edges[i] = [u_i, v_i, w_i]`"),
        b"[2, [[1, 0, 4]]]",
        lambda n, edges: len(edges) == n - 1 and connected(n, edges) and all(1 <= w <= 9 for _, _, w in edges),
    ),
    "parity": (
        row("n: int", "2 <= n <= 1000\n`n` is even."), b"[4]", lambda n: 2 <= n <= 1000 and n % 2 == 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=40)
@given(family=st.sampled_from(FAMILIES), seed=st.integers(0, 2**32))
def test_what_is_drawn_obeys_the_constraints(case: str, family: str, seed: int) -> None:
    problem, known, holds = CASES[case]
    model = argument_model(problem, [known])
    drawn = model.draw(family, Random(seed), [known])
    assert drawn == model.draw(family, Random(seed), [known])
    if drawn is not None:
        assert model.accepts(drawn)
        assert holds(*json.loads(drawn)), drawn


@pytest.mark.parametrize("case", CASES)
def test_every_family_finds_inputs_and_they_differ(case: str) -> None:
    problem, known, _ = CASES[case]
    model = argument_model(problem, [known])
    drawn = {family: {model.draw(family, Random(seed), [known]) for seed in range(20)} for family in FAMILIES}
    assert all(found - {None} for found in drawn.values()), drawn
    assert len(set().union(*drawn.values())) > 3


@pytest.mark.parametrize("arguments", ["[[1, 7], 1]", "[[1], 1]", "[[1, 2], 3]", "[[1, 2]]", "[1, 2]", "{}", "[[1, tr"])
def test_what_breaks_a_constraint_is_not_accepted(arguments: str) -> None:
    problem, known, _ = CASES["numbers of a list"]
    assert not argument_model(problem, [known]).accepts(arguments.encode())


@pytest.mark.parametrize(
    ("problem", "known", "reason"),
    [
        (
            row("n: int", "1 <= n <= 9\nThe answer fits in 32 bits."),
            b"[1]",
            "constraint not understood: The answer fits",
        ),
        (row("n: int", "1 <= n"), b"[1]", "nothing says how large n can be"),
        (row("s: str", "1 <= s.length <= 9"), b'["a"]', "nothing says what characters s can have"),
        (row("n: int", "1 <= n <= 9"), b"[10]", "a test breaks the constraints"),
        (row("x: float", "1 <= x <= 9"), b"[1.5]", "values of type float are not drawn"),
        (row("n: int", ""), b"[1]", "the statement has no constraints"),
    ],
)
def test_without_full_understanding_there_is_a_reason_and_no_model(
    problem: dict[str, Any], known: bytes, reason: str
) -> None:
    with pytest.raises(NoGenerator, match=reason):
        argument_model(problem, [known])
