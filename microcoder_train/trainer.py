"""TRL's GRPOTrainer, set up from our settings."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from microcoder_train.config import TrainSettings
from microcoder_train.data import Row, prompts_dataset
from microcoder_train.errors import TrainError
from microcoder_train.generation import Policy
from microcoder_train.rewards import JudgeReward

CURVE = {
    "reward": "reward",
    "reward_std": "reward_std",
    "groups_without_signal": "frac_reward_zero_std",
    "loss": "loss",
    "clip_ratio": "clip_ratio/region_mean",
    "completion_length": "completions/mean_length",
    "truncated": "completions/clipped_ratio",
    "entropy": "entropy",
}
"""Columns of the curve and TRL's names for them. One point a rollout, each the mean over its updates."""


def grpo_config(settings: TrainSettings, folder: Path, seed: int) -> GRPOConfig:
    """TRL's configuration. Raises TrainError where the sizes do not divide or TRL refuses a value.

    TRL's own truncation mask stays off: it drops truncated completions from the loss, which no paper here asks for.
    """
    completions = settings.prompts_per_rollout * settings.generations
    forward = settings.device_batch * int(os.environ.get("WORLD_SIZE", "1"))
    accumulation, rest = divmod(completions, forward * settings.minibatches)
    if rest or not accumulation:
        raise TrainError(
            f"a rollout of prompts_per_rollout x generations = {completions} completions does not divide into "
            f"minibatches x device_batch x processes = {forward * settings.minibatches}; change one of them"
        )
    cuda = torch.cuda.is_available()
    try:
        return GRPOConfig(
            output_dir=str(folder),
            seed=seed,
            max_steps=settings.steps,
            learning_rate=settings.learning_rate,
            lr_scheduler_type=settings.schedule,
            max_grad_norm=settings.max_grad_norm,
            per_device_train_batch_size=settings.device_batch,
            gradient_accumulation_steps=accumulation,
            steps_per_generation=accumulation * settings.minibatches,
            num_generations=settings.generations,
            num_iterations=settings.iterations,
            beta=settings.beta,
            epsilon=settings.epsilon,
            epsilon_high=settings.epsilon_high,
            loss_type=settings.loss_type,
            temperature=settings.temperature,
            max_completion_length=settings.max_completion_tokens,
            mask_truncated_completions=False,
            bf16=settings.dtype == "bfloat16",
            gradient_checkpointing=settings.gradient_checkpointing,
            use_cpu=not cuda,
            dataloader_pin_memory=cuda,
            use_vllm=settings.use_vllm,
            vllm_mode=settings.vllm_mode,
            vllm_server_base_url=settings.vllm_server_base_url,
            deepspeed=settings.deepspeed,
            logging_steps=min(settings.steps, settings.iterations * settings.minibatches),
            log_completions=True,
            num_completions_to_print=0,
            save_strategy="no",
            report_to="none",
            disable_tqdm=not sys.stderr.isatty(),
        )
    except ValueError as error:
        raise TrainError(f"config: {str(error).splitlines()[0]}") from error


class Narrator(TrainerCallback):  # type: ignore[misc]
    """Says how training goes, about twenty times a run."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._next = 0

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any], **_: Any) -> None:
        if "reward" in logs and state.global_step >= self._next:
            self._next = state.global_step + max(1, args.max_steps // 20)
            self._say(f"step {state.global_step}/{args.max_steps}: reward {logs['reward']:.3f}")


def train_grpo(
    policy: Policy,
    rows: Sequence[Row],
    reward: JudgeReward,
    settings: TrainSettings,
    folder: Path,
    seed: int,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Train `policy` in place, save it to folder/model and completions to folder/completions; the curve."""
    trainer = GRPOTrainer(
        model=policy.model,
        reward_funcs=reward,
        args=grpo_config(settings, folder, seed),
        train_dataset=prompts_dataset(rows, [policy.prompt(row.prompt) for row in rows]),
        processing_class=policy.tokenizer,
        callbacks=[Narrator(say)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    trainer.save_model(str(folder / "model"))
    (folder / "model" / "training_args.bin").unlink(missing_ok=True)
    return curve(trainer.state.log_history)


def curve(history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rollouts in TRL's log history as rows of `step` and the columns of `CURVE`."""
    return [
        {"step": entry["step"], **{name: _finite(entry.get(key)) for name, key in CURVE.items()}}
        for entry in history
        if "reward" in entry
    ]


def _finite(value: float | None) -> float | None:
    """TRL logs NaN for a rollout that could not be judged, which JSON cannot hold."""
    return value if value is not None and math.isfinite(value) else None
