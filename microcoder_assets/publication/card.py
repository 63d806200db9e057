"""The dataset card of a train split: what is in it, where rows went, under which licences."""

from __future__ import annotations

import polars as pl

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
"""

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


def dataset_card(frame: pl.DataFrame, funnel: pl.DataFrame, reasons: pl.DataFrame, version: str) -> str:
    """Markdown with the Hub's YAML header. frame: SPLIT rows; funnel, reasons: rows of the reports of `sql/`."""
    sections = [
        HEADER.format(version=version),
        _counts(frame, "split"),
        _counts(frame, "difficulty"),
        _counts(frame, "platform"),
        _counts(frame, "io_mode"),
        _counts(frame.with_columns(month=pl.col("published").dt.strftime("%Y-%m").fill_null("unknown")), "month"),
        _counts(frame, "license"),
        "## Where rows went\n\n" + markdown_table(funnel),
        "## Why rows did not go on\n\n" + markdown_table(reasons),
    ]
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _counts(frame: pl.DataFrame, column: str) -> str:
    counts = (
        frame.with_columns(pl.col(column).fill_null("unknown"))
        .group_by(column)
        .agg(problems=pl.len(), tests=pl.col("tests").list.len().sum())
        .sort(column)
    )
    return f"## By {column.replace('_', ' ')}\n\n" + markdown_table(counts)
