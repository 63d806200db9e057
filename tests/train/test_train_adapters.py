"""LoRA from the command: what is written loads with plain transformers, and is the base plus its adapter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import torch
import yaml
from peft import LoraConfig, PeftConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from microcoder_train.adapters import merge
from microcoder_train.cli import run
from microcoder_train.errors import TrainError

LORA = ("lora_rank=2", "learning_rate=0.05", "checkpoint_rollouts=1", "steps=4")


@pytest.fixture(scope="module")
def trained(split: Path, config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "demo"
    stale = out.with_name("demo.checkpoints-0123456789abcdef")
    stale.mkdir()
    said: list[str] = []
    run(["grpo", "--split", str(split), "--out", str(out), "--config", str(config), *LORA], said.append)
    assert any(line.startswith(f"{stale.name} is of other settings") for line in said)
    return out


def base_of(trained: Path) -> Path:
    return (trained / json.loads((trained / "summary.json").read_text(encoding="utf-8"))["base"]).resolve()


def logits(model: Any) -> torch.Tensor:
    ids = torch.randint(3, 200, (2, 9), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return cast(torch.Tensor, model(ids).logits)


def test_a_run_leaves_an_adapter_and_a_model_that_needs_no_peft(trained: Path) -> None:
    assert PeftConfig.from_pretrained(str(trained / "adapter")).r == 2
    assert not list((trained / "model").glob("adapter*"))
    assert AutoModelForCausalLM.from_pretrained(trained / "model").config.model_type == "qwen3"
    assert AutoTokenizer.from_pretrained(trained / "model")("a")["input_ids"]


def test_the_merged_model_is_the_base_plus_the_adapter(trained: Path, tmp_path: Path) -> None:
    plain = AutoModelForCausalLM.from_pretrained(base_of(trained))
    before = logits(plain)
    torch.manual_seed(0)
    adapted = get_peft_model(plain, LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False))
    adapted.save_pretrained(tmp_path / "adapter")
    merge(str(base_of(trained)), tmp_path / "adapter", tmp_path / "model", "float32")
    merged = logits(AutoModelForCausalLM.from_pretrained(tmp_path / "model"))
    assert torch.allclose(merged, logits(adapted), atol=1e-4)
    assert not torch.allclose(merged, before, atol=1e-2)


def test_the_card_is_made_from_the_run(trained: Path) -> None:
    summary = json.loads((trained / "summary.json").read_text(encoding="utf-8"))
    text = (trained / "model" / "README.md").read_text(encoding="utf-8")
    head = yaml.safe_load(text.split("---\n")[1])
    assert head["library_name"] == "transformers"
    assert "base_model" not in head
    for expected in (summary["data_version"], summary["key"], "adapter/", "lora_rank = 2", "no coding model"):
        assert expected in text
    assert (trained / "model" / "curve.png").read_bytes() == (trained / "curve.png").read_bytes()
    lines = [line for line in text.splitlines() if line.startswith(("| 2 |", "| 4 |"))]
    assert len(lines) == len(summary["curve"]) == 2


def test_checkpoints_of_other_settings_are_gone_when_the_run_is_done(trained: Path) -> None:
    assert list(trained.parent.glob("demo.checkpoints-*")) == []


def test_a_length_beyond_the_models_context_is_refused(split: Path, config: Path, tmp_path: Path) -> None:
    arguments = ["grpo", "--split", str(split), "--out", str(tmp_path / "run"), "--config", str(config)]
    with pytest.raises(TrainError, match="do not fit the model's context of 1024"):
        run([*arguments, "context_stages=1=1000"], lambda _: None)
