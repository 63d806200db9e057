"""deploy/dagster.yaml on a real Postgres: curation, a server that goes away mid-run, a backup and its restore."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest
from chat_server import Reply, completion, serving
from conftest import PACKAGES, Deployment

from microcoder_assets.project import Project
from microcoder_assets.schema import DIMENSIONS
from microcoder_assets.store.catalogue import STAGES, query

UNTIL = ("--until", "scored_problems")


@contextmanager
def books(deployment: Deployment) -> Iterator[dg.DagsterInstance]:
    """The deployment's own instance, opened in this process."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in deployment.environment.items():
            patched.setenv(name, value)
        with dg.DagsterInstance.get() as instance:
            yield instance


def rows(deployment: Deployment) -> dict[str, Any]:
    """What stands: the rows of each asset, by hash, and how every problem ended."""
    store = Project.load(deployment.home).store
    decided = query(store, "SELECT problem_id, stage, decision, reason FROM decisions ORDER BY ALL").rows()
    return {**{stage: [m.sha256 for m in store.manifests(stage)] for stage in STAGES}, "decisions": decided}


@dataclass(frozen=True)
class Interrupted:
    """A run whose Postgres went away, and the one after it. paid: answers of the model before and after the second."""

    deployment: Deployment
    migrated: subprocess.CompletedProcess[str]
    first: subprocess.CompletedProcess[str]
    second: subprocess.CompletedProcess[str]
    paid: tuple[int, int]


@pytest.fixture(scope="module")
def interrupted(deployment: Deployment) -> Interrupted:
    """Curation down to `scored_problems`; Postgres is lost while the model is asked for the scores."""
    asked, answer = threading.Event(), threading.Event()

    def wait(request: dict[str, Any], number: int) -> Reply:
        asked.set()
        answer.wait(300)
        return completion(json.dumps(dict.fromkeys(DIMENSIONS, 3)))

    migrated = deployment.run("dagster", "instance", "migrate")
    with serving(wait) as server:
        settings = deployment.folder / "settings.toml"
        settings.write_text(f'[scoring]\nmodel = "m"\nbase_url = "{server.url}"\n')
        source = ["--source", f"kattis:{deployment.folder / 'packages'}", "--settings", str(settings)]
        command = deployment.command("microcoder_assets.cli", "run", *source, "--no-benchmark", *UNTIL)
        with subprocess.Popen(
            command, cwd=deployment.folder, env=deployment.environment, stderr=subprocess.PIPE, text=True
        ) as run:
            assert asked.wait(300)
            deployment.postgres.stop()
            answer.set()
            _, said = run.communicate(timeout=300)
        deployment.postgres.start()
        paid = server.answered
        second = deployment.microcoder("run", *UNTIL)
        first = subprocess.CompletedProcess(command, run.returncode, "", said)
        return Interrupted(deployment, migrated, first, second, (paid, server.answered))


def test_the_instance_is_what_the_file_says(interrupted: Interrupted) -> None:
    deployment = interrupted.deployment
    assert interrupted.migrated.returncode == 0, interrupted.migrated.stderr
    with books(deployment) as instance:
        assert type(instance.run_storage).__name__ == "PostgresRunStorage"
        assert type(instance.run_launcher).__name__ == "CodeServerLauncher"
        assert type(instance.run_coordinator).__name__ == "QueuedRunCoordinator"
        assert instance.run_monitoring_enabled
        limits = instance.get_concurrency_config()
        assert limits.pool_config.default_pool_limit == 1
        assert limits.run_queue_config is not None and limits.run_queue_config.max_concurrent_runs == 2
    assert [path.name for path in (deployment.folder / "dagster").iterdir()] == ["dagster.yaml"]
    assert not (deployment.home / "dagster" / "history").exists()


def test_postgres_that_goes_away_mid_run_is_one_clear_error(interrupted: Interrupted) -> None:
    assert interrupted.first.returncode == 1
    last = interrupted.first.stderr.splitlines()[-1]
    assert last.startswith("error: the database of runs cannot be reached") and "nothing stored is lost" in last


def test_the_run_after_it_repairs_and_pays_nothing_twice(interrupted: Interrupted) -> None:
    deployment = interrupted.deployment
    assert interrupted.second.returncode == 0, interrupted.second.stderr
    assert interrupted.paid[0] == interrupted.paid[1] > 0
    with books(deployment) as instance:
        statuses = [run.status for run in instance.get_runs()]
        assert instance.event_log_storage.get_concurrency_run_ids() == set()
    assert statuses[:2] == [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    assert set(statuses[2:]) == {dg.DagsterRunStatus.SUCCESS}
    scored = [end for end in rows(deployment)["decisions"] if end[1] == "scored_problems"]
    assert len(scored) == len(PACKAGES) and {decision for _, _, decision, _ in scored} == {"kept"}


def test_a_backup_restores_rows_and_books(interrupted: Interrupted) -> None:
    """As deploy/RUNBOOK.md says: pg_dump and an archive of the home, into an empty database and an empty folder."""
    deployment, key = interrupted.deployment, dg.AssetKey("unique_problems")
    before = rows(deployment)
    with books(deployment) as instance:
        runs = [run.run_id for run in instance.get_runs()]
        event = instance.get_latest_materialization_event(key)
    assert len(runs) > 3 and event is not None

    dump, archive = deployment.folder / "books.dump", deployment.folder / "home.tar.gz"
    deployment.postgres.client("pg_dump", "--format=custom", f"--file={dump}", "dagster")
    subprocess.run(["tar", "--create", "--gzip", f"--file={archive}", "-C", deployment.home, "."], check=True)
    deployment.postgres.empty()
    shutil.rmtree(deployment.home)
    deployment.home.mkdir()
    deployment.postgres.client("pg_restore", "--exit-on-error", "--dbname=dagster", dump)
    subprocess.run(["tar", "--extract", "--gzip", f"--file={archive}", "-C", deployment.home], check=True)

    assert rows(deployment) == before
    with books(deployment) as instance:
        assert [run.run_id for run in instance.get_runs()] == runs
        restored = instance.get_latest_materialization_event(key)
    assert restored is not None and restored.timestamp == event.timestamp
    again = deployment.microcoder("run", *UNTIL)
    assert again.returncode == 0 and "unchanged" in again.stdout
