"""Backfills of the command line: what they make, and that nothing that happens to them costs more than a chunk."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest
from dagster._core.execution.backfill import BulkActionStatus
from dagster._core.storage.tags import BACKFILL_ID_TAG
from small_home import SPAN, microcoder, small_home, standing_files

from microcoder_assets import plan
from microcoder_assets.operations.backfill import Span, tasks_of
from microcoder_assets.operations.launch import launch
from microcoder_assets.operations.record import ASKED, BackfillRecord, close_abandoned
from microcoder_assets.project import Project
from microcoder_assets.runner import Runner, prepare_instance

pytestmark = pytest.mark.long

BACKFILL = ("backfill", *SPAN)


@pytest.fixture
def project(tmp_path: Path, examples_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    yield small_home(tmp_path, examples_dir / "archive")
    os.environ.pop("DAGSTER_HOME", None)


def started(project: Project, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "microcoder_assets.cli", "--home", str(project.home), *BACKFILL, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def backfills(project: Project) -> list[tuple[BulkActionStatus, list[dg.DagsterRunStatus]]]:
    """Of each backfill in the books, the oldest first: its status, and those of its runs in the order they began."""
    prepare_instance(project.home)
    with dg.DagsterInstance.get() as instance:
        found = sorted(instance.get_backfills(), key=lambda each: each.backfill_timestamp)
        return [
            (each.status, [run.status for run in reversed(instance.get_runs(
                filters=dg.RunsFilter(tags={BACKFILL_ID_TAG: each.backfill_id})))])
            for each in found if ASKED in each.tags
        ]


def until(holds: Callable[[], object], seconds: float = 240.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_only_what_is_stale_is_made_and_from_the_first_stale_stage_on(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = microcoder(project, *BACKFILL, "--platform", "harbor,lantern", "--platform", "meadow", "--dry-run")
    assert planned.exit_code == 0
    assert "2 chunks would run, 0 partitions stand" in planned.stdout
    assert "lantern 2025-10..2026-01: 2 partitions of scraped_problems, normalized_problems" in planned.stdout
    scraped = microcoder(project, *BACKFILL, "--stage", "scraped_problems", "--platform", "lantern")
    assert scraped.exit_code == 0, scraped.output
    assert not project.store.manifests("normalized_problems")
    runner = Runner(project)
    tasks, standing = tasks_of(runner, Span.asked("2025-10", "2026-06", ["lantern,harbor"], "normalized_problems", 1))
    assert standing == 0
    asked = {str(task): task.assets for task in tasks}
    assert list(asked) == ["lantern 2025-10", "harbor 2025-10", "lantern 2026-01", "harbor 2026-01"]
    assert asked["lantern 2026-01"] == ("normalized_problems",)
    assert asked["harbor 2026-01"] == ("scraped_problems", "normalized_problems")
    assert microcoder(project, *BACKFILL).exit_code == 0
    again = microcoder(project, *BACKFILL)
    assert (again.exit_code, again.stdout) == (0, "nothing to do: every partition stands (4)\n")
    newer = dataclasses.replace(plan.STAGES["normalized_problems"], version="newer")
    monkeypatch.setitem(plan.STAGES, "normalized_problems", newer)
    tasks, standing = tasks_of(runner, Span.asked("2025-10", "2026-06", [], "normalized_problems"))
    assert {task.assets for task in tasks} == {("normalized_problems",)} and standing == 0


def test_a_chunk_that_fails_is_tried_again_and_reported_and_the_rest_goes_on(project: Project) -> None:
    assert microcoder(project, *BACKFILL, "--stage", "scraped_problems").exit_code == 0
    damaged = Path(project.store.data_files("scraped_problems")[0])
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:100])
    run = microcoder(project, *BACKFILL, "--chunk", "1", "--retries", "1")
    assert run.exit_code == 1
    assert "3 of 4 chunks done" in run.stdout
    assert "harbor 2025-10 failed, given up after 2 attempts: " in run.stderr
    assert "failed: harbor 2025-10: " in run.stderr and "Traceback" not in run.output
    assert len(project.store.manifests("normalized_problems")) == 3
    _, (status, runs) = backfills(project)
    assert status is BulkActionStatus.COMPLETED_FAILED
    assert Counter(runs) == {dg.DagsterRunStatus.FAILURE: 2, dg.DagsterRunStatus.SUCCESS: 3}
    damaged.write_bytes(whole)
    assert "1 of 1 chunks done" in microcoder(project, "backfill", "--resume").stdout
    _, (status, runs) = backfills(project)
    assert (status, len(runs)) == (BulkActionStatus.COMPLETED_SUCCESS, 6)
    nothing = microcoder(project, "backfill", "--resume")
    assert nothing.exit_code == 2 and "no backfill waits to be resumed" in nothing.stderr


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory, examples_dir: Path) -> set[tuple[str, str, str]]:
    """What stands after one backfill to which nothing happened."""
    folder = tmp_path_factory.mktemp("straight")
    made = small_home(folder, examples_dir / "archive")
    assert microcoder(made, *BACKFILL).exit_code == 0
    os.environ.pop("DAGSTER_HOME", None)
    return standing_files(made)


def test_kill_9_costs_the_chunks_under_way_and_resume_makes_the_rest(
    project: Project, straight: set[tuple[str, str, str]]
) -> None:
    run = started(project, "--chunk", "1", "--max-parallel", "2")
    until(lambda: len(project.store.manifests("normalized_problems")) >= 2)
    workers = psutil.Process(run.pid).children()
    run.send_signal(signal.SIGKILL)
    run.wait()
    psutil.wait_procs(workers, timeout=120)  # each ends when the chunk that it is at does
    stood = standing_files(project)
    done = microcoder(project, "backfill", "--resume")
    assert done.exit_code == 0, done.output
    assert standing_files(project) == straight and stood < straight
    [(status, runs)] = backfills(project)
    assert status is BulkActionStatus.COMPLETED_SUCCESS
    assert runs == 4 * [dg.DagsterRunStatus.SUCCESS]


def test_ctrl_c_ends_the_run_under_way_and_the_same_command_goes_on(
    project: Project, straight: set[tuple[str, str, str]]
) -> None:
    run = started(project, "--chunk", "1")
    until(lambda: project.store.manifests("normalized_problems"))
    run.send_signal(signal.SIGINT)
    _, words = run.communicate(timeout=120)
    assert run.returncode == 130
    assert words.splitlines()[-1] == "stopped; what was finished is stored, run again to go on"
    assert "Traceback" not in words
    assert standing_files(project) < straight
    assert microcoder(project, *BACKFILL).exit_code == 0
    assert standing_files(project) == straight
    (first, runs), (second, _) = backfills(project)
    assert (first, second) == (BulkActionStatus.CANCELED, BulkActionStatus.COMPLETED_SUCCESS)
    assert dg.DagsterRunStatus.STARTED not in runs


def test_a_backfill_that_has_just_begun_is_not_taken_for_abandoned(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = BackfillRecord.opened

    def and_another_begins(instance: dg.DagsterInstance, *told: Any) -> BackfillRecord:
        record = opened(instance, *told)
        close_abandoned(instance, project.home)
        return record

    monkeypatch.setattr(BackfillRecord, "opened", and_another_begins)
    report = launch(Runner(project), Span(first="2025-10", last="2025-10", platforms=("harbor",)))
    assert len(report.made) == 1 and not report.failed


def test_two_backfills_at_once_of_which_one_loses_a_worker_make_each_month_once(
    project: Project, straight: set[tuple[str, str, str]]
) -> None:
    one, other = started(project, "--chunk", "1", "--max-parallel", "2"), started(project, "--chunk", "1")
    until(lambda: len([p for p in psutil.Process(one.pid).children() if "spawn_main" in " ".join(p.cmdline())]) == 2)
    next(p for p in psutil.Process(one.pid).children() if "spawn_main" in " ".join(p.cmdline())).kill()
    words = [run.communicate(timeout=300)[1] for run in (one, other)]
    assert [one.returncode, other.returncode] == [0, 0], words
    assert "its worker process ended with SIGKILL" in words[0]
    assert standing_files(project) == straight
    ended = [status for _, runs in backfills(project) for status in runs]
    assert ended.count(dg.DagsterRunStatus.SUCCESS) == 4
