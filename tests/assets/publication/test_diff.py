"""What became of the rows between two versions: every change found, each with its reason."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import frame, unique_row

from microcoder_assets.errors import UserError
from microcoder_assets.publication.diff import CHANGES, compare
from microcoder_assets.publication.export import export
from microcoder_assets.publication.versions import Version, exported_versions, find_version
from microcoder_assets.schema import SPLIT
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_assets.store import ParquetStore

RUN: dict[str, Any] = {"inputs": "i", "code_version": "1", "run_id": "r"}
STATES = st.sampled_from([None, ("train", "x"), ("train", "y"), ("validation", "x"), ("validation", "y")])


def rows(states: dict[str, tuple[str, str] | None]) -> pl.DataFrame:
    held = [
        {"problem_id": name, "platform": name[0], "split": state[0], "statement": state[1], "difficulty": "easy",
         "tests": [{"name": "0", "sample": True, "input": state[1].encode(), "expected": b"1"}],
         "published": dt.date(2026, 1, 1)}
        for name, state in states.items() if state
    ]
    return pl.DataFrame([{**dict.fromkeys(SPLIT), **row} for row in held], schema=SPLIT)


def version(folder: Path, states: dict[str, tuple[str, str] | None], name: str) -> Version:
    path = export(folder, rows(states), ("train", "validation"), name, "card")
    return find_version(folder, path.name)


@given(states=st.lists(st.tuples(STATES, STATES), max_size=6))
def test_every_change_is_found_and_nothing_else(
    states: list[tuple[Any, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("exports")
    ids = [f"{'ab'[n % 2]}:{n}" for n in range(len(states))]
    old = version(folder, {name: state for name, (state, _) in zip(ids, states, strict=True)}, "1")
    new = version(folder, {name: state for name, (_, state) in zip(ids, states, strict=True)}, "2")
    found = compare(old, new, ParquetStore(folder / "store")).rows["problem_id", "change", "detail"].rows()
    wanted = set()
    for name, (before, after) in zip(ids, states, strict=True):
        if before is None and after is not None:
            wanted.add((name, "entered", after[0]))
        elif before is not None and after is None:
            wanted.add((name, "left", before[0]))
        elif before is not None and after is not None:
            if before[0] != after[0]:
                wanted.add((name, "moved", f"{before[0]} -> {after[0]}"))
            if before[1] != after[1]:
                wanted.add((name, "changed", "statement, tests"))
    assert set(found) == wanted and len(found) == len(wanted)
    assert [change for _, change, _ in found] == sorted((change for _, change, _ in found), key=CHANGES.index)


def test_the_ledger_says_why(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path / "store")
    problems = frame([unique_row(store.blobs, name) for name in ("a:1", "a:2", "a:3")])
    states: list[dict[str, tuple[str, str] | None]] = [
        {"a:1": ("train", "x"), "a:2": ("train", "x"), "a:3": None, "a:4": None},
        {"a:1": ("train", "x"), "a:2": None, "a:3": ("train", "x"), "a:4": ("train", "x")},
    ]
    for stage in states:
        kept = [Decision(name, Kind.KEPT, "ok", sha_in="s", sha_out="s") for name in ("a:1", "a:2", "a:3")
                if stage[name]]
        ended = [Decision(name, Kind.DROPPED, "too_easy", sha_in="s") for name in ("a:1", "a:2", "a:3")
                 if not stage[name]]
        standing = problems.filter(pl.col("problem_id").is_in([decision.problem_id for decision in kept]))
        store.publish("unique_problems", StageResult(standing, [*kept, *ended]), **RUN)
    old, new = (version(tmp_path / "exports", stage, str(n)) for n, stage in enumerate(states))
    found = compare(old, new, store)
    assert found.rows["problem_id", "change", "reason"].rows() == [
        ("a:3", "entered", "before: unique_problems dropped too_easy"),
        ("a:4", "entered", None),
        ("a:2", "left", "unique_problems dropped too_easy"),
    ]
    assert "unique_problems dropped too_easy" in found.to_text()
    assert found.to_json()["rows"] == found.rows.to_dicts()
    assert not compare(new, new, store) and "no row differs" in compare(new, new, store).to_text()


def test_columns_that_a_version_lacks_are_not_compared(tmp_path: Path) -> None:
    states = {"a:1": ("train", "x"), "a:2": ("validation", "x")}
    old = find_version(tmp_path, export(tmp_path, rows(states).drop("family"), ("train", "validation"), "1", "c").name)
    assert not compare(old, version(tmp_path, states, "2"), ParquetStore(tmp_path / "store"))


def test_versions_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run --until train_split"):
        find_version(tmp_path, "latest")
    made = [version(tmp_path, {"a:1": ("train", text)}, text) for text in ("x", "y")]
    for n, each in enumerate(made):
        os.utime(each.folder / "manifest.json", (n, n))
    assert [each.name for each in exported_versions(tmp_path)] == [each.name for each in made]
    assert find_version(tmp_path, "latest").name == made[1].name
    assert find_version(tmp_path, made[0].name[:6]).name == made[0].name
    with pytest.raises(UserError, match=f"no version is called 'z'; there are .*{made[0].name}"):
        find_version(tmp_path, "z")
    with pytest.raises(UserError, match="2 versions begin with ''"):
        find_version(tmp_path, "")
    (made[0].folder / "manifest.json").write_text("{}")
    with pytest.raises(UserError, match="is damaged"):
        exported_versions(tmp_path)
