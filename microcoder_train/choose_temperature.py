"""Choosing the sampling temperature of a policy before it is trained: D at each temperature on a sample of prompts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from microcoder_train.artifacts import model_fingerprint, new_result, read_result, require_model, run_key, write_json
from microcoder_train.config import TrainSettings, as_dict
from microcoder_train.data import read_data_version, read_part
from microcoder_train.grpo import EMBEDDED, embedded_base, trainable
from microcoder_train.reports import Report, number
from microcoder_train.temperature import choose, diversity

RECORD, PLOT = "temperature.json", "diversity.png"
TEMPERATURES = (0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8)
"""The span of the paper's study. Ours."""


def run_choose(
    split: Path, model: str, out: Path, settings: TrainSettings, temperatures: Sequence[float], prompts: int,
    seed: int, say: Callable[[str], None],
) -> dict[str, Any]:  # fmt: skip
    """The sweep in `out`, made or found there: `chosen` and `diversity`, [temperature, D] pairs; with `unchanged`.

    `settings.generations` completions of at most `settings.max_completion_tokens` for each of `prompts` train prompts.
    """
    data_version = read_data_version(split)
    if model != EMBEDDED:
        require_model(model)
    key = run_key(
        kind="temperature", data_version=data_version, model=model_fingerprint(model), settings=as_dict(settings),
        temperatures=list(temperatures), prompts=prompts, seed=seed,
    )  # fmt: skip
    if (found := read_result(out, RECORD, key)) is not None:
        return {**found, "unchanged": True}
    rows = read_part(split, "train").rows
    with new_result(out, RECORD) as folder:
        from microcoder_train.generation import load_policy, sample
        from microcoder_train.plots import diversity_plot

        base = embedded_base(split, out, settings.base, seed, say) if model == EMBEDDED else model
        policy = load_policy(base, settings.dtype)
        kept = trainable(rows, [len(policy.encode(row.prompt)) for row in rows], settings)
        chosen = random.Random(seed).sample(kept, min(prompts, len(kept)))
        encoded = [policy.encode(row.prompt) for row in chosen]
        measured: dict[float, float | None] = {}
        for temperature in sorted(set(temperatures)):
            drawn = sample(
                policy,
                encoded,
                settings.generations,
                temperature=temperature,
                max_tokens=settings.max_completion_tokens,
                batch=settings.device_batch,
                seed=seed,
            )
            measured[temperature] = diversity([[item.ids for item in group] for group in drawn])
            say(f"temperature {temperature}: D {number(measured[temperature])}")
        record = {
            "key": key,
            "data_version": data_version,
            "seed": seed,
            "prompts": len(chosen),
            "generations": settings.generations,
            "band": [settings.diversity_low, settings.diversity_high],
            "chosen": choose(measured, settings.diversity_low),
            "diversity": [[temperature, value] for temperature, value in measured.items()],
        }
        diversity_plot(folder / PLOT, measured, (settings.diversity_low, settings.diversity_high))
        write_json(folder / RECORD, record)
    return {**record, "unchanged": False}


def choose_report(record: dict[str, Any], out: Path) -> Report:
    low, high = record["band"]
    chosen = dict(record["diversity"])[record["chosen"]]
    place = "within the band" if chosen is not None and low <= chosen <= high else "outside the band"
    lines = [f"| {temperature} | {number(value)} |" for temperature, value in record["diversity"]]
    state = ", unchanged" if record["unchanged"] else ""
    return Report(
        f"temperature {record['chosen']}: D {number(chosen)}, {place} {low} to {high}{state}",
        record["key"],
        {"temperature": record["chosen"], "diversity": chosen},
        {"diversity": "\n".join(["| temperature | D |", "| --- | --- |", *lines])},
        {"diversity": out / PLOT},
    )
