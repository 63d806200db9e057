"""What a home says of itself, and what may be deleted from it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.dagster_run import DagsterRun
from small_home import PARTITIONS, SPAN, microcoder, small_home

from microcoder_assets import plan
from microcoder_assets.lineage import story
from microcoder_assets.project import Project
from microcoder_assets.schema import NORMALIZED
from microcoder_assets.store import Packs
from microcoder_assets.store.catalogue import query

pytestmark = pytest.mark.long

KILLED = """
import os, pathlib, signal, sys
from microcoder_assets.cli import main

unlink, left = pathlib.Path.unlink, [int(sys.argv[1])]
def unlink_or_die(path, missing_ok=False):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= path.suffix == ".parquet"
    unlink(path, missing_ok)
pathlib.Path.unlink = unlink_or_die
main(sys.argv[2:])
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, examples_dir: Path) -> Iterator[Project]:
    """A home whose sources changed twice: three versions of one partition."""
    folder = tmp_path_factory.mktemp("operated")
    os.environ.pop("DAGSTER_HOME", None)
    made = small_home(folder, examples_dir / "archive")
    statement = next((folder / "packages" / "orchardlog" / "problem_statement").iterdir())
    for words in ("", "\nThe orchard is old.\n", "\nThe orchard is very old.\n"):
        statement.write_text(statement.read_text("utf-8") + words, "utf-8")
        done = microcoder(made, "backfill", *SPAN)
        assert done.exit_code == 0, done.output
    yield made
    os.environ.pop("DAGSTER_HOME", None)


def tree(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def stored(folder: Path) -> dict[str, bytes]:
    packs = Packs(folder)
    return packs.get(packs.known())


def states(project: Project) -> dict[str, str]:
    told = microcoder(project, "status", "--json")
    assert told.exit_code == 0, told.output
    return {asset["asset"]: asset["state"] for asset in json.loads(told.stdout)["assets"]}


def test_status_tells_what_stands_what_is_stale_and_what_waits(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = states(project)
    assert (before["scraped_problems"], before["normalized_problems"]) == ("stands", "stands")
    assert before["unique_problems"] == before["train_split"] == "missing"
    with monkeypatch.context() as newer:
        newer.setitem(
            plan.STAGES, "scraped_problems", dataclasses.replace(plan.STAGES["scraped_problems"], version="newer")
        )
        assert states(project)["scraped_problems"] == "stale"
        assert states(project)["normalized_problems"] == "waits"
    text = microcoder(project, "status").stdout
    for words in ("under way: none", "last night: none yet", "daemon: never seen", "disk: ", " free"):
        assert words in text


def test_a_run_that_is_queued_without_a_daemon_is_told_by_every_command(project: Project) -> None:
    location = RegisteredCodeLocationOrigin("microcoder")
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), "curation_job")
    queued = DagsterRun(job_name="curation_job", status=dg.DagsterRunStatus.QUEUED, remote_job_origin=origin)
    with dg.DagsterInstance.get() as instance:
        instance.add_run(queued)
        try:
            assert "1 run (" in microcoder(project, "backfill", *SPAN).stderr
            assert "queued: 1 runs" in microcoder(project, "status").stdout
        finally:
            instance.delete_run(queued.run_id)
    assert "daemon" not in microcoder(project, "backfill", *SPAN).stderr


def test_gc_is_refused_while_a_run_is_under_way(project: Project) -> None:
    run = DagsterRun(job_name="curation_job", status=dg.DagsterRunStatus.STARTED)
    with dg.DagsterInstance.get() as instance:
        instance.add_run(run)
        try:
            refused = microcoder(project, "gc", "--keep", "1")
        finally:
            instance.delete_run(run.run_id)
    assert refused.exit_code == 2 and "is under way" in refused.stderr


