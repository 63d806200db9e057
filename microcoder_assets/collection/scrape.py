"""`scraped_problems`: records of a source as rows, each checked for what later stages rely on."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Protocol

import polars as pl

from microcoder_assets.collection.combine import combine
from microcoder_assets.collection.platforms import UNDATED_MONTH
from microcoder_assets.collection.records import NATIVE_ID, ScrapedProblem, UnreadableRecord
from microcoder_assets.config import CollectionSettings
from microcoder_assets.schema import SCRAPED, conform
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_assets.store import Partition

BATCH_BYTES = 64 << 20
"""Test bytes gathered before they go to the blob store, so that memory stays flat and stored packs large. Ours."""

MAX_TIME_LIMIT_S = 600.0
MAX_MEMORY_LIMIT_MB = 1 << 20
"""Stated limits over ten minutes or a TiB are mistakes: no contest has them and no judge can grant them. Ours."""


class BlobWriter(Protocol):
    def put_many(self, blobs: Sequence[bytes]) -> list[str]:
        """Store each; their sha256 (hex) in the order given."""
        ...


def partition_of(platform: str, published: dt.date | None) -> tuple[str, str]:
    """The partition of a problem: (month `YYYY-MM`, platform). Unknown and earlier than 2000: UNDATED_MONTH."""
    month = f"{published:%Y-%m}" if published and published.year >= 2000 else UNDATED_MONTH
    return month, platform


def home_of(record: ScrapedProblem | UnreadableRecord) -> Partition:
    """Where a record of a source without partitions of its own goes; what cannot be read has no date."""
    return Partition(*partition_of(record.platform, record.published if isinstance(record, ScrapedProblem) else None))


def scrape(
    records: Iterable[ScrapedProblem | UnreadableRecord],
    blobs: BlobWriter,
    settings: CollectionSettings,
    source_kind: str,
) -> StageResult:
    """All records of one source as one result, whatever their partitions; else as `Scraper`."""
    scraper = Scraper(blobs, settings)
    for record in records:
        scraper.add(record, source_kind, home_of(record))
    return StageResult.together(list(scraper.results().values()), SCRAPED)


class Scraper:
    """SCRAPED rows, test bytes put into `blobs`, and a decision for every record, for whole platforms at a time.

    The first record of an id is kept; later ones, of whatever source, are merged into it and give it what it lacks.
    Records that are unreadable or that later stages could not take are error rows; those without a usable id under
    `platform:?source_ref`, which is never a problem id. No two decisions have one id and ref: the ref of a repeat ends
    in `~2`, `~3` and so on.
    """

    def __init__(
        self, blobs: BlobWriter, settings: CollectionSettings, wanted: Collection[Partition] | None = None
    ) -> None:
        """wanted: the partitions to make, by default all; of rows of others only the ids are remembered."""
        self._settings = settings
        self._wanted = wanted
        self._writer = _TestWriter(blobs)
        self._rows: dict[str, dict[str, Any]] = {}
        self._decisions: list[Decision] = []
        self._partitions: list[Partition] = []

    def add(self, record: ScrapedProblem | UnreadableRecord, source_kind: str, partition: Partition) -> None:
        """Test bytes are on their way to the blob store when this returns: the record need not be kept."""
        if isinstance(record, UnreadableRecord):
            self._decisions.append(_error(record, record.reason, {"error": record.detail}))
        else:
            self._decisions.append(self._decide(record, source_kind, partition))
        self._partitions.append(partition)

    def results(self) -> dict[Partition, StageResult]:
        """By partition: the decisions on its records, and the rows of those that were the first of their id.

        So a row stays where it is, whatever date a later record gives it.
        """
        self._writer.flush()
        rows: dict[Partition, list[dict[str, Any]]] = {partition: [] for partition in self._partitions}
        decisions: dict[Partition, list[Decision]] = {partition: [] for partition in self._partitions}
        for decision, partition in zip(_distinct(self._decisions), self._partitions, strict=True):
            if not self._makes(partition):
                continue
            if decision.kind is Kind.KEPT:
                row = self._rows[decision.problem_id]
                rows[partition].append(row)
                decision = dataclasses.replace(decision, sha_out=row["record_sha"])
            decisions[partition].append(decision)
        return {
            partition: StageResult(conform(pl.DataFrame(rows[partition], schema=SCRAPED), SCRAPED), decided)
            for partition, decided in decisions.items()
            if self._makes(partition)
        }

    def _makes(self, partition: Partition) -> bool:
        return self._wanted is None or partition in self._wanted

    def _decide(self, record: ScrapedProblem, source_kind: str, partition: Partition) -> Decision:
        if fault := _fault(record, self._settings):
            return _error(record, *fault)
        row = self._rows.get(record.problem_id)
        if row is None:
            known = {"source_ref": record.source_ref, "record_sha": record.record_sha}
            self._rows[record.problem_id] = _row(record, source_kind, self._writer) if self._makes(partition) else known
            return Decision(record.problem_id, Kind.KEPT, "ok")
        given = []
        if row["record_sha"] != record.record_sha and "statement" in row:
            given = combine(row, _row(record, source_kind, self._writer), self._settings.max_references)
        decision = _same_id(record, row, given)
        if given:
            row["record_sha"] = hashlib.sha256(f"{row['record_sha']} {record.record_sha}".encode()).hexdigest()
        return decision


def _distinct(decisions: Iterable[Decision]) -> Iterator[Decision]:
    """Sources of one kind may use the same file name, and so the same ref, for different records."""
    taken: set[tuple[str, str]] = set()
    repeats: Counter[tuple[str, str]] = Counter()
    for decision in decisions:
        first = key = (decision.problem_id, decision.ref)
        while key in taken:
            repeats[first] += 1
            key = (decision.problem_id, f"{decision.ref}~{repeats[first] + 1}")
        taken.add(key)
        yield dataclasses.replace(decision, ref=key[1])


def _error(record: ScrapedProblem | UnreadableRecord, reason: str, detail: dict[str, Any]) -> Decision:
    if isinstance(record, ScrapedProblem) and reason != "bad_native_id":
        return Decision(record.problem_id, Kind.ERROR, reason, detail, ref=_printable(record.source_ref))
    return Decision(f"{record.platform}:?{_printable(record.source_ref)}", Kind.ERROR, reason, detail)


def _same_id(record: ScrapedProblem, first: dict[str, Any], given: list[str]) -> Decision:
    detail = {"first": first["source_ref"], "identical": first["record_sha"] == record.record_sha}
    return Decision(
        record.problem_id,
        Kind.MERGED,
        "same_id",
        {**detail, "gave": given} if given else detail,
        sha_in=record.record_sha,
        parents=[record.problem_id],
        ref=_printable(record.source_ref),
    )


def _fault(record: ScrapedProblem, settings: CollectionSettings) -> tuple[str, dict[str, Any]] | None:
    """Why later stages could not take the record, as a reason and its detail; None when they can."""
    if not isinstance(record.native_id, str) or not NATIVE_ID.fullmatch(record.native_id):
        return "bad_native_id", {"native_id": ascii(record.native_id)[:200]}
    for name, value in _texts(record):
        if not isinstance(value, str):
            return "malformed_record", {"error": f"{name} must be text, not {type(value).__name__}"}
        if not _is_unicode(value):
            return "malformed_record", {"error": f"{name} holds half of a surrogate pair"}
    wrong = _wrong_number(record)
    if wrong:
        return "malformed_record", {"error": wrong}
    size = len(record.statement.encode())
    if size > settings.max_statement_bytes:
        return "statement_too_large", {"bytes": size, "limit": settings.max_statement_bytes}
    return None


def _wrong_number(record: ScrapedProblem) -> str | None:
    seconds, megabytes = record.time_limit_s, record.memory_limit_mb
    if seconds is not None and not 0 < seconds <= MAX_TIME_LIMIT_S:
        return f"time_limit_s must be above 0 and at most {MAX_TIME_LIMIT_S:g}, not {seconds}"
    if megabytes is not None and not (isinstance(megabytes, int) and 1 <= megabytes <= MAX_MEMORY_LIMIT_MB):
        return f"memory_limit_mb must be a whole number from 1 to {MAX_MEMORY_LIMIT_MB}, not {str(megabytes)[:40]}"
    for source, value in record.ratings:
        if not math.isfinite(value):
            return f"the rating of {source} must be finite, not {value}"
    return None


def _printable(text: str) -> str:
    """Text for the ledger: file names may hold bytes that are no text, and control characters."""
    return text if text.isprintable() else ascii(text)[1:-1]


def _texts(record: ScrapedProblem) -> Iterator[tuple[str, object]]:
    always = ("source_ref", "title", "statement", "statement_format")
    yield from ((name, getattr(record, name)) for name in always)
    optional = ("url", "contest", "entry_point", "starter_code", "difficulty_label", "license", "editorial_url")
    yield from ((name, value) for name in optional if (value := getattr(record, name)) is not None)
    yield from (("tags", tag) for tag in record.tags)
    for sample in record.samples:
        yield from (("samples", sample.input), ("samples", sample.output))
        if sample.explanation is not None:
            yield "samples", sample.explanation
    yield from (("tests", test.name) for test in record.tests)
    for reference in record.references:
        yield from (("references", reference.name), ("references", reference.code))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _row(record: ScrapedProblem, source_kind: str, writer: _TestWriter) -> dict[str, Any]:
    plain = ("problem_id", *SCRAPED.keys() - {"source_kind", "tests", "checker", "references", "samples", "ratings"})
    row = {name: getattr(record, name) for name in plain}
    row["source_kind"] = source_kind
    row["samples"] = [{"input": s.input, "output": s.output, "explanation": s.explanation} for s in record.samples]
    row["checker"] = record.checker.to_json() if record.checker else None
    row["references"] = [
        {"name": r.name, "language": r.language, "label": r.label, "code": r.code} for r in record.references
    ]
    row["ratings"] = [{"source": source, "value": value} for source, value in record.ratings]
    row["tests"] = tests = []
    for test in record.tests:
        described = {"name": test.name, "sample": test.sample, "bytes": len(test.input) + len(test.expected)}
        tests.append(described)
        writer.add(described, "input_sha", test.input)
        writer.add(described, "expected_sha", test.expected)
    return row


class _TestWriter:
    """Puts test bytes into the blob store in batches and writes each hash where it belongs."""

    def __init__(self, blobs: BlobWriter) -> None:
        self._blobs = blobs
        self._waiting: list[tuple[dict[str, Any], str, bytes]] = []
        self._bytes = 0

    def add(self, target: dict[str, Any], key: str, blob: bytes) -> None:
        self._waiting.append((target, key, blob))
        self._bytes += len(blob)
        if self._bytes >= BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        if not self._waiting:
            return
        shas = self._blobs.put_many([blob for _, _, blob in self._waiting])
        for (target, key, _), sha in zip(self._waiting, shas, strict=True):
            target[key] = sha
        self._waiting.clear()
        self._bytes = 0
