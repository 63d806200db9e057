"""Scores of policies on a benchmark suite, side by side."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from microcoder_train.artifacts import model_fingerprint, new_result, read_result, require_model, run_key, write_json
from microcoder_train.config import EvaluationSettings, as_dict
from microcoder_train.errors import TrainError
from microcoder_train.evaluation.backends import open_backend
from microcoder_train.evaluation.completions import CompletionFile, Drawn, Request, draw_all
from microcoder_train.evaluation.interchange import write_eval_all, write_harness_results
from microcoder_train.evaluation.pages import estimates, score_page
from microcoder_train.evaluation.prompts import style_of
from microcoder_train.evaluation.scorecard import (
    around_cutoff,
    by_difficulty,
    comparison,
    differing,
    grouped,
    scorecard,
)
from microcoder_train.evaluation.scoring import Answer, Graded, Judges, grade, write_graded
from microcoder_train.evaluation.tasks import Suite
from microcoder_train.reports import Report, number
from microcoder_train.validation import estimate_dict

RECORD, TIMES = "scores.json", "times.json"

AUTO = "auto"
"""Of a prompt style: LiveCodeBench's for the model's family, or the suite's for chat or base models."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How completions are got: backend and style by their names, the server, the models' and the data's cut-offs."""

    backend: str = "transformers"
    style: str = AUTO
    base_url: str | None = None
    api_key: str | None = None
    parallel: int = 16
    cutoffs: Mapping[str, dt.date] = field(default_factory=dict)


def run_evaluation(
    suite: Suite,
    models: Mapping[str, str],
    out: Path,
    settings: EvaluationSettings,
    sampling: Sampling,
    seed: int,
    say: Say,
) -> dict[str, Any]:
    """Score `models` (name -> path, or a server's name) on the suite in `out`, or find it done there.

    The scores, with `unchanged`. Completions lie beside `out`, in `completions/`, and are used again by any run with
    the same model, prompts, settings and seed. Everything in `out` but times.json is the same for the same completions.
    """
    local = sampling.backend != "openai"
    for path in models.values():
        if local:
            require_model(path)
    styles = {name: choose_style(suite, path, sampling) for name, path in models.items()}
    prints = {name: model_fingerprint(path) if local else path for name, path in models.items()}
    key = run_key(
        kind=suite.name,
        data_version=suite.version,
        problems=[task.problem_id for task in suite.tasks],
        models=list(prints.items()),
        styles=styles,
        settings=as_dict(settings),
        cutoffs={name: date.isoformat() for name, date in sampling.cutoffs.items()},
        seed=seed,
    )
    if (found := read_result(out, RECORD, key)) is not None:
        return {**found, "unchanged": True}
    graded: dict[str, list[Graded]] = {}
    times: dict[str, dict[str, float]] = {}
    with Judges(suite, settings.judge_workers, settings.isolation) as judges:
        for name, path in models.items():
            say(f"sampling {name} on {len(suite.tasks)} problems of {suite.name}")
            began = time.monotonic()
            requests = make_requests(suite, styles[name], settings.samples)
            store = completion_file(out.parent / "completions", name, prints[name], settings, seed)
            drawn, new = _draw(requests, path, store, settings, sampling, seed, name)
            say(f"{new} completions drawn, {len(drawn) - new} were there; judging {name}")
            middle = time.monotonic()
            graded[name] = grade(name, suite, _answers(suite, requests, drawn, styles[name]), judges)
            times[name] = {
                "drawn": new,
                "sampling_seconds": round(middle - began, 1),
                "judging_seconds": round(time.monotonic() - middle, 1),
            }
    record = {
        "key": key,
        "suite": suite.name,
        "data_version": suite.version,
        "seed": seed,
        "config": as_dict(settings),
        "styles": styles,
    }
    write_scores(out, suite, record, graded, settings, sampling.cutoffs, times)
    return {**json.loads((out / RECORD).read_text("utf-8")), "unchanged": False}


def write_scores(
    out: Path,
    suite: Suite,
    record: Mapping[str, Any],
    graded: Mapping[str, Sequence[Graded]],
    settings: EvaluationSettings,
    cutoffs: Mapping[str, dt.date],
    times: Mapping[str, Mapping[str, float]],
) -> None:
    """Everything of a result: scores.json, scores.parquet, report.md, plots, and the forms that others read."""
    from microcoder_train.plots import length_plot, month_plot, score_plot

    first, *others = graded
    comparisons = {f"{name} - {first}": comparison(graded[first], graded[name], settings.bootstrap) for name in others}
    levels = {name: by_difficulty(own, settings.bootstrap) for name, own in graded.items()}
    full = {
        **record,
        "models": {
            name: {group: estimate_dict(estimate) for group, estimate in own.items()} for name, own in levels.items()
        },
        "differences": {name: found["difference"] for name, found in comparisons.items()},
        "cards": {name: scorecard(own, settings) for name, own in graded.items()},
        "comparisons": comparisons,
        "cutoffs": {
            name: {mark: around_cutoff(own, date, settings.bootstrap) for mark, date in cutoffs.items()}
            for name, own in graded.items()
            if cutoffs
        },
    }
    flat = list(itertools.chain.from_iterable(graded.values()))
    months = {name: grouped([item for item in own if item.month != "unknown"], "month", settings.bootstrap)
              for name, own in graded.items()}  # fmt: skip
    with new_result(out, RECORD) as folder:
        write_graded(folder / "scores.parquet", flat)
        score_plot(folder / "scores.png", levels)
        if any(months.values()):
            month_plot(folder / "months.png", months, {mark: f"{date:%Y-%m}" for mark, date in cutoffs.items()})
        if any(item.tokens for item in flat):
            length_plot(folder / "lengths.png", {name: _lengths(own) for name, own in graded.items()})
        (folder / "report.md").write_text(score_page(full, differing(flat)), encoding="utf-8")
        for name, own in graded.items():
            write_eval_all(folder / f"{file_name(name)}_eval_all.json", suite, own)
            write_harness_results(folder / f"results_{file_name(name)}.json", full, name)
        write_json(folder / TIMES, times)
        write_json(folder / RECORD, full)


