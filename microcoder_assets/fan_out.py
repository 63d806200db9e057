"""One function over many items, on every core that this process may use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import joblib

Item = TypeVar("Item")
Made = TypeVar("Made")

FEW = 512
"""Fewer items are done here: starting the processes costs more than a second. Measured; ours."""
ITEMS_A_MESSAGE = 32
IDLE_S = 20
"""Seconds after which idle processes end. Ours. Those of a parent that was killed end too, but only minutes later."""


def map_on_cores(function: Callable[[Item], Made], items: Sequence[Item]) -> Iterable[Made]:
    """`function` of each item, in order. function: pure, and importable by name. What it raises is raised here."""
    if len(items) < FEW or joblib.cpu_count() == 1:
        return map(function, items)
    with joblib.parallel_config(backend="loky", idle_worker_timeout=IDLE_S):
        every = joblib.Parallel(n_jobs=-1, batch_size=ITEMS_A_MESSAGE, return_as="generator")
        return every(joblib.delayed(function)(item) for item in items)  # type: ignore[no-any-return]
