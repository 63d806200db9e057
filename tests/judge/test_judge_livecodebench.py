"""LiveCodeBench's rules of comparison, as its grader applies them, and what is said of a difference to ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_judge import Checker, Problem, Test
from microcoder_judge.livecodebench import compare_livecodebench, why_they_differ


def stdin(expected: str, checker: Checker | None = None) -> Problem:
    return Problem("p", (Test(b"", expected.encode()),), checker=checker)


def function(expected: Any, checker: Checker | None = None) -> Problem:
    test = Test(b"[]", json.dumps(expected).encode())
    return Problem("f", (test,), checker=checker, io_mode="function", entry_point="f")


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("1 2\n3\n", "1 2\n3\n"),
        ("\n 1\n2 \n\n", "1\n2"),
        ("", " \n"),
        ("007", "7"),
        ("1e1 +5 1_000", "10 5 1000"),
        ("3.0", "3"),
        ("１２", "12"),
        ("1  2", "1 2"),
        ("1\u00a02", "1 2"),
        ("  *\n*", "*\n*"),
        ("a\x1f\n\u3000b", "a\nb"),
        ("a  b", "a  b"),
        ("Infinity", "inf"),
    ],
)
def test_accepts_text(output: str, expected: str) -> None:
    assert compare_livecodebench(output.encode(), expected.encode(), stdin(expected)) is None


@pytest.mark.parametrize(
    ("output", "expected", "difference"),
    [
        ("1\n2", "1 2", "2 lines, expected 1"),
        ("a\n\nb", "a\nb", "3 lines, expected 2"),
        ("x\ra", "x a", "line 1"),
        ("a  b", "a b", "line 1: 'a  b', expected 'a b'"),
        ("1\nx 2", "1\nx  2", "line 2"),
        ("0.3333333", "0.33333333", "line 1: '0.3333333', expected '0.33333333'"),
        ("yes", "YES", "line 1"),
        ("1 2", "1", "line 1"),
        ("2 1", "1 2", "line 1"),
        ("nan 1", "nan 1.0", "line 1"),
        ("snan", "sNaN 1", "line 1"),
        ("sNaN 1", "sNaN 1.0", "line 1"),
        ("9007199254740993", "9007199254740992", "line 1"),
    ],
)
def test_rejects_text(output: str, expected: str, difference: str) -> None:
    assert difference in (compare_livecodebench(output.encode(), expected.encode(), stdin(expected)) or "")


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ("true", 1),
        ("3.0", 3),
        ("3", 3.0),
        ("[true, 0]", [1, False]),
        ('{"__tuple__": [1, 2]}', [1, 2]),
        ('{"a": 1.0}', {"a": 1}),
        ('{"__int__": "0x10"}', 16),
        ("null", None),
        ("Infinity", float("inf")),
    ],
)
def test_accepts_values(returned: str, expected: Any) -> None:
    problem = function(expected)
    assert compare_livecodebench(returned.encode(), problem.tests[0].expected, problem) is None


@pytest.mark.parametrize(
    ("returned", "expected", "difference"),
    [
        ("0.30000000000000004", 0.3, "value: 0.30000000000000004, expected 0.3"),
        ("[1, [2, 3]]", [1, [2, 4]], "value[1][1]: 3, expected 4"),
        ("[1]", [1, 2], "value: 1 elements, expected 2"),
        ('[{"__tuple__": [1, 2]}]', [[1, 2]], "a tuple inside"),
        ('{"a": {"__tuple__": [1]}}', {"a": [1]}, "a tuple inside"),
        ('{"__set__": [1]}', {"__set__": [1]}, "a set"),
        ("[2, 1]", [1, 2], "value[0]"),
        ('"1"', 1, "value"),
        ("NaN", float("nan"), "value"),
        ("[NaN]", [float("nan")], "value[0]"),
        ("9007199254740993", 9007199254740992.0, "value"),
        ("{", 1, "cannot be read"),
        ("[" * 100_000, 1, "cannot be read"),
    ],
)
def test_rejects_values(returned: str, expected: Any, difference: str) -> None:
    problem = function(expected)
    found = compare_livecodebench(returned.encode(), problem.tests[0].expected, problem)
    assert found and difference in found
    assert "\n" not in found


def test_a_broken_expected_value_is_the_callers_error() -> None:
    with pytest.raises(ValueError, match="expected value is not JSON"):
        compare_livecodebench(b"1", b"one", function(1))


@pytest.mark.parametrize(
    ("output", "expected", "checker", "cause"),
    [
        ("007", "7", None, "leading zeros: LiveCodeBench compares '007' and '7' as numbers"),
        ("1 +5", "1 5", None, "another sign: LiveCodeBench compares '+5' and '5' as numbers"),
        ("1e1", "10", None, "a decimal for an integer"),
        ("1_0", "10", None, "an underscore in a number"),
        ("１", "1", None, "digits that are not ASCII"),
        ("0.50", "0.5", Checker("tokens"), "another spelling of a decimal"),
        (" *", "  *", Checker("lines"), "white space"),
        ("1\u00a02", "1 2", None, "white space"),
        ("1\n2", "1 2", None, "spacing"),
        ("yes", "YES", Checker("yesno"), "letter case"),
        ("2 1", "1 2", Checker("unordered_tokens"), "order"),
        ("0.3333333", "0.33333333", None, "tolerance"),
    ],
)
def test_a_difference_on_text_is_explained(output: str, expected: str, checker: Checker | None, cause: str) -> None:
    why = why_they_differ(output.encode(), expected.encode(), stdin(expected, checker))
    assert why and why.startswith(cause)
    assert "\n" not in why


@pytest.mark.parametrize(
    ("returned", "expected", "checker", "cause"),
    [
        ("true", 1, "value", "types: LiveCodeBench compares with =="),
        ("3.0", 3, "value", "types"),
        ("0.30000000000000004", 0.3, "value", "tolerance"),
        ("[2, 1]", [1, 2], "unordered", "order"),
        ('[{"__tuple__": [1]}]', [[1]], "value", "types: a tuple is a sequence"),
    ],
)
def test_a_difference_on_values_is_explained(returned: str, expected: Any, checker: str, cause: str) -> None:
    problem = function(expected, Checker(checker))
    why = why_they_differ(returned.encode(), problem.tests[0].expected, problem)
    assert why and why.startswith(cause)


@pytest.mark.parametrize(("output", "expected"), [("1 2", "1 2\n"), ("1 3", "1 2")])
def test_equal_verdicts_need_no_explanation(output: str, expected: str) -> None:
    assert why_they_differ(output.encode(), expected.encode(), stdin(expected)) is None


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_bytes_have_an_answer(output: bytes, expected: bytes) -> None:
    problem = Problem("p", (Test(b"", expected),))
    assert compare_livecodebench(output, output, problem) is None
    for answer in (compare_livecodebench(output, expected, problem), why_they_differ(output, expected, problem)):
        assert answer is None or "\n" not in answer


@given(st.binary(max_size=40))
def test_damaged_values_have_an_answer(output: bytes) -> None:
    assert compare_livecodebench(output, b'{"not": ["likely"]}', function({"not": ["likely"]}))
