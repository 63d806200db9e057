"""The launch files of deploy/, read by those that will read them."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.utils import DeepSpeedPlugin
from packaging.requirements import Requirement
from transformers.integrations import HfDeepSpeedConfig

from microcoder_train.vllm_engine import require_version

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
needs_deepspeed = pytest.mark.skipif(
    importlib.util.find_spec("deepspeed") is None, reason="DeepSpeed is not installed (extra `deepspeed`)"
)


@pytest.mark.parametrize(("name", "processes", "kind", "cpu"), [
    ("one_gpu", 1, "NO", False), ("eight_gpus", 8, "MULTI_GPU", False), ("two_cpus", 2, "MULTI_CPU", True),
])  # fmt: skip
def test_accelerate_reads_its_files(name: str, processes: int, kind: str, cpu: bool) -> None:
    found: Any = load_config_from_file(str(DEPLOY / "accelerate" / f"{name}.yaml"))
    assert (found.num_processes, str(found.distributed_type.value), found.use_cpu) == (processes, kind, cpu)
    assert found.mixed_precision == "no"


@needs_deepspeed
@pytest.mark.parametrize("stage", [2, 3])
def test_transformers_reads_the_deepspeed_files(stage: int) -> None:
    found = HfDeepSpeedConfig(str(DEPLOY / "deepspeed" / f"zero{stage}.json"))
    assert (found.is_zero2(), found.is_zero3(), found.is_offload()) == (stage == 2, stage == 3, False)
    if stage == 3:
        assert found.get_value("zero_optimization.stage3_gather_16bit_weights_on_model_save") is True


@needs_deepspeed
@pytest.mark.parametrize("stage", [2, 3])
def test_deepspeed_reads_its_files(stage: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepspeed.runtime.config import DeepSpeedConfig

    path = DEPLOY / "deepspeed" / f"zero{stage}.json"
    assert DeepSpeedPlugin(hf_ds_config=str(path)).zero_stage == stage
    raw = json.loads(path.read_text(encoding="utf-8"))
    filled = {
        "train_batch_size": 8, "train_micro_batch_size_per_gpu": 4, "gradient_accumulation_steps": 2,
        "gradient_clipping": 1.0, "bf16": {"enabled": True},
    }  # fmt: skip
    zero = {key: value for key, value in raw["zero_optimization"].items() if value != "auto"}
    assert DeepSpeedConfig({**raw, **filled, "zero_optimization": zero}).zero_config.stage == stage


def test_the_gpu_set_is_one_that_trl_works_with_and_that_the_extras_allow() -> None:
    lines = (ROOT / "constraints-gpu.txt").read_text(encoding="utf-8").splitlines()
    pinned = {
        requirement.name: str(requirement.specifier).removeprefix("==")
        for requirement in (Requirement(line) for line in lines if line and not line.startswith("#"))
    }
    require_version("the pinned vLLM", pinned["vllm"])
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    asked = [Requirement(text) for name in ("train", "gpu", "deepspeed") for text in extras[name]]
    checked = [item for item in asked if item.name in pinned]
    assert {item.name for item in checked} == set(pinned)
    for item in checked:
        assert item.specifier.contains(pinned[item.name]), item
