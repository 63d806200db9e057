"""Function problems: what a function finds defined, how it is called, and how what it returns is written. Standard
library, self-contained.

Linked lists and binary trees travel as LeetCode writes them: a list of values, and the values level by level with null
for a missing child. Which argument is one is read from the annotations of the function.
"""

from __future__ import annotations

import builtins
import json
import os
import sys
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

MAX_DEPTH = 100
MAX_ELEMENTS = 5_000_000
MAX_PLAIN_INT_BITS = 12_000

MODULES = (
    "array bisect collections copy datetime decimal enum fractions functools heapq itertools json math operator "
    "random re statistics string sys time typing"
)
"""Modules that a function problem may use without importing them, as LeetCode documents (the choice is ours)."""

PRELUDE = {
    "typing": "Any Callable DefaultDict Deque Dict FrozenSet Generator Generic Iterable Iterator List Mapping "
    "NamedTuple Optional Sequence Set Tuple Type TypeVar Union",
    "collections": "ChainMap Counter OrderedDict defaultdict deque namedtuple",
    "heapq": "heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest",
    "bisect": "bisect_left bisect_right insort insort_left insort_right",
    "math": "acos asin atan atan2 ceil comb cos degrees dist e exp fabs factorial floor fmod gcd hypot inf isclose "
    "isfinite isinf isnan isqrt lcm log log10 log1p log2 nan perm pi prod radians sin sqrt tan trunc",
    "itertools": "accumulate chain combinations combinations_with_replacement compress count cycle dropwhile "
    "filterfalse groupby islice pairwise permutations product repeat starmap takewhile tee zip_longest",
    "functools": "cache cached_property cmp_to_key lru_cache partial reduce total_ordering wraps",
    "operator": "add and_ attrgetter itemgetter methodcaller mul neg or_ sub truediv xor",
    "string": "ascii_letters ascii_lowercase ascii_uppercase digits hexdigits punctuation whitespace",
    "random": "choice randint randrange shuffle",
    "copy": "deepcopy",
    "datetime": "timedelta",
    "sortedcontainers": "SortedDict SortedList SortedSet",
}
"""Names from those modules that a function problem finds defined (ours). Modules and builtins win over them."""


LIVECODEBENCH = (
    "from string import *\nfrom re import *\nfrom datetime import *\nfrom collections import *\nfrom heapq import *\n"
    "from bisect import *\nfrom copy import *\nfrom math import *\nfrom random import *\nfrom statistics import *\n"
    "from itertools import *\nfrom functools import *\nfrom operator import *\nfrom io import *\nfrom sys import *\n"
    "from json import *\nfrom typing import *\nimport string, re, datetime, collections, heapq, bisect, copy, math, "
    "random, statistics, itertools, functools, operator, io, sys, json\n"
)
"""The modules whose names LiveCodeBench's grader puts before every program."""


def livecodebench_names() -> dict[str, Any]:
    """What those imports define, less the names of builtins, which win."""
    found: dict[str, Any] = {}
    exec(LIVECODEBENCH, found)
    return {name: value for name, value in found.items() if not hasattr(builtins, name)}


def names_in(code: CodeType) -> set[str]:
    """Every global, attribute and module name in a code object and those inside it."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            found |= names_in(constant)
    return found



class ListNode:
    """LeetCode's node of a linked list."""

    def __init__(self, val: Any = 0, next: Any = None) -> None:
        self.val, self.next = val, next


class TreeNode:
    """LeetCode's node of a binary tree."""

    def __init__(self, val: Any = 0, left: Any = None, right: Any = None) -> None:
        self.val, self.left, self.right = val, left, right


class Function:
    """The function under test of one program.

    entry_point: `f`, a method of `class Solution` or else a top-level function, or `Solution.f`. preamble: define
    LiveCodeBench's names in place of ours.
    """

    def __init__(self, code: CodeType, entry_point: str, preamble: bool) -> None:
        self.code, self.entry_point = code, entry_point
        self.names = livecodebench_names() if preamble else _prelude(names_in(code))
        self.names |= {"ListNode": ListNode, "TreeNode": TreeNode}
        self.dumps, self.loads = json.dumps, json.loads

    def __call__(self, namespace: dict[str, Any], arguments: bytes, value_file: int) -> None:
        """Import the program and call the function. Writes what it returns: `V` and its text form, or `E` and why it
        has none. The module's `__name__` is `solution`, so a main guard stays shut (ours)."""
        namespace.update(self.names)
        exec(self.code, namespace)
        function = self._find(namespace)
        digits = sys.get_int_max_str_digits()
        sys.set_int_max_str_digits(0)
        values = self.loads(arguments)
        sys.set_int_max_str_digits(digits)
        value = function(*_with_nodes(function, values, namespace))
        if value is None and "Node" in str(getattr(function, "__annotations__", {}).get("return", "")):
            value = []
        try:
            plain = _plain(_without_nodes(value, namespace), MAX_DEPTH, [MAX_ELEMENTS])
            text = b"V" + self.dumps(plain).encode()
        except _NoTextForm as reason:
            text = b"E" + f"returned {reason}"[:200].encode(errors="backslashreplace")
        view = memoryview(text)
        while view:
            view = view[os.write(value_file, view) :]

    def _find(self, namespace: dict[str, Any]) -> Any:
        owner, _, name = self.entry_point.rpartition(".")
        solution = namespace.get(owner or "Solution")
        if isinstance(solution, type) and hasattr(solution, name):
            return getattr(solution(), name)
        if not owner and callable(namespace.get(name)):
            return namespace[name]
        wanted = self.entry_point if owner else f"{name}() nor Solution.{name}"
        sys.exit(f"the program defines {'no' if owner else 'neither'} {wanted}()")


