"""What a night did, for people: of the ledger lines that its run wrote."""

from __future__ import annotations

import polars as pl

from microcoder_assets.reports import text_table
from microcoder_assets.store import ParquetStore
from microcoder_assets.store.catalogue import query, report


def night_table(store: ParquetStore, run_id: str) -> pl.DataFrame:
    """By platform: problems new, changed, gone and unreadable at the sources, and those that entered and left the
    split. Platforms of which nothing was decided anew are left out."""
    return query(store, report("night"), [run_id])


def night_summary(store: ParquetStore, run_id: str) -> str:
    """The same in words, with how many rows the split now holds."""
    table = night_table(store, run_id)
    split = store.manifest("train_split")
    told = text_table(table) if table.height else "Nothing new at any source."
    return f"{told}\n\nThe train split holds {split.rows if split else 0:,} rows."
