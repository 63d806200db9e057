"""Inputs of stdin problems: form and invariants are learned from all of a problem's tests, limits from tests and
bounds. Where the statement asks for more than bounds and invariants say, there is no model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from microcoder_assets.verification.input_form import (
    INTEGER,
    Block,
    Numbers,
    Words,
    infer_form,
    parse_lines,
    read_lines,
)
from microcoder_assets.verification.inputs import TRIES, Draw, NoGenerator
from microcoder_assets.verification.invariants import Invariant, find_invariants

MIN_TESTS = 4
"""Different inputs that a form is learned from. Ours."""
LEARN_BYTES = 20_000
LEARN_TESTS = 40
"""The smallest inputs, as many and as large, are learned from; all must be accepted. Ours."""
_ASKS = re.compile(
    r"guarantee|valid|balanced|palindrom|prime|power of|\bodd\b|\beven\b|\btree\b|connected|permutation|coprime|must|"
    r"never|exactly one|at most \$?\d+\$? distinct|sum of",
    re.IGNORECASE,
)
"""Words of a sentence that asks for more than a form, bounds and invariants."""
_SCORING = re.compile(r"\bpoints\b|\bgroups?\b.*\btest|\btest.*\bgroups?\b|subtask", re.IGNORECASE)
_DIFFER = re.compile(r"distinct|different|no two|unique|\\neq?\b|≠", re.IGNORECASE)
_MATHS = re.compile(r"\$+([^$]+)\$+")
_RELATES = re.compile(r"<|>|=|\\le|\\ge|\\l?eq|\\geq|≤|≥")
_COMBINES = re.compile(r"[A-Za-z}]\s*(?:[+/]|\\cdot|\\times|\\mod|\\frac)\s*\{?\}?\s*[A-Za-z\\]|\\frac\{[A-Za-z]")
_NAME = re.compile(r"(?<![\\A-Za-z])[A-Za-z](?:_\{?\w+\}?)?(?![A-Za-z])")


class StdinModel:
    """An InputModel of texts."""

    def __init__(self, blocks: Sequence[Block], invariants: Sequence[Invariant]) -> None:
        self.blocks, self.invariants = tuple(blocks), tuple(invariants)

    def accepts(self, data: bytes) -> bool:
        lines = read_lines(data)
        values = None if lines is None else parse_lines(self.blocks, lines)
        return values is not None and all(invariant.holds(values) for invariant in self.invariants)

    def draw(self, family: str, random: Random, seeds: Sequence[bytes]) -> bytes | None:
        for _ in range(TRIES):
            text = self._mutated(random, seeds) if family == "mutated" else self._drawn(Draw(family, random))
            if text is not None and self.accepts(text):
                return text
        return None

    def _drawn(self, draw: Draw) -> bytes:
        numbers: dict[str, int] = {}
        counts = {
            count.variable
            for block in self.blocks
            for count in (
                block.rows,
                block.width,
                *(c.length for c in block.columns if isinstance(c, Words) and c.length),
            )
        }
        lines: list[list[str]] = []
        for block in self.blocks:
            rows, width = max(0, block.rows.of(numbers)), max(0, block.width.of(numbers))
            if block.width.variable:
                table = [self._column(draw, block, 0, width, numbers) for _ in range(rows)]
            else:
                each = [self._column(draw, block, at, rows, numbers, counts) for at in range(width)]
                table = [list(row) for row in zip(*each, strict=True)] if each else [[] for _ in range(rows)]
            lines += table
            if block.single:
                numbers |= {
                    n: int(t)
                    for n, c, t in zip(block.names, block.columns, table[0], strict=True)
                    if isinstance(c, Numbers)
                }
        return "".join(" ".join(line) + "\n" for line in lines).encode()

    def _column(
        self,
        draw: Draw,
        block: Block,
        at: int,
        length: int,
        numbers: Mapping[str, int],
        counts: frozenset[str | None] | set[str | None] = frozenset(),
    ) -> list[str]:
        column, name = block.columns[at], block.names[at]
        if isinstance(column, Words):
            return [_word(draw, column, numbers) for _ in range(length)]
        low, high = column.low, column.high
        for invariant in self.invariants:
            if invariant.kind in ("<=", "<") and invariant.columns[0] == name and invariant.columns[1] in numbers:
                high = min(high, numbers[invariant.columns[1]] - (invariant.kind == "<"))
            if invariant.kind in ("<=", "<") and invariant.columns[1] == name and invariant.columns[0] in numbers:
                low = max(low, numbers[invariant.columns[0]] + (invariant.kind == "<"))
        high = max(low, high)
        kinds = {invariant.kind for invariant in self.invariants if invariant.columns == (name,)}
        if name in counts:
            return [str(draw.size(low, high)) for _ in range(length)]
        drawn = [draw.number(low, high) for _ in range(length)]
        if "distinct" in kinds:
            drawn = _distinct(draw, drawn, low, high)
        elif not block.single:
            drawn = draw.arrange(drawn)
        return [str(number) for number in (sorted(drawn) if {"rising", "increasing"} & kinds else drawn)]

    def _mutated(self, random: Random, seeds: Sequence[bytes]) -> bytes | None:
        """A known input with one to three tokens changed: by one, for another of the same line, or swapped."""
        if not seeds:
            return None
        lines = read_lines(random.choice(seeds)) or []
        filled = [line for line in lines if line]
        for _ in range(random.randint(1, 3) if filled else 0):
            line = random.choice(filled)
            at, other = random.randrange(len(line)), random.randrange(len(line))
            if INTEGER.fullmatch(line[at]) and random.random() < 0.6:
                line[at] = str(int(line[at]) + random.choice((-1, 1)) * random.choice((1, 1, 2, 10)))
            elif len(line[at]) > 1 and not INTEGER.fullmatch(line[at]):
                place = random.randrange(len(line[at]))
                line[at] = line[at][:place] + random.choice(line[at]) + line[at][place + 1 :]
            else:
                line[at], line[other] = line[other], line[at]
        return "".join(" ".join(line) + "\n" for line in lines).encode()


def stdin_model(row: Mapping[str, Any], inputs: Sequence[bytes]) -> StdinModel:
    """The model of a stdin problem, a PREPARED row. inputs: those of its tests, all of which it must accept.

    Raises NoGenerator.
    """
    small = sorted({data for data in inputs if len(data) <= LEARN_BYTES}, key=lambda data: (len(data), data))
    tests = [lines for data in small[:LEARN_TESTS] if (lines := read_lines(data)) is not None]
    if len(tests) < MIN_TESTS:
        raise NoGenerator(f"{len(tests)} small tests; a form is learned from {MIN_TESTS}")
    blocks = infer_form(tests)
    if blocks is None:
        raise NoGenerator("the tests have no form of lines, columns and counts")
    parsed = [parse_lines(blocks, lines) for lines in tests]
    invariants = find_invariants(blocks, [values for values in parsed if values is not None])
    if unread := _asks_more(row, invariants):
        raise NoGenerator(f"not understood: {unread[:120]}")
    model = StdinModel(_bounded(blocks, row, inputs), invariants)
    if not all(map(model.accepts, inputs)):
        raise NoGenerator("a large test has another form than the small ones")
    return model


def _asks_more(row: Mapping[str, Any], invariants: Sequence[Invariant]) -> str:
    """A sentence about the input that asks for what is no bound and no invariant; empty for none."""
    text = "\n".join(row[name] for name in ("input_spec", "constraints") if row[name])
    differ = any(invariant.kind in ("distinct", "increasing", "rows", "!=", "<") for invariant in invariants)
    for sentence in re.split(r"(?<=[.;])\s+|\n\s*\n|\n\s*-\s", text):
        plain = " ".join(sentence.split())
        combined = any(_RELATES.search(maths) and _COMBINES.search(maths) for maths in _MATHS.findall(plain))
        if _SCORING.search(plain):
            continue
        if combined or _ASKS.search(plain) or (_DIFFER.search(plain) and not differ):
            return plain
    return ""


def _bounded(blocks: Sequence[Block], row: Mapping[str, Any], inputs: Sequence[bytes]) -> list[Block]:
    """The blocks with the limits of all tests, and as far out as the statement's bounds allow.

    The statement's names are taken in the order in which they appear; they are believed only where there are as many
    as columns, and every bound allows what the tests have.
    """
    wide = [replace(block, columns=tuple(map(_any, block.columns))) for block in blocks]
    seen: dict[str, list[Any]] = {name: [] for block in blocks for name in block.names}
    for data in inputs:
        for name, values in (parse_lines(wide, read_lines(data) or []) or {}).items():
            seen[name] += [min(values), max(values)] if values else []
    names = _names(row)
    columns = [name for block in blocks for name in block.names]
    bounds = {bound["variable"]: bound for bound in row["bounds"] or []}
    spoken = dict(zip(columns, names, strict=False)) if len(names) == len(columns) else {}
    limits = {column: _limits(seen[column], bounds.get(spoken.get(column, ""))) for column in columns}
    believed = all(limit is not None for limit in limits.values())
    result = []
    for block in blocks:
        parts: list[Numbers | Words] = []
        for name, column in zip(block.names, block.columns, strict=True):
            if isinstance(column, Numbers):
                own = limits[name] if believed else None
                parts.append(Numbers(*(own or (min(seen[name], default=0), max(seen[name], default=0)))))
            else:
                parts.append(column)
        result.append(replace(block, columns=tuple(parts)))
    return result


def _any(column: Numbers | Words) -> Numbers | Words:
    return Numbers(-(10**19), 10**19) if isinstance(column, Numbers) else column


def _limits(seen: Sequence[Any], bound: Mapping[str, Any] | None) -> tuple[int, int] | None:
    """Of the values seen, widened by a bound; None where the bound does not allow them."""
    if not seen or isinstance(seen[0], str):
        return (0, 0)
    low, high = min(seen), max(seen)
    if bound is None:
        return low, high
    least = low if bound["low"] is None else int(bound["low"]) + bound["low_strict"]
    most = high if bound["high"] is None else int(bound["high"]) - bound["high_strict"]
    return (least, most) if least <= low and high <= most else None


def _names(row: Mapping[str, Any]) -> list[str]:
    """Variables of the input section in the order in which they appear; `a_1` to `a_n` are one."""
    found: dict[str, str] = {}
    for maths in _MATHS.findall(row["input_spec"] or ""):
        for name in _NAME.findall(maths):
            base = name.partition("_")[0]
            if name in ("i", "j"):
                continue
            found.setdefault(base if re.search(r"_\{?(?:1|i|2|n|N)\b", name) else name, name)
    known = [bound["variable"] for bound in row["bounds"] or []]
    return [next((v for v in (f"{base}_i", name, base) if v in known), name) for base, name in found.items()]


def _word(draw: Draw, column: Words, numbers: Mapping[str, int]) -> str:
    if column.options:
        return draw.random.choice(column.options)
    length = draw.size(column.shortest, column.longest) if column.length is None else column.length.of(numbers)
    return draw.text(max(0, length), column.alphabet)


def _distinct(draw: Draw, drawn: list[int], low: int, high: int) -> list[int]:
    """The same without repeats, as far as there are other values."""
    used: set[int] = set()
    for at, number in enumerate(drawn):
        if number in used:
            free = [n for n in range(low, min(high, low + 4 * len(drawn)) + 1) if n not in used]
            drawn[at] = draw.random.choice(free) if free else number
        used.add(drawn[at])
    return drawn
