"""When two problems are one: what bears witness for it, and what tells versions of a problem apart."""

from __future__ import annotations

from typing import NamedTuple

from microcoder_assets.processing.documents import Document
from microcoder_assets.processing.fingerprint import Fingerprint

FEWEST_SAMPLE_TOKENS = 3
"""Samples of fewer literals are no evidence. Ours."""

TELLING_SAMPLE_TOKENS = 8
"""Equal samples of this many literals need a weaker witness: somewhat like texts, or equal bounds. Measured."""

LIKE_TEXT = 0.2
"""Jaccard similarity from which texts in one language back up short samples. Ours."""

FAINTLY_LIKE_TEXT = 0.08
"""Jaccard similarity from which texts in one language back up telling samples. Measured."""

LIKE_TITLED_TEXT = 0.25
"""Jaccard similarity from which texts under one title, or for one function, are one problem. Measured."""

SURELY_LIKE_TEXT = 0.7
"""Jaccard similarity from which texts with other samples under another title are one problem. Measured."""

FEWEST_SHINGLES = 20
"""Shorter texts ("see the picture") are no evidence by themselves. Ours."""

FEWEST_SHINGLES_OF_A_FUNCTION = 8
"""... nor are shorter ones for one function. Measured."""

FEWEST_BOUNDS_OF_A_TRANSLATION = 2
"""Fewer equal bounds say nothing of texts in two languages. Measured: of random English and Chinese rows 1.1 % agree in
half of their bounds, and 0.08 % when those are two or more."""


class SampleMatch(NamedTuple):
    """tokens: literals in the shared samples. witness: title, entry_point, text or bounds."""

    tokens: int
    witness: str


def same_samples(left: Document, right: Document, similarity: float, wary: bool = False) -> SampleMatch | None:
    """What proves two problems with equal samples one; None when nothing does.

    The samples of one must all be among the other's, and never prove it alone: versions of a problem share them, and
    short ones are equal by chance. Texts in two languages cannot be alike, so that bounds must speak for them.
    Arguments of functions tell less, since many problems take the same tree. wary: they tell as much as other samples,
    for decontamination, where LeetCode has since reworded problems that the benchmark holds.
    """
    tokens = _shared_tokens(left.samples, right.samples)
    if tokens < FEWEST_SAMPLE_TOKENS:
        return None
    if same_title(left, right):
        return SampleMatch(tokens, "title")
    if left.entry_point is not None and left.entry_point == right.entry_point:
        return SampleMatch(tokens, "entry_point")
    telling = tokens >= TELLING_SAMPLE_TOKENS and (wary or left.samples.io_mode != "function")
    if left.language == right.language and similarity >= (FAINTLY_LIKE_TEXT if telling else LIKE_TEXT):
        return SampleMatch(tokens, "text")
    return SampleMatch(tokens, "bounds") if telling and same_bounds(left, right) else None


def translation_witness(left: Document, right: Document) -> str | None:
    """What backs up an embedding model that finds texts in two languages alike: samples, title, entry_point or bounds.

    None when nothing does. Bounds are no witness against other samples.
    """
    if _shared_tokens(left.samples, right.samples) >= FEWEST_SAMPLE_TOKENS:
        return "samples"
    if same_title(left, right):
        return "title"
    if same_function(left, right):
        return "entry_point"
    enough = len(left.bounds & right.bounds) >= FEWEST_BOUNDS_OF_A_TRANSLATION
    return "bounds" if enough and same_bounds(left, right) and not other_samples(left, right) else None


def same_text(
    left: Document, right: Document, similarity: float, min_jaccard: float, fewest: int = FEWEST_SHINGLES
) -> bool:
    """Are the statements near-duplicates, both of them long enough to tell?"""
    return similarity >= min_jaccard and min(left.shingles, right.shingles) >= fewest


def other_samples(left: Document, right: Document) -> bool:
    """Do both have samples, and neither all of the other's?"""
    return bool(left.samples.pairs and right.samples.pairs) and not _shared_samples(left.samples, right.samples)


def same_bounds(left: Document, right: Document) -> bool:
    """Are at least half of the bounds that one states among the other's? False where one states none."""
    shared = len(left.bounds & right.bounds)
    return shared > 0 and 2 * shared >= min(len(left.bounds), len(right.bounds))


def are_versions(left: Document, right: Document) -> bool:
    """Are they versions of one problem (easy / hard, I / II, other limits), which stay apart however alike they read?

    Titles that differ in the version mark alone are versions, unless two judges state equal bounds and samples. A
    judge that lists a text twice with other bounds or other samples means two problems; another judge's copy often
    differs in both.
    """
    one_judge = left.platform == right.platform
    if left.title.base == right.title.base and left.title.version != right.title.version:
        known = bool(left.bounds and left.samples.pairs)
        proven_equal = known and left.bounds == right.bounds and left.samples.key == right.samples.key
        return one_judge or not proven_equal
    if not one_judge:
        return False
    return other_samples(left, right) or bool(left.bounds and right.bounds and left.bounds != right.bounds)


def same_title(left: Document, right: Document) -> bool:
    """Equal titles in the same version, contest names aside."""
    return bool(left.title.base) and left.title == right.title


def same_function(left: Document, right: Document) -> bool:
    """Equal names of the function to write at two judges; one judge gives a name to several problems."""
    return left.entry_point is not None and left.entry_point == right.entry_point and left.platform != right.platform


def _shared_tokens(left: Fingerprint, right: Fingerprint) -> int:
    """Literals in the samples both have."""
    shared = _shared_samples(left, right)
    return sum(length for pair, length in zip(left.pairs, left.lengths, strict=True) if pair in shared)


def _shared_samples(left: Fingerprint, right: Fingerprint) -> frozenset[int]:
    """The samples both have, provided that one has no other sample."""
    if left.io_mode != right.io_mode:
        return frozenset()
    shared = frozenset(left.pairs) & frozenset(right.pairs)
    return shared if len(shared) == min(len(left.pairs), len(right.pairs)) else frozenset()
