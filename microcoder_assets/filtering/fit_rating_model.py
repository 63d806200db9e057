"""Fit a RatingModel. Its constants are ours, seen to do well by rolling validation inside the training rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from microcoder_assets.filtering.rating_model import (
    CODE_GRAMS,
    MEASUREMENTS,
    STATEMENT_GRAMS,
    Array,
    Floats,
    RatingInputs,
    RatingModel,
    fourier_features,
    hashed,
    raw_columns,
    standardised,
    standing,
    tfidf,
)

GAUSSIAN, STATEMENT, CODE = 2.0, 0.25, 0.5
"""Weights of the kernel's parts."""

NOISE = 1.0  # added to the kernel's diagonal
BANDWIDTH = 0.3  # of the Gaussian: its exponent is this times the squared distance over the mean squared length
FOURIER_FEATURES = 2048
TREES, TREE_DEPTH, RATE, COLUMN_SHARE, ROW_SHARE, SMALLEST_LEAF = 600, 4, 0.03, 0.1, 0.7, 10
COUNTED_TOKENS = 100
RAREST_TAG, RAREST_TOKEN = 4, 5  # fewest training problems that hold one
FOLDS = 5
PULL = 1.0  # of the ridge, over columns of unit variance; 0.01 to 1,000 measure alike
SEED = 0


def fit_rating_model(inputs: RatingInputs, ratings: Floats) -> RatingModel:
    """A model of `ratings`, one a problem. Equal inputs give an equal model."""
    return replace(_fit_alone(inputs, ratings), among=_among(inputs, ratings))


def _among(inputs: RatingInputs, ratings: Floats) -> Array:
    """`RatingModel.among`, from averages by models that learnt from other contests."""
    if not any(inputs.contests):
        return np.array([0.0, 1.0, 0.0], dtype=np.float32)
    groups = [contest or f" {row}" for row, contest in enumerate(inputs.contests)]
    drawn = np.random.default_rng(SEED).permutation(len(set(groups)))
    fold_of = dict(zip(sorted(set(groups)), drawn % FOLDS, strict=True))
    folds = np.array([fold_of[group] for group in groups])
    averages = np.empty(len(ratings))
    for fold in range(FOLDS):
        seen, unseen = (np.flatnonzero(folds != fold), np.flatnonzero(folds == fold))
        averages[unseen] = _fit_alone(inputs.take(seen), ratings[seen]).average(inputs.take(unseen))
    columns = np.column_stack([averages, standing(averages, inputs.contests)])
    centre, deviation = columns.mean(axis=0), columns.std(axis=0)
    scaled = (columns - centre) / np.where(deviation > 0, deviation, 1)
    weights = np.linalg.solve(scaled.T @ scaled + PULL * np.eye(2), scaled.T @ (ratings - ratings.mean()))
    weights /= np.where(deviation > 0, deviation, 1)
    return np.array([ratings.mean() - centre @ weights, *weights], dtype=np.float32)


def _fit_alone(inputs: RatingInputs, ratings: Floats) -> RatingModel:
    tags = np.array(_frequent(inputs.tags, RAREST_TAG), dtype=np.str_)
    tokens = np.array(_frequent(map(str.split, inputs.codes), RAREST_TOKEN, COUNTED_TOKENS), dtype=np.str_)
    measurements = np.array(MEASUREMENTS, dtype=np.str_)
    varies = _varies(raw_columns(measurements, tags, tokens, inputs))
    ends = np.cumsum([len(measurements), len(tags)])
    measurements, tags, tokens = (
        names[kept] for names, kept in zip((measurements, tags, tokens), np.split(varies, ends), strict=True)
    )
    raw = raw_columns(measurements, tags, tokens, inputs)
    centre, deviation = (f(raw, axis=0).astype(np.float32) for f in (np.nanmean, np.nanstd))
    columns = standardised(raw, centre, deviation)
    regression = _regression(columns, inputs, ratings)
    return RatingModel(
        measurements=measurements,
        tags=tags,
        tokens=tokens,
        centre=centre,
        deviation=deviation,
        among=np.array([0.0, 1.0, 0.0], dtype=np.float32),
        **regression,
        **_trees(columns, ratings),
    )


