"""Text as hashed words and hashed runs of words: what near-duplicate search and decontamination count."""

from __future__ import annotations

import re
import unicodedata
from typing import TypeVar

import numpy as np
import xxhash
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Scalar = TypeVar("Scalar", bound=np.generic)

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
_NOT_WORDS = re.compile(r"!\[[^\]]*\]\([^)]*\)|https?://\S+|\\[A-Za-z]+")
_MAX_VOCABULARY = 1 << 20
_BASE = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_TABLE_BITS = 22


def words(text: str) -> list[str]:
    """Lower-case words and numbers; every Chinese, Japanese or Korean character is a word of its own.

    Images, links and LaTeX commands are left out: sources write the same text with different markup.
    """
    text = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return _WORD.findall(_NOT_WORDS.sub(" ", text).lower())


class WordHasher:
    """Words to 64-bit hashes, each distinct word hashed once."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def __call__(self, text: str) -> Hashes:
        """Hashes of `words(text)`, in order, shape (words,)."""
        found = words(text)
        if len(self._known) > _MAX_VOCABULARY:
            self._known.clear()
        known = self._known
        for word in set(found).difference(known):
            known[word] = xxhash.xxh64_intdigest(word.encode("utf-8", "surrogatepass"))
        return np.fromiter(map(known.__getitem__, found), np.uint64, len(found))


def runs(hashed_words: Hashes, n: int) -> Hashes:
    """A hash of every run of n words, in order, repeats included; a text of fewer words is one run."""
    if not len(hashed_words):
        return hashed_words
    n = min(n, len(hashed_words))
    count = len(hashed_words) - n + 1
    rolled = np.zeros(count, np.uint64)
    for offset in range(n):
        rolled = rolled * _BASE + hashed_words[offset : offset + count]
    rolled ^= rolled >> np.uint64(29)
    rolled *= _MIX
    rolled ^= rolled >> np.uint64(32)
    return rolled


def grams(hashed_words: Hashes, n: int) -> Hashes:
    """Distinct hashes of every run of n words, sorted."""
    return distinct(runs(hashed_words, n))


def distinct(values: NDArray[Scalar]) -> NDArray[Scalar]:
    """Each once, sorted. `np.unique` fills a hash table first, which takes ten times as long for random hashes."""
    ranked = np.sort(values)
    return ranked[starts_of_runs(ranked)]


def starts_of_runs(ranked: NDArray[Scalar]) -> NDArray[np.int64]:
    """Where in sorted values each distinct one starts."""
    return np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1])[: len(ranked)])


class HashSet:
    """Sorted distinct hashes. A table of their first bits answers for nearly all others without a search."""

    def __init__(self, ranked: Hashes) -> None:
        self._ranked = ranked
        self._first_bits = np.zeros(1 << _TABLE_BITS, dtype=bool)
        self._first_bits[self._slots(ranked)] = True

    def __len__(self) -> int:
        return len(self._ranked)

    def positions(self, wanted: Hashes) -> NDArray[np.int64]:
        """Where those of `wanted` that are in the set stand in it."""
        return self._look_up(wanted)[1]

    def contains(self, wanted: Hashes) -> NDArray[np.bool_]:
        """Which of `wanted` are in the set."""
        found = np.zeros(len(wanted), dtype=bool)
        found[self._look_up(wanted)[0]] = True
        return found

    def _look_up(self, wanted: Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which of `wanted` are in the set, and where."""
        likely = np.flatnonzero(self._first_bits[self._slots(wanted)])
        if not len(likely):
            return likely, likely
        at = np.minimum(np.searchsorted(self._ranked, wanted[likely]), len(self._ranked) - 1)
        inside = self._ranked[at] == wanted[likely]
        return likely[inside], at[inside]

    @staticmethod
    def _slots(hashes: Hashes) -> NDArray[np.int64]:
        return (hashes >> np.uint64(64 - _TABLE_BITS)).view(np.int64)
