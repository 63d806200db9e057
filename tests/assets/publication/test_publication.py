"""The split: stable sides, complete tests, a folder that is whole or not there."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import DOUBLE, frame, selected, unique_row

from microcoder_assets.config import PublicationSettings
from microcoder_assets.errors import UserError
from microcoder_assets.publication.card import dataset_card
from microcoder_assets.publication.export import export
from microcoder_assets.publication.prompt import build_prompt
from microcoder_assets.publication.split import assign_split, build_split
from microcoder_assets.schema import SPLIT, VERIFIED
from microcoder_assets.stage import StageResult
from microcoder_assets.store import Blobs

SETTINGS = PublicationSettings()  # type: ignore[call-arg]


def split_of(blobs: Blobs, settings: PublicationSettings = SETTINGS, count: int = 40) -> StageResult:
    programs = {"accepted": [DOUBLE, "print(0)"], "wrong_answer": ["print(1)"]}
    problems = frame([unique_row(blobs, f"a:{n}", references=programs) for n in range(count)])
    proven = problems.select("problem_id", verified_references=pl.lit(["accepted/0.py"]))
    verified = proven.with_columns(pl.lit([], VERIFIED[name]).alias(name) for name in ("kills", "added_tests"))
    return build_split(verified, selected(problems), problems, blobs, settings)


def test_rows_hold_their_tests_and_only_proven_references(tmp_path: Path) -> None:
    result = split_of(Blobs(tmp_path))
    assert result.accounted() is None
    assert dict(result.frame.schema) == SPLIT
    row = result.frame.row(0, named=True)
    assert [(t["input"], t["expected"], t["sample"]) for t in row["tests"]] == [
        (b"2\n", b"4\n", True),
        (b"-3\n", b"-6\n", False),
    ]
    assert [r["name"] for r in row["references"]] == ["accepted/0.py", "wrong_answer/0.py"]
    assert row["statement"] in row["prompt"]


def test_sides_do_not_change_as_the_set_grows(tmp_path: Path) -> None:
    small, large = (split_of(Blobs(tmp_path), count=count).frame for count in (15, 40))
    both = small.join(large, on="problem_id", suffix="_later")
    assert both.height == 15
    assert both["split"].to_list() == both["split_later"].to_list()
    assert set(large["split"]) == {"train", "validation"}


@given(st.lists(st.text(min_size=1), min_size=300, max_size=300, unique=True))
def test_the_held_out_share_is_about_what_was_asked_for(ids: list[str]) -> None:
    held = sum(assign_split(name, SETTINGS) == "validation" for name in ids)
    assert 0.08 < held / len(ids) < 0.36  # 20 % of 300, more than five standard deviations wide


def test_a_prompt_over_the_limit_is_dropped_with_its_length(tmp_path: Path) -> None:
    result = split_of(Blobs(tmp_path), PublicationSettings(max_prompt_chars=20))  # type: ignore[call-arg]
    assert result.frame.is_empty()
    assert {d.reason for d in result.decisions} == {"no_token_budget"}
    assert result.decisions[0].detail["limit"] == 20


def test_prompts_say_how_the_answer_is_judged() -> None:
    assert "standard input" in build_prompt("Add.", "stdin", None)
    function = build_prompt("Add.", "function", "def add(a, b):\n    ")
    assert "```python\ndef add(a, b):\n```" in function and "standard input" not in function


def test_an_export_is_whole_found_again_and_pointed_at(tmp_path: Path) -> None:
    rows = split_of(Blobs(tmp_path / "blobs")).frame
    card = dataset_card(rows, pl.DataFrame({"stage": ["a"]}), pl.DataFrame({"reason": ["b"]}), "v1")
    first = export(tmp_path / "out", rows, ("train", "validation"), "v1", card)
    stamps = {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    assert export(tmp_path / "out", rows, ("train", "validation"), "v1", card) == first
    assert {path: path.stat().st_mtime_ns for path in first.rglob("*")} == stamps
    manifest = json.loads((first / "manifest.json").read_text())
    for name, facts in manifest["files"].items():
        assert hashlib.sha256((first / name).read_bytes()).hexdigest() == facts["sha256"]
    assert sum(facts["rows"] for facts in manifest["files"].values()) == rows.height
    second = export(tmp_path / "out", rows.head(3), ("train", "validation"), "v2", card)
    assert (tmp_path / "out" / "latest").resolve() == second.resolve() != first.resolve()


def test_an_export_that_cannot_be_written_leaves_nothing_half_done(tmp_path: Path) -> None:
    rows = split_of(Blobs(tmp_path / "blobs")).frame
    broken = rows.with_columns(pl.lit("train").alias("split"))
    out = tmp_path / "out"
    with pytest.raises((UserError, TypeError)):
        export(out, broken, ("train",), "v1", None)  # type: ignore[arg-type]
    assert not out.exists() or not [path for path in out.iterdir() if path.name != "latest"]


def test_runs_that_export_the_same_rows_at_once_all_end_well(tmp_path: Path) -> None:
    rows = split_of(Blobs(tmp_path / "blobs"), count=8).frame
    exports = tmp_path / "exports"
    with ThreadPoolExecutor(8) as pool:
        made = [pool.submit(export, exports, rows, ("train", "validation"), "1", "card") for _ in range(8)]
        (folder,) = {done.result() for done in made}
    assert sorted(path.name for path in exports.iterdir()) == sorted([folder.name, "latest"])
