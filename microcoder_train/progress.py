"""A progress bar on standard error, only where a person looks at it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TypeVar

from rich import progress as bars
from rich.console import Console

Item = TypeVar("Item")


def progress(items: Sequence[Item], label: str) -> Iterable[Item]:
    """`items` one by one, with a bar, rate and remaining time."""
    with Progress(len(items), label) as bar:
        for item in items:
            yield item
            bar.advance(1)


class Progress:
    """A bar over `total` steps with count, rate and remaining time."""

    def __init__(self, total: int, label: str) -> None:
        self._bar = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TextColumn("{task.fields[rate]}"),
            bars.TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._task = self._bar.add_task(label, total=total, rate="")

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def advance(self, steps: int) -> None:
        speed = self._bar.tasks[0].speed
        self._bar.update(self._task, advance=steps, rate=f"{speed:.1f}/s" if speed else "")
