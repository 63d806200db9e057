"""The proof: every benchmark item with its nearest training row."""

from __future__ import annotations

import polars as pl
from test_dedup_unique import frame, items, reworded, row, story

from microcoder_assets.config import Settings
from microcoder_assets.processing.proof import PROOF, nearest_rows


def proof(rows: pl.DataFrame, *entries: dict[str, object]) -> pl.DataFrame:
    benchmark = items(*entries).with_columns(release=pl.lit("v1"))
    return nearest_rows(rows, benchmark, Settings())


def test_the_nearest_row_and_its_score() -> None:
    text = story(1, 300)
    rows = frame(row("a:copy", text), row("a:near", reworded(text, 0.1)), row("a:far", story(2, 300)))
    found = proof(rows, row("lcb:a", text), row("lcb:b", reworded(text, 0.1)), row("lcb:c", story(3)))
    assert found.schema == pl.Schema(PROOF)
    assert found["benchmark_id"].to_list() == ["lcb:a", "lcb:b", "lcb:c"]
    assert found["nearest_problem_id"].to_list() == ["a:copy", "a:near", None]
    assert found["score"].to_list() == [1.0, 1.0, 0.0]
    assert set(found["release"]) == {"v1"} and set(found["benchmark"]) == {"lcb"}


def test_a_passage_counts_as_a_share_of_the_row() -> None:
    item = story(1, 300)
    leaked = story(2, 100) + " " + " ".join(item.split()[:100])
    line = proof(frame(row("a:leak", leaked), row("a:far", story(4))), row("lcb:a", item)).row(0, named=True)
    assert line["nearest_problem_id"] == "a:leak"
    assert line["score"] == line["containment"] == 93 / 193 > line["jaccard"]


def test_without_rows_every_item_stands_with_a_score_of_nothing() -> None:
    found = proof(frame(), row("lcb:a", story(1)), row("lcb:b", ""))
    assert found["nearest_problem_id"].to_list() == [None, None] and found["score"].sum() == 0
    assert proof(frame(row("a:1", story(1)))).is_empty()
