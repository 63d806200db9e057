"""Inputs of function problems, drawn from the signature's types and the statement's constraints."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

from microcoder_assets.processing.arguments import Signature, fits, read_signature
from microcoder_assets.verification.constraints import Constraints, read_constraints
from microcoder_assets.verification.inputs import LONGEST, TRIES, Draw, NoGenerator
from microcoder_assets.verification.relations import UNREADABLE, Place, evaluate, generic

REDRAWS = 20
"""Of an item that must differ from those before it. Ours."""


class _NoDraw(Exception):
    """This draw came to limits between which nothing is."""


class ArgumentModel:
    """An InputModel of JSON arrays of arguments."""

    def __init__(self, signature: Signature, constraints: Constraints) -> None:
        self._signature, self._constraints = signature, constraints
        self._symbols = constraints.symbols(signature.names)
        for name, annotation in zip(signature.names, signature.annotations, strict=True):
            self._require_limits(annotation, Place(name))

    def accepts(self, data: bytes) -> bool:
        try:
            values = json.loads(data)
        except (ValueError, RecursionError):
            return False
        return isinstance(values, list) and self._accept(values)

    def draw(self, family: str, random: Random, seeds: Sequence[bytes]) -> bytes | None:
        for _ in range(TRIES):
            try:
                values = self._mutated(random, seeds) if family == "mutated" else self._drawn(Draw(family, random))
            except _NoDraw:
                continue
            if values is not None and self._accept(values):
                return json.dumps(values).encode()
        return None

    def _accept(self, arguments: list[Any]) -> bool:
        signature, constraints = self._signature, self._constraints
        if len(arguments) != len(signature.names):
            return False
        values = dict(zip(signature.names, arguments, strict=True))
        if not all(fits(v, a) for v, a in zip(arguments, signature.annotations, strict=True)):
            return False
        if not all(self._allowed(Place(name), value) for name, value in values.items()):
            return False
        try:
            known = {symbol: constraints.define(symbol, values) for symbol in self._symbols}
        except NoGenerator:
            return False
        return constraints.hold({**known, **values})

    def _allowed(self, place: Place, value: Any) -> bool:
        path, constraints = generic(place), self._constraints
        if isinstance(value, str) and not set(value) <= set(constraints.alphabets.get(path, value)):
            return False
        if not isinstance(value, list):
            return value in (self._options(place) or [value])
        if path in constraints.unique and len({json.dumps(item) for item in value}) < len(value):
            return False
        if path in constraints.ordered:
            strict, down = constraints.ordered[path]
            pairs = pairwise(reversed(value) if down else value)
            if not all(one < other if strict else one <= other for one, other in pairs):
                return False
        if path in constraints.trees and not _is_tree([tuple(row[:2]) for row in value]):
            return False
        return all(self._allowed(place.item(at), item) for at, item in enumerate(value))

    def _options(self, place: Place) -> tuple[int | str, ...]:
        """What a value may be; empty where that is not listed."""
        options = self._constraints.options
        column = f"{generic(place)[:-3]}[{place.indices[-1]}]" if place.indices else ""
        return options.get(column) or options.get(generic(place), ())

    def _require_limits(self, annotation: ast.expr | None, place: Place) -> None:
        """Raises NoGenerator where a number or a length could be anything."""
        path = generic(place)
        match annotation:
            case ast.Name("int"):
                if not self._options(place) and not self._limited(place):
                    raise NoGenerator(f"nothing says how large {path} can be")
            case ast.Name("bool"):
                return
            case ast.Name("str"):
                if self._options(place):
                    return
                if path not in self._constraints.alphabets:
                    raise NoGenerator(f"nothing says what characters {path} can have")
                if not self._limited(place.size()):
                    raise NoGenerator(f"nothing says how long {path} can be")
            case ast.Subscript(ast.Name("List" | "list"), item):
                if not self._limited(place.size()):
                    raise NoGenerator(f"nothing says how long {path} can be")
                self._require_limits(item, place.item(0))
            case _:
                written = ast.unparse(annotation) if annotation else "no annotation"
                raise NoGenerator(f"values of type {written} are not drawn")

    def _limited(self, place: Place) -> bool:
        sides = {side for chain in self._constraints.chains for _, _, side, _ in chain.sides(place)}
        return "both" in sides or {"low", "high"} <= sides

    def _drawn(self, draw: Draw) -> list[Any]:
        values: dict[str, Any] = {}
        for symbol in self._symbols:
            values[symbol] = draw.size(*self._limits(Place(symbol), values, symbol=True))
        for name, annotation in zip(self._signature.names, self._signature.annotations, strict=True):
            self._fill(draw, annotation, Place(name), values, values, name)
        return [values[name] for name in self._signature.names]

    def _fill(
        self, draw: Draw, annotation: ast.expr | None, place: Place, values: dict[str, Any], owner: Any, at: str | int
    ) -> None:
        """Draw what stands at a place and put it there. A list is put there first: limits of its items may speak of
        its length and of the items before."""
        path, constraints = generic(place), self._constraints
        match annotation:
            case _ if options := self._options(place):
                owner[at] = draw.random.choice(options)
            case ast.Name("int"):
                owner[at] = draw.number(*self._limits(place, values))
            case ast.Name("bool"):
                owner[at] = draw.random.random() < 0.5
            case ast.Name("str"):
                length = draw.size(*self._limits(place.size(), values))
                owner[at] = draw.text(length, constraints.alphabets[path])
            case ast.Subscript(_, item):
                items: list[Any] = [None] * draw.size(*self._limits(place.size(), values))
                owner[at] = items
                unique = path in constraints.unique
                for n in range(len(items)):
                    self._fill(draw, item, place.item(n), values, items, n)
                    for _ in range(REDRAWS if unique else 0):
                        if items[n] not in items[:n]:
                            break
                        self._fill(Draw("random", draw.random), item, place.item(n), values, items, n)
                if path in constraints.trees:
                    for row, edge in zip(items, _tree_edges(draw, len(items)), strict=True):
                        low, _ = self._limits(place.item(0).item(0), values)
                        row[:2] = [low + end for end in edge]
                elif path in constraints.ordered:
                    items.sort(reverse=constraints.ordered[path][1])
                elif not unique:
                    items[:] = draw.arrange(items)

    def _limits(self, place: Place, values: Mapping[str, Any], symbol: bool = False) -> tuple[int, int]:
        """Inclusive limits of a place, as far as what is drawn already tells; 1 and LONGEST where it tells nothing.
        Raises _NoDraw where nothing is between them."""
        low, high = list[int](), list[int]()
        same = [place]
        for chain in self._constraints.chains:
            for term, indices, side, strict in chain.sides(place):
                try:
                    value = int(evaluate(term, {**values, **indices}))
                except UNREADABLE:
                    other = Place.of(term)
                    if symbol and side == "both" and other is not None:
                        same.append(replace(other, indices=(0,) * len(other.indices)))
                    continue
                low += [value + strict] if side in ("low", "both") else []
                high += [value - strict] if side in ("high", "both") else []
        for equal in same[1:]:
            try:
                further = self._limits(equal, values)
            except _NoDraw:
                continue
            low.append(further[0])
            high.append(further[1])
        lowest, highest = max(low, default=1), min(high, default=LONGEST)
        if lowest > highest:
            raise _NoDraw
        return lowest, highest

    def _mutated(self, random: Random, seeds: Sequence[bytes]) -> list[Any] | None:
        if not seeds:
            return None
        values: list[Any] = json.loads(random.choice(seeds))
        for _ in range(random.randint(1, 3)):
            _mutate(values, random)
        return values


def argument_model(row: Mapping[str, Any], inputs: Sequence[bytes]) -> ArgumentModel:
    """The model of a function problem, a PREPARED row. inputs: those of its tests, all of which it must accept.

    Raises NoGenerator.
    """
    signature = read_signature(row["starter_code"] or "", row["entry_point"].rpartition(".")[2])
    if signature is None:
        raise NoGenerator("the starter code does not say what the function takes")
    if not row["constraints"]:
        raise NoGenerator("the statement has no constraints")
    strings = {path for n, a in zip(signature.names, signature.annotations, strict=True) for path in _strings(n, a)}
    model = ArgumentModel(signature, read_constraints(row["constraints"], row["description"] or "", strings))
    if not all(map(model.accepts, inputs)):
        raise NoGenerator("a test breaks the constraints as they were read")
    return model


def _strings(path: str, annotation: ast.expr | None) -> set[str]:
    match annotation:
        case ast.Name("str"):
            return {path}
        case ast.Subscript(_, item):
            return _strings(f"{path}[_]", item)
    return set()


def _tree_edges(draw: Draw, count: int) -> list[list[int]]:
    """So many edges of a tree over nodes from 0 on: a path, a star, or each node below one drawn before."""
    random = draw.random
    edges = []
    for node in range(1, count + 1):
        parents = {"sorted": node - 1, "reversed": node - 1, "equal": 0}
        edges.append([parents.get(draw.family, random.randrange(node)), node])
    names = random.sample(range(count + 1), count + 1)
    edges = [[names[end] for end in random.sample(edge, 2)] for edge in edges]
    return random.sample(edges, count)


def _is_tree(edges: Sequence[tuple[int, ...]]) -> bool:
    """Whether they are the edges of one tree over all the nodes that they name."""
    if any(len(edge) != 2 for edge in edges):
        return False
    group = {node: node for edge in edges for node in edge}
    for one, other in edges:
        if group[one] == group[other]:
            return False
        merged, kept = group[one], group[other]
        group = {node: kept if of == merged else of for node, of in group.items()}
    return len(set(group.values())) <= 1


def _mutate(values: list[Any], random: Random) -> None:
    """Change one thing somewhere below: a number by one, an element dropped, doubled, or swapped."""
    if not values:
        return
    at = random.randrange(len(values))
    item = values[at]
    if isinstance(item, list) and item and random.random() < 0.7:
        if isinstance(item[0], list) and random.random() < 0.6:
            _mutate(item, random)
            return
        place = random.randrange(len(item))
        match random.randrange(4):
            case 0:
                del item[place]
            case 1:
                item.insert(place, item[random.randrange(len(item))])
            case 2:
                other = random.randrange(len(item))
                item[place], item[other] = item[other], item[place]
            case _:
                _mutate(item, random)
    elif isinstance(item, str) and item:
        place = random.randrange(len(item))
        values[at] = item[:place] + random.choice(item) * random.randint(0, 2) + item[place + 1 :]
    elif type(item) is int:
        values[at] = item + random.choice((-1, 1)) * random.choice((1, 1, 2, 10))
