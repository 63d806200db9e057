"""Sample fingerprints: what stays of a problem when its story is reworded or translated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import xxhash

_ARGUMENT_NAME = re.compile(r"(?:(?<=^)|(?<=[\s,;(]))[A-Za-z_]\w*\s*=(?!=)\s*")
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'|[^\s,;:\[\]{}()"\']+')
_DECIMAL = re.compile(r"-?\d+\.\d+")
_SPELLINGS = {"none": "null", "nil": "null"}


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """pairs: one hash a sample (input and output), in order and without repeats.
    lengths: literals in that sample. io_mode: samples of different modes are never compared."""

    io_mode: str | None = None
    pairs: tuple[int, ...] = ()
    lengths: tuple[int, ...] = ()

    @property
    def tokens(self) -> int:
        """Literals in all samples: how much evidence equality is."""
        return sum(self.lengths)

    @property
    def key(self) -> tuple[str | None, tuple[int, ...]]:
        """Equal for problems with the same samples, in whatever order they are listed."""
        return self.io_mode, tuple(sorted(self.pairs))


def fingerprint(samples: Sequence[dict[str, Any]] | None, io_mode: str | None) -> Fingerprint:
    """Of rows of `schema.SAMPLE`; explanations are ignored, and samples whose output is empty are left out.

    stdin: white-space separated tokens. function: the literals, so that `nums = [1,2], k = 3` equals the JSON lines
    `[1, 2]` and `3`; a string keeps its text without the quotes.
    """
    mode = "function" if io_mode == "function" else "stdin"
    found: dict[int, int] = {}
    for sample in samples or ():
        parts = [literals(sample["input"] or "", mode), literals(sample["output"] or "", mode)]
        if parts[1]:
            text = "\x1e".join("\x1f".join(part) for part in parts)
            found[xxhash.xxh64_intdigest(text.encode("utf-8", "surrogatepass"))] = len(parts[0]) + len(parts[1])
    return Fingerprint(mode, tuple(found), tuple(found.values()))


def literals(text: str, mode: str) -> list[str]:
    """The values in a sample, in order: decimals without trailing zeros, `True` and `None` as JSON has them."""
    if mode != "function":
        return [_number(token) for token in text.split()]
    found = []
    for match in _LITERAL.finditer(_ARGUMENT_NAME.sub(" ", text)):
        quoted = match[1] if match[1] is not None else match[2]
        bare = match[0].lower()
        found.append(quoted if quoted is not None else _number(_SPELLINGS.get(bare, bare)))
    return found


def _number(token: str) -> str:
    return token.rstrip("0").rstrip(".") if _DECIMAL.fullmatch(token) else token
