"""A backfill from its first chunk to its last: recorded in the web UI, retried, stopped and resumed."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import dagster as dg
from dagster._core.utils import make_new_backfill_id

from microcoder_assets.abandoned import alive
from microcoder_assets.errors import UserError
from microcoder_assets.operations import RETRIES
from microcoder_assets.operations.backfill import Span, Task, tasks_of
from microcoder_assets.operations.execute import Outcome, make_here, make_in_workers
from microcoder_assets.operations.record import (
    BackfillRecord,
    close_abandoned,
    marks_folder,
    resumable,
    span_of,
)
from microcoder_assets.resources import progress
from microcoder_assets.runner import Runner


@dataclass(slots=True)
class Report:
    """made: partitions by a run of this backfill, or of another at the same time. standing: those that stood before."""

    backfill_id: str | None
    standing: int
    made: list[Task] = field(default_factory=list)
    failed: list[Outcome] = field(default_factory=list)

    def __str__(self) -> str:
        chunks = len(self.made) + len(self.failed)
        if not chunks:
            return f"nothing to do: every partition stands ({self.standing})"
        months = sum(len(task.months) for task in self.made)
        tail = f"; backfill {self.backfill_id}"
        return f"{len(self.made)} of {chunks} chunks done, {months} partitions made, {self.standing} stood{tail}"


def find_resumable(home: Path, span: Span | None, resume: bool) -> tuple[Span, str | None]:
    """What is to be made, and the id of the backfill that it goes on with; first the books are put in order after
    backfills that were killed.

    resume: the last backfill, of `span` where that is given, that ended before all was made; `span` anew where there
    is none. Raises UserError where there is no span either.
    """
    with dg.DagsterInstance.get() as instance:
        close_abandoned(instance, home)
        if resume and (found := resumable(instance, span)):
            return span or span_of(found), found.backfill_id
    if span is None:
        raise UserError("no backfill waits to be resumed; give --from and --to to start one")
    return span, None


def planned(runner: Runner, span: Span) -> str:
    """What a backfill would run, a line a chunk."""
    tasks, standing = tasks_of(runner, span)
    lines = [f"{task}: {len(task.months)} partitions of {', '.join(task.assets)}" for task in tasks]
    return "\n".join([*lines, f"{len(tasks)} chunks would run, {standing} partitions stand"])


def launch(
    runner: Runner, span: Span, *, parallel: int = 1, retries: int = RETRIES, resumed: str | None = None
) -> Report:
    """Make what is stale of `span`. A chunk that fails is tried again after the others, at most `retries` times.

    parallel: chunks made at the same time; more than one, each in a process of its own. resumed: the id of the backfill
    that this one goes on with. Ctrl-C, SIGTERM and a cancellation in the web UI raise KeyboardInterrupt, once the runs
    under way have ended.
    """
    with dg.DagsterInstance.get() as instance:
        made = BackfillRecord(instance, resumed).made if resumed and span.force else ()
        tasks, standing = tasks_of(runner, span, made)
        report = Report(resumed, standing)
        if tasks:
            report.backfill_id = resumed or make_new_backfill_id()
            with alive(marks_folder(runner.project.home), report.backfill_id):
                record = BackfillRecord.opened(instance, report.backfill_id, span, tasks)
                with _ended(record, report):
                    _make(runner, record, report, tasks, span.force, parallel, retries)
        elif resumed:
            BackfillRecord(instance, resumed).close()
    return report


def _make(
    runner: Runner, record: BackfillRecord, report: Report, tasks: Sequence[Task], force: bool, parallel: int,
    retries: int,
) -> None:
    queue = deque(tasks)
    workers = min(parallel, len(tasks))
    outcomes = (
        make_here(runner, queue, force, record.run_tags)
        if workers == 1
        else make_in_workers(runner.project.home, queue, force, record.run_tags, workers)
    )
    with progress("backfilling", len(tasks)) as advance, contextlib.closing(outcomes):
        for outcome in outcomes:
            task = outcome.task
            again = outcome.error is not None and task.attempt <= retries
            if again:
                queue.append(dataclasses.replace(task, attempt=task.attempt + 1, unsound=not outcome.died))
            elif outcome.error is not None:
                report.failed.append(outcome)
            else:
                report.made.append(task)
            if not again:
                advance(1)
            done = len(report.made) + len(report.failed)
            click.echo(f"[{done}/{len(tasks)}] {_words(outcome, again)}", err=True)
            record.advance(report.made, [each.task for each in report.failed])
            if record.canceled:
                raise KeyboardInterrupt


def _words(outcome: Outcome, again: bool) -> str:
    task = outcome.task
    if outcome.error is None:
        return f"{task} " + ("stands, made by another backfill meanwhile" if outcome.stood else "done")
    tried = "to be tried again" if again else f"given up after {task.attempt} attempts"
    return f"{task} failed, {tried}: {outcome.error}"


@contextlib.contextmanager
def _ended(record: BackfillRecord, report: Report) -> Iterator[None]:
    """Close the record however it ends; SIGTERM ends it as Ctrl-C does."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except BaseException:
        record.close(stopped=True)
        raise
    else:
        record.close(failed=bool(report.failed))
    finally:
        signal.signal(signal.SIGTERM, before)
