"""How far calibrated solve rates can be trusted: Spearman, expected calibration error and Brier score, held out.

Every figure is of predictions that were made without the row's own fold, contests whole; the comparison of inputs also
of the newest fifth of each platform, by maps fitted to the rest. Where the scorer itself learnt from the same ratings,
its scores of those problems are better than those of problems to come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from microcoder_assets.config import BANDS, CalibrationSettings
from microcoder_assets.filtering.bands import Boundaries
from microcoder_assets.filtering.difficulty_index import FOLDS, MIN_REGRESSED, Inputs, folds_of, with_index
from microcoder_assets.filtering.solve_rate_map import MIN_LABELLED, apply_maps, fit_maps

BINS = 10
NEWEST = 0.2
INPUTS: tuple[Inputs, ...] = ("score", "features", "both")
NORMAL_90 = 1.645
"""Standard errors that a 90 % interval spans either way."""

_FITTING = CalibrationSettings(bootstrap=0)  # type: ignore[call-arg]


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """platforms: platform, rows, labelled, evidence, spearman (of the index with 1 - solve rate), calibration_error
    (expected, over BINS equal bins), brier; `all` is the last row; null where too few are labelled.
    comparison: inputs, held_out (`cross-validated` or `newest fifth`), rows, spearman, calibration_error, brier; empty
    below MIN_REGRESSED labelled rows.
    reliability: platform, bin, rows, predicted, observed (means of held-out predictions and of known solve rates), low,
    high (90 % interval of the observed mean).
    bands: band, above (the rate from which it holds), boundaries (data or fixed), rows."""

    platforms: pl.DataFrame
    comparison: pl.DataFrame
    reliability: pl.DataFrame
    bands: pl.DataFrame

    def tables(self) -> list[pl.DataFrame]:
        """Those for a terminal."""
        return [self.platforms, *([self.comparison] if self.comparison.height else []), self.bands]

    def measured(self) -> list[dict[str, Any]]:
        """Rows of `platforms` that have a calibration error, with what the gate looks at."""
        known = self.platforms.filter(pl.col("calibration_error").is_not_null())
        return known.select("platform", "labelled", "spearman", "calibration_error", "brier").to_dicts()


def report_on(rows: pl.DataFrame, features: pl.DataFrame, boundaries: Boundaries, inputs: Inputs) -> CalibrationReport:
    """rows: calibrated, with index, observed_solve_rate, worth, source, band, platform, contest and native_id.
    features: of the labelled rows at least."""
    labelled = rows.filter(pl.col("observed_solve_rate").is_not_null())
    checked = cross_validated(labelled, features, inputs) if labelled.height >= MIN_LABELLED else None
    both = _with_all(labelled.with_columns(predicted=pl.lit(None, pl.Float64)) if checked is None else checked)
    measures = pl.DataFrame(
        [{"platform": platform, **measure(part)} for (platform,), part in both.group_by("platform")]
        if checked is not None
        else [],
        schema={"platform": pl.String, "spearman": pl.Float64, "calibration_error": pl.Float64, "brier": pl.Float64},
    )
    counts = (
        _with_all(rows)
        .group_by("platform")
        .agg(rows=pl.len(), labelled=pl.col("observed_solve_rate").count(), evidence=pl.col("evidence").first())
    )
    platforms = (
        counts.with_columns(evidence=pl.when(pl.col("platform") != "all").then("evidence"))
        .join(measures, on="platform", how="left")
        .select("platform", "rows", "labelled", "evidence", "spearman", "calibration_error", "brier")
        .sort(pl.col("platform") == "all", "platform")
    )
    bands = pl.DataFrame(
        {"band": BANDS, "above": [*boundaries.rising[::-1], 0.0], "boundaries": [boundaries.origin] * len(BANDS)}
    ).join(rows.group_by("band").agg(rows=pl.len()), on="band", how="left", maintain_order="left")
    return CalibrationReport(
        platforms,
        compare_inputs(labelled, features),
        reliability(both.drop_nulls("predicted")),
        bands.with_columns(pl.col("rows").fill_null(0)),
    )


def compare_inputs(labelled: pl.DataFrame, features: pl.DataFrame) -> pl.DataFrame:
    """The score alone, features alone and both, held out by contest and by time. See CalibrationReport."""
    lines: list[dict[str, Any]] = []
    if labelled.height >= MIN_REGRESSED:
        newest = _newest(labelled)
        for inputs in INPUTS:
            parts = {
                "cross-validated": cross_validated(labelled, features, inputs),
                "newest fifth": predict(labelled.filter(~newest), labelled.filter(newest), features, inputs),
            }
            lines += [{"inputs": inputs, "held_out": name, "rows": p.height, **measure(p)} for name, p in parts.items()]
    numbers = dict.fromkeys(("spearman", "calibration_error", "brier"), pl.Float64)
    return pl.DataFrame(lines, schema={"inputs": pl.String, "held_out": pl.String, "rows": pl.Int64, **numbers})


def cross_validated(labelled: pl.DataFrame, features: pl.DataFrame, inputs: Inputs) -> pl.DataFrame:
    """labelled with `predicted`, each row's by maps fitted without its fold."""
    folds = pl.Series(folds_of(labelled))
    parts = [
        predict(labelled.filter(folds != fold), labelled.filter(folds == fold), features, inputs)
        for fold in range(FOLDS)
    ]
    return pl.concat(parts).sort("problem_id")


