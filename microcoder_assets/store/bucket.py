"""A prefix of an S3-compatible bucket as the store's storage.

An object is put at once or not at all, and listed as soon as it is there. A manifest is put with `If-Match` on the
entity tag that its writer read, or `If-None-Match: *`, so the server refuses all but one of several writers; the others
read again. A server without conditional writes is refused at the first manifest, with its own words.

Endpoint, region and keys are those of the environment, by the names that every S3 client knows: AWS_ENDPOINT_URL,
AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, and AWS_ALLOW_HTTP=true for an endpoint without TLS. polars reads
them too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from fnmatch import fnmatchcase
from pathlib import Path

import duckdb
import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.fsspec import FsspecStore
from obstore.store import ObjectStore, from_url

from microcoder_assets.errors import UserError
from microcoder_assets.store.storage import Stored

AT_ONCE = 32
"""Files asked for at a time: manifests are small, and what they cost is the way there. Ours."""
RETRIES, RETRY_FOR = 6, dt.timedelta(seconds=30)
"""After errors of the server and broken connections. Ours: the client's three minutes look like a hang."""


class Bucket:
    """Objects below one prefix. local: where this machine keeps what is not whole yet."""

    def __init__(self, objects: ObjectStore, root: str, folder: str, local: Path) -> None:
        self.local = local
        self._objects, self._root, self._folder = objects, root, folder

    @classmethod
    def open(cls, url: str, local: Path) -> Bucket:
        """url: `s3://BUCKET/PREFIX`."""
        root = url.rstrip("/")
        with _explained(root):
            retry = {"max_retries": RETRIES, "retry_timeout": RETRY_FOR}
            return cls(from_url(root, retry_config=retry), root, "", local)  # type: ignore[call-overload]

    def at(self, folder: str) -> Bucket:
        return Bucket(self._objects, self._root, self._key(folder), self.local / folder)

    def url(self, name: str) -> str:
        return f"{self._root}/{self._key(name)}"

    def names(self, pattern: str) -> list[str]:
        wanted = pattern.split("/")
        fixed = []
        for part in wanted[:-1]:
            if any(sign in part for sign in "*?["):
                break
            fixed.append(part)
        below = self._key("/".join(fixed)).rstrip("/")
        skip = len(self._key(""))
        with _explained(self.url(pattern)):
            listed = [meta["path"][skip:] for page in obstore.list(self._objects, below or None) for meta in page]
        return sorted(name for name in listed if _matches(name.split("/"), wanted))

    def has(self, name: str) -> bool:
        try:
            with _explained(self.url(name)):
                obstore.head(self._objects, self._key(name))
        except FileNotFoundError:
            return False
        return True

    def read(self, names: Sequence[str]) -> list[Stored | None]:
        if len(names) < 2:
            return [self._read(name) for name in names]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self._read, names))

    def write(self, name: str, data: bytes) -> None:
        with _explained(self.url(name)):
            obstore.put(self._objects, self._key(name), data)

    def swap(self, name: str, data: bytes, seen: str | None) -> bool:
        try:
            with _explained(self.url(name)):
                obstore.put(self._objects, self._key(name), data, mode={"e_tag": seen} if seen else "create")
        except (AlreadyExistsError, PreconditionError):
            return False
        return True

    def exclusive(self) -> AbstractContextManager[None]:
        """Nobody can hold a bucket; `swap` finds out that another was first."""
        return nullcontext()

    def mount(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Without DuckDB's httpfs, which is no part of it and would be downloaded."""
        connection.register_filesystem(FsspecStore("s3"))

    def _key(self, name: str) -> str:
        return f"{self._folder}/{name}" if self._folder else name

    def _read(self, name: str) -> Stored | None:
        try:
            with _explained(self.url(name)):
                answer = obstore.get(self._objects, self._key(name))
                return Stored(bytes(answer.bytes()), answer.meta["e_tag"] or "")
        except FileNotFoundError:
            return None


def _matches(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except (AlreadyExistsError, PreconditionError):
        raise
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise UserError(f"{url}: there is no such bucket; make it, or name another in [store] url") from error
        raise
    except BaseError as error:
        first = str(error).strip().splitlines()[0]
        raise UserError(f"{url}: {first}; check AWS_ENDPOINT_URL and the keys, and run again") from error
