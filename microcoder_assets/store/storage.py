"""Where the store's files lie: a folder of this machine, or a prefix of an S3-compatible bucket.

Both promise that a file is whole or not there, that a manifest is replaced at once, and that of writers who replace one
at the same time none undoes what another did. A folder keeps that by a lock, a bucket by conditional writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol, Self

import duckdb

from microcoder_assets.errors import UserError
from microcoder_assets.store.atomic import exclusive, write_atomic


@dataclass(frozen=True, slots=True)
class Stored:
    """A file's bytes, and what tells them from those that were there before or come after."""

    data: bytes
    tag: str


class Storage(Protocol):
    """Files by name, `/` between folders.

    local: the folder itself or, of a bucket, a folder of this machine for what is not whole yet: journals of calls.
    """

    local: Path

    def at(self, folder: str) -> Self:
        """The storage of a folder below."""
        ...

    def url(self, name: str) -> str:
        """What polars and DuckDB read the file by."""
        ...

    def names(self, pattern: str) -> list[str]:
        """The files there now that match, sorted. pattern: `*`, `?` and `[...]` inside a folder's or a file's name."""
        ...

    def has(self, name: str) -> bool: ...

    def read(self, names: Sequence[str]) -> list[Stored | None]:
        """Each file; None for one that is not there."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Make the file whole, in place of what was there. Raises UserError naming the place that refuses it."""
        ...

    def swap(self, name: str, data: bytes, seen: str | None) -> bool:
        """Write the file if its tag still is `seen` (None: it was not there); else write nothing and say False."""
        ...

    def exclusive(self) -> AbstractContextManager[None]:
        """Hold the folder against other writers, where that is possible."""
        ...

    def mount(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let a DuckDB connection read the files by their URLs."""
        ...


class LocalFolder:
    """A folder of this machine, or of a file system that several share and that keeps `flock`."""

    def __init__(self, root: Path) -> None:
        self.local = root

    def at(self, folder: str) -> LocalFolder:
        return LocalFolder(self.local / folder)

    def url(self, name: str) -> str:
        return str((self.local / name).absolute())

    def names(self, pattern: str) -> list[str]:
        found = (path for path in self.local.glob(pattern) if path.is_file())
        return sorted(path.relative_to(self.local).as_posix() for path in found)

    def has(self, name: str) -> bool:
        return (self.local / name).exists()

    def read(self, names: Sequence[str]) -> list[Stored | None]:
        return [self._read(name) for name in names]

    def write(self, name: str, data: bytes) -> None:
        write_atomic(self.local / name, lambda temporary: temporary.write_bytes(data))

    def swap(self, name: str, data: bytes, seen: str | None) -> bool:
        """Its caller holds the folder, so nobody writes between the look and the write."""
        standing = self._read(name)
        if (standing.tag if standing else None) != seen:
            return False
        self.write(name, data)
        return True

    def exclusive(self) -> AbstractContextManager[None]:
        return exclusive(self.local)

    def mount(self, connection: duckdb.DuckDBPyConnection) -> None:
        """DuckDB reads files of this machine as it is."""

    def _read(self, name: str) -> Stored | None:
        try:
            data = (self.local / name).read_bytes()
        except FileNotFoundError:
            return None
        return Stored(data, sha256(data).hexdigest())


def open_storage(url: str | None, local: Path) -> Storage:
    """The bucket's prefix at `url`, or the folder `local`. Raises UserError where `obstore` is not installed."""
    if url is None:
        return LocalFolder(local)
    try:
        from microcoder_assets.store.bucket import Bucket
    except ImportError as error:
        raise UserError("a store in a bucket needs obstore: pip install 'microcoder[s3]'") from error
    return Bucket.open(url, local)
