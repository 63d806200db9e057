"""MicroCoder-GRPO through the real TRL trainer, on a model that samples noise and rewards that are made up."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from datasets import Dataset
from fabricated import TINY
from peft import LoraConfig
from trl import GRPOTrainer

from microcoder_train.base_model import build_model, build_tokenizer
from microcoder_train.config import METHODS, PRESETS, BaseSettings, TrainSettings, override
from microcoder_train.data import Row
from microcoder_train.errors import TrainError
from microcoder_train.microcoder_grpo import MicroCoderTrainer, replace_groups
from microcoder_train.rewards import Verdicted
from microcoder_train.trainer import grpo_config

PLAIN = replace(override(PRESETS["tiny"], TINY, "test"), steps=8)
NAMES = ["one", "two", "three", "four"]
ROWS = [Row(name, f"some {name}", "easy", ()) for name in NAMES]
Judged = Callable[[str, str], tuple[float | None, str]]


class MadeUp:
    """A reward of a completion's text alone, with a verdict beside it."""

    __name__ = "judge"

    def __init__(self, judged: Judged) -> None:
        self.latest: list[Verdicted] = []
        self._judged = judged

    def __call__(self, completions: Sequence[str], problem_id: Sequence[str], **_: Any) -> list[float | None]:
        found = [self._judged(name, text) for name, text in zip(problem_id, completions, strict=True)]
        self.latest = [Verdicted(None, verdict, 0, 1) for _, verdict in found]
        return [reward for reward, _ in found]


def by_text(name: str, text: str) -> tuple[float, str]:
    accepted = zlib.crc32(text.encode()) % 2
    return float(accepted), "AC" if accepted else "NO_CODE"


def arguments(settings: TrainSettings, folder: Path) -> dict[str, Any]:
    torch.manual_seed(0)
    base = BaseSettings(**TINY["base"])
    tokenizer = build_tokenizer(["some words to learn", "one two three four"], base)
    return {
        "model": build_model(base, tokenizer),
        "args": grpo_config(settings, folder, seed=0),
        "train_dataset": Dataset.from_dict({"prompt": [row.prompt for row in ROWS], "problem_id": NAMES}),
        "processing_class": tokenizer,
    }


def ours(settings: TrainSettings, folder: Path, judged: Judged = by_text, **more: Any) -> Any:
    reward: Any = MadeUp(judged)
    return MicroCoderTrainer(settings=settings, reward=reward, rows=ROWS, **arguments(settings, folder), **more)


def rollout(trainer: Any) -> dict[str, torch.Tensor]:
    trainer.model.train()
    torch.manual_seed(1)
    inputs = [dict(trainer.train_dataset[place]) for place in (0, 1) for _ in range(trainer.num_generations)]
    return dict(trainer._generate_and_score_completions(inputs))


