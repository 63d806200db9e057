"""A home whose disk the kernel mounted again read-only, as it does after an error of the disk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, subprocess, sys
from click.testing import CliRunner
from microcoder_assets.cli import main

disk, packages = sys.argv[1:]

def microcoder(*arguments):
    done = CliRunner().invoke(main, ["--home", f"{disk}/home", *arguments])
    print(json.dumps([done.exit_code, done.stdout, done.stderr, type(done.exception).__name__]), flush=True)

def curate(until):
    microcoder("run", "--source", f"kattis:{packages}", "--no-benchmark", "--until", until)

subprocess.run(["mount", "-t", "tmpfs", "none", disk], check=True)
curate("scraped_problems")
subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
curate("unique_problems")
microcoder("funnel")
subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
curate("unique_problems")
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare to mount a disk")
def test_a_read_only_disk_is_one_line_and_the_run_after_it_goes_on(tmp_path: Path, examples_dir: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    shutil.copytree(examples_dir / "archive" / "lampposts", tmp_path / "packages" / "lampposts")
    command = ["unshare", "-Urm", sys.executable, "-c", SCRIPT, disk, tmp_path / "packages"]
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    run = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment, check=False)
    if not run.stdout and ("unshare: " in run.stderr or "mount: " in run.stderr):
        pytest.skip(f"cannot mount a disk here: {run.stderr.strip()}")
    assert run.returncode == 0, run.stderr
    made, stopped, read, mended = map(json.loads, run.stdout.splitlines())
    assert made[0] == 0, made
    status, _, said, error = stopped
    assert (status in (1, 2), error) == (True, "SystemExit"), stopped
    assert said.splitlines()[-1].startswith("error: ") and "read" in said.splitlines()[-1].lower()
    assert read[0] == 0 and "scraped_problems" in read[1], read
    assert mended[0] == 0 and "normalized_problems: 1 in, 1 kept" in mended[2], mended
