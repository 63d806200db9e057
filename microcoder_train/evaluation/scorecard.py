"""Graded samples as numbers: every estimate of a report, as plain JSON."""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from microcoder_train.config import EvaluationSettings
from microcoder_train.estimates import (
    Estimate,
    bootstrap,
    bootstrap_both,
    compare,
    counts,
    difference_of_groups,
    pass_rates,
)
from microcoder_train.evaluation.scoring import TOO_LONG, Graded
from microcoder_train.validation import difficulty_order, estimate_dict

KS = (1, 5, 10, 25, 50, 100)
"""Those k of pass@k are reported that every problem has samples for. LiveCodeBench's list, without 150 and 200."""

GROUPINGS: dict[str, Callable[[Graded], str]] = {
    "difficulty": lambda sample: sample.difficulty,
    "platform": lambda sample: sample.platform,
    "month": lambda sample: sample.month,
    "release": lambda sample: sample.release or "unknown",
}

Card = dict[str, Any]


def rates_of(samples: Iterable[Graded], faithful: bool = False) -> dict[str, float]:
    """pass@1 of each problem."""
    return pass_rates((item.problem_id, item.faithful if faithful else item.accepted) for item in samples)


def by_difficulty(samples: Sequence[Graded], resamples: int) -> dict[str, Estimate]:
    """`overall`, then each difficulty."""
    return {
        "overall": bootstrap(list(rates_of(samples).values()), resamples),
        **grouped(samples, "difficulty", resamples),
    }


def grouped(samples: Sequence[Graded], grouping: str, resamples: int) -> dict[str, Estimate]:
    """pass@1 of each value of a grouping, in its order."""
    parts: dict[str, list[Graded]] = {}
    for sample in samples:
        parts.setdefault(GROUPINGS[grouping](sample), []).append(sample)
    order: Callable[[str], Any] = difficulty_order if grouping == "difficulty" else str
    return {name: bootstrap(list(rates_of(parts[name]).values()), resamples) for name in sorted(parts, key=order)}


def scorecard(samples: Sequence[Graded], settings: EvaluationSettings) -> Card:
    """Everything that is said of one policy. Intervals are 95 %."""
    resamples = settings.bootstrap
    sound = [item for item in samples if item.errata is None]
    tallies = counts((item.problem_id, item.accepted) for item in samples)
    known = [k for k in KS if tallies and k <= min(number for number, _ in tallies.values())]
    tokens = [item.tokens for item in samples]
    prompt_tokens = sum(item.prompt_tokens for item in samples)
    return {
        "rules": {
            "official": _estimate(samples, resamples),
            "faithful": _estimate(samples, resamples, faithful=True),
            "official without errata": _estimate(sound, resamples),
        },
        "errata": len({item.problem_id for item in samples if item.errata}),
        "pass@k": {f"pass@{k}": estimate_dict(bootstrap_both(list(tallies.values()), k, resamples)) for k in known},
        "groups": {
            grouping: {
                name: estimate_dict(estimate) for name, estimate in grouped(samples, grouping, resamples).items()
            }
            for grouping in GROUPINGS
        },
        "samples": max(item.sample for item in samples) + 1,
        "too_long": len({item.problem_id for item in samples if item.verdict == TOO_LONG}),
        "not_judged": sum(item.accepted is None for item in samples),
        "truncated": sum(item.truncated for item in samples) / len(samples),
        "verdicts": dict(sorted(Counter(item.verdict for item in samples).items())),
        "extracted": dict(sorted(Counter(item.extracted for item in samples).items())),
        "tokens": {
            "mean": statistics.fmean(tokens),
            "median": statistics.median(tokens),
            "accepted": _mean(item.tokens for item in samples if item.accepted),
            "rejected": _mean(item.tokens for item in samples if item.accepted is False),
            "longest": max(tokens),
            "all": sum(tokens),
            "prompts": prompt_tokens,
        },
        "cost_usd": (prompt_tokens * settings.price_prompt + sum(tokens) * settings.price_completion) / 1e6,
    }


def comparison(first: Sequence[Graded], second: Sequence[Graded], resamples: int) -> Card:
    """second against first, paired by problem; with the problems that were won and lost."""
    rates, others = rates_of(first), rates_of(second)
    found = compare(rates, others, resamples)
    changed = {name: others[name] - rate for name, rate in rates.items() if name in others and others[name] != rate}
    return {
        **asdict(found),
        "difference": estimate_dict(found.difference),
        "won": sorted(name for name, change in changed.items() if change > 0),
        "lost": sorted(name for name, change in changed.items() if change < 0),
    }


def around_cutoff(samples: Sequence[Graded], cutoff: dt.date, resamples: int) -> Card:
    """pass@1 on problems up to and after the month of a cut-off date; problems without a date are left out.

    A rate that falls there speaks for contamination; so may problems that grew harder, which is why difficulties are
    given beside. Source of the plot: arXiv 2403.07974, section 5.1.
    """
    limit = cutoff.strftime("%Y-%m")
    dated = [item for item in samples if item.month != "unknown"]
    before = [item for item in dated if item.month <= limit]
    after = [item for item in dated if item.month > limit]
    return {
        "cutoff": cutoff.isoformat(),
        "before": {name: estimate_dict(value) for name, value in by_difficulty(before, resamples).items()},
        "after": {name: estimate_dict(value) for name, value in by_difficulty(after, resamples).items()},
        "change": estimate_dict(
            difference_of_groups(list(rates_of(before).values()), list(rates_of(after).values()), resamples)
        ),
    }


def differing(samples: Sequence[Graded]) -> list[Graded]:
    """Samples on which LiveCodeBench's rules and an online judge part."""
    return [item for item in samples if item.difference is not None]


def _estimate(samples: Sequence[Graded], resamples: int, faithful: bool = False) -> Mapping[str, float | None]:
    return estimate_dict(bootstrap(list(rates_of(samples, faithful).values()), resamples))


def _mean(values: Iterable[int]) -> float | None:
    found = list(values)
    mean = statistics.fmean(found) if found else math.nan
    return None if math.isnan(mean) else mean
