"""One number a row that a map turns into a solve rate, 1 to 5, harder is higher: the score, or what a ridge regression
makes of measurable features, or of both.

An LLM's rubric alone is a weak judge of difficulty, explicit features are a good one (arXiv 2511.18597); the embedded
scorer has seen them already. Form and penalty are ours.
"""

from __future__ import annotations

import zlib
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from microcoder_assets.filtering.features import FEATURES

Floats = npt.NDArray[np.float64]
Inputs = Literal["score", "features", "both"]

LOWEST, SPAN = 1.0, 4.0
FOLDS = 5
PENALTY = 30.0  # in rows. Ours; 1 to 100 measure alike on LiveCodeBench's LeetCode problems
MIN_REGRESSED = 200  # ours: below it the coefficients of some seventy features are noise, and the score alone is used


def folds_of(rows: pl.DataFrame) -> npt.NDArray[np.int64]:
    """The fold of each row, by a hash of its contest, so that no contest is on both sides; of its id without one."""
    contests = rows.select(pl.format("{} {}", "platform", pl.coalesce("contest", "problem_id"))).to_series()
    return np.array([zlib.crc32(contest.encode()) % FOLDS for contest in contests], dtype=np.int64)


def with_index(rows: pl.DataFrame, features: pl.DataFrame, inputs: Inputs) -> pl.DataFrame:
    """rows with `index`. rows: problem_id, platform, contest, score, observed_solve_rate, worth. features: theirs, by
    problem_id; not read where inputs is `score`.

    The index of a labelled row is made without its own fold, as honest as that of a row without a label.
    """
    labelled = rows["observed_solve_rate"].is_not_null().to_numpy()
    if inputs == "score" or labelled.sum() < MIN_REGRESSED:
        return rows.with_columns(index="score")
    columns = [*FEATURES, *(["score"] if inputs == "both" else [])]
    design = rows.join(features, on="problem_id", how="left", maintain_order="left").select(columns)
    values = design.cast(pl.Float64).to_numpy()
    rates, worth = rows["observed_solve_rate"].to_numpy(), rows["worth"].to_numpy()
    folds = folds_of(rows)
    predicted = np.empty(rows.height)
    parts = [(labelled & (folds == fold), labelled & (folds != fold)) for fold in range(FOLDS)]
    for held, used in [(~labelled, labelled), *parts]:
        if held.any():
            predicted[held] = _ridge(values[used], rates[used], worth[used], values[held])
    return rows.with_columns(index=pl.Series(LOWEST + SPAN * (1 - np.clip(predicted, 0, 1))))


def _ridge(values: Floats, rates: Floats, worth: Floats, wanted: Floats) -> Floats:
    """Rates of the rows `wanted`, by a weighted ridge regression of `rates` on standardised `values`; an unknown
    feature counts as its mean."""
    known = ~np.isnan(values)
    counts = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0).sum(axis=0) / counts
    spread = np.sqrt((np.where(known, values - mean, 0) ** 2).sum(axis=0) / counts)
    scale = np.where(spread > 0, spread, 1.0)

    def design(part: Floats) -> Floats:
        return np.column_stack([np.ones(len(part)), np.nan_to_num((part - mean) / scale)])

    weights = worth / worth.mean()
    penalty = PENALTY * np.eye(values.shape[1] + 1)
    penalty[0, 0] = 0.0
    rows = design(values)
    coefficients = np.linalg.solve(rows.T @ (rows * weights[:, None]) + penalty, rows.T @ (rates * weights))
    return np.asarray(design(wanted) @ coefficients)
