"""How soon is the web UI there, and what does it hold? `python -m bench.bench_ui HOME [--rounds 5]`.

`microcoder ui` over HOME and, by turns, `dagster dev` over one empty asset in an instance of its own: what the second
costs is Dagster's. Told are medians over the rounds: seconds until the server answers and until the asset graph does,
and the proportional memory (shared pages divided among their sharers) of all its processes then, by what they are.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
from rich.progress import track

from bench.tables import print_table

PATIENCE_S, POLL_S = 300.0, 0.02
EMPTY = "import dagster as dg\n\n\n@dg.asset\ndef nothing() -> None: ...\n\n\ndefs = dg.Definitions([nothing])\n"
GRAPH = """{ assetNodes { assetKey { path } groupName description dependencyKeys { path }
             metadataEntries { label } partitionDefinition { description } } }"""
PARTS = {
    "dagster_webserver": "webserver", "dagster._daemon": "daemon", "dagster dev": "supervisor",
    **dict.fromkeys(("code-server", "api grpc"), "code server"),
}  # fmt: skip
"""Words of a command line -> what the process is."""


def main() -> None:
    parser = ArgumentParser(description=__doc__, usage="python -m bench.bench_ui HOME [--rounds 5]")
    parser.add_argument("home", type=Path, metavar="HOME", help="of a run, for example of `make run`")
    parser.add_argument("--rounds", type=int, default=5, help="starts of each (5)")
    arguments = parser.parse_args()
    measured: dict[str, list[dict[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder) / "empty.py"
        module.write_text(EMPTY)
        ours = [sys.executable, "-m", "microcoder_assets.cli", "--home", str(arguments.home.resolve()), "ui"]
        plain = [sys.executable, "-m", "dagster", "dev", "-f", str(module)]
        for _ in track(range(arguments.rounds), "starts", transient=True):
            measured["microcoder ui"].append(start(ours, None))
            measured["one empty asset"].append(start(plain, Path(folder)))
    print(f"medians of {arguments.rounds} starts, by turns\n")
    print_table(*table(measured))


def table(measured: dict[str, list[dict[str, float]]]) -> tuple[list[str], list[list[str]]]:
    """One line a measure, with the ratio of the two."""
    lines = []
    for name in dict.fromkeys(name for rounds in measured.values() for each in rounds for name in each):
        ours, plain = (statistics.median(each.get(name, 0.0) for each in rounds) for rounds in measured.values())
        lines.append([name, f"{ours:.1f}", f"{plain:.1f}", f"{ours / plain:.2f}" if plain else "-"])
    return ["", *measured, "ratio"], lines


def start(command: Sequence[str], instance: Path | None) -> dict[str, float]:
    """One start: seconds until it answers, and memory in MiB. instance: DAGSTER_HOME, None: as the command has it."""
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    environment |= {"DAGSTER_HOME": str(instance)} if instance else {}
    began = time.monotonic()
    process = subprocess.Popen(
        [*command, "--port", str(port)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(process, lambda: _get(f"http://127.0.0.1:{port}/server_info") is not None)
        answers = time.monotonic() - began
        _wait(process, lambda: bool(_graph(port)))
        shows = time.monotonic() - began
        again = time.monotonic()
        _graph(port)
        once_more = time.monotonic() - again
        held = memory(process.pid)
    finally:
        started = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        process.send_signal(signal.SIGINT)
        for left in psutil.wait_procs(started, timeout=60)[1]:
            left.kill()
    measures = {"seconds to an answer": answers, "seconds to the asset graph": shows}
    measures["milliseconds for the graph again"] = 1000 * once_more
    return measures | {f"MiB of the {name}" if name != "all" else "MiB in all": size for name, size in held.items()}


def memory(pid: int) -> dict[str, float]:
    """MiB of a process and all below it, by what they are."""
    held: Counter[str] = Counter()
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        words = " ".join(process.cmdline())
        part = next((part for known, part in PARTS.items() if known in words), "others")
        size = process.memory_full_info().pss / 2**20
        held[part] += size
        held["all"] += size
    return dict(sorted(held.items(), key=lambda item: item[0] == "all"))


def _graph(port: int) -> list[Any]:
    found = _get(f"http://127.0.0.1:{port}/graphql", json.dumps({"query": GRAPH}).encode())
    return json.loads(found)["data"]["assetNodes"] if found else []


def _get(url: str, body: bytes | None = None) -> bytes | None:
    """None while nobody answers."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return bytes(response.read())
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def _wait(process: subprocess.Popen[bytes], holds: Callable[[], bool]) -> None:
    """Raises SystemExit when the process ends or takes longer than PATIENCE_S."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"the UI did not start: {' '.join(map(str, process.args))}")  # type: ignore[arg-type]
        time.sleep(POLL_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
