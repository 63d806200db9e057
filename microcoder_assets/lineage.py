"""One problem's story, told from the ledger."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from microcoder_assets.errors import UserError
from microcoder_assets.stage import Kind
from microcoder_assets.store import ParquetStore
from microcoder_assets.store.catalogue import query, report


def story(store: ParquetStore, problem_id: str) -> str:
    """Every stage's standing decision on a problem, what was merged into it, and what was run on it, a line each.

    Raises UserError when no stage knows the id, naming ids that are close.
    """
    rows = standing(store, problem_id)
    lines = [_line(row, problem_id) for row in rows.iter_rows(named=True)]
    ran = query(store, report("evidence"), [problem_id])
    return "\n".join([problem_id, *lines, *map(_programs, ran.iter_rows(named=True))])


def standing(store: ParquetStore, problem_id: str) -> pl.DataFrame:
    """The last decision of every stage on a problem and on those that were merged into it: rows of `lineage.sql`.

    Raises UserError when no stage knows the id, naming ids that are close.
    """
    rows = query(store, report("lineage"), [problem_id])
    if not rows.height:
        near = query(store, report("close_ids"), [problem_id])
        hint = f"; close ids: {', '.join(near['problem_id'])}" if near.height else "; the store is empty, run first"
        raise UserError(f"no stage knows {problem_id!r}{hint}")
    return rows


def _programs(row: dict[str, Any]) -> str:
    """What the programs of one label showed in verification."""
    count = f"{row['passed']} of {row['programs']} pass, slowest {row['slowest_s']:.2f} s"
    where = f"tests {row['tests_sha'][:12]}, judge {row['judge_version']}, {row['judged_at']:%Y-%m-%d %H:%M}"
    return f"  {'':<20} ran      {row['label']:<22} {count}  [{where}]"


def _line(row: dict[str, Any], problem_id: str) -> str:
    who = "" if row["problem_id"] == problem_id else f" {row['problem_id']}"
    facts = [f"{key}: {_short(value)}" for key, value in json.loads(row["detail"] or "{}").items()]
    if row["score"] is not None:
        facts.append(f"score {row['score']:.3f}")
    if row["rule"]:
        facts.append(f"by {row['rule']}")
    if row["parents"] and not who:
        word = "into" if row["decision"] == Kind.MERGED else "like"
        facts.append(f"{word} {', '.join(row['parents'])}")
    if row["sha_out"]:
        facts.append(f"content {row['sha_out'][:12]}")
    run = f"run {row['run_id'][:8]} {row['decided_at']:%Y-%m-%d %H:%M} v{row['code_version']}" if row["run_id"] else ""
    return f"  {row['stage']:<20}{who} {row['decision']:<8} {row['reason']:<22} {'; '.join(facts)}  [{run}]"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:197] + "..."
