"""Mutants of a program: copies with one small fault each, which good tests tell from the program.

Mutation testing after DeMillo, Lipton and Sayward, "Hints on test data selection" (1978). The operators, the bound and
the draw are ours, after mistakes that contest programs make: off by one, the wrong boundary, a forgotten case, a wrong
initial value, a lost sort key, a loop left too early. Some mutants mean the same as the program: no test kills those.
"""

from __future__ import annotations

import ast
import copy
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

LABEL = "mutant"
_UNTOUCHED = (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Assert, ast.JoinedStr)
_OF_THE_HOST = ("setrecursionlimit", "stack_size")
_ANY_ORDER = ("min", "max", "gcd", "lcm", "zip", "print")


@dataclass(frozen=True, slots=True)
class Mutant:
    """name: `mutant/N-OPERATOR-LINE`, the line of the program that was changed."""

    name: str
    code: str


def mutants(code: str, limit: int) -> list[Mutant]:
    """At most `limit` different mutants of a Python program, none equal to it; the same for the same code.

    Operators take turns, each with its places in an order drawn from the code's hash. Code that is not Python 3, or
    that holds nothing to change, has none.
    """
    try:
        tree = ast.parse(code)
        known = {ast.unparse(tree)}
        found: list[Mutant] = []
        for change in _drawn(list(_changes(tree)), code):
            if len(found) == limit:
                break
            text = change.applied(tree)
            if text not in known:
                known.add(text)
                found.append(Mutant(f"{LABEL}/{len(found)}-{change.operator}-{change.line}", text))
        return found
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a node hangs: an attribute of `holder`, or an entry of the list in that attribute."""

    holder: ast.AST
    field: str
    index: int | None

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.holder, self.field, node)
        else:
            getattr(self.holder, self.field)[self.index] = node


@dataclass(frozen=True, slots=True)
class _Change:
    operator: str
    line: int
    place: _Place
    before: ast.AST
    after: ast.AST

    def applied(self, tree: ast.AST) -> str:
        """The text with this change; the tree is left as it was."""
        self.place.put(self.after)
        try:
            return ast.unparse(tree)
        finally:
            self.place.put(self.before)


def _changes(node: ast.AST) -> Iterator[_Change]:
    for place, child in _children(node):
        if isinstance(child, _UNTOUCHED) or _calls(child, _OF_THE_HOST):
            continue
        for name, operator in OPERATORS.items() if not _is_main_guard(child) else ():
            for after in operator(child):
                yield _Change(name, getattr(child, "lineno", 0), place, child, after)
        yield from _changes(child)


def _children(node: ast.AST) -> Iterator[tuple[_Place, ast.AST]]:
    """What hangs below a node and runs: no annotations, no decorators, no docstrings, no `__name__ == "__main__"`."""
    left_out = ("annotation", "returns", "decorator_list", "type_params", *(["test"] if _is_main_guard(node) else []))
    for field, value in ast.iter_fields(node):
        if field in left_out:
            continue
        if isinstance(value, ast.AST):
            yield _Place(node, field, None), value
        elif isinstance(value, list):
            for index, entry in enumerate(value):
                if isinstance(entry, ast.AST) and not _is_text(entry):
                    yield _Place(node, field, index), entry


def _drawn(changes: list[_Change], code: str) -> Iterator[_Change]:
    """Each operator's changes in a drawn order, one operator after the other, until there are none."""
    seed = hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
    drawn = sorted(range(len(changes)), key=lambda n: hashlib.sha256(seed + n.to_bytes(4, "big")).digest())
    queues = {name: [changes[n] for n in drawn if changes[n].operator == name] for name in OPERATORS}
    for turn in range(max(map(len, queues.values()))):
        for queue in queues.values():
            yield from queue[turn : turn + 1]


# --- operators: what one node may become


