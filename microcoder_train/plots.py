"""Plots as small PNG files, drawn without pyplot's global state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from microcoder_train.estimates import Estimate

BLUE, ORANGE, GREY = "#1f5a9e", "#d9792b", "#9aa3ad"
COLOURS = (GREY, BLUE, ORANGE, "#3f8f6b", "#8a5fa8", "#c2484d", "#6b5b45", "#4aa3c7")
FEW = 3
"""So many policies are told apart inside the axes; the names of more stand below, and bands are left out."""


def curve_plot(path: Path, steps: Sequence[int], rewards: Sequence[float], window: int = 5) -> None:
    """Mean reward (share of completions accepted) of each rollout and its running mean over `window` rollouts."""
    figure, axes = _figure()
    smooth = [
        sum(rewards[max(0, end - window) : end]) / len(rewards[max(0, end - window) : end])
        for end in range(1, len(rewards) + 1)
    ]
    axes.plot(steps, rewards, color=GREY, linewidth=0.8, label="one rollout")
    axes.plot(steps, smooth, color=BLUE, linewidth=2, label=f"mean of the last {window}")
    axes.set_xlabel("optimiser step")
    axes.set_ylabel("mean reward")
    axes.set_ylim(0, 1)
    axes.legend(frameon=False)
    _save(figure, path)


def diversity_plot(path: Path, values: Mapping[float, float | None], band: tuple[float, float]) -> None:
    """D by temperature, with the band that it should lie in."""
    figure, axes = _figure()
    shown = [(temperature, value) for temperature, value in sorted(values.items()) if value is not None]
    axes.axhspan(*band, color=GREY, alpha=0.25, linewidth=0)
    axes.plot([temperature for temperature, _ in shown], [value for _, value in shown], color=BLUE, marker="o")
    axes.set_xlabel("sampling temperature")
    axes.set_ylabel("D: distinct / all 4-grams")
    axes.set_ylim(0, 1)
    _save(figure, path)


def score_plot(path: Path, scores: Mapping[str, Mapping[str, Estimate]]) -> None:
    """Grouped bars with 95 % intervals. scores: policy -> group (overall, easy, ...) -> pass@1."""
    figure, axes = _figure()
    groups = list(dict.fromkeys(group for values in scores.values() for group in values))
    width = 0.8 / max(1, len(scores))
    for number, (policy, values) in enumerate(scores.items()):
        shown = [values.get(group) or Estimate(0.0, 0.0, 0.0, 0) for group in groups]
        places = [index + (number - (len(scores) - 1) / 2) * width for index in range(len(groups))]
        errors = [
            [max(0.0, value.mean - value.low) for value in shown],
            [max(0.0, value.high - value.mean) for value in shown],
        ]
        axes.bar(
            places,
            [value.mean for value in shown],
            width,
            yerr=errors,
            capsize=3,
            color=COLOURS[number % len(COLOURS)],
            label=policy,
        )
    axes.set_xticks(range(len(groups)), groups)
    axes.set_ylabel("pass@1 (95 % interval over problems)")
    axes.set_ylim(0, 1)
    _name_policies(figure, axes, len(scores))
    _save(figure, path)


def month_plot(
    path: Path, series: Mapping[str, Mapping[str, Estimate]], marks: Mapping[str, str] | None = None
) -> None:
    """pass@1 by contest month with 95 % bands. series: policy -> `YYYY-MM` -> estimate, at least one of them.

    marks: name -> `YYYY-MM`, drawn as a dashed line at the end of that month: cut-off dates.
    """
    figure, axes = _figure()
    months = sorted({month for values in series.values() for month in values})
    for number, (policy, values) in enumerate(series.items()):
        shown = [(months.index(month), value) for month, value in sorted(values.items())]
        places = [place for place, _ in shown]
        colour = COLOURS[number % len(COLOURS)]
        axes.plot(places, [value.mean for _, value in shown], color=colour, marker="o", markersize=3, label=policy)
        if len(series) <= FEW:
            low, high = [value.low for _, value in shown], [value.high for _, value in shown]
            axes.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0)
    for name, month in (marks or {}).items():
        place = sum(one <= month for one in months) - 0.5
        axes.axvline(place, color="#444444", linestyle="--", linewidth=1)
        axes.annotate(name, (place, 0.99), (3, 0), textcoords="offset points", fontsize=8, va="top")
    step = max(1, len(months) // 12)
    axes.set_xticks(range(0, len(months), step), months[::step], rotation=45, ha="right", fontsize=8)
    axes.set_xlabel("contest month")
    axes.set_ylabel("pass@1 (95 % interval over problems)" if len(series) <= FEW else "pass@1")
    axes.set_ylim(0, 1)
    _name_policies(figure, axes, len(series))
    _save(figure, path)


def length_plot(path: Path, lengths: Mapping[str, tuple[Sequence[int], Sequence[int]]]) -> None:
    """How long accepted and rejected completions are. lengths: policy -> tokens of the accepted, of the rejected."""
    figure, axes = _figure()
    groups = [(f"{policy}, {name}", values) for policy, both in lengths.items()
              for name, values in zip(("accepted", "rejected"), both, strict=True) if values]  # fmt: skip
    names = [name for name, _ in groups]
    axes.boxplot([values for _, values in groups], tick_labels=names, showfliers=False, orientation="horizontal")
    axes.tick_params(axis="y", labelsize=8)
    axes.set_xlabel("tokens a completion")
    axes.set_xlim(left=0)
    _save(figure, path)


CURVES = {"reward": "mean reward", "diversity": "D: distinct / all 4-grams", "completion_length": "tokens a completion"}
"""What a grid's panels show of every run's curve."""


def grid_plot(path: Path, runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Curves of a grid, the mean over seeds and one thin line a seed, and held-out pass@1 with a dot a seed.

    runs: cell -> summaries of its runs, one a seed.
    """
    figure = Figure(figsize=(9.6, 6.4), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(2, 2).flat
    for axes, (column, label) in zip(panels, CURVES.items(), strict=False):
        for number, summaries in enumerate(runs.values()):
            _seeds(axes, [_line(summary, column) for summary in summaries], COLOURS[number % len(COLOURS)])
        axes.set_xlabel("optimiser step")
        axes.set_ylabel(label)
    scores = figure.axes[-1]
    for number, summaries in enumerate(runs.values()):
        values = [float(summary["validation"]["tuned"]["pass@1"]) for summary in summaries]
        colour = COLOURS[number % len(COLOURS)]
        scores.plot(values, [number] * len(values), "o", color=colour, alpha=0.5, markersize=4)
        scores.plot([sum(values) / len(values)], [number], "|", color=colour, markersize=16, markeredgewidth=2)
    base = next(iter(runs.values()))[0]["validation"]["base"]["pass@1"]
    scores.axvline(base, color="#444444", linestyle="--", linewidth=1, label="base")
    scores.set_yticks(range(len(runs)), list(runs))
    for number, tick in enumerate(scores.get_yticklabels()):
        tick.set_color(COLOURS[number % len(COLOURS)])
    scores.margins(y=0.15)
    scores.invert_yaxis()
    scores.set_xlabel("held-out pass@1")
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e5e8ec")
    _save(figure, path)


def _line(summary: Mapping[str, Any], column: str) -> list[tuple[int, float]]:
    return [(point["step"], point[column]) for point in summary["curve"] if point[column] is not None]


def _seeds(axes: Axes, lines: Sequence[Sequence[tuple[int, float]]], colour: str) -> None:
    """Each line thinly, and the mean of those that have a value at a step."""
    found: dict[int, list[float]] = {}
    for line in lines:
        axes.plot([step for step, _ in line], [value for _, value in line], color=colour, alpha=0.25, linewidth=0.7)
        for step, value in line:
            found.setdefault(step, []).append(value)
    steps = sorted(found)
    axes.plot(steps, [sum(found[step]) / len(found[step]) for step in steps], color=colour, linewidth=2)


def _name_policies(figure: Figure, axes: Axes, policies: int) -> None:
    if policies <= FEW:
        axes.legend(frameon=False)
        return
    rows = -(-policies // 2)
    figure.set_figheight(3.6 + 0.22 * rows)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, 3.6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e5e8ec")
    axes.set_axisbelow(True)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, format="png", metadata={"Software": None})
