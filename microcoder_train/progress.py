"""A progress bar on standard error, only where a person looks at it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


def progress(items: Sequence[Item], label: str) -> Iterable[Item]:
    """`items` one by one, with a bar, rate and remaining time."""
    return track(items, label, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)