def test_gc_keeps_what_is_referred_to_also_when_it_is_killed(project: Project) -> None:
    store, root = project.store, project.home / "store"
    rows, told = store.read("normalized_problems", NORMALIZED), story(store, "lantern:orchardlog")
    ledger = query(store, "SELECT stage, version, decision FROM ledger WHERE problem_id = 'lantern:orchardlog'")
    assert ledger.height == 6  # three versions in each of two stages
    manifests = [m for asset in ("scraped_problems", "normalized_problems") for m in store.manifests(asset)]
    before, bytes_of_tests = tree(root), stored(root / "packs" / "blobs")
    planned = microcoder(project, "gc", "--keep", "1", "--days", "0", "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert "8 old versions" in planned.stdout  # rows and decisions of two assets, twice
    assert f"joins of small packs: {root}/packs/blobs" in planned.stdout
    assert tree(root) == before

    assert "4 old versions" in microcoder(project, "gc", "--keep", "2", "--dry-run").stdout
    command = [sys.executable, "-W", "ignore", "-c", KILLED, "3", "--home", str(project.home)]
    killed = subprocess.run([*command, "gc", "--keep", "1", "--days", "0"], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert len(tree(root)) == len(before) - 3
    for _ in range(2):
        done = microcoder(project, "gc", "--keep", "1", "--days", "0")
        assert done.exit_code == 0, done.output
    assert done.stdout == "nothing to delete\n"

    assert store.read("normalized_problems", NORMALIZED).equals(rows)
    assert story(store, "lantern:orchardlog") == told
    again = query(store, "SELECT stage, version, decision FROM ledger WHERE problem_id = 'lantern:orchardlog'")
    assert again.sort(pl.all()).equals(ledger.sort(pl.all()))
    assert [m for asset in ("scraped_problems", "normalized_problems") for m in store.manifests(asset)] == manifests
    gone = before.keys() - tree(root).keys()
    assert not [name for name in gone if "/ledger/" in name]
    assert len(list((root / "packs" / "blobs").iterdir())) == 1
    assert stored(root / "packs" / "blobs") == bytes_of_tests
    assert microcoder(project, "backfill", *SPAN).stdout == "nothing to do: every partition stands (4)\n"
    with dg.DagsterInstance.get() as instance:
        known = {run.run_id for run in instance.get_runs()}
        assert {manifest.run_id for manifest in manifests} <= known
        made = instance.get_materialized_partitions(dg.AssetKey("normalized_problems"))
        assert set(PARTITIONS) <= set(made)


def test_gc_forgets_a_run_that_decided_nothing_and_no_other(project: Project) -> None:
    for platform in ("harbor", "lantern"):
        forced = microcoder(project, "backfill", *SPAN, "--platform", platform, "--force")
        assert forced.exit_code == 0, forced.output
    with dg.DagsterInstance.get() as instance:
        shown, idle = instance.get_runs(limit=2)
        assert "nothing to delete" in microcoder(project, "gc", "--days", "1", "--keep", "1").stdout
        assert "nothing to delete" in microcoder(project, "gc", "--days", "0", "--keep", "2").stdout
        instance.add_run(DagsterRun(job_name="curation_job", status=dg.DagsterRunStatus.FAILURE))
        assert "1 old runs" in microcoder(project, "gc", "--days", "0", "--keep", "1").stdout
        assert instance.get_run_by_id(idle.run_id) is None
        assert instance.get_run_by_id(shown.run_id) is not None  # the last of each asset, though it decided nothing
        made = instance.get_materialized_partitions(dg.AssetKey("normalized_problems"))
        assert set(PARTITIONS) <= set(made)


def test_a_leftover_of_a_killed_writer_goes_when_it_is_old(project: Project) -> None:
    scratch = project.exports / "train_split" / ".tmp-1-abcd"
    (scratch / "data").mkdir(parents=True)
    (scratch / "data" / "train.parquet").write_bytes(b"half")
    assert microcoder(project, "gc").exit_code == 0 and scratch.exists()
    os.utime(scratch, (0, 0))
    assert "1 leftovers" in microcoder(project, "gc").stdout
    assert not scratch.exists()
