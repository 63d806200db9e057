"""Append-only tables keyed by a hash: each key stored once, in immutable Parquet packs.

They hold what is paid for once: test bytes, MinHash signatures, embeddings, scores, verdicts, LLM answers.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Iterable, KeysView, Mapping, Sequence
from pathlib import Path

import polars as pl

from microcoder_assets.schema import Schema
from microcoder_assets.store.storage import LocalFolder, Storage

SCHEMA: Schema = {"key": pl.String, "value": pl.Binary}


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
        wanted = set(keys) & self.known()
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
        name = hashlib.sha256("\n".join(new).encode()).hexdigest()[:24] + ".parquet"
        frame = pl.DataFrame({"key": new, "value": [values[key] for key in new]}, schema=SCHEMA)
        self._storage.write(name, parquet_bytes(frame))
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

    def files(self) -> list[str]:
        """The packs that are there now, for other readers: columns of SCHEMA. A key may be in two of them."""
        return [self._storage.url(name) for name in self._names()]

    def known(self) -> KeysView[str]:
        """Every key in the packs that are there now."""
        if new := [name for name in self._names() if name not in self._read]:
            packs = pl.scan_parquet([self._storage.url(name) for name in new], include_file_paths="pack")
            found = packs.select("key", pl.col("pack").str.split("/").list.last()).collect()
            self._pack_of.update(found.iter_rows())
            self._read.update(new)
        return self._pack_of.keys()

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
