"""The benchmark's word n-grams, and how much of a row is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import xxhash
from numpy.typing import NDArray
from scipy import sparse

from microcoder_assets.config import DecontaminationSettings
from microcoder_assets.processing.shingles import Hashes, HashSet, distinct, runs

STRICT_NGRAM = 13
"""Words of the gram whose mere presence counts as overlap in published practice (Brown et al. 2020, appendix C)."""

PAPER_NGRAM = 16
"""Words a gram in the paper's screening (arXiv 2603.07779)."""

PAPER_SHARE = 0.22
"""The paper's threshold. It names no formula; ours: the share of a row's 16-grams that the benchmark holds."""

UNRELATED_ROWS = 3
"""A benchmark gram in this many rows that are no copy of an item is boilerplate. Measured."""

COPY = 0.5
"""Share of a row's grams in one item, boilerplate included, from which it is a copy of the item. Ours."""

FEWEST_GRAMS = 30
"""Shorter rows count as having this many grams: at 0.10 one or two accidental grams never drop a row. Ours."""

_HEADER = np.dtype([("grams", "<u4"), ("strict", "?"), ("paper_share", "<f4")])


class RowGrams(NamedTuple):
    """What the index knows of a row. positions: its grams that the benchmark has, ascending; grams: how many it has.

    strict: whether it shares any 13-gram. paper_share: the share of its 16-grams that the benchmark holds.
    """

    positions: NDArray[np.int32]
    grams: int
    strict: bool
    paper_share: float

    def to_bytes(self) -> bytes:
        head = np.array((self.grams, self.strict, self.paper_share), _HEADER)
        return head.tobytes() + self.positions.tobytes()


