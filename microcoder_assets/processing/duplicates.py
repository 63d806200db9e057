"""Duplicates inside the pool: pairs that share a key, samples, a title or much of their text, joined to groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from microcoder_assets.config import DedupSettings
from microcoder_assets.processing.documents import Corpus, Document, values_of
from microcoder_assets.processing.likeness import (
    FEWEST_SHINGLES_OF_A_FUNCTION,
    LIKE_TITLED_TEXT,
    SURELY_LIKE_TEXT,
    are_versions,
    other_samples,
    same_function,
    same_samples,
    same_text,
    same_title,
    translation_witness,
)
from microcoder_assets.processing.minhash import (
    BUCKET_LINKS,
    bucket_pairs,
    candidate_pairs,
    distinct_pairs,
    jaccards,
)


class Match(NamedTuple):
    """Why two problems are one. reason: the code without its prefix; score: in (0, 1]."""

    reason: str
    rule: str
    score: float
    detail: dict[str, Any]


_NO_PAIRS = np.empty((0, 2), np.int64)
_STRENGTH = ("identity", "samples", "text", "embedding")


def find_clusters(
    corpus: Corpus,
    settings: DedupSettings,
    among: Sequence[int] | None = None,
    near: Mapping[tuple[int, int], float] | None = None,
) -> tuple[list[list[int]], dict[tuple[int, int], Match]]:
    """Groups of two or more rows that are one problem, ascending, and the matches that joined them.

    among: the rows to look at, ascending; None: all. near: cosines of pairs of them (i < j) that an embedding model
    finds alike in two languages. The corpus is sorted by problem_id, so that neither groups nor matches depend on
    the order rows came in.
    """
    near = near or {}
    pairs = _candidates(corpus, range(corpus.facts.height) if among is None else among, settings, near)
    documents = corpus.documents(pairs.ravel().tolist())
    matches: dict[tuple[int, int], Match] = {}
    for (i, j), similarity in zip(pairs.tolist(), jaccards(corpus.signatures, pairs).tolist(), strict=True):
        match = _compare(documents[i], documents[j], similarity, settings, near.get((i, j)))
        if match:
            matches[i, j] = match
    return _join(documents, matches), matches


def find_relatives(corpus: Corpus, settings: DedupSettings) -> list[list[int]]:
    """Groups of two or more rows that give one another away, ascending: what a held-out part must not share.

    Wider than `find_clusters`: versions of a problem are relatives too, and so are rows of one judge that read alike.
    """
    base = pl.when(pl.col("base") != "").then("base")
    facts = corpus.facts.with_row_index("row").with_columns(base=base)
    group_of = {row: [row] for row in range(facts.height)}
    pairs = _candidate_pairs(facts, corpus, settings, ("keys", "pairs", "base", "entry_point"))
    documents = corpus.documents(pairs.ravel().tolist())
    for (i, j), similarity in zip(pairs.tolist(), jaccards(corpus.signatures, pairs).tolist(), strict=True):
        if group_of[i] is not group_of[j] and _are_relatives(documents[i], documents[j], similarity, settings):
            _unite(group_of, i, j)
    return _groups(group_of)


def _are_relatives(left: Document, right: Document, similarity: float, settings: DedupSettings) -> bool:
    titled = bool(left.title.base) and left.title.base == right.title.base
    fewest = FEWEST_SHINGLES_OF_A_FUNCTION
    return (
        bool(left.keys & right.keys)
        or same_text(left, right, similarity, LIKE_TITLED_TEXT if titled else settings.min_jaccard)
        or (same_function(left, right) and same_text(left, right, similarity, LIKE_TITLED_TEXT, fewest))
        or same_samples(left, right, similarity) is not None
    )


def _compare(
    left: Document, right: Document, similarity: float, settings: DedupSettings, cosine: float | None
) -> Match | None:
    """Text alone joins only rows of two judges: one judge words a series (quantum gates, oracles) nearly alike.

    cosine: None where no embedding model finds them alike.
    """
    keys = left.keys & right.keys
    if keys:
        return Match("identity", "identity_key", 1.0, {"key": min(keys)})
    if are_versions(left, right):
        return None
    detail = {"jaccard": round(similarity, 4)}
    if samples := same_samples(left, right, similarity):
        rule, detail = f"{samples.witness}_and_samples", {**detail, "sample_tokens": samples.tokens}
        return Match("identity" if samples.witness == "title" else "samples", rule, 1.0, detail)
    titled = same_title(left, right)
    enough = max(settings.min_jaccard, SURELY_LIKE_TEXT) if other_samples(left, right) else settings.min_jaccard
    if same_text(left, right, similarity, settings.min_jaccard if titled else enough) and (
        left.platform != right.platform or titled
    ):
        return Match("text", "minhash", similarity, detail)
    if titled and same_text(left, right, similarity, LIKE_TITLED_TEXT):
        return Match("text", "title_and_minhash", similarity, detail)
    fewest = FEWEST_SHINGLES_OF_A_FUNCTION
    if same_function(left, right) and same_text(left, right, similarity, LIKE_TITLED_TEXT, fewest):
        return Match("text", "entry_point_and_minhash", similarity, detail)
    if cosine is not None and (witness := translation_witness(left, right)):
        return Match("embedding", f"{witness}_and_embedding", cosine, detail)
    return None


def _candidates(
    corpus: Corpus, rows: Sequence[int], settings: DedupSettings, near: Iterable[tuple[int, int]]
) -> NDArray[np.int64]:
    """Pairs of `rows` worth a look, i < j, ascending, shape (pairs, 2)."""
    title = pl.when(pl.col("base") != "").then(pl.concat_str("base", "version", separator="\0"))
    facts = corpus.facts.with_row_index("row").with_columns(title=title)[rows]
    also = np.array([*near], np.int64).reshape(-1, 2)
    return _candidate_pairs(facts, corpus, settings, ("keys", "pairs", "title", "entry_point"), also)


def _candidate_pairs(
    facts: pl.DataFrame,
    corpus: Corpus,
    settings: DedupSettings,
    shared: Sequence[str],
    also: NDArray[np.int64] = _NO_PAIRS,
) -> NDArray[np.int64]:
    """`also`, and pairs of the rows of `facts` that agree in a band of their signatures or in a column of `shared`."""
    long_enough = facts.filter(pl.col("shingles") >= FEWEST_SHINGLES_OF_A_FUNCTION)["row"].to_numpy().astype(np.int64)
    pairs = [long_enough[candidate_pairs(corpus.signatures[long_enough], settings.bands)]]
    pairs.append(also)
    for name in shared:
        values = values_of(facts, name)
        pairs.append(values["row"].to_numpy().astype(np.int64)[bucket_pairs(values[name].hash().to_numpy())])
    return distinct_pairs(np.concatenate(pairs))


def _join(documents: Mapping[int, Document], matches: dict[tuple[int, int], Match]) -> list[list[int]]:
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
        if not clash:
            _unite(group_of, i, j)
    return _groups(group_of)


def _unite(group_of: dict[int, list[int]], i: int, j: int) -> None:
    large, small = sorted((group_of[i], group_of[j]), key=len, reverse=True)
    large.extend(small)
    group_of.update(dict.fromkeys(small, large))


def _groups(group_of: Mapping[int, list[int]]) -> list[list[int]]:
    """Those of two or more, each ascending."""
    return sorted({id(group): sorted(group) for group in group_of.values() if len(group) > 1}.values())
