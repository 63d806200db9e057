"""What an adapter yields: a problem as its source served it, or why a record could not be read."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from microcoder_judge import Checker

NATIVE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,119}")
"""What a native id may be: it becomes part of ids, file names and SQL, so no separators, no leading dot."""


@dataclass(frozen=True, slots=True)
class Reference:
    name: str
    language: str
    label: str
    code: str


@dataclass(frozen=True, slots=True)
class ScrapedTest:
    """input / expected: bytes as in microcoder_judge.Test."""

    name: str
    sample: bool
    input: bytes
    expected: bytes


@dataclass(frozen=True, slots=True)
class Sample:
    input: str
    output: str
    explanation: str | None = None


@dataclass(frozen=True, slots=True)
class ScrapedProblem:
    """One problem as served. Fields as in schema.SCRAPED; record_sha: sha256 of the record's bytes."""

    platform: str
    native_id: str
    title: str
    statement: str
    statement_format: str
    statement_language: str
    source_ref: str
    record_sha: str
    url: str | None = None
    contest: str | None = None
    published: dt.date | None = None
    published_basis: str | None = None
    samples: tuple[Sample, ...] = ()
    io_mode: str | None = "stdin"
    entry_point: str | None = None
    starter_code: str | None = None
    tests: tuple[ScrapedTest, ...] = ()
    checker: Checker | None = None
    time_limit_s: float | None = None
    memory_limit_mb: int | None = None
    references: tuple[Reference, ...] = ()
    tags: tuple[str, ...] = ()
    difficulty_label: str | None = None
    ratings: tuple[tuple[str, float], ...] = ()
    license: str | None = None
    flags: tuple[str, ...] = field(default=())
    editorial_url: str | None = None

    @property
    def problem_id(self) -> str:
        return f"{self.platform}:{self.native_id}"


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """A record that is not a problem. reason: a code of stage.REASONS; detail: one line for a person."""

    platform: str
    source_ref: str
    reason: str
    detail: str


class Source(Protocol):
    """One place problems come from. Adapters are opened by `collection.sources.open_source(kind, path)`."""

    @property
    def kind(self) -> str: ...

    @property
    def platforms(self) -> tuple[str, ...]:
        """Every platform its records may have."""
        ...

    def fingerprint(self) -> str:
        """sha256 over the bytes (and relative names) of every file it reads; cheap next to reading the records."""
        ...

    def records(self) -> Iterator[ScrapedProblem | UnreadableRecord]:
        """Every record in a stable order. Raises UserError when the source as a whole cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """`KIND:PATH` as the command line gives it. path: of a data set it may be a name on the Hugging Face Hub."""

    kind: str
    path: Path
