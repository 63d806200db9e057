"""Dagster runs in this process against the home's real instance, doing only what does not already stand."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import dagster as dg

from microcoder_assets import clock, plan
from microcoder_assets.abandoned import alive, end_abandoned
from microcoder_assets.bundled_files import bundled
from microcoder_assets.checks import CHECKS
from microcoder_assets.collection.platforms import PLATFORMS
from microcoder_assets.collection.records import ScrapedProblem, Source
from microcoder_assets.collection.scrape import partition_of
from microcoder_assets.definitions import build_defs
from microcoder_assets.errors import UserError
from microcoder_assets.failures import RunFailed, cause
from microcoder_assets.partitions import range_tags
from microcoder_assets.project import Project
from microcoder_assets.store import Partition
from microcoder_assets.store.atomic import exclusive, write_text_atomic

MAX_GAP = 12
"""Months without problems that a run may span: each costs an event, each further run a second. Measured."""

PARTITIONED = [name for name, stage in plan.STAGES.items() if stage.partitioned]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Months of one platform that one run makes."""

    platform: str
    first: str
    last: str

    def __str__(self) -> str:
        months = self.first if self.first == self.last else f"{self.first}..{self.last}"
        return f"{self.platform} {months}"


def prepare_instance(home: Path) -> None:
    """Make the home's Dagster instance if there is none, and let this process and its children use it.

    A DAGSTER_HOME that is set already wins: that is how a deployment gives its own instance. Raises UserError when it
    names no folder.
    """
    given = os.environ.get("DAGSTER_HOME")
    if given is not None and not (Path(given).is_absolute() and Path(given).is_dir()):
        raise UserError(f"DAGSTER_HOME={given} must be the absolute path of a folder; unset it to use {home}/dagster")
    folder = home / "dagster"
    if not (folder / "history").exists():
        with exclusive(folder):
            if not (folder / "dagster.yaml").exists():
                write_text_atomic(folder / "dagster.yaml", bundled("dagster.yaml").read_text("utf-8"))
            if given is None and not (folder / "history").exists():
                _make_databases(folder)
    os.environ.setdefault("DAGSTER_HOME", str(folder))


