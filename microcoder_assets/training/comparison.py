"""Two training runs drawn together: one panel a metric, both curves in it."""

from __future__ import annotations

import polars as pl

from microcoder_assets.figures import DPI, png

METRICS = {
    "reward": "mean reward",
    "completion_length": "tokens a completion",
    "diversity": "D: distinct / all 4-grams",
    "entropy": "entropy, nats",
    "clip_ratio": "tokens clipped",
    "truncated": "completions cut at L_max",
    "masked": "completions masked",
    "temperature": "temperature",
}
"""What is drawn, of the metrics that both runs have."""
COLOURS = ("#1f5a9e", "#d9792b")
COLUMNS = 2


def comparison_plot(pairs: pl.DataFrame, names: tuple[str, str]) -> bytes:
    """PNG of the columns metric, step, a and b of `paired_steps`. names: of the two runs."""
    from matplotlib.figure import Figure  # most of a second to import

    there = pairs["metric"].unique().to_list()
    shown = [metric for metric in METRICS if metric in there]
    rows = max(1, -(-len(shown) // COLUMNS))
    drawn = Figure(figsize=(8.4, 2.1 * rows + 0.4), dpi=DPI, layout="constrained")
    panels = drawn.subplots(rows, COLUMNS, squeeze=False).flat
    for axes, metric in zip(panels, shown, strict=False):
        own = pairs.filter(pl.col("metric") == metric)
        for column, name, colour in zip(("a", "b"), names, COLOURS, strict=True):
            axes.plot(own["step"].to_list(), own[column].to_list(), color=colour, linewidth=1.6, label=name)
        axes.set_title(METRICS[metric], fontsize=9, loc="left")
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in list(drawn.axes)[len(shown) :]:
        axes.set_visible(False)
    drawn.supxlabel("optimiser step", fontsize=9)
    handles, labels = drawn.axes[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False, fontsize=9)
    return png(drawn)


def summary_of(pairs: pl.DataFrame) -> pl.DataFrame:
    """One row a metric: the steps that both have, the means over them, the paired difference b - a, the last values."""
    return (
        pairs.sort("step")
        .group_by("metric")
        .agg(
            steps=pl.len(),
            mean_a=pl.col("a").mean(),
            mean_b=pl.col("b").mean(),
            difference=pl.col("difference").mean(),
            last_a=pl.col("a").last(),
            last_b=pl.col("b").last(),
        )
        .sort("metric")
    )
