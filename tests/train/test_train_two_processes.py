from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long


def test_two_processes_agree_on_temperature_diversity_pass_rates_and_weights(tmp_path: Path) -> None:
    script = Path(__file__).with_name("two_processes.py")
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([*launch, script, tmp_path], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text(encoding="utf-8")) for rank in (0, 1))
    assert max(first.pop("off"), second.pop("off")) < 1e-5
    assert first == second
    judged = [sum(total for _, total in found.values()) for found in first["solved"].values()]
    assert judged[:2] == [8, 8]
