"""Every blocking check can fail, and says in one line what is wrong."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from rows import frame, unique_row

from microcoder_assets.checks import (
    accounts_for_rows,
    has_disjoint_parts,
    has_schema,
    has_unique_ids,
    is_calibrated,
    is_free_of_benchmark,
)
from microcoder_assets.project import Project
from microcoder_assets.schema import BENCHMARK, CALIBRATED, PREPARED, SCORED, SPLIT, UNIQUE, Schema, conform
from microcoder_assets.stage import Decision, Kind, StageResult

RUN = {"inputs": "i", "code_version": "1", "run_id": "r"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, (), None, None)


def nulls(schema: Schema, **columns: list[str]) -> pl.DataFrame:
    given = pl.DataFrame(columns)
    return given.select(
        given[name].cast(dtype) if name in given.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in schema.items()
    )


def kept(rows: pl.DataFrame) -> list[Decision]:
    return [Decision(problem_id, Kind.KEPT, "ok") for problem_id in rows["problem_id"]]


def test_schema(project: Project) -> None:
    rows = nulls(SCORED, problem_id=["a:1"])
    project.store.publish("scored_problems", StageResult(rows, kept(rows)), **RUN)
    assert has_schema(project, "scored_problems") is None
    wrong = rows.with_columns(pl.col("score").cast(pl.String))
    project.store.publish("scored_problems", StageResult(wrong, kept(rows)), **RUN)
    assert "score" in (has_schema(project, "scored_problems") or "")


def test_unique_ids(project: Project) -> None:
    rows = nulls(SCORED, problem_id=["a:1", "a:1", "a:2"])
    project.store.publish("scored_problems", StageResult(rows, kept(rows)), **RUN)
    assert "1 ids occur more than once, such as 'a:1'" in (has_unique_ids(project, "scored_problems") or "")


@pytest.mark.parametrize(
    ("decided", "words"),
    [
        (["a:1", "a:2"], None),
        (["a:1"], "undecided 1"),
        (["a:1", "a:2", "a:3"], "lost 1"),
        (["a:1", "a:2", "a:2"], "2 rows, 3 kept"),
    ],
)
def test_rows_accounted(project: Project, decided: list[str], words: str | None) -> None:
    rows = nulls(SCORED, problem_id=["a:1", "a:2"])
    decisions = [Decision(problem_id, Kind.KEPT, "ok") for problem_id in decided]
    project.store.publish("scraped_problems", StageResult(rows, decisions), **RUN)
    finding = accounts_for_rows(project, "scraped_problems")
    assert finding is None if words is None else words in (finding or "")


def test_rows_accounted_across_stages(project: Project) -> None:
    rows = nulls(SCORED, problem_id=["a:1", "a:2"])
    project.store.publish("prepared_problems", StageResult(rows, kept(rows)), **RUN)
    fewer = rows.head(1)
    project.store.publish("scored_problems", StageResult(fewer, kept(fewer)), **RUN)
    assert "prepared_problems holds 2 rows, but 1 were decided" in (accounts_for_rows(project, "scored_problems") or "")


def test_a_row_made_by_a_stage_did_not_come_into_it(project: Project) -> None:
    rows = nulls(UNIQUE, problem_id=["a:1"])
    project.store.publish("unique_problems", StageResult(rows, kept(rows)), **RUN)
    both = nulls(PREPARED, problem_id=["a:1", "a:1#stdin"])
    decisions = [*kept(rows), Decision("a:1#stdin", Kind.KEPT, "stdin_form", {"of": "a:1"})]
    project.store.publish("prepared_problems", StageResult(both, decisions), **RUN)
    assert accounts_for_rows(project, "prepared_problems") is None


def test_split_disjoint(project: Project) -> None:
    columns = {"problem_id": ["a:1", "a:2"], "content_sha": ["x", "y"], "statement": ["s", "t"]}
    apart = nulls(SPLIT, **columns, split=["train", "validation"])
    project.store.publish("train_split", StageResult(apart, kept(apart)), **RUN)
    assert has_disjoint_parts(project, "train_split") is None
    shared = nulls(SPLIT, **{**columns, "content_sha": ["x", "x"]}, split=["train", "validation"])
    project.store.publish("train_split", StageResult(shared, kept(shared)), **RUN)
    assert "content_sha" in (has_disjoint_parts(project, "train_split") or "")
    kin = nulls(SPLIT, **columns, family=["a:1", "a:1"], split=["train", "validation"])
    project.store.publish("train_split", StageResult(kin, kept(kin)), **RUN)
    assert "family" in (has_disjoint_parts(project, "train_split") or "")
    days = {"published": [dt.date(2026, 2, 2), dt.date(2026, 2, 1)], "published_basis": ["contest", "contest"]}
    late = nulls(SPLIT, **columns, **days, split=["train", "validation"])
    project.store.publish("train_split", StageResult(late, kept(late)), **RUN)
    assert "2026-02-02" in (has_disjoint_parts(project, "train_split") or "")


def test_zero_benchmark_overlap(project: Project) -> None:
    line = "keeper {0} lights lantern {1} on the harbour wall and walks {0} steps."
    words = " ".join(line.format(n, n * n) for n in range(9))
    blobs = project.store.blobs
    problems = frame([unique_row(blobs, "a:1", statement=words), unique_row(blobs, "a:2")])
    project.store.publish("unique_problems", StageResult(problems, kept(problems)), **RUN)
    other = nulls(BENCHMARK, problem_id=["b:9"], platform=["b"], native_id=["9"], title=["Nine"], statement=["Unlike."])
    project.store.publish("livecodebench_problems", StageResult(conform(other, BENCHMARK), kept(other)), **RUN)
    assert is_free_of_benchmark(project, "unique_problems") is None
    copied = other.with_columns(statement=pl.lit(words))
    project.store.publish("livecodebench_problems", StageResult(copied, kept(copied)), **RUN)
    assert "a:1" in (is_free_of_benchmark(project, "unique_problems") or "")


@pytest.mark.parametrize(
    ("labelled", "spearman", "error", "words"),
    [
        (300, 0.8, 0.05, None),
        (299, 0.1, 0.2, None),
        (300, 0.8, 0.09, "a: calibration error 0.090 is over 0.08"),
        (300, 0.1, 0.05, "a: Spearman 0.1 is below 0.3"),
        (300, None, 0.05, "a: Spearman None is below 0.3"),
    ],
)
def test_calibration(project: Project, labelled: int, spearman: float | None, error: float, words: str | None) -> None:
    assert is_calibrated(project, "calibrated_problems") is None
    measured = {"platform": "a", "labelled": labelled, "spearman": spearman, "calibration_error": error}
    rows = StageResult(nulls(CALIBRATED), [])
    project.store.publish("calibrated_problems", rows, extra={"calibration": [measured]}, **RUN)
    assert is_calibrated(project, "calibrated_problems") == words
