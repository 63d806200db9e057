"""pass@1 and what it is worth: means over problems with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over problems and its 95 % interval, in [0, 1] (differences in [-1, 1])."""

    mean: float
    low: float
    high: float
    problems: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def pass_rates(outcomes: Iterable[tuple[str, bool | None]]) -> dict[str, float]:
    """Share of accepted samples of each problem: the unbiased estimator of pass@1 (arXiv 2107.03374 at k = 1).

    outcomes: (problem, accepted); None is a failure of the judge itself, which counts for neither side. A problem
    whose every sample is None is absent from the result. Problems keep their order of first appearance.
    """
    counts: dict[str, list[int]] = {}
    for problem, accepted in outcomes:
        if accepted is not None:
            entry = counts.setdefault(problem, [0, 0])
            entry[0] += accepted
            entry[1] += 1
    return {problem: passed / total for problem, (passed, total) in counts.items()}


def bootstrap(values: Sequence[float], resamples: int, seed: int = 0) -> Estimate:
    """Mean of one value a problem, with the percentile interval over resampled problems. NaN without values."""
    if not values:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    data = np.asarray(values, dtype=np.float64)
    generator = np.random.default_rng(seed)
    means = np.array([data[generator.integers(len(data), size=len(data))].mean() for _ in range(resamples)])
    low, high = np.percentile(means, [2.5, 97.5]) if resamples else (data.mean(), data.mean())
    return Estimate(float(data.mean()), float(low), float(high), len(values))


def paired_difference(
    first: Mapping[str, float], second: Mapping[str, float], resamples: int, seed: int = 0
) -> Estimate:
    """second - first over the problems that both have: resampling problems keeps each pair together."""
    return bootstrap([second[problem] - rate for problem, rate in first.items() if problem in second], resamples, seed)