def _make_databases(folder: Path) -> None:
    """Dagster's databases, put in place when they are whole: two processes that make them at once, or one that is
    killed while it does, would leave what no later run can open."""
    making = folder / "making"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    shutil.copyfile(folder / "dagster.yaml", making / "dagster.yaml")
    with dg.DagsterInstance.from_config(str(making)) as instance:
        instance.get_runs_count()
    for name in ("schedules", "history"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (making / name).rename(folder / name)
    shutil.rmtree(making)


class Runner:
    """Materializes assets of one project. Make one a process: loading Dagster's definitions costs a second."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._checked = project.store.packs("checked")
        prepare_instance(project.home)
        self._job = build_defs(project.home).resolve_implicit_global_asset_job_def()

    def run(self, until: str) -> list[str]:
        """Make `until` and all it needs; the names of the assets that had to be made."""
        wanted = plan.until(until)
        self._end_abandoned()
        made = []
        partitioned = [name for name in wanted if plan.STAGES[name].partitioned]
        for chunk in self.stale_chunks(partitioned):
            self.materialize(partitioned, chunk)
            made += [name for name in partitioned if name not in made]
        for name in wanted:
            if name not in partitioned and not plan.is_fresh(self.project, name):
                self.materialize([name])
                made.append(name)
            self.assure(name)
        return made

    def _end_abandoned(self) -> None:
        """A run may have stored all that it was to make before it was lost: then no other one follows to report it."""
        marks = self.project.home / "running"
        if marks.is_dir() and any(marks.iterdir()):
            with dg.DagsterInstance.get() as instance:
                end_abandoned(instance, marks)

    def assure(self, asset: str) -> None:
        """Rows that stand but were never checked as they stand, because a run ended between the two, are checked now.

        Raises RunFailed with the finding: nothing is built on rows that failed a check, in this run or a later one.
        """
        if self._state(asset) in self._checked.known():
            return
        for name, check in CHECKS.get(asset, {}).items():
            if finding := check(self.project, asset):
                raise RunFailed(f"check {name} of {asset} failed: {finding}")
        self._checked.put({self._state(asset): b""})

    def stale_chunks(self, assets: Sequence[str]) -> Iterator[Chunk]:
        """For each platform that is not as its sources are, the spans of months to make."""
        files = self.project.file_sources()
        for platform in PLATFORMS:
            for months in spans(self.stale_months(platform, assets, files)):
                yield Chunk(platform, months[0], months[-1])

    def stale_months(self, platform: str, assets: Sequence[str], files: Sequence[Source]) -> list[str]:
        """Months of a platform of which any of `assets` is stale, in order. files: the sources of files, opened."""
        return [month for month, stale in self.stale_assets(platform, files).items() if not stale.isdisjoint(assets)]

    def stale_assets(self, platform: str, files: Sequence[Source]) -> dict[str, set[str]]:
        """Of each month that is held of a platform, in order: the assets whose partition was made from something else
        than what stands now, or was not made. files: the sources of files, opened."""
        store = self.project.store
        inputs = plan.inputs_of_platform(self.project, platform, files)
        due = plan.due_months(self.project, platform, clock.now())
        stale = {}
        for month in self._held_months(platform, inputs, due):
            partition = Partition(month, platform)
            scraped = store.manifest("scraped_problems", partition)
            normalized = store.manifest("normalized_problems", partition)
            fresh = {
                "scraped_problems": month not in due and scraped and scraped.inputs == inputs.of(month),
                "normalized_problems": normalized
                and normalized.inputs == plan.inputs_of_partition(self.project, partition),
            }
            stale[month] = {name for name, stands in fresh.items() if not stands}
        return stale

    def _held_months(self, platform: str, inputs: plan.PlatformInputs, due: set[str]) -> list[str]:
        """Months that the sources or the store hold of a platform, or that the web is to be asked for, in order."""
        stored = self._stored_months(platform)
        return sorted(self._served_months(platform, inputs.files) | inputs.web.keys() | stored | due)

    def materialize(self, assets: Sequence[str], chunk: Chunk | None = None) -> None:
        """One Dagster run over `assets`, whose rows then count as checked. Raises as `execute` does."""
        self.execute(assets, chunk)
        self._checked.put({self._state(name): b"" for name in assets})

    def execute(self, assets: Sequence[str], chunk: Chunk | None = None, tags: Mapping[str, str] | None = None) -> None:
        """One Dagster run over `assets`, with further `tags`.

        Raises RunFailed, UserError where the cause is a user's to mend, and KeyboardInterrupt where the run was
        interrupted.
        """
        cut = range_tags(chunk.first, chunk.last, chunk.platform, chunk.platform) if chunk else {}
        run_id, marks = str(uuid.uuid4()), self.project.home / "running"
        with dg.DagsterInstance.get() as instance:
            end_abandoned(instance, marks)
            with alive(marks, run_id):
                result = self._job.execute_in_process(
                    instance=instance,
                    asset_selection=[dg.AssetKey(name) for name in assets],
                    run_config={"loggers": {"console": {}}},
                    tags={**cut, **(tags or {})},
                    raise_on_error=False,
                    run_id=run_id,
                )
        if not result.success:
            raise cause(result.all_events)

    def _state(self, asset: str) -> str:
        return f"{asset}-{plan.state(self.project, asset)}"

    def _served_months(self, platform: str, inputs: str) -> set[str]:
        """Months the files hold of a platform; remembered for as long as the sources stay as they are."""
        remembered = self.project.store.packs("months")
        key = f"{platform}-{inputs}"
        found = remembered.get([key]).get(key)
        if found is None:
            found = " ".join(sorted(self._read_months().get(platform, set()))).encode()
            remembered.put({key: found})
        return set(found.decode().split())

    @cache  # noqa: B019 - a runner lives as long as its process
    def _read_months(self) -> dict[str, set[str]]:
        """Months by platform, from one pass over every source of files."""
        months: dict[str, set[str]] = {}
        for source in self.project.file_sources():
            for record in source.records():
                published = record.published if isinstance(record, ScrapedProblem) else None
                months.setdefault(record.platform, set()).add(partition_of(record.platform, published)[0])
        return months

    def _stored_months(self, platform: str) -> set[str]:
        manifests = self.project.store.manifests("scraped_problems")
        partitions = (manifest.partition.split("|") for manifest in manifests)
        return {month for month, stored in partitions if stored == platform}


def spans(months: Sequence[str], gap: int = MAX_GAP, size: int | None = None) -> list[list[str]]:
    """Months in groups with no gap of more than `gap` months inside, spanning at most `size` calendar months."""
    groups: list[list[str]] = []
    for month in months:
        near = groups and _number(month) - _number(groups[-1][-1]) <= gap
        if near and (size is None or _number(month) - _number(groups[-1][0]) < size):
            groups[-1].append(month)
        else:
            groups.append([month])
    return groups


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:])
