"""The dataset card of a train split: what is in it, its limits, where rows went, how near a benchmark is."""

from __future__ import annotations

import polars as pl

from microcoder_assets.config import DecontaminationSettings
from microcoder_assets.reports import markdown_table

HEADER = """---
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*.parquet
  - split: validation
    path: data/validation-*.parquet
task_categories:
- text-generation
tags:
- code
- reinforcement-learning
---

# Train split {version}

Contest problems with tests, each proven by running its reference solutions. Made by microcoder; every row's history
is in the decision ledger (`microcoder lineage PROBLEM`). A row's `tests` are complete and its `checker` says how an
output is compared; `references` hold accepted solutions that passed every test, and known-wrong ones that did not.

Validation is what was published last. No family of near-duplicates and versions (`family`) is in both parts, and
problems without a date of their own are never in validation, unless no two problems have different dates.
"""

NEAREST_SHOWN = 10

BENCHMARK_CARD = """---
configs:
- config_name: default
  data_files:
  - split: test
    path: data/test-*.parquet
tags:
- code
- evaluation
---

# Benchmark

LiveCodeBench problems as rows that `python -m microcoder_train livecodebench` scores. Never train on them.
"""


def dataset_card(
    frame: pl.DataFrame,
    version: str,
    *,
    funnel: pl.DataFrame,
    reasons: pl.DataFrame,
    limits: pl.DataFrame,
    proof: pl.DataFrame,
    settings: DecontaminationSettings,
) -> str:
    """Markdown with the Hub's YAML header.

    frame: SPLIT rows. funnel, reasons: rows of the reports of `sql/`. limits: of `limits.known_limits`. proof: of
    `processing.proof.nearest_rows`.
    """
    sections = [
        HEADER.format(version=version),
        _parts(frame),
        _counts(frame, "difficulty"),
        _counts(frame, "platform"),
        _counts(frame, "io_mode"),
        _counts(frame.with_columns(month=pl.col("published").dt.strftime("%Y-%m").fill_null("unknown")), "month"),
        _counts(frame, "license"),
        "## Known limits\n\n" + markdown_table(limits),
        _contamination(proof, settings),
        "## Where rows went\n\n" + markdown_table(funnel),
        "## Why rows did not go on\n\n" + markdown_table(reasons),
    ]
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _parts(frame: pl.DataFrame) -> str:
    parts = frame.group_by("split").agg(
        problems=pl.len(),
        families=pl.col("family").n_unique(),
        tests=pl.col("tests").list.len().sum(),
        undated=pl.col("published").null_count(),
        first=pl.col("published").min(),
        last=pl.col("published").max(),
    )
    return "## By split\n\n" + markdown_table(parts.sort("split"))


def _contamination(proof: pl.DataFrame, settings: DecontaminationSettings) -> str:
    """How near each benchmark is, and the nearest rows; the whole list lies beside the card."""
    if not proof.height:
        return "## Distance to the benchmark\n\nThere was no benchmark to compare with."
    limits = {"containment": settings.max_containment, "jaccard": settings.min_jaccard}
    over = {f"{name} over {limit:g}": (pl.col(name) > limit).sum() for name, limit in limits.items()}
    summary = proof.group_by("benchmark").agg(
        items=pl.len(), median_score=pl.col("score").median(), highest_score=pl.col("score").max(), **over
    )
    nearest = proof.sort("score", "benchmark_id", descending=[True, False]).head(NEAREST_SHOWN)
    return "\n\n".join(
        [
            "## Distance to the benchmark",
            "Every benchmark item was compared with every row: the share of a row's "
            f"{settings.ngram}-grams that an item holds, and the MinHash similarity of the statements. Boilerplate "
            "counts here, so that a score depends on no pool; removal did not count it. All items: "
            "`benchmark_overlap.csv`.",
            markdown_table(summary.sort("benchmark")),
            f"The {nearest.height} nearest:",
            markdown_table(nearest.drop("benchmark")),
        ]
    )


def _counts(frame: pl.DataFrame, column: str) -> str:
    counts = (
        frame.with_columns(pl.col(column).fill_null("unknown"))
        .group_by(column)
        .agg(problems=pl.len(), tests=pl.col("tests").list.len().sum())
        .sort(column)
    )
    return f"## By {column.replace('_', ' ')}\n\n" + markdown_table(counts)
