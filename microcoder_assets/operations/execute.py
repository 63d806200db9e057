"""Making the chunks of a backfill: here, one after another, or in worker processes at the same time."""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing
import os
import random
import signal
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from microcoder_assets.collection.platforms import PLATFORMS
from microcoder_assets.errors import UserError
from microcoder_assets.operations.backfill import Task
from microcoder_assets.project import Project
from microcoder_assets.runner import Chunk, Runner
from microcoder_assets.throttle import backoff

RETRY_BASE_S, RETRY_MOST_S = 1.0, 30.0
"""First back-off before a chunk is tried again, and the longest. Ours."""

STOP_S = 60.0
"""How long a worker may take to end its run after Ctrl-C before it is killed. Ours."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt at a chunk. stood: another process had made it meanwhile. error: why it failed, in one
    line. died: so did its worker."""

    task: Task
    stood: bool = False
    error: str | None = None
    died: bool = False


def make_here(runner: Runner, queue: deque[Task], force: bool, tags: Mapping[str, str]) -> Generator[Outcome]:
    """Every task of the queue, which may grow meanwhile, in this process."""
    while queue:
        yield _attempt(runner, queue.popleft(), force, tags)


def make_in_workers(
    home: Path, queue: deque[Task], force: bool, tags: Mapping[str, str], count: int
) -> Generator[Outcome]:
    """As `make_here`, `count` at a time, each in a process that lives as long as there is work.

    A worker that dies fails the chunk it was at, and no other. When this is closed or interrupted, workers end the runs
    that they are at as interrupted.
    """
    workers: list[_Worker] = []
    try:
        while queue or workers:
            while queue and len(workers) < count:
                workers.append(_Worker(home, force, tags, queue.popleft()))
            for pipe in wait([worker.pipe for worker in workers]):
                worker = next(each for each in workers if each.pipe is pipe)
                outcome = worker.outcome()
                yield outcome
                if worker.process.is_alive() and queue:
                    worker.give(queue.popleft())
                else:
                    workers.remove(worker)
                    worker.end()
    finally:
        for worker in workers:
            worker.interrupt()
        for worker in workers:
            worker.end()


class _Worker:
    """A process that makes one chunk after another."""

    def __init__(self, home: Path, force: bool, tags: Mapping[str, str], task: Task) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, home, force, dict(tags)))
        with _interrupts_wait():  # until the worker knows what to do with one
            self.process.start()
        theirs.close()
        self.give(task)

    def give(self, task: Task) -> None:
        self.task = task
        with contextlib.suppress(BrokenPipeError):  # a worker that died says so by its end of the pipe
            self.pipe.send(task)

    def outcome(self) -> Outcome:
        try:
            outcome: Outcome = self.pipe.recv()
            return outcome
        except (EOFError, ConnectionResetError):
            self.process.join()
            words = f"its worker process ended with {_ending(self.process.exitcode)}"
            return Outcome(self.task, error=words, died=True)

    def interrupt(self) -> None:
        if self.process.pid is not None and self.process.is_alive():
            os.kill(self.process.pid, signal.SIGINT)

    def end(self) -> None:
        self.pipe.close()
        self.process.join(STOP_S)
        self.process.kill()
        self.process.join()


def _work(pipe: Connection, home: Path, force: bool, tags: Mapping[str, str]) -> None:
    """The life of a worker: it ends when the other side of its pipe does."""
    os.setpgid(0, 0)  # Ctrl-C on a terminal reaches the backfill alone, which passes it on once
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        runner = Runner(Project.load(home))
        while True:
            pipe.send(_attempt(runner, pipe.recv(), force, tags))


@contextlib.contextmanager
def _interrupts_wait() -> Iterator[None]:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _attempt(runner: Runner, task: Task, force: bool, tags: Mapping[str, str]) -> Outcome:
    if task.attempt > 1:
        time.sleep(backoff(task.attempt - 2, RETRY_BASE_S, RETRY_MOST_S, random.Random()))
    try:
        with _claimed(claims_file(runner.project.home), task.chunk):
            if not (force or task.unsound):
                stale = runner.stale_months(task.chunk.platform, task.assets, runner.project.file_sources())
                if not set(stale).intersection(task.months):
                    return Outcome(task, stood=True)
            runner.execute(task.assets, task.chunk, tags)
    except Exception as error:
        return Outcome(task, error=_one_line(error))
    return Outcome(task)


def claims_file(home: Path) -> Path:
    return home / "backfilling" / "claims"


@contextlib.contextmanager
def _claimed(path: Path, chunk: Chunk) -> Iterator[None]:
    """Wait until no other process makes a month of `chunk`: two backfills at once then make each month once.

    Each month of each platform is one byte of the file, and is locked, never written; a killed process lets go.
    """
    first, last = (int(month[:4]) * 12 + int(month[5:]) for month in (chunk.first, chunk.last))
    start = PLATFORMS.index(chunk.platform) * 12 * 10_000 + first
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.lockf(file, fcntl.LOCK_EX, last - first + 1, start)
        yield


def _one_line(error: Exception) -> str:
    words = " ".join(str(error).split()) or type(error).__name__
    return words if isinstance(error, UserError | RuntimeError | OSError) else f"{type(error).__name__}: {words}"


def _ending(code: int | None) -> str:
    return f"exit code {code}" if code is None or code >= 0 else signal.Signals(-code).name


