"""Benchmark overlap: a ladder of four rules, each cheaper to be wrong about than the next (ours).

Published practice drops a row that shares any 13-gram (GPT-3) or any 8-gram (Open-R1) with the benchmark, which on
problems of one judge also drops the innocent: they share the judge's phrases. Here 8-grams count as a share of the
row, after the phrases that several benchmark items or several unrelated rows hold are set aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microcoder_assets.config import DecontaminationSettings
from microcoder_assets.processing.shingles import Hashes, grams

STRICT_NGRAM = 13
"""Words of the gram whose mere presence counts as overlap in published practice (Brown et al. 2020, appendix C)."""

UNRELATED_ROWS = 3
"""A benchmark gram in this many rows that are unrelated to its item is boilerplate. Measured."""

RELATED = 0.5
"""Raw containment from which a row counts as related to an item, so that copies do not make text boilerplate. Ours."""

FEWEST_GRAMS = 30
"""Shorter rows count as having this many grams: at 0.10 one or two accidental grams never drop a row. Ours."""


@dataclass(frozen=True, slots=True)
class Containment:
    """Per row: its best item (-1 where none) and the share of the row's grams in it. Per item: the same of rows."""

    item_of_row: NDArray[np.int64]
    row_score: NDArray[np.float64]
    row_of_item: NDArray[np.int64]
    item_score: NDArray[np.float64]


class GramIndex:
    """The benchmark's n-grams; rows are looked up one by one, so no row's grams are ever held."""

    def __init__(self, items: Sequence[Hashes], settings: DecontaminationSettings) -> None:
        """items: hashed words of every benchmark statement."""
        self._settings = settings
        self._items = len(items)
        self._strict = np.unique(_joined([grams(item, STRICT_NGRAM) for item in items if len(item) >= STRICT_NGRAM]))
        by_item = [grams(item, settings.ngram) for item in items]
        owners = np.repeat(np.arange(len(items)), [len(found) for found in by_item])
        postings = _joined(by_item)
        order = np.argsort(postings, kind="stable")
        self._owners = owners[order]
        self._grams, self._starts, self._counts = np.unique(postings[order], return_index=True, return_counts=True)
        self._hits: list[NDArray[np.int64]] = []
        self._row_grams: list[int] = []
        self._strict_hits: list[bool] = []

    def add_row(self, row: Hashes) -> None:
        """Look up the next row, given its hashed words."""
        found = grams(row, self._settings.ngram)
        self._hits.append(_positions(found, self._grams))
        self._row_grams.append(len(found))
        long_enough = len(row) >= STRICT_NGRAM
        self._strict_hits.append(long_enough and bool(len(_positions(grams(row, STRICT_NGRAM), self._strict))))

    @property
    def strict(self) -> NDArray[np.bool_]:
        """Per row: does it share any 13-gram with the benchmark."""
        return np.array(self._strict_hits, dtype=bool)

    def containment(self, known: NDArray[np.bool_]) -> Containment:
        """Of every row added. known: rows already matched by another rule, which tell nothing about boilerplate."""
        rows = len(self._hits)
        best = Containment(np.full(rows, -1), np.zeros(rows), np.full(self._items, -1), np.zeros(self._items))
        if not rows or not len(self._grams):
            return best
        gram = np.concatenate(self._hits)
        row = np.repeat(np.arange(rows), [len(hits) for hits in self._hits])
        size = np.array(self._row_grams)

        copies = [r for r, _, count in zip(*self._shared(row, gram), strict=True) if count >= RELATED * size[r]]
        plain = self._boilerplate(row, gram, copies, known)
        keep = ~plain[gram]
        telling = np.maximum(size - np.bincount(row[~keep], minlength=rows), FEWEST_GRAMS)
        for r, i, count in zip(*self._shared(row[keep], gram[keep]), strict=True):
            score = count / telling[r]
            if score > best.row_score[r]:
                best.item_of_row[r], best.row_score[r] = i, score
            if score > best.item_score[i]:
                best.row_of_item[i], best.item_score[i] = r, score
        return best

    def _boilerplate(
        self, row: NDArray[np.int64], gram: NDArray[np.int64], copies: list[int], known: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Per gram of the benchmark: is it a phrase of the judge rather than of a problem."""
        stranger = ~known
        stranger[copies] = False
        rows_with = np.bincount(gram[stranger[row]], minlength=len(self._grams))
        return (self._counts >= self._settings.boilerplate_items) | (rows_with >= UNRELATED_ROWS)

    def _shared(self, row: NDArray[np.int64], gram: NDArray[np.int64]) -> tuple[list[int], list[int], list[int]]:
        """Rows, items and how many grams they share, in ascending order."""
        times = self._counts[gram]
        ends = np.cumsum(times)
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - times, times)
        item = self._owners[np.repeat(self._starts[gram], times) + within]
        pair, count = np.unique(np.repeat(row, times) * self._items + item, return_counts=True)
        return (pair // self._items).tolist(), (pair % self._items).tolist(), count.tolist()


def _joined(parts: Sequence[Hashes]) -> Hashes:
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


def _positions(wanted: Hashes, ranked: Hashes) -> NDArray[np.int64]:
    """Where the hashes that occur in `ranked` (sorted, distinct) stand in it."""
    if not len(ranked):
        return np.empty(0, np.int64)
    at = np.minimum(np.searchsorted(ranked, wanted), len(ranked) - 1)
    return at[ranked[at] == wanted]
