"""The views say what the store holds, empty or not, and can be made again at any time."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest
from places import storage

from microcoder_assets.errors import UserError
from microcoder_assets.lineage import story
from microcoder_assets.schema import SCORED, SELECTED
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_assets.store import ParquetStore
from microcoder_assets.store.catalogue import STAGES, query, rebuild, report

RUN = {"inputs": "inputs", "code_version": "1", "run_id": "0123456789"}


@pytest.fixture
def store(tmp_path: Path) -> ParquetStore:
    return filled(ParquetStore(tmp_path / "store"))


def filled(store: ParquetStore) -> ParquetStore:
    scored = pl.DataFrame({"problem_id": ["a:1", "a:2"], "score": [2.0, 4.5]})
    frame = scored.select(
        scored[name] if name in scored.columns else pl.lit(None, dtype).alias(name) for name, dtype in SCORED.items()
    )
    decisions = [Decision(name, Kind.KEPT, "scored", score=score) for name, score in scored.rows()]
    store.publish("scored_problems", StageResult(frame, decisions), **RUN)
    selected = (
        frame.filter(pl.col("score") > 3)
        .select("problem_id", "content_sha", "score")
        .with_columns(expected_solve_rate=pl.lit(0.2), band=pl.lit("hard"))
    )
    verdicts = [
        Decision("a:1", Kind.DROPPED, "too_easy", {"limit": 3}, score=2.0, rule="score"),
        Decision("a:2", Kind.KEPT, "ok", sha_out="ab" * 32),
        Decision("a:9", Kind.MERGED, "duplicate_text", parents=["a:2"]),
    ]
    store.publish("selected_problems", StageResult(selected.select(list(SELECTED)), verdicts), **RUN)
    return store


def test_funnel_counts_every_stage_in_order(place: str) -> None:
    rows = query(filled(ParquetStore(storage(place))), report("funnel"))
    assert rows["stage"].to_list() == ["scored_problems", "selected_problems"]
    assert rows.row(1)[1:] == (3, 1, 1, 1, 0)


def test_views_of_an_empty_store_are_empty(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path)
    for view in (
        *STAGES,
        "ledger",
        "decisions",
        "funnel",
        "why_dropped",
        "standing",
        "problem_timeline",
        "verification_evidence",
        "test_strength",
    ):
        assert query(store, f"FROM {view}").is_empty()


def test_a_mistake_in_sql_is_a_users_error(store: ParquetStore) -> None:
    with pytest.raises(UserError, match="no_such_view"):
        query(store, "FROM no_such_view")


def test_lineage_tells_each_stage_and_what_was_merged_in(store: ParquetStore) -> None:
    lines = story(store, "a:2").splitlines()
    assert lines[0] == "a:2"
    assert "scored_problems" in lines[1] and "score 4.500" in lines[1]
    assert "kept" in lines[2] and "content abababababab" in lines[2]
    assert "a:9 merged" in lines[3] and "run 01234567" in lines[3]
    assert "limit: 3" in story(store, "a:1")


def test_lineage_of_an_unknown_id_names_close_ones(store: ParquetStore) -> None:
    with pytest.raises(UserError, match=r"'a:22'; close ids: a:2"):
        story(store, "a:22")


def test_a_file_of_another_kind_is_left_as_it_is(store: ParquetStore, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("not a database, but dear to somebody")
    with pytest.raises(UserError, match=r"notes\.txt is there and is no DuckDB file"):
        rebuild(store, notes)
    assert notes.read_text().startswith("not a database")


def test_the_catalogue_file_is_made_again_at_any_time(store: ParquetStore, tmp_path: Path) -> None:
    database = tmp_path / "catalogue.duckdb"
    for _ in range(2):
        rebuild(store, database)
        with duckdb.connect(str(database), read_only=True) as connection:
            assert connection.sql("SELECT count(*) FROM selected_problems").fetchall() == [(1,)]
        database.unlink()
        rebuild(store, database)
