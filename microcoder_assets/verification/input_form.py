"""The form of a problem's inputs, learned from its tests: blocks of lines of tokens, where a number of lines, tokens or
characters is a constant or an earlier number of the same input. The forms are ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from microcoder_assets.verification.inputs import NoGenerator

MAX_BLOCKS = 10
FEW_WORDS = 8
"""Different words that are taken for options, where each is seen four times on average. Ours."""
INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,18})")
_DECIMAL = re.compile(r"-?\d*\.\d+")

Lines = list[list[str]]
Values = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Count:
    """A number of lines, tokens or characters: `offset`, or an earlier number plus that."""

    variable: str | None
    offset: int

    def of(self, numbers: Mapping[str, int]) -> int:
        return self.offset + (numbers[self.variable] if self.variable else 0)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Integers between inclusive limits."""

    low: int
    high: int

    def accepts(self, token: str, numbers: Mapping[str, int]) -> bool:
        return INTEGER.fullmatch(token) is not None and self.low <= int(token) <= self.high


@dataclass(frozen=True, slots=True)
class Words:
    """One of the options; without them so many characters of the alphabet. length: None for any from shortest on."""

    alphabet: str
    length: Count | None
    shortest: int
    longest: int
    options: tuple[str, ...] = ()

    def accepts(self, token: str, numbers: Mapping[str, int]) -> bool:
        if self.options:
            return token in self.options
        fits = (
            self.shortest <= len(token) <= self.longest
            if self.length is None
            else len(token) == self.length.of(numbers)
        )
        return fits and set(token) <= set(self.alphabet)


@dataclass(frozen=True, slots=True)
class Block:
    """rows lines of width tokens. columns: one for each token, or one for all where the width is a number of the input.
    names: of the columns' values. One line of a constant width holds numbers that later counts may name."""

    rows: Count
    width: Count
    columns: tuple[Numbers | Words, ...]
    names: tuple[str, ...]

    @property
    def single(self) -> bool:
        return self.rows == Count(None, 1) and self.width.variable is None

    def column_of(self, token: int) -> int:
        return 0 if self.width.variable else token


def read_lines(data: bytes) -> Lines | None:
    """Tokens by line, without blank lines at the end; None for what is not ASCII."""
    try:
        text = data.decode("ascii").rstrip()
    except UnicodeDecodeError:
        return None
    return [line.split() for line in text.split("\n")] if text else []


def parse_lines(blocks: Sequence[Block], lines: Lines) -> Values | None:
    """The values of each column; None for an input of another form."""
    numbers: dict[str, int] = {}
    values: Values = {}
    at = 0
    for block in blocks:
        rows, width = block.rows.of(numbers), block.width.of(numbers)
        part = lines[at : at + max(0, rows)]
        at += max(0, rows)
        if rows < 0 or len(part) < rows or any(len(line) != width for line in part):
            return None
        for name in block.names:
            values[name] = []
        for line in part:
            for place, token in enumerate(line):
                column = block.columns[block.column_of(place)]
                if not column.accepts(token, numbers):
                    return None
                values[block.names[block.column_of(place)]].append(int(token) if isinstance(column, Numbers) else token)
        if block.single:
            numbers |= {
                name: values[name][0]
                for name, c in zip(block.names, block.columns, strict=True)
                if isinstance(c, Numbers)
            }
    return values if at >= len(lines) else None


def infer_form(tests: Sequence[Lines]) -> list[Block] | None:
    """The blocks that read all tests to their ends; None where there are none. Raises NoGenerator for decimals."""
    return _infer(tests, [0] * len(tests), [{} for _ in tests], 0)


def _infer(tests: Sequence[Lines], at: list[int], numbers: list[dict[str, int]], depth: int) -> list[Block] | None:
    """The blocks that read all tests from line `at` to their ends; counts by numbers are tried before constants."""
    if all(line == len(lines) for line, lines in zip(at, tests, strict=True)):
        return []
    if depth == MAX_BLOCKS:
        return None
    for rows in [*_counts(numbers), Count(None, 1)]:
        taken = [rows.of(known) for known in numbers]
        if min(taken) < 0 or not any(taken) or (rows.variable and set(taken) == {1}):
            continue
        ends = [line + more for line, more in zip(at, taken, strict=True)]
        if any(end > len(lines) for end, lines in zip(ends, tests, strict=True)):
            continue
        parts = [lines[line:end] for lines, line, end in zip(tests, at, ends, strict=True)]
        block = _read_block(rows, parts, numbers, depth)
        if block is None:
            continue
        known = numbers
        if block.single:
            known = [
                {
                    **before,
                    **{
                        n: int(t)
                        for n, c, t in zip(block.names, block.columns, part[0], strict=True)
                        if isinstance(c, Numbers)
                    },
                }
                for before, part in zip(numbers, parts, strict=True)
            ]
        rest = _infer(tests, ends, known, depth + 1)
        if rest is not None:
            return [block, *rest]
    return None


def _counts(numbers: Sequence[dict[str, int]]) -> Iterator[Count]:
    for variable in reversed(numbers[0]):
        for offset in (0, -1, 1):
            yield Count(variable, offset)


def _read_block(rows: Count, parts: Sequence[Lines], numbers: Sequence[dict[str, int]], depth: int) -> Block | None:
    widths = [{len(line) for line in part} for part in parts]
    every = set().union(*widths)
    if len(every) == 1:
        width = Count(None, every.pop())
        tokens = [[[line[n] for line in part] for part in parts] for n in range(width.offset)]
    else:
        fitting = (
            count
            for count in _counts(numbers)
            if all(found <= {count.of(known)} for found, known in zip(widths, numbers, strict=True))
        )
        found = next(fitting, None)
        if found is None:
            return None
        width = found
        tokens = [[[token for line in part for token in line] for part in parts]]
    columns = tuple(_read_column(column, numbers) for column in tokens)
    return Block(rows, width, columns, tuple(f"{depth}.{n}" for n in range(len(columns))))


def _read_column(tests: Sequence[Sequence[str]], numbers: Sequence[dict[str, int]]) -> Numbers | Words:
    tokens = [token for part in tests for token in part]
    if all(map(INTEGER.fullmatch, tokens)):
        integers = [int(token) for token in tokens] or [0]
        return Numbers(min(integers), max(integers))
    if any(map(_DECIMAL.fullmatch, tokens)):
        raise NoGenerator("decimals are not drawn")
    words = sorted(set(tokens))
    lengths = [{len(token) for token in part} for part in tests]
    shortest, longest = min(map(len, words)), max(map(len, words))
    count = (
        next(
            (
                count
                for count in _counts(numbers)
                if all(found <= {count.of(known)} for found, known in zip(lengths, numbers, strict=True))
            ),
            Count(None, longest) if shortest == longest else None,
        )
        if numbers[0] or shortest == longest
        else None
    )
    few = longest > 1 and len(words) <= FEW_WORDS and len(tokens) >= 4 * len(words)
    options = tuple(words) if few and (count is None or count.variable is None) else ()
    return Words("".join(sorted(set("".join(words)))), count, shortest, longest, options)
