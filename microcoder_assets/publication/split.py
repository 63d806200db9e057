"""Verified problems as rows that train: joined, prompted, with their tests inside, split once and for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import polars as pl

from microcoder_assets.config import PublicationSettings
from microcoder_assets.publication.choose_tests import choose_tests
from microcoder_assets.publication.prompt import build_prompt
from microcoder_assets.schema import SPLIT, conform
from microcoder_assets.stage import Decision, Kind, StageResult

ROWS_A_BATCH = 256


class Blobs(Protocol):
    def get_many(self, shas: Sequence[str]) -> dict[str, bytes]: ...


def assign_split(problem_id: str, settings: PublicationSettings) -> str:
    """`validation` or `train`, by a hash of the id alone: a problem never changes sides as the set grows."""
    digest = hashlib.sha256(f"{settings.split_salt}\0{problem_id}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return "validation" if share < settings.validation_fraction else "train"


def build_split(
    verified: pl.DataFrame,
    calibrated: pl.DataFrame,
    problems: pl.DataFrame,
    blobs: Blobs,
    settings: PublicationSettings,
) -> StageResult:
    """SPLIT rows of every verified problem. verified, calibrated: narrow rows; problems: PREPARED rows, a superset.

    A stdin form is on the side of its function form.
    """
    rows = (
        problems.join(verified.select("problem_id", "verified_references", "kills", "added_tests"), on="problem_id")
        .join(calibrated.select("problem_id", "score", "expected_solve_rate", "band"), on="problem_id")
        .sort("problem_id")
    )
    kept, decisions = [], []
    for row in _with_tests(rows, blobs, settings):
        prompt = build_prompt(row["statement"], row["io_mode"], row["starter_code"])
        sha = row["content_sha"]
        if len(prompt) > settings.max_prompt_chars:
            detail = {"characters": len(prompt), "limit": settings.max_prompt_chars}
            decisions.append(Decision(row["problem_id"], Kind.DROPPED, "no_token_budget", detail, sha_in=sha))
            continue
        part = assign_split(row["form_of"] or row["problem_id"], settings)
        proven = set(row["verified_references"])
        references = [r for r in row["references"] if r["label"] != "accepted" or r["name"] in proven]
        kept.append({**row, "split": part, "prompt": prompt, "difficulty": row["band"], "references": references})
        decisions.append(Decision(row["problem_id"], Kind.KEPT, "ok", {"split": part}, sha_in=sha, sha_out=sha))
    frame = pl.DataFrame([{name: row[name] for name in SPLIT} for row in kept], schema=SPLIT)
    return StageResult(conform(frame, SPLIT), decisions)


def _with_tests(rows: pl.DataFrame, blobs: Blobs, settings: PublicationSettings) -> Iterator[dict[str, Any]]:
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
        for row, tests in zip(batch.iter_rows(named=True), chosen, strict=True):
            yield {**row, "tests": [_inside(test, stored) for test in tests]}


def _inside(test: Mapping[str, Any], stored: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        "name": test["name"],
        "sample": test["sample"],
        "input": stored[test["input_sha"]],
        "expected": stored[test["expected_sha"]],
    }
