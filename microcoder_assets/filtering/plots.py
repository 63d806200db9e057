"""Pictures of the filtering stage, as PNG bytes small enough for asset metadata."""

from __future__ import annotations

import numpy as np
import polars as pl

from microcoder_assets import figures
from microcoder_assets.config import BANDS
from microcoder_assets.filtering.calibration_report import CalibrationReport

MOST_PLATFORMS = 6
BAND_COLOURS = ("#9ecae1", "#4292c6", "#2171b5", "#08306b")


def reliability_plot(report: CalibrationReport) -> bytes:
    """Known over expected solve rates, cross-validated, of the platforms with the most labelled rows. A point's area
    tells the number of problems behind it, its bar the 90 % interval of their mean."""
    figure = figures.figure()
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--", label="perfect")
    measured = report.platforms.filter(pl.col("calibration_error").is_not_null(), pl.col("platform") != "all")
    shown = measured.sort("labelled", "platform", descending=[True, False]).head(MOST_PLATFORMS)
    for platform, error in shown.select("platform", "calibration_error").iter_rows():
        points = report.reliability.filter(platform=platform)
        predicted, observed, low, high, rows = (
            points[name].to_numpy() for name in ("predicted", "observed", "low", "high", "rows")
        )
        bars = np.nan_to_num(np.stack([observed - low, high - observed]))
        label = f"{platform} (error {error:.3f})"
        drawn = axes.errorbar(predicted, observed, bars, linewidth=1, capsize=2, label=label)
        axes.scatter(predicted, observed, s=10 + 90 * rows / rows.max(), color=drawn.lines[0].get_color())
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="expected solve rate", ylabel="known solve rate")
    axes.legend(fontsize=8, frameon=False, loc="upper left")
    return figures.png(figure)


def bands_plot(calibrated: pl.DataFrame) -> bytes:
    """Scores of the rows, stacked by difficulty band. A band's share of all rows stands beside its name."""
    figure = figures.figure()
    axes = figure.subplots()
    if calibrated.height:
        series = [calibrated.filter(band=band)["score"].to_numpy() for band in BANDS]
        labels = [f"{band} ({len(part) / calibrated.height:.0%})" for band, part in zip(BANDS, series, strict=True)]
        axes.hist(series, bins=list(np.linspace(1, 5, 41)), stacked=True, label=labels, color=BAND_COLOURS)
        axes.legend(fontsize=8, frameon=False)
    axes.set(xlim=(1, 5), xlabel="score", ylabel="problems")
    return figures.png(figure)


def score_histogram(scored: pl.DataFrame) -> bytes:
    """Scores of the rows, stacked by platform (the part of problem_id before the colon); small platforms are one."""
    platform = pl.col("problem_id").str.split(":").list.first()
    rows = scored.select("score", platform=platform)
    sizes = rows["platform"].value_counts().sort("count", "platform", descending=[True, False])
    named = sizes["platform"].head(MOST_PLATFORMS).to_list()
    grouped = rows.with_columns(pl.when(pl.col("platform").is_in(named)).then("platform").otherwise(pl.lit("others")))
    labels = named + (["others"] if sizes.height > len(named) else [])
    figure = figures.figure()
    axes = figure.subplots()
    if labels:
        series = [grouped.filter(pl.col("platform") == label)["score"].to_numpy() for label in labels]
        axes.hist(series, bins=list(np.linspace(1, 5, 41)), stacked=True, label=labels)
        axes.legend(fontsize=8, frameon=False)
    axes.set(xlim=(1, 5), xlabel="rubric score", ylabel="problems")
    return figures.png(figure)
