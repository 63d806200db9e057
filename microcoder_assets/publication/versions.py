"""The versions of the train split that a home has exported, and their rows, a batch at a time."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from microcoder_assets.errors import UserError

LATEST = "latest"
PARTS = ("train", "validation")
ROWS_A_BATCH = 256


@dataclass(frozen=True, slots=True)
class Version:
    """One exported folder. files: rows by name, in order. made: when, UTC."""

    folder: Path
    data_version: str
    files: dict[str, int]
    made: dt.datetime

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def columns(self) -> list[str]:
        return list(pq.read_schema(self.folder / min(self.files)).names)

    def rows(self, part: str) -> int:
        return sum(rows for file, rows in self.files.items() if file.startswith(f"data/{part}-"))

    def batches(self, part: str, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows of a part, ROWS_A_BATCH at a time. Raises UserError naming a file that cannot be read."""
        for name in self.files:
            if name.startswith(f"data/{part}-"):
                path = self.folder / name
                try:
                    with pq.ParquetFile(path) as file:
                        yield from file.iter_batches(ROWS_A_BATCH, columns=columns)
                except (OSError, pa.ArrowException) as error:
                    raise UserError(f"{path} cannot be read ({error}); delete its folder and run again") from error


def exported_versions(folder: Path) -> list[Version]:
    """Those below `folder`, the oldest first."""
    found = [_read(path.parent) for path in folder.glob("*/manifest.json") if not path.parent.is_symlink()]
    return sorted(found, key=lambda version: (version.made, version.name))


def find_version(folder: Path, wanted: str) -> Version:
    """The version that begins with `wanted`, or `latest`. Raises UserError where none or several do."""
    versions = exported_versions(folder)
    if wanted == LATEST and (folder / LATEST / "manifest.json").is_file():
        return _read((folder / LATEST).resolve())
    found = [version for version in versions if version.name.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if not versions:
        raise UserError("no version of train_split is exported yet; `microcoder run --until train_split` makes one")
    problem = f"{len(found)} versions begin with" if found else "no version is called"
    raise UserError(f"{problem} {wanted!r}; there are {', '.join(version.name for version in versions)}")


def version_table(folder: Path) -> pl.DataFrame:
    """version, data_version, made, a column of rows for each part, note; the oldest first."""
    current = (folder / LATEST).resolve().name
    rows = [
        (v.name, v.data_version, f"{v.made:%Y-%m-%d %H:%M}", *map(v.rows, PARTS), LATEST * (v.name == current))
        for v in exported_versions(folder)
    ]
    return pl.DataFrame(rows, schema=["version", "data_version", "made", *PARTS, "note"], orient="row")


def _read(folder: Path) -> Version:
    path = folder / "manifest.json"
    try:
        raw = json.loads(path.read_text("utf-8"))
        files = {name: facts["rows"] for name, facts in sorted(raw["files"].items())}
        made = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
        return Version(folder, raw["data_version"], files, made)
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged ({error}); delete its folder and run again") from error
