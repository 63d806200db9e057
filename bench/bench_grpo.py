"""What do our parts cost beside plain TRL, and what the judge? `python -m bench.bench_grpo SPLIT MODEL [--rounds 5]`.

SPLIT is an exported split, MODEL a base of it (`python -m microcoder_train make-base`). Both trainers run by turns, in
this process, with the preset `tiny` and a reward that costs nothing. Ours masks, measures diversity and guards the
temperature, but with a rho and a hold for which nothing is changed: both sample the same tokens, which is checked. Told
are CPU seconds of a whole run's steps, as medians over rounds, which other work on the machine disturbs little. Then
ours runs with the judge: its share of a step on the clock, as a run logs it, and of the CPU seconds, children included.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
import zlib
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from trl import GRPOTrainer

from bench.tables import print_table
from microcoder_judge import Judge
from microcoder_train.config import PRESETS, TrainSettings
from microcoder_train.data import Part, Row, prompts_dataset, read_part
from microcoder_train.generation import load_policy
from microcoder_train.grpo import trainable
from microcoder_train.microcoder_grpo import MicroCoderTrainer
from microcoder_train.rewards import JudgeReward, Verdicted
from microcoder_train.trainer import grpo_config

IDLE = {"truncation_mask": "conditional", "truncation_rho": 1e-12, "temperature_schedule": "guarded",
        "temperature_hold": 10**6}  # fmt: skip
"""Our parts at work, and nothing changed by them."""


class Free:
    """A reward of the completion's text alone, with the verdict that the mask asks for."""

    __name__ = "judge"

    def __init__(self) -> None:
        self.latest: list[Verdicted] = []

    def __call__(self, completions: Sequence[str], **_: Any) -> list[float]:
        rewards = [float(zlib.crc32(text.encode()) % 2) for text in completions]
        self.latest = [Verdicted(None, "AC" if reward else "NO_CODE", 0, 1) for reward in rewards]
        return rewards


class Bench:
    def __init__(self, split: Path, model: str, settings: TrainSettings, scratch: Path) -> None:
        self._part: Part = read_part(split, "train")
        self._model, self._settings, self._scratch = model, settings, scratch
        policy = load_policy(model, "float32")
        self._rows: list[Row] = trainable(
            self._part.rows, [len(policy.encode(row.prompt)) for row in self._part.rows], settings
        )

    def trainer(self, settings: TrainSettings, reward: Any, plain: bool) -> Any:
        policy = load_policy(self._model, "float32")
        common = {
            "model": policy.model,
            "args": grpo_config(settings, Path(tempfile.mkdtemp(dir=self._scratch)), seed=0),
            "train_dataset": prompts_dataset(self._rows, [policy.prompt(row.prompt) for row in self._rows]),
            "processing_class": policy.tokenizer,
        }
        if plain:
            return GRPOTrainer(reward_funcs=reward, **common)
        return MicroCoderTrainer(settings=settings, reward=reward, rows=self._rows, **common)

    def overhead(self, rounds: int) -> None:
        seconds: dict[bool, list[float]] = {True: [], False: []}
        seen = set()
        for number in range(rounds + 1):
            for plain in (True, False) if number % 2 else (False, True):
                trainer = self.trainer(self._settings if plain else replace(self._settings, **IDLE), Free(), plain)
                started = time.process_time()
                trainer.train()
                if number:
                    seconds[plain].append(time.process_time() - started)
                history = [entry for entry in trainer.state.log_history if "reward" in entry]
                seen.add(tuple((entry["loss"], entry["num_tokens"]) for entry in history))
        if len(seen) != 1:
            raise SystemExit("the trainers did not do the same work; their times cannot be compared")
        medians = {plain: statistics.median(values) for plain, values in seconds.items()}
        ratios = [ours / theirs for ours, theirs in zip(seconds[False], seconds[True], strict=True)]
        steps = self._settings.steps
        print_table(["trainer", "CPU s a step, median", "least", "most"], [
            [name, *(f"{value / steps:.3f}" for value in (medians[plain], min(seconds[plain]), max(seconds[plain])))]
            for name, plain in (("plain TRL", True), ("ours", False))
        ])  # fmt: skip
        print(f"overhead: {statistics.median(ratios) - 1:+.1%}, median of {rounds} rounds by turns after a first; from "
              f"{min(ratios) - 1:+.1%} to {max(ratios) - 1:+.1%}\n")  # fmt: skip

    def judge(self) -> None:
        with Judge(workers=self._settings.judge_workers, reorder=True) as judge:
            trainer = self.trainer(self._settings, JudgeReward(judge, self._part.problem), plain=False)
            before = os.times()
            trainer.train()
        after = os.times()
        own = after.user - before.user + after.system - before.system
        children = after.children_user - before.children_user + after.children_system - before.children_system
        history = [entry for entry in trainer.state.log_history if "reward" in entry]
        updates = self._settings.iterations * self._settings.minibatches
        shares = [entry["time/reward"] / (updates * entry["step_time"]) for entry in history]
        print(f"judge: {statistics.median(shares):.1%} of a rollout's seconds, median of {len(shares)} rollouts of "
              f"{self._settings.prompts_per_rollout * self._settings.generations} completions; {children:.1f} of "
              f"{own + children:.1f} CPU s ({children / (own + children):.1%})")  # fmt: skip


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_grpo", description="Our parts and the judge beside plain TRL.")
    parser.add_argument("split", type=Path, metavar="SPLIT", help="an exported split")
    parser.add_argument("model", metavar="MODEL", help="a base model of it")
    parser.add_argument("--rounds", type=int, default=5, help="of both trainers (5)")
    parser.add_argument("--steps", type=int, default=16, help="updates a run (16)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(options.split, options.model, replace(PRESETS["tiny"], steps=options.steps), Path(scratch))
        bench.overhead(options.rounds)
        bench.judge()


if __name__ == "__main__":
    main()
