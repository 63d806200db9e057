"""Calibrate: rubric score -> expected solve rate, by a falling map fitted to what is known of a platform.

A map is an isotonic regression of solve rates (`evidence.solve_rate`) on scores, kept as values on a grid: of the
platform where at least MIN_LABELLED of its rows are labelled, else pooled over all platforms, else a fixed prior.
arXiv 2603.07779 calibrates with four attempts of a solver model; maps, prior and intervals are ours.

The report is cross-validated over the map only. Where the scorer itself learnt from the same ratings, its scores of
those problems are better than those of problems to come; the table of the embedded scorer holds its held-out figures.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from microcoder_assets.config import BANDS, CalibrationSettings
from microcoder_assets.filtering.evidence import evidence_name, solve_rate
from microcoder_assets.schema import CALIBRATED, conform
from microcoder_assets.stage import Decision, Kind, StageResult

Floats = npt.NDArray[np.float64]

GRID: Floats = np.linspace(1.0, 5.0, 161)
MIN_LABELLED = 30  # ours: below it a platform's own map is mostly noise
FOLDS = 5
BINS = 10
INTERVAL = (5.0, 95.0)  # percentiles: a 90 % interval
PRIOR_CENTRE, PRIOR_SLOPE = 2.5, 2.0  # ours: half are solved at 2.5, the lower boundary that the paper places
PRIOR_WIDTH = 1.0  # rubric points either way that the prior's interval covers. Ours


@dataclass(frozen=True, slots=True)
class SolveRateMap:
    """Solve rate at each score of GRID, non-increasing. low, high: its interval; None without resamples."""

    evidence: str
    rate: Floats
    low: Floats | None
    high: Floats | None


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """platforms: platform, rows, labelled, evidence, spearman (of score with 1 - solve rate), calibration_error
    (expected, over BINS equal bins, 5-fold cross-validated); `all` is the last row; null where too few are labelled.
    reliability: platform, bin, rows, predicted, observed (means of held-out predictions and of known solve rates).
    bands: band, rows."""

    platforms: pl.DataFrame
    reliability: pl.DataFrame
    bands: pl.DataFrame

    def summary(self) -> pl.DataFrame:
        return self.platforms


def calibrate(
    scored: pl.DataFrame, problems: pl.DataFrame, settings: CalibrationSettings
) -> tuple[StageResult, CalibrationReport]:
    """SCORED rows to CALIBRATED rows, with how far the result can be trusted. problems: PREPARED rows."""
    known = problems.select("problem_id", "platform", observed_solve_rate=solve_rate(), source=evidence_name())
    rows = scored.join(known, on="problem_id", how="left").sort("problem_id")
    maps = _maps(rows, settings)
    parts = [
        _apply(part, maps.get(platform, maps[None]))
        for (platform,), part in rows.group_by("platform", maintain_order=True)
    ]
    calibrated = pl.concat(parts or [_apply(rows, maps[None])])
    banded = calibrated.with_columns(band=band_of(pl.col("expected_solve_rate"), settings)).sort("problem_id")
    frame = conform(banded, CALIBRATED)
    return StageResult(frame, _decisions(frame)), _report(banded)


def band_of(rate: pl.Expr, settings: CalibrationSettings) -> pl.Expr:
    """The difficulty band of an expected solve rate; a boundary belongs to the easier band."""
    return (
        pl.when(rate >= settings.easy_above)
        .then(pl.lit(BANDS[0]))
        .when(rate >= settings.medium_above)
        .then(pl.lit(BANDS[1]))
        .when(rate >= settings.hard_above)
        .then(pl.lit(BANDS[2]))
        .otherwise(pl.lit(BANDS[3]))
    )


def fit_map(scores: Floats, rates: Floats, weights: Floats | None = None) -> Floats:
    """Weighted isotonic regression, falling, read off at GRID. Rows of weight zero do not count."""
    from sklearn.isotonic import IsotonicRegression  # a second and a half to import

    used = slice(None) if weights is None else weights > 0
    model = IsotonicRegression(increasing=False, y_min=0.0, y_max=1.0, out_of_bounds="clip")
    model.fit(scores[used], rates[used], sample_weight=None if weights is None else weights[used])
    return np.asarray(model.predict(GRID), dtype=np.float64)


def prior_rate(scores: Floats) -> Floats:
    """The solve rate assumed where nothing is known: a logistic of the score."""
    return np.asarray(1 / (1 + np.exp(PRIOR_SLOPE * (scores - PRIOR_CENTRE))))


def _maps(rows: pl.DataFrame, settings: CalibrationSettings) -> dict[str | None, SolveRateMap]:
    """Platform -> map; None -> the map of every other platform."""
    labelled = rows.filter(pl.col("observed_solve_rate").is_not_null())
    maps: dict[str | None, SolveRateMap] = {None: _prior_map()}
    if labelled.height >= MIN_LABELLED:
        maps[None] = _fitted_map(labelled, f"pooled, {labelled.height} rows", settings)
    for (platform,), part in labelled.group_by("platform", maintain_order=True):
        if part.height >= MIN_LABELLED:
            sources = "; ".join(part["source"].unique().sort().to_list())
            maps[str(platform)] = _fitted_map(part, f"{sources}, {part.height} rows of {platform}", settings)
    return maps


def _prior_map() -> SolveRateMap:
    wide = [prior_rate(GRID + shift) for shift in (PRIOR_WIDTH, -PRIOR_WIDTH)]
    return SolveRateMap("prior", prior_rate(GRID), *wide)


def _fitted_map(labelled: pl.DataFrame, evidence: str, settings: CalibrationSettings) -> SolveRateMap:
    scores, rates = labelled["score"].to_numpy(), labelled["observed_solve_rate"].to_numpy()
    rate = fit_map(scores, rates)
    if not settings.bootstrap:
        return SolveRateMap(evidence, rate, None, None)
    generator = np.random.default_rng(settings.seed)
    even = np.full(len(scores), 1 / len(scores))
    resamples = generator.multinomial(len(scores), even, size=settings.bootstrap).astype(np.float64)
    fits = np.stack([fit_map(scores, rates, weights) for weights in resamples])
    low, high = np.percentile(fits, INTERVAL, axis=0)
    return SolveRateMap(evidence, rate, np.minimum(low, rate), np.maximum(high, rate))


def _apply(part: pl.DataFrame, fitted: SolveRateMap) -> pl.DataFrame:
    scores = part["score"].to_numpy()

    def read(values: Floats | None) -> pl.Series | pl.Expr:
        return pl.lit(None, pl.Float64) if values is None else pl.Series(np.interp(scores, GRID, values))

    return part.with_columns(
        expected_solve_rate=read(fitted.rate),
        expected_solve_rate_low=read(fitted.low),
        expected_solve_rate_high=read(fitted.high),
        evidence=pl.lit(fitted.evidence),
    )


def _decisions(frame: pl.DataFrame) -> list[Decision]:
    return [
        Decision(
            row["problem_id"],
            Kind.KEPT,
            "ok",
            detail={"expected_solve_rate": round(row["expected_solve_rate"], 4), "band": row["band"]},
            score=row["score"],
            rule=row["evidence"],
            sha_in=row["content_sha"],
            sha_out=row["content_sha"],
        )
        for row in frame.iter_rows(named=True)
    ]


def _report(rows: pl.DataFrame) -> CalibrationReport:
    labelled = rows.filter(pl.col("observed_solve_rate").is_not_null())
    checked = _held_out(labelled)
    everywhere = [frame.with_columns(platform=pl.lit("all")) for frame in (rows, labelled, checked)]
    whole = [pl.concat([own, both]) for own, both in zip((rows, labelled, checked), everywhere, strict=True)]
    reliability = _reliability(whole[2])
    error = reliability.group_by("platform").agg(
        calibration_error=((pl.col("predicted") - pl.col("observed")).abs() * pl.col("rows")).sum() / pl.sum("rows")
    )
    spearman = (
        whole[2]
        .group_by("platform")
        .agg(spearman=pl.corr("score", 1 - pl.col("observed_solve_rate"), method="spearman").fill_nan(None))
    )
    platforms = (
        whole[0]
        .group_by("platform")
        .agg(rows=pl.len(), evidence=pl.col("evidence").first())
        .join(whole[1].group_by("platform").agg(labelled=pl.len()), on="platform", how="left")
        .join(spearman, on="platform", how="left")
        .join(error, on="platform", how="left")
        .select(
            "platform",
            "rows",
            pl.col("labelled").fill_null(0),
            pl.when(pl.col("platform") != "all").then("evidence").alias("evidence"),
            "spearman",
            "calibration_error",
        )
        .sort(pl.col("platform") == "all", "platform")
    )
    bands = pl.DataFrame({"band": BANDS}).join(rows.group_by("band").agg(rows=pl.len()), on="band", how="left")
    return CalibrationReport(platforms, reliability, bands.with_columns(pl.col("rows").fill_null(0)))


def _held_out(labelled: pl.DataFrame) -> pl.DataFrame:
    """Labelled rows with `predicted`, each by the kind of map that serves its platform, its own or the pooled one,
    fitted without the row's fold. None where too few are labelled for either."""
    own = labelled.filter(pl.len().over("platform") >= MIN_LABELLED)
    parts = [_predicted(part) for _, part in own.group_by("platform", maintain_order=True)]
    if labelled.height >= MIN_LABELLED:
        parts.append(_predicted(labelled).join(own, on="problem_id", how="anti"))
    return pl.concat(parts) if parts else _predicted(labelled.clear())


def _predicted(part: pl.DataFrame) -> pl.DataFrame:
    return part.with_columns(predicted=pl.Series(_cross_validated(part), dtype=pl.Float64))


def _cross_validated(part: pl.DataFrame) -> Floats:
    """Predictions of each row by a map fitted without its fold. A row's fold is a hash of its id."""
    scores, rates = part["score"].to_numpy(), part["observed_solve_rate"].to_numpy()
    folds = np.array([zlib.crc32(problem_id.encode()) % FOLDS for problem_id in part["problem_id"]])
    predicted = np.empty_like(rates)
    for fold in range(FOLDS):
        held = folds == fold
        if held.all():
            predicted[held] = prior_rate(scores[held])
        elif held.any():
            predicted[held] = np.interp(scores[held], GRID, fit_map(scores[~held], rates[~held]))
    return predicted


def _reliability(checked: pl.DataFrame) -> pl.DataFrame:
    return (
        checked.group_by("platform", bin=(pl.col("predicted") * BINS).floor().clip(0, BINS - 1).cast(pl.Int64))
        .agg(rows=pl.len(), predicted=pl.col("predicted").mean(), observed=pl.col("observed_solve_rate").mean())
        .sort("platform", "bin")
    )
