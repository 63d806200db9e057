"""Rows as `unique_problems` holds them, with only what a test names filled in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from microcoder_assets.filtering.rubric import Rubric, load_rubric
from microcoder_assets.schema import UNIQUE

Rows = Callable[..., pl.DataFrame]
LISTS = ("samples", "tests", "references", "tags", "ratings", "flags", "merged_ids")


@pytest.fixture(scope="session")
def unique_rows() -> Rows:
    """UNIQUE rows from dicts; columns that a dict does not name are null, list columns empty."""

    def build(*given: dict[str, Any]) -> pl.DataFrame:
        rows = []
        for number, values in enumerate(given):
            row: dict[str, Any] = {**dict.fromkeys(UNIQUE), **{name: [] for name in LISTS}}
            row |= {"problem_id": f"site:{number}", "platform": "site", "native_id": str(number)}
            row |= {"title": f"Problem {number}", "statement_language": "en", "content_sha": f"sha{number}", **values}
            rows.append(row)
        return pl.DataFrame(rows, schema=UNIQUE, orient="row")

    return build


@pytest.fixture(scope="session")
def rubric() -> Rubric:
    return load_rubric()
