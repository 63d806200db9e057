"""The page about all experiments: per grid what was expected, found and drawn, and a verdict for each insight."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from microcoder_train.artifacts import new_result, write_json
from microcoder_train.errors import TrainError
from microcoder_train.estimates import Estimate
from microcoder_train.experiments.grids import EXPERIMENTS, REFERENCE, Experiment
from microcoder_train.experiments.insights import INSIGHTS
from microcoder_train.experiments.run import read_runs
from microcoder_train.experiments.verdicts import (
    MEASURES,
    MIN_SEEDS,
    NOT_REPRODUCED,
    NOT_TESTABLE,
    REPRODUCED,
    VERDICTS,
    Judged,
    Runs,
    judge,
    over_seeds,
)
from microcoder_train.plots import grid_plot
from microcoder_train.reports import Report

PAGE, RECORD = "insights.md", "insights.json"
SHOWN = ("base", "pass@1", "gain", "reward, last", "D, last", "length, last", "truncated", "masked", "clip high")
CONTRASTS = sum(len(insight.contrasts) for insight in INSIGHTS)
RULE = f"""\
The rule is ours, and was written before the runs, but for the least number of seeds.
Differences are paired by seed, in the direction that the paper predicts, with the 95 % interval of their mean
(Student's t). **{REPRODUCED.capitalize()}**: the interval lies above 0.
**{NOT_REPRODUCED.capitalize()}**: it lies below the smallest effect that would matter (0.02 of a share, half a token,
a tenth of the run), so that such an effect is ruled out. **{NOT_TESTABLE.capitalize()}**: neither, or no run here
can tell, and why. Below {MIN_SEEDS} seeds nothing is said. {CONTRASTS} contrasts are tested side by side and none is
corrected for that: one of forty would pass by chance."""


def write_report(results: Path, out: Path) -> Report:
    """`out` with insights.md, insights.json and a figure a grid, from the runs below `results`. Raises TrainError where
    there is none."""
    runs = read_runs(results)
    if not any(runs.values()):
        raise TrainError(f"{results} holds no finished run; make some with `experiment all --out {results}`")
    judged = [judge(insight, runs) for insight in INSIGHTS]
    with new_result(out, RECORD) as folder:
        drawn = [item for item in EXPERIMENTS.values() if any(runs[cell.name] for cell in item.cells)]
        for experiment in drawn:
            shown = {cell.name: list(runs[cell.name].values()) for cell in experiment.all_cells() if runs[cell.name]}
            grid_plot(folder / f"{experiment.name}.png", shown)
        (folder / PAGE).write_text(page(runs, judged), encoding="utf-8")
        write_json(folder / RECORD, [_record(item) for item in judged])
    counted = {verdict: sum(item.verdict == verdict for item in judged) for verdict in VERDICTS}
    return Report(
        f"{len(judged)} insights: " + ", ".join(f"{count} {verdict}" for verdict, count in counted.items()),
        "",
        dict(counted),
        {"verdicts": verdict_table(judged)},
        {experiment.name: out / f"{experiment.name}.png" for experiment in drawn},
    )


def experiments_report(out: Path, experiments: Sequence[Experiment], seeds: int, made: int) -> Report:
    """What the runs below `out` say of `experiments`: cells and verdicts, with a figure of each grid in `out`.

    made: runs that were made just now.
    """
    runs = read_runs(out)
    tables, plots = {}, {}
    for item in experiments:
        judged = [judge(insight, runs) for insight in INSIGHTS if insight.experiment == item.name]
        plots[item.name] = out / f"{item.name}.png"
        grid_plot(plots[item.name], {cell.name: list(runs[cell.name].values()) for cell in item.all_cells()})
        tables[f"{item.name}: cells"] = cell_table(item, runs)
        if judged:
            tables[f"{item.name}: verdicts"] = verdict_table(judged)
    total = len({cell.name for item in experiments for cell in item.all_cells()}) * seeds
    keys = sorted(run["key"] for item in experiments for cell in item.all_cells() for run in runs[cell.name].values())
    version = hashlib.sha256(" ".join(keys).encode()).hexdigest()[:16]
    return Report(f"{made} of {total} runs made now", version, {"made": made, "runs": total}, tables, plots)


def page(runs: Runs, judged: Sequence[Judged]) -> str:
    """insights.md."""
    made = [run for cell in runs.values() for run in cell.values()]
    seeds = sorted({seed for cell in runs.values() for seed in cell})
    versions = ", ".join(sorted({run["data_version"] for run in made}))
    lines = [
        "# Insights, rerun",
        f"{len(made)} runs of {sum(map(bool, runs.values()))} cells, seeds {seeds[0]} to {seeds[-1]}, on data "
        f"{versions}, from one base; seeds are of sampling and training. ± is half a 95 % interval over seeds. Made by",
        "\n".join(f"    python -m microcoder_train {command}" for command in commands(runs)),
        RULE,
        "## Verdicts",
        verdict_table(judged),
        *(part for item in EXPERIMENTS.values() for part in section(item, runs)),
    ]
    return "\n\n".join(lines) + "\n"


def commands(runs: Runs) -> list[str]:
    """What makes the runs and the page: the grids by the number of seeds that all of their cells have."""
    grids: dict[int, list[str]] = {}
    for item in EXPERIMENTS.values():
        if seeds := min(len(runs.get(cell.name, ())) for cell in item.all_cells()):
            grids.setdefault(seeds, []).append(item.name)
    made = [f"experiment {','.join(names)} --split SPLIT --out RUNS --seeds {seeds}" for seeds, names in grids.items()]
    return [*made, "insights --results RUNS --out PAGE"]


def verdict_table(judged: Sequence[Judged]) -> str:
    """One row an insight."""
    rows = [
        f"| {number} | {item.insight.experiment} | {item.insight.claim} | {item.verdict} | {evidence(item)} |"
        for number, item in enumerate(judged, start=1)
    ]
    return "\n".join(["| | aspect | insight | verdict | evidence |", "| ---: | --- | --- | --- | --- |", *rows])


def evidence(item: Judged) -> str:
    """The predicted differences with their intervals, and why nothing follows from them."""
    parts = [
        f"{finding.contrast.measure}: {_signed(finding.difference)}"
        for finding in item.findings
        if finding.difference.problems
    ]
    return "; ".join([*parts, *([item.why] if item.why else [])])


def section(experiment: Experiment, runs: Runs) -> list[str]:
    """A grid: hypothesis, the paper's finding, what came out, the figure."""
    cells = [cell for cell in experiment.all_cells() if runs.get(cell.name)]
    head = [f"## {experiment.title}", f"*Expected.* {experiment.hypothesis}", f"*The paper.* {experiment.paper}"]
    if len(cells) < 2:
        return [*head, "Not run."]
    against = [
        f"| {cell.name} - {REFERENCE} | {_signed(over_seeds(_differences(runs, cell.name, 'pass@1')))} | "
        f"{_signed(over_seeds(_differences(runs, cell.name, 'reward, last')))} | {_ratio(runs, cell.name)} |"
        for cell in cells
        if cell.name != REFERENCE
    ]
    return [
        *head,
        "\n".join(f"- `{cell.name}`: {cell.doc}" for cell in cells),
        cell_table(experiment, runs),
        "\n".join(["| paired by seed | pass@1 | reward, last | ratio of gains |", "|" + " --- |" * 4, *against]),
        f"![{experiment.title}]({experiment.name}.png)",
    ]


def cell_table(experiment: Experiment, runs: Runs) -> str:
    """One row a cell that was run: the mean of each measure over seeds, with half its 95 % interval."""
    rows = [
        f"| {cell.name} | {len(runs[cell.name])} | "
        + " | ".join(_interval(_over_runs(runs, cell.name, measure)) for measure in SHOWN)
        + " |"
        for cell in experiment.all_cells()
        if runs.get(cell.name)
    ]
    return "\n".join(["| cell | seeds | " + " | ".join(SHOWN) + " |", "| --- | ---: |" + " --- |" * len(SHOWN), *rows])


def _over_runs(runs: Runs, cell: str, measure: str) -> Estimate:
    return over_seeds([MEASURES[measure].of(run) for run in runs[cell].values()])


def _differences(runs: Runs, cell: str, measure: str) -> list[float]:
    of = MEASURES[measure].of
    return [of(run) - of(runs[REFERENCE][seed]) for seed, run in runs[cell].items() if seed in runs[REFERENCE]]


def _ratio(runs: Runs, cell: str) -> str:
    """Mean gain of the cell over the reference's, over the seeds of both; a dash where the reference gains nothing."""
    both = sorted(set(runs[cell]) & set(runs[REFERENCE]))
    gain = MEASURES["gain"].of
    own, reference = (statistics.fmean(gain(runs[name][seed]) for seed in both) if both else 0.0
                      for name in (cell, REFERENCE))  # fmt: skip
    return f"{own / reference:.2f}" if reference > 0 else "-"


def _interval(value: Estimate) -> str:
    return f"{value.mean:.3f}" if value.problems < 2 else f"{value.mean:.3f} ± {value.high - value.mean:.3f}"


def _signed(value: Estimate) -> str:
    if not value.problems:
        return "-"
    return f"{value.mean:+.3f}" + (f" [{value.low:+.3f}, {value.high:+.3f}]" if value.problems > 1 else "")


def _record(item: Judged) -> dict[str, Any]:
    return {
        "aspect": item.insight.experiment,
        "insight": item.insight.claim,
        "verdict": item.verdict,
        "why": item.why,
        "contrasts": [
            {
                "contrast": str(finding.contrast),
                "verdict": finding.verdict,
                "seeds": finding.difference.problems,
                **({"mean": finding.difference.mean} if finding.difference.problems else {}),
                **({"low": finding.difference.low, "high": finding.difference.high}
                   if finding.difference.problems > 1 else {}),
            }
            for finding in item.findings
        ],
    }  # fmt: skip
