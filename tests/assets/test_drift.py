"""Every warning of drift can be raised, and is silent about what is as it was, or too little to tell."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from microcoder_assets.drift import checkers_shifted, drops_shifted, rows_fell
from microcoder_assets.project import Project
from microcoder_assets.schema import NORMALIZED, SCORED
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_assets.store import Partition


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, (), None, None)


def publish(project: Project, run_id: str, kept: int, dropped: int = 0) -> None:
    rows = pl.DataFrame({"problem_id": [f"a:{n}" for n in range(kept)]}, schema_overrides=SCORED).select(
        pl.col(name) if name == "problem_id" else pl.lit(None, dtype).alias(name) for name, dtype in SCORED.items()
    )
    decisions = [Decision(problem_id, Kind.KEPT, "ok") for problem_id in rows["problem_id"]]
    decisions += [Decision(f"b:{n}", Kind.DROPPED, "too_easy") for n in range(dropped)]
    project.store.publish(
        "scored_problems", StageResult(rows, decisions), inputs=f"{kept} {dropped}", code_version="1", run_id=run_id
    )


@pytest.mark.parametrize(
    ("before", "now", "finding"),
    [
        (100, 90, None),
        (100, 89, "89 rows where there were 100"),
        (100, 300, None),
        (49, 1, None),
    ],
)
def test_rows_fell(project: Project, before: int, now: int, finding: str | None) -> None:
    publish(project, "first", before)
    assert rows_fell(project, "scored_problems", "first") is None
    publish(project, "second", now)
    assert rows_fell(project, "scored_problems", "second") == finding


def test_only_what_the_run_changed_is_compared(project: Project) -> None:
    publish(project, "first", 100)
    publish(project, "second", 50)
    publish(project, "third", 50)
    assert rows_fell(project, "scored_problems", "third") is None


@pytest.mark.parametrize(
    ("before", "now", "finding"),
    [
        ((90, 10), (82, 18), None),
        ((90, 10), (70, 30), "30% of the rows do not go on, where it was 10%"),
        ((70, 30), (90, 10), "10% of the rows do not go on, where it was 30%"),
        ((30, 10), (10, 30), None),
    ],
)
def test_drops_shifted(project: Project, before: tuple[int, int], now: tuple[int, int], finding: str | None) -> None:
    publish(project, "first", *before)
    assert drops_shifted(project, "scored_problems", "first") is None
    publish(project, "second", *now)
    assert drops_shifted(project, "scored_problems", "second") == finding


def month(project: Project, run_id: str, name: str, checkers: dict[str | None, int]) -> None:
    every = [f'{{"name": "{kind}"}}' if kind else None for kind, count in checkers.items() for _ in range(count)]
    given = {"problem_id": [f"a:{name}-{n}" for n in range(len(every))], "checker": every}
    rows = pl.DataFrame(given).select(
        pl.col(column).cast(dtype) if column in given else pl.lit(None, dtype).alias(column)
        for column, dtype in NORMALIZED.items()
    )
    decisions = [Decision(problem_id, Kind.KEPT, "ok") for problem_id in given["problem_id"]]
    where = Partition(name, "a")
    project.store.publish(
        "normalized_problems",
        StageResult(rows, decisions),
        partition=where,
        inputs="i",
        code_version="1",
        run_id=run_id,
    )


@pytest.mark.parametrize(
    ("checkers", "finding"),
    [
        ({"tokens": 40, None: 20}, None),
        ({"tokens": 15, "lines": 5, None: 40}, "a: 25% tokens, 80% in its other months"),
        ({None: 49}, None),
    ],
)
def test_checkers_shifted(project: Project, checkers: dict[str | None, int], finding: str | None) -> None:
    month(project, "first", "2026-01", {"tokens": 80, None: 20})
    assert checkers_shifted(project, "normalized_problems", "first") is None
    month(project, "second", "2026-02", checkers)
    assert checkers_shifted(project, "normalized_problems", "second") == finding
