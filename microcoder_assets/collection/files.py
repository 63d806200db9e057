"""Rows of JSON files, and fingerprints of the files a source reads."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from microcoder_assets.collection.records import ScrapedProblem, UnreadableRecord
from microcoder_assets.errors import UserError

MAX_ROW_BYTES = 64 << 20
"""A longer line is an unreadable record: no statement needs it, and it must not fill the memory. Ours."""

BROKEN_STREAM = (EOFError, OSError, zlib.error)
"""What reading a truncated or damaged gzip file raises."""

BAD_RECORD = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    ArithmeticError,
    SyntaxError,
    RecursionError,
)
"""What a record of another shape than the adapter expects raises."""


@dataclass(slots=True)
class FileSource:
    """A Source over known files. files: each by its name inside the source."""

    kind: str
    platforms: tuple[str, ...]
    files: Mapping[str, Path]
    read: Callable[[], Iterator[ScrapedProblem | UnreadableRecord]]

    def fingerprint(self) -> str:
        return fingerprint_files(self.files)

    def records(self) -> Iterator[ScrapedProblem | UnreadableRecord]:
        return self.read()


def fingerprint_files(files: Mapping[str, Path]) -> str:
    """sha256 over names and bytes of files in the order of names. Raises UserError for one it cannot read."""
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        try:
            with path.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from error
        digest.update(f"{name}\0{content}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def one_line(error: BaseException) -> str:
    """An error as one short line for a person."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, KeyError):
        text = f"no field {text}"
    return text.encode("utf-8", "backslashreplace").decode()[:300]


def open_bytes(path: Path) -> BufferedIOBase:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


@dataclass(frozen=True, slots=True)
class Row:
    """One line. ref: `file#line`, lines counted from 1."""

    ref: str
    line: bytes

    @property
    def sha(self) -> str:
        return hashlib.sha256(self.line).hexdigest()

    def parse(self) -> dict[str, Any]:
        """Raises ValueError unless the line is a JSON object."""
        raw = json.loads(self.line)
        if not isinstance(raw, dict):
            raise ValueError(f"a row must be a JSON object, not {type(raw).__name__}")
        return raw


def read_rows(
    path: Path, platform: str, max_bytes: int = MAX_ROW_BYTES, whole: bool = False
) -> Iterator[Row | UnreadableRecord]:
    """The non-empty lines of a JSONL file, gzip or not. Where the file breaks off, one last unreadable record says so.

    platform: to file unreadable records under. whole: a part of the file is of no use: where it breaks off, be it in a
    last line without an end, raise UserError instead.
    """
    number = 0
    try:
        with open_bytes(path) as stream:
            while line := stream.readline(max_bytes + 1):
                number += 1
                ref = f"{path.name}#{number}"
                if len(line) > max_bytes:
                    while line and not line.endswith(b"\n"):
                        line = stream.readline(max_bytes)
                    detail = f"the row is longer than {max_bytes >> 20} MiB"
                    yield UnreadableRecord(platform, ref, "malformed_record", detail)
                elif whole and not line.endswith(b"\n") and not line.rstrip().endswith(b"}"):
                    raise EOFError("the last row has no end")
                elif line.strip():
                    yield Row(ref, line.rstrip(b"\r\n"))
    except BROKEN_STREAM as error:
        detail = f"the file breaks off after row {number}: {one_line(error)}"
        if whole:
            raise UserError(f"cannot read all of {path}, get it again: {detail}") from error
        yield UnreadableRecord(platform, f"{path.name}#{number + 1}", "malformed_record", detail)


def read_problems(
    path: Path, platform: str, parse: Callable[[dict[str, Any], Row], ScrapedProblem]
) -> Iterator[ScrapedProblem | UnreadableRecord]:
    """Each row of a JSONL file as a problem; a row that `parse` cannot take is an unreadable record.

    Raises UserError for a file without rows.
    """
    row = None
    for row in read_rows(path, platform):
        if isinstance(row, UnreadableRecord):
            yield row
            continue
        try:
            yield parse(row.parse(), row)
        except BAD_RECORD as error:
            yield UnreadableRecord(platform, row.ref, "malformed_record", one_line(error))
    if row is None:
        raise UserError(f"{path} holds no records; name a file with one JSON object a line")
