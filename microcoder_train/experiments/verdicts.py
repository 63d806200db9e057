"""What runs over several seeds say of an insight, by a rule stated before they were made.

The rule is ours. A contrast's differences are paired by seed, in the direction that the paper predicts. With the 95 %
interval of their mean (Student's t) it is

* reproduced, if the interval lies above 0;
* not reproduced, if it lies below the smallest effect that would matter (`MEASURES`): one of that size is ruled out;
* not testable at this scale otherwise, or where its premise does not hold;
* and with fewer than MIN_SEEDS pairs nothing is said: too few runs.

An insight of several contrasts is reproduced if all are, and not reproduced if one is not.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import t as student

from microcoder_train.estimates import Estimate
from microcoder_train.experiments.insights import Contrast, Insight

REPRODUCED, NOT_REPRODUCED, NOT_TESTABLE = "reproduced", "not reproduced", "not testable at this scale"
TOO_FEW = "too few runs"
VERDICTS = (REPRODUCED, NOT_REPRODUCED, NOT_TESTABLE, TOO_FEW)
MIN_SEEDS = 3
"""Ours."""

Summary = Mapping[str, Any]
Runs = Mapping[str, Mapping[int, Summary]]
"""Cell -> seed -> the summary of its run."""


@dataclass(frozen=True, slots=True)
class Measure:
    """of: a run's value. matters: the smallest difference that would matter. doc: what it is, with its unit."""

    of: Callable[[Summary], float]
    matters: float
    doc: str


def _validation(name: str) -> Callable[[Summary], float]:
    return lambda run: float(run["validation"][name]["pass@1"])


def points(run: Summary, column: str) -> list[float]:
    """A column of the curve, where it has a value."""
    return [float(point[column]) for point in run["curve"] if point[column] is not None]


