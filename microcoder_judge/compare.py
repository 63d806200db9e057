"""Is an output right? One function, `compare`, under the checker that the problem declares.

White space is ASCII (space, tab, newline, return, vertical tab, form feed); everything works on bytes. The rules:

tokens            Same tokens, bytes equal; spacing and line layout do not count (Kattis default, testlib wcmp).
tokens_float      As tokens, but where the expected token has a point or an exponent, the output token may be any strict
                  ASCII decimal within abs_tol or rel_tol (Kattis float_tolerance). An expected integer must be met byte
                  for byte (ours) unless `integers` is close, as in Kattis and testlib: there 10.0 may stand for 10.
                  Infinities, nan and hexadecimal are no numbers; they are met byte for byte too.
lines             Leading and inner spaces count; trailing spaces and blank lines at the end do not (testlib fcmp, which
                  counts trailing spaces too).
yesno             As tokens, with an expected yes or no met in any letter case (testlib yesno and nyesno).
unordered_lines   The same lines in any order, each compared as its tokens; blank lines do not count. A multiset.
unordered_tokens  The same tokens in any order (testlib uncmp, for any token). A multiset.
value, unordered  Returned values as `values` writes them, or one that is printed as JSON; unordered takes the outermost
                  sequence in any order.

Where nobody declared a checker, `effective_checker` says which of these decides.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest

from microcoder_judge.records import Checker, Problem
from microcoder_judge.values import (
    DEFAULT_TOLERANCE,
    Tolerance,
    decode_value,
    difference,
    has_float,
    show,
    unordered_difference,
)

WHITESPACE = b" \t\n\r\v\f"
MAX_NUMBER_CHARACTERS = 400
NUMBER_CHARACTERS = b"0123456789+-.eE"
CHUNK_BYTES = 1 << 16
ASSUMED = Checker("tokens_float", abs_tol=DEFAULT_TOLERANCE, rel_tol=DEFAULT_TOLERANCE)

PLACES_MEANT = 40
"""Who writes more decimal places than this means every one of them: printed doubles stop before. Ours."""

_SPACE = re.compile(rb"[ \t\n\r\v\f]")
_FRACTION = re.compile(
    rb"(?<![^ \t\n\r\v\f])[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?(?![^ \t\n\r\v\f])"
)
_ALL_PLACES = re.compile(rb"\.[0-9]{%d}" % (PLACES_MEANT + 1))

Equal = Callable[[bytes, bytes], bool]


def effective_checker(problem: Problem) -> Checker:
    """The checker that decides: the declared one; else `tokens`, `value`, or `tokens_float` within 1e-6 (ours).

    It reads the expected outputs (see `tolerance_assumed`), so ask once a problem.
    """
    return ASSUMED if problem.io_mode == "stdin" and tolerance_assumed(problem) else problem.rule


def tolerance_assumed(problem: Problem) -> bool:
    """Whether decimals are taken within 1e-6, absolute or relative, although nobody declared a checker (ours).

    stdin: every expected output holds a token with a point or an exponent, and none has more than PLACES_MEANT decimal
    places, as the digits of pi have. Function: some expected value holds a float.
    """
    if problem.checker is not None:
        return False
    if problem.io_mode == "function":
        return any(_holds_float(test.expected) for test in problem.tests)
    expected = [test.expected for test in problem.tests]
    return all(map(_holds_fraction, expected)) and not any(map(_ALL_PLACES.search, expected))


def _holds_fraction(text: bytes) -> bool:
    # Finding a single byte is some fifty times faster than the expression.
    return any(mark in text for mark in (b".", b"e", b"E")) and _FRACTION.search(text) is not None


def _holds_float(text: bytes) -> bool:
    if not any(mark in text for mark in (b".", b"e", b"E")):
        return False
    try:
        return has_float(decode_value(text))
    except (ValueError, RecursionError):
        return False


def compare(output: bytes, expected: bytes, checker: Checker) -> str | None:
    """None when the checker accepts `output`, else the first difference in one line.

    Raises ValueError when `expected` itself cannot be read (value and unordered), or for a custom checker, which is a
    program for the judge to run.
    """
    if checker.name in ("value", "unordered"):
        return _compare_values(output, expected, checker)
    if checker.name == "custom":
        raise ValueError("a custom checker is a program: the judge runs it")
    if output == expected or output.rstrip() == expected.rstrip():
        return None
    if not checker.case_sensitive:
        output, expected = output.lower(), expected.lower()
    if checker.name == "lines":
        return _compare_lines(output, expected)
    if checker.name == "unordered_lines":
        return _compare_multisets(map(_joined, _lines(output)), map(_joined, _lines(expected)), "line")
    if checker.name == "unordered_tokens":
        return _compare_multisets(_tokens(output), _tokens(expected), "token")
    return _compare_tokens(output, expected, _token_rule(checker))


def _token_rule(checker: Checker) -> Equal:
    if checker.name == "yesno":
        return _yesno_equal
    if checker.name == "tokens_float":
        tolerance, exact_integers = Tolerance(checker.abs_tol or 0.0, checker.rel_tol or 0.0), checker.integers is None
        return lambda got, expected: got == expected or _decimals_close(got, expected, tolerance, exact_integers)
    return bytes.__eq__


def _yesno_equal(got: bytes, expected: bytes) -> bool:
    return got == expected or (expected.lower() in (b"yes", b"no") and got.lower() == expected.lower())


def _decimals_close(got: bytes, expected: bytes, tolerance: Tolerance, exact_integers: bool) -> bool:
    if exact_integers and expected.lstrip(b"+-").isdigit():
        return False
    one, other = _decimal(got), _decimal(expected)
    return one is not None and other is not None and tolerance.accepts(one, other)


def _decimal(token: bytes) -> float | None:
    # Of these characters alone, float reads decimals and nothing else: no nan, no underscore, no other digits.
    if len(token) > MAX_NUMBER_CHARACTERS or token.translate(None, NUMBER_CHARACTERS):
        return None
    try:
        number = float(token)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _tokens(data: bytes) -> Iterator[bytes]:
    # A list of tokens takes tens of times the text, so it is made of one chunk at a time.
    start = 0
    while start < len(data):
        space = _SPACE.search(data, start + CHUNK_BYTES)
        stop = space.start() if space else len(data)
        yield from data[start:stop].split()
        start = stop


def _compare_tokens(output: bytes, expected: bytes, equal: Equal) -> str | None:
    if max(len(output), len(expected)) <= CHUNK_BYTES and output.split() == expected.split():
        return None
    for index, (got, wanted) in enumerate(zip_longest(_tokens(output), _tokens(expected)), start=1):
        if got is None:
            return f"token {index}: output ends, expected {quote(wanted)}"
        if wanted is None:
            return f"token {index}: {quote(got)} after the expected output"
        if not equal(got, wanted):
            return f"token {index}: {quote(got)}, expected {quote(wanted)}"
    return None


def _lines(data: bytes) -> Iterator[bytes]:
    """Lines without trailing white space, and none of the blank ones at the end."""
    start, end = 0, len(data.rstrip(WHITESPACE))
    while start < end:
        stop = data.find(b"\n", start, end)
        stop = end if stop < 0 else stop
        yield data[start:stop].rstrip(WHITESPACE)
        start = stop + 1


def _compare_lines(output: bytes, expected: bytes) -> str | None:
    for index, (got, wanted) in enumerate(zip_longest(_lines(output), _lines(expected)), start=1):
        if got is None:
            return f"line {index}: output ends, expected {quote(wanted)}"
        if wanted is None:
            return f"line {index}: {quote(got)} after the expected output"
        if got != wanted:
            return f"line {index}: {quote(got)}, expected {quote(wanted)}"
    return None


def _joined(line: bytes) -> bytes:
    return b" ".join(line.split())


def _compare_multisets(output: Iterable[bytes], expected: Iterable[bytes], unit: str) -> str | None:
    balance = Counter(filter(None, expected))
    for item in filter(None, output):
        balance[item] -= 1
        if balance[item] < 0:
            return f"{unit} {quote(item)} is printed more often than expected"
    missing = next((item for item, count in balance.items() if count), None)
    return None if missing is None else f"{unit} {quote(missing)} is missing"


def _compare_values(output: bytes, expected: bytes, checker: Checker) -> str | None:
    try:
        wanted = decode_value(expected)
    except ValueError as error:
        raise ValueError(f"the expected value is not JSON: {error}") from error
    try:
        got = decode_value(output)
    except ValueError as error:
        return f"the returned value cannot be read: {error}"
    tolerance = _value_tolerance(checker)
    compare_decoded = unordered_difference if checker.name == "unordered" else difference
    try:
        return compare_decoded(got, wanted, tolerance)
    except RecursionError:
        return f"the returned value is nested too deeply to compare with {show(wanted)[:20]}"


def _value_tolerance(checker: Checker) -> Tolerance:
    if checker.abs_tol is None and checker.rel_tol is None:
        return Tolerance(DEFAULT_TOLERANCE, DEFAULT_TOLERANCE)
    return Tolerance(checker.abs_tol or 0.0, checker.rel_tol or 0.0)


def quote(token: bytes) -> str:
    """A short text of a token or a line for a message, its control characters escaped."""
    text = repr(token[:40])[2:-1]
    return f"'{text}'" if len(token) <= 40 else f"'{text}...' ({len(token)} bytes)"
