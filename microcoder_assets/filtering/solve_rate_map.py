"""Monotone maps from an index of difficulty to an expected solve rate.

A map is an isotonic regression of known solve rates on the index, kept as values on a grid: of the platform where at
least MIN_LABELLED of its rows are labelled, else pooled over all platforms, else a fixed prior. Maps, prior and
intervals are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from microcoder_assets.config import CalibrationSettings

Floats = npt.NDArray[np.float64]

GRID: Floats = np.linspace(1.0, 5.0, 161)
MIN_LABELLED = 30  # ours: below it a platform's own map is mostly noise
INTERVAL = (5.0, 95.0)  # percentiles: a 90 % interval
PRIOR_CENTRE, PRIOR_SLOPE = 2.5, 2.0  # ours: half are solved at 2.5, the lower boundary that the paper places
PRIOR_WIDTH = 1.0  # points of the index either way that the prior's interval covers. Ours


@dataclass(frozen=True, slots=True)
class SolveRateMap:
    """Solve rate at each point of GRID, non-increasing. low, high: its interval; None without resamples."""

    evidence: str
    rate: Floats
    low: Floats | None
    high: Floats | None


def fit_map(index: Floats, rates: Floats, weights: Floats | None = None) -> Floats:
    """Weighted isotonic regression, falling, read off at GRID. Rows of weight zero do not count."""
    from sklearn.isotonic import IsotonicRegression  # a second and a half to import

    used = slice(None) if weights is None else weights > 0
    model = IsotonicRegression(increasing=False, y_min=0.0, y_max=1.0, out_of_bounds="clip")
    model.fit(index[used], rates[used], sample_weight=None if weights is None else weights[used])
    return np.asarray(model.predict(GRID), dtype=np.float64)


def prior_rate(index: Floats) -> Floats:
    """The solve rate assumed where nothing is known: a logistic of the index."""
    return np.asarray(1 / (1 + np.exp(PRIOR_SLOPE * (index - PRIOR_CENTRE))))


def fit_maps(rows: pl.DataFrame, settings: CalibrationSettings) -> dict[str | None, SolveRateMap]:
    """Platform -> map; None -> the map of every other platform.

    rows: platform, index, observed_solve_rate (null: not labelled), worth (how many attempts a label counts as) and
    source.
    """
    labelled = rows.filter(pl.col("observed_solve_rate").is_not_null())
    maps: dict[str | None, SolveRateMap] = {None: _prior_map()}
    if labelled.height >= MIN_LABELLED:
        maps[None] = _fitted_map(labelled, f"pooled, {labelled.height} rows", settings)
    for (platform,), part in labelled.group_by("platform", maintain_order=True):
        if part.height >= MIN_LABELLED:
            sources = "; ".join(part["source"].unique().sort().to_list())
            maps[str(platform)] = _fitted_map(part, f"{sources}, {part.height} rows of {platform}", settings)
    return maps


def apply_maps(rows: pl.DataFrame, maps: dict[str | None, SolveRateMap]) -> pl.DataFrame:
    """rows with mapped_solve_rate, its _low and _high, and evidence."""
    parts = [
        _apply(part, maps.get(str(platform), maps[None]))
        for (platform,), part in rows.group_by("platform", maintain_order=True)
    ]
    return pl.concat(parts or [_apply(rows, maps[None])])


def _prior_map() -> SolveRateMap:
    wide = [prior_rate(GRID + shift) for shift in (PRIOR_WIDTH, -PRIOR_WIDTH)]
    return SolveRateMap("prior", prior_rate(GRID), *wide)


def _fitted_map(labelled: pl.DataFrame, evidence: str, settings: CalibrationSettings) -> SolveRateMap:
    index, rates, worth = (labelled[name].to_numpy() for name in ("index", "observed_solve_rate", "worth"))
    rate = fit_map(index, rates, worth)
    if not settings.bootstrap:
        return SolveRateMap(evidence, rate, None, None)
    generator = np.random.default_rng(settings.seed)
    even = np.full(len(index), 1 / len(index))
    resamples = generator.multinomial(len(index), even, size=settings.bootstrap).astype(np.float64)
    fits = np.stack([fit_map(index, rates, times * worth) for times in resamples])
    low, high = np.percentile(fits, INTERVAL, axis=0)
    return SolveRateMap(evidence, rate, np.minimum(low, rate), np.maximum(high, rate))


def _apply(part: pl.DataFrame, fitted: SolveRateMap) -> pl.DataFrame:
    index = part["index"].to_numpy()

    def read(values: Floats | None) -> pl.Series | pl.Expr:
        return pl.lit(None, pl.Float64) if values is None else pl.Series(np.interp(index, GRID, values))

    return part.with_columns(
        mapped_solve_rate=read(fitted.rate),
        mapped_solve_rate_low=read(fitted.low),
        mapped_solve_rate_high=read(fitted.high),
        evidence=pl.lit(fitted.evidence),
    )
