"""Operating a home: backfills, what stands, what may go, what is wrong."""

CHUNK_MONTHS = 6
"""Months a Dagster run of a backfill. Ours: a kill costs at most one chunk's work, and each run costs a second."""

RETRIES = 2
"""How often a failed chunk is tried again. Ours: faults of a disk or a database pass; others do not."""

KEEP_VERSIONS = 3
"""Versions of a partition that gc leaves. Ours: one that began to read two changes ago still finds its files."""

KEEP_DAYS = 30
"""Days for which gc leaves every run. Ours."""
