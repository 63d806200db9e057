"""Dagster's daemon: what waits for it, and whether it is there."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from microcoder_assets.operations.record import ASKED, unfinished
from microcoder_assets.runner import prepare_instance

SILENT_S = 300.0
"""Without a heartbeat for so long a daemon counts as gone. Ours: it beats every 30 s, and a beat may wait for a load of
the code."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """beat: the newest heartbeat of any daemon, UTC. runs, backfills: ids of those that only a daemon can start."""

    beat: dt.datetime | None
    runs: list[str]
    backfills: list[str]

    def silent(self, now: dt.datetime) -> bool:
        return self.beat is None or (now - self.beat).total_seconds() > SILENT_S

    def daemon(self, now: dt.datetime) -> str:
        if self.beat is None:
            return "never seen"
        ago = int((now - self.beat).total_seconds())
        return f"silent since {self.beat:%Y-%m-%d %H:%M} UTC" if self.silent(now) else f"alive, beat {ago} s ago"

    def trap(self, now: dt.datetime) -> str | None:
        """What was launched and will not start, in one line; None where nothing waits for a daemon that is gone."""
        if not self.silent(now) or not (self.runs or self.backfills):
            return None
        kinds = (("run", self.runs), ("backfill", self.backfills))
        what = " and ".join(f"{len(ids)} {kind}{'s' * (len(ids) > 1)} ({ids[0][:8]})" for kind, ids in kinds if ids)
        verb = "waits" if len(self.runs) + len(self.backfills) == 1 else "wait"
        return (
            f"{what} {verb} for a Dagster daemon and none is running: start one with `microcoder ui` or "
            "`dagster-daemon run`, or cancel them there and use `microcoder backfill`, which needs none"
        )


def waiting(instance: dg.DagsterInstance) -> Waiting:
    beats = [beat.timestamp for beat in instance.get_daemon_heartbeats().values()]
    runs = instance.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
    return Waiting(
        dt.datetime.fromtimestamp(max(beats), dt.UTC) if beats else None,
        [run.run_id for run in runs],
        [each.backfill_id for each in unfinished(instance) if ASKED not in each.tags],
    )


def waiting_in(home: Path) -> Waiting:
    """Of the instance of a home, which is made if there is none."""
    prepare_instance(home)
    with dg.DagsterInstance.get() as instance:
        return waiting(instance)
