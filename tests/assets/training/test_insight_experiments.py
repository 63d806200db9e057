"""The experiments as the platform sees them: their names, their command line, their runs in the store."""

from __future__ import annotations

from pathlib import Path

from training_runs import finished

from microcoder_assets import plan
from microcoder_assets.automation import curation_job, training_job
from microcoder_assets.config import ExperimentSettings
from microcoder_assets.definitions import build_defs
from microcoder_assets.project import Project
from microcoder_assets.store.catalogue import query
from microcoder_assets.training.experiments import EXPERIMENTS, arguments, record_cells
from microcoder_train.cli import parser
from microcoder_train.config import PRESETS
from microcoder_train.experiments import grids


def test_the_partitions_are_the_experiments_of_the_trainer() -> None:
    assert tuple(grids.EXPERIMENTS) == EXPERIMENTS


def test_the_command_line_is_one_that_the_trainer_reads(tmp_path: Path) -> None:
    settings = ExperimentSettings.model_validate({"seeds": 3, "config": tmp_path / "own.json"})
    read = parser().parse_args(arguments("data", tmp_path / "split", tmp_path / "out", settings))
    assert (read.command, read.names, read.seeds, read.config) == ("experiment", "data", 3, tmp_path / "own.json")
    assert read.preset in PRESETS


def test_no_run_schedule_or_job_makes_it(tmp_path: Path) -> None:
    assert "insight_experiments" not in plan.STAGES
    defs = build_defs(tmp_path)
    for job in (curation_job, training_job):
        keys = defs.resolve_job_def(job.name).asset_layer.executable_asset_keys
        assert "insight_experiments" not in {key.to_user_string() for key in keys}


def test_every_cell_and_seed_becomes_a_run_and_those_of_a_cell_one_line(tmp_path: Path) -> None:
    store = Project.load(tmp_path / "home").store
    for cell, beta in (("kl", 0.04), ("microcoder", 0.0)):
        for seed in range(2):
            finished(tmp_path / "out" / "cells" / cell / f"seed-{seed}", f"{cell}{seed}", seed, beta=beta)
    (tmp_path / "out" / "cells" / "kl" / "seed-2.tmp").mkdir()
    assert record_cells(store, tmp_path / "out") == 4
    assert record_cells(store, tmp_path / "out") == 4
    found = query(store, "SELECT run, seeds FROM training_over_seeds ORDER BY run")
    assert found.rows() == [("kl/seed-0", 2), ("microcoder/seed-0", 2)]
