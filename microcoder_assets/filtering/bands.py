"""Difficulty bands: where they begin, and which one a rate lies in.

Boundaries from the data are natural breaks: of all ways to cut the expected solve rates into four runs, the one whose
runs spread least about their own means (Fisher 1958; Jenks). They are rounded to steps of 0.05, so that a night's new
problems do not rename the bands of old ones. That the paper places its boundaries by solve rates is reported
(arXiv 2603.07779); this rule is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from microcoder_assets.config import BANDS, CalibrationSettings

Floats = npt.NDArray[np.float64]

STEP = 0.05
MIN_BANDED = 500  # ours: below it a few problems move a break by more than a step


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Expected solve rates from which a problem is easy, medium and hard; below the last it is expert.
    origin: `data` or `fixed`."""

    easy: float
    medium: float
    hard: float
    origin: str

    @property
    def rising(self) -> tuple[float, float, float]:
        return self.hard, self.medium, self.easy


def boundaries_of(rates: pl.Series, settings: CalibrationSettings) -> Boundaries:
    """Of the rows' expected solve rates, or as the settings fix them; those also where rows or breaks are too few."""
    if settings.boundaries == "data" and len(rates) >= MIN_BANDED:
        hard, medium, easy = (round(round(edge / STEP) * STEP, 2) for edge in natural_breaks(rates.to_numpy()))
        if 0 < hard < medium < easy < 1:
            return Boundaries(easy, medium, hard, "data")
    return Boundaries(settings.easy_above, settings.medium_above, settings.hard_above, "fixed")


def band_of(rate: pl.Expr, boundaries: Boundaries) -> pl.Expr:
    """The difficulty band of an expected solve rate; a boundary belongs to the easier band."""
    return (
        pl.when(rate >= boundaries.easy)
        .then(pl.lit(BANDS[0]))
        .when(rate >= boundaries.medium)
        .then(pl.lit(BANDS[1]))
        .when(rate >= boundaries.hard)
        .then(pl.lit(BANDS[2]))
        .otherwise(pl.lit(BANDS[3]))
    )


def natural_breaks(rates: Floats, classes: int = len(BANDS), cells: int = 200) -> list[float]:
    """The `classes` - 1 inner edges, rising, in [0, 1]: of least sum of squared distances to the mean of their class.

    Exact over rates rounded to `cells` cells, by dynamic programming. An edge is in the middle of its gap.
    """
    counts, edges = np.histogram(rates, bins=cells, range=(0.0, 1.0))
    centres = (edges[:-1] + edges[1:]) / 2
    sums = [np.concatenate([[0.0], np.cumsum(counts * centres**power)]) for power in range(3)]

    def spread(starts: npt.NDArray[np.int64], end: int) -> Floats:
        weight, total, squares = (part[end] - part[starts] for part in sums)
        return np.asarray(squares - total**2 / np.maximum(weight, 1))

    ends = np.arange(cells + 1)
    best = np.array([spread(ends[:1], end)[0] for end in range(cells + 1)])
    cuts: list[npt.NDArray[np.int64]] = []
    for _ in range(classes - 1):
        options = [best[: end + 1] + spread(ends[: end + 1], end) for end in range(cells + 1)]
        cuts.append(np.array([int(np.argmin(option)) for option in options]))
        best = np.array([float(option.min()) for option in options])
    filled = np.flatnonzero(counts)
    found, end = [], cells
    for cut in reversed(cuts):
        end = int(cut[end])
        below, above = filled[filled < end], filled[filled >= end]
        between = len(below) and len(above)
        found.append(float((centres[below[-1]] + centres[above[0]]) / 2 if between else edges[end]))
    return found[::-1]
