"""The tables that `sql/schema` documents are those of schema.py, column for column."""

from __future__ import annotations

import re

import duckdb
import polars as pl
import pytest

from microcoder_assets.bundled_files import bundled
from microcoder_assets.schema import SCORES, VERIFICATION_EVIDENCE, Schema
from microcoder_assets.store.catalogue import BESIDE, TABLES
from microcoder_assets.store.ledger import LEDGER

DOCUMENTED: dict[str, Schema] = {
    **TABLES,
    **BESIDE,
    "ledger": LEDGER,
    "scores": SCORES,
    "verification_evidence": VERIFICATION_EVIDENCE,
}
FOLDER = bundled("sql") / "schema"


def columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    return [(name, kind) for name, kind, *_ in connection.execute(f"DESCRIBE {table}").fetchall()]


def test_every_table_is_documented_and_no_other() -> None:
    assert {path.stem for path in FOLDER.glob("*.sql")} == set(DOCUMENTED)


@pytest.mark.parametrize("table", DOCUMENTED)
def test_the_documented_columns_are_those_of_the_rows(table: str) -> None:
    with duckdb.connect() as connection:
        connection.execute((FOLDER / f"{table}.sql").read_text("utf-8"))
        connection.register("rows", pl.DataFrame(schema=DOCUMENTED[table]).to_arrow())
        assert columns(connection, table) == columns(connection, "rows")


@pytest.mark.parametrize("table", DOCUMENTED)
def test_every_column_says_what_it_holds(table: str) -> None:
    text = (FOLDER / f"{table}.sql").read_text("utf-8")
    assert text.startswith("-- ")
    assert len(re.findall(r'^    -- \S.*\n    "?\w+"? [A-Z]', text, re.MULTILINE)) == len(DOCUMENTED[table])
