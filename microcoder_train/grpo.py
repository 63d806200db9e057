"""One GRPO run: base model, training, and the score of both policies on the validation part."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from microcoder_judge import Judge
from microcoder_train.artifacts import (
    BASE_RECORD,
    model_fingerprint,
    new_result,
    read_result,
    require_model,
    run_key,
    write_json,
)
from microcoder_train.card import write_card
from microcoder_train.config import BaseSettings, TrainSettings, as_dict
from microcoder_train.data import Part, Row, read_data_version, read_part
from microcoder_train.errors import TrainError
from microcoder_train.processes import is_first
from microcoder_train.reports import Report, number, validation_table

EMBEDDED = "embedded"
RUN_RECORD, CURVE_PLOT = "summary.json", "curve.png"
Say = Callable[[str], None]


def make_base(split: Path, out: Path, settings: BaseSettings, seed: int, say: Say) -> dict[str, Any]:
    """The embedded base model of a split in `out`, found there or made; its record, with `unchanged`."""
    data_version = read_data_version(split)
    key = run_key(kind="base", data_version=data_version, settings=as_dict(settings), seed=seed)
    if (found := read_result(out, BASE_RECORD, key)) is not None:
        return {**found, "unchanged": True}
    rows = [*read_part(split, "train").rows, *read_part(split, "validation").rows]
    with new_result(out, BASE_RECORD) as folder:
        from microcoder_train.base_model import train_base

        say(f"making the base model from the programs of {len(rows)} problems")
        started = time.monotonic()
        base = train_base(rows, settings, seed)
        base.save(folder)
        record = {
            "key": key,
            "data_version": data_version,
            "seed": seed,
            "config": as_dict(settings),
            "parameters": base.model.num_parameters(),
            "loss": base.loss,
            "problems": base.used,
            "skipped": base.skipped,
            "seconds": round(time.monotonic() - started, 1),
        }
        write_json(folder / BASE_RECORD, record)
    return {**record, "unchanged": False}


def base_report(record: dict[str, Any]) -> Report:
    state = "unchanged" if record["unchanged"] else f"made in {record['seconds']} s"
    return Report(
        f"base model {state}: {record['parameters']:,} parameters, loss {record['loss']:.3f}, trained on "
        f"{record['problems']} problems, {record['skipped']} skipped",
        record["key"],
        {name: record[name] for name in ("parameters", "loss", "problems", "skipped", "seconds")},
    )


def run_grpo(split: Path, model: str, out: Path, settings: TrainSettings, seed: int, say: Say) -> dict[str, Any]:
    """Train and score in `out`, or find it done there; the summary, with `unchanged`.

    Checkpoints stand beside `out` until it is done; an equal run that was killed goes on from them. Of several
    processes the first alone makes the base model, writes and scores, on a folder that all of them see; the others end
    with SystemExit(0) when training is done.
    """
    data_version = read_data_version(split)
    if model != EMBEDDED:
        require_model(model)
    key = run_key(
        kind="grpo", data_version=data_version, model=model_fingerprint(model), settings=as_dict(settings), seed=seed
    )
    if (found := read_result(out, RUN_RECORD, key)) is not None:
        return {**found, "unchanged": True}
    from microcoder_train.trainer import grpo_config

    started = time.monotonic()
    checkpoints = out.with_name(f"{out.name}.checkpoints-{key}")
    others = sorted(set(out.parent.glob(f"{out.name}.checkpoints-*")) - {checkpoints})
    say = say if is_first() else _silent
    for path in others:
        say(f"{path.name} is of other settings, data or code; it goes when this run is done")
    train, validation = read_part(split, "train"), read_part(split, "validation")
    args = grpo_config(settings, checkpoints, seed)
    with new_result(out, RUN_RECORD) if is_first() else nullcontext(out) as folder:
        with args.main_process_first(local=False):
            base = embedded_base(split, out, settings.base, seed, say) if model == EMBEDDED else model
        points, problems = _train(base, train, folder, args, settings, say)
        if not is_first():
            sys.exit(0)
        _draw(points, folder)
        summary = {
            "key": key,
            "data_version": data_version,
            "model": "model",
            "base": os.path.relpath(base, out) if Path(base).is_dir() else base,
            "seed": seed,
            "config": as_dict(settings),
            "steps": settings.steps,
            "problems": problems,
            "skipped": len(train) - problems,
            "validation": _score(base, validation, folder, settings, seed, say),
            "curve": points,
            "seconds": round(time.monotonic() - started, 1),
        }
        write_card(folder / "model", summary, settings, embedded=model == EMBEDDED)
        write_json(folder / RUN_RECORD, summary)
    for path in (checkpoints, *others):
        shutil.rmtree(path, ignore_errors=True)
    return {**summary, "unchanged": False}


def _silent(line: str) -> None:
    """What the processes but the first say."""


def embedded_base(split: Path, out: Path, settings: BaseSettings, seed: int, say: Say) -> str:
    key = run_key(kind="base", data_version=read_data_version(split), settings=as_dict(settings), seed=seed)
    folder = out.parent / f"base-{key}"
    make_base(split, folder, settings, seed, say)
    return str(folder)


def _train(
    base: str, train: Part, folder: Path, args: Any, settings: TrainSettings, say: Say
) -> tuple[list[dict[str, Any]], int]:
    """Train, and write the model; the curve, and how many problems were trained on. What it loaded is gone after it."""
    from microcoder_train.adapters import merge
    from microcoder_train.generation import load_policy
    from microcoder_train.rewards import JudgeReward
    from microcoder_train.trainer import train_grpo

    frozen = settings.lora_rank is not None and settings.deepspeed is None
    policy = load_policy(base, settings.dtype if frozen else "float32")
    rows = trainable(train.rows, [len(policy.encode(row.prompt)) for row in train.rows], settings)
    require_context(policy.context, settings)
    say(f"training on {len(rows)} problems; {len(train) - len(rows)} prompts are too long and skipped")
    with Judge(workers=settings.judge_workers, reorder=True) as judge:
        reward = JudgeReward(judge, train.problem, settings.reward, settings.reward_format)
        points = train_grpo(policy, rows, reward, settings, args, folder, say)
    del policy, reward
    gc.collect()
    if settings.lora_rank is not None and is_first():
        merge(base, folder / "adapter", folder / "model", settings.dtype)
    return points, len(rows)


def _draw(points: Sequence[dict[str, Any]], folder: Path) -> None:
    """The curve's plot, beside the model and for its card."""
    from microcoder_train.plots import curve_plot

    judged = [(point["step"], point["reward"]) for point in points if point["reward"] is not None]
    curve_plot(folder / CURVE_PLOT, [step for step, _ in judged], [reward for _, reward in judged])
    shutil.copyfile(folder / CURVE_PLOT, folder / "model" / CURVE_PLOT)


