"""Fit the embedded scorer's coefficients to contest ratings.

    python -m microcoder_assets.filtering.fit_embedded --problems unique_problems.parquet --out embedded.json

The file holds rows with the columns of schema.UNIQUE; those with an Elo-like rating are used, of platforms with at
least 500 of them, each platform weighing the same. The newest fifth of each (by the first number in the native id,
which grows with time on contest sites) is held out and only measures; the shipped table never saw it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import polars as pl
from scipy.optimize import minimize
from scipy.special import expit

from microcoder_assets.errors import UserError
from microcoder_assets.filtering.embedded import (
    LOWEST,
    PRIORS,
    SPAN,
    Floats,
    Formula,
    Standard,
    Table,
    dimension_values,
    dump_table,
    standardised,
)
from microcoder_assets.filtering.evidence import elo_rating
from microcoder_assets.filtering.features import features
from microcoder_assets.filtering.rubric import Rubric, load_rubric
from microcoder_assets.schema import DIMENSIONS

EASIEST_ELO, HARDEST_ELO = 800.0, 3500.0  # range of Codeforces ratings; LeetCode's lie inside. Mapped to 1..5.
HELD_OUT = 0.2
MIN_RATED = 500
RIDGE = 3e-3  # pull towards the priors, in mean squared rubric points. Ours; 1e-4 to 1e-2 measure alike.
PRIOR_SD = 0.8


def prior_table(rubric: Rubric, standards: dict[str, Standard]) -> Table:
    """The table before any rating was seen: the priors as they are."""
    return Table(
        version="1",
        origin="ours, priors only",
        rubric_version=rubric.version,
        trained_on={},
        held_out_spearman={},
        residual_sd=PRIOR_SD,
        features=standards,
        dimensions={name: Formula(bias=0.0, coefficients=PRIORS[name]) for name in DIMENSIONS},
    )


def newest(problems: pl.DataFrame, share: float = HELD_OUT) -> pl.Series:
    """True for the newest `share` of each platform's rows."""
    age = pl.col("native_id").str.extract(r"(\d+)").cast(pl.Int64).fill_null(0)
    rank = pl.struct(age.alias("age"), "native_id").rank("ordinal").over("platform") / pl.len().over("platform")
    return problems.select(rank > 1 - share).to_series()


def standards_of(measured: pl.DataFrame) -> dict[str, Standard]:
    used = sorted({feature for coefficients in PRIORS.values() for feature in coefficients})
    statistics = measured.select(
        *(pl.col(name).mean().fill_null(0.0).alias(f"{name}.mean") for name in used),
        *(pl.col(name).std().fill_null(0.0).alias(f"{name}.sd") for name in used),
    ).row(0, named=True)
    return {
        name: Standard(mean=round(statistics[f"{name}.mean"], 4), sd=round(statistics[f"{name}.sd"], 4) or 1.0)
        for name in used
    }


def fit(z: dict[str, Floats], target: Floats, weights: Floats, rubric: Rubric, start: Table) -> dict[str, Formula]:
    """Least squares of the score against `target` (1..5), with a ridge towards `start`. weights: of the rows, sum 1."""
    names = [(dimension, feature) for dimension in DIMENSIONS for feature in start.dimensions[dimension].coefficients]
    prior = np.array([start.dimensions[d].coefficients[f] for d, f in names] + [0.0] * len(DIMENSIONS))
    slices = {d: [i for i, (dimension, _) in enumerate(names) if dimension == d] for d in DIMENSIONS}
    designs = {d: np.column_stack([z[names[i][1]] for i in slices[d]]) for d in DIMENSIONS}

    def loss(theta: Floats) -> tuple[float, Floats]:
        predicted = np.zeros_like(target)
        slopes = {}
        for k, d in enumerate(DIMENSIONS):
            squashed = expit(designs[d] @ theta[slices[d]] + theta[len(names) + k])
            weight = rubric.dimensions[d].weight
            predicted += weight * (LOWEST + SPAN * squashed)
            slopes[d] = weight * SPAN * squashed * (1 - squashed)
        error, away = predicted - target, theta - prior
        gradient = 2 * RIDGE * away
        for k, d in enumerate(DIMENSIONS):
            pull = 2 * error * slopes[d] * weights
            gradient[slices[d]] += designs[d].T @ pull
            gradient[len(names) + k] += pull.sum()
        return float(weights @ error**2 + RIDGE * away @ away), gradient

    theta = minimize(loss, prior, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return {
        d: Formula(
            bias=round(float(theta[len(names) + k]), 4),
            coefficients={names[i][1]: round(float(theta[i]), 4) for i in slices[d]},
        )
        for k, d in enumerate(DIMENSIONS)
    }


def predict(table: Table, measured: pl.DataFrame, rubric: Rubric) -> Floats:
    values = dimension_values(table, standardised(measured, table.features))
    return np.asarray(sum(rubric.dimensions[d].weight * values[d] for d in DIMENSIONS))


def fit_table(problems: pl.DataFrame, rubric: Rubric) -> Table:
    """The fitted table with its held-out measures. Raises UserError when no platform has enough rated rows."""
    rated = (
        problems.with_columns(elo=elo_rating())
        .filter(pl.col("elo").is_not_null(), pl.col("elo").count().over("platform") >= MIN_RATED)
        .sort("problem_id")
    )
    if rated.is_empty():
        raise UserError(f"no platform has {MIN_RATED} problems with a contest rating; collect more before fitting")
    held = newest(rated)
    measured = features(rated)
    target = LOWEST + SPAN * ((rated["elo"] - EASIEST_ELO) / (HARDEST_ELO - EASIEST_ELO)).clip(0.02, 0.98)
    start = prior_table(rubric, standards_of(measured.filter(~held)))
    z = standardised(measured.filter(~held), start.features)
    size = rated.filter(~held).select(1 / pl.len().over("platform")).to_series()
    fitted = start.model_copy(
        update={"dimensions": fit(z, target.filter(~held).to_numpy(), (size / size.sum()).to_numpy(), rubric, start)}
    )
    checked = rated.select("platform", target=target, predicted=pl.Series(predict(fitted, measured, rubric)), held=held)
    spearman = (
        checked.filter("held")
        .group_by("platform")
        .agg(pl.corr("target", "predicted", method="spearman").round(4))
        .sort("platform")
    )
    residual = checked.filter("held").select((pl.col("predicted") - pl.col("target")).std()).item()
    return fitted.model_copy(
        update={
            "origin": "ours, fitted on contest ratings of the oldest four fifths of each platform",
            "trained_on": dict(checked.filter(~held).group_by("platform").len().sort("platform").iter_rows()),
            "held_out_spearman": dict(spearman.iter_rows()),
            "residual_sd": round(residual, 4),
        }
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="fit_embedded", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--problems", type=Path, required=True, help="Parquet of unique_problems")
    parser.add_argument("--out", type=Path, required=True, help="coefficient table to write")
    options = parser.parse_args(arguments)
    try:
        table = fit_table(pl.read_parquet(options.problems), load_rubric())
    except (UserError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    options.out.write_text(dump_table(table), encoding="utf-8")
    print(f"trained on {table.trained_on}; held-out Spearman {table.held_out_spearman}; sd {table.residual_sd}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
