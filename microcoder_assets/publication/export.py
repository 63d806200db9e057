"""Rows as a folder that `datasets.load_dataset` and `microcoder_train` read with nothing of this package installed.

    <exports>/<name>/<version>/README.md                       dataset card
                               manifest.json                   data_version, rows and sha256 of each file
                               benchmark_overlap.csv           with a proof: every benchmark item's nearest row
                               benchmark_overlap.parquet       the same
                               data/<split>-00000-of-00001.parquet    more of them for many rows
    <exports>/<name>/latest -> <version>
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import polars as pl

from microcoder_assets.store.atomic import write_atomic, write_text_atomic
from microcoder_assets.store.packs import parquet_bytes

SHARD_BYTES = 500_000_000
"""Most bytes of rows in memory that one file holds: the default shard of `datasets`."""


def export(
    folder: Path,
    frame: pl.DataFrame,
    splits: tuple[str, ...],
    data_version: str,
    card: str,
    proof: pl.DataFrame | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> Path:
    """Write one immutable version and point `latest` at it; the version's folder.

    frame: rows with a `split` column. proof: rows of `processing.proof.PROOF`, written beside the data. Versions are
    named by their content, so an equal export is found, not written. One shard at a time is held as a file's bytes.
    """
    proven = "" if proof is None else proof.write_csv()
    version = hashlib.sha256(f"{data_version}\0{card}{proven}".encode()).hexdigest()[:12]
    target = folder / version
    if not target.exists():
        with whole_folder(target) as scratch:
            _write(scratch, frame, splits, data_version, card, shard_bytes)
            if proof is not None:
                write_atomic(scratch / "benchmark_overlap.csv", proof.write_csv)
                write_atomic(scratch / "benchmark_overlap.parquet", proof.write_parquet)
    link = folder / "latest"
    if not link.is_symlink() or link.readlink() != Path(version):
        fresh = folder / f".tmp-{secrets.token_hex(4)}"
        fresh.symlink_to(version)
        fresh.replace(link)
    return target


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A folder to write in that becomes `target` when all is written; a failed writer leaves nothing there.

    Where another has made the same target meanwhile, that one stays.
    """
    scratch = target.with_name(f".tmp-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        yield scratch
        try:
            scratch.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_manifest(folder: Path, files: dict[str, int], **facts: object) -> None:
    """manifest.json of a folder: `facts`, and rows and sha256 of each file. files: rows by name."""
    hashed = {name: {"rows": rows, "sha256": _sha256(folder / name)} for name, rows in files.items()}
    text = json.dumps({**facts, "files": hashed}, indent=1, sort_keys=True)
    write_text_atomic(folder / "manifest.json", text + "\n")


def content_version(frame: pl.DataFrame) -> str:
    """The data_version of rows: equal rows, equal versions."""
    digest = hashlib.sha256()
    for part in shards(frame, SHARD_BYTES):
        digest.update(parquet_bytes(part))
    return digest.hexdigest()[:16]


def shards(frame: pl.DataFrame, shard_bytes: int) -> list[pl.DataFrame]:
    """`frame` in slices of nearly equal rows that are about `shard_bytes` each; one, maybe empty, at the least."""
    count = max(1, min(frame.height, -(-int(frame.estimated_size()) // shard_bytes)))
    starts = [frame.height * n // count for n in range(count + 1)]
    return [frame.slice(start, end - start) for start, end in pairwise(starts)]


def _write(
    folder: Path, frame: pl.DataFrame, splits: tuple[str, ...], data_version: str, card: str, shard_bytes: int
) -> None:
    files = {}
    for split in splits:
        parts = shards(frame.filter(pl.col("split") == split), shard_bytes)
        for number, part in enumerate(parts):
            name = f"data/{split}-{number:05d}-of-{len(parts):05d}.parquet"
            write_atomic(folder / name, _writer(part))
            files[name] = part.height
    write_manifest(folder, files, data_version=data_version)
    write_text_atomic(folder / "README.md", card)


def _writer(rows: pl.DataFrame) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(parquet_bytes(rows))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
