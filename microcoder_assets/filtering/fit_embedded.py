"""Fit the embedded scorer to contest ratings: the formulas of its dimensions, and a rating model for each platform.

    python -m microcoder_assets.filtering.fit_embedded --problems normalized_problems.parquet --out embedded.json

The file holds rows with the columns of schema.NORMALIZED, of which those are used that have an Elo-like rating and
whose platform has at least 500 of them; of rows with the same statement one. Benchmark problems are among them: what is
learnt is how hard people find a problem, nothing of how to solve it, and contests are seen whole. The newest quarter of
each platform, by whole contests, is held out and only measures; what is written never saw it. Beside the table, the
models are written as .npz. `--ablations` also measures them on the held-out rows with one family of inputs hidden, and
models that learnt without it.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import spearmanr

from microcoder_assets.errors import UserError
from microcoder_assets.filtering.embedded import (
    EASIEST_ELO,
    HARDEST_ELO,
    LOWEST,
    PRIORS,
    SPAN,
    Floats,
    Formula,
    RatingCard,
    Standard,
    Table,
    rating_score,
    save_embedded,
    standardised,
)
from microcoder_assets.filtering.evidence import elo_rating
from microcoder_assets.filtering.features import features
from microcoder_assets.filtering.fit_rating_model import fit_rating_model
from microcoder_assets.filtering.rating_model import FAMILIES, RatingModel, rating_inputs
from microcoder_assets.filtering.rubric import Rubric, load_rubric
from microcoder_assets.schema import DIMENSIONS

HELD_OUT = 0.25
MIN_RATED = 500
RIDGE = 3e-3  # pull towards the priors, in mean squared rubric points. Ours; 1e-4 to 1e-2 measure alike.


def rated_rows(problems: pl.DataFrame) -> pl.DataFrame:
    """The rows to learn from, with `elo` and `held` (among the newest). Raises UserError when there are too few."""
    rated = (
        problems.with_columns(elo=elo_rating())
        .filter(pl.col("elo").is_not_null())
        .sort("problem_id")
        .unique("statement", keep="first", maintain_order=True)
        .filter(pl.len().over("platform") >= MIN_RATED)
    )
    if rated.is_empty():
        raise UserError(f"no platform has {MIN_RATED} problems with a contest rating; collect more before fitting")
    return rated.with_columns(held=newest(rated))


def newest(problems: pl.DataFrame, share: float = HELD_OUT) -> pl.Series:
    """True for the newest `share` of each platform's rows, whole contests together. Age is the day of the contest where
    a platform's rows all have one, else the first number in the contest or else in the native id: on contest sites
    both grow with time."""
    number = pl.coalesce(pl.col("contest", "native_id").str.extract(r"(\d+)").cast(pl.Int64)).fill_null(0)
    dated = pl.col("published").is_not_null().all().over("platform")
    age = pl.when(dated).then(pl.col("published").to_physical().cast(pl.Int64)).otherwise(number)
    return problems.select(age >= age.quantile(1 - share, "higher").over("platform")).to_series()


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


def fit_formulas(
    z: dict[str, Floats], target: Floats, weights: Floats, rubric: Rubric, start: dict[str, Formula]
) -> dict[str, Formula]:
    """Least squares of the score against `target` (1..5), with a ridge towards `start`. weights: of the rows, sum 1."""
    names = [(dimension, feature) for dimension in DIMENSIONS for feature in start[dimension].coefficients]
    prior = np.array([start[d].coefficients[f] for d, f in names] + [0.0] * len(DIMENSIONS))
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


def fit(problems: pl.DataFrame, rubric: Rubric) -> tuple[Table, dict[str, RatingModel]]:
    """The formulas and models with their held-out measures. Raises UserError as `rated_rows` does."""
    rated = rated_rows(problems)
    learnt = rated.filter(~pl.col("held"))
    measured = features(learnt)
    standards = standards_of(measured)
    target = LOWEST + SPAN * ((learnt["elo"] - EASIEST_ELO) / (HARDEST_ELO - EASIEST_ELO)).clip(0.02, 0.98).to_numpy()
    share = learnt.select(1 / pl.len().over("platform")).to_series().to_numpy()
    start = {name: Formula(bias=0.0, coefficients=PRIORS[name]) for name in DIMENSIONS}
    formulas = fit_formulas(standardised(measured, standards), target, share / share.sum(), rubric, start)
    fitted = {
        str(platform): _fit_platform(part) for (platform,), part in rated.group_by("platform", maintain_order=True)
    }
    table = Table(
        version="2",
        origin="ours, fitted on contest ratings of the oldest three quarters of each platform",
        rubric_version=rubric.version,
        ratings={platform: card for platform, (_, card) in sorted(fitted.items())},
        features=standards,
        dimensions=formulas,
    )
    return table, {platform: model for platform, (model, _) in fitted.items()}


def _fit_platform(rated: pl.DataFrame) -> tuple[RatingModel, RatingCard]:
    learnt, held = rated.filter(~pl.col("held")), rated.filter("held")
    model = fit_rating_model(rating_inputs(learnt), learnt["elo"].to_numpy())
    elo, predicted = held["elo"].to_numpy(), model.predict(rating_inputs(held))
    lines = learnt.select(pl.concat_str("problem_id", "content_sha", separator=" ")).to_series()
    age = ("published", pl.col("contest").str.len_chars(), "contest", "problem_id")
    oldest = held.sort(*age)["problem_id"][0]
    return model, RatingCard(
        io_mode=learnt["io_mode"].mode().sort()[0],
        trained_on=learnt.height,
        training_sha=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        held_out=held.height,
        held_out_from=oldest,
        spearman=_spearman(predicted, elo),
        spearman_of_length=_spearman(held["statement"].str.len_chars().to_numpy(), elo),
        residual_sd=round(float(np.std(rating_score(predicted) - rating_score(elo))), 4),
    )


def ablations(problems: pl.DataFrame, models: Mapping[str, RatingModel]) -> pl.DataFrame:
    """platform, without (a family of inputs), and Spearman of the held-out rows: `hidden`, by the model of `models`
    where they lack the family, and `relearnt`, by a model that learnt without it."""
    rows = []
    for (platform,), part in rated_rows(problems).group_by("platform", maintain_order=True):
        learnt, held = part.filter(~pl.col("held")), part.filter("held")
        seen, unseen = rating_inputs(learnt), rating_inputs(held)
        elo = held["elo"].to_numpy()
        for family in FAMILIES:
            lacking = unseen.without(family)
            relearnt = fit_rating_model(seen.without(family), learnt["elo"].to_numpy())
            hidden, relearnt_without = (_spearman(m.predict(lacking), elo) for m in (models[str(platform)], relearnt))
            rows.append((platform, family, hidden, relearnt_without))
    return pl.DataFrame(rows, schema=["platform", "without", "hidden", "relearnt"], orient="row")


def _spearman(predicted: Floats, known: Floats) -> float:
    return round(float(spearmanr(predicted, known).statistic), 4)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="fit_embedded", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--problems", type=Path, required=True, help="Parquet of normalized_problems")
    parser.add_argument("--out", type=Path, required=True, help="coefficient table to write, .json")
    parser.add_argument("--ablations", action="store_true", help="also measure without each family of inputs")
    options = parser.parse_args(arguments)
    try:
        problems = pl.read_parquet(options.problems)
        table, models = fit(problems, load_rubric())
    except (UserError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    save_embedded(options.out, table, models)
    for platform, card in table.ratings.items():
        print(f"{platform}: {card.model_dump_json()}")
    if options.ablations:
        for row in ablations(problems, models).iter_rows():
            print(*row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
