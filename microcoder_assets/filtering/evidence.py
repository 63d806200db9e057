"""What is known of a problem's difficulty besides the score: ratings, public pass rates, and attempts of a solver.

A rating whose source ends in `_solve_rate` is a solve rate. Any other is Elo-like, and a solver's rate falls with it
as `Link` says. An Elo rating is made so that scale 400 fits one person; language models are beaten by other things than
people are, and a population mixes weak and strong, so that theirs falls three times as slowly (measured).

How kinds combine is ours: `calibrate` counts each as attempts. Where a solver was asked, ratings are evidence only of
sources whose link could be fitted to that solver's own attempts, and public pass rates, which are of other models, are
none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]

SOLVE_RATE_SUFFIX = "_solve_rate"
LOWEST_ELO, HIGHEST_ELO = -3000.0, 6000.0
MIN_LINKED = 30  # ours: rated problems that a solver must have attempted before a link of its own is fitted


@dataclass(frozen=True, slots=True)
class Link:
    """Solve rate at an Elo-like rating R: 1 / (1 + 10^((R - strength) / scale)). strength: where half are solved."""

    strength: float
    scale: float

    def rate(self, rating: Floats) -> Floats:
        return np.asarray(1 / (1 + np.power(10.0, np.clip((rating - self.strength) / self.scale, -30, 30))))


@dataclass(frozen=True, slots=True)
class Population:
    """Whose solve rates evidence speaks of. links: by rating source. others: the link of every other source, None where
    their ratings say nothing of these solvers. public_rates: whether solve rates among the ratings are theirs."""

    links: Mapping[str, Link]
    others: Link | None
    public_rates: bool


REFERENCE = Population(
    links={"zerotrac": Link(2221, 1140), "atcoder": Link(932, 1553), "codeforces": Link(1430, 1272)},
    others=Link(1500, 400),
    public_rates=True,
)
"""The mean of 16 public models: what expected solve rates speak of where no solver was asked. Fitted to LiveCodeBench's
pass rates on its 444 LeetCode and 598 rated AtCoder problems, and, roughly, on its 9 of Codeforces, by
`python -m bench.bench_calibration`. `others`: the definition of an Elo rating for one who starts a contest site."""


def fit_link(ratings: Floats, solved: Floats, attempts: Floats) -> Link:
    """The link of greatest likelihood. solved may be a fraction of attempts. A scale is within 100 and 4000: where the
    rate does not fall with the rating at all, the flattest."""
    from scipy.optimize import minimize

    def loss(parameters: Floats) -> float:
        rate = np.clip(Link(parameters[0], np.exp(parameters[1])).rate(ratings), 1e-9, 1 - 1e-9)
        return -float(solved @ np.log(rate) + (attempts - solved) @ np.log(1 - rate))

    bounds = [(LOWEST_ELO, HIGHEST_ELO), (np.log(100.0), np.log(4000.0))]
    start = np.array([float(np.average(ratings, weights=attempts)), np.log(1000.0)])
    strength, scale = minimize(loss, start, method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-4}).x
    return Link(float(strength), float(np.exp(scale)))


def population_of(problems: pl.DataFrame) -> Population:
    """The population of one solver. problems: ratings, attempts, solved; attempts is null where none was made."""
    rated = (
        problems.filter(pl.col("attempts") > 0)
        .select("attempts", "solved", rating=pl.col("ratings"))
        .explode("rating")
        .drop_nulls("rating")
        .unnest("rating")
        .filter(~pl.col("source").str.ends_with(SOLVE_RATE_SUFFIX), pl.col("value").is_between(LOWEST_ELO, HIGHEST_ELO))
    )
    links = {
        str(source): fit_link(*(part[name].cast(pl.Float64).to_numpy() for name in ("value", "solved", "attempts")))
        for (source,), part in rated.group_by("source", maintain_order=True)
        if part.height >= MIN_LINKED
    }
    return Population(links, None, public_rates=False)


def solve_rate(population: Population = REFERENCE) -> pl.Expr:
    """Mean public solve rate that a row's `ratings` state, else the mean of those its Elo-like ratings give; null where
    unknown."""
    return pl.coalesce(_direct(population), _from_elo(population))


def elo_rating() -> pl.Expr:
    """Mean of a row's Elo-like ratings; null where it has none."""
    return _mean(pl.when(_is_elo()).then(_VALUE))


def evidence_name(population: Population = REFERENCE) -> pl.Expr:
    """What `solve_rate` took a row's rate from: the sources, joined by `+`; null where it has none."""
    direct, elo = _usable_rate(population), _is_elo() & _strength(population).is_not_null()
    names = [
        pl.col("ratings").list.eval(pl.when(usable).then(_SOURCE)).list.drop_nulls().list.unique().list.sort()
        for usable in (direct, elo)
    ]
    joined = [pl.when(found.list.len() > 0).then(found.list.join("+")) for found in names]
    return pl.coalesce(joined)


_SOURCE = pl.element().struct.field("source")
_VALUE = pl.element().struct.field("value")


def _is_elo() -> pl.Expr:
    return ~_SOURCE.str.ends_with(SOLVE_RATE_SUFFIX) & _VALUE.is_finite() & _VALUE.is_between(LOWEST_ELO, HIGHEST_ELO)


def _usable_rate(population: Population) -> pl.Expr:
    rate = _SOURCE.str.ends_with(SOLVE_RATE_SUFFIX) & _VALUE.is_finite() & _VALUE.is_between(0.0, 1.0)
    return rate & pl.lit(population.public_rates)


def _direct(population: Population) -> pl.Expr:
    return _mean(pl.when(_usable_rate(population)).then(_VALUE))


def _from_elo(population: Population) -> pl.Expr:
    away = (_VALUE - _strength(population)) / _parameter(population, "scale")
    return _mean(pl.when(_is_elo()).then(1 / (1 + (away * float(np.log(10.0))).exp())))


def _strength(population: Population) -> pl.Expr:
    return _parameter(population, "strength")


def _parameter(population: Population, name: str) -> pl.Expr:
    by_source = {source: getattr(link, name) for source, link in population.links.items()}
    other = getattr(population.others, name) if population.others else None
    value = pl.lit(other, pl.Float64)
    for source, known in by_source.items():
        value = pl.when(pl.lit(source) == _SOURCE).then(pl.lit(known, pl.Float64)).otherwise(value)
    return value


def _mean(values: pl.Expr) -> pl.Expr:
    return pl.col("ratings").list.eval(values).list.mean()
