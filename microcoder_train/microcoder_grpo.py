"""MicroCoder-GRPO (arXiv 2603.07777) on TRL's GRPOTrainer: what happens around each rollout.

With the truncation mask off, a constant temperature and length, the uniform curriculum and one batch a rollout it is
TRL's trainer to the last bit.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object, is_peft_model
from trl import GRPOTrainer

from microcoder_train.artifacts import write_json
from microcoder_train.config import TrainSettings
from microcoder_train.curriculum import PromptSampler
from microcoder_train.data import Row
from microcoder_train.errors import TrainError
from microcoder_train.rewards import JudgeReward
from microcoder_train.stages import length_stages, staged
from microcoder_train.temperature import TemperatureSchedule, diversity
from microcoder_train.truncation import TruncationMask

STATE = "microcoder.json"
"""What TRL does not keep: written last into a checkpoint, so one that holds it is whole."""


class TemperatureDial:
    """The temperature of a TRL trainer, which copies it at its start into the sampler's settings and into the fused
    head that gives both log-probabilities of the ratio. Raises TrainError where TRL keeps it elsewhere."""

    def __init__(self, trainer: GRPOTrainer) -> None:
        self._trainer = trainer
        models = [model for model in (trainer.model, trainer.ref_model) if model is not None]
        self._cells = [_head_temperature(model) for model in models]

    def set(self, temperature: float) -> None:
        self._trainer.temperature = temperature
        for cell in self._cells:
            cell.cell_contents = temperature
        if self._trainer.use_vllm:
            self._trainer.vllm_generation.temperature = temperature
        else:
            self._trainer.generation_config.temperature = temperature
            self._trainer.generation_kwargs["temperature"] = temperature


def _head_temperature(model: Any) -> Any:
    """The closure cell of the fused head's temperature."""
    forward = getattr((model.get_base_model() if is_peft_model(model) else model).forward, "__func__", None)
    code = getattr(forward, "__code__", None)
    if forward is None or code is None or "temperature" not in code.co_freevars:
        raise TrainError("this version of TRL keeps the temperature in another place; install trl>=1.16,<1.17")
    return forward.__closure__[code.co_freevars.index("temperature")]


