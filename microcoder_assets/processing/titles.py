"""Titles without contest names and version marks, and the bounds a statement declares: what tells versions apart."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import NamedTuple

from microcoder_assets.processing.shingles import words

_CONTEST = re.compile(r"\[[^\]]*\]|【[^】]*】|「[^」]*」|『[^』]*』")
_INDEX = re.compile(r"^\s*[a-z]\d?\.\s+")
_VERSION = re.compile(
    r"\s*[(（]?\s*("
    r"div\.?\s*\d"
    r"|(?:very |super |extra )?(?:easy|easier|medium|hard|harder|simple|simplified|extreme)"
    r"(?:\s+(?:version|edition|mode))?"
    r"|(?:数据)?[“\"]?(?:加强|增强|弱化|简单|困难|强化|原)[”\"]?版"
    r"|(?:(?<=\s)|(?<=[^\W\da-z]))(?:i{1,3}|iv|vi{0,3}|ix|x)"
    r"|(?<![\d.])\d{1,2}"
    r")[\s)）]*[^\w)]*$"
)
_BOUND = re.compile(
    r"(?:<=?|≤|≦|\\leqslant|\\leq?|\\lt)\s*(\d[\d,]*(?:\.\d+)?)"
    r"\s*(?:(?:\\cdot|\\times|\*|×|·)\s*(\d+))?\s*(?:\^\s*\{?\s*(\d{1,3}))?"
)


class Title(NamedTuple):
    """base: the words without contest, index letter and version; version: `easy version`, `ii`, `2`, or empty."""

    base: str
    version: str


def split_title(title: str | None) -> Title:
    """`[NOI2011] Toy (Easy Version)` is the base `toy` in the version `easy version`."""
    text = unicodedata.normalize("NFKC", title or "").lower()
    text = _INDEX.sub("", _CONTEST.sub(" ", text) if words(_CONTEST.sub(" ", text)) else text)
    mark = _VERSION.search(text)
    if mark and words(text[: mark.start()]):
        return Title(" ".join(words(text[: mark.start()])), " ".join(mark[1].split()))
    return Title(" ".join(words(text)), "")


def bounds(text: str) -> frozenset[float]:
    """Upper bounds written after a `<=` or `<`, as numbers: `10^5`, `10^{5}`, `100,000` and `1\\cdot 10^5` are one."""
    return frozenset(_value(*parts) for parts in _BOUND.findall(text))


def _value(number: str, factor: str, power: str) -> float:
    base, exponent = float(number.replace(",", "")), int(power or 1)
    try:
        return float(base * float(factor) ** exponent if factor else base**exponent)
    except OverflowError:
        return math.inf
