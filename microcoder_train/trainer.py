"""TRL's GRPOTrainer, set up from our settings."""

from __future__ import annotations

import math
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import broadcast_object_list, gather_object, is_deepspeed_available
from transformers import PrinterCallback, TrainerCallback
from transformers.integrations.deepspeed import unset_hf_deepspeed_config
from trl import GRPOConfig

from microcoder_train.adapters import lora_config
from microcoder_train.config import TrainSettings
from microcoder_train.data import Row, prompts_dataset
from microcoder_train.errors import TrainError
from microcoder_train.generation import Policy
from microcoder_train.microcoder_grpo import STATE, MicroCoderTrainer
from microcoder_train.processes import is_first, world_size
from microcoder_train.rewards import JudgeReward
from microcoder_train.stages import length_stages
from microcoder_train.vllm_engine import require_vllm

CURVE = {
    "reward": "reward",
    "reward_std": "reward_std",
    "groups_without_signal": "frac_reward_zero_std",
    "loss": "loss",
    "clip_ratio": "clip_ratio/region_mean",
    "clip_low": "clip_ratio/low_mean",
    "clip_high": "clip_ratio/high_mean",
    "completion_length": "completions/mean_length",
    "length_limit": "completions/length_limit",
    "truncated": "completions/clipped_ratio",
    "masked": "truncation/masked",
    "entropy": "entropy",
    "temperature": "temperature",
    "diversity": "diversity",
    "batches": "groups/batches",
    "reward_seconds": "time/reward",
    "step_seconds": "step_time",
}
"""Columns of the curve and TRL's names for them. One point a rollout, each the mean over its updates."""


def grpo_config(settings: TrainSettings, folder: Path, seed: int) -> GRPOConfig:
    """TRL's configuration, which joins the processes of a run. Raises TrainError where the sizes do not divide, TRL
    refuses a value, or vLLM or DeepSpeed is asked for and cannot be used.

    TRL's own truncation mask stays off: it drops truncated completions from the loss, which no paper here asks for.
    """
    completions = settings.prompts_per_rollout * settings.generations
    forward = settings.device_batch * world_size()
    accumulation, rest = divmod(completions, forward * settings.minibatches)
    if rest or not accumulation:
        raise TrainError(
            f"a rollout of prompts_per_rollout x generations = {completions} completions does not divide into "
            f"minibatches x device_batch x processes = {forward * settings.minibatches}; change one of them"
        )
    cuda = torch.cuda.is_available()
    if settings.use_vllm:
        require_vllm(settings)
    joined = settings.deepspeed is not None and not cuda
    if settings.deepspeed is not None:
        _require_deepspeed(settings.deepspeed)
    if joined:
        _join_on_cpu()
    try:
        config = GRPOConfig(
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
            scale_rewards=settings.scale_rewards,
            temperature=settings.temperature,
            max_completion_length=settings.max_completion_tokens,
            mask_truncated_completions=False,
            bf16=settings.dtype == "bfloat16",
            gradient_checkpointing=settings.gradient_checkpointing,
            use_cpu=not cuda and settings.deepspeed is None,
            accelerator_config={"use_configured_state": joined},
            ddp_find_unused_parameters=False,
            dataloader_pin_memory=cuda,
            use_vllm=settings.use_vllm,
            vllm_mode=settings.vllm_mode,
            vllm_server_base_url=settings.vllm_server_base_url,
            vllm_gpu_memory_utilization=settings.vllm_memory,
            vllm_tensor_parallel_size=settings.vllm_tensor_parallel,
            vllm_max_model_length=settings.max_prompt_tokens + length_stages(settings)[-1][1],
            vllm_enable_sleep_mode=settings.use_vllm and settings.vllm_sleep and settings.vllm_mode == "colocate",
            deepspeed=settings.deepspeed,
            logging_steps=min(settings.steps, settings.iterations * settings.minibatches),
            log_completions=True,
            num_completions_to_print=0,
            save_strategy="no",
            save_total_limit=2,
            report_to="none",
            disable_tqdm=not sys.stderr.isatty(),
        )
    except ValueError as error:
        raise TrainError(f"config: {str(error).splitlines()[0]}") from error
    if config.device.type == "cpu":
        # accelerate numbers the CPU by process, and torch.load cannot map a checkpoint to a numbered one
        config._setup_devices = torch.device("cpu")
    return config


