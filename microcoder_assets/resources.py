"""What assets are given: the project they belong to, progress on a terminal, and a log that people read."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from microcoder_assets.project import Project


class Workspace(dg.ConfigurableResource):  # type: ignore[type-arg]
    """A home folder; its project is read when a run starts, so that a new --source needs no restart of the UI."""

    home: str

    @property
    def path(self) -> Path:
        return Path(self.home)

    @property
    def running(self) -> Path:
        """Where runs are marked for as long as their processes live."""
        return self.path / "running"

    def project(self) -> Project:
        return Project.load(self.path)


@contextlib.contextmanager
def progress(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while work goes on, when someone is there to see it; call it with what was done."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)
        yield lambda done: bar.advance(task, done)


class _OwnWords(logging.Filter):
    """Lets through what assets say, not what the engine says about itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        meta = getattr(record, "dagster_meta", {})
        message = str(meta.get("orig_message") or "")
        return not meta.get("dagster_event") and not message.startswith("Dependencies for step")


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        meta = getattr(record, "dagster_meta", {})
        return str(meta.get("orig_message") or record.getMessage())


@dg.logger({}, "One line a stage on standard error.")
def plain_logger(init: dg.InitLoggerContext) -> logging.Logger:
    log = logging.getLogger("microcoder")
    log.setLevel(logging.INFO)
    log.propagate = False
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_OwnWords())
    handler.setFormatter(_Plain())
    log.handlers = [handler]
    return log
