"""What duplicate search and decontamination know of a problem, and when two problems are one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from microcoder_assets.collection.identity import identity_keys
from microcoder_assets.processing.fingerprint import Fingerprint, fingerprint
from microcoder_assets.processing.minhash import MinHash, SignatureCache
from microcoder_assets.processing.shingles import Hashes, grams
from microcoder_assets.processing.titles import Title, bounds, split_title

FEWEST_SAMPLE_TOKENS = 3
"""Samples of fewer literals are no evidence. Ours."""

TELLING_SAMPLE_TOKENS = 8
"""Samples of this many literals are evidence without any likeness of titles or texts. Measured."""

LIKE_TEXT = 0.2
"""Jaccard similarity from which texts in one language back up short samples. Ours."""

LIKE_TITLED_TEXT = 0.25
"""Jaccard similarity from which texts under one title, or for one function, are one problem. Measured."""

FEWEST_SHINGLES = 20
"""Shorter texts ("see the picture") are no evidence by themselves. Ours."""

PREFERRED_LANGUAGE = "en"
"""Statement language where a frame names none, as in benchmarks; of equally complete duplicates it stays. Ours."""

_COLUMNS = ("problem_id", "platform", "native_id", "title", "url", "statement", "samples", "io_mode")
_OPTIONAL_COLUMNS = ("constraints", "statement_language", "content_sha", "entry_point")


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
    entry_point: str | None = None


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents sorted by problem_id and their signatures, shape (documents, permutations)."""

    documents: list[Document]
    signatures: NDArray[np.uint32]


def read_corpus(
    frame: pl.DataFrame, texts: Iterable[Hashes], minhash: MinHash, shingle_words: int, cache: SignatureCache | None
) -> Corpus:
    """texts: hashed words of each row's statement. A cached value is the number of shingles, then the signature."""
    frame = frame.select(*_COLUMNS, *(name for name in _OPTIONAL_COLUMNS if name in frame.columns))
    keys = [f"{minhash.scheme}:{sha}" for sha in frame["content_sha"]] if cache else []
    known = cache.get(keys) if cache else {}
    new: dict[str, bytes] = {}
    documents: list[Document] = []
    signatures = np.empty((frame.height, minhash.permutations), np.uint32)
    for n, (row, text) in enumerate(zip(frame.iter_rows(named=True), texts, strict=True)):
        stored = known.get(keys[n]) if cache else None
        if stored is None:
            shingles = grams(text, shingle_words)
            stored = np.concatenate([np.array([len(shingles)], np.uint32), minhash.signature(shingles)]).tobytes()
            if cache:
                new[keys[n]] = stored
        numbers = np.frombuffer(stored, np.uint32)
        signatures[n] = numbers[1:]
        documents.append(read_document(row, int(numbers[0])))
    if cache and new:
        cache.put(new)
    return Corpus(documents, signatures)


def read_document(row: dict[str, Any], shingles: int) -> Document:
    """Of a row of NORMALIZED, UNIQUE, SPLIT or BENCHMARK; what the schema lacks counts as unknown."""
    return Document(
        problem_id=row["problem_id"],
        platform=row["platform"],
        title=split_title(row["title"]),
        keys=frozenset(identity_keys(row["platform"], row["native_id"], row["title"], row["url"])),
        samples=fingerprint(row.get("samples"), row["io_mode"]),
        language=row.get("statement_language", PREFERRED_LANGUAGE),
        bounds=bounds(row.get("constraints") or row["statement"] or ""),
        shingles=shingles,
        entry_point=row.get("entry_point") or None,
    )


def same_samples(
    left: Document,
    right: Document,
    similarity: float,
    common: frozenset[int] = frozenset(),
    wary: bool = False,
) -> int:
    """Literals in the samples that prove left and right one problem, 0 when they prove nothing.

    The samples of one must all be among the other's. Short ones also need like texts or equal titles, and so do
    arguments of functions, since many problems take the same tree; texts in two languages cannot be alike.
    common: hashes of stock examples, which prove something only under equal titles. wary: equal arguments of functions
    are enough, for decontamination, where LeetCode has since reworded problems that the benchmark holds.
    """
    shared = _shared_samples(left.samples, right.samples)
    named_alike = same_title(left, right)
    tokens = sum(
        length
        for pair, length in zip(left.samples.pairs, left.samples.lengths, strict=True)
        if pair in shared and (named_alike or pair not in common)
    )
    if tokens < FEWEST_SAMPLE_TOKENS:
        return 0
    readable = left.language == right.language
    unlike_functions = readable and left.samples.io_mode == "function" and not wary
    telling = tokens >= TELLING_SAMPLE_TOKENS and not unlike_functions
    return tokens if named_alike or telling or (readable and similarity >= LIKE_TEXT) else 0


def same_text(left: Document, right: Document, similarity: float, min_jaccard: float) -> bool:
    """Are the statements near-duplicates, both of them long enough to tell?"""
    return similarity >= min_jaccard and min(left.shingles, right.shingles) >= FEWEST_SHINGLES


def are_versions(left: Document, right: Document) -> bool:
    """Are they versions of one problem (easy / hard, I / II, other limits), which stay apart however alike they read?

    Titles that differ in the version mark alone are versions, unless two judges state equal bounds and samples. A
    judge that lists a text twice with other bounds or other samples means two problems; another judge's copy often
    differs in both.
    """
    both_have_samples = bool(left.samples.pairs and right.samples.pairs)
    samples_differ = both_have_samples and not _shared_samples(left.samples, right.samples)
    one_judge = left.platform == right.platform
    if left.title.base == right.title.base and left.title.version != right.title.version:
        known = bool(left.bounds and left.samples.pairs)
        proven_equal = known and left.bounds == right.bounds and left.samples.key == right.samples.key
        return one_judge or not proven_equal
    if not one_judge:
        return False
    return samples_differ or bool(left.bounds and right.bounds and left.bounds != right.bounds)


def same_title(left: Document, right: Document) -> bool:
    """Equal titles in the same version, contest names aside."""
    return bool(left.title.base) and left.title == right.title


def same_function(left: Document, right: Document) -> bool:
    """Equal names of the function to write at two judges; one judge gives a name to several problems."""
    return left.entry_point is not None and left.entry_point == right.entry_point and left.platform != right.platform


def _shared_samples(left: Fingerprint, right: Fingerprint) -> frozenset[int]:
    """The samples both have, provided that one has no other sample."""
    if left.io_mode != right.io_mode:
        return frozenset()
    shared = frozenset(left.pairs) & frozenset(right.pairs)
    return shared if len(shared) == min(len(left.pairs), len(right.pairs)) else frozenset()
