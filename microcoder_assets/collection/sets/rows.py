"""The rows of a data set's files: Parquet and Arrow through `datasets`, JSON lines as everywhere, each one bounded."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from microcoder_assets.collection.files import BAD_RECORD, BROKEN_STREAM, one_line, read_rows
from microcoder_assets.collection.records import UnreadableRecord
from microcoder_assets.errors import UserError

MAX_ROW_BYTES = 256 << 20
"""A larger row is an unreadable record: its tests and solutions must not fill the memory. Ours."""

BATCH_ROWS = 4
"""Rows of Parquet decoded at a time: those of CodeContests reach tens of MiB. Ours."""

_BUILDERS = {".parquet": "parquet", ".arrow": "arrow"}
_LINES = (".jsonl", ".jsonl.gz")
_SHARD = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<suffix>\.\w+)")


@dataclass(frozen=True, slots=True)
class SetRow:
    """One row. ref: `folder/file#row`, rows counted from 1. sha: of its values, whatever the file's format."""

    ref: str
    sha: str
    fields: Mapping[str, Any]


def data_files(root: Path, patterns: Sequence[str]) -> dict[str, Path]:
    """The data files of a folder by their relative names: those of the set's own layout, else every one below it.

    Raises UserError where a shard of a numbered series is missing.
    """
    if root.is_file():
        return {root.name: root}
    found = [path for pattern in patterns for path in root.glob(pattern)] or list(root.rglob("*"))
    files = {path.relative_to(root).as_posix(): path for path in found if _is_data(path)}
    series: defaultdict[tuple[str, str, int], set[int]] = defaultdict(set)
    for name in files:
        if match := _SHARD.fullmatch(name):
            series[match["stem"], match["suffix"], int(match["count"])].add(int(match["number"]))
    for (stem, suffix, count), numbers in sorted(series.items()):
        if missing := sorted(set(range(count)) - numbers):
            raise UserError(f"{root} lacks {stem}-{missing[0]:05}-of-{count:05}{suffix}; get the whole set again")
    return dict(sorted(files.items()))


def set_rows(name: str, path: Path, platform: str) -> Iterator[SetRow | UnreadableRecord]:
    """Every row of one file. platform: to file unreadable records under.

    Where a file is damaged, one last unreadable record says so; the rows before it are yielded.
    """
    rows = _json_rows(name, path, platform) if path.suffix not in _BUILDERS else _table_rows(name, path, platform)
    for row in rows:
        if isinstance(row, UnreadableRecord):
            yield row
            continue
        ref, fields = row
        try:
            sha = _sha_of(fields)
        except ValueError as error:
            yield UnreadableRecord(platform, ref, "malformed_record", one_line(error))
            continue
        yield SetRow(ref, sha, fields)


def require_datasets() -> None:
    """Raises UserError where the optional library that reads Parquet and Arrow sets is missing."""
    try:
        import datasets  # noqa: F401
    except ImportError as error:
        raise UserError("reading a Hugging Face set needs `datasets`: pip install 'microcoder[sets]'") from error


def _is_data(path: Path) -> bool:
    return path.is_file() and (path.suffix in _BUILDERS or path.name.endswith(_LINES))


def _table_rows(name: str, path: Path, platform: str) -> Iterator[tuple[str, Mapping[str, Any]] | UnreadableRecord]:
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    options = _parquet_options() if path.suffix == ".parquet" else {}
    number = 0
    try:
        files = {"rows": [str(path)]}
        rows = load_dataset(_BUILDERS[path.suffix], data_files=files, split="rows", streaming=True, **options)
        for number, fields in enumerate(rows, 1):
            yield f"{name}#{number}", fields
    except (*BROKEN_STREAM, *BAD_RECORD, DatasetsError) as error:
        detail = f"the file breaks off after row {number}: {one_line(error)}"
        yield UnreadableRecord(platform, f"{name}#{number + 1}", "malformed_record", detail)


def _parquet_options() -> dict[str, Any]:
    """A row group of such a set is hundreds of MiB: it is read piece by piece, not as a whole."""
    from pyarrow.dataset import ParquetFragmentScanOptions

    return {
        "batch_size": BATCH_ROWS,
        "fragment_scan_options": ParquetFragmentScanOptions(pre_buffer=False, use_buffered_stream=True),
    }


def _json_rows(name: str, path: Path, platform: str) -> Iterator[tuple[str, Mapping[str, Any]] | UnreadableRecord]:
    for row in read_rows(path, platform, MAX_ROW_BYTES):
        if isinstance(row, UnreadableRecord):
            yield row
            continue
        ref = f"{name}#{row.ref.rpartition('#')[2]}"
        try:
            yield ref, row.parse()
        except BAD_RECORD as error:
            yield UnreadableRecord(platform, ref, "malformed_record", one_line(error))


def _sha_of(fields: Mapping[str, Any]) -> str:
    """Raises ValueError for a row over MAX_ROW_BYTES."""
    digest, size = hashlib.sha256(), 0
    for part in _parts(fields):
        size += len(part)
        if size > MAX_ROW_BYTES:
            raise ValueError(f"the row is larger than {MAX_ROW_BYTES >> 20} MiB")
        digest.update(part)
    return digest.hexdigest()


def _parts(value: Any) -> Iterator[bytes]:
    """A value as bytes in one way only, piece by piece: a row as one text would double the memory."""
    if isinstance(value, Mapping):
        yield f"m{len(value)};".encode()
        for key in sorted(value):
            yield from _parts(key)
            yield from _parts(value[key])
    elif isinstance(value, list | tuple):
        yield f"l{len(value)};".encode()
        for item in value:
            yield from _parts(item)
    else:
        text = value if isinstance(value, str) else f"{type(value).__name__} {value}"
        content = text.encode("utf-8", "surrogatepass")
        yield f"t{len(content)};".encode()
        yield content