def _frequent(sets: Iterable[list[str]], fewest: int, most: int | None = None) -> list[str]:
    counts = Counter(name for names in sets for name in set(names))
    ranked = sorted((name for name in counts if counts[name] >= fewest), key=lambda name: (-counts[name], name))
    return ranked[:most]


def _varies(raw: Floats) -> Array:
    return np.array([len(np.unique(column[~np.isnan(column)])) > 1 for column in raw.T], dtype=bool)


def _regression(columns: Floats, inputs: RatingInputs, ratings: Floats) -> dict[str, Array]:
    """Kernel ridge regression in its dual form, then as weights of the features that make up the kernel."""
    from scipy.linalg import solve

    relevance = np.sqrt(np.abs(np.nan_to_num(np.corrcoef(columns.T, ratings)[-1, :-1]))).astype(np.float32)
    relevant = columns * relevance
    generator = np.random.default_rng(SEED)
    spread = np.sqrt(2 * BANDWIDTH / np.square(relevant).sum(axis=1).mean())
    drawn = spread * generator.standard_normal((FOURIER_FEATURES, columns.shape[1]))
    step = np.float32(np.abs(drawn).max() / 127)
    frequencies = np.round(drawn / step).astype(np.int8)
    phases = generator.uniform(0, 2 * np.pi, FOURIER_FEATURES).astype(np.float32)

    gaussian = fourier_features(relevant, frequencies * step, phases)
    kernel = GAUSSIAN * gaussian @ gaussian.T
    parts = {}
    for name, documents, grams, weight in (
        ("statement", inputs.statements, STATEMENT_GRAMS, STATEMENT),
        ("code", inputs.codes, CODE_GRAMS, CODE),
    ):
        counts = hashed(documents, grams)
        held = np.asarray((counts > 0).sum(axis=0)).ravel()
        idf = np.where(held > 0, np.log((1 + len(ratings)) / (1 + held)) + 1, 0).astype(np.float16)
        parts[name] = (weight, idf, tfidf(counts, idf))
        kernel += weight * (parts[name][2] @ parts[name][2].T).toarray()
    mean = ratings.mean()
    dual = solve(kernel + NOISE * np.eye(len(ratings)), ratings - mean, assume_a="pos")
    weights = {name: (weight * (rows.T @ dual)).astype(np.float16) for name, (weight, _, rows) in parts.items()}
    code_mean = (parts["code"][2] @ weights["code"].astype(np.float64)).mean()
    return {
        "relevance": relevance,
        "frequencies": frequencies,
        "frequency_step": step,
        "phases": phases,
        "gaussian_weights": (GAUSSIAN * (gaussian.T @ dual)).astype(np.float32),
        "statement_idf": parts["statement"][1],
        "statement_weights": weights["statement"],
        "code_idf": parts["code"][1],
        "code_weights": weights["code"],
        "means": np.array([mean, code_mean], dtype=np.float32),
    }


def _trees(columns: Floats, ratings: Floats) -> dict[str, Array]:
    from sklearn.ensemble import GradientBoostingRegressor  # seconds to import

    boosted = GradientBoostingRegressor(
        n_estimators=TREES,
        max_depth=TREE_DEPTH,
        learning_rate=RATE,
        max_features=COLUMN_SHARE,
        subsample=ROW_SHARE,
        min_samples_leaf=SMALLEST_LEAF,
        random_state=SEED,
    ).fit(columns, ratings)
    nodes = [tree.tree_ for tree in boosted.estimators_.ravel()]
    roots = np.cumsum([0, *(tree.node_count for tree in nodes)])[:-1]
    own = [root + np.arange(tree.node_count) for root, tree in zip(roots, nodes, strict=True)]
    leaf = np.concatenate([tree.children_left < 0 for tree in nodes])
    itself = np.concatenate(own)

    def children(side: str) -> Array:
        there = [root + getattr(tree, f"children_{side}") for root, tree in zip(roots, nodes, strict=True)]
        return np.where(leaf, itself, np.concatenate(there)).astype(np.int32)

    return {
        "roots": roots.astype(np.int32),
        "split": np.where(leaf, 0, np.concatenate([tree.feature for tree in nodes])).astype(np.int16),
        "threshold": np.concatenate([tree.threshold for tree in nodes]).astype(np.float32),
        "left": children("left"),
        "right": children("right"),
        "value": np.concatenate([RATE * tree.value.ravel() for tree in nodes]).astype(np.float32),
    }
