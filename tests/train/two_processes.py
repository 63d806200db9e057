"""Started by torchrun in two processes: train on made-up rewards, and print what each process saw, as JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from test_train_microcoder_grpo import PLAIN, ours

from microcoder_train.microcoder_grpo import MicroCoderTrainer

TEMPERATURE = 0.7
SETTINGS = replace(
    PLAIN, device_batch=4, steps=4, truncation_mask="conditional", truncation_rho=0.5, temperature=2.5,
    temperature_schedule="staged", temperature_stages=f"0={TEMPERATURE}", curriculum="adaptive",
)  # fmt: skip


def off_by(trainer: MicroCoderTrainer, batch: dict[str, Any]) -> float:
    """The largest difference of a rollout's log-probabilities from those of an explicit forward."""
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
    mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], 1)
    width = batch["completion_ids"].size(1)
    with torch.no_grad():
        logits = trainer.model(input_ids=ids, attention_mask=mask).logits[:, -width - 1 : -1] / TEMPERATURE
    expected = torch.log_softmax(logits, -1).gather(-1, batch["completion_ids"][..., None])[..., 0]
    return float(((batch["old_per_token_logps"] - expected) * batch["completion_mask"]).abs().max())


if __name__ == "__main__":
    torch.set_num_threads(1)
    trainer = ours(SETTINGS, Path(sys.argv[1]) / "run")
    trainer.train()
    weights = [parameter.double().sum().item() for parameter in trainer.model.parameters()]
    inputs = [dict(trainer.train_dataset[0])] * 4
    off = off_by(trainer, trainer._generate_and_score_completions(inputs))
    found = {"off": off, "solved": trainer._solved, "weights": weights, "diversity": trainer._diversity}
    place = Path(sys.argv[1]) / f"{trainer.accelerator.process_index}.json"
    place.write_text(json.dumps(found, sort_keys=True), encoding="utf-8")
    # Whoever leaves first would cut the other's connection while it ends.
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
