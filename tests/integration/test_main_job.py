"""The main job as a newcomer runs it: the command, the sample archive, then the same command again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from command import microcoder, tree

from microcoder_assets.project import Project
from microcoder_assets.store.catalogue import STAGES, query

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the sample archive curated down to its train split."""
    home = tmp_path_factory.mktemp("curated") / "home"
    run = microcoder(home, "run", "--until", "train_split")
    assert run.returncode == 0, run.stderr
    assert "train_split" in run.stdout
    return home


def test_every_row_is_accounted_for_from_end_to_end(curated: Path) -> None:
    store = Project.load(curated).store
    sql = "SELECT stage, came_in, kept, dropped + merged + errors AS ended FROM funnel ORDER BY position"
    funnel = query(store, sql)
    assert funnel["stage"].to_list() == list(STAGES)
    assert (funnel["came_in"] == funnel["kept"] + funnel["ended"]).all()
    assert funnel["came_in"].to_list()[1:] == funnel["kept"].to_list()[:-1]


def test_rerunning_adds_nothing_and_changes_no_byte(curated: Path) -> None:
    before = tree(curated / "store") | tree(curated / "exports")
    run = microcoder(curated, "run", "--until", "train_split")
    assert run.returncode == 0, run.stderr
    assert "unchanged" in run.stdout
    assert tree(curated / "store") | tree(curated / "exports") == before


