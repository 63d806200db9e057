"""deploy/dagster.yaml on a real Postgres: curation, a server that goes away, a backup and its restore."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from chat_server import Reply, completion, serving
from conftest import PACKAGES, Deployment

from microcoder_assets.project import Project
from microcoder_assets.schema import DIMENSIONS
from microcoder_assets.store.catalogue import STAGES, query


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


def test_the_instance_is_what_the_file_says_and_migrating_it_twice_is_harmless(deployment: Deployment) -> None:
    for _ in range(2):
        migrated = deployment.run("dagster", "instance", "migrate")
        assert migrated.returncode == 0, migrated.stderr
    with books(deployment) as instance:
        assert type(instance.run_storage).__name__ == "PostgresRunStorage"
        assert type(instance.run_launcher).__name__ == "CodeServerLauncher"
        assert type(instance.run_coordinator).__name__ == "QueuedRunCoordinator"
        assert instance.run_monitoring_enabled and instance.run_launcher.supports_check_run_worker_health
        limits = instance.get_concurrency_config()
        assert limits.pool_config.default_pool_limit == 1
        assert limits.run_queue_config is not None and limits.run_queue_config.max_concurrent_runs == 2
    assert os.listdir(deployment.folder / "dagster") == ["dagster.yaml"]


def test_a_backup_restores_rows_and_books(deployment: Deployment) -> None:
    """The commands of deploy/RUNBOOK.md: pg_dump and an archive of the home, into an empty database and folder."""
    made = deployment.microcoder("run", "--source", f"kattis:{deployment.folder / 'packages'}", "--no-benchmark",
                                 "--until", "unique_problems")
    assert made.returncode == 0, made.stderr
    assert not (deployment.home / "dagster" / "history").exists()
    before = rows(deployment)
    with books(deployment) as instance:
        runs = [run.run_id for run in instance.get_runs()]
        key = dg.AssetKey("unique_problems")
        event = instance.get_latest_materialization_event(key)
    assert len(runs) == 3 and event is not None

    backup = deployment.folder / "books.dump"
    deployment.postgres.client("pg_dump", "--format=custom", f"--file={backup}", "dagster")
    subprocess.run(["tar", "-C", deployment.home, "-czf", deployment.folder / "home.tar.gz", "."], check=True)
    deployment.postgres.client("psql", "-d", "postgres", "-c", "DROP DATABASE dagster", "-c", "CREATE DATABASE dagster")
    shutil.rmtree(deployment.home)
    deployment.home.mkdir()
    deployment.postgres.client("pg_restore", "--exit-on-error", "--dbname=dagster", backup)
    subprocess.run(["tar", "-C", deployment.home, "-xzf", deployment.folder / "home.tar.gz"], check=True)

    assert rows(deployment) == before
    with books(deployment) as instance:
        assert [run.run_id for run in instance.get_runs()] == runs
        restored = instance.get_latest_materialization_event(key)
    assert restored is not None and restored.timestamp == event.timestamp
    again = deployment.microcoder("run", "--until", "unique_problems")
    assert again.returncode == 0 and "unchanged" in again.stdout


def test_postgres_that_goes_away_mid_run_loses_nothing_and_the_next_run_repairs(deployment: Deployment) -> None:
    asked, answer = threading.Event(), threading.Event()

    def wait(request: dict[str, Any], number: int) -> Reply:
        asked.set()
        answer.wait(300)
        return completion(json.dumps(dict.fromkeys(DIMENSIONS, 3)))

    until = ["--until", "scored_problems"]
    with serving(wait) as server:
        settings = deployment.folder / "settings.toml"
        settings.write_text(f'[scoring]\nmodel = "m"\nbase_url = "{server.url}"\n')
        source = ["--source", f"kattis:{deployment.folder / 'packages'}", "--settings", str(settings)]
        command = deployment.command("microcoder_assets.cli", "run", *source, "--no-benchmark", *until)
        run = subprocess.Popen(command, cwd=deployment.folder, env=deployment.environment, stderr=subprocess.PIPE,
                               text=True)
        assert asked.wait(300)
        deployment.postgres.stop()
        answer.set()
        _, said = run.communicate(timeout=300)
        deployment.postgres.start()
        Path("/tmp/said.txt").write_text(said)
        assert run.returncode == 1
        assert "Traceback" not in said
        assert "the database of runs cannot be reached" in said.splitlines()[-1]
        paid = server.answered

        again = deployment.microcoder("run", *until)
        assert again.returncode == 0, again.stderr
        assert server.answered == paid
    with books(deployment) as instance:
        statuses = [run.status for run in instance.get_runs()]
        assert instance.event_log_storage.get_concurrency_run_ids() == set()
    assert statuses[:2] == [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    assert set(statuses[2:]) == {dg.DagsterRunStatus.SUCCESS}
    scored = [end for end in rows(deployment)["decisions"] if end[1] == "scored_problems"]
    assert len(scored) == len(PACKAGES) and {decision for _, _, decision, _ in scored} == {"kept"}
