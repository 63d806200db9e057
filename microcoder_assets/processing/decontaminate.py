"""Benchmark overlap: identity, samples, 8-grams, MinHash, in this order (the ladder is ours).

Published practice drops a row that shares any 13-gram (GPT-3) or any 8-gram (Open-R1) with the benchmark, which
among problems of one judge also drops the innocent: they share the judge's phrases. Here 8-grams count as a share of
the row, after the phrases that several items or several unrelated rows hold are set aside.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from microcoder_assets.config import DecontaminationSettings, DedupSettings
from microcoder_assets.processing.documents import Corpus, Document, read_document, same_samples, same_text
from microcoder_assets.processing.gram_index import COPY, Containment, GramIndex
from microcoder_assets.processing.minhash import cross_pairs, jaccard
from microcoder_assets.processing.shingles import WordHasher

REPORT = {
    "benchmark_id": pl.String,
    "nearest_problem_id": pl.String,  # the row dropped for this item, else the row with the most of its grams
    "rule": pl.String,  # the reason that row was dropped for, null when it was not
    "containment": pl.Float64,  # share of that row's telling grams in the item, [0, 1]
    "jaccard": pl.Float64,  # MinHash estimate between the statements, [0, 1]
}

OVERLAP = {"problem_id": pl.String, "benchmark_id": pl.String, "rule": pl.String}


class Overlap(NamedTuple):
    """Why a row is dropped: which benchmark item it overlaps, and by which reason of the ladder."""

    item: int
    reason: str
    rule: str
    score: float
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OverlapReport:
    """The proof of decontamination. items: REPORT rows, one a benchmark problem.

    rows: rows compared. strict: those sharing any 13-gram with the benchmark, as published practice counts.
    ladder: those dropped, by reason. strict_kept: rows that the strict rule would drop and the ladder keeps.
    """

    items: pl.DataFrame
    rows: int
    strict: int
    strict_kept: int
    ladder: Counter[str]

    def summary(self) -> pl.DataFrame:
        """Columns measure and count: the numbers above, the ladder's reasons in its order."""
        lines = {
            "rows compared": self.rows,
            "benchmark problems": self.items.height,
            "benchmark problems found among the rows": self.items["rule"].count(),
            **{f"dropped: {reason}": self.ladder[reason] for reason in _LADDER},
            "strict rule (any 13-gram) would drop": self.strict,
            "of these kept by the ladder": self.strict_kept,
        }
        return pl.DataFrame({"measure": list(lines), "count": list(lines.values())})


_LADDER = ("benchmark_identity", "benchmark_samples", "benchmark_ngrams", "benchmark_text")


def overlap_ladder(
    rows: Corpus, items: Corpus, index: GramIndex, dedup: DedupSettings, settings: DecontaminationSettings
) -> tuple[dict[int, Overlap], Containment]:
    """Rows to drop, each by the first rule that it meets, and how much of every row the benchmark holds.

    index: built of the items' statements, with every row added.
    """
    found = _by_identity(rows.documents, items.documents)
    for row, overlap in _by_samples(rows, items).items():
        found.setdefault(row, overlap)
    known = np.zeros(len(rows.documents), dtype=bool)
    known[list(found)] = True
    telling, raw = index.containment(known), index.raw_containment()
    for best, limit, rule in ((telling, settings.max_containment, "containment"), (raw, COPY, "raw_containment")):
        for row in np.flatnonzero(best.row_score >= limit).tolist():
            item = int(best.item_of_row[row])
            detail = {"jaccard": round(jaccard(rows.signatures[row], items.signatures[item]), 4)}
            score = float(best.row_score[row])
            found.setdefault(row, Overlap(item, "benchmark_ngrams", f"{settings.ngram}gram_{rule}", score, detail))
    for row, item in sorted(cross_pairs(rows.signatures, items.signatures, dedup.bands)):
        similarity = jaccard(rows.signatures[row], items.signatures[item])
        if same_text(rows.documents[row], items.documents[item], similarity, settings.min_jaccard):
            found.setdefault(row, Overlap(item, "benchmark_text", "minhash", similarity, {}))
    return found, telling