@pytest.mark.parametrize("loss_type", ["dapo", "grpo"])
def test_with_every_part_off_it_is_trls_trainer_to_the_last_bit(tmp_path: Path, loss_type: str) -> None:
    settings = replace(PLAIN, loss_type=loss_type)
    theirs = GRPOTrainer(reward_funcs=MadeUp(by_text), **arguments(settings, tmp_path / "a"))
    theirs.train()
    own = ours(settings, tmp_path / "b")
    own.train()
    compared = ("loss", "grad_norm", "reward", "entropy", "clip_ratio/high_mean", "num_tokens")
    history = [[[entry.get(key) for key in compared] for entry in trainer.state.log_history if "reward" in entry]
               for trainer in (theirs, own)]  # fmt: skip
    assert len(history[0]) == 4
    assert history[0] == history[1]
    assert any(entry[0] for entry in history[0])
    for one, other in zip(theirs.model.parameters(), own.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_masked_completions_lose_their_advantage_and_nothing_else(tmp_path: Path) -> None:
    plain = rollout(ours(PLAIN, tmp_path / "a"))
    trainer = ours(replace(PLAIN, truncation_mask="conditional", truncation_rho=0.5), tmp_path / "b")
    masked = rollout(trainer)
    kept = ~torch.tensor(list(trainer._logs["extra"]["masked"]))
    assert 0 < kept.sum() < len(kept)
    assert torch.equal(masked["advantages"], plain["advantages"] * kept)
    assert torch.equal(masked["num_items_in_batch"], plain["num_items_in_batch"])
    assert torch.equal(masked["completion_mask"], plain["completion_mask"])
    expected = torch.tensor([by_text("", text)[0] for text in trainer._logs["completion"]]).view(-1, 4)
    normalised = (expected - expected.mean(1, keepdim=True)) / (expected.std(1, keepdim=True) + 1e-4)
    assert torch.allclose(plain["advantages"], normalised.flatten())


def test_an_incorrect_or_repeating_completion_keeps_its_advantage(tmp_path: Path) -> None:
    settings = replace(PLAIN, truncation_mask="conditional", truncation_rho=1.0)
    wrong = rollout(ours(settings, tmp_path / "a", lambda _, text: (by_text("", text)[0], "WA")))
    assert torch.equal(wrong["advantages"], rollout(ours(PLAIN, tmp_path / "b"))["advantages"])


def test_a_run_whose_length_binds_masks_its_share_and_says_so(tmp_path: Path) -> None:
    settings = replace(PLAIN, truncation_mask="conditional", truncation_rho=0.5, steps=16, iterations=1)
    trainer = ours(settings, tmp_path)
    trainer.train()
    history = [entry for entry in trainer.state.log_history if "reward" in entry]
    shares = [entry["truncation/masked"] for entry in history]
    cut = [entry["completions/clipped_ratio"] for entry in history]
    assert sum(cut) / len(cut) > 0.9
    assert 0.35 < sum(shares) / sum(cut) < 0.65
    rows = pq.read_table(tmp_path / "completions").to_pylist()
    assert sum(row["masked"] for row in rows) / len(rows) == pytest.approx(sum(shares) / len(shares))


def test_mask_all_hits_every_cut_completion_right_or_wrong(tmp_path: Path) -> None:
    def wrong(_: str, text: str) -> tuple[float, str]:
        return by_text("", text)[0], "WA"

    plain = rollout(ours(PLAIN, tmp_path / "a", wrong))
    masked = rollout(ours(replace(PLAIN, truncation_mask="all"), tmp_path / "b", wrong))
    full = plain["completion_mask"].sum(1) == PLAIN.max_completion_tokens
    assert full.any()
    assert torch.equal(masked["advantages"], plain["advantages"] * ~full)


@pytest.mark.parametrize(("ratio", "advantage", "moves"), [
    (1.27, 1.0, True), (1.29, 1.0, False), (0.81, -1.0, True), (0.79, -1.0, False), (1.5, -1.0, True), (0.5, 1.0, True),
])  # fmt: skip
def test_the_clip_binds_above_1_28_and_below_0_8(tmp_path: Path, ratio: float, advantage: float, moves: bool) -> None:
    trainer = ours(PLAIN, tmp_path)
    batch = rollout(trainer)
    trainer.current_gradient_accumulation_steps = 1
    batch["advantages"] = torch.full_like(batch["advantages"], advantage)
    batch["old_per_token_logps"] = batch["old_per_token_logps"] - torch.log(torch.tensor(ratio))
    trainer.compute_loss(trainer.model, batch).backward()
    moved = any(parameter.grad.abs().max() > 0 for parameter in trainer.model.parameters())
    assert moved == moves
    share = trainer._metrics["train"]["clip_ratio/region_mean"][-1]
    assert share == pytest.approx(0.0 if moves else 1.0)


def test_the_clip_acts_in_a_run_with_several_updates_a_rollout_and_never_with_one(tmp_path: Path) -> None:
    def clipped(name: str, **changes: Any) -> tuple[float, float]:
        trainer = ours(replace(PLAIN, learning_rate=0.1, schedule="constant", **changes), tmp_path / name)
        trainer.train()
        history = trainer.state.log_history
        return tuple(max(entry.get(f"clip_ratio/{side}_mean", 0) for entry in history) for side in ("low", "high"))

    assert min(clipped("passes", iterations=4)) > 0
    assert min(clipped("minibatches", iterations=1, minibatches=2, device_batch=4)) > 0
    assert clipped("one", iterations=1) == (0, 0)


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.7])
@pytest.mark.parametrize("peft", [False, True])
def test_sampling_and_both_log_probabilities_agree_on_the_temperature(
    tmp_path: Path, temperature: float, peft: bool
) -> None:
    more = {"peft_config": LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False)} if peft else {}
    settings = replace(
        PLAIN, temperature=2.5, temperature_schedule="staged", temperature_stages=f"0={temperature}"
    )
    trainer = ours(settings, tmp_path, **more)
    batch = rollout(trainer)
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
    mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], 1)
    width = batch["completion_ids"].size(1)
    with torch.no_grad():
        logits = trainer.model(input_ids=ids, attention_mask=mask).logits[:, -width - 1 : -1] / temperature
        found = trainer._get_per_token_logps_and_entropies(trainer.model, ids, mask, width)[0]
    expected = torch.log_softmax(logits, -1).gather(-1, batch["completion_ids"][..., None])[..., 0]
    valid = batch["completion_mask"].bool()
    assert torch.allclose(batch["old_per_token_logps"][valid], expected[valid], atol=1e-5)
    assert torch.allclose(found[valid], expected[valid], atol=1e-5)
    torch.manual_seed(1)
    with torch.no_grad():
        first = torch.multinomial(torch.softmax(logits[:, 0], -1), 1)[:, 0]
    assert torch.equal(first, batch["completion_ids"][:, 0])


