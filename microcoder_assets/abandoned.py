"""Runs whose process is gone: they are ended in the instance's books and give back the pool slots that they hold.

A killed process can do neither itself. Without this the next run would wait for ever for a slot that nobody frees.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import dagster as dg

ENDED = "its process ended before the run did; what it had finished is stored, run again to go on"

_HELD: list[IO[str]] = []
"""Marks that this process holds until it ends."""


def mark(folder: Path, run_id: str) -> None:
    """Mark a run of this process in `folder` for as long as the process lives."""
    folder.mkdir(parents=True, exist_ok=True)
    held = (folder / run_id).open("w")
    fcntl.flock(held, fcntl.LOCK_SH)
    _HELD.append(held)


@contextlib.contextmanager
def alive(folder: Path, name: str) -> Iterator[None]:
    """Mark a run, or other work, of this process in `folder`; a killed process leaves a mark that nobody holds."""
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / name
    with mark.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        yield
        mark.unlink(missing_ok=True)


def is_alive(folder: Path, name: str) -> bool:
    """Whether a process holds the mark of that name in `folder`."""
    with contextlib.suppress(FileNotFoundError), (folder / name).open() as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def end_abandoned(instance: dg.DagsterInstance, folder: Path) -> None:
    """Report the runs that were marked in `folder` by processes that are gone as failed, and free the pool slots of
    every run that has ended, whoever started it."""
    for mark in folder.iterdir() if folder.is_dir() else ():
        with contextlib.suppress(BlockingIOError, FileNotFoundError), mark.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            run = instance.get_run_by_id(mark.name)
            if run is not None and not run.is_finished:
                instance.report_run_failed(run, ENDED)
            mark.unlink(missing_ok=True)
    storage = instance.event_log_storage
    for run_id in storage.get_concurrency_run_ids():
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            storage.free_concurrency_slots_for_run(run_id)
