"""The shared pool: a real server behind its socket, its client, and the same messages as a Ray actor has them."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_judge import Checker, Limits, Problem, Result, Submission, Test, TestResult, Verdict
from microcoder_judge.client import JudgeClient
from microcoder_judge.ray_actor import JudgeActor, RayJudge, judge_actors
from microcoder_judge.remote import read_result
from microcoder_judge.wire import write_result, write_submission

CHECKOUT = Path(__file__).resolve().parents[2]
SUM = Problem("sum", (Test(b"1 2", b"3", "small"), Test(b"5 5", b"10", "large")))
RIGHT = "print(sum(map(int, input().split())))"


def start(path: Path, *arguments: str) -> subprocess.Popen[str]:
    call = [sys.executable, "-m", "microcoder_judge", "serve", "--socket", str(path), "--workers", "1", *arguments]
    return subprocess.Popen(call, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT)


def refused(path: Path) -> str:
    process = start(path)
    message = process.communicate(timeout=30)[1]
    assert process.returncode == 2
    assert message.count("\n") == 1
    return message


@contextmanager
def serving(path: Path) -> Iterator[subprocess.Popen[str]]:
    process = start(path)
    try:
        assert process.stderr and f"listens at {path}" in process.stderr.readline()
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder, "judge.sock")):
        yield Path(folder, "judge.sock")


@pytest.fixture
def client(server: Path) -> Iterator[JudgeClient]:
    with JudgeClient(server) as client:
        yield client


def sleeping(seconds: float, id: str = "") -> Submission:
    return Submission(f"import time\ntime.sleep({seconds})\n{RIGHT}", SUM, id=id)


# --- the client


def test_evaluate(client: JudgeClient) -> None:
    result = client.evaluate(Submission("print(3)", SUM, id="mine"), isolation="test")
    assert (result.problem_id, result.submission_id, result.verdict) == ("sum", "mine", Verdict.WA)
    assert (result.passed, result.total, result.first_failed) == (1, 2, 1)
    assert [(test.name, test.verdict) for test in result.tests] == [("small", Verdict.AC), ("large", Verdict.WA)]
    assert result.tests[0].cpu_s > 0
    assert "expected '10'" in result.message


def test_all_of_a_submission_travels(client: JudgeClient) -> None:
    binary = Problem("b", (Test(b"\xff\x00", b"\xff"),), Limits(5.0, 256, 1))
    assert client.evaluate(Submission("import os; os.write(1, os.read(0, 1))", binary)).accepted
    assert client.evaluate(Submission("print('x' * (1 << 21))", binary)).verdict is Verdict.OLE
    function = Problem("f", (Test(b"[3]", b"[1, 2, 3]"),), io_mode="function", entry_point="up")
    assert client.evaluate(Submission("def up(n): return list(range(1, n + 1))", function)).accepted
    program = "import sys\nsys.exit(42 if sys.stdin.read().split() == sys.argv[4:] else 43)"
    custom = Checker("custom", program=program, flags=("a", "b"), protocol="kattis")
    flags = Problem("c", (Test(b"", b""),), checker=custom)
    assert client.evaluate(Submission("print('a b')", flags)).accepted
    assert client.evaluate(Submission("print('b a')", flags)).verdict is Verdict.WA


def test_many_in_order_and_equal_ones_once(client: JudgeClient) -> None:
    seen: list[int] = []
    programs = [Submission(f"print({3 if n % 3 else 10})", SUM, id=str(n)) for n in range(12)]
    results = client.evaluate_many(programs, seen.append)
    assert [(r.submission_id, r.passed) for r in results] == [(str(n), 1 if n % 3 else 0) for n in range(12)]
    assert seen == [8, 12] or seen == [4, 12]
    assert client.evaluate_many([]) == []


def test_one_client_in_many_threads_and_tasks(client: JudgeClient) -> None:
    async def both() -> list[Result]:
        return list(await asyncio.gather(*(client.aevaluate(Submission(f"print({n})", SUM)) for n in (3, 4))))

    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(asyncio.run, both()) for _ in range(4)]
        assert [[r.passed for r in f.result()] for f in found] == [[1, 0]] * 4


def test_what_cannot_be_judged_is_the_judges_fault(client: JudgeClient) -> None:
    result = client.evaluate(Submission("x", SUM, language="cobol"))
    assert result.verdict is Verdict.IE
    assert "cobol" in result.message


def test_a_client_that_leaves_gives_up_what_it_waits_for(server: Path) -> None:
    with JudgeClient(server) as leaving, JudgeClient(server) as staying:
        given_up = [leaving.submit(sleeping(0.2 + n / 1000)) for n in range(60)]
        given_up[0].result()
        leaving.close()
        began = time.monotonic()
        assert staying.evaluate(Submission(RIGHT + "#", SUM)).accepted
        assert time.monotonic() - began < 6
        with pytest.raises(ConnectionError, match="ended before its verdict"):
            given_up[-1].result(timeout=10)
        with pytest.raises(RuntimeError, match="closed"):
            leaving.submit(sleeping(0))


def test_no_server(tmp_path: Path) -> None:
    path = tmp_path / "none.sock"
    with pytest.raises(ConnectionError, match=f"no judge listens at {path} .*serve --socket"):
        JudgeClient(path)


def test_a_server_that_ends_is_never_a_verdict_and_a_new_one_is_found(tmp_path: Path) -> None:
    path = tmp_path / "judge.sock"
    with serving(path) as process:
        client = JudgeClient(path)
        owed = [client.submit(sleeping(1 + n / 1000)) for n in range(5)]
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        for future in owed:
            with pytest.raises(ConnectionError, match="ended before its verdict"):
                future.result(timeout=30)
        process.communicate(timeout=30)
        assert process.returncode == 0
    assert not path.exists()
    with pytest.raises(ConnectionError, match="no judge listens"):
        client.submit(sleeping(0))
    with serving(path):
        assert client.evaluate(Submission(RIGHT, SUM)).accepted
        client.close()


def test_a_client_waits_for_a_server_that_starts_later(tmp_path: Path) -> None:
    path = tmp_path / "judge.sock"
    with ThreadPoolExecutor(1) as pool:
        client = pool.submit(JudgeClient, path, wait_s=30)
        time.sleep(0.3)
        with serving(path), client.result() as found:
            assert found.evaluate(Submission(RIGHT, SUM)).accepted


# --- the server


def test_lines_are_pipelined_and_bad_ones_answered(server: Path) -> None:
    slow, quick = write_submission(sleeping(0.3)), write_submission(Submission(RIGHT, SUM))
    lines = [json.dumps({**slow, "id": 1}), "", json.dumps({**quick, "id": "q"}), "{broken", '{"id": 7, "code": ""}']
    with socket.socket(socket.AF_UNIX) as channel, channel.makefile("rw") as file:
        channel.connect(str(server))
        file.write("\n".join(lines) + "\n")
        file.flush()
        rows = [json.loads(file.readline()) for _ in range(4)]
    found = {row["id"]: row for row in rows}
    assert {id: row["verdict"] for id, row in found.items()} == {1: "AC", "q": "AC", None: "IE", 7: "IE"}
    assert "not JSON" in found[None]["reason"] and "tests" in found[7]["reason"]
    assert [row["id"] for row in rows][-1] in (1, "q")


def test_the_socket_is_its_owners_only(server: Path) -> None:
    assert server.stat().st_mode & 0o777 == 0o600


def test_a_live_socket_and_other_files_are_left_alone(server: Path, tmp_path: Path) -> None:
    assert f"a server listens at {server} already" in refused(server)
    with JudgeClient(server) as client:
        assert client.evaluate(Submission(RIGHT, SUM)).accepted
    (tmp_path / "file").write_text("kept")
    assert "is no socket" in refused(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "kept"
    assert "No such file" in refused(tmp_path / "absent" / "judge.sock")
    assert "too long" in refused(tmp_path / ("x" * 120))


def test_a_dead_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "judge.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with serving(path) as process:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 0
    assert not path.exists()


# --- the messages

SECONDS = st.floats(0, 1e4).map(lambda seconds: round(seconds, 6))
RESULTS = st.builds(
    lambda verdict, row: Result("sum", verdict, 1, 2, (TestResult("small", verdict, *row),), "why", "here", True, True),
    st.sampled_from(Verdict),
    st.tuples(SECONDS, SECONDS, st.just(1.5)),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["AC", "0", -1]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["verdict", "passed", "tests", "test", "cpu_s", "reason", "sandbox", "cached"]), inner
        )
    ),
    max_leaves=12,
)


@given(RESULTS)
def test_a_result_comes_back_as_it_was(result: Result) -> None:
    index = Result(**{**{k: getattr(result, k) for k in result.__slots__}, "tests": tuple(result.tests)})
    row = json.loads(json.dumps(write_result(index, 5)))
    row["tests"][0]["test"] = 0
    assert read_result(row, Submission("", SUM)) == result


@given(JSON)
def test_what_is_no_result_is_a_value_error(row: Any) -> None:
    with pytest.raises(ValueError, match="not in the wire form"):
        read_result(row, Submission("", SUM))


# --- Ray, without a cluster


class Handle:
    """An actor as Ray hands it out: methods with `.remote(...)`, whose answer has `.future()`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.actor = JudgeActor(1)
        self.lines = 0
        self.evaluate = SimpleNamespace(remote=self._evaluate)

    def _evaluate(self, line: bytes) -> Any:
        self.lines += 1
        future: Future[Any] = asyncio.run_coroutine_threadsafe(self.actor.evaluate(line), self._loop)
        return SimpleNamespace(future=lambda: future)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.actor.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)


def test_ray_actors_take_turns() -> None:
    handles = [Handle(), Handle()]
    judge = RayJudge(handles)
    programs = [Submission(f"print({n})", SUM, id=str(n)) for n in (3, 10, 4, 5)]
    assert [(r.submission_id, r.passed) for r in judge.evaluate_many(programs)] == [
        ("3", 1),
        ("10", 0),
        ("4", 0),
        ("5", 0),
    ]
    assert [handle.lines for handle in handles] == [2, 2]
    assert judge.evaluate(Submission("x", SUM, language="cobol")).verdict is Verdict.IE
    for handle in handles:
        handle.close()


def test_ray_is_asked_for_only_when_it_is_used() -> None:
    with pytest.raises(ValueError, match="at least one actor"):
        RayJudge([])
    if importlib.util.find_spec("ray") is None:
        with pytest.raises(ImportError, match="pip install"):
            judge_actors(1)
