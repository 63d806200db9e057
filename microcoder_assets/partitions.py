"""How scraped and normalized problems are cut: contest month x platform."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from microcoder_assets.collection.platforms import PLATFORMS, UNDATED_MONTH
from microcoder_assets.store import Partition

MONTHS = dg.TimeWindowPartitionsDefinition(
    start=UNDATED_MONTH, fmt="%Y-%m", cron_schedule="0 0 1 * *", end_offset=1, timezone="UTC"
)
"""Every month up to the running one. The first stands for "undated, or before 2000"."""

MONTH_PLATFORM = dg.MultiPartitionsDefinition({"month": MONTHS, "platform": dg.StaticPartitionsDefinition(PLATFORMS)})


def partitions_of(keys: Sequence[str]) -> list[Partition]:
    """Store partitions of Dagster's multi-partition keys."""
    found = []
    for key in keys:
        assert isinstance(key, dg.MultiPartitionKey)
        found.append(Partition(key.keys_by_dimension["month"], key.keys_by_dimension["platform"]))
    return found


def range_tags(first_month: str, last_month: str, first_platform: str, last_platform: str) -> dict[str, str]:
    """Run tags for the rectangle of all months and platforms between the corners, in one run."""
    return {
        "dagster/asset_partition_range_start": f"{first_month}|{first_platform}",
        "dagster/asset_partition_range_end": f"{last_month}|{last_platform}",
    }
