"""Choosing the sampling temperature of a policy before it is trained: D at each temperature on a sample of prompts,
beside the band that D should lie in, or what D settled at in trial runs."""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from microcoder_train.artifacts import model_fingerprint, new_result, read_result, require_model, run_key, write_json
from microcoder_train.config import TrainSettings, as_dict
from microcoder_train.data import read_data_version, read_part
from microcoder_train.errors import TrainError
from microcoder_train.grpo import EMBEDDED, RUN_RECORD, embedded_base, trainable
from microcoder_train.reports import Report, number
from microcoder_train.temperature import choose, diversity

RECORD, PLOT = "temperature.json", "diversity.png"
TEMPERATURES = (0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8)
"""The span of the paper's study. Ours."""
SETTLED_FROM = 0.75
"""D has settled in what follows this share of a trial's rollouts. Ours."""


def run_choose(
    split: Path, model: str, out: Path, settings: TrainSettings, temperatures: Sequence[float], prompts: int,
    trials: Sequence[Path], seed: int, say: Callable[[str], None],
) -> dict[str, Any]:  # fmt: skip
    """The sweep in `out`, made or found there: `chosen` and `diversity`, [temperature, D] pairs; with `unchanged`.

    `settings.generations` completions of at most `settings.max_completion_tokens` for each of `prompts` train prompts.
    trials: finished runs, each the --out of `grpo`, that tell the band in place of the settings. Raises TrainError for
    another folder.
    """
    data_version = read_data_version(split)
    if model != EMBEDDED:
        require_model(model)
    low, high = settings.diversity_low, settings.diversity_high
    if trials:
        low, high = (at := statistics.mean(settled(trial) for trial in trials)), at + (high - low)
    key = run_key(
        kind="temperature", data_version=data_version, model=model_fingerprint(model), settings=as_dict(settings),
        temperatures=list(temperatures), prompts=prompts, band=[low, high], seed=seed,
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
            "band": [low, high],
            "trials": [str(trial) for trial in trials],
            "chosen": choose(measured, low),
            "diversity": [[temperature, value] for temperature, value in measured.items()],
        }
        diversity_plot(folder / PLOT, measured, (low, high))
        write_json(folder / RECORD, record)
    return {**record, "unchanged": False}


def settled(trial: Path) -> float:
    """D where a finished run ended: its mean over the last quarter of the rollouts. Raises TrainError without one."""
    try:
        curve = json.loads((trial / RUN_RECORD).read_text(encoding="utf-8"))["curve"]
        late = [point["diversity"] for point in curve[int(SETTLED_FROM * len(curve)) :]]
        return statistics.mean(float(value) for value in late if value is not None)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainError(f"--trial {trial} has no {RUN_RECORD} of a run with a D; give the --out of `grpo`") from error


def choose_report(record: dict[str, Any], out: Path) -> Report:
    low, high = record["band"]
    chosen = dict(record["diversity"])[record["chosen"]]
    place = "within" if chosen is not None and low <= chosen <= high else "outside"
    band = f"{place} the band {low:.2f} to {high:.2f}{' of the trials' if record['trials'] else ''}"
    lines = [f"| {temperature} | {number(value)} |" for temperature, value in record["diversity"]]
    state = ", unchanged" if record["unchanged"] else ""
    return Report(
        f"temperature {record['chosen']}: D {number(chosen)}, {band}{state}",
        record["key"],
        {"temperature": record["chosen"], "diversity": chosen},
        {"diversity": "\n".join(["| temperature | D |", "| --- | --- |", *lines])},
        {"diversity": out / PLOT},
    )
