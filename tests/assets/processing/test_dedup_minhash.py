"""Shingles and MinHash: estimates against exact sets, candidates, determinism."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from microcoder_assets.config import DedupSettings
from microcoder_assets.processing.minhash import (
    BUCKET_LINKS,
    Buckets,
    MinHash,
    band_keys,
    bucket_pairs,
    cross_pairs,
    jaccard,
)
from microcoder_assets.processing.shingles import WordHasher, grams, words

SETTINGS = DedupSettings()
PINNED = [61399906, 10843954, 225224904, 83811540]
"""First numbers of one signature: stored signatures of another version must not be mixed in unnoticed."""


def hashes(values: range) -> np.ndarray:
    return grams(WordHasher()(" ".join(f"word{value}" for value in values)), 1)


def test_words_ignore_case_punctuation_markup_and_width() -> None:
    plain = words("Given N integers (1 <= n <= 10) print their sum")
    assert words("given   **n** integers $(1 \\leq n \\leq 10)$, print THEIR sum ![x](a/b.png)") == plain
    assert words("ＡＢＣ１２") == ["abc12"]


def test_every_chinese_character_is_a_word() -> None:
    assert words("输出n个整数。") == ["输", "出", "n", "个", "整", "数"]


def test_grams_slide_over_words_and_forget_their_number() -> None:
    hasher = WordHasher()
    assert len(grams(hasher("a b c d e"), 3)) == 3
    assert set(grams(hasher("b c d"), 3)) < set(grams(hasher("a b c d e"), 3))
    assert set(grams(hasher("c b d"), 3)).isdisjoint(grams(hasher("a b c d e"), 3))
    assert len(grams(hasher("a b c a b c a b c"), 3)) == 3


def test_a_text_shorter_than_a_gram_is_one_gram_and_an_empty_one_none() -> None:
    assert len(grams(WordHasher()("only two"), 8)) == 1
    assert len(grams(WordHasher()(""), 3)) == 0


@given(st.integers(0, 200), st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_the_estimate_is_near_the_exact_similarity(shared: int, own: int) -> None:
    minhash = MinHash(SETTINGS)
    left, right = hashes(range(shared + own)), hashes(range(own, shared + 2 * own))
    exact = len(np.intersect1d(left, right)) / len(np.union1d(left, right))
    error = 5 * np.sqrt(max(exact * (1 - exact), 0.01) / SETTINGS.permutations)
    assert abs(jaccard(minhash.signature(left), minhash.signature(right)) - exact) <= error


def test_the_mean_error_over_many_sets_is_small() -> None:
    minhash = MinHash(SETTINGS)
    base = minhash.signature(hashes(range(300)))
    errors = []
    for shift in range(0, 300, 10):
        exact = (300 - shift) / (300 + shift)
        errors.append(jaccard(base, minhash.signature(hashes(range(shift, 300 + shift)))) - exact)
    assert abs(np.mean(errors)) < 0.03


def test_signatures_are_the_same_in_every_process_and_move_with_the_seed() -> None:
    minhash = MinHash(SETTINGS)
    signature = minhash.signature(hashes(range(50)))
    assert signature.dtype == np.uint32
    assert signature[:4].tolist() == PINNED
    assert MinHash(DedupSettings(seed=1)).scheme != minhash.scheme
    assert not np.array_equal(MinHash(DedupSettings(seed=1)).signature(hashes(range(50))), signature)


@pytest.mark.parametrize("bands", [64, 12])
def test_bands_that_do_not_divide_the_permutations_are_refused(bands: int) -> None:
    with pytest.raises(ValidationError, match=f"{bands} does not divide 32"):
        DedupSettings(permutations=32, bands=bands)


def signatures_of(*sets: range) -> np.ndarray:
    minhash = MinHash(SETTINGS)
    return np.array([minhash.signature(hashes(values)) for values in sets])


def band_pairs(signatures: np.ndarray) -> np.ndarray:
    every = np.arange(len(signatures))
    return Buckets.together([Buckets(every, keys) for keys in band_keys(signatures, SETTINGS.bands)]).pairs()


def test_candidates_are_the_alike_ones_only() -> None:
    rows = signatures_of(range(100), range(1000, 1100), range(5, 105), range(2000, 2100))
    assert np.unique(band_pairs(rows), axis=0).tolist() == [[0, 2]]
    assert cross_pairs(rows[:2], rows[2:], SETTINGS.bands).tolist() == [[0, 0]]


def test_a_giant_bucket_stays_linear_and_connected() -> None:
    size = 400
    rows = np.repeat(signatures_of(range(100)), size, axis=0)
    pairs = set(map(tuple, band_pairs(rows).tolist()))
    assert len(pairs) <= size * BUCKET_LINKS
    assert {j for i, j in pairs if i == 0} == set(range(1, size))


@given(st.lists(st.integers(0, 3), max_size=60))
def test_pairs_of_a_bucket_are_those_with_one_of_its_first_members(keys: list[int]) -> None:
    rows = range(len(keys))
    buckets = [[row for row in rows if keys[row] == key] for key in set(keys)]
    expected = {(i, j) for bucket in buckets for i in bucket[:BUCKET_LINKS] for j in bucket if i < j}
    assert sorted(map(tuple, bucket_pairs(np.array(keys, np.uint64)).tolist())) == sorted(expected)
