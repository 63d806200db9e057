"""`unique_problems`: rows that overlap the benchmark are removed first, then duplicates are merged into one row each."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from microcoder_assets.collection.identity import identity_keys
from microcoder_assets.config import DecontaminationSettings, DedupSettings
from microcoder_assets.processing.decontaminate import Containment, GramIndex
from microcoder_assets.processing.duplicates import Document, Match, find_clusters, same_samples, same_text
from microcoder_assets.processing.fingerprint import fingerprint
from microcoder_assets.processing.minhash import MinHash, SignatureCache, cross_pairs, jaccard
from microcoder_assets.processing.shingles import Hashes, WordHasher, grams
from microcoder_assets.processing.titles import bounds, split_title
from microcoder_assets.schema import UNIQUE, conform
from microcoder_assets.stage import Decision, Kind, StageResult

PREFERRED_LANGUAGE = "en"
"""Among equally complete duplicates the row in this statement language stays. Ours."""

REPORT = {
    "benchmark_id": pl.String,
    "nearest_problem_id": pl.String,  # the row dropped for this item, else the row with the most of its grams
    "rule": pl.String,  # the reason that row was dropped for, null when it was not
    "containment": pl.Float64,  # share of that row's telling grams in the item, [0, 1]
    "jaccard": pl.Float64,  # MinHash estimate between the statements, [0, 1]
}

_DOCUMENT_COLUMNS = ("problem_id", "platform", "native_id", "title", "url", "statement", "samples", "io_mode")
_OPTIONAL_COLUMNS = ("constraints", "statement_language", "content_sha")


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


class Overlap(NamedTuple):
    """Why a row is dropped: the benchmark item it overlaps and by which reason of the ladder."""

    item: int
    reason: str
    rule: str
    score: float
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents sorted by problem_id and their signatures, shape (documents, permutations)."""

    documents: list[Document]
    signatures: NDArray[np.uint32]


def find_unique(
    problems: pl.DataFrame,
    benchmark: pl.DataFrame,
    dedup: DedupSettings,
    decontamination: DecontaminationSettings,
    signatures: SignatureCache | None = None,
) -> tuple[StageResult, OverlapReport]:
    """UNIQUE rows of NORMALIZED `problems`, a decision for each, and the proof that the benchmark is not among them.

    benchmark: at least problem_id, platform, native_id, title, url, statement, samples and io_mode; may be empty.
    signatures: where MinHash signatures outlive a run, so that the next one computes only those of new content.
    """
    problems, benchmark = problems.sort("problem_id"), benchmark.sort("problem_id")
    minhash, hasher = MinHash(dedup), WordHasher()
    item_words = [hasher(statement or "") for statement in benchmark["statement"]]
    items = _read(benchmark, item_words, minhash, dedup.shingle_words, None)
    index = GramIndex(item_words, decontamination)
    rows = _read(problems, _indexed(problems["statement"], hasher, index), minhash, dedup.shingle_words, signatures)

    overlaps, containment = _overlaps(rows, items, index, dedup, decontamination)
    stay = [row for row in range(len(rows.documents)) if row not in overlaps]
    clusters, matches = find_clusters([rows.documents[row] for row in stay], rows.signatures[stay], dedup)
    clusters = [[stay[member] for member in cluster] for cluster in clusters]
    matches = {(stay[i], stay[j]): match for (i, j), match in matches.items()}

    shas = problems["content_sha"].to_list()
    dropped = [_drop(rows.documents[row], overlap, items, shas[row]) for row, overlap in sorted(overlaps.items())]
    winners, merged = _merge(problems, rows, clusters, matches, shas)
    losers = {row for cluster in winners.values() for row in cluster}
    kept = [row for row in stay if row not in losers]
    frame = _assemble(problems, items, kept, winners, containment)
    result = StageResult(frame, [*dropped, *merged, *_keep(rows, kept, winners, shas)])
    return result, _report(rows, items, overlaps, containment, index.strict)


def _indexed(statements: Iterable[str | None], hasher: WordHasher, index: GramIndex) -> Iterable[Hashes]:
    for statement in statements:
        hashed = hasher(statement or "")
        index.add_row(hashed)
        yield hashed


