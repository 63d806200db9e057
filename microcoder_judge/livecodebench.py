"""LiveCodeBench's rules of comparison, for scores that stand beside published ones, and why they differ from ours.

Described here after its grader (`lcb_runner/evaluation/testing_util.py` at 28fef95):

stdin      Both texts are stripped and split at newlines, and each line is stripped. The numbers of lines must agree. A
           line is right when it is equal, or when all its tokens and all expected ones are numbers to Python's
           `Decimal`, and equal in order.
function   Python's `==` between the returned value, its outermost tuple made a list, and the JSON of the expected one:
           True == 1 and 3.0 == 3. A set or an inner tuple equals nothing in JSON.

No number has a tolerance, no problem a checker. White space and digits are Unicode's: these rules work on text.

The text form of a value keeps less than LiveCodeBench sees: a deque or a range arrives as a list and integer keys as
text, which it rejects; objects with an `__eq__` of their own, which it believes, never arrive.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from microcoder_judge.compare import compare, effective_checker, quote
from microcoder_judge.records import Checker, Problem
from microcoder_judge.values import SetValue, TupleValue, decode_value, show


def compare_livecodebench(output: bytes, expected: bytes, problem: Problem) -> str | None:
    """None when LiveCodeBench would accept `output`, else the first difference in one line.

    For a function problem `output` is the text form of the returned value. The problem's checker has no say.
    Raises ValueError when the expected value of a function problem cannot be read.
    """
    if problem.io_mode == "function":
        return _compare_values(output, expected)
    return _compare_lines(_text(output), _text(expected))


def why_they_differ(output: bytes, expected: bytes, problem: Problem) -> str | None:
    """Where LiveCodeBench and we disagree on an output, the reason in one line; None where the verdicts are equal.

    Raises ValueError as `compare` does, so also for a custom checker.
    """
    checker = effective_checker(problem)
    ours = compare(output, expected, checker)
    theirs = compare_livecodebench(output, expected, problem)
    if (ours is None) == (theirs is None):
        return None
    if ours is None:
        cause = _why_we_accept(output, expected, checker)
        return f"{cause}; LiveCodeBench rejects: {theirs}"
    if problem.io_mode == "function":
        return f"types: LiveCodeBench compares with ==, to which True is 1 and 3.0 is 3; we reject: {ours}"
    return f"{_why_we_reject(_text(output), _text(expected))}; we reject: {ours}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _quote(text: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().split("\n")]


def _compare_lines(output: str, expected: str) -> str | None:
    got, wanted = _lines(output), _lines(expected)
    if len(got) != len(wanted):
        return f"{len(got)} lines, expected {len(wanted)}"
    for number, (one, other) in enumerate(zip(got, wanted, strict=True), start=1):
        if one != other and not _numbers_equal(one.split(), other.split()):
            return f"line {number}: {_quote(one)}, expected {_quote(other)}"
    return None


def _numbers_equal(got: list[str], expected: list[str]) -> bool:
    try:
        return len(got) == len(expected) and list(map(Decimal, got)) == list(map(Decimal, expected))
    except InvalidOperation:  # no number, or a signalling nan
        return False


def _compare_values(output: bytes, expected: bytes) -> str | None:
    try:
        wanted = decode_value(expected)
    except ValueError as error:
        raise ValueError(f"the expected value is not JSON: {error}") from error
    try:
        got = decode_value(output)
        foreign = _outside_json(got)
        if foreign:
            return f"value: a {foreign}, which equals nothing in JSON"
        return None if got == wanted else _first_difference(got, wanted)
    except ValueError as error:
        return f"the returned value cannot be read: {error}"
    except RecursionError:
        return "the returned value is nested too deeply to compare"


def _outside_json(value: Any, outermost: bool = True) -> str | None:
    """What a value holds that equals nothing in JSON, if it holds such a thing."""
    if isinstance(value, SetValue):
        return "set"
    if isinstance(value, TupleValue) and not outermost:
        return "tuple inside"
    if isinstance(value, list | dict):
        inner = value.values() if isinstance(value, dict) else value
        return next((found for member in inner if (found := _outside_json(member, False))), None)
    return None


def _first_difference(got: Any, expected: Any) -> str:
    path = "value"
    while isinstance(got, list) and isinstance(expected, list):
        if len(got) != len(expected):
            return f"{path}: {len(got)} elements, expected {len(expected)}"
        index = next(n for n, (one, other) in enumerate(zip(got, expected, strict=True)) if one != other)
        got, expected, path = got[index], expected[index], f"{path}[{index}]"
    return f"{path}: {show(got)}, expected {show(expected)}"


def _why_we_accept(output: bytes, expected: bytes, checker: Checker) -> str:
    if checker.name in ("value", "unordered"):
        if _outside_json(decode_value(output)):
            return "types: a tuple is a sequence to us, and a set may be expected"
    elif compare(output, expected, Checker("tokens")) is None:
        return "spacing: line layout does not count to us"
    elif compare(output, expected, Checker("tokens", case_sensitive=False)) is None:
        return "letter case: the problem takes any"
    if checker.name.startswith("unordered"):
        return "order: the problem takes any"
    return "tolerance: close numbers are equal to us"


def _why_we_reject(output: str, expected: str) -> str:
    for got, wanted in zip(output.split(), expected.split(), strict=False):
        if got != wanted:
            return f"{_spelling(got, wanted)}: LiveCodeBench compares {_quote(got)} and {_quote(wanted)} as numbers"
    return "white space: LiveCodeBench drops it around lines, and Unicode's too"


def _spelling(got: str, expected: str) -> str:
    """How a number is spelled otherwise than expected."""
    if not got.isascii():
        return "digits that are not ASCII"
    if "_" in got:
        return "an underscore in a number"
    if not expected.lstrip("+-").isdigit():
        return "another spelling of a decimal"
    if not got.lstrip("+-").isdigit():
        return "a decimal for an integer"
    return "leading zeros" if got.lstrip("+-") != expected.lstrip("+-") else "another sign"
