"""Returned values: their types, their order, their floats. The expected value is written as Python, the answer too."""

from __future__ import annotations

import json
from typing import Any

from cases.case import Case
from microcoder_judge import Checker, Problem, Test

VALUE, UNORDERED = Checker("value"), Checker("unordered")


def accepted(name: str, expected: Any, returned: str, reason: str, checker: Checker | None = VALUE) -> Case:
    return _case(name, expected, returned, True, reason, checker)


def rejected(name: str, expected: Any, returned: str, reason: str, checker: Checker | None = VALUE) -> Case:
    return _case(name, expected, returned, False, reason, checker)


def _case(name: str, expected: Any, returned: str, right: bool, reason: str, checker: Checker | None) -> Case:
    test = Test(b"[0]", json.dumps(expected).encode())
    problem = Problem(name, (test,), checker=checker, io_mode="function", entry_point="solve")
    *setup, expression = returned.split("; ")
    code = "\n".join([*setup, "class Solution:", "    def solve(self, _):", f"        return {expression}", ""])
    return Case(name, "values", problem, code, right, reason)


SAME = "equal values"
SEQUENCE = "a sequence is a sequence: LeetCode writes list, tuple and the like alike"
BOOL = "a bool is no number (ours; LeetCode writes true and 1)"
WHOLE = "a float is no integer (ours; LeetCode writes 3.0 and 3)"
DOUBLE = "LeetCode: a double within 1e-5; here 1e-6 unless declared"
PLAIN = "the value is made of exact builtin types, never of objects that say that they are equal"
ORDER = "order counts unless the problem says 'in any order'"
ANY_ORDER = "LeetCode's 'in any order': the outermost list, as a multiset"
OTHER = "another value"
DEQUE, FRACTION = "from collections import deque", "from fractions import Fraction"
ALWAYS = "class Equal({}):\n    def __eq__(self, other): return True\n    __hash__ = None"

VALUES = (
    accepted("an integer", 3, "3", SAME),
    accepted("a text", "abc", "'ab' + 'c'", SAME),
    accepted("none", None, "None", SAME),
    accepted("a bool", True, "1 < 2", SAME),
    accepted("a nested list", [[1, 2], [3]], "[[1, 2], [3]]", SAME),
    accepted("a large integer", 2**70, "1 << 70", SAME),
    accepted("an empty list", [], "[]", SAME),
    accepted("a text that is no ASCII", "naïve \u2603", "'naïve \u2603'", SAME),
    accepted("a tuple", [1, 2], "(1, 2)", SEQUENCE),
    accepted("tuples inside", [[1, 2], [3, 4]], "[(1, 2), (3, 4)]", SEQUENCE),
    accepted("a tuple of tuples", [[1, 2], [3, 4]], "((1, 2), (3, 4))", SEQUENCE),
    accepted("zipped pairs", [[1, "a"], [2, "b"]], "list(zip([1, 2], 'ab'))", SEQUENCE),
    accepted("a deque", [1, 2], f"{DEQUE}; deque([1, 2])", SEQUENCE),
    accepted("a range", [0, 1, 2], "range(3)", SEQUENCE),
    accepted("integer keys", {"1": 2}, "{1: 2}", "JSON has no other keys than texts"),
    accepted("keys in another order", {"a": 1, "b": 2}, "{'b': 2, 'a': 1}", "a mapping has no order"),
    accepted("a float off by rounding", 0.3, "0.1 + 0.2", DOUBLE),
    accepted("floats in a list", [0.3, 0.6], "[0.1 + 0.2, 0.1 * 6]", DOUBLE),
    accepted("a float within the default", 2.5, "2.5000005", DOUBLE, None),
    accepted("an integer for a double", 2.0, "2", "an integer is a double's value too (LeetCode's double)"),
    accepted("a float within what is declared", 1.0, "1.005", "declared tolerance", Checker("value", abs_tol=0.01)),
    accepted("a set where one is expected", {"__set__": [1, 2]}, "{2, 1}", "sets have no order"),
    accepted("lists in another order", [[1, 2], [3, 4]], "[[3, 4], [1, 2]]", ANY_ORDER, UNORDERED),
    accepted("texts in another order", ["a", "b"], "['b', 'a']", ANY_ORDER, UNORDERED),
    accepted("floats in another order", [0.5, 0.3], "[0.1 + 0.2, 0.5]", ANY_ORDER, UNORDERED),
    rejected("another integer", 3, "4", OTHER),
    rejected("a list cut short", [1, 2, 3], "[1, 2]", OTHER),
    rejected("a list with more", [1, 2], "[1, 2, 3]", OTHER),
    rejected("a value in a list", [1], "1", OTHER),
    rejected("a list for its first element", 1, "[1, 2]", OTHER),
    rejected("a text of a number", 1, "'1'", OTHER),
    rejected("a number for a text", "1", "1", OTHER),
    rejected("nothing returned", 0, "None", OTHER),
    rejected("an empty list for false", False, "[]", OTHER),
    rejected("true for 1", 1, "True", BOOL),
    rejected("1 for true", True, "1", BOOL),
    rejected("bools for bits", [1, 0, 1], "[True, False, True]", BOOL),
    rejected("a whole float", 3, "3.0", WHOLE),
    rejected("a true quotient", 4, "8 / 2", WHOLE),
    rejected("a fraction", 3, f"{FRACTION}; Fraction(3)", PLAIN),
    rejected("a float beyond the tolerance", 0.3, "0.301", DOUBLE),
    rejected("nan", 0.5, "float('nan')", "nan equals nothing"),
    rejected("infinity", 1e308, "float('inf')", "infinity is no close number"),
    rejected("a large integer through a double", 2**53 + 1, "int(float(2**53 + 1))", OTHER),
    rejected("a set for a list", [1, 2], "{1, 2}", "a set has no order, a list has"),
    rejected("a list in another order", [1, 2], "[2, 1]", ORDER),
    rejected("any order, an element twice", [1, 1, 2], "[1, 2, 2]", ANY_ORDER, UNORDERED),
    rejected("any order, inner lists turned", [[1, 2]], "[[2, 1]]", "only the outermost list is free", UNORDERED),
    rejected("a missing key", {"a": 1, "b": 2}, "{'a': 1}", OTHER),
    rejected("an object equal to everything", 5, f"{ALWAYS.format('object')}; Equal()", PLAIN),
    rejected("an integer equal to everything", 5, f"{ALWAYS.format('int')}; Equal(4)", PLAIN),
    rejected("a text equal to everything", "a", f"{ALWAYS.format('str')}; Equal('b')", PLAIN),
    rejected("a list equal to everything", [1], f"{ALWAYS.format('list')}; Equal()", PLAIN),
    rejected("a generator", [1, 2], "(n for n in (1, 2))", PLAIN),
    rejected("a printed answer", 5, "print(5)", "the function returns None"),
)
