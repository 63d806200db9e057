"""Figures small enough for asset metadata: matplotlib without a window, and PNG bytes that are equal for equal data."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE_INCHES = (5.6, 3.6)
DPI = 90
MOST_GROUPS = 8
MOST_TICKS = 12


def figure() -> Figure:
    from matplotlib.figure import Figure  # most of a second to import

    return Figure(figsize=SIZE_INCHES, dpi=DPI, layout="constrained")


def png(drawn: Figure) -> bytes:
    buffer = io.BytesIO()
    drawn.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def months_plot(counts: pl.DataFrame, legend: str) -> bytes:
    """Problems by contest month, stacked by group. counts: month (date, null: unknown), group, problems; the largest
    groups are told apart, and rows without a month are counted below the axis."""
    drawn = figure()
    axes = drawn.subplots()
    dated = counts.drop_nulls("month")
    undated = counts.filter(pl.col("month").is_null())["problems"].sum()
    if dated.height:
        span = pl.date_range(pl.col("month").min(), pl.col("month").max(), "1mo")
        months = dated.select(span.alias("month"))
        sizes = (
            dated.group_by("group").agg(pl.col("problems").sum()).sort("problems", "group", descending=[True, False])
        )
        named = sizes["group"].head(MOST_GROUPS).to_list()
        shown = dated.with_columns(
            pl.when(pl.col("group").is_in(named)).then("group").otherwise(pl.lit("others")).alias("group")
        )
        below = [0] * months.height
        for group in named + ["others"] * (sizes.height > MOST_GROUPS):
            own = shown.filter(group=group).group_by("month").agg(pl.col("problems").sum())
            heights = months.join(own, on="month", how="left", maintain_order="left")["problems"].fill_null(0).to_list()
            axes.bar(range(months.height), heights, bottom=below, width=1.0, label=group)
            below = [low + high for low, high in zip(below, heights, strict=True)]
        step = -(-months.height // MOST_TICKS)
        labels = months["month"].dt.strftime("%Y-%m").to_list()
        axes.set_xticks(range(0, months.height, step), labels[::step], rotation=45, ha="right", fontsize=8)
        axes.legend(fontsize=8, frameon=False, title=legend, title_fontsize=8)
    axes.set(xlabel=f"contest month ({undated} without one)", ylabel="problems")
    return png(drawn)
