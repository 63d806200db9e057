"""What a statement is built of: sizes of its parts, its bounds by what they limit, its samples and its signature.

Which parts are measured is ours. Sizes s are given as log(1 + s), bounds as log10.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Mapping
from typing import Any

_FENCE = re.compile(r"(?s)```.*?```")
_SECTIONS = ("description", "input_spec", "output_spec", "notes", "constraints")
_PARTS: dict[str, str] = {
    "formulas": r"\$[^$]*\$|`[^`]*`",
    "sentences": r"[.!?](?:\s|$)",
    "emphases": r"\*\*",
    "list_items": r"(?m)^\s*[-*] ",
    "letters": r"[A-Za-z]",
}
_SAMPLES = ("sample_input", "sample_output", "sample_explanation", "sample_output_lines", "sample_largest_number")
_LIMITED: dict[str, str] = {
    "length": r"^n$|length",
    "size": r"length|^[nmkq]\b|sum",
    "query": r"^q$",
    "k": r"^k$",
    "case": r"^t$",
    "total": r"sum",
}
"""What a bound limits -> pattern over the variable's name."""

_BOUNDS = ("bound_median", "bounds_negative", *(f"bound_{name}" for name in _LIMITED), "bound_smallest_size")
_SIGNATURE = ("arguments", "matrix_arguments", "list_arguments", "string_arguments", "number_arguments")
_RETURNS = ("int", "float", "bool", "str", "List[int]", "List[str]", "List[List[int]]")
STATEMENT_SHAPE = (
    *(f"{section}_words" for section in _SECTIONS),
    *_PARTS,
    "distinct_words",
    "mean_word",
    "title_words",
    *_SAMPLES,
    *_BOUNDS,
    "memory_limit",
    *_SIGNATURE,
    *(f"returns_{name}" for name in _RETURNS),
)
LARGEST_EXPONENT = 30.0

_WORD = re.compile(r"[A-Za-z]+")
_NUMBERS = re.compile(r"\d+")
_HEADER = re.compile(r"\((.*)\)\s*->\s*(.*):")
_PRIME = re.compile(r"10\s*\^\s*\{?\s*9\s*\}?\s*\+\s*7|998\s*244\s*353|1000000007")
_POWER = re.compile(r"10\s*\^\s*\{?(\d+)\}?")
_AT_MOST = re.compile(r"\\(?:leq?|leqslant)\b|≤|<=")
_NUMBER = re.compile(r"\b(\d+)\b")
_TOKEN = re.compile(r"[a-z]+[a-z0-9]*|[%^&|]")


def prose(statement: str) -> str:
    """The statement without fenced samples."""
    return _FENCE.sub(" ", statement)


def statement_tokens(statement: str) -> list[str]:
    """Lower-case words of the prose, with bounds and numbers named by their magnitude."""
    text = _POWER.sub(r" power\1 ", _PRIME.sub(" prime ", prose(statement).lower()))
    text = _NUMBER.sub(lambda match: f" number{len(match[1])} ", _AT_MOST.sub(" atmost ", text))
    return _TOKEN.findall(text)


def statement_shape(row: Mapping[str, Any]) -> dict[str, float]:
    """STATEMENT_SHAPE of one row with the columns of schema.NORMALIZED; NaN where unknown."""
    text = prose(row["statement"] or "")
    words = _WORD.findall(text)
    sizes: dict[str, float] = {f"{section}_words": len(prose(row[section] or "").split()) for section in _SECTIONS}
    sizes |= {name: len(re.findall(pattern, text)) for name, pattern in _PARTS.items()}
    sizes |= {
        "distinct_words": len({word.lower() for word in words}),
        "mean_word": sum(map(len, words)) / max(len(words), 1),
        "title_words": len((row["title"] or "").split()),
        "memory_limit": row["memory_limit_mb"] or math.nan,
        **_samples(row["samples"] or []),
        **_signature(row["starter_code"] or ""),
    }
    measured = {name: math.log1p(size) for name, size in sizes.items()} | _bounds(row["bounds"] or [])
    return {name: measured[name] for name in STATEMENT_SHAPE}


def _samples(samples: list[dict[str, Any]]) -> dict[str, int]:
    outputs = [sample["output"] or "" for sample in samples]
    sizes = (
        sum(len(sample["input"] or "") for sample in samples),
        sum(map(len, outputs)),
        sum(len(sample["explanation"] or "") for sample in samples),
        sum(output.count("\n") for output in outputs),
        max((len(number) for output in outputs for number in _NUMBERS.findall(output)), default=0),
    )
    return dict(zip(_SAMPLES, sizes, strict=True))


def _bounds(bounds: list[dict[str, Any]]) -> dict[str, float]:
    usable = [
        (bound["variable"] or "", min(math.log10(max(bound["high"], 1.0)), LARGEST_EXPONENT))
        for bound in bounds
        if bound["high"] is not None and bound["high"] > 0
    ]
    by_kind = {
        f"bound_{name}": [size for variable, size in usable if re.search(pattern, variable)]
        for name, pattern in _LIMITED.items()
    }
    return {
        "bound_median": statistics.median([size for _, size in usable]) if usable else math.nan,
        "bounds_negative": float(sum(bound["low"] is not None and bound["low"] < 0 for bound in bounds)),
        "bound_smallest_size": min(by_kind["bound_size"], default=math.nan),
        **{name: max(sizes, default=math.nan) for name, sizes in by_kind.items()},
    }


def _signature(starter_code: str) -> dict[str, float]:
    header = _HEADER.search(starter_code)
    if header is None:
        return dict.fromkeys((*_SIGNATURE, *(f"returns_{name}" for name in _RETURNS)), math.nan)
    arguments, returned = header.groups()
    patterns = (":", r"List\[List", ": List", ": str", ": int")
    counts = [float(len(re.findall(pattern, arguments))) for pattern in patterns]
    returns = {f"returns_{name}": float(returned == name) for name in _RETURNS}
    return dict(zip(_SIGNATURE, counts, strict=True)) | returns
