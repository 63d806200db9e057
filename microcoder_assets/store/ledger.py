"""Decisions as a table, and what changed between two of them.

A *snapshot* holds the standing decision for every row that came into a stage; the *ledger* holds, append-only,
every decision that was new or different when it was made, with its run, version and time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise

import polars as pl

from microcoder_assets.schema import Schema
from microcoder_assets.stage import Decision, Kind

DECISIONS_AT_A_TIME = 250_000
"""Decisions that are objects, or compared, at the same time. Ours."""
_as_json = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode

SNAPSHOT: Schema = {
    "problem_id": pl.String,
    "ref": pl.String,
    "decision": pl.String,
    "reason": pl.String,
    "detail": pl.String,
    "score": pl.Float64,
    "rule": pl.String,
    "sha_in": pl.String,
    "sha_out": pl.String,
    "parents": pl.List(pl.String),
}

LEDGER: Schema = {
    "stage": pl.String,
    "partition": pl.String,
    "version": pl.Int64,
    **SNAPSHOT,
    "run_id": pl.String,
    "code_version": pl.String,
    "decided_at": pl.Datetime("us", "UTC"),
}


def snapshot(decisions: Iterable[Decision]) -> pl.DataFrame:
    """The decisions as SNAPSHOT rows, sorted, so that equal decisions are equal bytes."""
    coming, parts = iter(decisions), [pl.DataFrame(schema=SNAPSHOT)]
    while some := list(islice(coming, DECISIONS_AT_A_TIME)):
        parts.append(_lines(some))
    return pl.concat(parts).sort("problem_id", "ref", "decision")


def _lines(decisions: Sequence[Decision]) -> pl.DataFrame:
    columns = {
        "problem_id": [d.problem_id for d in decisions],
        "ref": [d.ref for d in decisions],
        "decision": [d.kind.value for d in decisions],
        "reason": [d.reason for d in decisions],
        "detail": [_as_json(d.detail) if d.detail else None for d in decisions],
        "score": [d.score for d in decisions],
        "rule": [d.rule for d in decisions],
        "sha_in": [d.sha_in for d in decisions],
        "sha_out": [d.sha_out for d in decisions],
        "parents": ["\0".join(d.parents) for d in decisions],
    }
    parents = pl.when(pl.col("parents") != "").then(pl.col("parents").str.split("\0")).otherwise([])
    return pl.DataFrame(columns, schema={**SNAPSHOT, "parents": pl.String}).with_columns(parents=parents)


def decisions(lines: pl.DataFrame) -> list[Decision]:
    """Those that `snapshot` gives SNAPSHOT rows for."""
    return [
        Decision(
            line["problem_id"],
            Kind(line["decision"]),
            line["reason"],
            json.loads(line["detail"] or "{}"),
            **{name: line[name] for name in ("score", "rule", "sha_in", "sha_out", "parents", "ref")},
        )
        for line in lines.iter_rows(named=True)
    ]


def changed(old: pl.LazyFrame, new: pl.DataFrame) -> pl.DataFrame:
    """What a ledger must add when `new` takes the place of `old`: decisions that were not there before.

    old, new: SNAPSHOT rows, the second as `snapshot` sorts them; they are compared a range of problems at a time.
    A row kept with other content than it was kept with before reads `changed`; a problem that only `old` knows gets
    `dropped, vanished`.
    """
    edges = new["problem_id"].gather_every(DECISIONS_AT_A_TIME).unique(maintain_order=True).to_list()[1:]
    return pl.concat(
        _changed(old.filter(_between(low, high)), new.lazy().filter(_between(low, high)))
        for low, high in pairwise([None, *edges, None])
    )


def _between(low: str | None, high: str | None) -> pl.Expr:
    """Whether a problem_id is in the range from `low`, to and without `high`; None: no end."""
    inside = pl.lit(True)
    if low is not None:
        inside &= pl.col("problem_id") >= low
    if high is not None:
        inside &= pl.col("problem_id") < high
    return inside


def _changed(old: pl.LazyFrame, new: pl.LazyFrame) -> pl.DataFrame:
    kept = pl.col("decision") == Kind.KEPT.value
    before = old.filter(kept).select("problem_id", "ref", sha_before="sha_out")
    fresh = (
        new.join(old, on=list(SNAPSHOT), how="anti", nulls_equal=True)
        .join(before, on=["problem_id", "ref"], how="left")
        .with_columns(
            decision=pl.when(kept & (pl.col("sha_out") != pl.col("sha_before")))
            .then(pl.lit(Kind.CHANGED.value))
            .otherwise("decision")
        )
        .select(list(SNAPSHOT))
    )
    vanished = old.join(new, on=["problem_id", "ref"], how="anti").with_columns(
        decision=pl.lit(Kind.DROPPED.value),
        reason=pl.lit("vanished"),
        detail=pl.lit(None, pl.String),
        score=pl.lit(None, pl.Float64),
        rule=pl.lit(None, pl.String),
        sha_in=pl.col("sha_out"),
        sha_out=pl.lit(None, pl.String),
    )
    return pl.concat([fresh, vanished]).sort("problem_id", "ref", "decision").collect()
