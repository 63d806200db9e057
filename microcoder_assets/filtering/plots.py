"""Pictures of the filtering stage, as PNG bytes small enough for asset metadata."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from microcoder_assets.filtering.calibrate import CalibrationReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE_INCHES = (5.6, 3.6)
DPI = 90
MOST_PLATFORMS = 6


def reliability_plot(report: CalibrationReport) -> bytes:
    """Predicted against known solve rates, cross-validated; a point's area tells the number of problems behind it."""
    figure = _figure()
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--", label="perfect")
    errors = dict(report.platforms.select("platform", "calibration_error").iter_rows())
    for (platform,), points in report.reliability.group_by("platform", maintain_order=True):
        if platform == "all":
            continue
        sizes = 15 + 120 * points["rows"].to_numpy() / max(int(report.reliability["rows"].max() or 1), 1)  # type: ignore[arg-type]
        predicted, observed = points["predicted"].to_numpy(), points["observed"].to_numpy()
        (line,) = axes.plot(predicted, observed, linewidth=1, label=f"{platform} (error {errors[str(platform)]:.3f})")
        axes.scatter(predicted, observed, s=sizes, color=line.get_color())
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="expected solve rate", ylabel="known solve rate")
    axes.legend(fontsize=8, frameon=False, loc="upper left")
    return _png(figure)


def score_histogram(scored: pl.DataFrame) -> bytes:
    """Scores of the rows, stacked by platform (the part of problem_id before the colon); small platforms are one."""
    platform = pl.col("problem_id").str.split(":").list.first()
    rows = scored.select("score", platform=platform)
    sizes = rows["platform"].value_counts().sort("count", "platform", descending=[True, False])
    named = sizes["platform"].head(MOST_PLATFORMS).to_list()
    grouped = rows.with_columns(pl.when(pl.col("platform").is_in(named)).then("platform").otherwise(pl.lit("others")))
    labels = named + (["others"] if sizes.height > len(named) else [])
    figure = _figure()
    axes = figure.subplots()
    if labels:
        series = [grouped.filter(pl.col("platform") == label)["score"].to_numpy() for label in labels]
        axes.hist(series, bins=list(np.linspace(1, 5, 41)), stacked=True, label=labels)
        axes.legend(fontsize=8, frameon=False)
    axes.set(xlim=(1, 5), xlabel="rubric score", ylabel="problems")
    return _png(figure)


def _figure() -> Figure:
    from matplotlib.figure import Figure  # most of a second to import

    return Figure(figsize=SIZE_INCHES, dpi=DPI, layout="constrained")


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
