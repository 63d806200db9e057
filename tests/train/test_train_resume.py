"""A run that is killed goes on, and ends as an unbroken one does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fabricated import TINY

from microcoder_train.cli import run

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
SETTINGS = {
    **TINY,
    "steps": 16,
    "checkpoint_rollouts": 1,
    "curriculum": "adaptive",
    "temperature_schedule": "guarded",
    "temperature_hold": 2,
    "reward_format": 0.1,
    "truncation_mask": "conditional",
    "truncation_rho": 0.5,
    "context_stages": "4=10,8=12",
    "learning_rate": 0.01,
}
FULL_DISK = """
import os, shutil, sys, threading, time
from pathlib import Path
from microcoder_train.__main__ import main

disk, arguments = Path(sys.argv[1]), ["grpo", "--out", sys.argv[1] + "/run", *sys.argv[2:]]
found = lambda: list(disk.glob("run.checkpoints-*/checkpoint-*/microcoder.json"))

def fill():
    while not found():
        time.sleep(0.005)
    filler = os.open(disk / "filler", os.O_CREAT | os.O_WRONLY)
    try:
        while True:
            os.write(filler, bytes(4096))
    except OSError:
        os.close(filler)

threading.Thread(target=fill, daemon=True).start()
codes = [main(arguments)]
kept = len(found())
(disk / "filler").unlink()
codes.append(main(arguments))
shutil.copy(disk / "run/model/model.safetensors", disk.parent)
print(codes, kept > 0)
"""
CLOCKS = {"reward_seconds", "step_seconds"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "config.json"
    path.write_text(json.dumps(SETTINGS), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def unbroken(split: Path, settings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("unbroken") / "run"
    run(["grpo", "--split", str(split), "--out", str(out), "--config", str(settings)], lambda _: None)
    return out


def ended(split: Path, settings: Path, out: Path, number: signal.Signals, after: int) -> int:
    """The exit code of a run that was sent a signal when it had saved `after` checkpoints."""
    line = [sys.executable, "-m", "microcoder_train", "grpo", "--split", str(split), "--out", str(out)]
    with subprocess.Popen([*line, "--config", str(settings)], env=ENVIRONMENT, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            steps = [int(path.parent.name.rpartition("-")[2]) for path in states(out)]
            if steps and max(steps) >= 2 * after:
                process.send_signal(number)
                break
            time.sleep(0.005)
        return process.wait(timeout=120)


def states(out: Path) -> list[Path]:
    return list(out.parent.glob(f"{out.name}.checkpoints-*/checkpoint-*/microcoder.json"))


def curve(out: Path) -> list[dict[str, Any]]:
    points = json.loads((out / "summary.json").read_text(encoding="utf-8"))["curve"]
    return [{name: value for name, value in point.items() if name not in CLOCKS} for point in points]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
def test_a_killed_run_ends_as_an_unbroken_one(
    split: Path, settings: Path, unbroken: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    out = tmp_path / "run"
    assert ended(split, settings, out, number, after=3) == code
    assert not out.exists()
    assert states(out)
    said: list[str] = []
    run(["grpo", "--split", str(split), "--out", str(out), "--config", str(settings)], said.append)
    assert any("going on from checkpoint-" in line for line in said)
    assert curve(out) == curve(unbroken)
    assert len({point["temperature"] for point in curve(out)}) > 1
    assert [point["length_limit"] for point in curve(out)] == [8, 8, 10, 10, 12, 12, 12, 12]
    weights = "model/model.safetensors"
    assert (out / weights).read_bytes() == (unbroken / weights).read_bytes()
    columns = ["step", "completion", "verdict", "judge", "advantage", "masked"]
    rows = [pq.read_table(path / "completions", columns=columns) for path in (out, unbroken)]
    assert rows[0] == rows[1]
    assert not states(out)


def test_a_disk_that_fills_keeps_the_last_whole_checkpoint(
    split: Path, settings: Path, unbroken: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    shell = 'mount -t tmpfs -o size=8m none "$1" && exec "$2" -c "$3" "$1" --split "$4" --config "$5"'
    line = ["unshare", "-Urm", "sh", "-c", shell, "sh", disk, sys.executable, FULL_DISK, split, settings]
    done = subprocess.run([*map(str, line)], capture_output=True, text=True, check=False, env=ENVIRONMENT)
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip(f"cannot mount a small disk here: {done.stderr.strip()}")
    assert done.stdout.splitlines()[-1:] == ["[2, 0] True"], done.stderr[-3000:]
    assert "free some space" in done.stderr
    assert "going on from checkpoint-" in done.stderr
    assert (tmp_path / "model.safetensors").read_bytes() == (unbroken / "model/model.safetensors").read_bytes()
