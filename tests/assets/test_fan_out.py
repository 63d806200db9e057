"""One suite for every engine: order, streaming, errors kept apart, keys; and what only some of them do."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rows import DOUBLE, frame, selected, unique_row

from microcoder_assets.config import FanOutSettings, VerificationSettings
from microcoder_assets.errors import UserError
from microcoder_assets.fan_out import AHEAD, FEW, Engine, OnRay, Serial, Threads, map_on_cores
from microcoder_assets.store import Blobs, Packs
from microcoder_assets.verification import verify as verify_module
from microcoder_assets.verification.evidence import Outcome
from microcoder_assets.verification.verify import at_engine, verify


def square(n: int) -> int:
    if n < 0:
        raise ValueError(f"{n} is negative")
    return n * n


def keyed(numbers: list[int]) -> list[tuple[str, int]]:
    return [(str(n), n) for n in numbers]


START_S = 120
"""Ray gives a node 30 seconds to start: too few on a busy machine, because each starts two more Pythons."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes on loopback, the second of which may be taken away."""
    ray = pytest.importorskip("ray", reason="Ray is not installed (extra `ray`)")
    from ray._private import services
    from ray.cluster_utils import Cluster

    get_node = services.get_node

    def get_node_patiently(*arguments: Any) -> Any:
        end = time.monotonic() + START_S
        while True:
            try:
                return get_node(*arguments)
            except RuntimeError:
                if time.monotonic() > end:
                    raise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "get_node", get_node_patiently)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_agent_register_timeout_ms", f"{START_S * 1000}")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        cluster.second = cluster.add_node(num_cpus=1)
        OnRay(cluster.address, 1)
        yield cluster
        ray.shutdown()
        cluster.shutdown()


@pytest.mark.long
def test_a_cluster_that_is_not_there_is_one_clear_line() -> None:
    pytest.importorskip("ray", reason="Ray is not installed (extra `ray`)")
    with pytest.raises(UserError, match=r"no Ray cluster at auto .*\[fan_out\] address"):
        OnRay("auto", 1)


@pytest.fixture(params=["serial", "threads", pytest.param("ray", marks=pytest.mark.long)])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "ray":
        return OnRay(request.getfixturevalue("cluster").address, 1)
    return Serial() if request.param == "serial" else Threads(3)


def test_results_come_in_the_order_of_the_items(engine: Engine) -> None:
    numbers = list(range(20))
    assert [(done.key, done.made) for done in engine.map(square, keyed(numbers))] == [(str(n), n * n) for n in numbers]
    assert list(engine.map(square, [])) == []


def test_an_error_stops_no_other_item(engine: Engine) -> None:
    first, bad, last = engine.map(square, keyed([2, -1, 3]))
    assert (first.result(), last.result()) == (4, 9)
    assert isinstance(bad.error, ValueError)
    with pytest.raises(ValueError, match="-1 is negative"):
        bad.result()


def test_what_comes_again_under_its_key_is_done_once(engine: Engine) -> None:
    assert [done.key for done in engine.map(square, keyed([2, 3, 2, 2, 4, 3]))] == ["2", "3", "4"]


def test_an_interrupt_does_not_wait_for_what_runs_in_threads() -> None:
    begun, let_go = threading.Event(), threading.Event()
    ended = []

    def work(n: int) -> None:
        begun.set()
        let_go.wait(60)
        ended.append(n)

    def items() -> Iterator[tuple[str, int]]:
        yield "1", 1
        begun.wait(60)
        raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            list(Threads(2).map(work, items()))
        assert ended == []
    finally:
        let_go.set()


def test_items_are_taken_as_results_are(engine: Engine) -> None:
    taken = []

    def items() -> Iterator[tuple[str, int]]:
        for n in range(1000):
            taken.append(n)
            yield str(n), n

    results = engine.map(square, items())
    for _ in range(3):
        next(results)
    assert 3 <= len(taken) <= 3 + AHEAD * 3


