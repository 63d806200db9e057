"""MinHash signatures and LSH bands (Broder 1997; Leskovec et al., Mining of Massive Datasets, section 3.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from microcoder_assets.config import DedupSettings
from microcoder_assets.processing.shingles import Hashes, HashSet, distinct, starts_of_runs

Signature = NDArray[np.uint32]

BUCKET_LINKS = 16
"""In a larger bucket only pairs with one of its first members are compared, so boilerplate stays linear. Ours."""

_PAIRS_AT_ONCE = 1 << 15
_MIX = np.uint64(0x9E3779B97F4A7C15)


class Cache(Protocol):
    """Where what was computed of a row outlives a run. Keys name the scheme and the content; values are bytes."""

    def get(self, keys: list[str]) -> dict[str, bytes]:
        """The known ones among `keys`."""
        ...

    def put(self, values: dict[str, bytes]) -> None: ...


class MinHash:
    """Hash functions h(x) = (a x + b) mod 2^64; a signature keeps the upper 32 bits of the minimum of each."""

    def __init__(self, settings: DedupSettings) -> None:
        self.permutations = settings.permutations
        random = np.random.Generator(np.random.PCG64(settings.seed))
        self._a = random.integers(0, 2**64, settings.permutations, dtype=np.uint64) | np.uint64(1)
        self._b = random.integers(0, 2**64, settings.permutations, dtype=np.uint64)[:, None]
        self.scheme = f"minhash1-{settings.shingle_words}w-{settings.permutations}p-{settings.seed}"

    def signature(self, shingles: Hashes) -> Signature:
        """Shape (permutations,). No shingles: all ones, equal to no text's signature in practice."""
        if not len(shingles):
            return np.full(len(self._a), np.iinfo(np.uint32).max, np.uint32)
        smallest: NDArray[np.uint64] = (np.multiply.outer(self._a, shingles) + self._b).min(axis=1)
        return (smallest >> np.uint64(32)).astype(np.uint32)


def jaccard(left: Signature, right: Signature) -> float:
    """Estimated Jaccard similarity of the shingle sets; standard error sqrt(J (1 - J) / permutations)."""
    return float(np.mean(left == right))


def jaccards(signatures: NDArray[np.uint32], pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """`jaccard` of many pairs of rows at once; pairs has shape (n, 2)."""
    found = np.empty(len(pairs))
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        part = pairs[start : start + _PAIRS_AT_ONCE]
        found[start : start + len(part)] = (signatures[part[:, 0]] == signatures[part[:, 1]]).mean(axis=1)
    return found


class Buckets(NamedTuple):
    """Values that rows have: those with an equal one are worth a look, and are the members of its bucket.

    rows, values: shape (entries,); the entries of a value are in the order of its members.
    """

    rows: NDArray[np.int64]
    values: NDArray[np.uint64]

    @classmethod
    def together(cls, parts: Sequence[Buckets]) -> Self:
        """The entries of all parts, by row."""
        rows, values = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        order = np.argsort(rows, kind="stable")
        return cls(rows[order], values[order])

    def where(self, entries: NDArray[np.bool_]) -> Buckets:
        return Buckets(self.rows[entries], self.values[entries])

    def holding(self, values: NDArray[np.uint64]) -> Buckets:
        """The buckets of `values`, which are distinct and sorted."""
        return self.where(HashSet(values).contains(self.values))

    def pairs(self) -> NDArray[np.int64]:
        """Pairs of members, the earlier first, possibly repeated, shape (pairs, 2); of a large bucket those with one of
        its first BUCKET_LINKS members."""
        return self.rows[bucket_pairs(self.values)]


def bucket_pairs(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Pairs of rows (i < j) with one key, shape (pairs, 2); of a large bucket those with one of its first BUCKET_LINKS
    members."""
    order = np.argsort(keys, kind="stable")
    starts = starts_of_runs(keys[order])
    start = np.repeat(starts, np.diff(np.append(starts, len(keys))))
    place = np.arange(len(keys)) - start
    later, pairs = np.flatnonzero(place), [np.empty((0, 2), np.int64)]
    for link in range(BUCKET_LINKS):
        later = later[place[later] > link]
        pairs.append(np.stack([order[start[later] + link], order[later]], axis=1))
    return np.concatenate(pairs)


def cross_pairs(signatures: NDArray[np.uint32], others: NDArray[np.uint32], bands: int) -> NDArray[np.int64]:
    """Pairs (row of signatures, row of others) that agree in a whole band, ascending, shape (pairs, 2)."""
    found = [np.empty((0, 2), np.int64)]
    for keys, other_keys in zip(band_keys(signatures, bands), band_keys(others, bands), strict=True):
        order = np.argsort(other_keys, kind="stable")
        first, end = (np.searchsorted(other_keys[order], keys, side) for side in ("left", "right"))
        for link in range(BUCKET_LINKS):
            rows = np.flatnonzero(first + link < end)
            found.append(np.stack([rows, order[first[rows] + link]], axis=1))
    return distinct_pairs(np.concatenate(found))


def distinct_pairs(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each pair once, ascending."""
    size = int(pairs.max(initial=0)) + 1
    return np.stack(np.divmod(distinct(pairs[:, 0] * size + pairs[:, 1]), size), axis=1)


def band_keys(signatures: NDArray[np.uint32], bands: int) -> Iterator[NDArray[np.uint64]]:
    """For each band one key a row, equal where the band is; signatures has shape (rows, permutations).

    With r rows a band a pair of similarity s is found with probability 1 - (1 - s^r)^bands.
    """
    rows_a_band = signatures.shape[1] // bands
    for band in range(bands):
        keys = np.full(len(signatures), band, np.uint64)
        for column in range(band * rows_a_band, (band + 1) * rows_a_band):
            keys = (keys ^ signatures[:, column]) * _MIX
        yield keys
