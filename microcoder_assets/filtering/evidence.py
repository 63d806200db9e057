"""What is known of a problem's difficulty besides the score: ratings turned into solve rates.

A rating whose source ends in `_solve_rate` is a solve rate. Any other is Elo-like: a solver of strength S solves a
problem of rating R with probability 1 / (1 + 10^((R - S) / 400)), the definition of an Elo-like problem rating.
"""

from __future__ import annotations

import polars as pl

SOLVE_RATE_SUFFIX = "_solve_rate"
REFERENCE_STRENGTH = 1500.0
"""Strength of the solver that expected solve rates speak of, in Elo points. Ours: what new LeetCode contestants start
with, and near small models: fitting the formula to public pass rates on LiveCodeBench's 444 LeetCode problems gives
GPT-4o-mini 1460, GPT-4o 1600, and 2030 to the middle of 16 models."""

ELO_SCALE = 400.0
LOWEST_ELO, HIGHEST_ELO = -3000.0, 6000.0


def solve_rate() -> pl.Expr:
    """Mean solve rate that a row's `ratings` state directly, else the one its mean Elo gives; null where unknown."""
    direct = _ratings(pl.element().struct.field("source").str.ends_with(SOLVE_RATE_SUFFIX), 0.0, 1.0)
    from_elo = 1 / (1 + (((elo_rating() - REFERENCE_STRENGTH) / ELO_SCALE) * pl.lit(10.0).log()).exp())
    return pl.coalesce(direct, from_elo)


def elo_rating() -> pl.Expr:
    """Mean of a row's Elo-like ratings; null where it has none."""
    return _ratings(~pl.element().struct.field("source").str.ends_with(SOLVE_RATE_SUFFIX), LOWEST_ELO, HIGHEST_ELO)


def evidence_name() -> pl.Expr:
    """What a row's evidence is: the sources it was taken from, joined by `+`; null where it has none."""
    source = pl.element().struct.field("source")
    names = pl.col("ratings").list.eval(source).list.unique().list.sort().list.join("+")
    return pl.when(solve_rate().is_not_null()).then(names)


def _ratings(wanted: pl.Expr, lowest: float, highest: float) -> pl.Expr:
    value = pl.element().struct.field("value")
    usable = wanted & value.is_finite() & value.is_between(lowest, highest)
    return pl.col("ratings").list.eval(pl.when(usable).then(value)).list.mean()