def _read(
    frame: pl.DataFrame, texts: Iterable[Hashes], minhash: MinHash, shingle_words: int, cache: SignatureCache | None
) -> Corpus:
    """texts: hashed words of each row's statement. A cached value is the number of shingles, then the signature."""
    frame = frame.select(*_DOCUMENT_COLUMNS, *(name for name in _OPTIONAL_COLUMNS if name in frame.columns))
    keys = [f"{minhash.scheme}:{sha}" for sha in frame["content_sha"]] if cache else []
    known = cache.get(keys) if cache else {}
    new: dict[str, bytes] = {}
    documents: list[Document] = []
    signatures = np.empty((frame.height, minhash.permutations), np.uint32)
    for n, (row, text) in enumerate(zip(frame.iter_rows(named=True), texts, strict=True)):
        stored = known.get(keys[n]) if cache else None
        if stored is None:
            shingles = grams(text, shingle_words)
            stored = np.concatenate([np.array([len(shingles)], np.uint32), minhash.signature(shingles)]).tobytes()
            if cache:
                new[keys[n]] = stored
        numbers = np.frombuffer(stored, np.uint32)
        signatures[n] = numbers[1:]
        documents.append(_document(row, int(numbers[0])))
    if cache and new:
        cache.put(new)
    return Corpus(documents, signatures)


def _document(row: dict[str, Any], shingles: int) -> Document:
    return Document(
        problem_id=row["problem_id"],
        platform=row["platform"],
        title=split_title(row["title"]),
        keys=frozenset(identity_keys(row["platform"], row["native_id"], row["title"], row["url"])),
        samples=fingerprint(row["samples"], row["io_mode"]),
        language=row.get("statement_language"),
        bounds=bounds(row.get("constraints") or row["statement"] or ""),
        shingles=shingles,
    )


def _overlaps(
    rows: Corpus, items: Corpus, index: GramIndex, dedup: DedupSettings, settings: DecontaminationSettings
) -> tuple[dict[int, Overlap], Containment]:
    """Rows to drop, each by the first rule of the ladder that it meets."""
    found = _by_key(rows, items)
    found = {**_by_samples(rows, items), **found}
    known = np.isin(np.arange(len(rows.documents)), list(found))
    containment = index.containment(known)
    for row in np.flatnonzero(containment.row_score >= settings.max_containment).tolist():
        item, score = int(containment.item_of_row[row]), float(containment.row_score[row])
        detail = {"jaccard": round(jaccard(rows.signatures[row], items.signatures[item]), 4)}
        found.setdefault(row, Overlap(item, "benchmark_ngrams", f"{settings.ngram}gram_containment", score, detail))
    for row, item in sorted(cross_pairs(rows.signatures, items.signatures, dedup.bands)):
        score = jaccard(rows.signatures[row], items.signatures[item])
        if same_text(rows.documents[row], items.documents[item], score, settings.min_jaccard):
            found.setdefault(row, Overlap(item, "benchmark_text", "minhash", score, {}))
    return found, containment


def _by_key(rows: Corpus, items: Corpus) -> dict[int, Overlap]:
    item_of = {key: n for n, item in reversed(list(enumerate(items.documents))) for key in item.keys}
    found = {}
    for row, document in enumerate(rows.documents):
        keys = sorted(key for key in document.keys if key in item_of)
        if keys:
            found[row] = Overlap(item_of[keys[0]], "benchmark_identity", "identity_key", 1.0, {"key": keys[0]})
    return found


def _by_samples(rows: Corpus, items: Corpus) -> dict[int, Overlap]:
    items_with: defaultdict[int, list[int]] = defaultdict(list)
    for n, item in enumerate(items.documents):
        for pair in item.samples.pairs:
            items_with[pair].append(n)
    found: dict[int, Overlap] = {}
    for row, document in enumerate(rows.documents):
        for n in sorted({n for pair in document.samples.pairs for n in items_with.get(pair, ())}):
            similarity = jaccard(rows.signatures[row], items.signatures[n])
            tokens = same_samples(document, items.documents[n], similarity)
            if tokens:
                detail = {"sample_tokens": tokens, "jaccard": round(similarity, 4)}
                found.setdefault(row, Overlap(n, "benchmark_samples", "sample_fingerprint", 1.0, detail))
    return found


def _drop(document: Document, overlap: Overlap, items: Corpus, sha: str | None) -> Decision:
    item = items.documents[overlap.item].problem_id
    return Decision(
        document.problem_id,
        Kind.DROPPED,
        overlap.reason,
        {"item": item, **overlap.detail},
        score=round(overlap.score, 4),
        rule=overlap.rule,
        sha_in=sha,
        parents=[item],
    )


