"""MinHash signatures and LSH bands (Broder 1997; Leskovec et al., Mining of Massive Datasets, section 3.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from microcoder_assets.config import DedupSettings
from microcoder_assets.processing.shingles import Hashes

Signature = NDArray[np.uint32]

BUCKET_LINKS = 16
"""In a larger LSH bucket only pairs with one of its first members are compared, so boilerplate stays linear. Ours."""

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


def candidate_pairs(signatures: NDArray[np.uint32], bands: int) -> Iterator[tuple[int, int]]:
    """Pairs of rows (i < j) that agree in a whole band, possibly repeated; signatures has shape (rows, permutations).

    With r rows a band a pair of similarity s is found with probability 1 - (1 - s^r)^bands.
    """
    for bucket in _buckets(signatures, bands):
        yield from bucket_pairs(bucket)


def bucket_pairs(bucket: Sequence[int]) -> Iterator[tuple[int, int]]:
    """All pairs of a small bucket; of a large one those with one of its first BUCKET_LINKS members."""
    yield from combinations(bucket[:BUCKET_LINKS], 2)
    for member in bucket[BUCKET_LINKS:]:
        yield from ((first, member) for first in bucket[:BUCKET_LINKS])


def cross_pairs(signatures: NDArray[np.uint32], others: NDArray[np.uint32], bands: int) -> set[tuple[int, int]]:
    """Pairs (row of signatures, row of others) that agree in a whole band."""
    border = len(signatures)
    found: set[tuple[int, int]] = set()
    for bucket in _buckets(np.concatenate([signatures, others]), bands):
        left = [row for row in bucket if row < border]
        right = [row - border for row in bucket[len(left) :]][:BUCKET_LINKS]
        found.update((i, j) for i in left for j in right)
    return found


def _buckets(signatures: NDArray[np.uint32], bands: int) -> Iterator[list[int]]:
    """Groups of two or more rows with the same band, each in ascending order."""
    rows_a_band = signatures.shape[1] // bands
    for band in range(bands):
        keys = np.zeros(len(signatures), np.uint64)
        for column in range(band * rows_a_band, (band + 1) * rows_a_band):
            keys = (keys ^ signatures[:, column]) * _MIX
        order = np.argsort(keys, kind="stable")
        ranked = keys[order]
        edges = np.flatnonzero(ranked[1:] != ranked[:-1]) + 1
        starts = np.concatenate([[0], edges, [len(keys)]])
        for n in np.flatnonzero(np.diff(starts) > 1):
            yield order[starts[n] : starts[n + 1]].tolist()
