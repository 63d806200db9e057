"""Calibrate: a score, and what else is known of a problem, to an expected solve rate of one solver and a band.

1. What is known of a problem (`evidence`) is counted in attempts: a rating, or a public pass rate, as
   `settings.rating_worth` attempts at the rate that it gives, an attempt of the solver as one. Together they are the
   row's label.
2. Labels of a platform give the map from the index of difficulty to solve rates (`difficulty_index`,
   `solve_rate_map`): a score alone says this much of a row, `mapped_solve_rate`.
3. A row's expected solve rate is the mean of a Beta distribution. Its prior is the row's rating where it has one, else
   the map, which counts for `settings.map_worth` attempts; attempts are added to it. Beside a rating the map says
   nothing new (measured, docs/calibration.md).

arXiv 2603.07779 calibrates with four attempts of a solver model; evidence, prior and map are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from microcoder_assets.config import CalibrationSettings
from microcoder_assets.filtering.bands import band_of, boundaries_of
from microcoder_assets.filtering.calibration_report import CalibrationReport, report_on
from microcoder_assets.filtering.difficulty_index import with_index
from microcoder_assets.filtering.evidence import REFERENCE, evidence_name, population_of, solve_rate
from microcoder_assets.filtering.features import MEASURED, features
from microcoder_assets.filtering.solve_rate_map import INTERVAL, apply_maps, fit_maps
from microcoder_assets.schema import ATTEMPTED, CALIBRATED, Rows, conform, of_problems
from microcoder_assets.stage import Deciding, Decision, Kind, StageResult

Floats = npt.NDArray[np.float64]

LEAST = 1e-3  # attempts either way that a Beta distribution keeps, so that it is one


def calibrate(
    scored: pl.DataFrame,
    problems: Rows,
    settings: CalibrationSettings,
    attempted: pl.DataFrame | None = None,
) -> tuple[StageResult, CalibrationReport]:
    """SCORED rows to CALIBRATED rows, with how far the result can be trusted.

    problems: PREPARED rows. attempted: ATTEMPTED rows of the solver `settings.model`; none: the reference population.
    """
    rows = _labelled(scored, problems, settings, attempted)
    labelled = rows.filter(pl.col("worth") > 0)["problem_id"]
    measured = features(of_problems(problems, labelled).select(MEASURED).collect())
    needed = measured if settings.inputs == "score" else features(problems.lazy().select(MEASURED).collect())
    indexed = with_index(rows, needed, settings.inputs)
    placed = _posterior(apply_maps(indexed, fit_maps(indexed, settings)), settings)
    boundaries = boundaries_of(placed["expected_solve_rate"], settings)
    banded = placed.with_columns(
        band=band_of(pl.col("expected_solve_rate"), boundaries),
        model=pl.lit(settings.model, pl.String),
        step=pl.lit(settings.step, pl.Int64),
    ).sort("problem_id")
    frame = conform(banded, CALIBRATED)
    return StageResult(frame, Deciding(frame, _decision)), report_on(banded, measured, boundaries, settings.inputs)


def expected_solve_rates(
    scored: pl.DataFrame, problems: Rows, settings: CalibrationSettings, attempted: pl.DataFrame
) -> pl.DataFrame:
    """What `calibrate` makes of the rates, without report and intervals: problem_id, alpha and beta of each row's Beta
    distribution, and attempts. For those who decide where to attempt more."""
    rows = _labelled(scored, problems, settings, attempted)
    indexed = with_index(rows, pl.DataFrame(), "score")
    maps = fit_maps(indexed, settings.model_copy(update={"bootstrap": 0}))
    return _posterior(apply_maps(indexed, maps), settings).select("problem_id", "alpha", "beta", "attempts")


def _labelled(
    scored: pl.DataFrame, problems: Rows, settings: CalibrationSettings, attempted: pl.DataFrame | None
) -> pl.DataFrame:
    """Scores with what is known: rated (the rate that ratings give), attempts, solved, observed_solve_rate, worth and
    source."""
    facts = problems.lazy().select("problem_id", "platform", "native_id", "contest", "published", "ratings")
    known = facts.sort("problem_id").collect().join(
        pl.DataFrame(schema=ATTEMPTED) if attempted is None else attempted, on="problem_id", how="left"
    )
    population = population_of(known) if known["attempts"].sum() else REFERENCE
    tried, solved = pl.col("attempts").fill_null(0), pl.col("solved").fill_null(0)
    rating_worth = pl.when(pl.col("rated").is_not_null()).then(settings.rating_worth).otherwise(0.0)
    names = [pl.col("rating_source"), pl.when(tried > 0).then(pl.lit("attempts"))]
    return (
        scored.join(
            known.with_columns(rated=solve_rate(population), rating_source=evidence_name(population)).drop("ratings"),
            on="problem_id",
            how="left",
        )
        .with_columns(worth=rating_worth + tried, source=pl.concat_str(names, separator="+", ignore_nulls=True))
        .with_columns(
            observed_solve_rate=pl.when(pl.col("worth") > 0).then(
                (pl.col("rated").fill_null(0.0) * rating_worth + solved) / pl.col("worth")
            )
        )
        .sort("problem_id")
    )


def _posterior(rows: pl.DataFrame, settings: CalibrationSettings) -> pl.DataFrame:
    """rows with alpha, beta, expected_solve_rate and its interval."""
    from scipy.special import betaincinv

    prior = pl.coalesce("rated", "mapped_solve_rate")
    worth = pl.when(pl.col("rated").is_not_null()).then(settings.rating_worth).otherwise(settings.map_worth)
    tried, solved = pl.col("attempts").fill_null(0), pl.col("solved").fill_null(0)
    counted = rows.with_columns(alpha=prior * worth + solved, beta=(1 - prior) * worth + tried - solved)
    rate = pl.col("alpha") / (pl.col("alpha") + pl.col("beta"))
    alpha, beta = (np.maximum(counted[name].to_numpy(), LEAST) for name in ("alpha", "beta"))
    low, high = (pl.Series(betaincinv(alpha, beta, percentile / 100)) for percentile in INTERVAL)
    return counted.with_columns(
        expected_solve_rate=rate,
        expected_solve_rate_low=pl.min_horizontal(low, rate),
        expected_solve_rate_high=pl.max_horizontal(high, rate),
    )


def _decision(row: Mapping[str, Any]) -> Decision:
    return Decision(
        row["problem_id"],
        Kind.KEPT,
        "ok",
        detail=_detail(row),
        score=row["score"],
        rule=row["evidence"],
        sha_in=row["content_sha"],
        sha_out=row["content_sha"],
    )


def _detail(row: Mapping[str, Any]) -> dict[str, Any]:
    rate = row["expected_solve_rate"]
    detail = {"expected_solve_rate": round(rate, 4) if isinstance(rate, float) else rate, "band": row["band"]}
    tried = {name: row[name] for name in ("model", "step", "attempts", "solved") if row[name] is not None}
    return {**detail, **tried}