def _require_deepspeed(path: str) -> None:
    if not is_deepspeed_available():
        raise TrainError("deepspeed is set and DeepSpeed is not installed: pip install 'microcoder[deepspeed]'")
    if "RANK" not in os.environ:
        raise TrainError("deepspeed is set and this process runs alone; start it by torchrun or accelerate launch")
    if not Path(path).is_file():
        raise TrainError(f"deepspeed: {path} does not exist; deploy/deepspeed holds zero2.json and zero3.json")


def _join_on_cpu() -> None:
    """Join the processes of a DeepSpeed run over gloo: without a GPU accelerate would take each for the only one."""
    AcceleratorState._reset_state(reset_partial_state=True)
    os.environ["ACCELERATE_USE_DEEPSPEED"] = "true"
    PartialState(backend="gloo")


class Narrator(TrainerCallback):  # type: ignore[misc]
    """Says how training goes, about twenty times a run."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._next = 0

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any], **_: Any) -> None:
        if "reward" in logs and state.global_step >= self._next:
            self._next = state.global_step + max(1, args.max_steps // 20)
            self._say(f"step {state.global_step}/{args.max_steps}: reward {logs['reward']:.3f}")


class Checkpointing(TrainerCallback):  # type: ignore[misc]
    """Saves every `rollouts` rollouts, and once more, to end there, after `stop` was set in any process; always between
    rollouts."""

    def __init__(self, updates: int, rollouts: int, stop: threading.Event) -> None:
        self._updates, self._rollouts, self._stop = updates, rollouts, stop

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        rollout, within = divmod(state.global_step, self._updates)
        if within or state.global_step >= args.max_steps:
            return
        stop = any(gather_object([self._stop.is_set()]))
        control.should_save = stop or rollout % self._rollouts == 0
        control.should_training_stop = stop


@contextmanager
def until_terminated() -> Iterator[threading.Event]:
    """An event that SIGTERM sets, in the place of what it does otherwise."""
    stop = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)


def last_checkpoint(folder: Path) -> str | None:
    """The latest whole checkpoint in `folder`, the same in every process; what a kill or a full disk left of others
    goes."""
    found = None
    if is_first():
        whole = [path.parent for path in folder.glob(f"checkpoint-*/{STATE}")]
        for path in set(folder.glob("checkpoint-*")) - set(whole):
            shutil.rmtree(path)
        found = str(max(whole, key=lambda path: int(path.name.rpartition("-")[2]))) if whole else None
    return str(told) if (told := broadcast_object_list([found])[0]) is not None else None


def train_grpo(
    policy: Policy,
    rows: Sequence[Row],
    reward: JudgeReward,
    settings: TrainSettings,
    args: GRPOConfig,
    folder: Path,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Train `policy` in place, save it to folder/model and completions to folder/completions; the curve.

    With LoRA it is the adapter that is saved, to folder/adapter. args: of `grpo_config`; its folder of checkpoints
    outlives this process. Training goes on from the last one there; SIGTERM saves one when the rollout's updates are
    done and ends with SystemExit(143). Of several processes the first alone writes and sees the whole.
    """
    checkpoints = Path(args.output_dir)
    with until_terminated() as stop:
        trainer = MicroCoderTrainer(
            settings=settings,
            reward=reward,
            rows=rows,
            model=policy.model,
            args=args,
            peft_config=lora_config(settings),
            train_dataset=prompts_dataset(rows, [policy.prompt(row.prompt) for row in rows]),
            processing_class=policy.tokenizer,
            callbacks=[Narrator(say)],
        )
        trainer.add_callback(Checkpointing(trainer.updates, settings.checkpoint_rollouts, stop))
        trainer.remove_callback(PrinterCallback)
        found = last_checkpoint(checkpoints)
        if found is not None:
            say(f"going on from {Path(found).name}")
        trainer.train(resume_from_checkpoint=found)
    if trainer.state.global_step < settings.steps:
        say(f"ended by SIGTERM; saved step {trainer.state.global_step}, the same command goes on from there")
        raise SystemExit(128 + signal.SIGTERM)
    saved = folder / ("model" if settings.lora_rank is None else "adapter")
    trainer.save_model(str(saved))
    unset_hf_deepspeed_config()
    if is_first():
        (saved / "training_args.bin").unlink(missing_ok=True)
        shutil.copytree(checkpoints / "completions", folder / "completions")
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
