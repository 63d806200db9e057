"""A contest rating from what can be measured of a problem: a kernel ridge regression and boosted trees, averaged.

The regression's kernel is the sum of a Gaussian over measurements, tags and counts of code tokens, given by random
Fourier features (Rahimi and Recht, NIPS 2007, algorithm 1), and of inner products of hashed TF-IDF of the words of
the statement and of the tokens of the reference. The trees (Friedman, "Greedy Function Approximation", 2001) see
the same columns as the Gaussian. The combination and its constants are ours; `fit_rating_model` fits them.

A contest asks for problems of several difficulties, so that one which looks harder than the others of its contest most
often is: the average is corrected by how it stands to the averages of those others. Ours.

A model is plain arrays, no pickle. No platform's difficulty label and no place in a contest is among its inputs; where
a problem stands among others is as predicted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from microcoder_assets.filtering.code_shape import CODE_SHAPE, code_shape, code_tokens
from microcoder_assets.filtering.features import CODE_METRICS, FEATURES, features, shortest_reference
from microcoder_assets.filtering.statement_shape import (
    STATEMENT_SHAPE,
    statement_shape,
    statement_tokens,
)

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[Any]

UNLEARNABLE = ("tests", "log_test_bytes")
"""Features left out: the platforms with ratings show their samples only."""

MEASUREMENTS = (*(name for name in FEATURES if name not in UNLEARNABLE), *STATEMENT_SHAPE, *CODE_SHAPE)
FAMILIES = ("wording", "bounds", "samples", "tags", "code", "contest")
"""Families of inputs, for `RatingInputs.without`. Wording: the words of the statement and the sizes of its parts.
Contest: which problems belong together."""

MOST_DEVIATIONS = 4.0
BUCKETS = 1 << 15
STATEMENT_GRAMS, CODE_GRAMS = (1, 2), (1, 3)
KERNEL_SHARE = 0.6
"""Weight of the regression in the average with the trees. Ours; 0.5 and 0.7 measure alike."""
STANDING_SCALE = 150.0
"""Rating points between two problems of a contest, beyond which a further one says little. Ours; 75 and 300 measure
alike."""
ROWS_A_BLOCK = 256


@dataclass(frozen=True, slots=True)
class RatingInputs:
    """What a model reads, one entry a problem. measured: rows x MEASUREMENTS, NaN where unknown. statements, codes:
    tokens joined by spaces; an empty code where there is no reference. contests: a name that problems of one contest
    share, empty where there is none."""

    measured: Floats
    tags: list[list[str]]
    statements: list[str]
    codes: list[str]
    contests: list[str]

    def __len__(self) -> int:
        return len(self.tags)

    def take(self, rows: Iterable[int]) -> RatingInputs:
        index = list(rows)
        return RatingInputs(
            self.measured[index],
            [self.tags[row] for row in index],
            [self.statements[row] for row in index],
            [self.codes[row] for row in index],
            [self.contests[row] for row in index],
        )

    def without(self, family: str) -> RatingInputs:
        """The same problems with one family unknown."""
        gone = np.array([family_of(name) == family for name in MEASUREMENTS])
        measured = np.where(gone, np.nan, self.measured)
        return RatingInputs(
            measured,
            [[] for _ in self.tags] if family == "tags" else self.tags,
            [""] * len(self) if family == "wording" else self.statements,
            [""] * len(self) if family == "code" else self.codes,
            [""] * len(self) if family == "contest" else self.contests,
        )


def family_of(measurement: str) -> str:
    """One of FAMILIES."""
    if measurement in CODE_SHAPE or measurement in CODE_METRICS:
        return "code"
    if measurement == "tags" or measurement.startswith("topic_"):
        return "tags"
    if "sample" in measurement:
        return "samples"
    return "bounds" if "bound" in measurement or "limit" in measurement else "wording"


def rating_inputs(problems: pl.DataFrame) -> RatingInputs:
    """problems: rows with the columns of schema.NORMALIZED, in the order given."""
    shortest = dict(shortest_reference(problems).iter_rows())
    known = features(problems).select(name for name in FEATURES if name not in UNLEARNABLE).to_numpy()
    statements = [list(statement_shape(row).values()) for row in problems.iter_rows(named=True)]
    unknown = dict.fromkeys(CODE_SHAPE, np.nan)
    shapes = [
        list(((row in shortest and code_shape(shortest[row])) or unknown).values()) for row in range(len(statements))
    ]
    blocks = (known, _block(statements, STATEMENT_SHAPE), _block(shapes, CODE_SHAPE))
    return RatingInputs(
        np.hstack([np.asarray(block, dtype=np.float64) for block in blocks]),
        [list(tags or ()) for tags in problems["tags"].to_list()],
        [" ".join(statement_tokens(statement or "")) for statement in problems["statement"]],
        [" ".join(code_tokens(shortest.get(row, ""))) for row in range(len(statements))],
        problems["contest"].fill_null("").to_list(),
    )


def _block(rows: list[list[float]], names: Sequence[str]) -> Floats:
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(names))


@dataclass(frozen=True, slots=True)
class RatingModel:
    """Everything a prediction takes, as arrays. Columns are those of `columns`: kept MEASUREMENTS, tags, code tokens.

    centre, deviation, relevance: of each column. frequencies (Fourier features x columns, in steps of
    `frequency_step`), phases, gaussian_weights: of the Gaussian part. *_idf, *_weights: of each hash bucket.
    means: of the ratings learnt from, and of what a code contributes, which a problem without one gets.
    among: constant, weight of the average and of the `standing` in the rating.
    roots, split, threshold, left, right, value: nodes of all trees; a leaf's children are itself.
    """

    measurements: Array
    tags: Array
    tokens: Array
    centre: Array
    deviation: Array
    relevance: Array
    frequencies: Array
    frequency_step: Array
    phases: Array
    gaussian_weights: Array
    statement_idf: Array
    statement_weights: Array
    code_idf: Array
    code_weights: Array
    means: Array
    among: Array
    roots: Array
    split: Array
    threshold: Array
    left: Array
    right: Array
    value: Array

    def predict(self, inputs: RatingInputs) -> Floats:
        """Rating of every problem, in points of the platform that the model learnt from. Problems of one contest are
        asked for together: each one's rating hangs on the others."""
        return self.among_others(self.average(inputs), inputs.contests)

    def among_others(self, averages: Floats, contests: Sequence[str]) -> Floats:
        """Ratings, from `average` of the same problems and their contests."""
        constant, own, others = self.among.astype(np.float64)
        return np.asarray(constant + own * averages + others * standing(averages, contests))

    def average(self, inputs: RatingInputs) -> Floats:
        """Rating of every problem without a look at any other."""
        raw = raw_columns(self.measurements, self.tags, self.tokens, inputs)
        columns = standardised(raw, self.centre, self.deviation)
        return KERNEL_SHARE * self._regression(inputs, columns) + (1 - KERNEL_SHARE) * self._trees(columns)

    def _regression(self, inputs: RatingInputs, columns: Floats) -> Floats:
        mean, code_mean = self.means.astype(np.float64)
        statement = tfidf(hashed(inputs.statements, STATEMENT_GRAMS), self.statement_idf) @ self.statement_weights
        code = tfidf(hashed(inputs.codes, CODE_GRAMS), self.code_idf) @ self.code_weights
        has_code = np.array([bool(code) for code in inputs.codes], dtype=bool)
        return np.asarray(mean + self._gaussian(columns) + statement + np.where(has_code, code, code_mean))

    def _gaussian(self, columns: Floats) -> Floats:
        """In blocks of one size, so that what a row gets does not depend on how many others there are, even in the last
        digit, which a matrix product rounds by its shape."""
        frequencies, found = self.frequencies * self.frequency_step, np.empty(len(columns))
        block = np.zeros((ROWS_A_BLOCK, columns.shape[1]))
        for start in range(0, len(columns), ROWS_A_BLOCK):
            rows = columns[start : start + ROWS_A_BLOCK]
            block[: len(rows)] = rows
            values = fourier_features(block * self.relevance, frequencies, self.phases) @ self.gaussian_weights
            found[start : start + len(rows)] = values[: len(rows)]
        return found

    def _trees(self, columns: Floats) -> Floats:
        rows, narrow = np.arange(len(columns)), columns.astype(np.float32)
        total = np.full(len(columns), float(self.means[0]))
        for root in self.roots:
            node = np.full(len(columns), root)
            while True:
                below = np.where(
                    narrow[rows, self.split[node]] <= self.threshold[node], self.left[node], self.right[node]
                )
                if (below == node).all():
                    break
                node = below
            total += self.value[node]
        return total

    def arrays(self) -> dict[str, Array]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def of(cls, arrays: Mapping[str, Array]) -> RatingModel:
        """Raises KeyError for a missing array."""
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})


