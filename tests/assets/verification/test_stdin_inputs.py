"""Inputs of stdin problems: their form is found in tests, and what is drawn has it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microcoder_assets.verification.inputs import FAMILIES, NoGenerator
from microcoder_assets.verification.stdin_inputs import stdin_model


def row(spec: str, **bounds: tuple[int, int]) -> dict[str, Any]:
    found = [
        {"variable": name, "low": low, "low_strict": False, "high": high, "high_strict": False, "text": name}
        for name, (low, high) in bounds.items()
    ]
    return {"input_spec": spec, "constraints": None, "bounds": found}


def grid(lines: list[str]) -> bool:
    h, w = map(int, lines[0].split())
    return len(lines) == h + 1 and all(len(line) == w and set(line) <= {".", "#"} for line in lines[1:])


def events(lines: list[str]) -> bool:
    n, q = map(int, lines[0].split())
    numbers = [int(token) for token in lines[1].split()]
    queries = [[int(token) for token in line.split()] for line in lines[2:]]
    inside = all(1 <= low < high <= n for low, high in queries)
    return len(numbers) == n <= 50 and len(queries) == q <= 20 and max(numbers, default=0) <= 1000 and inside


CASES: dict[str, tuple[dict[str, Any], list[bytes], Callable[[list[str]], bool]]] = {
    "a number": (
        row(r"One integer $n$ ($1 \le n \le 100$).", n=(1, 100)),
        [b"1\n", b"3\n", b"7\n", b"20\n"],
        lambda lines: len(lines) == 1 and 1 <= int(lines[0]) <= 100,
    ),
    "a grid": (
        row("Two integers $h$ and $w$, then $h$ lines of $w$ characters.", h=(1, 30), w=(1, 30)),
        [b"1 2\n.#\n", b"2 3\n..#\n#..\n", b"3 1\n.\n#\n#\n", b"2 2\n##\n..\n"],
        grid,
    ),
    "numbers and pairs": (
        row("Integers $n$ and $q$, $n$ numbers $a_i$, and $q$ pairs $l$ and $r$.", n=(2, 50), q=(1, 20), a_i=(0, 1000)),
        [b"3 1\n5 5 5\n1 2\n", b"4 2\n1 2 3 4\n1 4\n2 3\n", b"2 3\n9 0\n1 2\n1 2\n1 2\n", b"5 1\n3 1 4 1 5\n4 5\n"],
        events,
    ),
    "options and a sorted column": (
        row("An integer $n$ and $n$ lines, each with a word and a number $t$.", n=(1, 9), t=(0, 60)),
        [
            b"3\nred 1\nblue 3\nred 9\n", b"4\nred 0\nred 5\nblue 6\nred 7\n", b"1\nblue 60\n",
            b"5\nblue 1\nblue 2\nred 3\nred 4\nblue 50\n",
        ],
        lambda lines: {line.split()[0] for line in lines[1:]} <= {"red", "blue"}
        and [int(line.split()[1]) for line in lines[1:]] == sorted({int(line.split()[1]) for line in lines[1:]}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=40)
@given(family=st.sampled_from(FAMILIES), seed=st.integers(0, 2**32))
def test_what_is_drawn_has_the_form_and_the_bounds(case: str, family: str, seed: int) -> None:
    problem, tests, holds = CASES[case]
    model = stdin_model(problem, tests)
    drawn = model.draw(family, Random(seed), tests)
    assert drawn == model.draw(family, Random(seed), tests)
    if drawn is not None:
        assert model.accepts(drawn)
        assert holds(drawn.decode().splitlines()), drawn


@pytest.mark.parametrize("case", CASES)
def test_the_tests_are_accepted_and_every_family_finds_inputs(case: str) -> None:
    problem, tests, _ = CASES[case]
    model = stdin_model(problem, tests)
    assert all(map(model.accepts, tests))
    drawn = {family: {model.draw(family, Random(seed), tests) for seed in range(20)} for family in FAMILIES}
    assert all(found - {None} for found in drawn.values()), drawn


def test_bounds_reach_further_than_the_tests() -> None:
    problem, tests, _ = CASES["a number"]
    model = stdin_model(problem, tests)
    assert model.draw("maximal", Random(0), tests) is not None
    assert model.accepts(b"100\n") and not model.accepts(b"101\n") and not model.accepts(b"0\n")


def test_bounds_that_a_test_breaks_are_not_believed() -> None:
    model = stdin_model(row("One integer $n$.", n=(5, 9)), [b"1\n", b"3\n", b"7\n", b"20\n"])
    assert model.accepts(b"20\n") and not model.accepts(b"21\n")


@pytest.mark.parametrize("data", [b"2 3\n..#\n", b"1 2\n.\n", b"1 2\n.x\n", b"1\n.\n", b"", b"\xff\n", b"1 1\n.\n.\n"])
def test_another_form_is_not_accepted(data: bytes) -> None:
    problem, tests, _ = CASES["a grid"]
    assert not stdin_model(problem, tests).accepts(data)


@pytest.mark.parametrize(
    ("spec", "tests", "reason"),
    [
        ("An integer.", [b"1\n", b"2\n"], "2 small tests"),
        ("A number.", [b"1.5\n", b"2.5\n", b"0.5\n", b"3.5\n"], "decimals"),
        ("Anything.", [b"1\n", b"2 3\n", b"7\n8\n", b"4\n"], "no form"),
        ("It is guaranteed that $n$ is prime.", [b"2\n", b"3\n", b"5\n", b"7\n"], "not understood: It is guaranteed"),
        (r"Integers $a$ and $b$ with $a + b \le 9$.", [b"1 2\n", b"3 4\n", b"5 1\n", b"0 9\n"], "not understood"),
    ],
)
def test_without_full_understanding_there_is_a_reason_and_no_model(spec: str, tests: list[bytes], reason: str) -> None:
    with pytest.raises(NoGenerator, match=reason):
        stdin_model(row(spec), tests)
