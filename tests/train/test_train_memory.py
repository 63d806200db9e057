"""The estimate of memory against numbers worked out by hand, and its parameters against transformers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

from microcoder_train.cli import run
from microcoder_train.config import PRESETS
from microcoder_train.errors import TrainError
from microcoder_train.memory import GIB, SHAPES, Shape, estimate

SMALL = Shape(layers=2, hidden=8, heads=4, kv_heads=2, head_dim=4, intermediate=16, vocab=10, tied=True)


@pytest.mark.parametrize(("name", "billions"), [("qwen3-1.7b", 1.72), ("qwen3-4b", 4.02), ("qwen3-8b", 8.19)])
def test_parameters_are_those_that_transformers_makes(name: str, billions: float) -> None:
    shape = SHAPES[name]
    config = Qwen3Config(
        vocab_size=shape.vocab, hidden_size=shape.hidden, intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers, num_attention_heads=shape.heads, num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim, tie_word_embeddings=shape.tied,
    )  # fmt: skip
    with torch.device("meta"):
        assert Qwen3ForCausalLM(config).num_parameters() == shape.parameters
    assert shape.parameters / 1e9 == pytest.approx(billions, abs=0.005)


def test_a_small_shape_by_hand() -> None:
    attention = 8 * 16 + 8 * 8 + 8 * 8 + 16 * 8 + 2 * 4
    assert SMALL.parameters == 2 * (attention + 3 * 8 * 16 + 2 * 8) + 8 + 80
    one_layer = (8 + 16) + (8 + 8) + (8 + 8) + (16 + 8) + 3 * (8 + 16)
    assert SMALL.lora_parameters(3) == 2 * 3 * one_layer
    assert SMALL.cache_bytes == 2 * 2 * 2 * 2 * 4


def test_the_states_are_those_of_the_zero_paper() -> None:
    """Its figure 1: 7.5 billion parameters over 64 GPUs take 120 GB, 16.6 GB with stage 2, 1.9 GB with stage 3."""
    width = 7_500_000_000 // 8
    shape = Shape(layers=0, hidden=8, heads=1, kv_heads=1, head_dim=1, intermediate=1, vocab=width - 1, tied=True)
    states = [estimate(shape, PRESETS["paper"], 64, zero).states / 1e9 for zero in (0, 2, 3)]
    assert states == pytest.approx([120, 16.6, 1.9], abs=0.06)


def test_activations_and_cache_by_hand() -> None:
    own = replace(PRESETS["paper"], device_batch=2, max_prompt_tokens=100, max_completion_tokens=50)
    found = estimate(replace(SMALL, tied=True), replace(own, context_stages="9=900"), 8, 0)
    assert found.activations == 2 * 1000 * 8 * (2 * 2 + 34)
    assert found.cache == 64 * 1000 * SMALL.cache_bytes
    assert estimate(SMALL, replace(own, gradient_checkpointing=False), 1, 0).activations == 2 * 150 * 8 * 34 * 2


def test_lora_keeps_the_base_in_two_bytes_and_trains_little() -> None:
    full = estimate(SHAPES["qwen3-4b"], PRESETS["paper"], 1, 0)
    lora = estimate(SHAPES["qwen3-4b"], replace(PRESETS["paper"], lora_rank=32), 1, 0)
    assert full.states / GIB == pytest.approx(16 * 4.0225 * 1e9 / GIB, rel=1e-3)
    assert 2 < lora.states / SHAPES["qwen3-4b"].parameters < 2.5


def test_the_command_prints_a_line_a_stage_and_refuses_what_it_does_not_know() -> None:
    report = run(["memory", "--model", "Qwen3-4B", "--gpus", "8", "--preset", "paper"], pytest.fail)
    assert [line.split(" |")[0] for line in report.tables["memory"].splitlines()[2:]] == [
        "| none", "| ZeRO-2", "| ZeRO-3",
    ]  # fmt: skip
    with pytest.raises(TrainError, match="no shape is known of llama"):
        run(["memory", "--model", "llama"], pytest.fail)
