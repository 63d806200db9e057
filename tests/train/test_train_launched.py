"""The command under torchrun, plain and with DeepSpeed: two processes on CPU (gloo) train, end, go on and save."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
needs_deepspeed = pytest.mark.skipif(
    importlib.util.find_spec("deepspeed") is None, reason="DeepSpeed is not installed (extra `deepspeed`)"
)
SETTINGS = (
    "device_batch=4", "steps=8", "checkpoint_rollouts=1", "learning_rate=0.001", "reward_format=0.1",
    "max_completion_tokens=48", "evaluation.samples=1", "base.steps=40", "base.hidden_size=64",
    "base.intermediate_size=64", "base.learning_rate=0.01", "base.token_dropout=0", "base.paragraph_dropout=0",
)  # fmt: skip
"""With them the model writes some programs, so that there is something to learn from."""


@pytest.mark.parametrize("deepspeed", [
    None, pytest.param("zero2", marks=needs_deepspeed), pytest.param("zero3", marks=needs_deepspeed),
])  # fmt: skip
def test_two_processes_go_on_after_sigterm_and_save_one_model(
    split: Path, config: Path, tmp_path: Path, deepspeed: str | None
) -> None:
    more = [] if deepspeed is None else [f"deepspeed={ROOT / 'deploy' / 'deepspeed' / deepspeed}.json"]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    line = [*launch, Path(__file__).with_name("launched.py"), tmp_path, "--split", split, "--config", config]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*map(str, line), *SETTINGS, *more], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
    codes = [(tmp_path / f"codes-{rank}").read_text(encoding="utf-8") for rank in (0, 1)]
    assert codes == ["0 143 0", "0 143 0"], done.stderr[-3000:]
    assert done.stdout.count("grpo 8 steps in") == 2
    assert "going on from checkpoint-" in done.stderr
    summaries = [json.loads((tmp_path / name / "summary.json").read_text(encoding="utf-8")) for name in
                 ("unbroken", "run")]  # fmt: skip
    assert [point["reward"] for point in summaries[0]["curve"]] == [point["reward"] for point in summaries[1]["curve"]]
    weights = [(tmp_path / name / "model" / "model.safetensors").read_bytes() for name in ("unbroken", "run")]
    assert weights[0] == weights[1]
    (base,) = tmp_path.glob("base-*")
    before, after = (load_file(path / "model.safetensors") for path in (base, tmp_path / "run" / "model"))
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "run" / "model").config.model_type == "qwen3"
    left = {path.name.partition("-")[0] for path in tmp_path.iterdir()}
    assert left == {"unbroken", "run", "base", "codes"}
