"""What stands, what is stale, what runs, and what waits: one look at a home."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import dagster as dg
import polars as pl
from dagster._core.storage.tags import SCHEDULE_NAME_TAG

from microcoder_assets import plan
from microcoder_assets.automation import NIGHTLY_SCHEDULE
from microcoder_assets.collection.platforms import PLATFORMS
from microcoder_assets.operations.daemon import waiting
from microcoder_assets.operations.record import unfinished
from microcoder_assets.project import Project
from microcoder_assets.reports import text_table
from microcoder_assets.runner import PARTITIONED, Runner

RECENT = dt.timedelta(days=7)
"""How long a failed run is news. Ours."""
SHOWN = 10
"""Runs of each kind that are listed. Ours."""

UNDER_WAY = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING)
FAILED = (dg.DagsterRunStatus.FAILURE,)


@dataclass(frozen=True, slots=True)
class Asset:
    """state: `stands`, `stale`, `missing`; `waits` for one above it that is not as it should be. stale: partitions that
    are, of an asset that has them."""

    asset: str
    state: str
    rows: int
    partitions: int
    stale: int
    code_version: str


@dataclass(frozen=True, slots=True)
class Run:
    run_id: str
    status: str
    assets: str
    began: str
    """UTC, to the minute."""


@dataclass(frozen=True, slots=True)
class Status:
    """disk: bytes of each folder of the home, and `free`. trap: what was launched and will not start."""

    assets: list[Asset]
    under_way: list[Run]
    queued: int
    failed: list[Run]
    backfills: dict[str, str]
    last_night: Run | None
    daemon: str
    trap: str | None
    alarms: dict[str, dict[str, str]]
    disk: dict[str, int]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)

    def to_text(self) -> str:
        night = self.last_night
        lines = [
            text_table(pl.DataFrame([asdict(asset) for asset in self.assets])),
            _listed("under way", self.under_way),
            *([f"queued: {self.queued} runs"] if self.queued else []),
            *(f"backfill {name}: {words}" for name, words in self.backfills.items()),
            _listed(f"failed in the last {RECENT.days} days", self.failed),
            f"last night: {f'{night.status} {night.began} {night.run_id[:8]}' if night else 'none yet'}",
            f"daemon: {self.daemon}",
            *(f"alarm: {platform}: {words}" for platform, by in self.alarms.items() for words in by.values()),
            "disk: " + ", ".join(f"{name} {size_of(count)}" for name, count in self.disk.items()),
            *([f"warning: {self.trap}"] if self.trap else []),
        ]
        return "\n".join(lines)


def status_of(project: Project, now: dt.datetime) -> Status:
    runner = Runner(project)
    with dg.DagsterInstance.get() as instance:
        waits = waiting(instance)
        nights = dg.RunsFilter(tags={SCHEDULE_NAME_TAG: NIGHTLY_SCHEDULE})
        failed = dg.RunsFilter(statuses=list(FAILED), updated_after=now - RECENT)
        return Status(
            assets=list(_assets(runner)),
            under_way=_runs(instance, dg.RunsFilter(statuses=list(UNDER_WAY))),
            queued=len(waits.runs),
            failed=_runs(instance, failed),
            backfills={each.backfill_id: each.title or each.status.value for each in unfinished(instance)},
            last_night=next(iter(_runs(instance, nights, 1)), None),
            daemon=waits.daemon(now),
            trap=waits.trap(now),
            alarms=project.alarms(),
            disk=disk_of(project.home),
        )


def disk_of(home: Path) -> dict[str, int]:
    """Bytes of every folder of a home, the largest first, and what is free beside them."""
    folders = {path.name: sum(map(_bytes, path.rglob("*"))) for path in home.iterdir() if path.is_dir()}
    ordered = dict(sorted(folders.items(), key=lambda item: -item[1]))
    return {**{name: count for name, count in ordered.items() if count}, "free": shutil.disk_usage(home).free}


def size_of(count: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _bytes(path: Path) -> int:
    try:
        return path.lstat().st_size if path.is_file() else 0
    except FileNotFoundError:  # a run may be under way
        return 0


def _assets(runner: Runner) -> Iterable[Asset]:
    store, files, wrong = runner.project.store, runner.project.file_sources(), set[str]()
    stale = [names for platform in PLATFORMS for names in runner.stale_assets(platform, files).values()]
    for name, stage in plan.STAGES.items():
        manifests = store.manifests(name)
        counted = sum(name in names for names in stale) if name in PARTITIONED else 0
        fresh = not counted if name in PARTITIONED else plan.is_fresh(runner.project, name)
        above = wrong.intersection(stage.upstream)
        state = "missing" if not manifests else "stale" if not fresh else "waits" if above else "stands"
        if state != "stands":
            wrong.add(name)
        versions = sorted({manifest.code_version for manifest in manifests})
        yield Asset(
            name, state, sum(m.rows for m in manifests), sum(bool(m.partition) for m in manifests), counted,
            ", ".join(versions),
        )


def _runs(instance: dg.DagsterInstance, which: dg.RunsFilter, limit: int = SHOWN) -> list[Run]:
    return [
        Run(
            record.dagster_run.run_id,
            record.dagster_run.status.value,
            ", ".join(sorted(key.to_user_string() for key in record.dagster_run.asset_selection or ()))
            or record.dagster_run.job_name,
            f"{record.create_timestamp:%Y-%m-%d %H:%M}",
        )
        for record in instance.get_run_records(which, limit=limit)
    ]


def _listed(words: str, runs: list[Run]) -> str:
    if not runs:
        return f"{words}: none"
    return "\n".join([f"{words}:", *(f"  {run.run_id[:8]} {run.began} {run.assets}" for run in runs)])
