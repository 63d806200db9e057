"""The split: stable sides, complete tests, a folder that is whole or not there."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from rows import DOUBLE, frame, selected, unique_row

from microcoder_assets.config import DecontaminationSettings, DedupSettings, PublicationSettings
from microcoder_assets.errors import UserError
from microcoder_assets.processing.proof import PROOF
from microcoder_assets.publication.card import dataset_card
from microcoder_assets.publication.export import export
from microcoder_assets.publication.prompt import build_prompt
from microcoder_assets.publication.split import build_split
from microcoder_assets.schema import SPLIT, VERIFIED
from microcoder_assets.stage import StageResult
from microcoder_assets.store import Blobs
from microcoder_train.data import read_part
from microcoder_train.errors import TrainError

FACTS = [{"published": dt.date(2026, 1, 1 + n), "published_basis": "contest"} for n in range(10)]
SETTINGS = PublicationSettings()  # type: ignore[call-arg]


def split_of(blobs: Blobs, settings: PublicationSettings = SETTINGS, count: int = 40) -> StageResult:
    programs = {"accepted": [DOUBLE, "print(0)"], "wrong_answer": ["print(1)"]}
    problems = frame([unique_row(blobs, f"a:{n}", references=programs, **FACTS[n % len(FACTS)]) for n in range(count)])
    proven = problems.select("problem_id", verified_references=pl.lit(["accepted/0.py"]))
    verified = proven.with_columns(pl.lit([], VERIFIED[name]).alias(name) for name in ("kills", "added_tests"))
    return build_split(verified, selected(problems), problems, blobs, settings, DedupSettings())  # type: ignore[call-arg]


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


def test_the_newest_are_held_out_and_the_order_of_rows_says_nothing(tmp_path: Path) -> None:
    rows = split_of(Blobs(tmp_path)).frame
    assert set(rows["split"]) == {"train", "validation"}
    train, validation = (rows.filter(split=part)["published"] for part in ("train", "validation"))
    assert train.max() < validation.min()  # type: ignore[operator]


def test_a_first_day_that_is_set_keeps_sides_as_the_set_grows(tmp_path: Path) -> None:
    settings = PublicationSettings(validation_from=dt.date(2026, 1, 8))  # type: ignore[call-arg]
    small, large = (split_of(Blobs(tmp_path), settings, count).frame for count in (15, 40))
    both = small.join(large, on="problem_id", suffix="_later")
    assert both.height == 15
    assert both["split"].to_list() == both["split_later"].to_list()


def test_a_new_version_of_an_old_problem_is_in_neither_part(tmp_path: Path) -> None:
    blobs, text = Blobs(tmp_path), " ".join(f"Crate {n} weighs {n * n} stones at quay {n + 5}." for n in range(9))
    days = {"b:1": dt.date(2025, 1, 1), "b:2": dt.date(2026, 6, 1), "b:3": dt.date(2026, 6, 1)}
    versions = {"b:1": "Crates I", "b:2": "Crates II", "b:3": "Other"}
    rows = [unique_row(blobs, name, published=day, published_basis="contest", title=versions[name],
                       **({"statement": text} if name != "b:3" else {})) for name, day in days.items()]
    problems = frame(rows)
    proven = problems.select("problem_id", verified_references=pl.lit(["accepted/0.py"]))
    verified = proven.with_columns(pl.lit([], VERIFIED[name]).alias(name) for name in ("kills", "added_tests"))
    dedup = DedupSettings()  # type: ignore[call-arg]
    result = build_split(verified, selected(problems), problems, blobs, SETTINGS, dedup)
    assert result.accounted() is None
    assert dict(result.frame["problem_id", "split"].rows()) == {"b:1": "train", "b:3": "validation"}
    (torn,) = [d for d in result.decisions if d.reason == "straddles_parts"]
    assert (torn.problem_id, torn.detail) == ("b:2", {"of": "b:1"})


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
    card = dataset_card(
        rows,
        "v1",
        funnel=pl.DataFrame({"stage": ["a"]}),
        reasons=pl.DataFrame({"reason": ["b"]}),
        limits=pl.DataFrame({"limit": ["c"], "problems": [1]}),
        proof=pl.DataFrame(schema=PROOF),
        settings=DecontaminationSettings(),  # type: ignore[call-arg]
    )
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


def test_many_rows_are_several_files_that_all_are_read(tmp_path: Path) -> None:
    rows = split_of(Blobs(tmp_path / "blobs")).frame
    folder = export(tmp_path / "out", rows, ("train", "validation"), "v1", "card", shard_bytes=2_000)
    files = sorted((folder / "data").glob("train-*.parquet"))
    assert len(files) > 1 and files[-1].name.endswith(f"-of-{len(files):05d}.parquet")
    train = rows.filter(split="train")["problem_id"].to_list()
    assert [row.problem_id for row in read_part(folder, "train").rows] == train
    files[1].unlink()
    with pytest.raises(TrainError, match="not all of them"):
        read_part(folder, "train")


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
