"""Values that functions return: the text form in which they leave the runner, and when two of them are equal.

A value travels as JSON of exact builtin types. What JSON lacks are tagged objects with one key:
`{"__set__": [...]}` for a set and `{"__int__": "0x..."}` for an integer of more digits than JSON readers take.
A tuple inside another value is `{"__tuple__": [...]}`; only LiveCodeBench's rules tell it from a list.
Expected values may use the same tags. Equality is decided here, on plain data, never by the program's own objects.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

DEFAULT_TOLERANCE = 1e-6
"""Absolute and relative tolerance for an expected float when the checker declares none (ours; section "Values")."""

SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class SetValue:
    """A set as it came over the wire: its members in any order."""

    members: tuple[Any, ...]


class TupleValue(list[Any]):
    """A tuple as it came over the wire; no different from a list in `difference`."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """|got - expected| <= absolute, or <= relative * |expected|."""

    absolute: float = DEFAULT_TOLERANCE
    relative: float = DEFAULT_TOLERANCE

    def accepts(self, got: float, expected: float) -> bool:
        """Never accepts nan or an infinity, on either side. Raises OverflowError for integers beyond a double."""
        difference = abs(float(got) - float(expected))
        if not math.isfinite(difference):
            return False
        return difference <= self.absolute or difference <= self.relative * abs(expected)


def decode_value(text: bytes) -> Any:
    """Read the text form. Raises ValueError when it is not that (bad JSON, too deep, a broken tag, a repeated key)."""
    try:
        # float gives a new object for each nan: the one that json keeps would equal itself inside a list.
        return json.loads(text, object_pairs_hook=_object, parse_constant=float)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _object(pairs: list[tuple[str, Any]]) -> Any:
    if len(pairs) == 1:
        key, value = pairs[0]
        if key == "__set__" and isinstance(value, list):
            return SetValue(tuple(value))
        if key == "__tuple__" and isinstance(value, list):
            return TupleValue(value)
        if key == "__int__" and isinstance(value, str):
            return int(value, 16)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object repeats a key")
    return found


def difference(got: Any, expected: Any, tolerance: Tolerance, path: str = "value") -> str | None:
    """The first difference between two decoded values in one line, or None when they are equal.

    Types count: bool is no int, a float is no int; an int may stand where a float is expected (LeetCode's `double`).
    """
    if isinstance(expected, list):
        return _sequence_difference(got, expected, tolerance, path)
    if isinstance(expected, dict):
        return _mapping_difference(got, expected, tolerance, path)
    if isinstance(expected, SetValue):
        if not isinstance(got, SetValue):
            return _mismatch(got, expected, path)
        return unordered_difference(list(got.members), list(expected.members), tolerance, path)
    return None if _scalars_equal(got, expected, tolerance) else _mismatch(got, expected, path)


def unordered_difference(got: Any, expected: Any, tolerance: Tolerance, path: str = "value") -> str | None:
    """As `difference`, with the outermost sequence compared as a multiset. Inner levels keep their order."""
    if not isinstance(got, list) or not isinstance(expected, list):
        return difference(got, expected, tolerance, path)
    if len(got) != len(expected):
        return f"{path}: {len(got)} elements, expected {len(expected)}"
    remaining: dict[str, list[Any]] = {}
    for value in got:
        remaining.setdefault(_key(value, "got"), []).append(value)
    unmatched = []
    for value in expected:
        same = remaining.get(_key(value, "expected"))
        if same:
            same.pop()
        else:
            unmatched.append(value)
    return _match_with_tolerance([v for same in remaining.values() for v in same], unmatched, tolerance, path)


def _match_with_tolerance(got: list[Any], expected: list[Any], tolerance: Tolerance, path: str) -> str | None:
    if all(_is_number(value) for value in (*got, *expected)):
        # In one dimension the sorted pairing succeeds whenever any pairing does.
        got, expected = sorted(got), sorted(expected)
        for one, other in zip(got, expected, strict=True):
            if not _scalars_equal(one, other, tolerance):
                return f"{path}: no element equals {show(other)}"
        return None
    for value in expected:
        if not has_float(value):
            return f"{path}: no element equals {show(value)}"
        match = next((n for n, other in enumerate(got) if difference(other, value, tolerance) is None), None)
        if match is None:
            return f"{path}: no element equals {show(value)}"
        got.pop(match)
    return None


def _key(value: Any, side: str) -> str:
    try:
        return canonical(value)
    except ValueError:
        return side


def canonical(value: Any) -> str:
    """One text for each value: equal texts mean equal types and values, a set's members in sorted order.

    Raises ValueError for nan and infinities, which equal nothing.
    """
    if isinstance(value, list):
        return f"[{','.join(map(canonical, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{canonical(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, SetValue):
        return f"set({','.join(sorted(map(canonical, value.members)))})"
    if type(value) is int:
        return hex(value)
    return json.dumps(value, allow_nan=False)


def show(value: Any) -> str:
    """A short text of a value for a message."""
    if isinstance(value, (list, dict)) and len(value) > SHOWN_CHARACTERS:
        return f"{_type_name(value)} of {len(value)} elements"
    try:
        text = json.dumps(value, default=lambda other: f"set of {len(other.members)}")
    except ValueError:
        text = f"{_type_name(value)} with too many digits to show"
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."


def _sequence_difference(got: Any, expected: Sequence[Any], tolerance: Tolerance, path: str) -> str | None:
    if not isinstance(got, list):
        return _mismatch(got, expected, path)
    for index, (one, other) in enumerate(zip(got, expected, strict=False)):
        found = difference(one, other, tolerance, f"{path}[{index}]")
        if found:
            return found
    return None if len(got) == len(expected) else f"{path}: {len(got)} elements, expected {len(expected)}"


def _mapping_difference(got: Any, expected: dict[str, Any], tolerance: Tolerance, path: str) -> str | None:
    if not isinstance(got, dict):
        return _mismatch(got, expected, path)
    for key in expected:
        if key not in got:
            return f"{path}: no key {show(key)}"
    for key in got:
        if key not in expected:
            return f"{path}: unexpected key {show(key)}"
    found = (difference(got[key], expected[key], tolerance, f"{path}[{show(key)}]") for key in expected)
    return next((text for text in found if text), None)


def _scalars_equal(got: Any, expected: Any, tolerance: Tolerance) -> bool:
    if type(expected) is float:
        try:
            return _is_number(got) and tolerance.accepts(got, expected)
        except OverflowError:
            return False
    return type(got) is type(expected) and bool(got == expected)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def has_float(value: Any) -> bool:
    """Whether a decoded value is a float or holds one."""
    if isinstance(value, SetValue):
        return any(map(has_float, value.members))
    if isinstance(value, (list, dict)):
        return any(map(has_float, value.values() if isinstance(value, dict) else value))
    return type(value) is float


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "list"
    return {bool: "bool", int: "int", float: "float", str: "string", dict: "dict", SetValue: "set"}[type(value)]


def _mismatch(got: Any, expected: Any, path: str) -> str:
    if type(got) is not type(expected):
        return f"{path}: {_type_name(got)} {show(got)}, expected {_type_name(expected)} {show(expected)}"
    return f"{path}: {show(got)}, expected {show(expected)}"
