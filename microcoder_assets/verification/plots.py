"""Pictures of how well tests tell right from wrong."""

from __future__ import annotations

import numpy as np
import polars as pl

from microcoder_assets.figures import figure, png
from microcoder_assets.verification.mutants import OPERATORS

MOST_PLATFORMS = 6
KNOWN_WRONG = "known-wrong"


def strength_histogram(verified: pl.DataFrame, weak_below: float) -> bytes:
    """Share of mutants that a problem's tests kill, stacked by platform; the line is the limit of weak tests."""
    rows = verified.filter(pl.col("mutants_run") > 0).select(
        platform=_platform(), score=pl.col("mutants_killed") / pl.col("mutants_run")
    )
    drawn = figure()
    axes = drawn.subplots()
    names = _largest(rows)
    if names:
        series = [rows.filter(pl.col("platform") == name)["score"].to_numpy() for name in names]
        axes.hist(series, bins=list(np.linspace(0, 1, 21)), stacked=True, label=names)
        axes.legend(fontsize=8, frameon=False, loc="upper left")
    axes.axvline(weak_below, color="0.4", linewidth=1, linestyle="--")
    axes.set(xlim=(0, 1), xlabel="share of mutants killed", ylabel="problems")
    return png(drawn)


def kill_matrix(verified: pl.DataFrame) -> bytes:
    """What the tests kill, by kind of wrong program and platform: a cell's colour and number are the share in percent,
    the smaller number how many programs were run."""
    counts = kill_counts(verified)
    names = _largest(counts)
    kinds = [kind for kind in (KNOWN_WRONG, *OPERATORS) if kind in set(counts["kind"])]
    by_cell = {(kind, platform): (killed, run) for platform, kind, killed, run in counts.iter_rows()}
    shares = np.array([[_share(by_cell.get((kind, name))) for name in names] for kind in kinds]).reshape(
        len(kinds), len(names)
    )
    drawn = figure()
    axes = drawn.subplots()
    if not counts.height:
        return png(drawn)
    axes.imshow(shares, vmin=0, vmax=100, cmap="RdYlGn", aspect="auto")
    axes.set_xticks(range(len(names)), names, fontsize=8)
    axes.set_yticks(range(len(kinds)), kinds, fontsize=8)
    for (y, kind), (x, name) in ((k, n) for k in enumerate(kinds) for n in enumerate(names)):
        if cell := by_cell.get((kind, name)):
            axes.text(x, y, f"{_share(cell):.0f}  ", ha="right", va="center", fontsize=8)
            axes.text(x, y, f"of {cell[1]}", ha="left", va="center", fontsize=6)
    return png(drawn)


def kill_counts(verified: pl.DataFrame) -> pl.DataFrame:
    """platform, kind (`known-wrong`, or a mutant's operator), killed, run: counts of programs."""
    platform = verified.select(_platform()).to_series()
    rows = []
    columns = verified.select("wrong_rejected", "wrong_run", "kills", "survivors").iter_rows()
    for name, (rejected, run, kills, survivors) in zip(platform, columns, strict=True):
        rows.append((name, KNOWN_WRONG, rejected, run))
        killed = {program for kill in kills for program in kill["submissions"] if program.startswith("mutant/")}
        rows += [(name, _operator(program), 1, 1) for program in sorted(killed)]
        rows += [(name, _operator(program), 0, 1) for program in survivors]
    columns_of = {"platform": pl.String, "kind": pl.String, "killed": pl.Int64, "run": pl.Int64}
    counted = pl.DataFrame(rows, schema=columns_of, orient="row").group_by("platform", "kind").sum()
    return counted.filter(pl.col("run") > 0).sort("platform", "kind")


def _operator(mutant: str) -> str:
    return mutant.split("-")[1]


def _share(cell: tuple[int, int] | None) -> float:
    return 100 * cell[0] / cell[1] if cell else float("nan")


def _platform() -> pl.Expr:
    return pl.col("problem_id").str.split(":").list.first().alias("platform")


def _largest(rows: pl.DataFrame) -> list[str]:
    sizes = rows["platform"].value_counts().sort("count", "platform", descending=[True, False])
    return sizes["platform"].head(MOST_PLATFORMS).to_list()
