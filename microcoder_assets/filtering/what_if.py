"""What a selection policy would do to the problems of a store: told, not written."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from microcoder_assets.config import BANDS, SelectionPolicy
from microcoder_assets.errors import UserError
from microcoder_assets.filtering.select import DIFFICULTY, DRAW, SelectionReport, select
from microcoder_assets.reports import text_table
from microcoder_assets.schema import PREPARED, SELECTED
from microcoder_assets.stage import REASONS, Decision, StageResult
from microcoder_assets.store import ParquetStore

BAR = 30
"""Characters of a bar that stands for all rows."""


def dry_run(store: ParquetStore, policy: SelectionPolicy) -> str:
    """The funnel of the policy, what its caps hold back, the composition before and after, and what would change."""
    result, report = _select(store, policy)
    now = set(store.read("selected_problems", SELECTED)["problem_id"])
    then = set(result.frame["problem_id"])
    full = report.caps.filter(pl.col("taken") >= pl.col("limit"))
    tables = [decision_counts(result.decisions), *([full] if full.height else [])]
    tables += [_with_bars(table) for table in composition(report.rows).values()]
    change = f"{len(then)} selected; of the {len(now)} selected now {len(now - then)} go and {len(then - now)} come"
    return "\n\n".join([*map(text_table, tables), change])


def explain(store: ParquetStore, policy: SelectionPolicy, problem_id: str) -> str:
    """Why a problem is in or out, with its place in the draw and the caps that it counts for.

    Raises UserError where the problem did not come as far as selection.
    """
    result, report = _select(store, policy)
    decision = next((d for d in result.decisions if d.problem_id == problem_id), None)
    if decision is None:
        raise UserError(f"{problem_id!r} did not come to selection; `microcoder lineage {problem_id}` says why")
    facts = [f"{name}: {value}" for name, value in decision.detail.items()]
    if decision.score is not None:
        facts.append(f"score: {decision.score:.3f}")
    rank = report.rows.filter(pl.col("problem_id") == problem_id)["rank"].item()
    if rank is not None:
        facts.append(f"rank: {rank} of {report.rows['rank'].count()} in the draw")
    if decision.reason == "over_cap":
        cap = report.caps.filter(pl.format("{} {}", "kind", "value") == decision.detail["full"]).row(0, named=True)
        facts.append(f"{decision.detail['full']}: {cap['taken']} rows taken, {cap['limit']} allowed")
    rule = f" by {decision.rule}" if decision.rule else ""
    head = f"{problem_id} {decision.kind}: {decision.reason}{rule} ({REASONS[decision.reason]})"
    return "\n  ".join([head, *facts])


def decision_counts(decisions: Sequence[Decision]) -> pl.DataFrame:
    """decision, reason, rule, problems; the most first."""
    rows = [(d.kind.value, d.reason, d.rule) for d in decisions]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(("decision", "reason", "rule"), pl.String), orient="row")
    counts = frame.group_by(pl.all()).agg(problems=pl.len())
    return counts.sort("problems", "reason", "rule", descending=[True, False, False])


def composition(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """By band, platform and year: how many rows came in, passed the gates, and are selected; shares of the last two.

    The difficulty window and the draw stand between `sound` and `selected`, so that their effect shows apart from that
    of quality. rows: those of a SelectionReport.
    """
    year = pl.col("published").dt.year().cast(pl.String)
    keys = {"band": pl.col("band"), "platform": pl.col("platform"), "year": year}
    selected = pl.col("reason").is_null()
    sound = selected | pl.col("reason").is_in([*DIFFICULTY, *DRAW])
    tables = {}
    for name, key in keys.items():
        counts = rows.group_by(key.alias(name)).agg(came_in=pl.len(), sound=sound.sum(), selected=selected.sum())
        order = pl.col(name).replace_strict(BANDS, range(len(BANDS)), default=None) if name == "band" else pl.col(name)
        tables[name] = counts.sort(order, nulls_last=True).select(
            pl.col(name).fill_null("unknown"),
            "came_in",
            "sound",
            "selected",
            sound_share=_share("sound"),
            selected_share=_share("selected"),
        )
    return tables


def _share(column: str) -> pl.Expr:
    return (pl.col(column) / pl.col(column).sum()).fill_nan(0.0)


def _with_bars(table: pl.DataFrame) -> pl.DataFrame:
    bars = {f"{name}_bar": _bar(f"{name}_share") for name in ("sound", "selected")}
    return table.with_columns(**bars)


def _bar(share: str) -> pl.Expr:
    return pl.lit("#").repeat_by((pl.col(share) * BAR).round().cast(pl.UInt32)).list.join("")


def _select(store: ParquetStore, policy: SelectionPolicy) -> tuple[StageResult, SelectionReport]:
    calibrated = store.read("calibrated_problems", SELECTED)
    if not calibrated.height:
        raise UserError("there are no calibrated problems to select from; `microcoder run --until calibrated_problems`")
    return select(calibrated, store.scan("prepared_problems", PREPARED), policy)
