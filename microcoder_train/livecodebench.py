"""Scores of policies on a benchmark folder, side by side."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from microcoder_judge import Judge
from microcoder_train.artifacts import model_fingerprint, new_result, read_result, require_model, run_key, write_json
from microcoder_train.config import EvaluationSettings, as_dict
from microcoder_train.data import read_data_version, read_part
from microcoder_train.reports import Report, cells, number

RECORD = "scores.json"


def run_livecodebench(
    benchmark: Path,
    models: Mapping[str, str],
    out: Path,
    settings: EvaluationSettings,
    seed: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Score `models` (name -> path) on the benchmark in `out`, or find it done there; the scores, with `unchanged`."""
    data_version = read_data_version(benchmark)
    for path in models.values():
        require_model(path)
    key = run_key(
        kind="livecodebench",
        data_version=data_version,
        models=[[name, model_fingerprint(path)] for name, path in models.items()],
        settings=as_dict(settings),
        seed=seed,
    )
    if (found := read_result(out, RECORD, key)) is not None:
        return {**found, "unchanged": True}
    part = read_part(benchmark, "test")
    from microcoder_train.evaluate import compare, estimate_dict, evaluate, score, write_samples
    from microcoder_train.plots import score_plot

    with new_result(out, RECORD) as folder:
        samples = {}
        with Judge(workers=settings.judge_workers) as judge:
            for name, path in models.items():
                say(f"scoring {name} on {len(part)} benchmark problems")
                samples[name] = evaluate(name, path, part, judge, settings, seed)
        scores = {name: score(own, settings.bootstrap) for name, own in samples.items()}
        first, *others = models
        record = {
            "key": key,
            "data_version": data_version,
            "seed": seed,
            "config": as_dict(settings),
            "models": {
                name: {group: estimate_dict(estimate) for group, estimate in value.groups().items()}
                for name, value in scores.items()
            },
            "runs": {
                name: {"samples": value.samples, "too_long": value.too_long, "truncated": value.truncated}
                for name, value in scores.items()
            },
            "differences": {
                f"{other} - {first}": estimate_dict(compare(samples[first], samples[other], settings.bootstrap))
                for other in others
            },
        }
        write_samples(folder / "scores.parquet", list(itertools.chain.from_iterable(samples.values())))
        score_plot(folder / "scores.png", {name: value.groups() for name, value in scores.items()})
        write_json(folder / RECORD, record)
    return {**record, "unchanged": False}


def livecodebench_report(record: dict[str, Any], out: Path) -> Report:
    models: dict[str, Any] = record["models"]
    problems = next(iter(models.values()))["overall"]["problems"]
    shown = ", ".join(f"{name} {number(groups['overall']['pass@1'])}" for name, groups in models.items())
    rows = [
        f"| {name} | {group} | {cells(estimate)} |"
        for name, groups in models.items()
        for group, estimate in groups.items()
    ]
    rows += [f"| {name} | overall | {cells(value)} |" for name, value in record["differences"].items()]
    header = ["| policy | problems | pass@1 | 95 % interval |", "| --- | --- | --- | --- |"]
    return Report(
        f"livecodebench{' unchanged' if record['unchanged'] else ''}: pass@1 on {problems} problems: {shown}",
        record["key"],
        {f"{name}_pass@1": groups["overall"]["pass@1"] for name, groups in models.items()},
        {"scores": "\n".join([*header, *rows])},
        {"plot": out / "scores.png"},
    )
