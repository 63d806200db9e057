"""Draw: where a policy wants fewer problems than are good enough, a weighted sample of them within its caps.

Weighted sampling without replacement by exponential keys (Efraimidis and Spirakis, 2006): a problem's key is
-ln(u) / weight, u a hash of its id, and the smaller keys come first. A key depends on no other problem, so that a night
that adds problems reorders none. Rows are taken in that order, each unless a cap that it counts for is full.

A cap that is a share is of the rows taken so far, rounded up: a row over it waits until enough others are taken. Shares
so hold at every length of the draw, and several kinds of them are met together. Where all caps are in rows, a problem
that is taken would be taken if it were more recent.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

import polars as pl

from microcoder_assets.config import Recency, SelectionPolicy

DAYS_A_MONTH = 30.4375

Group = tuple[str, str]
"""What a cap counts: a kind of `config.Caps` and a value, such as ("platform", "codeforces")."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """rows: problem_id, weight, draw (the key), rank (from 1, by key), reason, rule, full (the group whose cap was
    full); the last three are null where the row is taken. caps: kind, value, cap (as the policy names it), limit and
    taken (rows), of every value that a row has and a cap counts."""

    rows: pl.DataFrame
    caps: pl.DataFrame


def draw(rows: pl.DataFrame, policy: SelectionPolicy) -> Drawn:
    """rows: problem_id, platform, contest, published, tags, band."""
    keyed = _keyed(rows, policy.recency, policy.seed).sort("draw", "problem_id")
    cap_of, counted = cache(policy.caps.of), keyed.select("platform", "contest", "tags", "band")
    capped = [[group for group in _groups(row, policy) if cap_of(*group)] for row in counted.iter_rows(named=True)]
    caps = {group: cap for row in capped for group in row if (cap := cap_of(*group))}
    taken, full = _take(capped, {group: cap for group, (_, cap) in caps.items()}, policy.size)
    limits = {group: _limit(cap, full.count(None) + 1) for group, (_, cap) in caps.items()}
    outcome = [_outcome(group, caps, policy) for group in full]
    return Drawn(
        keyed.select(
            "problem_id",
            "weight",
            "draw",
            rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
            **{
                name: pl.Series([facts[n] for facts in outcome], dtype=pl.String)
                for n, name in enumerate(("reason", "rule", "full"))
            },
        ),
        pl.DataFrame(
            [(*group, caps[group][0], limits[group], taken[group]) for group in caps],
            schema={"kind": pl.String, "value": pl.String, "cap": pl.String, "limit": pl.Int64, "taken": pl.Int64},
            orient="row",
        ).sort("kind", "value"),
    )


def _keyed(rows: pl.DataFrame, recency: Recency | None, seed: int) -> pl.DataFrame:
    exponential = pl.Series([_exponential(seed, problem_id) for problem_id in rows["problem_id"]], dtype=pl.Float64)
    if recency is None:
        return rows.with_columns(weight=pl.lit(1.0), draw=exponential)
    months = (pl.col("published").fill_null(recency.undated) - recency.undated).dt.total_days() / DAYS_A_MONTH
    weighted = rows.with_columns(weight=pl.lit(2.0).pow(months / recency.half_life_months))
    return weighted.with_columns(draw=exponential / pl.col("weight"))


def _exponential(seed: int, problem_id: str) -> float:
    """A number of the exponential distribution with mean 1."""
    digest = hashlib.sha256(f"{seed}\0{problem_id}".encode()).digest()
    return -math.log(((int.from_bytes(digest[:8], "big") >> 12) + 0.5) / 2**52)


def _groups(row: dict[str, Any], policy: SelectionPolicy) -> list[Group]:
    contest = [("contest", f"{row['platform']}:{row['contest']}")] if row["contest"] else []
    tags = sorted({tag.strip().lower() for tag in row["tags"] or () if tag}) if policy.caps.tag else ()
    return [("band", row["band"]), ("platform", row["platform"]), *contest, *(("tag", tag) for tag in tags)]


def _limit(cap: int | float, size: int) -> int:
    """The most rows of a group in a selection of `size`."""
    return cap if isinstance(cap, int) else math.ceil(round(cap * size, 6))


def _take(
    rows: Sequence[Sequence[Group]], caps: Mapping[Group, int | float], size: int | None
) -> tuple[Counter[Group], list[Group | tuple[()] | None]]:
    """How many rows each group has in the end, and for each row the group that was full; () where it was the whole."""
    taken: Counter[Group] = Counter()
    chosen: set[int] = set()
    waiting: dict[Group, list[int]] = {}
    fresh = 0

    def is_full(group: Group) -> bool:
        return taken[group] >= _limit(caps[group], len(chosen) + 1)

    while len(chosen) != size:
        ready = [(heap[0], heap) for group, heap in waiting.items() if heap and not is_full(group)]
        row, heap = min(ready, key=itemgetter(0), default=(len(rows), []))
        if fresh < row:
            row, fresh = fresh, fresh + 1
        elif heap:
            heapq.heappop(heap)
        else:
            break
        against = next(filter(is_full, rows[row]), None)
        if against is None:
            chosen.add(row)
            taken.update(rows[row])
        elif isinstance(caps[against], float):
            heapq.heappush(waiting.setdefault(against, []), row)
    return taken, [None if row in chosen else next(filter(is_full, groups), ()) for row, groups in enumerate(rows)]


def _outcome(
    full: Group | tuple[()] | None, caps: dict[Group, tuple[str, int | float]], policy: SelectionPolicy
) -> tuple[str | None, str | None, str | None]:
    """Reason, rule and the full group's name."""
    if full is None:
        return None, None, None
    if not full:
        return "over_size", f"size = {policy.size}", None
    name, cap = caps[full]
    return "over_cap", f"{name} = {cap:g}", " ".join(full)
