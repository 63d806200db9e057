"""Duplicates inside the pool: pairs that share a key, samples, a title or much of their text, joined to groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from microcoder_assets.config import DedupSettings
from microcoder_assets.processing.documents import (
    FEWEST_SHINGLES,
    LIKE_TITLED_TEXT,
    Document,
    are_versions,
    same_function,
    same_samples,
    same_text,
    same_title,
)
from microcoder_assets.processing.minhash import BUCKET_LINKS, candidate_pairs, jaccard

COMMON_SAMPLE_TITLES = 6
"""A sample seen under more titles than this is a stock example. Ours."""


class Match(NamedTuple):
    """Why two problems are one. reason: the code without its prefix; score: in (0, 1]."""

    reason: str
    rule: str
    score: float
    detail: dict[str, Any]


_STRENGTH = ("identity", "samples", "text")


def find_clusters(
    documents: Sequence[Document], signatures: NDArray[np.uint32], settings: DedupSettings
) -> tuple[list[list[int]], dict[tuple[int, int], Match]]:
    """Groups of two or more rows that are one problem, ascending, and the matches that joined them.

    documents must be sorted by problem_id: then neither groups nor matches depend on the order rows came in.
    """
    common = _common_samples(documents)
    matches: dict[tuple[int, int], Match] = {}
    for i, j in sorted(_candidates(documents, signatures, settings)):
        match = _compare(documents[i], documents[j], jaccard(signatures[i], signatures[j]), common, settings)
        if match:
            matches[i, j] = match
    return _join(documents, matches), matches


def _compare(
    left: Document, right: Document, similarity: float, common: frozenset[int], settings: DedupSettings
) -> Match | None:
    """Text alone joins only rows of two judges: one judge words a series (quantum gates, oracles) nearly alike."""
    keys = sorted(left.keys & right.keys)
    if keys:
        return Match("identity", "identity_key", 1.0, {"key": keys[0]})
    if are_versions(left, right):
        return None
    detail = {"jaccard": round(similarity, 4)}
    tokens = same_samples(left, right, similarity, common)
    if tokens and same_title(left, right):
        return Match("identity", "title_and_samples", 1.0, {**detail, "sample_tokens": tokens})
    if tokens:
        return Match("samples", "sample_fingerprint", 1.0, {**detail, "sample_tokens": tokens})
    if same_text(left, right, similarity, settings.min_jaccard) and (
        left.platform != right.platform or same_title(left, right)
    ):
        return Match("text", "minhash", similarity, detail)
    if same_title(left, right) and same_text(left, right, similarity, LIKE_TITLED_TEXT):
        return Match("text", "title_and_minhash", similarity, detail)
    if same_function(left, right) and same_text(left, right, similarity, LIKE_TITLED_TEXT):
        return Match("text", "entry_point_and_minhash", similarity, detail)
    return None


def _candidates(
    documents: Sequence[Document], signatures: NDArray[np.uint32], settings: DedupSettings
) -> set[tuple[int, int]]:
    long_enough = np.flatnonzero([document.shingles >= FEWEST_SHINGLES for document in documents]).tolist()
    pairs = {
        (long_enough[i], long_enough[j]) for i, j in candidate_pairs(signatures[long_enough], settings.bands)
    }
    buckets: defaultdict[object, list[int]] = defaultdict(list)
    for row, document in enumerate(documents):
        names = [name for name in (document.title.base and document.title, document.entry_point) if name]
        for key in (*document.keys, *document.samples.pairs, *names):
            buckets[key].append(row)
    for bucket in buckets.values():
        pairs.update(combinations(bucket[:BUCKET_LINKS], 2))
        pairs.update((first, row) for row in bucket[BUCKET_LINKS:] for first in bucket[:BUCKET_LINKS])
    return pairs


def _common_samples(documents: Iterable[Document]) -> frozenset[int]:
    titles: defaultdict[int, set[str]] = defaultdict(set)
    for document in documents:
        for pair in document.samples.pairs:
            titles[pair].add(document.title.base)
    return frozenset(pair for pair, seen in titles.items() if len(seen) > COMMON_SAMPLE_TITLES)


def _join(documents: Sequence[Document], matches: dict[tuple[int, int], Match]) -> list[list[int]]:
    """Union of matched pairs, strongest first; a pair that would bring two versions into one group is left out.

    Of a group only the first BUCKET_LINKS members are asked, so that a thousand copies stay linear.
    """
    group_of = {row: [row] for pair in matches for row in pair}
    strength = {reason: n for n, reason in enumerate(_STRENGTH)}
    for (i, j), match in sorted(matches.items(), key=lambda m: (strength[m[1].reason], -m[1].score, m[0])):
        left, right = group_of[i], group_of[j]
        if left is right:
            continue
        clash = match.rule != "identity_key" and any(
            are_versions(documents[a], documents[b]) for a in left[:BUCKET_LINKS] for b in right[:BUCKET_LINKS]
        )
        if clash:
            continue
        large, small = (left, right) if len(left) >= len(right) else (right, left)
        large.extend(small)
        group_of.update(dict.fromkeys(small, large))
    return sorted({id(group): sorted(group) for group in group_of.values() if len(group) > 1}.values())