def _prelude(used: set[str]) -> dict[str, Any]:
    """The names of PRELUDE and the modules of MODULES that a program uses."""
    found: dict[str, Any] = {}
    for module, names in PRELUDE.items():
        for name in used.intersection(names.split()):
            if not hasattr(builtins, name) and module in sys.modules:
                found[name] = getattr(sys.modules[module], name)
    for module in used.intersection(MODULES.split()):
        found[module] = sys.modules[module]
    return found


def _with_nodes(function: Any, values: list[Any], namespace: dict[str, Any]) -> list[Any]:
    """The arguments, with lists made to nodes where the annotations name ListNode or TreeNode."""
    annotated = {n: str(a) for n, a in getattr(function, "__annotations__", {}).items() if n != "return"}
    if not any("ListNode" in text or "TreeNode" in text for text in annotated.values()):
        return values
    code = function.__code__
    skipped = 1 if hasattr(function, "__self__") else 0
    names = code.co_varnames[skipped : code.co_argcount]
    return [
        _nodes(value, annotated.get(name, ""), namespace) for name, value in zip(names, values, strict=False)
    ] + values[len(names) :]


def _nodes(value: Any, annotation: str, namespace: dict[str, Any]) -> Any:
    for name, build in (("ListNode", _linked), ("TreeNode", _tree)):
        if name in annotation and (value is None or isinstance(value, list)):
            if value is not None and "list[" in annotation.lower():
                return [build(part, namespace[name]) for part in value]
            return build(value, namespace[name])
    return value


def _linked(values: list[Any] | None, node: Any) -> Any:
    head = None
    for value in reversed(values or []):
        head = node(value) if head is None else _chained(node(value), head)
    return head


def _chained(first: Any, rest: Any) -> Any:
    first.next = rest
    return first


def _tree(values: list[Any] | None, node: Any) -> Any:
    if not values or values[0] is None:
        return None
    root = node(values[0])
    waiting, rest = deque([root]), iter(values[1:])
    for left in rest:
        parent = waiting.popleft()
        for side, value in (("left", left), ("right", next(rest, None))):
            if value is not None:
                child = node(value)
                setattr(parent, side, child)
                waiting.append(child)
        if not waiting:
            break
    return root


def _without_nodes(value: Any, namespace: dict[str, Any]) -> Any:
    """A returned value, with nodes made to lists as LeetCode writes them."""
    kind = type(value)
    if kind is list:
        held = {type(part) for part in value}
        nodes = {namespace.get("ListNode", ListNode), namespace.get("TreeNode", TreeNode)}
        return [_without_nodes(part, namespace) for part in value] if held & nodes else value
    if kind is namespace.get("ListNode", ListNode):
        values, seen = [], 0
        while value is not None and seen <= MAX_ELEMENTS:
            values.append(value.val)
            value, seen = value.next, seen + 1
        if seen > MAX_ELEMENTS:
            raise _NoTextForm("a linked list without an end")
        return values
    if kind is namespace.get("TreeNode", TreeNode):
        return _levels(value)
    return value


def _levels(root: Any) -> list[Any]:
    values: list[Any] = []
    waiting = deque([root])
    while waiting:
        node = waiting.popleft()
        values.append(None if node is None else node.val)
        if len(values) > MAX_ELEMENTS:
            raise _NoTextForm("a tree without an end")
        if node is not None:
            waiting += (node.left, node.right)
    while values and values[-1] is None:
        values.pop()
    return values


class _NoTextForm(Exception):
    """The value is not made of exact builtin types, or is too deep or too large."""


def _plain(value: Any, depth: int, budget: list[int]) -> object:
    """The value as JSON can write it (see `values`); `budget` holds the number of elements still allowed."""
    kind = type(value)
    if value is None or kind in (bool, str, float):
        return value
    if kind is int:
        return value if value.bit_length() <= MAX_PLAIN_INT_BITS else {"__int__": hex(value)}
    if kind not in (list, tuple, deque, range, set, frozenset, dict):
        raise _NoTextForm(f"an object of type {kind.__name__}")
    if depth == 0:
        raise _NoTextForm(f"a value nested deeper than {MAX_DEPTH}")
    budget[0] -= len(value)
    if budget[0] < 0:
        raise _NoTextForm(f"more than {MAX_ELEMENTS} elements")
    if kind is dict:
        return _plain_dict(value, depth, budget)
    members = [_plain(member, depth - 1, budget) for member in value]
    if kind is tuple and depth < MAX_DEPTH:
        return {"__tuple__": members}
    return {"__set__": members} if kind in (set, frozenset) else members


def _plain_dict(value: dict[object, object], depth: int, budget: list[int]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, member in value.items():
        if type(key) not in (str, int):
            raise _NoTextForm(f"a dict with a key of type {type(key).__name__}")
        if str(key) in found:
            raise _NoTextForm(f"a dict with two keys written {key}")
        found[str(key)] = _plain(member, depth - 1, budget)
    return found
