"""What this package relies on inside TRL; a failure here means that a TRL upgrade moved something."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from fabricated import TINY
from trl import GRPOConfig, GRPOTrainer
from trl.generation.vllm_client import VLLMClient
from trl.generation.vllm_generation import VLLMGeneration

from microcoder_train.base_model import build_model, build_tokenizer
from microcoder_train.config import PRESETS, BaseSettings, TrainSettings, override
from microcoder_train.errors import TrainError
from microcoder_train.microcoder_grpo import TemperatureDial
from microcoder_train.trainer import grpo_config

SETTINGS = override(PRESETS["tiny"], TINY, "test")


def trainer(settings: TrainSettings, folder: Path) -> Any:
    from datasets import Dataset

    torch.manual_seed(0)
    base = BaseSettings(**TINY["base"])
    tokenizer = build_tokenizer(["some words to learn", "and a few more"], base)
    return GRPOTrainer(
        model=build_model(base, tokenizer),
        reward_funcs=lambda completions, **_: [0.0] * len(completions),
        args=grpo_config(settings, folder, seed=0),
        train_dataset=Dataset.from_dict({"prompt": ["some words", "a few"]}),
        processing_class=tokenizer,
    )


@pytest.mark.parametrize(
    "hook",
    [
        "_calculate_rewards",
        "_generate_and_score_completions",
        "_compute_loss",
        "_get_per_token_logps_and_entropies",
        "_get_train_sampler",
        "_save_checkpoint",
        "_load_optimizer_and_scheduler",
    ],
)
def test_hooks_are_there(hook: str) -> None:
    assert callable(getattr(GRPOTrainer, hook))


def test_the_length_limit_is_kept_where_ours_sets_it(tmp_path: Path) -> None:
    own = trainer(SETTINGS, tmp_path)
    kept = (own.max_completion_length, own.generation_config.max_new_tokens, own.generation_kwargs["max_new_tokens"])
    assert kept == (SETTINGS.max_completion_tokens,) * 3
    own.generation_config.max_new_tokens = own.generation_kwargs["max_new_tokens"] = 3
    own.model.train()
    batch = own._generate_and_score_completions([{"prompt": "some words"}] * SETTINGS.generations)
    assert batch["completion_ids"].shape == (SETTINGS.generations, 3)


def test_vllms_engine_is_asked_with_what_ours_sets() -> None:
    source = inspect.getsource(VLLMGeneration.generate)
    assert "temperature = self.temperature\n" in source
    assert "max_completion_length = self.max_completion_length\n" in source
    engine = inspect.getsource(VLLMGeneration)
    assert 'logprobs_mode="processed_logprobs"' in engine
    assert "enable_prefix_caching=False" not in engine


def test_a_server_is_asked_for_what_ours_asks_before() -> None:
    assert '"vllm_config"' in inspect.getsource(VLLMClient.get_server_info)
    assert '["weight_transfer_config"] is None' in inspect.getsource(VLLMClient.init_communicator)
    assert '["model_config"]["logprobs_mode"]' in inspect.getsource(GRPOTrainer.__init__)


@pytest.mark.parametrize("name", [
    "vllm_gpu_memory_utilization", "vllm_tensor_parallel_size", "vllm_max_model_length", "vllm_enable_sleep_mode",
    "vllm_mode", "vllm_server_base_url", "steps_per_generation", "num_iterations", "mask_truncated_completions",
])  # fmt: skip
def test_trl_has_the_settings_that_ours_gives_it(name: str) -> None:
    assert name in GRPOConfig.__dataclass_fields__


def test_rewards_are_handed_what_ours_takes() -> None:
    source = inspect.getsource(GRPOTrainer._calculate_rewards)
    assert '"log_extra"' in source
    assert "torch.nan if reward is None" in source or "reward is not None else torch.nan" in source


@pytest.mark.parametrize("temperature", [1.0, 1.3])
def test_log_probabilities_are_those_of_the_sampling_temperature(tmp_path: Path, temperature: float) -> None:
    own = trainer(replace(SETTINGS, temperature=temperature), tmp_path)
    ids = torch.randint(3, 200, (2, 9), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    with torch.no_grad():
        found = own._get_per_token_logps_and_entropies(own.model, ids, mask, logits_to_keep=4)[0]
        logits = own.model.lm_head(own.model.model(input_ids=ids, attention_mask=mask).last_hidden_state)
    explicit = torch.log_softmax(logits[:, :-1] / temperature, dim=-1)
    expected = explicit.gather(-1, ids[:, 1:, None])[:, -4:, 0]
    assert torch.allclose(found, expected, atol=1e-5)
    assert own.generation_config.temperature == temperature


def test_the_temperature_can_be_set_where_trl_keeps_it_and_elsewhere_is_refused(tmp_path: Path) -> None:
    own = trainer(SETTINGS, tmp_path)
    dial = TemperatureDial(own)
    dial.set(1.7)
    assert own.temperature == own.generation_config.temperature == own.generation_kwargs["temperature"] == 1.7
    own.model.forward = type(own.model).forward.__get__(own.model)
    with pytest.raises(TrainError, match="another place"):
        TemperatureDial(own)


def test_a_rollout_has_the_keys_that_ours_changes(tmp_path: Path) -> None:
    own = trainer(SETTINGS, tmp_path)
    own.model.train()
    batch = own._generate_and_score_completions([{"prompt": "some words"}] * SETTINGS.generations)
    assert set(batch) == {
        "prompt_ids", "prompt_mask", "completion_ids", "completion_mask", "advantages", "num_items_in_batch",
        "old_per_token_logps",
    }  # fmt: skip
    assert batch["num_items_in_batch"].dim() == 0
    assert batch["advantages"].shape == (SETTINGS.generations,)
    assert {"extra", "completion"} <= set(own._logs)
    assert "frac_reward_zero_std" in own._metrics["train"]


def test_settings_reach_trl_and_its_own_truncation_mask_stays_off(tmp_path: Path) -> None:
    config: GRPOConfig = grpo_config(replace(SETTINGS, minibatches=2, device_batch=2), tmp_path, seed=5)
    assert config.mask_truncated_completions is False
    assert (config.beta, config.epsilon, config.epsilon_high, config.seed) == (0.0, 0.2, 0.28, 5)
    assert config.generation_batch_size == SETTINGS.prompts_per_rollout * SETTINGS.generations
    assert config.steps_per_generation == 2 * config.gradient_accumulation_steps


def test_sizes_that_do_not_divide_and_values_that_trl_refuses_are_named(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="does not divide"):
        grpo_config(replace(SETTINGS, device_batch=3), tmp_path, seed=0)
    with pytest.raises(TrainError, match="deepspeed is set and "):
        grpo_config(replace(SETTINGS, deepspeed="deploy/deepspeed/zero2.json"), tmp_path, seed=0)
    with pytest.raises(TrainError, match="config: "):
        grpo_config(replace(SETTINGS, generations=1, prompts_per_rollout=8), tmp_path, seed=0)
