"""pass@k and what it is worth: means over problems, intervals, and whether two policies differ."""

from __future__ import annotations

import itertools
import math
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


def pass_at_k(samples: int, correct: int, k: int) -> float:
    """Probability that at least one of k samples, drawn without replacement from those there are, is correct.

    The unbiased estimator 1 - C(n - c, k) / C(n, k) of arXiv 2107.03374, equation 1, in its numerically stable form.
    NaN where there are fewer than k samples: LiveCodeBench's own code gives 1 or a number that means nothing then.
    """
    if samples < k:
        return math.nan
    if samples - correct < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / number for number in range(samples - correct + 1, samples + 1))


def counts(outcomes: Iterable[tuple[str, bool | None]]) -> dict[str, tuple[int, int]]:
    """(samples, correct) of each problem; the judge's own failures count for neither, as in `pass_rates`."""
    found: dict[str, tuple[int, int]] = {}
    for problem, accepted in outcomes:
        if accepted is not None:
            samples, correct = found.get(problem, (0, 0))
            found[problem] = (samples + 1, correct + accepted)
    return found


def bootstrap_both(tallies: Sequence[tuple[int, int]], k: int, resamples: int, seed: int = 0) -> Estimate:
    """Mean pass@k with the percentile interval over resampled problems and, in each, resampled samples.

    tallies: (samples, correct) of each problem. Wider than `bootstrap`, which takes each problem's rate as known.
    """
    values = [pass_at_k(samples, correct, k) for samples, correct in tallies]
    if not values or any(map(math.isnan, values)):
        return Estimate(math.nan, math.nan, math.nan, len(values))
    number, sizes = np.array([samples for samples, _ in tallies]), sorted({samples for samples, _ in tallies})
    share = np.array([correct / samples for samples, correct in tallies])
    table = np.array([[pass_at_k(n, min(c, n), k) for c in range(sizes[-1] + 1)] for n in sizes])
    row = np.searchsorted(sizes, number)
    generator = np.random.default_rng(seed)
    means = np.empty(resamples)
    for place in range(resamples):
        chosen = generator.integers(len(number), size=len(number))
        means[place] = table[row[chosen], generator.binomial(number[chosen], share[chosen])].mean()
    low, high = np.percentile(means, [2.5, 97.5]) if resamples else (np.mean(values), np.mean(values))
    return Estimate(float(np.mean(values)), float(low), float(high), len(values))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two policies on the problems that both have. p_value: two-sided, of the sign-flip permutation test.

    wins, losses: problems on which the second has the higher, the lower rate.
    """

    difference: Estimate
    p_value: float
    wins: int
    losses: int
    ties: int


def compare(first: Mapping[str, float], second: Mapping[str, float], resamples: int, seed: int = 0) -> Comparison:
    """second against first, paired by problem. first, second: problem -> rate."""
    pairs = [second[problem] - rate for problem, rate in first.items() if problem in second]
    wins, losses = sum(value > 0 for value in pairs), sum(value < 0 for value in pairs)
    return Comparison(
        paired_difference(first, second, resamples, seed),
        sign_flip_test([value for value in pairs if value], max(resamples, 1), seed),
        wins,
        losses,
        len(pairs) - wins - losses,
    )


EXACT_PAIRS = 12
"""Up to so many pairs every assignment of signs is tried; beyond, as many as there are resamples. Ours."""


def sign_flip_test(differences: Sequence[float], draws: int, seed: int = 0) -> float:
    """Two-sided p-value of a mean difference under exchange within pairs: the share of sign assignments whose mean is
    as far from 0. Beyond EXACT_PAIRS pairs `draws` random ones, the given one counted among them, so it is never 0."""
    data = np.asarray(differences, dtype=np.float64)
    if not len(data):
        return 1.0
    if len(data) <= EXACT_PAIRS:
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=len(data))))
    else:
        signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(draws, len(data)))
        signs[0] = 1.0
    slack = 1e-12 * len(data)
    return float(np.mean(np.abs(signs @ data) >= abs(data.sum()) - slack))


def difference_of_groups(first: Sequence[float], second: Sequence[float], resamples: int, seed: int = 0) -> Estimate:
    """Mean of second minus mean of first, two separate groups of problems, each resampled. NaN where one is empty."""
    if not first or not second:
        return Estimate(math.nan, math.nan, math.nan, 0)
    one, other = np.asarray(first), np.asarray(second)
    generator = np.random.default_rng(seed)

    def drawn(data: np.ndarray) -> float:
        return float(data[generator.integers(len(data), size=len(data))].mean())

    means = [drawn(other) - drawn(one) for _ in range(resamples)]
    value = float(other.mean() - one.mean())
    low, high = np.percentile(means, [2.5, 97.5]) if resamples else (value, value)
    return Estimate(value, float(low), float(high), len(first) + len(second))
