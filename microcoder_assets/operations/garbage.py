"""What may go: files and runs that nothing which stands, was published or is told by the ledger refers to; and small
packs, into larger ones.

Never in question: current rows and decisions, the whole ledger, exported versions, models, and what was paid for once
(test bytes, LLM answers and their journals, verdicts, signatures, embeddings). One whole thing goes at a time, in an
order in which a kill leaves nothing half gone that is still referred to: gc typed again goes on.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import dagster as dg
import polars as pl

from microcoder_assets import plan
from microcoder_assets.abandoned import end_abandoned
from microcoder_assets.collection.platforms import PLATFORMS
from microcoder_assets.errors import UserError
from microcoder_assets.operations.status import UNDER_WAY, size_of
from microcoder_assets.project import Project
from microcoder_assets.store import Manifest, ParquetStore, Partition
from microcoder_assets.store.atomic import TEMPORARY, exclusive

LEFTOVER_AGE = dt.timedelta(days=1)
"""A temporary file that is older belongs to no living writer. Ours."""

FINDINGS = ("months", "checked")
"""Packs that remember what was found of states; the others hold what was paid for."""

FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


@dataclass(frozen=True, slots=True)
class Item:
    """Something that may go. kind: as people call it. freed: bytes. remove: take it away; nothing where it is gone."""

    kind: str
    name: str
    freed: int
    remove: Callable[[], object]


def garbage(project: Project, instance: dg.DagsterInstance, keep: int, days: int, now: dt.datetime) -> Iterator[Item]:
    """Everything that may go.

    keep: versions of each partition's rows and decisions to keep, the current one among them, and newest runs to keep
    whatever they did. days: how old the other runs must be. Raises UserError while a run is under way: it reads files
    by the manifests that stood when it began; and of a store in a bucket, whose own rules say when old files expire.
    """
    if url := project.settings.store.url:
        raise UserError(f"the store is in {url}; gc deletes files of this machine only")
    end_abandoned(instance, project.home / "running")
    going = instance.get_runs(filters=dg.RunsFilter(statuses=list(UNDER_WAY)), limit=1)
    if going:
        raise UserError(f"run {going[0].run_id[:8]} is under way; gc when it has ended, or cancel it in the web UI")
    for asset in plan.STAGES:
        for manifest in project.store.manifests(asset):
            yield from _old_versions(project.store, manifest, keep)
    yield from _remembered(project)
    yield from _small_packs(project.store)
    yield from _leftovers(project.home, now)
    yield from _old_runs(project.store, instance, keep, now - dt.timedelta(days=days))


def summary(items: Iterable[Item], verb: str) -> str:
    """A line for each kind, and the whole."""
    items = list(items)
    kinds = {kind: [item.freed for item in items if item.kind == kind] for kind in dict.fromkeys(i.kind for i in items)}
    lines = [f"{len(sizes)} {kind}, {size_of(sum(sizes))}" for kind, sizes in kinds.items()]
    whole = f"{len(items)} {verb}, {size_of(sum(item.freed for item in items))}" if items else "nothing to delete"
    return "\n".join([*lines, whole])


def _old_versions(store: ParquetStore, manifest: Manifest, keep: int) -> Iterator[Item]:
    folder = store.folder(manifest.asset, Partition.named(manifest.partition))
    for kind in ("data", "decisions"):
        old = [path for path in (folder / kind).glob("[!.]*.parquet") if not _stands(manifest, kind, path)]
        old.sort(key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
        for path in old[keep - 1 :]:
            remove = partial(_drop, store, manifest, kind, path)
            yield Item("old versions", str(path), path.stat().st_size, remove)


def _stands(manifest: Manifest, kind: str, path: Path) -> bool:
    return f"{kind}/{path.name}" in (manifest.data, manifest.decisions)


def _drop(store: ParquetStore, manifest: Manifest, kind: str, path: Path) -> None:
    """Remove a file of a partition, unless a writer has made it current again meanwhile."""
    partition = Partition.named(manifest.partition)
    with exclusive(store.folder(manifest.asset, partition)):
        current = store.manifest(manifest.asset, partition)
        if current and not _stands(current, kind, path):
            path.unlink(missing_ok=True)


def _remembered(project: Project) -> Iterator[Item]:
    """Packs that remember what was found of states that no longer stand."""
    sources = project.file_sources()
    live = (
        {f"{name}-{plan.inputs_of_platform(project, name, sources).files}" for name in PLATFORMS},
        {f"{asset}-{plan.state(project, asset)}" for asset in plan.STAGES},
    )
    for name, keys in zip(FINDINGS, live, strict=True):
        packs = project.store.packs(name)
        files = packs.files()
        if len(files) > 1 or packs.known() - keys:
            size = sum(Path(file).stat().st_size for file in files)
            yield Item("findings about what no longer stands", str(packs.folder), size, partial(packs.reduce, keys))


def _small_packs(store: ParquetStore) -> Iterator[Item]:
    """Packs that many nights have added to."""
    folder = store.root / "packs"
    names = {file.parent.relative_to(folder).as_posix() for file in folder.rglob("[!.]*.parquet")}
    for name in sorted(names.difference(FINDINGS)):
        packs = store.packs(name)
        for group in packs.scattered():
            yield Item("joins of small packs", str(packs.folder), 0, partial(packs.join, group))


def _leftovers(home: Path, now: dt.datetime) -> Iterator[Item]:
    """What killed writers left beside their targets."""
    for folder in ("store", "exports", "models"):
        for path in sorted((home / folder).rglob(f"{TEMPORARY}*")):
            changed = dt.datetime.fromtimestamp(path.lstat().st_mtime, dt.UTC)
            if now - changed >= LEFTOVER_AGE and not any(TEMPORARY in part.name for part in path.parents):
                size = sum(each.stat().st_size for each in (path, *path.rglob("*")) if each.is_file())
                yield Item("leftovers of killed writers", str(path), size, partial(_remove, path))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _old_runs(store: ParquetStore, instance: dg.DagsterInstance, keep: int, before: dt.datetime) -> Iterator[Item]:
    """Runs whose work was made again since, or who made nothing."""
    told = _runs_told_of(store)
    newest = {run.run_id for run in instance.get_runs(limit=keep)} | _shown(instance)
    old = instance.get_runs(filters=dg.RunsFilter(statuses=list(FINISHED), created_before=before))
    for run in old:
        if run.run_id not in told | newest:
            logs = Path(instance.storage_directory()) / run.run_id
            size = sum(each.stat().st_size for each in logs.rglob("*") if each.is_file())
            yield Item("old runs", run.run_id, size, partial(_forget, instance, run.run_id, logs))


def _shown(instance: dg.DagsterInstance) -> set[str]:
    """The run that the web UI shows of each asset, with its metadata and its checks."""
    latest = (instance.get_latest_materialization_event(dg.AssetKey(asset)) for asset in plan.STAGES)
    return {event.run_id for event in latest if event is not None}


def _forget(instance: dg.DagsterInstance, run_id: str, logs: Path) -> None:
    """The run itself goes last: killed before that, it is found again."""
    shutil.rmtree(logs, ignore_errors=True)
    instance.event_log_storage.delete_events(run_id)
    instance.delete_run(run_id)


def _runs_told_of(store: ParquetStore) -> set[str]:
    """Runs that made what stands, or decided something that the ledger tells."""
    made = {manifest.run_id for asset in plan.STAGES for manifest in store.manifests(asset)}
    files = [path for asset in plan.STAGES for path in store.ledger_files(asset)]
    if not files:
        return made
    return made | set(pl.scan_parquet(files).select(pl.col("run_id").unique()).collect()["run_id"])
