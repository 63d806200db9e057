"""Relations between the arguments of a function problem, as its constraints write them: `0 <= l[i] < nums.length`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Indices = tuple[str | int, ...]
CALLS: dict[str, Callable[..., Any]] = {"abs": abs, "min": min, "max": max}
UNREADABLE = (LookupError, TypeError, ArithmeticError)
"""What `evaluate` raises where a term has no value."""
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Place:
    """`grid[i][0]`, or `grid[i].length`. indices: names that stand for any index, or numbers."""

    name: str
    indices: Indices = ()
    length: bool = False

    @classmethod
    def of(cls, term: ast.expr) -> Place | None:
        length = isinstance(term, ast.Attribute)
        node = term.value if isinstance(term, ast.Attribute) else term
        indices: list[str | int] = []
        while isinstance(node, ast.Subscript):
            match node.slice:
                case ast.Name(index):
                    indices.append(index)
                case ast.Constant(int(number)):
                    indices.append(number)
                case _:
                    return None
            node = node.value
        return cls(node.id, tuple(reversed(indices)), length) if isinstance(node, ast.Name) else None

    def item(self, at: int) -> Place:
        return Place(self.name, (*self.indices, at))

    def size(self) -> Place:
        return Place(self.name, self.indices, length=True)

    def at(self, where: Place) -> dict[str, int] | None:
        """What this one's index names are at a place all of whose indices are numbers; None: it is another place."""
        if (self.name, self.length, len(self.indices)) != (where.name, where.length, len(where.indices)):
            return None
        pairs = list(zip(self.indices, where.indices, strict=True))
        if any(isinstance(mine, int) and mine != given for mine, given in pairs):
            return None
        return {mine: int(given) for mine, given in pairs if isinstance(mine, str)}


@dataclass(frozen=True, slots=True)
class Chain:
    """`1 <= n == nums.length`: terms, and the relations between them. Only <=, <, == and != occur."""

    terms: tuple[ast.expr, ...]
    relations: tuple[str, ...]

    def holds(self, values: Mapping[str, Any]) -> bool:
        """For every index; where a list has no such index it says nothing."""
        for left, relation, right in zip(self.terms, self.relations, self.terms[1:], strict=False):
            for indices in assignments([left, right], values):
                try:
                    one, other = (evaluate(term, {**values, **indices}) for term in (left, right))
                    if not _COMPARE[relation](one, other):
                        return False
                except IndexError:
                    continue
                except UNREADABLE:
                    return False
        return True

    def sides(self, place: Place) -> Iterator[tuple[ast.expr, dict[str, int], str, bool]]:
        """What limits a place: (term, indices, `low`, `high` or `both`, strict)."""
        for at, term in enumerate(self.terms):
            mine = Place.of(term)
            indices = mine.at(place) if mine else None
            if indices is None:
                continue
            for step, side in ((-1, "low"), (1, "high")):
                strict, equal, other = False, True, at + step
                while 0 <= other < len(self.terms):
                    relation = self.relations[min(other, other - step)]
                    if relation == "!=":
                        break
                    strict, equal = strict or relation == "<", equal and relation == "=="
                    yield self.terms[other], indices, "both" if equal else side, strict
                    other += step


def generic(place: Place) -> str:
    """The path of all places at its depth: `grid[_][_]`."""
    return place.name + "[_]" * len(place.indices)


def evaluate(term: ast.expr, values: Mapping[str, Any]) -> Any:
    """Arithmetic over the values. Raises LookupError for what is not there, TypeError or ArithmeticError otherwise."""
    match term:
        case ast.Constant(int(value)):
            return value
        case ast.Name(name):
            return values[name]
        case ast.Attribute(value, "length" | "size"):
            return len(evaluate(value, values))
        case ast.Subscript(value, index):
            at = evaluate(index, values)
            if at < 0:
                raise IndexError(at)
            return evaluate(value, values)[at]
        case ast.UnaryOp(ast.USub(), operand):
            return -evaluate(operand, values)
        case ast.BinOp(left, operator, right):
            one, other = evaluate(left, values), evaluate(right, values)
            match operator:
                case ast.Add():
                    return one + other
                case ast.Sub():
                    return one - other
                case ast.Mult():
                    return one * other
                case ast.Div() | ast.FloorDiv():
                    return one // other
                case ast.Mod():
                    return one % other
                case ast.Pow() if abs(other) < 1000:
                    return one**other
        case ast.Call(ast.Name(name), arguments) if name in CALLS:
            return CALLS[name](*(evaluate(argument, values) for argument in arguments))
    raise TypeError(f"{ast.unparse(term)} is no arithmetic")


def index_names(term: ast.expr) -> list[str]:
    """Names inside brackets, outermost container first."""
    found = [
        name.id
        for node in ast.walk(term)
        if isinstance(node, ast.Subscript)
        for name in ast.walk(node.slice)
        if isinstance(name, ast.Name)
    ]
    return list(dict.fromkeys(reversed(found)))


def assignments(terms: Sequence[ast.expr], values: Mapping[str, Any]) -> Iterator[dict[str, int]]:
    """Every choice of the index names of the terms that their containers allow."""
    for term in terms:
        for node in reversed([n for n in ast.walk(term) if isinstance(n, ast.Subscript)]):
            if isinstance(node.slice, ast.Name) and node.slice.id not in values:
                try:
                    size = len(evaluate(node.value, values))
                except UNREADABLE:
                    continue
                for at in range(size):
                    for rest in assignments(terms, {**values, node.slice.id: at}):
                        yield {node.slice.id: at, **rest}
                return
    yield {}