def _constant(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield ast.Constant(node.value + 1)
        if node.value:
            yield ast.Constant(node.value - 1)


_NEIGHBOURS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


def _comparison(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for n, sign in enumerate(node.ops):
            if other := _NEIGHBOURS.get(type(sign)):
                yield _like(node, ops=[*node.ops[:n], other(), *node.ops[n + 1 :]])


_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip


def _arithmetic(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp | ast.AugAssign) and (other := _ARITHMETIC.get(type(node.op))):
        yield _like(node, op=other())


def _division(node: ast.AST) -> Iterator[ast.AST]:
    """Integer division for true division, and the other way round."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div | ast.FloorDiv):
        yield _like(node, op=ast.FloorDiv() if isinstance(node.op, ast.Div) else ast.Div())


def _condition(node: ast.AST) -> Iterator[ast.AST]:
    """A part of a condition lost, or joined wrongly."""
    if isinstance(node, ast.BoolOp):
        yield _like(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        yield from node.values
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def _case(node: ast.AST) -> Iterator[ast.AST]:
    """A branch lost: that of an `if`, or its `else`."""
    if isinstance(node, ast.If):
        if node.orelse:
            yield _like(node, orelse=[])
        yield _like(node, body=[ast.Pass()])
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)


def _statement(node: ast.AST) -> Iterator[ast.AST]:
    """A statement lost that is run for its effect."""
    effect = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and not _calls(node, ("print",))
    stored = isinstance(node, ast.Assign) and all(isinstance(target, ast.Subscript) for target in node.targets)
    if effect or stored or isinstance(node, ast.AugAssign):
        yield ast.Pass()


def _arguments(node: ast.AST) -> Iterator[ast.AST]:
    """The first two arguments of a call swapped, where their order matters."""
    if isinstance(node, ast.Call) and len(node.args) > 1 and _name_called(node) not in _ANY_ORDER:
        first, second, *rest = node.args
        if not isinstance(first, ast.Starred) and not isinstance(second, ast.Starred):
            yield _like(node, args=[second, first, *rest])


def _extreme(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
        yield _like(node, func=ast.Name("max" if node.func.id == "min" else "min", ast.Load()))


def _order(node: ast.AST) -> Iterator[ast.AST]:
    """A sort key or a reversal lost, or the sorting itself."""
    if isinstance(node, ast.Call):
        for n, keyword in enumerate(node.keywords):
            if keyword.arg in ("key", "reverse"):
                yield _like(node, keywords=[*node.keywords[:n], *node.keywords[n + 1 :]])
        if isinstance(node.func, ast.Name) and node.func.id in ("sorted", "reversed") and node.args:
            yield ast.Call(ast.Name("list", ast.Load()), node.args[:1], [])


def _bound(node: ast.AST) -> Iterator[ast.AST]:
    """The last round of a loop over a range lost."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range" and node.args:
        n = min(len(node.args), 2) - 1
        if not isinstance(node.args[n], ast.Starred):
            shorter = ast.BinOp(node.args[n], ast.Sub(), ast.Constant(1))
            yield _like(node, args=[*node.args[:n], shorter, *node.args[n + 1 :]])


def _exit(node: ast.AST) -> Iterator[ast.AST]:
    """A loop left too early, or too late."""
    if isinstance(node, ast.For | ast.While):
        yield _like(node, body=[*node.body, ast.Break()])
    elif isinstance(node, ast.Break):
        yield ast.Pass()
    elif isinstance(node, ast.Continue):
        yield ast.Break()


OPERATORS: dict[str, Callable[[ast.AST], Iterator[ast.AST]]] = {
    "comparison": _comparison,
    "constant": _constant,
    "case": _case,
    "bound": _bound,
    "arithmetic": _arithmetic,
    "condition": _condition,
    "statement": _statement,
    "exit": _exit,
    "extreme": _extreme,
    "order": _order,
    "division": _division,
    "arguments": _arguments,
}
"""In the order in which they take turns."""


def _like(node: ast.AST, **fields: Any) -> ast.AST:
    """The node with other fields; what it does not change it shares."""
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _name_called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def _calls(node: ast.AST, names: tuple[str, ...]) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _name_called(node.value) in names


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_main_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).startswith("__name__ ==")
