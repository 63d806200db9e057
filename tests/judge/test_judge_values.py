"""Values of function problems: types count, order counts unless declared, tolerance only for expected floats."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_judge import Checker, compare

VALUE, ANY_ORDER = Checker("value"), Checker("unordered")

plain: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("checker", "got", "expected"),
    [
        (VALUE, b"[1, [2]]", b"[1,[2]]"),
        (VALUE, b"3", b"3.0"),
        (VALUE, b"0.30000000000000004", b"0.3"),
        (VALUE, b'{"b": 1, "a": 2}', b'{"a": 2, "b": 1}'),
        (VALUE, b'{"__int__": "0xff"}', b"255"),
        (VALUE, b'{"__set__": [2, 1]}', b'{"__set__": [1, 2]}'),
        (ANY_ORDER, b"[[2, 3], [1, 2]]", b"[[1, 2], [2, 3]]"),
        (ANY_ORDER, b"[0.30000000000000004, 1]", b"[1.0, 0.3]"),
        (ANY_ORDER, b"[[0.30000000000000004], [1]]", b"[[1.0], [0.3]]"),
        (ANY_ORDER, b"5", b"5"),
        (VALUE, b'[{"__tuple__": [1, 2]}]', b"[[1, 2]]"),
        (VALUE, b"[[1, 2]]", b'[{"__tuple__": [1, 2]}]'),
        (ANY_ORDER, b'{"__tuple__": [2, {"__tuple__": [1]}]}', b"[[1], 2]"),
    ],
)
def test_accepts(checker: Checker, got: bytes, expected: bytes) -> None:
    assert compare(got, expected, checker) is None


@pytest.mark.parametrize(
    ("checker", "got", "expected"),
    [
        (VALUE, b"true", b"1"),
        (VALUE, b"1", b"true"),
        (VALUE, b"true", b"1.0"),
        (VALUE, b"3.0", b"3"),
        (VALUE, b'"1"', b"1"),
        (VALUE, b"null", b"0"),
        (VALUE, b"[1, 2]", b"1"),
        (VALUE, b"[2, 1]", b"[1, 2]"),
        (VALUE, b"[1]", b"[1, 2]"),
        (VALUE, b'{"__set__": [1, 2]}', b"[1, 2]"),
        (VALUE, b"[1, 2]", b'{"__set__": [1, 2]}'),
        (VALUE, b'{"a": 1}', b'{"a": 1, "b": 2}'),
        (VALUE, b'{"a": 1, "b": 2}', b'{"a": 1}'),
        (VALUE, b"NaN", b"0.5"),
        (VALUE, b"Infinity", b"1e308"),
        (VALUE, b"NaN", b"NaN"),
        (VALUE, b'{"__int__": "0x' + b"f" * 400 + b'"}', b"0.5"),
        (VALUE, b'{"__tuple__": [1, 2]}', b"[2, 1]"),
        (VALUE, b'{"__tuple__": [1]}', b"1"),
        (VALUE, b"not json", b"1"),
        (VALUE, b"[" * 100_000, b"1"),
        (ANY_ORDER, b"[1, 1, 2]", b"[1, 2, 2]"),
        (ANY_ORDER, b"[[2, 1]]", b"[[1, 2]]"),
        (ANY_ORDER, b"[true]", b"[1]"),
        (ANY_ORDER, b"[NaN]", b"[NaN]"),
        (ANY_ORDER, b"[0.1, 0.1]", b"[0.1, 0.2]"),
        (ANY_ORDER, b'{"__set__": [1, 2]}', b"[1, 2]"),
    ],
)
def test_rejects(checker: Checker, got: bytes, expected: bytes) -> None:
    difference = compare(got, expected, checker)
    assert difference
    assert "\n" not in difference


def test_the_message_says_where() -> None:
    assert compare(b"[1, [2, 4]]", b"[1, [2, 3]]", VALUE) == "value[1][1]: 4, expected 3"
    assert compare(b"[true]", b"[1]", VALUE) == "value[0]: bool true, expected int 1"


def test_declared_tolerance_replaces_the_default() -> None:
    assert compare(b"1.001", b"1.0", VALUE)
    assert compare(b"1.001", b"1.0", Checker("value", abs_tol=0.01)) is None


def test_a_broken_expected_value_is_the_callers_error() -> None:
    with pytest.raises(ValueError, match="expected value is not JSON"):
        compare(b"1", b"one", VALUE)


@given(plain)
def test_a_value_equals_itself_alone(value: Any) -> None:
    text = json.dumps(value).encode()
    assert compare(text, text, VALUE) is None
    assert compare(text, text, ANY_ORDER) is None
    assert compare(json.dumps([value]).encode(), text, VALUE) is not None


@given(st.lists(plain, max_size=6), st.randoms())
def test_unordered_takes_every_order(values: list[Any], random: Any) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    assert compare(json.dumps(shuffled).encode(), json.dumps(values).encode(), ANY_ORDER) is None


@given(st.binary(max_size=40))
def test_damaged_text_never_raises(text: bytes) -> None:
    assert compare(text, b'{"not": ["likely"]}', VALUE) is not None