def ends(run: Summary, column: str) -> tuple[float, float]:
    """Means over the first and the last quarter of the rollouts, one rollout at least. NaN for an empty curve."""
    values = points(run, column)
    size = max(1, len(values) // 4)
    return (statistics.fmean(values[:size]), statistics.fmean(values[-size:])) if values else (math.nan, math.nan)


def _first(column: str) -> Callable[[Summary], float]:
    return lambda run: ends(run, column)[0]


def _last(column: str) -> Callable[[Summary], float]:
    return lambda run: ends(run, column)[1]


def _growth(column: str) -> Callable[[Summary], float]:
    return lambda run: ends(run, column)[1] - ends(run, column)[0]


def _mean(column: str) -> Callable[[Summary], float]:
    return lambda run: statistics.fmean(points(run, column) or [math.nan])


def _peak(run: Summary) -> float:
    return max(points(run, "reward"), default=math.nan)


def _peak_at(run: Summary) -> float:
    values = points(run, "reward")
    return values.index(max(values)) / max(1, len(values) - 1) if values else math.nan


MEASURES: dict[str, Measure] = {
    "base": Measure(_validation("base"), 0.02, "pass@1 of the base on held-out problems"),
    "pass@1": Measure(_validation("tuned"), 0.02, "of the tuned policy on held-out problems"),
    "gain": Measure(_validation("difference"), 0.02, "pass@1 of tuned minus base on held-out problems"),
    "reward, first": Measure(_first("reward"), 0.02, "mean reward, first quarter of the rollouts"),
    "reward, last": Measure(_last("reward"), 0.02, "mean reward, last quarter"),
    "reward, growth": Measure(_growth("reward"), 0.02, "last quarter minus first"),
    "D, first": Measure(_first("diversity"), 0.02, "distinct / all 4-grams, first quarter"),
    "D, last": Measure(_last("diversity"), 0.02, "last quarter"),
    "D, growth": Measure(_growth("diversity"), 0.02, "last quarter minus first"),
    "length, last": Measure(_last("completion_length"), 0.5, "tokens a completion, last quarter"),
    "length, growth": Measure(_growth("completion_length"), 0.5, "last quarter minus first"),
    "peak": Measure(_peak, 0.02, "highest mean reward of a rollout"),
    "peak at": Measure(_peak_at, 0.1, "when, as a share of the run"),
    "fall": Measure(lambda run: _peak(run) - ends(run, "reward")[1], 0.02, "peak minus last quarter"),
    "masked": Measure(_mean("masked"), 0.0, "share of completions masked"),
    "truncated": Measure(_mean("truncated"), 0.0, "share of completions cut at L_max"),
    "clip high": Measure(_mean("clip_high"), 0.0, "share of tokens held back by the upper clip"),
}
"""By the name that contrasts use. What would matter is ours: two points of a share, half a token."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A contrast as it came out, in the predicted direction: mean and interval over `problems` = seeds."""

    contrast: Contrast
    verdict: str
    difference: Estimate


@dataclass(frozen=True, slots=True)
class Judged:
    """An insight with its verdict. why: it is neither reproduced nor not reproduced."""

    insight: Insight
    verdict: str
    findings: tuple[Finding, ...]
    why: str


def over_seeds(values: Sequence[float]) -> Estimate:
    """Mean and 95 % interval by Student's t; NaN for the interval of fewer than two values. problems: how many."""
    known = [value for value in values if not math.isnan(value)]
    if len(known) < 2:
        return Estimate(statistics.fmean(known) if known else math.nan, math.nan, math.nan, len(known))
    half = float(student.ppf(0.975, len(known) - 1)) * statistics.stdev(known) / math.sqrt(len(known))
    mean = statistics.fmean(known)
    return Estimate(mean, mean - half, mean + half, len(known))


def paired(contrast: Contrast, runs: Runs) -> list[float]:
    """The contrast's value of each seed that both cells have, in the predicted direction."""
    measure = MEASURES[contrast.measure].of
    more = runs.get(contrast.more, {})
    less = runs.get(contrast.less, {}) if contrast.less else None
    sign = -1.0 if contrast.below else 1.0
    return [
        sign * (measure(run) - (measure(less[seed]) if less is not None else 0.0))
        for seed, run in sorted(more.items())
        if less is None or seed in less
    ]


def find(contrast: Contrast, runs: Runs) -> Finding:
    """The verdict of the rule above on one contrast."""
    difference = over_seeds(paired(contrast, runs))
    if difference.problems < MIN_SEEDS:
        verdict = TOO_FEW
    elif difference.low > 0:
        verdict = REPRODUCED
    elif difference.high < MEASURES[contrast.measure].matters:
        verdict = NOT_REPRODUCED
    else:
        verdict = NOT_TESTABLE
    return Finding(contrast, verdict, difference)


def judge(insight: Insight, runs: Runs) -> Judged:
    """The verdict of the rule above on an insight."""
    findings = tuple(find(contrast, runs) for contrast in insight.contrasts)
    verdicts = {finding.verdict for finding in findings}
    if not findings:
        return Judged(insight, NOT_TESTABLE, findings, insight.reason)
    if TOO_FEW in verdicts:
        seeds = min(finding.difference.problems for finding in findings)
        return Judged(insight, TOO_FEW, findings, f"{seeds} of {MIN_SEEDS} seeds")
    if insight.premise is not None:
        measure, cell = insight.premise
        values = [MEASURES[measure].of(run) for run in runs.get(cell, {}).values()]
        if values and not max(values) > 0:
            return Judged(insight, NOT_TESTABLE, findings, f"{measure} was 0 in every run of {cell}")
    if NOT_REPRODUCED in verdicts:
        return Judged(insight, NOT_REPRODUCED, findings, "")
    if verdicts == {REPRODUCED}:
        return Judged(insight, REPRODUCED, findings, "")
    return Judged(insight, NOT_TESTABLE, findings, "too wide an interval")
