"""LiveCodeBench's public pass rates: how often 16 models solve a problem that also has a contest rating.

Benchmark problems are never training rows. Here they are the ground truth that calibrated solve rates are held against,
and what `evidence.REFERENCE` is fitted to.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from microcoder_assets.collection.files import BAD_RECORD, one_line
from microcoder_assets.collection.livecodebench import BenchmarkProblem, read_benchmark
from microcoder_assets.errors import UserError
from microcoder_assets.filtering.calibration_report import INPUTS, predict
from microcoder_assets.filtering.difficulty_index import Inputs, folds_of
from microcoder_assets.filtering.evidence import Link, fit_link
from microcoder_assets.schema import Schema

Floats = npt.NDArray[np.float64]

LEADERBOARD = "leaderboard_performances_generation.json.gz"
PUBLIC: Schema = {
    "problem_id": pl.String,
    "platform": pl.String,
    "contest": pl.String,
    "published": pl.Date,
    "observed_solve_rate": pl.Float64,
}
ROLLING_MONTHS = 6
"""Months before a month that `by_month` fits to. Ours."""


def read_public_rates(folder: Path) -> pl.DataFrame:
    """PUBLIC rows: the mean pass@1 of the leaderboard's models, for each problem that the folder's benchmark holds.

    LeetCode problems are named by their slug (`leetcode:two-sum`). Raises UserError naming a file that cannot be read.
    """
    path = folder / LEADERBOARD
    try:
        rows = json.loads(gzip.decompress(path.read_bytes()))["performances"]
        measured = pl.DataFrame([(str(row["question_id"]), float(row["pass@1"]) / 100) for row in rows], orient="row")
    except (OSError, *BAD_RECORD) as error:
        raise UserError(f"{path} is not LiveCodeBench's leaderboard: {one_line(error)}") from error
    rates = measured.group_by(question_id="column_0").agg(observed_solve_rate=pl.col("column_1").mean())
    problems = [
        (found.question_id, found.problem_id, found.platform, found.contest_id, found.contest_date)
        for found in read_benchmark(folder)
        if isinstance(found, BenchmarkProblem)
    ]
    named = pl.DataFrame(problems, schema=["question_id", *list(PUBLIC)[:4]], orient="row")
    joined = named.join(rates, on="question_id").select(pl.col(name).cast(dtype) for name, dtype in PUBLIC.items())
    return joined.sort("problem_id")


def link_of(rated: pl.DataFrame) -> Link:
    """The link of the models' mean. rated: rating, observed_solve_rate."""
    rating, rate = (rated[name].to_numpy() for name in ("rating", "observed_solve_rate"))
    return fit_link(rating, rate, np.ones(len(rate)))


def by_contest(rated: pl.DataFrame) -> pl.DataFrame:
    """rated with `predicted`: each row's by the link of the other folds; contests are whole. rated: PUBLIC, rating."""
    folds = pl.Series(folds_of(rated))
    parts = [_predict(rated.filter(folds != fold), rated.filter(folds == fold)) for fold in folds.unique()]
    return pl.concat(parts).sort("problem_id")


def by_month(rated: pl.DataFrame, months: int | None = ROLLING_MONTHS) -> pl.DataFrame:
    """The same by time: each calendar month by the `months` before it (None: all of them); rows with less than
    ROLLING_MONTHS of history are left out."""
    month = rated.select(pl.col("published").dt.year() * 12 + pl.col("published").dt.month()).to_series()
    first = int(month.min() or 0)  # type: ignore[arg-type]
    parts = [rated.clear().with_columns(predicted=pl.lit(None, pl.Float64))]
    for now in sorted(set(month.to_list())):
        if now - first >= ROLLING_MONTHS:
            since = first if months is None else now - months
            parts.append(_predict(rated.filter((month < now) & (month >= since)), rated.filter(month == now)))
    return pl.concat(parts).sort("problem_id")


def as_if_unrated(
    rows: pl.DataFrame, features: pl.DataFrame, public: pl.DataFrame, newest: bool = False
) -> dict[Inputs, pl.DataFrame]:
    """What `calibrate` expects of problems with public rates by score and features alone, for each kind of inputs.

    rows: rated problems with slug, rating, score and the columns of NORMALIZED but ratings, those with public rates
    among them. public: PUBLIC and rating. The map is fitted as in production, to what the link makes of the ratings of
    problems without public rates; the link, for each fold of contests, to the public rates of the other folds.
    newest: by time instead: only of problems that a link and a map of what was published before them speak.
    """
    named = public.with_columns(slug=pl.col("problem_id").str.split(":").list.last())
    groups = _latest(named) if newest else pl.Series(folds_of(named))
    others = rows.join(named, on="slug", how="anti").with_columns(worth=pl.lit(1.0), source=pl.lit("ratings"))
    found: dict[Inputs, pl.DataFrame] = {}
    for inputs in INPUTS:
        parts = []
        for group in [1] if newest else groups.unique():
            link = link_of(named.filter(groups != group))
            asked = named.filter(groups == group)
            known = others.filter(pl.col("published") < asked["published"].min()) if newest else others
            labelled = known.with_columns(observed_solve_rate=pl.Series(link.rate(known["rating"].to_numpy())))
            wanted = rows.join(asked.select("slug", "observed_solve_rate"), on="slug").with_columns(
                worth=pl.lit(1.0), source=pl.lit("public")
            )
            parts.append(predict(labelled, wanted, features, inputs))
        found[inputs] = pl.concat(parts)
    return found


def newest_fifth(rated: pl.DataFrame) -> pl.DataFrame:
    """The newest fifth with `predicted`, by the link of everything older."""
    latest = _latest(rated)
    return _predict(rated.filter(latest == 0), rated.filter(latest == 1))


def worth(checked: pl.DataFrame) -> float:
    """How many attempts a prediction counts as: the size of the Beta distribution about it whose variance is the mean
    squared error that it was seen to have."""
    predicted, observed = (checked[name].to_numpy() for name in ("predicted", "observed_solve_rate"))
    return float((predicted * (1 - predicted)).mean() / ((predicted - observed) ** 2).mean() - 1)


def _predict(known: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    rates = link_of(known).rate(wanted["rating"].to_numpy())
    return wanted.with_columns(predicted=pl.Series(rates, dtype=pl.Float64))


def _latest(public: pl.DataFrame) -> pl.Series:
    """1 for the newest fifth of the rows, else 0."""
    return (public["published"].rank("ordinal") > 0.8 * public.height).cast(pl.Int64)
