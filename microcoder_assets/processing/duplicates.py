"""Which problems are one problem: pairs that share a key, samples, a title or much of their text, joined to clusters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from microcoder_assets.config import DedupSettings
from microcoder_assets.processing.fingerprint import Fingerprint
from microcoder_assets.processing.minhash import BUCKET_LINKS, candidate_pairs, jaccard
from microcoder_assets.processing.titles import Title

FEWEST_SAMPLE_TOKENS = 3
"""Samples of fewer literals are no evidence. Ours."""

TELLING_SAMPLE_TOKENS = 8
"""Samples of this many literals are evidence without any likeness of titles or texts. Measured."""

COMMON_SAMPLE_TITLES = 6
"""A sample seen under more titles than this is a stock example. Ours."""

LIKE_TEXT = 0.2
"""Jaccard similarity from which texts in one language back up short samples or an equal title. Ours."""

FEWEST_SHINGLES = 20
"""Shorter texts ("see the picture") are no evidence by themselves. Ours."""


@dataclass(frozen=True, slots=True)
class Document:
    """What duplicate search knows of a problem beside its signature. shingles: distinct ones in its statement."""

    problem_id: str
    platform: str
    title: Title
    keys: frozenset[str]
    samples: Fingerprint
    language: str | None
    bounds: frozenset[float]
    shingles: int


class Match(NamedTuple):
    """Why two problems are one. reason: the code without its prefix; score: in (0, 1]."""

    reason: str
    rule: str
    score: float
    detail: dict[str, Any]


_STRENGTH = ("identity", "samples", "text")


def same_samples(left: Document, right: Document, similarity: float, common: frozenset[int] = frozenset()) -> int:
    """Literals in the samples that prove left and right one problem, 0 when they prove nothing.

    The samples of one must all be among the other's. Short ones also need like texts or equal titles; texts in two
    languages cannot be alike. common: hashes of stock examples, which prove something only under equal titles.
    """
    shared = _shared_samples(left.samples, right.samples)
    named_alike = _same_title(left, right)
    tokens = sum(
        length
        for pair, length in zip(left.samples.pairs, left.samples.lengths, strict=True)
        if pair in shared and (named_alike or pair not in common)
    )
    if tokens < FEWEST_SAMPLE_TOKENS:
        return 0
    alike = left.language == right.language and similarity >= LIKE_TEXT
    return tokens if named_alike or alike or tokens >= TELLING_SAMPLE_TOKENS else 0


def same_text(left: Document, right: Document, similarity: float, min_jaccard: float) -> bool:
    return similarity >= min_jaccard and min(left.shingles, right.shingles) >= FEWEST_SHINGLES


def are_versions(left: Document, right: Document) -> bool:
    """Are they versions of one problem (easy / hard, I / II, other limits), which stay apart however alike they read?

    Titles that differ in the version mark alone are versions unless bounds and samples are equal. A judge that lists
    a text twice with other bounds or other samples means two problems; another judge's copy often differs in both.
    """
    samples_differ = bool(left.samples.pairs and right.samples.pairs) and not _shared_samples(left.samples, right.samples)
    if left.title.base == right.title.base and left.title.version != right.title.version:
        proven_equal = bool(left.bounds and left.samples.pairs) and left.samples.key == right.samples.key
        return not (proven_equal and left.bounds == right.bounds)
    if left.platform != right.platform:
        return False
    return samples_differ or bool(left.bounds and right.bounds and left.bounds != right.bounds)


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
    keys = sorted(left.keys & right.keys)
    if keys:
        return Match("identity", "identity_key", 1.0, {"key": keys[0]})
    if are_versions(left, right):
        return None
    detail = {"jaccard": round(similarity, 4)}
    tokens = same_samples(left, right, similarity, common)
    if tokens and _same_title(left, right):
        return Match("identity", "title_and_samples", 1.0, {**detail, "sample_tokens": tokens})
    if tokens:
        return Match("samples", "sample_fingerprint", 1.0, {**detail, "sample_tokens": tokens})
    if same_text(left, right, similarity, settings.min_jaccard):
        return Match("text", "minhash", similarity, detail)
    if _same_title(left, right) and same_text(left, right, similarity, LIKE_TEXT):
        return Match("text", "title_and_minhash", similarity, detail)
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
        for key in (*document.keys, *document.samples.pairs, *([document.title] if document.title.base else ())):
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


def _same_title(left: Document, right: Document) -> bool:
    return bool(left.title.base) and left.title == right.title


def _shared_samples(left: Fingerprint, right: Fingerprint) -> frozenset[int]:
    """The samples both have, provided that one has no other sample."""
    if left.io_mode != right.io_mode:
        return frozenset()
    shared = frozenset(left.pairs) & frozenset(right.pairs)
    return shared if len(shared) == min(len(left.pairs), len(right.pairs)) else frozenset()
