"""What became of the rows between two versions of the train split, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import xxhash

from microcoder_assets.publication.versions import PARTS, Version
from microcoder_assets.reports import text_table
from microcoder_assets.schema import SPLIT, Schema
from microcoder_assets.store import ParquetStore
from microcoder_assets.store.catalogue import query, report

CHANGES = ("entered", "left", "moved", "changed")
FACTS: Schema = {name: SPLIT[name] for name in ("problem_id", "split", "platform", "difficulty", "published")}
SHOWN = 20
"""Rows of each change that the text names; JSON names all."""

CHANGED: Schema = {
    "problem_id": pl.String,
    "change": pl.String,  # of CHANGES; a row that moved and changed has two lines
    "platform": pl.String,  # platform and difficulty as they are after, or were where the row left
    "difficulty": pl.String,
    "detail": pl.String,  # the part entered or left, both parts, or the fields that changed
    "reason": pl.String,  # entered, left: from the ledger
}


@dataclass(frozen=True, slots=True)
class Difference:
    """before, after: what the versions are. rows: of CHANGED, sorted."""

    before: dict[str, Any]
    after: dict[str, Any]
    rows: pl.DataFrame

    def __bool__(self) -> bool:
        return bool(self.rows.height)

    def to_json(self) -> dict[str, Any]:
        return {"before": self.before, "after": self.after, "rows": self.rows.to_dicts()}

    def to_text(self) -> str:
        versions = pl.DataFrame([{"": "before", **self.before}, {"": "after", **self.after}])
        if not self:
            return f"{text_table(versions)}\n\nno row differs"
        tables = [versions, *(_counts(self.rows, column) for column in (None, "platform", "difficulty"))]
        for change in CHANGES:
            rows = self.rows.filter(change=change)
            if rows.height:
                tables.append(rows.head(SHOWN).select(pl.col("problem_id").alias(change), "detail", "reason"))
        return "\n\n".join(map(text_table, tables))


def compare(before: Version, after: Version, store: ParquetStore) -> Difference:
    """store: whose ledger tells why. Columns that one version lacks are not compared."""
    old, new = _digests(before), _digests(after)
    both = old.join(new, on="problem_id", suffix="_after", maintain_order="left")
    shared = [name for name in old.columns if name in new.columns and name not in FACTS]
    fields = pl.concat_list(
        pl.when(pl.col(name) != pl.col(f"{name}_after")).then(pl.lit(name.removeprefix(_DIGEST))) for name in shared
    ).list.drop_nulls()
    changed = both.with_columns(fields=fields).filter(pl.col("fields").list.len() > 0)
    moved = both.filter(pl.col("split") != pl.col("split_after"))
    parts = [
        _lines(_explained(new.join(old, on="problem_id", how="anti"), store, "entered_because"), "entered", "split"),
        _lines(_explained(old.join(new, on="problem_id", how="anti"), store, "left_because"), "left", "split"),
        _lines(moved, "moved", pl.format("{} -> {}", "split", "split_after"), "_after"),
        _lines(changed, "changed", pl.col("fields").list.join(", "), "_after"),
    ]
    order = pl.Enum(CHANGES)
    rows = pl.concat(parts).sort(pl.col("change").cast(order), "problem_id")
    return Difference(_facts(before, old), _facts(after, new), rows)


_DIGEST = "of "


def _digests(version: Version) -> pl.DataFrame:
    """FACTS of each row, and a digest of each column."""
    names = [name for name in version.columns if name not in ("problem_id", "split")]
    none = pl.DataFrame(schema={**FACTS, **dict.fromkeys((f"{_DIGEST}{name}" for name in names), pl.UInt64)})
    return pl.concat([none, *_digests_of_batches(version, names)])


def _digests_of_batches(version: Version, names: Sequence[str]) -> Iterator[pl.DataFrame]:
    for part in PARTS:
        for batch in version.batches(part):
            facts = pl.DataFrame({name: batch.column(name) for name in FACTS}, schema=FACTS)
            yield facts.with_columns(
                pl.Series(
                    f"{_DIGEST}{name}",
                    [xxhash.xxh3_64_intdigest(repr(value).encode()) for value in batch.column(name).to_pylist()],
                    pl.UInt64,
                )
                for name in names
            )


def _explained(rows: pl.DataFrame, store: ParquetStore, name: str) -> pl.DataFrame:
    return rows.join(query(store, report(name)), on="problem_id", how="left", maintain_order="left")


def _lines(rows: pl.DataFrame, change: str, detail: str | pl.Expr, suffix: str = "") -> pl.DataFrame:
    reason = pl.col("reason") if "reason" in rows.columns else pl.lit(None, pl.String)
    columns = {
        "problem_id": pl.col("problem_id"),
        "change": pl.lit(change),
        "platform": pl.col(f"platform{suffix}"),
        "difficulty": pl.col(f"difficulty{suffix}"),
        "detail": pl.col(detail) if isinstance(detail, str) else detail,
        "reason": reason,
    }
    return rows.select(columns[name].cast(dtype).alias(name) for name, dtype in CHANGED.items())


def _facts(version: Version, rows: pl.DataFrame) -> dict[str, Any]:
    first = rows.filter(split="validation")["published"].min()
    counts = {part: version.rows(part) for part in PARTS}
    return {"version": version.name, "data_version": version.data_version, **counts, "validation_from": str(first)}


def _counts(rows: pl.DataFrame, column: str | None) -> pl.DataFrame:
    """How many rows of each change, in all or by `column`."""
    value = pl.lit("all").alias("rows") if column is None else pl.col(column).fill_null("unknown")
    counted = [(pl.col("change") == change).sum().alias(change) for change in CHANGES]
    return rows.group_by(value).agg(counted).sort(pl.first())