def _merge(
    problems: pl.DataFrame,
    rows: Corpus,
    clusters: Sequence[Sequence[int]],
    matches: dict[tuple[int, int], Match],
    shas: Sequence[str | None],
) -> tuple[dict[int, list[int]], list[Decision]]:
    """Losers by winner, and a decision for each loser with its strongest match inside the cluster."""
    order = _completeness(problems)
    touching: defaultdict[int, list[tuple[Match, int]]] = defaultdict(list)
    for (i, j), match in matches.items():
        touching[i].append((match, j))
        touching[j].append((match, i))
    winners: dict[int, list[int]] = {}
    decisions = []
    for cluster in clusters:
        winner, *losers = sorted(cluster, key=order.__getitem__)
        winners[winner] = sorted(losers)
        members = set(cluster)
        for row in winners[winner]:
            near = [(other != winner, -match.score, other, match) for match, other in touching[row] if other in members]
            _, _, other, match = min(near, key=lambda candidate: candidate[:3])
            of, via = rows.documents[winner].problem_id, rows.documents[other].problem_id
            detail = {"of": of, **match.detail} if of == via else {"of": of, "via": via, **match.detail}
            decisions.append(
                Decision(
                    rows.documents[row].problem_id,
                    Kind.MERGED,
                    f"duplicate_{match.reason}",
                    detail,
                    score=round(match.score, 4),
                    rule=match.rule,
                    sha_in=shas[row],
                    parents=[of],
                )
            )
    return winners, decisions


def _completeness(problems: pl.DataFrame) -> list[tuple[Any, ...]]:
    """A sort key a row: smallest for the one to keep among duplicates."""
    columns = problems.select(
        pl.col("references").list.len().fill_null(0) == 0,
        -pl.col("tests").list.len().fill_null(0).cast(pl.Int64),
        pl.col("statement_language").ne_missing(PREFERRED_LANGUAGE),
        pl.col("published").fill_null(dt.date.max),
        "platform",
        "problem_id",
    )
    return list(columns.iter_rows())


def _keep(
    rows: Corpus, kept: Sequence[int], winners: dict[int, list[int]], shas: Sequence[str | None]
) -> Iterable[Decision]:
    for row in kept:
        merged = [rows.documents[loser].problem_id for loser in winners.get(row, ())]
        detail = {"merged": merged} if merged else {}
        yield Decision(rows.documents[row].problem_id, Kind.KEPT, "ok", detail, sha_in=shas[row], sha_out=shas[row])


def _assemble(
    problems: pl.DataFrame,
    items: Corpus,
    kept: Sequence[int],
    winners: dict[int, list[int]],
    containment: Containment,
) -> pl.DataFrame:
    """The rows that stay. A winner keeps its own fields and gains the tags and ratings of those merged into it."""
    ids, tags, ratings = (problems[name].to_list() for name in ("problem_id", "tags", "ratings"))
    for winner, losers in winners.items():
        group = [winner, *losers]
        tags[winner] = sorted({tag for row in group for tag in tags[row] or ()})
        distinct = {(rating["source"], rating["value"]) for row in group for rating in ratings[row] or ()}
        ratings[winner] = [{"source": source, "value": value} for source, value in sorted(distinct)]
    nearest = [int(item) for item in containment.item_of_row[list(kept)]]
    overlap = containment.row_score[list(kept)].tolist() if items.documents else [None] * len(kept)
    frame = problems[list(kept)].with_columns(
        pl.Series("tags", [tags[row] for row in kept], UNIQUE["tags"]),
        pl.Series("ratings", [ratings[row] for row in kept], UNIQUE["ratings"]),
        pl.Series("merged_ids", [[ids[loser] for loser in winners.get(row, ())] for row in kept], UNIQUE["merged_ids"]),
        pl.Series("benchmark_nearest", [items.documents[n].problem_id if n >= 0 else None for n in nearest], pl.String),
        pl.Series("benchmark_overlap", overlap, pl.Float64),
    )
    return conform(frame, UNIQUE)


def _report(
    rows: Corpus,
    items: Corpus,
    overlaps: dict[int, Overlap],
    containment: Containment,
    strict: NDArray[np.bool_],
) -> OverlapReport:
    dropped_for = {overlap.item: row for row, overlap in sorted(overlaps.items(), reverse=True)}
    lines = []
    for n, item in enumerate(items.documents):
        row = dropped_for.get(n, int(containment.row_of_item[n]))
        near = row >= 0
        lines.append(
            {
                "benchmark_id": item.problem_id,
                "nearest_problem_id": rows.documents[row].problem_id if near else None,
                "rule": overlaps[row].reason if row in overlaps else None,
                "containment": float(containment.row_score[row]) if near and containment.item_of_row[row] == n else 0.0,
                "jaccard": jaccard(rows.signatures[row], items.signatures[n]) if near else 0.0,
            }
        )
    return OverlapReport(
        items=pl.DataFrame(lines, schema=REPORT),
        rows=len(rows.documents),
        strict=int(strict.sum()),
        strict_kept=int(strict.sum()) - int(strict[list(overlaps)].sum()),
        ladder=Counter(overlap.reason for overlap in overlaps.values()),
    )
