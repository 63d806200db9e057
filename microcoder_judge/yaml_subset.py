"""The part of YAML that problem packages use, read strictly; the standard library has no YAML.

A mapping is split into its keys by indentation, and a value is read only when asked for: what nobody asks for may be
any YAML. Read are plain and quoted scalars on one line, lists of them (`[a, b]` or `- a` lines) and mappings in block
form. Anchors, tags, block scalars and `{...}` are refused by line number, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_SPACE = " \t"
"""White space of YAML within a line: a no-break space is text."""

_KEY = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^ \t"'#&*!|>%@`\[\]{},?-][^#]*?|-\w[^#]*?)"""
    r"[ \t]*:(?:[ \t]+(.*))?$"
)
_ITEM = re.compile(r"""[ \t]*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^"'\[\]{},]*?)[ \t]*(,|$)""")
_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')[ \t]*(?:#.*)?$""")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", '"': '"', "\\": "\\", "/": "/", " ": " "}
_NOTHING = ("", "~", "null", "Null", "NULL")


class YamlError(ValueError):
    """A text that this reader does not take; the message names the line."""


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    indent: int
    text: str


@dataclass(slots=True)
class Entry:
    """What follows a key: the rest of its line, and the lines below it."""

    number: int
    rest: str
    below: list[Line] = field(default_factory=list)


class Mapping:
    """A YAML mapping. Each reader returns None (or nothing) for an absent key and raises YamlError for another kind."""

    def __init__(self, entries: dict[str, Entry]) -> None:
        self._entries = entries

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def text(self, key: str) -> str | None:
        """A scalar as text; None also for a null."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.below:
            raise YamlError(f"line {entry.number}: {key} must be one value on one line")
        return _scalar(entry.rest, entry.number)

    def number(self, key: str) -> float | None:
        """A scalar as a finite number of 0 or more."""
        text = self.text(key)
        if text is None:
            return None
        if not re.fullmatch(r"[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]{1,2})?|[0-9]+\.", text):
            raise YamlError(f"line {self._entries[key].number}: {key} must be a number, got {text!r}")
        return float(text)

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of scalars; one scalar is a list of one, a null an empty list."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if not entry.below and entry.rest.startswith("["):
            return _flow_list(entry.rest, entry.number)
        if _without_comment(entry.rest) == "" and entry.below:
            return tuple(_block_item(line, entry.below[0].indent) for line in entry.below)
        text = self.text(key)
        return () if text is None else (text,)

    def mapping(self, key: str) -> Mapping | None:
        """A mapping below the key; a null is an empty one."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if _without_comment(entry.rest) not in _NOTHING:
            raise YamlError(f"line {entry.number}: {key} must be a mapping, its keys on lines of their own")
        return Mapping(_split(entry.below))

    def is_mapping(self, key: str) -> bool:
        """Whether the value is a mapping rather than a scalar or a list."""
        entry = self._entries.get(key)
        return entry is not None and bool(entry.below) and not _is_item(entry.below[0].text)


def read_mapping(text: str) -> Mapping:
    """The mapping that a document of one mapping holds. Raises YamlError."""
    lines: list[Line] = []
    for number, raw in enumerate(re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff")), start=1):
        stripped = raw.strip(_SPACE)
        if not stripped or stripped.startswith("#") or (number == 1 and stripped.startswith("%YAML")):
            continue
        if raw.startswith(("---", "...")):
            if not lines and stripped == "---":
                continue
            if stripped == "...":
                break
            raise YamlError(f"line {number}: more than one document")
        if "\t" in raw[: len(raw) - len(raw.lstrip(_SPACE))]:
            raise YamlError(f"line {number}: a tab indents, which YAML does not allow")
        lines.append(Line(number, len(raw) - len(raw.lstrip(" ")), stripped))
    return Mapping(_split(lines))


def _split(lines: list[Line]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    entry: Entry | None = None
    for line in lines:
        belongs = line.indent > lines[0].indent or (line.indent == lines[0].indent and _is_item(line.text))
        if entry is not None and belongs:
            entry.below.append(line)
            continue
        match = _KEY.match(line.text)
        if match is None or line.indent != lines[0].indent:
            raise YamlError(f"line {line.number}: expected `key: value`, got {line.text[:60]!r}")
        key = _scalar(match[1], line.number) or ""
        if key in entries:
            raise YamlError(f"line {line.number}: the key {key!r} is there twice")
        entry = entries[key] = Entry(line.number, (match[2] or "").strip(_SPACE))
    return entries


def _is_item(text: str) -> bool:
    return text == "-" or text.startswith("- ")


def _block_item(line: Line, indent: int) -> str:
    if not _is_item(line.text) or line.indent != indent:
        raise YamlError(f"line {line.number}: expected `- value`, got {line.text[:60]!r}")
    return _scalar(line.text[1:].strip(_SPACE), line.number) or ""


def _flow_list(text: str, number: int) -> tuple[str, ...]:
    text = _without_comment(text)
    if not text.endswith("]"):
        raise YamlError(f"line {number}: a list must end on its line, with `]`")
    inner, items, position = text[1:-1], [], 0
    while inner[position:].strip(_SPACE):
        match = _ITEM.match(inner, position)
        if match is None:
            raise YamlError(f"line {number}: a list of plain values is expected, got {text[:60]!r}")
        items.append(_scalar(match[1], number) or "")
        position = match.end()
    return tuple(items)


def _scalar(text: str, number: int) -> str | None:
    quoted = _QUOTED.match(text)
    if quoted:
        return _unquoted(quoted[1], number)
    text = _without_comment(text)
    if text in _NOTHING:
        return None
    if text[0] in "\"'&*!|>%@`[{" or ": " in text:
        raise YamlError(f"line {number}: expected one plain or quoted value, got {text[:60]!r}")
    return text


def _unquoted(text: str, number: int) -> str:
    if text[0] == "'":
        return text[1:-1].replace("''", "'")

    def escape(match: re.Match[str]) -> str:
        if match[1][0] in "xuU":
            return chr(int(match[1][1:], 16)).encode().decode()
        if match[1] not in _ESCAPES:
            raise YamlError(f"line {number}: unknown escape \\{match[1]}")
        return _ESCAPES[match[1]]

    try:
        return re.sub(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", escape, text[1:-1])
    except YamlError:
        raise
    except (ValueError, OverflowError) as error:
        raise YamlError(f"line {number}: an escape that is no character") from error


def _without_comment(text: str) -> str:
    """The text up to a ` #`; only for what is not quoted, or for a list, whose quoted items may hold one."""
    if text.startswith("#"):
        return ""
    quote = ""
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and text.startswith("["):
            quote = character
        elif character == "#" and text[position - 1] in " \t":
            return text[:position].rstrip(_SPACE)
    return text.rstrip(_SPACE)