def predict(known: pl.DataFrame, wanted: pl.DataFrame, features: pl.DataFrame, inputs: Inputs) -> pl.DataFrame:
    """wanted with `index` and `predicted`, by an index and maps fitted to `known` alone."""
    columns = ["problem_id", "platform", "contest", "score", "observed_solve_rate", "worth", "source"]
    unlabelled = wanted.select(columns).with_columns(observed_solve_rate=pl.lit(None, pl.Float64))
    indexed = with_index(pl.concat([known.select(columns), unlabelled]), features, inputs)
    maps = fit_maps(indexed.head(known.height), _FITTING)
    mapped = apply_maps(indexed.tail(wanted.height), maps)
    predicted = mapped.select("problem_id", "index", predicted="mapped_solve_rate")
    return wanted.drop("index", strict=False).join(predicted, on="problem_id", maintain_order="left")


def measure(checked: pl.DataFrame) -> dict[str, float | None]:
    """spearman, calibration_error and brier of rows with predicted and observed_solve_rate."""
    away = pl.col("predicted") - pl.col("observed_solve_rate")
    spearman = pl.corr("predicted", "observed_solve_rate", method="spearman").fill_nan(None)
    bins = checked.group_by(_bin()).agg(away=away.sum().abs())
    return {
        "spearman": checked.select(spearman).item(),
        "calibration_error": bins["away"].sum() / checked.height,
        "brier": checked.select((away**2).mean()).item(),
    }


def reliability(checked: pl.DataFrame) -> pl.DataFrame:
    observed = pl.col("observed_solve_rate")
    error = NORMAL_90 * (observed.std() / observed.count().sqrt())
    return (
        checked.group_by("platform", bin=_bin())
        .agg(
            rows=pl.len(),
            predicted=pl.col("predicted").mean(),
            observed=observed.mean(),
            low=(observed.mean() - error).clip(0, 1),
            high=(observed.mean() + error).clip(0, 1),
        )
        .sort("platform", "bin")
    )


def _bin() -> pl.Expr:
    return (pl.col("predicted") * BINS).floor().clip(0, BINS - 1).cast(pl.Int64)


def _with_all(rows: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([rows, rows.with_columns(platform=pl.lit("all"))])


def _newest(rows: pl.DataFrame) -> pl.Series:
    """True for the newest NEWEST of each platform's rows, by date, else by the first number of the native id, which
    grows with time on contest sites."""
    number = pl.col("native_id").str.extract(r"(\d+)").cast(pl.Int64)
    age = pl.struct(pl.col("published").fill_null(pl.date(1970, 1, 1)), number.fill_null(0), "problem_id")
    return rows.select(age.rank("ordinal").over("platform") / pl.len().over("platform") > 1 - NEWEST).to_series()
