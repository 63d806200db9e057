"""Verified problems as rows that train: joined, prompted, with their tests inside, each in one part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import polars as pl

from microcoder_assets.config import DedupSettings, PublicationSettings
from microcoder_assets.processing.minhash import Cache
from microcoder_assets.publication.choose_tests import choose_tests
from microcoder_assets.publication.parts import assign_parts, find_families
from microcoder_assets.publication.prompt import build_prompt
from microcoder_assets.schema import SPLIT, Rows, conform, of_problems
from microcoder_assets.stage import Decision, Kind, StageResult

ROWS_A_BATCH = 256


class Blobs(Protocol):
    def get_many(self, shas: Sequence[str]) -> dict[str, bytes]: ...


def build_split(
    verified: pl.DataFrame,
    calibrated: Rows,
    problems: Rows,
    blobs: Blobs,
    settings: PublicationSettings,
    dedup: DedupSettings,
    cache: Cache | None = None,
) -> StageResult:
    """SPLIT rows of the verified problems whose prompts are short enough and that one part can have.

    calibrated, problems: CALIBRATED and PREPARED rows, supersets. cache: what is known of documents already.
    """
    proven = verified.select("problem_id", "verified_references", "kills", "added_tests")
    graded = of_problems(calibrated, proven["problem_id"]).select("problem_id", "score", "expected_solve_rate", "band")
    rows = (
        of_problems(problems, proven["problem_id"])
        .collect()
        .join(proven, on="problem_id")
        .join(graded.collect(), on="problem_id")
        .sort("problem_id")
    )
    asked = rows.select("statement", "io_mode", "starter_code").iter_rows()
    rows = rows.with_columns(prompt=pl.Series([build_prompt(*parts) for parts in asked], dtype=pl.String))
    short = pl.col("prompt").str.len_chars() <= settings.max_prompt_chars
    long = rows.filter(~short)["problem_id", "content_sha", "prompt"].rows()
    decisions = [_too_long(settings, *row) for row in long]
    rows = rows.filter(short)
    rows = rows.with_columns(find_families(rows, dedup, cache))
    rows = rows.with_columns(split=assign_parts(rows, settings))
    older = rows.filter(pl.col("split") == "train").group_by("family").agg(of=pl.col("problem_id").min())
    torn = rows.filter(pl.col("split").is_null()).join(older, on="family", how="left", maintain_order="left")
    decisions += [_straddles(*row) for row in torn["problem_id", "content_sha", "of"].rows()]
    rows = rows.filter(pl.col("split").is_not_null())
    decisions += [
        Decision(problem_id, Kind.KEPT, "ok", {"split": part}, sha_in=sha, sha_out=sha)
        for problem_id, sha, part in rows["problem_id", "content_sha", "split"].rows()
    ]
    batches = _with_tests(rows, blobs, settings)
    frame = pl.concat([pl.DataFrame(schema=SPLIT), *(_finished(batch) for batch in batches)])
    return StageResult(conform(frame, SPLIT), decisions)


def _too_long(settings: PublicationSettings, problem_id: str, sha: str, prompt: str) -> Decision:
    detail = {"characters": len(prompt), "limit": settings.max_prompt_chars}
    return Decision(problem_id, Kind.DROPPED, "no_token_budget", detail, sha_in=sha)


def _straddles(problem_id: str, sha: str, of: str) -> Decision:
    return Decision(problem_id, Kind.DROPPED, "straddles_parts", {"of": of}, sha_in=sha, parents=[of])


def _finished(batch: list[dict[str, Any]]) -> pl.DataFrame:
    """SPLIT rows of joined ones: of the accepted references those that are proven."""
    rows = []
    for row in batch:
        proven = set(row["verified_references"])
        references = [r for r in row["references"] if r["label"] != "accepted" or r["name"] in proven]
        row = {**row, "difficulty": row["band"], "references": references}
        rows.append({name: row[name] for name in SPLIT})
    return pl.DataFrame(rows, schema=SPLIT)


def _with_tests(rows: pl.DataFrame, blobs: Blobs, settings: PublicationSettings) -> Iterator[list[dict[str, Any]]]:
    """Rows with the bytes of their chosen tests inside, read from the store a batch of rows at a time."""
    for batch in rows.iter_slices(ROWS_A_BATCH):
        chosen = [
            choose_tests(
                [*tests, *({**test, "sample": False} for test in added)],
                {kill["test"]: frozenset(kill["submissions"]) for kill in kills},
                settings.max_tests,
            )
            for tests, added, kills in batch.select("tests", "added_tests", "kills").iter_rows()
        ]
        shas = {sha for tests in chosen for t in tests for sha in (t["input_sha"], t["expected_sha"])}
        stored = blobs.get_many(sorted(shas))
        yield [
            {**row, "tests": [_inside(test, stored) for test in tests]}
            for row, tests in zip(batch.iter_rows(named=True), chosen, strict=True)
        ]


def _inside(test: Mapping[str, Any], stored: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        "name": test["name"],
        "sample": test["sample"],
        "input": stored[test["input_sha"]],
        "expected": stored[test["expected_sha"]],
    }
