"""The benchmark's word n-grams, and how much of a row is made of them."""

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
"""A benchmark gram in this many rows that are no copy of an item is boilerplate. Measured."""

COPY = 0.5
"""Share of a row's grams in one item, boilerplate included, from which it is a copy of the item. Ours."""

FEWEST_GRAMS = 30
"""Shorter rows count as having this many grams: at 0.10 one or two accidental grams never drop a row. Ours."""


@dataclass(frozen=True, slots=True)
class Containment:
    """Per row: its best item (-1: none) and the share of the row's grams in it. Per item: the same of rows."""

    item_of_row: NDArray[np.int64]
    row_score: NDArray[np.float64]
    row_of_item: NDArray[np.int64]
    item_score: NDArray[np.float64]


class GramIndex:
    """Rows are looked up one by one, and of each only the grams that the benchmark has are kept."""

    def __init__(self, items: Sequence[Hashes], settings: DecontaminationSettings) -> None:
        """items: hashed words of every benchmark statement."""
        self._settings = settings
        self._items = len(items)
        self._strict = np.unique(_joined([grams(item, STRICT_NGRAM) for item in items if len(item) >= STRICT_NGRAM]))
        by_item = [grams(item, settings.ngram) for item in items]
        postings = _joined(by_item)
        order = np.argsort(postings, kind="stable")
        self._owners = np.repeat(np.arange(len(items)), [len(found) for found in by_item])[order]
        self._grams, self._starts, self._owner_counts = np.unique(
            postings[order], return_index=True, return_counts=True
        )
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
        """Per row added: does it share any 13-gram with the benchmark."""
        return np.array(self._strict_hits, dtype=bool)

    def raw_containment(self) -> Containment:
        """Over all grams, so that a row's numbers do not depend on the other rows."""
        return self._best(np.zeros(len(self._grams), dtype=bool))

    def containment(self, known: NDArray[np.bool_]) -> Containment:
        """Over the telling grams: those in fewer than `boilerplate_items` items and UNRELATED_ROWS other rows.

        known: rows matched by another rule, which like copies say nothing about the phrases of a judge.
        """
        related = known | (self.raw_containment().row_score >= COPY)
        row, gram = self._row_hits()
        rows_with = np.bincount(gram[~related[row]], minlength=len(self._grams))
        return self._best((self._owner_counts >= self._settings.boilerplate_items) | (rows_with >= UNRELATED_ROWS))

    def _best(self, boilerplate: NDArray[np.bool_]) -> Containment:
        rows = len(self._hits)
        best = Containment(np.full(rows, -1), np.zeros(rows), np.full(self._items, -1), np.zeros(self._items))
        row, gram = self._row_hits()
        plain = boilerplate[gram]
        telling = np.array(self._row_grams, dtype=np.int64) - np.bincount(row[plain], minlength=rows)
        size = np.maximum(telling, FEWEST_GRAMS)
        for r, i, count in zip(*self._shared(row[~plain], gram[~plain]), strict=True):
            score = count / size[r]
            if score > best.row_score[r]:
                best.item_of_row[r], best.row_score[r] = i, score
            if score > best.item_score[i]:
                best.row_of_item[i], best.item_score[i] = r, score
        return best

    def _row_hits(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and gram of every hit, by row."""
        row = np.repeat(np.arange(len(self._hits)), [len(hits) for hits in self._hits])
        return row, np.concatenate([np.empty(0, np.int64), *self._hits])

    def _shared(self, row: NDArray[np.int64], gram: NDArray[np.int64]) -> tuple[list[int], list[int], list[int]]:
        """Rows, items and how many grams they share, in ascending order."""
        if not len(gram):
            return [], [], []
        times = self._owner_counts[gram]
        ends = np.cumsum(times)
        within = np.arange(ends[-1]) - np.repeat(ends - times, times)
        item = self._owners[np.repeat(self._starts[gram], times) + within]
        pair, count = np.unique(np.repeat(row, times) * self._items + item, return_counts=True)
        return (pair // self._items).tolist(), (pair % self._items).tolist(), count.tolist()


def _joined(parts: Sequence[Hashes]) -> Hashes:
    return np.concatenate([np.empty(0, np.uint64), *parts])


def _positions(wanted: Hashes, ranked: Hashes) -> NDArray[np.int64]:
    """Where the hashes that occur in `ranked` (sorted, distinct) stand in it."""
    if not len(ranked):
        return np.empty(0, np.int64)
    at: NDArray[np.int64] = np.minimum(np.searchsorted(ranked, wanted), len(ranked) - 1)
    return np.asarray(at[ranked[at] == wanted], np.int64)
