"""DuckDB over the store: a view for every asset, the ledger and the reports of `sql/`.

The database is disposable: it holds views of Parquet files and nothing else, and is made anew at every use.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl

from microcoder_assets import schema
from microcoder_assets.bundled_files import bundled
from microcoder_assets.errors import UserError
from microcoder_assets.store import ledger, packs
from microcoder_assets.store.parquet_store import ParquetStore

STAGES: tuple[str, ...] = (
    "scraped_problems",
    "normalized_problems",
    "unique_problems",
    "prepared_problems",
    "scored_problems",
    "calibrated_problems",
    "selected_problems",
    "verified_problems",
    "train_split",
)
"""The assets whose rows are problems, in the order that a problem passes through them."""

TABLES: dict[str, schema.Schema] = {
    "scraped_problems": schema.SCRAPED,
    "livecodebench_problems": schema.BENCHMARK,
    "normalized_problems": schema.NORMALIZED,
    "unique_problems": schema.UNIQUE,
    "prepared_problems": schema.PREPARED,
    "scored_problems": schema.SCORED,
    "calibrated_problems": schema.CALIBRATED,
    "selected_problems": schema.SELECTED,
    "verified_problems": schema.VERIFIED,
    "train_split": schema.SPLIT,
}

BESIDE: dict[str, schema.Schema] = {
    "scorings": schema.SCORED,
    "calibrations": schema.CALIBRATED,
    "training_runs": schema.TRAINING_RUNS,
    "training_curves": schema.TRAINING_CURVES,
}
"""Tables that are no asset's: parts put there by `ParquetStore.keep`."""


def connect(store: ParquetStore, database: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A connection with every view in place; in memory, or in a new file `database`."""
    connection = duckdb.connect(str(database) if database else ":memory:")
    store.storage.mount(connection)
    for name, columns in TABLES.items():
        _view(connection, name, store.data_files(name), columns)
    _view(connection, "ledger", [f for s in STAGES for f in store.ledger_files(s)], ledger.LEDGER)
    for name, columns in BESIDE.items():
        _view(connection, name, store.kept_files(name), columns)
    _view(connection, "verdict_packs", store.packs("verdicts").files(), packs.SCHEMA)
    _view(connection, "llm_packs", store.packs("llm").files(), packs.SCHEMA)
    _relation(connection, "livecodebench_problems", store)
    values = ", ".join(f"({n}, '{stage}')" for n, stage in enumerate(STAGES))
    connection.execute(f"CREATE VIEW stages AS SELECT * FROM (VALUES {values}) AS s(position, stage)")
    decisions = " UNION ALL ".join(
        f"SELECT {n} AS position, '{stage}' AS stage, * FROM {_relation(connection, stage, store)}"
        for n, stage in enumerate(STAGES)
    )
    connection.execute(f"CREATE VIEW decisions AS {decisions}")
    _view(connection, "scores", score_files(store), schema.SCORES)
    for script in sorted((bundled("sql") / "views").glob("*.sql")):
        connection.execute(script.read_text("utf-8"))
    return connection


def rebuild(store: ParquetStore, database: Path) -> None:
    """Write the catalogue as a file for other DuckDB clients: made beside `database`, then renamed over it.

    Raises UserError when `database` is a file of another kind, which is left as it is.
    """
    if database.is_dir() or (database.is_file() and database.read_bytes()[8:12] != b"DUCK"):
        raise UserError(f"{database} is there and is no DuckDB file; name another")
    temporary = database.with_name(f".tmp-{database.name}")
    temporary.unlink(missing_ok=True)
    database.parent.mkdir(parents=True, exist_ok=True)
    connect(store, temporary).close()
    temporary.replace(database)


def query(store: ParquetStore, sql: str, parameters: list[object] | None = None) -> pl.DataFrame:
    """Rows of one SQL statement over the views. Raises UserError with DuckDB's own words on a mistake in it."""
    with connect(store) as connection:
        try:
            rows = connection.sql(sql, params=parameters)
            return pl.DataFrame(rows.pl()) if rows is not None else pl.DataFrame()
        except duckdb.Error as error:
            raise UserError(f"SQL: {str(error).strip()}") from error


def score_files(store: ParquetStore) -> list[str]:
    """Every sample of every evaluation of the home that the store belongs to: those that have a page."""
    found = (store.root.parent / "models").glob("*/*/scores.parquet")
    return sorted(str(path.absolute()) for path in found if path.with_name("report.md").exists())


def report(name: str) -> str:
    """The text of `sql/reports/<name>.sql`."""
    return (bundled("sql") / "reports" / f"{name}.sql").read_text("utf-8")


def _view(connection: duckdb.DuckDBPyConnection, name: str, files: list[str], columns: schema.Schema) -> None:
    if files:
        named = ", filename = true" if "filename" in columns else ""
        rows = f"read_parquet({_quoted(files)}, hive_partitioning = false{named})"
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {rows}")
    else:
        empty = pl.DataFrame(schema=columns).to_arrow()
        connection.register("empty_rows", empty)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM empty_rows")
        connection.unregister("empty_rows")


def _relation(connection: duckdb.DuckDBPyConnection, stage: str, store: ParquetStore) -> str:
    name = f"{stage}_decisions"
    _view(connection, name, store.decision_files(stage), ledger.SNAPSHOT)
    return name


def _quoted(files: list[str]) -> str:
    return "[" + ", ".join("'" + file.replace("'", "''") + "'" for file in files) + "]"
