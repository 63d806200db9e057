"""What a backfill makes: stale partitions of a span of months, cut into chunks, one Dagster run each."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, ConfigDict

from microcoder_assets import plan
from microcoder_assets.collection.platforms import PLATFORMS, UNDATED_MONTH
from microcoder_assets.errors import UserError
from microcoder_assets.operations import CHUNK_MONTHS
from microcoder_assets.runner import PARTITIONED, Chunk, Runner, spans
from microcoder_assets.store import Partition


class Span(BaseModel):
    """What a backfill was asked for. first, last: months, both included. platforms: none, all of them. stage: the last
    asset to make. size: most months a run. force: also partitions that stand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: str
    last: str
    platforms: tuple[str, ...] = ()
    stage: str = PARTITIONED[-1]
    size: int = CHUNK_MONTHS
    force: bool = False

    @classmethod
    def asked(
        cls, first: str, last: str, platforms: Sequence[str], stage: str, size: int = CHUNK_MONTHS, force: bool = False
    ) -> Self:
        """What a person typed. platforms: names, or several with commas between them.

        Raises UserError for a month, a platform or a stage that is not one.
        """
        first, last = _month(first, "--from"), _month(last, "--to")
        if first > last:
            raise UserError(f"--from {first} is after --to {last}")
        names = [name.strip() for text in platforms for name in text.split(",")]
        if unknown := set(names) - set(PLATFORMS):
            raise UserError(f"unknown platform {min(unknown)!r}; one of {', '.join(PLATFORMS)}")
        if stage in plan.STAGES and stage not in PARTITIONED:
            raise UserError(f"{stage} is made of all months at once: `microcoder run --until {stage}`")
        if stage not in PARTITIONED:
            raise UserError(f"unknown stage {stage!r}; one of {', '.join(PARTITIONED)}")
        ordered = tuple(name for name in PLATFORMS if name in names)
        return cls(first=first, last=last, platforms=ordered, stage=stage, size=size, force=force)

    def covers(self, other: Span) -> bool:
        """Whether both ask for the same, however it is cut."""
        return all(getattr(self, name) == getattr(other, name) for name in ("first", "last", "platforms", "stage"))

    @property
    def assets(self) -> list[str]:
        return plan.until(self.stage)

    def __str__(self) -> str:
        return f"{self.stage} of {', '.join(self.platforms) or 'every platform'}, {self.first} to {self.last}"


@dataclass(frozen=True, slots=True)
class Task:
    """One chunk to make. assets: those that one run makes of it. months: those of the chunk that need it; others
    inside it hold no problems. attempt: counted from 1. unsound: a run of it failed, maybe at a
    check after it had stored rows."""

    chunk: Chunk
    assets: tuple[str, ...]
    months: tuple[str, ...]
    attempt: int = 1
    unsound: bool = False

    def __str__(self) -> str:
        return str(self.chunk)


def tasks_of(runner: Runner, span: Span, made: Collection[Partition] = ()) -> tuple[list[Task], int]:
    """What there is to make of a span, and how many partitions of it stand as they should.

    made: those that a forced backfill, which now goes on, has made already.

    A partition is stale when it is missing, or was made from other inputs, settings or code than stand now. One that
    was scraped as it should be is not scraped again to be normalized. No chunk holds a partition that stands.
    Platforms take turns, so that chunks made at the same time ask different sites.
    """
    queues, standing, files = [], 0, runner.project.file_sources()
    for platform in span.platforms or PLATFORMS:
        needed = {
            month: _needed(span.assets, span.assets if again else stale)
            for month, stale in runner.stale_assets(platform, files).items()
            if span.first <= month <= span.last
            for again in [span.force and Partition(month, platform) not in made]
        }
        standing += sum(not assets for assets in needed.values())
        queues.append([
            Task(Chunk(platform, part[0], part[-1]), assets, tuple(part))
            for assets, months in itertools.groupby(needed, needed.__getitem__) if assets
            for part in spans(list(months), size=span.size)
        ])
    turns = itertools.chain.from_iterable(itertools.zip_longest(*queues))
    return [task for task in turns if task is not None], standing


def _needed(assets: Sequence[str], stale: Collection[str]) -> tuple[str, ...]:
    """What a run has to make of `assets`: from the first that is stale on."""
    return tuple(itertools.dropwhile(lambda name: name not in stale, assets))


def _month(text: str, option: str) -> str:
    try:
        parsed = dt.datetime.strptime(text, "%Y-%m")
    except ValueError as error:
        raise UserError(f"{option} {text!r} is not a month; write it as 2026-01") from error
    month = f"{parsed:%Y-%m}"
    if month < UNDATED_MONTH:
        raise UserError(f"{option} {text} is before {UNDATED_MONTH}, the month of undated problems")
    return month
