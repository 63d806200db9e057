"""`scraped_problems`: records of a source as rows, each checked for what later stages rely on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import polars as pl

from microcoder_assets.collection.platforms import UNDATED_MONTH
from microcoder_assets.collection.records import NATIVE_ID, ScrapedProblem, UnreadableRecord
from microcoder_assets.config import CollectionSettings
from microcoder_assets.schema import SCRAPED, conform
from microcoder_assets.stage import Decision, Kind, StageResult

BATCH_BYTES = 64 << 20
"""Test bytes gathered before they go to the blob store, so that memory stays flat and stored packs large. Ours."""


class BlobWriter(Protocol):
    def put_many(self, blobs: Sequence[bytes]) -> list[str]:
        """Store each; their sha256 (hex) in the order given."""
        ...


def partition_of(platform: str, published: dt.date | None) -> tuple[str, str]:
    """The partition of a problem: (month `YYYY-MM`, platform). Unknown and earlier than 2000: UNDATED_MONTH."""
    month = f"{published:%Y-%m}" if published and published.year >= 2000 else UNDATED_MONTH
    return month, platform


def scrape(
    records: Iterable[ScrapedProblem | UnreadableRecord],
    blobs: BlobWriter,
    settings: CollectionSettings,
    source_kind: str,
) -> StageResult:
    """SCRAPED rows, test bytes put into `blobs`, and a decision for every record.

    The first record of an id is kept, later ones are merged into it. Records that are unreadable or that later stages
    could not take are error rows; those without a usable id under `platform:?source_ref`, which is never a problem id.
    """
    writer = _TestWriter(blobs)
    rows: dict[str, dict[str, Any]] = {}
    decisions = []
    for record in records:
        if isinstance(record, UnreadableRecord):
            decisions.append(_error(record, record.reason, {"error": record.detail}))
            continue
        fault = _fault(record, settings)
        if fault:
            decisions.append(_error(record, *fault))
        elif record.problem_id in rows:
            decisions.append(_same_id(record, rows[record.problem_id]))
        else:
            rows[record.problem_id] = _row(record, source_kind, writer)
            decisions.append(Decision(record.problem_id, Kind.KEPT, "ok", sha_out=record.record_sha))
    writer.flush()
    return StageResult(conform(pl.DataFrame(list(rows.values()), schema=SCRAPED), SCRAPED), decisions)


def _error(record: ScrapedProblem | UnreadableRecord, reason: str, detail: dict[str, Any]) -> Decision:
    if isinstance(record, ScrapedProblem) and reason != "bad_native_id":
        return Decision(record.problem_id, Kind.ERROR, reason, detail, ref=record.source_ref)
    return Decision(f"{record.platform}:?{record.source_ref}", Kind.ERROR, reason, detail)


def _same_id(record: ScrapedProblem, first: dict[str, Any]) -> Decision:
    return Decision(
        record.problem_id,
        Kind.MERGED,
        "same_id",
        {"first": first["source_ref"], "identical": first["record_sha"] == record.record_sha},
        sha_in=record.record_sha,
        parents=[record.problem_id],
        ref=record.source_ref,
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
    size = len(record.statement.encode())
    if size > settings.max_statement_bytes:
        return "statement_too_large", {"bytes": size, "limit": settings.max_statement_bytes}
    return None


def _texts(record: ScrapedProblem) -> Iterator[tuple[str, object]]:
    yield from (("title", record.title), ("statement", record.statement))
    optional = ("url", "contest", "entry_point", "starter_code", "difficulty_label", "license")
    yield from ((name, value) for name in optional if (value := getattr(record, name)) is not None)
    yield from (("tags", tag) for tag in record.tags)
    for sample in record.samples:
        yield from (("samples", sample.input), ("samples", sample.output))
    yield from (("references", reference.code) for reference in record.references)


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
