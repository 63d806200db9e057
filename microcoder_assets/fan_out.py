"""One function over many items inside a stage: here, in threads, on the nodes of a Ray cluster; and on every core.

An `Engine` maps a stage's large pieces of work: batches of problems for a judge, requests to a model. Results come in
the order of the items, as a stream, and so far only are items taken ahead. An item that fails is a `Done` with its
error and stops no other. Each item has a key that says what it is; what comes again under the same key is done once.
A stage keeps what is done by the same keys, which makes its next run go on where this one ended.

`map_on_cores` is for what is not worth a message: pure functions of a row, in Python, by the thousand.
"""

from __future__ import annotations

import itertools
import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import joblib

from microcoder_assets.errors import UserError

Item = TypeVar("Item")
Made = TypeVar("Made")

AHEAD = 4
"""Items taken ahead of the one whose result is next, for each that is worked on at once: a slow one then keeps no other
from being begun. Ours."""
FEW = 512
"""Fewer items are done here: starting the processes costs more than a second. Measured; ours."""
ITEMS_A_MESSAGE = 32
IDLE_S = 20
"""Seconds after which idle processes end. Ours. Those of a parent that was killed end too, but only minutes later."""


@dataclass(frozen=True, slots=True)
class Done(Generic[Made]):
    """What became of one item: what the function made of it, or what it raised."""

    key: str
    made: Made | None = None
    error: Exception | None = None

    def result(self) -> Made:
        """What was made; raises what the function raised."""
        if self.error is not None:
            raise self.error
        return self.made  # type: ignore[return-value]


class Engine(Protocol):
    """here: whether the function runs in this process, so that it may hold what cannot be sent."""

    here: bool

    def map(self, function: Callable[[Item], Made], items: Iterable[tuple[str, Item]]) -> Iterator[Done[Made]]:
        """`function` of each item, keyed, in order. Items are taken as results are."""
        ...


class Serial:
    """One item after the other."""

    here = True

    def map(self, function: Callable[[Item], Made], items: Iterable[tuple[str, Item]]) -> Iterator[Done[Made]]:
        for key, item in _once(items):
            yield _done(key, lambda: function(item))  # noqa: B023


class Threads:
    """A pool of threads: for work that waits for a server or a judge, which is none for Python's lock.

    width: items at once. What runs is waited for where the reader stops, not where an interrupt ends the reading: then
    the caller ends what it waits for.
    """

    here = True

    def __init__(self, width: int) -> None:
        self._width = width

    def map(self, function: Callable[[Item], Made], items: Iterable[tuple[str, Item]]) -> Iterator[Done[Made]]:
        pool = ThreadPoolExecutor(self._width)
        try:
            yield from _in_order(lambda item: pool.submit(function, item), Future.result, items, AHEAD * self._width)
        except GeneratorExit:
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


class OnRay:
    """The nodes of a Ray cluster. function and items are sent; a task whose node dies is run again on another, and a
    result that was lost with its node is made again. One that ends every process that tries it is an error.

    address: of the cluster, as `ray.init` takes it. cpus: of one node, that a task holds.
    Raises UserError where Ray is not installed or not reached, or no node has so many CPUs.
    """

    here = False

    def __init__(self, address: str, cpus: int) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise UserError("[fan_out] engine = \"ray\" needs Ray: pip install 'microcoder[ray]'") from error
        self._ray, self._cpus = ray, cpus
        if not ray.is_initialized():
            try:
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
            except (ConnectionError, OSError, RuntimeError, ValueError) as error:
                first = str(error).strip().splitlines()[0]
                raise UserError(f"no Ray cluster at {address} ({first}); set [fan_out] address") from error
        if not self._at_once():
            raise UserError(f"no node of the Ray cluster has {cpus} CPUs; set [fan_out] cpus to fewer")

    def map(self, function: Callable[[Item], Made], items: Iterable[tuple[str, Item]]) -> Iterator[Done[Made]]:
        ray = self._ray
        task = ray.remote(_applied).options(num_cpus=self._cpus, scheduling_strategy="SPREAD")
        sent = ray.put(function)
        ahead = AHEAD * max(1, self._at_once())
        yield from _in_order(lambda item: task.remote(sent, item), self._get, items, ahead)

    def _at_once(self) -> int:
        """Tasks that the living nodes have CPUs for."""
        alive = (node["Resources"] for node in self._ray.nodes() if node["Alive"])
        return sum(int(resources.get("CPU", 0)) // self._cpus for resources in alive)

    def _get(self, reference: Any) -> Any:
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, Exception) else error) from None


def map_on_cores(function: Callable[[Item], Made], items: Sequence[Item]) -> Iterable[Made]:
    """`function` of each item, in order. function: pure, and importable by name. What it raises is raised here."""
    if len(items) < FEW or joblib.cpu_count() == 1:
        return map(function, items)
    with joblib.parallel_config(backend="loky", idle_worker_timeout=IDLE_S):
        every = joblib.Parallel(n_jobs=-1, batch_size=ITEMS_A_MESSAGE, return_as="generator")
        return every(joblib.delayed(function)(item) for item in items)  # type: ignore[no-any-return]


def _in_order(
    submit: Callable[[Item], Any], result: Callable[[Any], Made], items: Iterable[tuple[str, Item]], ahead: int
) -> Iterator[Done[Made]]:
    """What was submitted, in order; no more than `ahead` of it at a time."""
    todo, waiting = _once(items), deque[tuple[str, Any]]()
    while True:
        waiting.extend((key, submit(item)) for key, item in itertools.islice(todo, ahead - len(waiting)))
        if not waiting:
            return
        key, submitted = waiting.popleft()
        yield _done(key, lambda: result(submitted))  # noqa: B023


def _once(items: Iterable[tuple[str, Item]]) -> Iterator[tuple[str, Item]]:
    keys: set[str] = set()
    for key, item in items:
        if key not in keys:
            keys.add(key)
            yield key, item


def _done(key: str, make: Callable[[], Made]) -> Done[Made]:
    try:
        return Done(key, make())
    except Exception as error:
        return Done(key, error=error)


def _applied(function: Callable[[Item], Made], item: Item) -> Made:
    return function(item)