@pytest.mark.long
def test_a_task_larger_than_every_node_is_one_clear_line(cluster: Any) -> None:
    with pytest.raises(UserError, match="no node of the Ray cluster has 1000 CPUs"):
        OnRay(cluster.address, 1000)


def end_yourself(n: int) -> int:
    if n == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return n


@pytest.mark.long
def test_an_item_that_ends_every_process_is_an_error(cluster: Any) -> None:
    first, bad, last = OnRay(cluster.address, 1).map(end_yourself, keyed([0, 1, 2]))
    assert (first.result(), last.result()) == (0, 2)
    assert bad.error is not None


def test_verification_of_two_batches_at_once_gives_the_rows_of_one_after_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = Blobs(tmp_path / "blobs")
    chance = "import random\nprint(2 * int(input()) + random.randrange(1))"
    programs = {"accepted": [DOUBLE, chance], "wrong_answer": ["print(int(input()) + 2)"]}
    problems = frame([unique_row(blobs, f"a:{n}", references=programs) for n in range(4)])
    monkeypatch.setattr(verify_module, "PROBLEMS_A_BATCH", 1)
    settings, engine = at_engine(VerificationSettings(mutants=2), FanOutSettings())  # type: ignore[call-arg]
    assert isinstance(engine, Threads)
    both = verify(selected(problems), problems, blobs, Packs(tmp_path / "both"), settings, engine=engine)
    single = verify(selected(problems), problems, blobs, Packs(tmp_path / "single"), settings, engine=Serial())
    assert both.frame.height == 4
    assert both.frame.equals(single.frame)
    outcomes = Packs(tmp_path / "both").get(Packs(tmp_path / "both").known())
    for outcome in map(Outcome.from_json, outcomes.values()):
        ran = [len(run.verdicts) for run in outcome.runs if run.label == "accepted"]
        assert ran == [1, 1 + settings.repeats]


@pytest.mark.long
def test_verification_on_a_cluster_that_loses_a_node_gives_the_rows_of_one_machine(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = Blobs(tmp_path / "blobs")
    programs = {"accepted": [DOUBLE, "print(2 * int(input()))"], "wrong_answer": ["print(int(input()) + 2)"]}
    problems = frame([unique_row(blobs, f"a:{n}", references=programs) for n in range(6)])
    monkeypatch.setattr(verify_module, "PROBLEMS_A_BATCH", 1)
    settings = VerificationSettings(mutants=2)  # type: ignore[call-arg]
    told = []

    def lose_a_node(done: int) -> None:
        told.append(done)
        if len(told) == 2:
            cluster.remove_node(cluster.second, allow_graceful=False)

    sent, engine = at_engine(settings, FanOutSettings(engine="ray", address=cluster.address, cpus=1))
    there = verify(selected(problems), problems, blobs, Packs(tmp_path / "there"), sent, lose_a_node, engine)
    here = verify(selected(problems), problems, blobs, Packs(tmp_path / "here"), settings)
    assert there.frame.equals(here.frame)
    assert [d.problem_id for d in there.decisions] == [d.problem_id for d in here.decisions]
    assert told == [0, 1, 1, 1, 1, 1, 1]
    assert Packs(tmp_path / "there").known() == Packs(tmp_path / "here").known()


def process_of(_: int) -> int:
    return os.getpid()


@pytest.mark.parametrize("count", [0, 1, FEW - 1, FEW + 1])
def test_rows_come_in_the_order_of_the_items(count: int) -> None:
    assert list(map_on_cores(math.isqrt, range(count))) == [math.isqrt(n) for n in range(count)]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) == 1, reason="there is one core")
def test_only_many_items_leave_this_process() -> None:
    assert set(map_on_cores(process_of, range(FEW - 1))) == {os.getpid()}
    assert os.getpid() not in set(map_on_cores(process_of, range(FEW)))


@pytest.mark.parametrize("count", [1, FEW])
def test_what_the_function_raises_is_raised_here(count: int) -> None:
    root: Callable[[int], float] = math.sqrt
    with pytest.raises(ValueError, match=r"domain|expected"):
        list(map_on_cores(root, [-1] * count))
