"""One GRPO run: base model, training, and the score of both policies on the validation part."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from microcoder_judge import Judge
from microcoder_train.artifacts import model_fingerprint, new_result, read_result, require_model, run_key, write_json
from microcoder_train.config import BaseSettings, TrainSettings, as_dict
from microcoder_train.data import Part, Row, read_data_version, read_part
from microcoder_train.errors import TrainError
from microcoder_train.reports import Report, cells, number

EMBEDDED = "embedded"
BASE_RECORD, RUN_RECORD = "base.json", "summary.json"
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

    Checkpoints stand beside `out` until it is done; an equal run that was killed goes on from them.
    """
    data_version = read_data_version(split)
    if model != EMBEDDED:
        require_model(model)
    key = run_key(
        kind="grpo", data_version=data_version, model=model_fingerprint(model), settings=as_dict(settings), seed=seed
    )
    if (found := read_result(out, RUN_RECORD, key)) is not None:
        return {**found, "unchanged": True}
    started = time.monotonic()
    checkpoints = out.with_name(f"{out.name}.checkpoints-{key}")
    train, validation = read_part(split, "train"), read_part(split, "validation")
    with new_result(out, RUN_RECORD) as folder:
        base = embedded_base(split, out, settings.base, seed, say) if model == EMBEDDED else model
        summary = {
            "key": key,
            "data_version": data_version,
            "model": "model",
            "base": os.path.relpath(base, out) if Path(base).is_dir() else base,
            "seed": seed,
            "config": as_dict(settings),
            **_train_and_score(base, train, validation, folder, checkpoints, settings, seed, say),
            "seconds": round(time.monotonic() - started, 1),
        }
        write_json(folder / RUN_RECORD, summary)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return {**summary, "unchanged": False}


def embedded_base(split: Path, out: Path, settings: BaseSettings, seed: int, say: Say) -> str:
    key = run_key(kind="base", data_version=read_data_version(split), settings=as_dict(settings), seed=seed)
    folder = out.parent / f"base-{key}"
    make_base(split, folder, settings, seed, say)
    return str(folder)


def _train_and_score(
    base: str,
    train: Part,
    validation: Part,
    folder: Path,
    checkpoints: Path,
    settings: TrainSettings,
    seed: int,
    say: Say,
) -> dict[str, Any]:
    from microcoder_train.evaluate import compare, estimate_dict, evaluate, score, write_samples
    from microcoder_train.generation import load_policy
    from microcoder_train.plots import curve_plot
    from microcoder_train.rewards import JudgeReward
    from microcoder_train.trainer import train_grpo

    policy = load_policy(base, "float32")
    rows = trainable(train.rows, [len(policy.encode(row.prompt)) for row in train.rows], settings)
    say(f"training on {len(rows)} problems; {len(train) - len(rows)} prompts are too long and skipped")
    with Judge(workers=settings.judge_workers, reorder=True) as judge:
        reward = JudgeReward(judge, train.problem, settings.reward, settings.reward_format)
        points = train_grpo(policy, rows, reward, settings, folder, checkpoints, seed, say)
        say(f"scoring base and tuned on {len(validation)} validation problems")
        own = settings.evaluation
        before = evaluate("base", base, validation, judge, own, seed)
        after = evaluate("tuned", str(folder / "model"), validation, judge, own, seed)
    write_samples(folder / "validation.parquet", [*before, *after])
    judged = [(point["step"], point["reward"]) for point in points if point["reward"] is not None]
    curve_plot(folder / "curve.png", [step for step, _ in judged], [reward for _, reward in judged])
    return {
        "steps": settings.steps,
        "problems": len(rows),
        "skipped": len(train) - len(rows),
        "validation": {
            "base": score(before, own.bootstrap).to_dict(),
            "tuned": score(after, own.bootstrap).to_dict(),
            "difference": estimate_dict(compare(before, after, own.bootstrap)),
        },
        "curve": points,
    }


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
    table = "\n".join(
        [
            "| validation | pass@1 | 95 % interval |",
            "| --- | --- | --- |",
            *(f"| {name} | {cells(validation[name])} |" for name in ("base", "tuned", "difference")),
            *(
                f"| {name}, {level} | {cells(validation[name]['by_difficulty'][level])} |"
                for level in base["by_difficulty"]
                for name in ("base", "tuned")
            ),
        ]
    )
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
        {"summary": table},
        {"curve": out / "curve.png"},
    )