def file_name(policy: str) -> str:
    """A policy's name as part of a file's."""
    return re.sub(r"[^\w.-]+", "_", policy)


def choose_style(suite: Suite, model: str, sampling: Sampling) -> str:
    """The prompt style by name. Raises TrainError for one that the suite does not have."""
    if sampling.style in suite.styles:
        return sampling.style
    if sampling.style != AUTO:
        raise TrainError(f"{suite.name} has no prompt style {sampling.style!r}; one of auto, {', '.join(suite.styles)}")
    chat = sampling.backend == "openai" or has_chat_template(model)
    return style_of(model, chat) if suite.name == "livecodebench" else suite.styles[0 if chat else 1]


def has_chat_template(model: str) -> bool:
    """Whether the tokenizer of a model folder or Hub name says how to chat. Raises TrainError without a tokenizer."""
    from transformers import AutoTokenizer

    try:
        return bool(AutoTokenizer.from_pretrained(model).chat_template)
    except (OSError, ValueError) as error:
        raise TrainError(f"model {model} has no readable tokenizer; name a style with --style") from error


def make_requests(suite: Suite, style: str, samples: int) -> list[Request]:
    """`samples` of every task, in order."""
    return [
        Request(task.problem_id, sample, prompt)
        for task in suite.tasks
        for prompt in [suite.prompt(task, style)]
        for sample in range(samples)
    ]


def completion_file(folder: Path, name: str, model: str, settings: EvaluationSettings, seed: int) -> CompletionFile:
    """Where the completions of one model with these settings lie; what is only judged otherwise does not count."""
    drawing = ("samples", "temperature", "top_p", "max_completion_tokens", "stop", "batch", "dtype")
    parts = {part: as_dict(settings)[part] for part in drawing}
    key = run_key(kind="completions", model=model, seed=seed, settings=parts)
    return CompletionFile(folder / f"{file_name(name)}-{key}.jsonl")


def _draw(
    requests: Sequence[Request],
    model: str,
    store: CompletionFile,
    settings: EvaluationSettings,
    sampling: Sampling,
    seed: int,
    name: str,
) -> tuple[list[Drawn], int]:
    if (known := store.all_of(requests)) is not None:
        return known, 0
    backend = open_backend(
        model, sampling.backend, settings, seed,
        base_url=sampling.base_url, api_key=sampling.api_key, parallel=sampling.parallel,
    )  # fmt: skip
    return draw_all(requests, backend, store, f"sampling {name}")


def _answers(suite: Suite, requests: Sequence[Request], drawn: Sequence[Drawn], style: str) -> list[Answer]:
    tasks = {task.problem_id: task for task in suite.tasks}
    return [
        Answer(task, request.sample, found, suite.extract(task, found.text, style))
        for request, found in zip(requests, drawn, strict=True)
        for task in [tasks[request.problem_id]]
    ]


def _lengths(samples: Sequence[Graded]) -> tuple[list[int], list[int]]:
    return [item.tokens for item in samples if item.accepted], [item.tokens for item in samples if not item.accepted]


def evaluation_report(record: Mapping[str, Any], out: Path) -> Report:
    models: Mapping[str, Any] = record["models"]
    problems = next(iter(models.values()))["overall"]["problems"]
    shown = ", ".join(f"{name} {number(groups['overall']['pass@1'])}" for name, groups in models.items())
    times = json.loads((out / TIMES).read_text("utf-8"))
    seconds = sum(own["sampling_seconds"] + own["judging_seconds"] for own in times.values())
    tables = {"scores": estimates("group", {name: {**groups} for name, groups in models.items()})}
    if record["differences"]:
        tables["differences"] = estimates("group", {name: {"overall": v} for name, v in record["differences"].items()})
    tables["rules"] = estimates("rules", {name: card["rules"] for name, card in record["cards"].items()})
    return Report(
        f"{record['suite']}{' unchanged' if record['unchanged'] else ''}: pass@1 on {problems} problems: {shown}",
        record["key"],
        {
            **{f"{name}_pass@1": groups["overall"]["pass@1"] for name, groups in models.items()},
            "seconds": seconds,
            "cost_usd": sum(card["cost_usd"] for card in record["cards"].values()),
        },
        {**tables, "report": (out / "report.md").read_text("utf-8")},
        {name: out / f"{name}.png" for name in ("scores", "months", "lengths") if (out / f"{name}.png").exists()},
    )