@dataclass(frozen=True, slots=True)
class Grams:
    """The RowGrams of many rows, one array a field. positions: those of row after row; hits: how many each row has."""

    positions: NDArray[np.int64]
    hits: NDArray[np.int64]
    grams: NDArray[np.int64]
    strict: NDArray[np.bool_]
    paper_share: NDArray[np.float64]

    @classmethod
    def from_bytes(cls, stored: Sequence[bytes]) -> Self:
        head, size = np.frombuffer(b"".join(row[: _HEADER.itemsize] for row in stored), _HEADER), _HEADER.itemsize
        positions = np.frombuffer(b"".join(row[size:] for row in stored), np.int32).astype(np.int64)
        hits = (np.array([len(row) for row in stored], np.int64) - size) // np.dtype(np.int32).itemsize
        return cls(positions, hits, head["grams"].astype(np.int64), head["strict"], head["paper_share"].astype(float))

    def __getitem__(self, row: int) -> RowGrams:
        end = int(self.hits[: row + 1].sum())
        positions = self.positions[end - int(self.hits[row]) : end].astype(np.int32)
        return RowGrams(positions, int(self.grams[row]), bool(self.strict[row]), float(self.paper_share[row]))


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
        self._strict, self._paper = (
            HashSet(distinct(_runs_of_all([item for item in items if len(item) >= n], n)[0]))
            for n in (STRICT_NGRAM, PAPER_NGRAM)
        )
        postings, owners = _runs_of_all(items, settings.ngram)
        order = np.lexsort((owners, postings))
        postings, owners = postings[order], owners[order]
        first = np.append(True, (postings[1:] != postings[:-1]) | (owners[1:] != owners[:-1]))[: len(postings)]
        self._owners = owners[first]
        ranked, self._starts, self._owner_counts = np.unique(postings[first], return_index=True, return_counts=True)
        self._grams = HashSet(ranked)
        parts = (ranked, self._starts, self._owners)
        self.scheme = f"grams1-{settings.ngram}-{xxhash.xxh3_64_hexdigest(b''.join(p.tobytes() for p in parts))}"

    def look_up(self, row: Hashes) -> RowGrams:
        """The row's grams that the benchmark has, given its hashed words."""
        every = runs(row, self._settings.ngram)
        found = distinct(self._grams.positions(every)).astype(np.int32)
        strict = len(row) >= STRICT_NGRAM and len(self._strict.positions(runs(row, STRICT_NGRAM))) > 0
        long_runs = runs(row, PAPER_NGRAM) if strict and len(row) >= PAPER_NGRAM else row[:0]
        paper_share = len(self._paper.positions(long_runs)) / max(len(long_runs), 1)
        return RowGrams(found, len(every), strict, paper_share)

    def raw_containment(self, rows: Grams) -> Containment:
        """Over all grams, so that a row's numbers do not depend on the other rows."""
        return self._best(rows, np.zeros(len(self._grams), dtype=bool))

    def containment(self, rows: Grams, related: NDArray[np.bool_]) -> Containment:
        """Over the telling grams: those in fewer than `boilerplate_items` items and UNRELATED_ROWS other rows.

        related: copies of an item and rows matched by another rule, which say nothing about the phrases of a judge.
        """
        unrelated = rows.positions[np.repeat(~related, rows.hits)]
        rows_with = np.bincount(unrelated, minlength=len(self._grams))
        of_items = self._owner_counts >= self._settings.boilerplate_items
        return self._best(rows, of_items | (rows_with >= UNRELATED_ROWS))

    def share(self, row: RowGrams, item: int) -> float:
        """Share of the row's grams that are in the item, boilerplate included."""
        _, items, count = self._shared(np.array([len(row.positions)]), row.positions.astype(np.int64))
        return float(count[items == item].sum()) / max(row.grams, FEWEST_GRAMS)

    def _best(self, rows: Grams, boilerplate: NDArray[np.bool_]) -> Containment:
        size = len(rows.hits)
        row, plain = np.repeat(np.arange(size), rows.hits), boilerplate[rows.positions]
        set_aside = np.bincount(row[plain], minlength=size)
        pair_row, pair_item, count = self._shared(rows.hits - set_aside, rows.positions[~plain])
        score = count / np.maximum(rows.grams - set_aside, FEWEST_GRAMS)[pair_row]
        item_of_row, row_score = _first_best(pair_row, pair_item, score, size)
        row_of_item, item_score = _first_best(pair_item, pair_row, score, self._items)
        return Containment(item_of_row, row_score, row_of_item, item_score)

    def _shared(
        self, hits: NDArray[np.int64], positions: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Rows, items and how many grams they share, in ascending order: rows by grams times grams by items."""
        of_rows = _incidence(hits, positions, len(self._grams))
        shared = of_rows @ _incidence(self._owner_counts, self._owners, self._items)
        shared.sort_indices()
        return np.repeat(np.arange(len(hits)), np.diff(shared.indptr)), shared.indices.astype(np.int64), shared.data


def _incidence(counts: NDArray[np.int64], columns: NDArray[np.int64], width: int) -> sparse.csr_array:
    """Ones at the given columns; counts: how many of them each row has."""
    ends = np.concatenate([[0], np.cumsum(counts)])
    return sparse.csr_array((np.ones(len(columns), np.int64), columns, ends), shape=(len(counts), width))


def _first_best(
    key: NDArray[np.int64], other: NDArray[np.int64], score: NDArray[np.float64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each of `size` keys the lowest `other` of the highest score, -1 and 0 where it has none."""
    best, highest = np.full(size, -1), np.zeros(size)
    order = np.lexsort((-other, score, key))
    best[key[order]], highest[key[order]] = other[order], score[order]
    return best, highest


def _runs_of_all(texts: Sequence[Hashes], n: int) -> tuple[Hashes, NDArray[np.int64]]:
    """`runs` of every text, and the number of the text that each is of. All are hashed at once, as one long text, and
    those over the border of two texts are left out."""
    words, owners = _joined(texts), np.repeat(np.arange(len(texts)), np.array([len(text) for text in texts], np.int64))
    inside = owners[: max(len(words) - n + 1, 0)] == owners[n - 1 :]
    short = [number for number, text in enumerate(texts) if 0 < len(text) < n]
    found = _joined([runs(words, n)[: len(inside)][inside], *(runs(texts[number], n) for number in short)])
    return found, np.append(owners[: len(inside)][inside], np.array(short, np.int64))


def _joined(parts: Sequence[Hashes]) -> Hashes:
    return np.concatenate([np.empty(0, np.uint64), *parts])
