"""Rows made for tests: small problems with real tests in a real blob store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from microcoder_assets.schema import PREPARED, conform
from microcoder_assets.store import Blobs

DOUBLE = "print(int(input()) * 2)"


def _size(test: tuple[bytes, bytes]) -> int:
    return len(test[0]) + len(test[1])


def unique_row(
    blobs: Blobs,
    problem_id: str,
    tests: Sequence[tuple[bytes, bytes]] = ((b"2\n", b"4\n"), (b"-3\n", b"-6\n")),
    references: Mapping[str, Sequence[str]] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """A PREPARED row. references: programs by label; by default one accepted program that doubles a number."""
    named = references if references is not None else {"accepted": [DOUBLE]}
    shas = [blobs.put_many(list(pair)) for pair in tests]
    row: dict[str, Any] = dict.fromkeys(PREPARED)
    row |= {
        "problem_id": problem_id,
        "platform": problem_id.partition(":")[0],
        "native_id": problem_id.partition(":")[2],
        "title": problem_id,
        "statement": f"Read a number and print twice that number. ({problem_id})",
        "io_mode": "stdin",
        "tests": [
            {"name": str(n), "sample": n == 0, "input_sha": given, "expected_sha": wanted, "bytes": size}
            for n, (size, (given, wanted)) in enumerate(zip(map(_size, tests), shas, strict=True))
        ],
        "time_limit_s": 1.0,
        "references": [
            {"name": f"{label}/{n}.py", "language": "python", "label": label, "code": code}
            for label, codes in named.items()
            for n, code in enumerate(codes)
        ],
        "content_sha": f"sha of {problem_id}",
        **fields,
    }
    return row


def frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return conform(pl.DataFrame([dict(row) for row in rows], schema=PREPARED), PREPARED)


def selected(problems: pl.DataFrame) -> pl.DataFrame:
    """SELECTED and CALIBRATED columns together for the same problems."""
    return problems.select(
        "problem_id", "content_sha", score=pl.lit(2.0), expected_solve_rate=pl.lit(0.5), band=pl.lit("medium")
    )