def _score(base: str, validation: Part, folder: Path, settings: TrainSettings, seed: int, say: Say) -> dict[str, Any]:
    """Score base and tuned, and write their samples."""
    from microcoder_train.validation import compare, estimate_dict, evaluate, score, write_samples

    say(f"scoring base and tuned on {len(validation)} validation problems")
    own = settings.evaluation
    with Judge(workers=settings.judge_workers, reorder=True) as judge:
        before = evaluate("base", base, validation, judge, own, seed)
        after = evaluate("tuned", str(folder / "model"), validation, judge, own, seed)
    write_samples(folder / "validation.parquet", [*before, *after])
    return {
        "base": score(before, own.bootstrap).to_dict(),
        "tuned": score(after, own.bootstrap).to_dict(),
        "difference": estimate_dict(compare(before, after, own.bootstrap)),
    }


def require_context(context: int, settings: TrainSettings) -> None:
    """Raises TrainError where a prompt and a completion of the longest kind do not fit the model's context."""
    from microcoder_train.stages import length_stages

    longest = length_stages(settings)[-1][1]
    if settings.max_prompt_tokens + longest > context:
        raise TrainError(
            f"max_prompt_tokens = {settings.max_prompt_tokens} and an L_max of {longest} tokens do not fit the model's "
            f"context of {context}; lower one of them"
        )


def trainable(rows: Sequence[Row], lengths: Sequence[int], settings: TrainSettings) -> list[Row]:
    """Rows whose prompt fits. Raises TrainError when they do not fill one rollout."""
    kept = [row for row, length in zip(rows, lengths, strict=True) if length <= settings.max_prompt_tokens]
    if len(kept) < settings.prompts_per_rollout:
        raise TrainError(
            f"only {len(kept)} of {len(rows)} train prompts fit {settings.max_prompt_tokens} tokens, and a rollout "
            f"takes {settings.prompts_per_rollout}; raise max_prompt_tokens or lower prompts_per_rollout"
        )
    return kept


def grpo_report(summary: dict[str, Any], out: Path) -> Report:
    validation = summary["validation"]
    base, tuned, difference = (validation[name] for name in ("base", "tuned", "difference"))
    state = "unchanged" if summary["unchanged"] else f"{summary['steps']} steps in {summary['seconds']} s"
    return Report(
        f"grpo {state}: validation pass@1 {number(base['pass@1'])} -> {number(tuned['pass@1'])}, "
        f"{base['problems']} problems",
        summary["key"],
        {
            "steps": summary["steps"],
            "seconds": summary["seconds"],
            "validation/base_pass@1": base["pass@1"],
            "validation/tuned_pass@1": tuned["pass@1"],
            "validation/difference": difference["pass@1"],
        },
        {"summary": validation_table(validation)},
        {"curve": out / CURVE_PLOT},
    )