def find_overlap(rows: pl.DataFrame, benchmark: pl.DataFrame, settings: DecontaminationSettings) -> pl.DataFrame:
    """OVERLAP rows: which of `rows` are a benchmark problem, asked of the rows alone.

    Identity keys, samples where the frame has them, and copies of the text (`gram_index.COPY`). Which phrases are
    boilerplate depends on the whole pool, so a part of it cannot be asked the ladder's finer questions; all that is
    found here the ladder drops too.
    """
    hasher = WordHasher()
    index = GramIndex([hasher(text or "") for text in benchmark["statement"]], settings)
    for text in rows["statement"]:
        index.add_row(hasher(text or ""))
    documents, items = _documents(rows), _documents(benchmark)
    found = {row: (overlap.item, overlap.rule) for row, overlap in _by_identity(documents, items).items()}
    for row, item in _sample_pairs(documents, items):
        if same_samples(documents[row], items[item], similarity=0.0, wary=True):
            found.setdefault(row, (item, "sample_fingerprint"))
    raw = index.raw_containment()
    for row in np.flatnonzero(raw.row_score >= COPY).tolist():
        found.setdefault(row, (int(raw.item_of_row[row]), f"{settings.ngram}gram_raw_containment"))
    lines = [(documents[row].problem_id, items[item].problem_id, rule) for row, (item, rule) in sorted(found.items())]
    return pl.DataFrame(lines, schema=OVERLAP, orient="row").sort("problem_id")


def report(
    rows: Corpus, items: Corpus, overlaps: dict[int, Overlap], containment: Containment, strict: NDArray[np.bool_]
) -> OverlapReport:
    """strict: per row, does it share any 13-gram with the benchmark."""
    dropped_for: dict[int, int] = {}
    for row, overlap in sorted(overlaps.items(), key=lambda entry: (_LADDER.index(entry[1].reason), entry[0])):
        dropped_for.setdefault(overlap.item, row)
    lines = []
    for n, item in enumerate(items.documents):
        row = dropped_for.get(n, int(containment.row_of_item[n]))
        near = row >= 0
        same_pair = near and containment.item_of_row[row] == n
        lines.append(
            (
                item.problem_id,
                rows.documents[row].problem_id if near else None,
                overlaps[row].reason if n in dropped_for else None,
                float(containment.row_score[row]) if same_pair else 0.0,
                jaccard(rows.signatures[row], items.signatures[n]) if near else 0.0,
            )
        )
    return OverlapReport(
        items=pl.DataFrame(lines, schema=REPORT, orient="row"),
        rows=len(rows.documents),
        strict=int(strict.sum()),
        strict_kept=int(strict.sum() - strict[list(overlaps)].sum()),
        ladder=Counter(overlap.reason for overlap in overlaps.values()),
    )


def _documents(frame: pl.DataFrame) -> list[Document]:
    return [read_document(row, shingles=0) for row in frame.iter_rows(named=True)]


def _by_identity(documents: list[Document], items: list[Document]) -> dict[int, Overlap]:
    item_of: dict[str, int] = {}
    for n, item in enumerate(items):
        for key in item.keys:
            item_of.setdefault(key, n)
    found = {}
    for row, document in enumerate(documents):
        if shared := [key for key in document.keys if key in item_of]:
            key = min(shared)
            found[row] = Overlap(item_of[key], "benchmark_identity", "identity_key", 1.0, {"key": key})
    return found


def _by_samples(rows: Corpus, items: Corpus) -> dict[int, Overlap]:
    found: dict[int, Overlap] = {}
    for row, item in _sample_pairs(rows.documents, items.documents):
        similarity = jaccard(rows.signatures[row], items.signatures[item])
        tokens = same_samples(rows.documents[row], items.documents[item], similarity, wary=True)
        if tokens:
            detail = {"sample_tokens": tokens, "jaccard": round(similarity, 4)}
            found.setdefault(row, Overlap(item, "benchmark_samples", "sample_fingerprint", 1.0, detail))
    return found


def _sample_pairs(documents: list[Document], items: list[Document]) -> Iterable[tuple[int, int]]:
    """Row and item that have a sample in common, by row."""
    items_with: defaultdict[int, list[int]] = defaultdict(list)
    for n, item in enumerate(items):
        for pair in item.samples.pairs:
            items_with[pair].append(n)
    for row, document in enumerate(documents):
        for item_number in sorted({n for pair in document.samples.pairs for n in items_with.get(pair, ())}):
            yield row, item_number