def standing(averages: Floats, contests: Sequence[str]) -> Floats:
    """How far each problem stands above the others of its contest: the sum of tanh of the differences, in units of
    STANDING_SCALE. 0 where there is no other."""
    found = np.zeros(len(averages))
    members: dict[str, list[int]] = {}
    for row, contest in enumerate(contests):
        if contest:
            members.setdefault(contest, []).append(row)
    for rows in members.values():
        held = averages[rows]
        found[rows] = np.tanh((held[:, None] - held) / STANDING_SCALE).sum(axis=1)
    return found


def raw_columns(measurements: Array, tags: Array, tokens: Array, inputs: RatingInputs) -> Floats:
    """rows x (measurements + tags + tokens); NaN where unknown: a measurement, the tags of a problem without any,
    the tokens of one without code."""
    position = {name: index for index, name in enumerate(MEASUREMENTS)}
    measured = inputs.measured[:, [position[name] for name in measurements]]
    tagged = np.array(
        [[name in tagged for name in tags] if tagged else [np.nan] * len(tags) for tagged in inputs.tags],
        dtype=np.float64,
    ).reshape(len(inputs), len(tags))
    counted = np.full((len(inputs), len(tokens)), np.nan)
    for row, code in enumerate(inputs.codes):
        if code:
            counts = Counter(code.split(" "))
            counted[row] = np.log1p([counts[token] for token in tokens])
    return np.hstack([measured, tagged, counted])


