"""What a backfill runs: spans of stale months, cut into chunks, one Dagster run each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from microcoder_assets.collection.platforms import PLATFORMS, UNDATED_MONTH
from microcoder_assets.errors import UserError
from microcoder_assets.runner import PARTITIONED, Chunk, Runner, spans


def chunks_of(
    runner: Runner, first: str, last: str, platforms: Sequence[str], size: int, force: bool
) -> list[Chunk]:
    """Chunks of at most `size` months for every platform with something to make between two months, both included.

    force: every month of the span that the sources hold, whether it stands or not.
    Raises UserError for a month or a platform that is not one.
    """
    first, last = _month(first, "--from"), _month(last, "--to")
    if first > last:
        raise UserError(f"--from {first} is after --to {last}")
    if unknown := set(platforms) - set(PLATFORMS):
        raise UserError(f"unknown platform {min(unknown)!r}; one of {', '.join(PLATFORMS)}")
    chunks = []
    for platform in [name for name in PLATFORMS if not platforms or name in platforms]:
        stale = runner.held_months(platform) if force else runner.stale_months(platform, PARTITIONED)
        inside = [month for month in stale if first <= month <= last]
        chunks += [Chunk(platform, part[0], part[-1]) for part in spans(inside, size=size)]
    return chunks


def _month(text: str, option: str) -> str:
    try:
        parsed = dt.datetime.strptime(text, "%Y-%m")
    except ValueError as error:
        raise UserError(f"{option} {text!r} is not a month; write it as 2026-01") from error
    if text < UNDATED_MONTH:
        raise UserError(f"{option} {text} is before {UNDATED_MONTH}, the month of undated problems")
    return f"{parsed:%Y-%m}"