@pytest.mark.long
def test_making_it_all_again_changes_no_byte_of_the_rows(curated: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert microcoder(again, "run", "--until", "train_split").returncode == 0
    for part in ("data", "decisions"):
        files = [{str(p.relative_to(h)) for p in (h / "store").rglob(f"{part}/*.parquet")} for h in (curated, again)]
        assert files[0] == files[1]
    exports = [tree(home / "exports" / "train_split") for home in (curated, again)]
    assert exports[0] == exports[1]


def test_the_split_is_what_datasets_reads(curated: Path) -> None:
    folder = curated / "exports" / "train_split" / "latest"
    manifest = json.loads((folder / "manifest.json").read_text())
    rows = {}
    for split in ("train", "validation"):
        frame = pl.read_parquet(folder / "data" / f"{split}-00000-of-00001.parquet")
        assert manifest["files"][f"data/{split}-00000-of-00001.parquet"]["rows"] == frame.height > 0
        assert frame["split"].unique().to_list() == [split]
        rows[split] = set(frame["problem_id"])
    assert rows["train"].isdisjoint(rows["validation"])
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nconfigs:") and "Where rows went" in card
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset(str(folder), cache_dir=str(curated / "hf-cache"))
    assert {name: part.num_rows for name, part in loaded.items()} == {name: len(ids) for name, ids in rows.items()}


def test_lineage_funnel_and_sql_answer(curated: Path) -> None:
    problem = query(Project.load(curated).store, "SELECT min(problem_id) FROM train_split").item()
    story = microcoder(curated, "lineage", problem)
    assert story.returncode == 0
    told = [line.split()[0] for line in story.stdout.splitlines()[1:]]
    assert [word for word in told if word != "ran"][-1] == "train_split"
    assert told[-1] == "ran"
    assert "normalized_problems" in microcoder(curated, "funnel").stdout
    items = query(Project.load(curated).store, "SELECT count(*) FROM livecodebench_problems").item()
    proof = pl.read_csv(curated / "exports" / "train_split" / "latest" / "benchmark_overlap.csv")
    assert proof.height == items and proof["score"].is_between(0, 1).all()
    written = curated.parent / "overlap.parquet"
    assert microcoder(curated, "overlap", "--out", str(written)).returncode == 0
    assert pl.read_parquet(written)["benchmark_id"].to_list() == proof["benchmark_id"].to_list()
    counted = microcoder(curated, "sql", "SELECT count(*) AS n FROM train_split", "--csv")
    assert int(counted.stdout.split()[1]) > 20


MISTAKES: list[tuple[Sequence[str], str]] = [
    (["run", "--source", "sourceforge:."], "unknown source kind 'sourceforge'"),
    (["run", "--source", "kattis:no/such/folder"], "no/such/folder"),
    (["run", "--source", "kattis"], "KIND:PATH"),
    (["run", "--until", "train_spilt"], "unknown asset 'train_spilt'"),
    (["run", "--benchmark", "no/such/benchmark"], "no/such/benchmark"),
    (["run", "--settings", "no-such.toml"], "no-such.toml"),
    (["backfill", "--from", "2026-13", "--to", "2026-12"], "2026-13"),
    (["backfill", "--from", "2026-02", "--to", "2026-01"], "after"),
    (["backfill", "--from", "2026-01", "--to", "2026-01", "--platform", "nowhere"], "unknown platform 'nowhere'"),
    (["lineage", "nowhere:1"], "'nowhere:1'"),
    (["sql", "SELEC 1"], "SELEC"),
    (["run", "--settings", "."], "is a folder"),
    (["overlap", "--out", "proof.txt"], "must end in .csv or .parquet"),
    (["diff"], "no version of train_split is exported yet"),
    (["export", "--format", "trl", "--output", "out", "--version", "0"], "no version of train_split is exported yet"),
]


@pytest.mark.parametrize(("arguments", "words"), MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(arguments: Sequence[str], words: str, tmp_path: Path) -> None:
    run = microcoder(tmp_path / "home", *arguments)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    assert words in run.stderr
    assert run.stderr.startswith("error: ")
    assert len(run.stderr.strip().splitlines()) <= 4


def test_bad_records_are_error_rows_and_the_run_goes_on(tmp_path: Path, examples_dir: Path) -> None:
    source = tmp_path / "packages"
    source.mkdir()
    good = sorted(p for p in (examples_dir / "archive").iterdir() if p.is_dir())[0]
    subprocess.run(["cp", "-r", str(good), str(source / "good")], check=True)
    (source / "brokenyaml").mkdir()
    (source / "brokenyaml" / "problem.yaml").write_text("name: [unclosed\n")
    (source / "truncated.tar.xz").write_bytes(b"\xfd7zXZ\x00\x00\x04 and then nothing")
    huge = source / "huge"
    subprocess.run(["cp", "-r", str(good), str(huge)], check=True)
    next((huge / "problem_statement").iterdir()).write_text("word " * 10_000_000)
    arguments = ["run", "--source", f"kattis:{source}", "--no-benchmark", "--until", "normalized_problems"]
    run = microcoder(tmp_path / "home", *arguments)
    assert run.returncode == 0, run.stderr
    sql = "SELECT decision, reason FROM decisions WHERE stage = 'scraped_problems' ORDER BY ALL"
    found = query(Project.load(tmp_path / "home").store, sql).rows()
    assert found == [
        ("error", "malformed_record"),
        ("error", "malformed_record"),
        ("error", "statement_too_large"),
        ("kept", "ok"),
    ]


@pytest.mark.long
def test_a_killed_run_loses_nothing_and_the_next_one_ends_the_same(curated: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = [sys.executable, "-m", "microcoder_assets.cli", "--home", str(home), "run", "--until", "train_split"]
    for delay in (5.0, 9.0):
        run = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        time.sleep(delay)
        run.send_signal(signal.SIGKILL)
        run.wait(timeout=30)
    assert microcoder(home, "run", "--until", "train_split").returncode == 0
    exports = [tree(place / "exports" / "train_split" / "latest") for place in (curated, home)]
    assert exports[0] == exports[1]


def test_backfill_makes_only_what_does_not_stand(tmp_path: Path) -> None:
    home = tmp_path / "home"
    span = ["backfill", "--from", "2025-10", "--to", "2026-01", "--platform", "lantern"]
    planned = microcoder(home, *span, "--dry-run")
    assert planned.returncode == 0 and "would run" in planned.stdout
    first = microcoder(home, *span)
    assert first.returncode == 0, first.stderr
    assert "done" in first.stdout
    months = {m.partition for m in Project.load(home).store.manifests("normalized_problems")}
    assert months and all(partition.endswith("|lantern") and partition < "2026-02" for partition in months)
    assert "every partition stands" in microcoder(home, *span).stdout
    assert "1 chunks" in microcoder(home, *span, "--force", "--dry-run").stdout


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare to mount a small disk")
@pytest.mark.parametrize("size", ["600k", "3m"])
def test_a_full_disk_ends_in_one_line(tmp_path: Path, size: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    shell = 'mount -t tmpfs -o size="$2" none "$1" && exec "$3" -m microcoder_assets.cli --home "$1/home" run'
    command = ["unshare", "-Urm", "sh", "-c", f"{shell} --until train_split", "sh", str(disk), size, sys.executable]
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    if "mount" in run.stderr or "unshare" in run.stderr:
        pytest.skip(f"cannot mount a small disk here: {run.stderr.strip()}")
    assert run.returncode in (1, 2)
    assert "Traceback" not in run.stderr
    assert "full" in run.stderr.splitlines()[-1]
