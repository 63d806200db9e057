"""Append-only tables keyed by a hash: each key stored once, in immutable Parquet packs.

They hold what is paid for once: test bytes, MinHash signatures, embeddings, scores, verdicts, LLM answers.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Callable, Collection, Iterable, KeysView, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import polars as pl

from microcoder_assets.schema import Schema
from microcoder_assets.store.storage import LocalFolder, Storage

SCHEMA: Schema = {"key": pl.String, "value": pl.Binary}
SMALL = 64 << 20
"""Bytes of a pack below which it is joined with others. Ours."""
JOINS_MET = 4
"""Times that a reader finds its packs joined meanwhile before it takes them for lost. Ours."""

T = TypeVar("T")


class Packs:
    """A persistent mapping from str keys to bytes that only grows.

    Any number of processes may add at once: a pack is named by its content, so equal packs are one file, and a key
    that two writers add at the same time is stored twice and means the same. Readers see whole packs only.
    """

    def __init__(self, place: Storage | Path) -> None:
        self._storage: Storage = LocalFolder(place) if isinstance(place, Path) else place
        self.folder = self._storage.local
        self._pack_of: dict[str, str] = {}
        self._read: set[str] = set()

    def get(self, keys: Iterable[str]) -> dict[str, bytes]:
        """The values of those keys that are there."""
        asked = set(keys)
        return self._while_joined(lambda: self._stored(asked & self.known()))

    def _stored(self, wanted: Collection[str]) -> dict[str, bytes]:
        if not wanted:
            return {}
        packs = sorted({self._pack_of[key] for key in wanted})
        stored = pl.scan_parquet([self._storage.url(name) for name in packs])
        few = len(wanted) < len(self._pack_of) // 2  # to look for nearly all costs more than to read all
        found = (stored.filter(pl.col("key").is_in(sorted(wanted))) if few else stored).collect()
        values = zip(found["key"].to_list(), found["value"].to_list(), strict=True)
        return dict(values) if few else {key: value for key, value in values if key in wanted}

    def put(self, values: Mapping[str, bytes]) -> None:
        """Add what is new; a key that is there keeps its value."""
        new = sorted(values.keys() - self.known())
        if not new:
            return
        name = self._write(pl.DataFrame({"key": new, "value": [values[key] for key in new]}, schema=SCHEMA))
        self._read.add(name)
        self._pack_of.update(dict.fromkeys(new, name))

    def reduce(self, keys: Collection[str]) -> None:
        """Forget every key that is not among `keys`, in one pack; while no other process reads. A kill loses none. Only
        of a folder: nothing is deleted from a bucket."""
        old = self._names()
        kept = self.get(self.known() & set(keys))
        whole = Packs(self._storage)
        whole._read = set(old)
        whole.put(kept)
        for name in set(old) - set(whole._pack_of.values()):
            (self.folder / name).unlink(missing_ok=True)
        self._pack_of, self._read = whole._pack_of, whole._read

    def scattered(self) -> list[list[str]]:
        """Packs that had better be one: names of small ones, by groups of about SMALL bytes. Only of a folder."""
        groups: list[list[str]] = []
        size = SMALL
        for name in self._names():
            of_pack = (self.folder / name).stat().st_size
            if of_pack >= SMALL:
                continue
            if size >= SMALL:
                groups.append([])
                size = 0
            groups[-1].append(name)
            size += of_pack
        return [group for group in groups if len(group) > 1]

    def join(self, names: Sequence[str]) -> None:
        """Put packs into one, with all their keys. A kill loses none, and readers in other processes find them there.
        Only of a folder: nothing is deleted from a bucket."""
        stored = pl.read_parquet([self._storage.url(name) for name in names])
        whole = self._write(stored.unique("key", keep="first", maintain_order=True).sort("key"))
        for name in names:
            if name != whole:
                (self.folder / name).unlink(missing_ok=True)

    def files(self) -> list[str]:
        """The packs that are there now, for other readers: columns of SCHEMA. A key may be in two of them."""
        return [self._storage.url(name) for name in self._names()]

    def known(self) -> KeysView[str]:
        """Every key in the packs that are there now."""
        self._while_joined(self._look)
        return self._pack_of.keys()

    def _look(self) -> None:
        names = self._names()
        if new := [name for name in names if name not in self._read]:
            packs = pl.scan_parquet([self._storage.url(name) for name in new], include_file_paths="pack")
            found = packs.select("key", pl.col("pack").str.split("/").list.last()).collect()
            for (name,), keys in found.partition_by("pack", as_dict=True).items():
                self._pack_of.update(dict.fromkeys(keys["key"].to_list(), name))
            self._read.update(new)
        if gone := self._read.difference(names):
            self._pack_of = {key: pack for key, pack in self._pack_of.items() if pack not in gone}
            self._read -= gone

    def _while_joined(self, read: Callable[[], T]) -> T:
        """What `read` reads; again where another process has joined packs that it was about to read."""
        for _ in range(JOINS_MET):
            with contextlib.suppress(FileNotFoundError):
                return read()
        return read()

    def _write(self, frame: pl.DataFrame) -> str:
        """frame: SCHEMA rows, sorted by key, each key once. Returns the pack's name."""
        name = hashlib.sha256("\n".join(frame["key"]).encode()).hexdigest()[:24] + ".parquet"
        self._storage.write(name, parquet_bytes(frame))
        return name

    def _names(self) -> list[str]:
        return self._storage.names("*.parquet")


class Blobs:
    """Bytes by their sha256 (hex): every test input and expected output, each once."""

    def __init__(self, place: Storage | Path) -> None:
        self._packs = Packs(place)

    def put_many(self, blobs: Sequence[bytes]) -> list[str]:
        """Store each blob; their hashes in the order given."""
        shas = [hashlib.sha256(blob).hexdigest() for blob in blobs]
        self._packs.put(dict(zip(shas, blobs, strict=True)))
        return shas

    def get_many(self, shas: Iterable[str]) -> dict[str, bytes]:
        """The bytes of each hash. Raises KeyError naming the first that is not stored."""
        wanted = set(shas)
        found = self._packs.get(wanted)
        if missing := wanted - found.keys():
            raise KeyError(f"blob {min(missing)} is not in the store")
        return found


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """`frame` as one Parquet file, always with the same bytes for the same rows."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=True)
    return buffer.getvalue()
