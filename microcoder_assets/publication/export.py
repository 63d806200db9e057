"""Rows as a folder that `datasets.load_dataset` and `microcoder_train` read with nothing of this package installed.

    <exports>/<name>/<version>/README.md                       dataset card
                               manifest.json                   data_version, rows and sha256 of each file
                               benchmark_overlap.csv           with a proof: every benchmark item's nearest row
                               benchmark_overlap.parquet       the same
                               data/<split>-00000-of-00001.parquet
    <exports>/<name>/latest -> <version>
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from pathlib import Path

import polars as pl

from microcoder_assets.store.atomic import write_atomic
from microcoder_assets.store.parquet_store import parquet_bytes


def export(
    folder: Path,
    frame: pl.DataFrame,
    splits: tuple[str, ...],
    data_version: str,
    card: str,
    proof: pl.DataFrame | None = None,
) -> Path:
    """Write one immutable version and point `latest` at it; the version's folder.

    frame: rows with a `split` column. proof: rows of `processing.proof.PROOF`, written beside the data. Versions are
    named by their content, so an equal export is found, not written.
    """
    proven = "" if proof is None else proof.write_csv()
    version = hashlib.sha256(f"{data_version}\0{card}{proven}".encode()).hexdigest()[:12]
    target = folder / version
    if not target.exists():
        scratch = folder / f".tmp-{os.getpid()}-{secrets.token_hex(4)}"
        try:
            _write(scratch, frame, splits, data_version, card)
            if proof is not None:
                write_atomic(scratch / "benchmark_overlap.csv", proof.write_csv)
                write_atomic(scratch / "benchmark_overlap.parquet", proof.write_parquet)
            scratch.rename(target)
        except OSError:
            # Another run has made the same version meanwhile.
            if not target.is_dir():
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    link = folder / "latest"
    if not link.is_symlink() or link.readlink() != Path(version):
        fresh = folder / f".tmp-{secrets.token_hex(4)}"
        fresh.symlink_to(version)
        fresh.replace(link)
    return target


def _write(folder: Path, frame: pl.DataFrame, splits: tuple[str, ...], data_version: str, card: str) -> None:
    files = {}
    for split in splits:
        part = frame.filter(pl.col("split") == split)
        data = parquet_bytes(part)
        name = f"data/{split}-00000-of-00001.parquet"
        write_atomic(folder / name, lambda path, data=data: path.write_bytes(data))  # type: ignore[misc]
        files[name] = {"rows": part.height, "sha256": hashlib.sha256(data).hexdigest()}
    manifest = json.dumps({"data_version": data_version, "files": files}, indent=1, sort_keys=True)
    write_atomic(folder / "manifest.json", lambda path: path.write_text(manifest + "\n", "utf-8"))
    write_atomic(folder / "README.md", lambda path: path.write_text(card, "utf-8"))
