"""deploy/dagster.yaml on a real Postgres: curation, a server that goes away mid-run, a backup and its restore."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest
from chat_server import Reply, Server, completion, serving
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import WorkerStatus
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration
from dagster._grpc.client import DagsterGrpcClient
from dagster_graphql.cli import execute_query
from deployment import CHECKOUT, PACKAGES, Deployment

from microcoder_assets.project import Project
from microcoder_assets.runner import Runner
from microcoder_assets.schema import DIMENSIONS
from microcoder_assets.store.catalogue import STAGES, query

pytestmark = pytest.mark.long


@contextlib.contextmanager
def within(deployment: Deployment) -> Iterator[None]:
    """This process as one of the deployment's."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in deployment.environment.items():
            patched.setenv(name, value)
        yield


@contextlib.contextmanager
def books(deployment: Deployment) -> Iterator[dg.DagsterInstance]:
    """The deployment's own instance."""
    with within(deployment), dg.DagsterInstance.get() as instance:
        yield instance


def make_again(deployment: Deployment) -> list[str]:
    """What the next run has to make."""
    with within(deployment):
        return Runner(Project.load(deployment.home)).run("scored_problems")


def rows(deployment: Deployment) -> dict[str, Any]:
    """What stands: the rows of each asset, by hash, and how every problem ended."""
    store = Project.load(deployment.home).store
    decided = query(store, "SELECT problem_id, stage, decision, reason FROM decisions ORDER BY ALL").rows()
    return {**{stage: [m.sha256 for m in store.manifests(stage)] for stage in STAGES}, "decisions": decided}


@contextlib.contextmanager
def waiting_model(deployment: Deployment, name: str = "m") -> Iterator[tuple[Server, threading.Event, threading.Event]]:
    """A model that the deployment's settings name. It sets the first event when it is asked, and waits for the second
    to answer."""
    asked, answer = threading.Event(), threading.Event()

    def wait(request: dict[str, Any], number: int) -> Reply:
        asked.set()
        answer.wait(900)
        return completion(json.dumps(dict.fromkeys(DIMENSIONS, 3)))

    with serving(wait) as server:
        text = f'[scoring]\nmodel = "{name}"\nbase_url = "{server.url}"\n'
        (deployment.folder / "settings.toml").write_text(text)
        try:
            yield server, asked, answer
        finally:
            answer.set()


@dataclass(frozen=True)
class Interrupted:
    """A run whose Postgres went away, and the one after it. paid: answers of the model before and after the second."""

    deployment: Deployment
    migrated: subprocess.CompletedProcess[str]
    first: subprocess.CompletedProcess[str]
    paid: tuple[int, int]


@pytest.fixture(scope="module")
def interrupted(deployment: Deployment) -> Interrupted:
    """Curation down to `scored_problems`; Postgres is lost while the model is asked for the scores."""
    migrated = deployment.run("dagster", "instance", "migrate")
    with waiting_model(deployment) as (server, asked, answer):
        settings = deployment.folder / "settings.toml"
        source = ["--source", f"kattis:{deployment.folder / 'packages'}", "--settings", str(settings)]
        command = deployment.command(
            "microcoder_assets.cli", "run", *source, "--no-benchmark", "--until", "scored_problems"
        )
        with subprocess.Popen(
            command, cwd=deployment.folder, env=deployment.environment, stderr=subprocess.PIPE, text=True
        ) as run:
            assert asked.wait(900)
            deployment.postgres.stop()
            answer.set()
            _, said = run.communicate(timeout=900)
        deployment.postgres.start()
        paid = server.answered
        make_again(deployment)
        first = subprocess.CompletedProcess(command, run.returncode, "", said)
        return Interrupted(deployment, migrated, first, (paid, server.answered))


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
    assert interrupted.paid[0] == interrupted.paid[1] > 0
    with books(deployment) as instance:
        statuses = [run.status for run in instance.get_runs()]
        assert instance.event_log_storage.get_concurrency_run_ids() == set()
    assert set(statuses) == {dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS}
    assert statuses.count(dg.DagsterRunStatus.FAILURE) == 1
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
    assert make_again(deployment) == []


LAUNCH = """
mutation($job: String!, $path: [String!]!) {
  launchRun(executionParams: {selector: {
      repositoryLocationName: "microcoder", repositoryName: "__repository__", jobName: $job,
      assetSelection: [{path: $path}], assetCheckSelection: []
  }}) { __typename ... on LaunchRunSuccess { run { runId status } } ... on PythonError { message } }
}"""


@contextlib.contextmanager
def code_server(deployment: Deployment, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The code location as a service, in a process group of its own as in a container; killed at the end."""
    arguments = ["--port", str(port), "--module-name", "microcoder_assets.definitions", "--location-name", "microcoder"]
    command = deployment.command("dagster", "api", "grpc", "--host", "127.0.0.1", *arguments)
    with subprocess.Popen(
        command, cwd=deployment.folder, env=deployment.environment, start_new_session=True, stderr=subprocess.DEVNULL
    ) as server:
        try:
            client = DagsterGrpcClient(port=port)
            for _ in range(1200):
                with contextlib.suppress(DagsterUserCodeUnreachableError):
                    client.ping("")
                    break
                time.sleep(0.5)
            yield server
        finally:
            os.killpg(server.pid, signal.SIGKILL)


@contextlib.contextmanager
def workspace(instance: dg.DagsterInstance, port: int) -> Iterator[WorkspaceProcessContext]:
    """What the web UI and the daemon see through deploy/workspace.yaml."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MICROCODER_CODE_HOST", "127.0.0.1")
        patched.setenv("MICROCODER_CODE_PORT", str(port))
        target = WorkspaceFileTarget([str(CHECKOUT / "deploy" / "workspace.yaml")])
        with WorkspaceProcessContext(instance, target) as context:
            yield context


def test_a_run_whose_code_server_is_lost_is_found_and_ended(interrupted: Interrupted) -> None:
    """The UI queues a run, the daemon hands it to the code server, the server dies with it and comes back."""
    deployment = interrupted.deployment
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with books(deployment) as instance, waiting_model(deployment, "another") as (_, asked, _):
        launcher = instance.run_launcher
        with code_server(deployment, port), workspace(instance, port) as context:
            asked_for = {"job": "__ASSET_JOB", "path": ["scored_problems"]}
            launched = execute_query(context, LAUNCH, asked_for)["data"]["launchRun"]
            assert launched["__typename"] == "LaunchRunSuccess", launched
            assert launched["run"]["status"] == "QUEUED"
            run_id = launched["run"]["runId"]
            instance.launch_run(run_id, context.create_request_context())
            assert asked.wait(900)
            run = instance.get_run_by_id(run_id)
            assert run is not None
            assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
        unreachable = launcher.check_run_worker_health(run)
        assert unreachable.status is WorkerStatus.RUNNING and "cannot be reached" in str(unreachable.msg)

        with code_server(deployment, port), workspace(instance, port) as context:
            assert launcher.check_run_worker_health(run).status is WorkerStatus.FAILED
            list(execute_run_monitoring_iteration(context, logging.getLogger("monitoring")))
        ended = instance.get_run_by_id(run_id)
        assert ended is not None and ended.status is dg.DagsterRunStatus.FAILURE
        from_a_terminal = next(run for run in instance.get_runs() if run.run_id != run_id)
        assert launcher.check_run_worker_health(from_a_terminal).status is WorkerStatus.RUNNING
