"""What normalized rows bring along for judging and training, as small tables: counts, so that parts add up."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

CONTENTS = {
    "stdin": pl.col("io_mode") == "stdin",
    "function": pl.col("io_mode") == "function",
    "tests": pl.col("tests").list.len() > 0,
    "checker": pl.col("checker").is_not_null(),
    "references": pl.col("references").list.len() > 0,
    "samples": pl.col("samples").list.len() > 0,
    "bounds": pl.col("bounds").list.len() > 0,
    "ratings": pl.col("ratings").list.len() > 0,
}
"""Of NORMALIZED columns: what a problem may have."""

LANGUAGE_COLUMNS = ("problem_id", "statement_language", "io_mode")


def contents_of(normalized: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Three tables of counts. contents: platform, problems, and of those the ones with each of CONTENTS. flags: flag,
    problems. checkers: checker (its kind), problems."""
    counted = [pl.len().alias("problems"), *(having.sum().alias(name) for name, having in CONTENTS.items())]
    flags = normalized.select(flag=pl.col("flags").explode().drop_nulls())
    kind = pl.col("checker").str.json_path_match("$.name").fill_null("none declared")
    return {
        "contents": normalized.group_by("platform").agg(counted),
        "flags": flags.group_by("flag").len("problems").cast({"problems": pl.UInt32}),
        "checkers": normalized.group_by(checker=kind).agg(problems=pl.len()),
    }


def summed(parts: Sequence[dict[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    """The tables of several parts as one, the most frequent first."""
    if not parts:
        return {}
    tables = {name: pl.concat([part[name] for part in parts]) for name in parts[0]}
    return {
        name: table.group_by(table.columns[0]).sum().sort("problems", table.columns[0], descending=[True, False])
        for name, table in tables.items()
    }


def languages(problems: pl.DataFrame) -> pl.DataFrame:
    """language, io_mode, problems. problems: LANGUAGE_COLUMNS."""
    counts = problems.group_by(language="statement_language", io_mode="io_mode").len("problems")
    return counts.sort("problems", "language", "io_mode", descending=[True, False, False], nulls_last=True)
