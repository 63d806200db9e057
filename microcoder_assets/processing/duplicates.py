"""Duplicates inside the pool: pairs that share a key, samples, a title or much of their text, joined to groups."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import xxhash
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
from microcoder_assets.processing.minhash import BUCKET_LINKS, Buckets, band_keys, distinct_pairs, jaccards
from microcoder_assets.processing.shingles import distinct
from microcoder_assets.schema import Schema


class Match(NamedTuple):
    """Why two problems are one. reason: the code without its prefix; score: in (0, 1]."""

    reason: str
    rule: str
    score: float
    detail: dict[str, Any]


_STRENGTH = ("identity", "samples", "text", "embedding")
_SHARED = ("keys", "pairs", "title", "entry_point")
"""What two rows of one problem may have in common beside a band of their signatures."""

MATCHES: Schema = {
    "row": pl.Int64,
    "other": pl.Int64,
    "reason": pl.String,
    "rule": pl.String,
    "score": pl.Float64,
    "detail": pl.String,
}
"""Each pair of rows (row < other) that is one problem, with its `Match`; detail as JSON."""


def find_buckets(corpus: Corpus, settings: DedupSettings) -> Buckets:
    """What the rows of a corpus, sorted by problem_id, are looked up by: pairs with a value in common are compared."""
    title = pl.when(pl.col("base") != "").then(pl.concat_str("base", "version", separator="\0"))
    return _buckets(corpus.facts.with_columns(title=title), corpus, settings, _SHARED)


def find_matches(
    corpus: Corpus,
    pairs: NDArray[np.int64],
    settings: DedupSettings,
    near: Mapping[tuple[int, int], float] | None = None,
) -> pl.DataFrame:
    """MATCHES among `pairs` of rows (i < j), shape (pairs, 2), and those of `near`.

    near: cosines of pairs that an embedding model finds alike in two languages.
    """
    near = near or {}
    pairs = distinct_pairs(np.concatenate([pairs, np.array([*near], np.int64).reshape(-1, 2)]))
    documents = corpus.documents(pairs.ravel().tolist())
    found = []
    for (i, j), similarity in zip(pairs.tolist(), jaccards(corpus.signatures, pairs).tolist(), strict=True):
        match = _compare(documents[i], documents[j], similarity, settings, near.get((i, j)))
        if match:
            found.append((i, j, match.reason, match.rule, match.score, json.dumps(match.detail, ensure_ascii=False)))
    return pl.DataFrame(found, schema=MATCHES, orient="row")


def match_again(
    corpus: Corpus,
    new: Buckets,
    before: Buckets,
    known: pl.DataFrame,
    settings: DedupSettings,
    near: Mapping[tuple[int, int], float] | None = None,
) -> tuple[pl.DataFrame, NDArray[np.bool_]]:
    """All MATCHES of a corpus that was looked at before, and the rows whose matches may differ from then.

    Pairs are compared only where the members of a bucket changed, since with whom a row of a large bucket is compared
    depends on the others. before: the buckets as they were, with the members in the order of then. known: the MATCHES
    as they were. In both a row that is not as it was has the number -1. new: buckets of the rows that have none there.
    near: as `find_matches` takes it.
    """
    size = corpus.facts.height
    changed = np.zeros(size, dtype=bool)
    changed[new.rows] = True
    touched = before.holding(distinct(np.append(new.values, before.values[before.rows < 0])))
    now, earlier = (_numbers(part.pairs(), size) for part in (_together(touched, new), touched))

    ends = known.select("row", "other").to_numpy()
    stands = (ends >= 0).all(axis=1)
    orphans = ends[~stands].max(axis=1)
    numbers = np.where(stands, ends[:, 0] * size + ends[:, 1], -1)
    lost = np.intersect1d(np.setdiff1d(earlier, now, assume_unique=True), numbers)
    if len(lost):
        lost = np.setdiff1d(lost, _numbers(_pairs_of(_together(before, new), lost, size), size), assume_unique=True)
    fresh = np.setdiff1d(now, np.append(earlier, numbers), assume_unique=True)
    found = find_matches(corpus, _pairs(fresh, size), settings, near)

    joined = found.select("row", "other").to_numpy()
    for rows in (orphans[orphans >= 0], _pairs(lost, size).ravel(), joined.ravel()):
        changed[rows] = True
    return pl.concat([known.filter(stands & ~np.isin(numbers, lost)), found]), changed


def find_clusters(corpus: Corpus, matches: pl.DataFrame) -> tuple[list[list[int]], dict[tuple[int, int], Match]]:
    """Groups of two or more rows that are one problem, ascending, and the matches that joined them.

    matches: MATCHES rows, all those of every row that is in one of them. The corpus is sorted by problem_id, so that
    groups do not depend on the order rows came in.
    """
    found = {
        (i, j): Match(reason, rule, score, json.loads(detail))
        for i, j, reason, rule, score, detail in matches.iter_rows()
    }
    return _join(corpus.documents(row for pair in found for row in pair), found), found


def find_relatives(corpus: Corpus, settings: DedupSettings) -> list[list[int]]:
    """Groups of two or more rows that give one another away, ascending: what a held-out part must not share.

    Wider than `find_clusters`: versions of a problem are relatives too, and so are rows of one judge that read alike.
    """
    base = pl.when(pl.col("base") != "").then("base")
    facts = corpus.facts.with_columns(base=base)
    group_of = {row: [row] for row in range(facts.height)}
    pairs = distinct_pairs(_buckets(facts, corpus, settings, ("keys", "pairs", "base", "entry_point")).pairs())
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


def _buckets(facts: pl.DataFrame, corpus: Corpus, settings: DedupSettings, shared: Sequence[str]) -> Buckets:
    """By the bands of the signatures of rows that are long enough, and by the columns of `facts` named `shared`."""
    facts = facts.with_row_index("row")
    long_enough = facts.filter(pl.col("shingles") >= FEWEST_SHINGLES_OF_A_FUNCTION)["row"].to_numpy().astype(np.int64)
    parts = [Buckets(long_enough, keys) for keys in band_keys(corpus.signatures[long_enough], settings.bands)]
    for name in shared:
        values = values_of(facts, name)
        hashed = [xxhash.xxh3_64_intdigest(f"{name}\0{value}".encode()) for value in values[name]]
        parts.append(Buckets(values["row"].to_numpy().astype(np.int64), np.array(hashed, np.uint64)))
    return Buckets.together(parts)


def _together(before: Buckets, new: Buckets) -> Buckets:
    """The buckets of now: what still stands of `before`, and `new`."""
    return Buckets.together([before.where(before.rows >= 0), new])


def _pairs_of(buckets: Buckets, numbers: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """The pairs of all buckets that a row of these pairs is in."""
    asked = np.zeros(size, dtype=bool)
    asked[_pairs(numbers, size).ravel()] = True
    return buckets.holding(distinct(buckets.values[asked[buckets.rows]])).pairs()


def _numbers(pairs: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """One number for each of the pairs of rows under `size`, ascending; pairs with row -1 have none."""
    there = pairs[(pairs >= 0).all(axis=1)]
    return distinct(there[:, 0] * size + there[:, 1])


def _pairs(numbers: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    return np.stack(np.divmod(numbers, max(size, 1)), axis=1)


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
