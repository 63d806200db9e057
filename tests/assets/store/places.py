"""Names of places for a store, in a folder or in a bucket, and the storage that a name stands for."""

from __future__ import annotations

import itertools
from pathlib import Path

from s3_server import BUCKET

from microcoder_assets.store.storage import Storage, open_storage

_NUMBERS = itertools.count()


def new_bucket_place() -> str:
    """An empty prefix."""
    return f"s3://{BUCKET}/a prefix/{next(_NUMBERS)}"


def storage(place: str) -> Storage:
    return open_storage(place, Path("/nowhere")) if place.startswith("s3://") else open_storage(None, Path(place))