def standardised(raw: Floats, centre: Array, deviation: Array) -> Floats:
    """Columns in deviations from the training mean, within MOST_DEVIATIONS; 0 where unknown."""
    scaled = np.clip((raw - centre) / deviation, -MOST_DEVIATIONS, MOST_DEVIATIONS)
    return np.where(np.isnan(scaled), 0.0, scaled)


def fourier_features(columns: Floats, frequencies: Array, phases: Array) -> Floats:
    """Random Fourier features whose inner products approximate a Gaussian kernel."""
    return np.asarray(np.sqrt(2 / len(phases)) * np.cos(columns @ frequencies.T + phases))


def hashed(documents: list[str], grams: tuple[int, int]) -> Any:
    """Sparse rows x BUCKETS: 1 + log of the count of each bucket's n-grams."""
    from sklearn.feature_extraction.text import HashingVectorizer  # a second and a half to import

    vectorizer = HashingVectorizer(
        n_features=BUCKETS, ngram_range=grams, token_pattern=r"\S+", lowercase=False, alternate_sign=False, norm=None
    )
    counts = vectorizer.transform(documents)
    counts.data = 1 + np.log(counts.data)
    return counts


def tfidf(counts: Any, idf: Array) -> Any:
    """Rows of length 1; a row of no known gram stays zero."""
    weighted = counts.multiply(idf.astype(np.float64)).tocsr()
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return weighted.multiply((1 / np.where(length > 0, length, 1))[:, None]).tocsr()
