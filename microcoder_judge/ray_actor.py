"""Judges on the nodes of a Ray cluster: an actor a node, spoken to in the wire form.

    with RayJudge(judge_actors(workers=16)) as judge:
        results = judge.evaluate_many(submissions)

Ray is imported only by the functions that need it.
"""

from __future__ import annotations

import importlib
import itertools
import json
import threading
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from types import TracebackType
from typing import Any

from microcoder_judge.judge import Judge
from microcoder_judge.records import Isolation, Result, Submission
from microcoder_judge.remote import RemoteJudge, read_result
from microcoder_judge.server import answer
from microcoder_judge.wire import write_submission

AT_ONCE = 256
"""Submissions that an actor takes at once (ours); its judge works on `workers` of them, the others wait there."""


class JudgeActor:
    """A judge behind messages: a line of the wire form in, its result out. What Ray runs on a node, without Ray.

    options: those of `Judge`.
    """

    def __init__(self, workers: int, **options: Any) -> None:
        self._judge = Judge(workers, **options)

    async def evaluate(self, line: bytes) -> dict[str, Any]:
        """The result of a line, in the wire form; IE, with the reason, for a line that cannot be judged."""
        return await answer(self._judge, line)

    async def close(self) -> None:
        """End the judge and its workers."""
        self._judge.close()


def judge_actors(workers: int, **options: Any) -> list[Any]:
    """Handles of `JudgeActor`s, one on each living node that has `workers` CPUs, which the actor holds.

    workers: programs at once on a node, at least 1. options: those of `Judge`.
    Raises ImportError where Ray is not installed, and RuntimeError where Ray is not connected or no node is that large.
    """
    ray = _ray()
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}: Ray reserves that many CPUs of a node")
    if not ray.is_initialized():
        raise RuntimeError("Ray is not connected; call ray.init() first")
    remote = ray.remote(num_cpus=workers, max_concurrency=AT_ONCE, max_restarts=-1)(JudgeActor)
    place = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= workers]
    if not nodes:
        raise RuntimeError(f"no node of the Ray cluster has {workers} CPUs; ask for fewer workers")
    return [
        remote.options(scheduling_strategy=place(node["NodeID"], soft=False)).remote(workers, **options)
        for node in nodes
    ]


class RayJudge(RemoteJudge):
    """Sends submissions to actors in turn. Safe to share between threads and event loops.

    An actor that dies is never a verdict: what it owes raises Ray's error.
    """

    def __init__(self, actors: Sequence[Any]) -> None:
        if not actors:
            raise ValueError("a RayJudge needs at least one actor")
        self._actors = tuple(actors)
        self._turn = itertools.cycle(self._actors)
        self._lock = threading.Lock()

    def __enter__(self) -> RayJudge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the actors and the workers of each."""
        ray = _ray()
        ray.get([actor.close.remote() for actor in self._actors])
        for actor in self._actors:
            ray.kill(actor)

    def submit(self, submission: Submission, isolation: Isolation | None = None) -> Future[Result]:
        """Send one submission. Raises RecordError for a test of a function problem that is not JSON."""
        line = json.dumps({**write_submission(submission, isolation), "id": 0}).encode()
        with self._lock:
            actor = next(self._turn)
        answered: Future[dict[str, Any]] = actor.evaluate.remote(line).future()
        found: Future[Result] = Future()
        answered.add_done_callback(lambda done: _settle(found, done, submission))
        return found


def _settle(found: Future[Result], answered: Future[dict[str, Any]], submission: Submission) -> None:
    # Whoever gave up `found` wants neither.
    with suppress(InvalidStateError):
        try:
            result = read_result(answered.result(), submission)
        except Exception as error:
            found.set_exception(error)
        else:
            found.set_result(result)


def _ray() -> Any:
    try:
        importlib.import_module("ray.util.scheduling_strategies")
        return importlib.import_module("ray")
    except ImportError as error:
        raise ImportError("Ray is not installed; pip install 'ray>=2.60'") from error
