"""Experiments run for real on a model that learns nothing: what is trained on, killed and gone on with, reported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from microcoder_train.cli import run
from microcoder_train.config import PRESETS, load_settings
from microcoder_train.errors import TrainError
from microcoder_train.experiments import splits
from microcoder_train.experiments.run import read_runs
from microcoder_train.experiments.splits import prepare
from microcoder_train.grpo import embedded_base

CELLS = ("microcoder", "short", "long")


@pytest.mark.slow
def test_a_killed_experiment_goes_on_and_its_report_says_what_too_few_seeds_say(
    split: Path, config: Path, tmp_path: Path
) -> None:
    out = tmp_path / "runs"
    line = ["experiment", "context", "--split", str(split), "--out", str(out), "--seeds", "1", "--config", str(config)]
    process = subprocess.Popen(
        [sys.executable, "-m", "microcoder_train", *line], stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    first = out / "cells" / CELLS[0] / "seed-0" / "summary.json"
    try:
        deadline = time.monotonic() + 900
        while not first.exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = first.stat().st_mtime_ns
    report = run(line, lambda _: None)
    assert first.stat().st_mtime_ns == before, "a run that is there is left alone"
    made = [json.loads((out / "cells" / cell / "seed-0" / "summary.json").read_text()) for cell in CELLS]
    assert [summary["config"]["max_completion_tokens"] for summary in made] == [8, 16, 32]
    assert report.tables["context: cells"].count("\n") == 1 + 5 and "1 of 3 seeds" in report.tables["context: verdicts"]
    assert report.plots["context"].read_bytes().startswith(b"\x89PNG")
    assert "0 of 5 runs made now" in run(line, lambda _: None).headline

    page = tmp_path / "page"
    for _ in range(2):
        said = run(["insights", "--results", str(out), "--out", str(page)], pytest.fail)
    assert "34 insights: 0 reproduced, 0 not reproduced, 5 not testable at this scale, 29 too few runs" in said.headline
    text = (page / "insights.md").read_text("utf-8")
    assert "experiment context --split SPLIT --out RUNS --seeds 1\n" in text, "what was run, and no more"
    assert {path.name for path in page.iterdir()} == {"insights.md", "insights.json", "context.png"}
    assert (page / "context.png").stat().st_size < 150_000


def test_a_report_on_nothing_says_how_to_make_runs(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="holds no finished run; make some with `experiment all"):
        run(["insights", "--results", str(tmp_path), "--out", str(tmp_path / "page")], pytest.fail)


def test_runs_of_a_cell_that_are_not_alike_are_not_put_together(tmp_path: Path) -> None:
    for seed, beta in enumerate((0.0, 0.04)):
        folder = tmp_path / "cells" / "hot" / f"seed-{seed}"
        folder.mkdir(parents=True)
        (folder / "summary.json").write_text(json.dumps({"config": {"beta": beta}, "data_version": "v1"}))
    with pytest.raises(TrainError, match="hot holds runs of different settings or data"):
        read_runs(tmp_path)


def test_evaluators_differ_in_the_checkers_of_the_train_part_alone(split: Path, tmp_path: Path) -> None:
    settings = PRESETS["small"]
    assert prepare(split, "all", tmp_path, "x", settings, pytest.fail) == split
    names = {}
    versions = {"v1"}
    for data in ("strict", "lenient"):
        made = prepare(split, data, tmp_path / data, "x", settings, pytest.fail)
        rows = pq.read_table(made / "data" / "train-00000-of-00001.parquet").to_pylist()
        names[data] = [json.loads(row["checker"])["name"] for row in rows]
        name = "validation-00000-of-00001.parquet"
        assert (made / "data" / name).read_bytes() == (split / "data" / name).read_bytes()
        versions.add(json.loads((made / "manifest.json").read_text())["data_version"])
        stamp = (made / "manifest.json").stat().st_mtime_ns
        prepare(split, data, made, "x", settings, pytest.fail)
        assert (made / "manifest.json").stat().st_mtime_ns == stamp, "not made twice"
    assert names == {"strict": ["lines"] * 3 + ["value"], "lenient": ["unordered_tokens"] * 3 + ["unordered"]}
    assert len(versions) == 3, "each is data of its own"


def test_selection_keeps_what_the_base_solves_sometimes(
    split: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings("small", config)
    base = embedded_base(split, tmp_path / "x", settings.base, 0, lambda _: None)
    monkeypatch.setattr(splits, "ATTEMPTS", 2)
    with pytest.raises(TrainError, match="none of the 4 train problems is solved in 1 % to 97 % of 2 attempts"):
        prepare(split, "selected", tmp_path / "none", base, settings, lambda _: None)
    assert not (tmp_path / "none").exists()
    monkeypatch.setattr(splits, "LOWEST", 0.0)
    monkeypatch.setattr(splits, "CUT", 0.5)
    made = prepare(split, "selected", tmp_path / "some", base, settings, lambda _: None)
    assert json.loads((made / "manifest.json").read_text())["rates"] == dict.fromkeys(
        pq.read_table(split / "data" / "train-00000-of-00001.parquet")["problem_id"].to_pylist(), 0.0
    )
    chosen = pq.read_table(made / "data" / "train-00000-of-00001.parquet")["problem_id"].to_pylist()
    assert chosen == ["test:difference", "test:double"], "ties go by name; the rows keep their order"


def test_what_is_never_or_always_solved_goes_and_then_the_easiest() -> None:
    rates = {"never": 0.0, "always": 1.0, "a": 0.1, "b": 0.9, "c": 0.5, "d": 0.4}
    assert splits.select(rates) == {"a", "c", "d"}
    assert splits.select({"a": 0.5}) == {"a"}