class MicroCoderTrainer(GRPOTrainer):  # type: ignore[misc]
    """reward: JudgeReward, whose verdicts the mask needs. rows: the problems of the dataset, in its order."""

    def __init__(self, *, settings: TrainSettings, reward: JudgeReward, rows: Sequence[Row], **arguments: Any) -> None:
        self._own = settings
        self._reward = reward
        self._rows = rows
        self._solved: dict[int, dict[str, tuple[int, int]]] = {}
        self._schedule = TemperatureSchedule(settings)
        self._lengths = length_stages(settings)
        self._diversity: float | None = None
        self._ids: list[list[int]] = []
        self._rewards = torch.empty(0)
        self._judging_s = 0.0
        super().__init__(reward_funcs=reward, **arguments)
        self._dial = TemperatureDial(self)
        self._mask = TruncationMask(
            settings.truncation_mask,
            settings.max_completion_tokens,
            frozenset(self.eos_token_ids),
            settings.truncation_rho,
            settings.truncation_repeat,
            self.args.seed,
        )
        if settings.rollout_batches > 1 and self.accelerator.num_processes > 1:
            raise TrainError("rollout_batches above 1 needs one process; set it to 1")

    @property
    def updates(self) -> int:
        """Optimiser updates a rollout."""
        return self._own.iterations * self._own.minibatches

    def _get_train_sampler(self, dataset: Any = None) -> PromptSampler:
        return PromptSampler(
            [row.problem_id for row in self._rows],
            [row.difficulty for row in self._rows],
            self._own.curriculum,
            prompts=self.args.generation_batch_size // self.num_generations,
            generations=self.num_generations,
            repeats=self.num_iterations * self.args.steps_per_generation,
            rollouts=math.ceil(self.args.max_steps / self.updates),
            seed=self.args.seed,
            solved=self._solved,
            focus=self._own.focus_problems,
        )

    def _calculate_rewards(self, inputs: Any, prompts: Any, completions: Any, completion_ids_list: Any) -> torch.Tensor:
        started = time.perf_counter()
        self._rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        self._judging_s = time.perf_counter() - started
        self._ids = completion_ids_list
        return self._rewards

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        if not self.model.training:
            return dict(super()._generate_and_score_completions(inputs))
        self._dial.set(self._schedule.update(self.state.global_step, self._diversity))
        self._set_length(staged(self._lengths, self.state.global_step, self._own.max_completion_tokens))
        batch, signal = self._sample(inputs, 0)
        self._log("groups/sampled_without_signal", 1 - sum(signal) / len(signal))
        batches = 1
        while not all(signal) and batches < self._own.rollout_batches:
            chosen = self._get_train_sampler().draw(self._rollout, batches)
            others = [dict(self.train_dataset[place]) for place in chosen for _ in range(self.num_generations)]
            fresh, useful = self._sample(others, batches)
            pairs = list(zip(_places(signal, False), _places(useful, True), strict=False))
            if pairs:
                batch = replace_groups(batch, fresh, pairs, self.num_generations, self._tokenizer.pad_token_id)
            for empty, _ in pairs:
                signal[empty] = True
            batches += 1
        self._log("groups/batches", batches)
        self._log("temperature", self._schedule.temperature)
        self._log("completions/length_limit", self.max_completion_length)
        return batch

    def _set_length(self, tokens: int) -> None:
        """L_max of the rollouts to come, where TRL keeps it and in the mask."""
        self.max_completion_length = tokens
        self._mask = replace(self._mask, length=tokens)
        if self.use_vllm:
            self.vllm_generation.max_completion_length = tokens
        else:
            self.generation_config.max_new_tokens = tokens
            self.generation_kwargs["max_new_tokens"] = tokens

    @property
    def _rollout(self) -> int:
        return int(self.state.global_step) // self.updates

    def _sample(self, inputs: list[dict[str, Any]], attempt: int) -> tuple[dict[str, torch.Tensor], list[bool]]:
        """One batch with its advantages masked, and whether each group's rewards differ."""
        batch = dict(super()._generate_and_score_completions(inputs))
        verdicts = [item.verdict for item in self._reward.latest]
        draw = f"{self.state.global_step} {self.accelerator.process_index} {attempt}"
        masked = self._mask.masked(self._ids, verdicts, draw)
        kept = torch.tensor([not item for item in masked], device=batch["advantages"].device)
        batch["advantages"] = batch["advantages"] * kept
        everyone = gather_object(masked)
        self._logs["extra"]["masked"].extend(everyone)
        self._log("truncation/masked", sum(everyone) / len(everyone))
        ids = gather_object(self._ids)
        groups = [ids[start : start + self.num_generations] for start in range(0, len(ids), self.num_generations)]
        self._diversity = diversity(groups)
        self._log("diversity", math.nan if self._diversity is None else self._diversity)
        self._log("time/reward", self._judging_s)
        if self._own.curriculum in ("adaptive", "hard_focus"):
            self._record([row["problem_id"] for row in inputs], verdicts)
        return batch, [_differs(group) for group in self._rewards[:, 0].view(-1, self.num_generations).tolist()]

    def _record(self, problems: Sequence[str], verdicts: Sequence[str]) -> None:
        found = self._solved.setdefault(self._rollout, {})
        for problem, verdict in gather_object(list(zip(problems, verdicts, strict=True))):
            accepted, judged = found.get(problem, (0, 0))
            found[problem] = (accepted + (verdict == "AC"), judged + (verdict != "IE"))

    def _log(self, name: str, value: float) -> None:
        self._metrics["train"][name].append(value)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
            write_json(folder / STATE, {
                "temperature": self._schedule.state(),
                "diversity": self._diversity,
                "solved": [[rollout, found] for rollout, found in self._solved.items()],
            })  # fmt: skip

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            state = json.loads((Path(checkpoint) / STATE).read_text(encoding="utf-8"))
            self._schedule.restore(state["temperature"])
            self._dial.set(self._schedule.temperature)
            self._diversity = state["diversity"]
            self._solved.clear()
            self._solved.update(
                (rollout, {problem: (accepted, judged) for problem, (accepted, judged) in found.items()})
                for rollout, found in state["solved"]
            )


def replace_groups(
    batch: Mapping[str, torch.Tensor],
    fresh: Mapping[str, torch.Tensor],
    pairs: Sequence[tuple[int, int]],
    size: int,
    pad: int,
) -> dict[str, torch.Tensor]:
    """`batch` with its groups replaced by those of `fresh`. pairs: (group there, group in fresh). size: rows a group.

    Prompts are padded on the left and completions on the right, with `pad` for ids and 0 for all else.
    """
    rows = [place * size + row for place, _ in pairs for row in range(size)]
    sources = [place * size + row for _, place in pairs for row in range(size)]
    merged = dict(batch)
    for key, own in batch.items():
        if own.dim() == 0:
            continue
        other = fresh[key]
        if own.dim() == 2 and own.size(1) != other.size(1):
            width = max(own.size(1), other.size(1))
            fill = pad if key.endswith("_ids") else 0
            own, other = (_widen(item, width, fill, left=key.startswith("prompt")) for item in (own, other))
        merged[key] = own.clone()
        merged[key][rows] = other[sources]
    merged["num_items_in_batch"] = merged["completion_mask"].sum()
    return merged


def _widen(rows: torch.Tensor, width: int, fill: int, left: bool) -> torch.Tensor:
    room = width - rows.size(1)
    return torch.nn.functional.pad(rows, (room, 0) if left else (0, room), value=fill)


def _places(flags: Sequence[bool], wanted: bool) -> list[int]:
    return [place for place, flag in enumerate(flags) if flag == wanted]


def _differs(rewards: Sequence[float]) -> bool:
    """Whether a group's rewards, but those that could not be given (NaN), are not all one."""
    return len({reward for reward in rewards if not math.isnan(reward)}) > 1
