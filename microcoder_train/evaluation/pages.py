"""A record of scores as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from microcoder_train.evaluation.extraction import FOUND
from microcoder_train.evaluation.scoring import Graded
from microcoder_train.reports import number

SHOWN = 60
"""Differing samples listed on the page; scores.parquet holds all."""


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [list(header), ["---"] * len(header), *([str(cell).replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def interval(estimate: Mapping[str, Any]) -> list[str]:
    """An estimate's JSON form as three cells: problems, mean, interval."""
    mean, low, high = (number(estimate[name]) for name in ("pass@1", "low", "high"))
    return [str(estimate["problems"]), mean, f"{low} to {high}"]


def estimates(header: str, groups: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """groups: policy -> name -> estimate, as one table with a line for each name and policy."""
    rows = [[policy, name, *interval(value)] for policy, own in groups.items() for name, value in own.items()]
    return table(["policy", header, "problems", "mean", "95 % interval"], rows)


def score_page(record: Mapping[str, Any], unlike: Sequence[Graded]) -> str:
    """The page of one evaluation: a record of `benchmark.run_evaluation`, and its samples on which the rules part."""
    cards: Mapping[str, Mapping[str, Any]] = record["cards"]
    parts = [
        f"# {record['suite']}: {', '.join(cards)}",
        f"Data version {record['data_version']}, seed {record['seed']}, prompts "
        + ", ".join(f"{name}: {style}" for name, style in record["styles"].items())
        + ". Intervals are 95 % bootstraps over problems; those of pass@k over problems and samples.",
        "## Scores",
        estimates("rules", {name: card["rules"] for name, card in cards.items()}),
        estimates("k", {name: card["pass@k"] for name, card in cards.items()}),
    ]
    for grouping in ("difficulty", "platform", "release", "month"):
        groups = {name: card["groups"][grouping] for name, card in cards.items()}
        if any(set(own) != {"unknown"} for own in groups.values()):
            parts += [f"## By {grouping}", estimates(grouping, groups)]
    if record["comparisons"]:
        parts += ["## Paired", _comparisons(record["comparisons"])]
    if record["cutoffs"]:
        parts += ["## Around cut-off dates", _cutoffs(record["cutoffs"])]
    parts += ["## Answers", _answers(cards), "## What was found in the completions", _extracted(cards)]
    if unlike:
        parts += ["## Where LiveCodeBench and an online judge part", _unlike(unlike)]
    return "\n\n".join(parts) + "\n"


def _comparisons(found: Mapping[str, Mapping[str, Any]]) -> str:
    return table(
        ["policies", "problems", "difference", "95 % interval", "p (sign flips)", "won", "lost", "equal"],
        [
            [name, *interval(one["difference"]), f"{one['p_value']:.4f}", one["wins"], one["losses"], one["ties"]]
            for name, one in found.items()
        ],
    )


def _cutoffs(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    rows = [
        [f"{policy}, {mark} {one['cutoff']}", group, *interval(estimate)]
        for policy, marks in found.items()
        for mark, one in marks.items()
        for side in ("before", "after")
        for group, estimate in ((f"{side}, {name}", value) for name, value in one[side].items())
    ]
    rows += [
        [f"{policy}, {mark} {one['cutoff']}", "after - before", *interval(one["change"])]
        for policy, marks in found.items()
        for mark, one in marks.items()
    ]
    return table(["policy and date", "problems of", "problems", "pass@1", "95 % interval"], rows)


def _answers(cards: Mapping[str, Mapping[str, Any]]) -> str:
    header = [
        "policy", "samples", "truncated", "no room", "not judged", "mean tokens", "median", "accepted", "rejected",
        "longest", "prompt tokens", "completion tokens", "dollars",
    ]  # fmt: skip
    rows = []
    for name, card in cards.items():
        tokens = card["tokens"]
        means = [f"{value:.0f}" if value is not None else "-" for value in
                 (tokens["mean"], tokens["median"], tokens["accepted"], tokens["rejected"])]  # fmt: skip
        rows.append(
            [name, card["samples"], number(card["truncated"]), card["too_long"], card["not_judged"], *means,
             tokens["longest"], tokens["prompts"], tokens["all"], f"{card['cost_usd']:.4f}"]
        )  # fmt: skip
    return table(header, rows)


def _extracted(cards: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        [name, found, count, FOUND[found]] for name, card in cards.items() for found, count in card["extracted"].items()
    ]
    return table(["policy", "found", "samples", "meaning"], rows)


def _unlike(samples: Sequence[Graded]) -> str:
    rows = [[item.model, item.problem_id, item.sample, item.difference, item.errata or ""] for item in samples[:SHOWN]]
    rest = f"\n\n{len(samples) - SHOWN} more in scores.parquet" if len(samples) > SHOWN else ""
    return table(["policy", "problem", "sample", "what each says", "errata"], rows) + rest