def test_the_temperature_changes_between_rollouts_only(tmp_path: Path) -> None:
    settings = replace(PLAIN, temperature_schedule="staged", temperature_stages="3=1.4,6=1.7")
    trainer = ours(settings, tmp_path)
    trainer.train()
    used = {entry["step"]: entry["temperature"] for entry in trainer.state.log_history if "reward" in entry}
    assert used == {2: 1.0, 4: 1.0, 6: 1.4, 8: 1.7}


def test_the_length_limit_rises_at_its_step_for_the_sampler_the_mask_and_the_loss(tmp_path: Path) -> None:
    settings = replace(PLAIN, context_stages="4=12", truncation_mask="all", iterations=1, loss_type="dr_grpo", steps=6)
    trainer = ours(settings, tmp_path)
    trainer.train()
    history = [entry for entry in trainer.state.log_history if "reward" in entry]
    assert [entry["completions/length_limit"] for entry in history] == [8] * 4 + [12] * 2
    assert [entry["completions/max_length"] for entry in history] == [8] * 4 + [12] * 2
    assert all(entry["truncation/masked"] > 0.5 for entry in history)
    assert trainer.max_completion_length == 12


def test_a_length_limit_that_falls_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="may only rise"):
        ours(replace(PLAIN, context_stages="4=12,6=10"), tmp_path)
    with pytest.raises(TrainError, match="context_stages '4:12': write STEP=VALUE"):
        ours(replace(PLAIN, context_stages="4:12"), tmp_path)


def test_groups_without_signal_are_replaced_up_to_a_bound_and_counted(tmp_path: Path) -> None:
    def judged(name: str, text: str) -> tuple[float, str]:
        return (0.0, "WA") if name in ("one", "two") else by_text(name, text)

    own = ours(replace(PLAIN, rollout_batches=6), tmp_path / "a", judged)
    batch = rollout(own)
    assert batch["advantages"].view(2, 4).abs().sum(1).min() > 0
    assert 1 < own._metrics["train"]["groups/batches"][-1] <= 6
    assert own._metrics["train"]["groups/sampled_without_signal"] == [1.0]
    assert batch["num_items_in_batch"] == batch["completion_mask"].sum()
    lost = ours(replace(PLAIN, rollout_batches=3), tmp_path / "b", lambda *_: (0.0, "WA"))
    assert rollout(lost)["advantages"].abs().sum() == 0
    assert lost._metrics["train"]["groups/batches"] == [3]
    lost.train()
    assert lost.state.global_step == PLAIN.steps


def test_replaced_groups_of_another_width_are_padded_on_their_side() -> None:
    def made(value: int, prompt: int, completion: int) -> dict[str, torch.Tensor]:
        return {
            "prompt_ids": torch.full((4, prompt), value),
            "completion_ids": torch.full((4, completion), value),
            "completion_mask": torch.ones(4, completion, dtype=torch.long),
            "advantages": torch.full((4,), float(value)),
            "num_items_in_batch": torch.tensor(4 * completion),
        }

    merged = replace_groups(made(5, 3, 2), made(7, 2, 4), [(1, 0)], size=2, pad=9)
    assert merged["prompt_ids"].tolist() == [[5, 5, 5]] * 2 + [[9, 7, 7]] * 2
    assert merged["completion_ids"].tolist() == [[5, 5, 9, 9]] * 2 + [[7, 7, 7, 7]] * 2
    assert merged["completion_mask"].tolist() == [[1, 1, 0, 0]] * 2 + [[1, 1, 1, 1]] * 2
    assert merged["advantages"].tolist() == [5, 5, 7, 7]
    assert merged["num_items_in_batch"] == 12


def test_a_completion_that_could_not_be_judged_neither_moves_nor_counts(tmp_path: Path) -> None:
    def judged(name: str, text: str) -> tuple[float | None, str]:
        return (None, "IE") if len(text) % 3 == 0 else by_text(name, text)

    trainer = ours(PLAIN, tmp_path, judged)
    batch = rollout(trainer)
    failed = torch.tensor([len(text) % 3 == 0 for text in trainer._logs["completion"]])
    assert failed.any() and not failed.all()
    assert batch["advantages"][failed].abs().sum() == 0


@pytest.mark.parametrize("method", METHODS)
def test_methods_are_settings_that_trl_takes(tmp_path: Path, method: str) -> None:
    settings = replace(PLAIN, **METHODS[method])
    config = grpo_config(settings, tmp_path, seed=0)
    for name in ("loss_type", "beta", "epsilon", "epsilon_high", "scale_rewards"):
        assert getattr(config, name) == getattr(settings, name)
    assert config.mask_truncated_completions is False
