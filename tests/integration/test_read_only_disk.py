"""A home whose disk the kernel mounted again read-only, as it does after an error of the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
set -e
mount -t tmpfs none "$1"
curate() { "$2" -m microcoder_assets.cli --home "$1/home" "$3" --until "$4" --source "kattis:$5" --no-benchmark; }
curate "$1" "$2" run scraped_problems "$3" >/dev/null 2>&1
mount -o remount,ro "$1"
set +e
echo == stopped >&2
curate "$1" "$2" run unique_problems "$3"
echo "== $?" >&2
"$2" -m microcoder_assets.cli --home "$1/home" funnel
set -e
mount -o remount,rw "$1"
echo == mended >&2
curate "$1" "$2" run unique_problems "$3"
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare to mount a disk")
def test_a_read_only_disk_is_one_line_and_the_run_after_it_goes_on(tmp_path: Path, examples_dir: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    shutil.copytree(examples_dir / "archive" / "lampposts", tmp_path / "packages" / "lampposts")
    command = ["unshare", "-Urm", "bash", "-c", SCRIPT, "bash", disk, sys.executable, tmp_path / "packages"]
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment, check=False)
    if "== stopped" not in run.stderr and ("mount:" in run.stderr or "unshare:" in run.stderr):
        pytest.skip(f"cannot mount a disk here: {run.stderr.strip()}")
    assert run.returncode == 0, run.stderr
    stopped, _, after = run.stderr.partition("== stopped\n")[2].partition("== ")
    assert after[0] in "12"
    assert "Traceback" not in stopped
    assert stopped.splitlines()[-1].startswith("error: ") and "read" in stopped.splitlines()[-1].lower()
    assert "scraped_problems" in run.stdout
    assert "normalized_problems: 1 in, 1 kept" in after.partition("== mended")[2]
