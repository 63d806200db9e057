"""Benchmark overlap: identity, samples and tests, 8-grams, MinHash, contest window, in this order (the ladder is ours).

Published practice drops a row that shares any 13-gram (GPT-3) or any 8-gram (Open-R1) with the benchmark, which
among problems of one judge also drops the innocent: they share the judge's phrases. Here 8-grams count as a share of
the row, after the phrases that several items or several unrelated rows hold are set aside.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray

from microcoder_assets.config import DecontaminationSettings, DedupSettings, Settings
from microcoder_assets.processing.documents import Corpus, Document, content_keys, read_corpus, values_of
from microcoder_assets.processing.gram_index import COPY, PAPER_SHARE, Containment, GramIndex
from microcoder_assets.processing.likeness import (
    LIKE_TEXT,
    are_versions,
    same_bounds,
    same_samples,
    same_text,
    same_title,
)
from microcoder_assets.processing.minhash import Cache, cross_pairs, jaccard
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
    """Why a row is dropped: which benchmark item it overlaps, and by which reason of the ladder.

    item: None where a contest is in the benchmark's window and no item is like the row.
    """

    item: int | None
    reason: str
    rule: str
    score: float
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OverlapReport:
    """The proof of decontamination. items: REPORT rows, one a benchmark problem; releases: items and those found.

    rows: rows compared. strict: those sharing any 13-gram with the benchmark, as published practice counts; paper:
    those over the paper's figure; window: those of contests in the benchmark's window; of each how many the ladder
    keeps. ladder: those dropped, by reason.
    """

    items: pl.DataFrame
    releases: pl.DataFrame
    rows: int
    strict: int
    strict_kept: int
    paper: int
    paper_kept: int
    window: int
    window_kept: int
    ladder: Counter[str]

    def summary(self) -> pl.DataFrame:
        """Columns measure and count: the numbers above, the ladder's reasons in its order."""
        lines = {
            "rows compared": self.rows,
            "benchmark problems": self.items.height,
            "benchmark problems found among the rows": self.items["rule"].count(),
            **{f"dropped: {reason}": self.ladder[reason] for reason in _LADDER},
            "any 13-gram would drop": self.strict,
            "any 13-gram would drop, the ladder keeps": self.strict_kept,
            f"the paper's 16-gram share >= {PAPER_SHARE} would drop": self.paper,
            f"the paper's 16-gram share >= {PAPER_SHARE} would drop, the ladder keeps": self.paper_kept,
            "from contests in the benchmark's window": self.window,
            "from contests in the benchmark's window, the ladder keeps": self.window_kept,
        }
        return pl.DataFrame({"measure": list(lines), "count": list(lines.values())})


_LADDER = ("benchmark_identity", "benchmark_samples", "benchmark_ngrams", "benchmark_text", "benchmark_window")


def read_items(
    benchmark: pl.DataFrame, dedup: DedupSettings, settings: DecontaminationSettings, cache: Cache | None = None
) -> tuple[Corpus, GramIndex]:
    """The benchmark as documents, and the index of its grams. Columns as `read_corpus` takes them."""
    return read_corpus(benchmark, dedup, cache=cache), _gram_index(_words_of(benchmark, cache), settings)


@lru_cache(maxsize=1)  # a stage and its check ask for the same one
def _gram_index(items: tuple[bytes, ...], settings: DecontaminationSettings) -> GramIndex:
    return GramIndex([np.frombuffer(words, np.uint64) for words in items], settings)


def _words_of(benchmark: pl.DataFrame, cache: Cache | None) -> tuple[bytes, ...]:
    """Hashed words of every statement."""
    hasher, texts = WordHasher(), [statement or "" for statement in benchmark["statement"]]
    keys = [f"words1:{xxhash.xxh3_128_hexdigest(text.encode('utf-8', 'surrogatepass'))}" for text in texts]
    known = cache.get(keys) if cache else {}
    new = {key: hasher(text).tobytes() for key, text in zip(keys, texts, strict=True) if key not in known}
    if cache and new:
        cache.put(new)
    known = known | new
    return tuple(known[key] for key in keys)


class Alone(NamedTuple):
    """What of the ladder each row alone decides, by row. first: by the rules before the 8-grams; last: after them.

    raw_item, raw_score: the item that holds most of a row and how much, boilerplate included, as in `Containment`.
    """

    first: dict[int, Overlap]
    last: dict[int, Overlap]
    raw_item: NDArray[np.int64]
    raw_score: NDArray[np.float64]


def overlap_alone(
    rows: Corpus,
    items: Corpus,
    index: GramIndex,
    shared_tests: Iterable[SharedTests],
    dedup: DedupSettings,
    settings: DecontaminationSettings,
) -> Alone:
    """index: built of the items' statements, and asked for every row."""
    first = _by_identity(rows, items)
    for row, overlap in (*_by_samples(rows, items), *_by_tests(rows, items, shared_tests)):
        first.setdefault(row, overlap)
    last: dict[int, Overlap] = {}
    alike = cross_pairs(rows.signatures, items.signatures, dedup.bands)
    for row, item, left, right in _documents_of(rows, items, alike.tolist()):
        similarity = jaccard(rows.signatures[row], items.signatures[item])
        if same_text(left, right, similarity, settings.min_jaccard):
            last.setdefault(row, Overlap(item, "benchmark_text", "minhash", similarity, {}))
    raw = index.raw_containment(rows.grams)
    return Alone(first, last, raw.item_of_row, raw.row_score)


def telling_containment(rows: Corpus, index: GramIndex, alone: Alone) -> Containment:
    """How much of every row the benchmark holds, without the phrases that say nothing among these rows."""
    related = alone.raw_score >= COPY
    related[list(alone.first)] = True
    return index.containment(rows.grams, related)


def overlap_ladder(
    rows: Corpus, items: Corpus, alone: Alone, telling: Containment, settings: DecontaminationSettings
) -> dict[int, Overlap]:
    """Rows to drop, each by the first rule that it meets."""
    found = dict(alone.first)
    for rule, limit, best_item, best_score in (
        ("containment", settings.max_containment, telling.item_of_row, telling.row_score),
        ("raw_containment", COPY, alone.raw_item, alone.raw_score),
    ):
        for row in np.flatnonzero(best_score >= limit).tolist():
            item, score = int(best_item[row]), float(best_score[row])
            detail = {"jaccard": round(jaccard(rows.signatures[row], items.signatures[item]), 4)}
            found.setdefault(row, Overlap(item, "benchmark_ngrams", f"{settings.ngram}gram_{rule}", score, detail))
    return alone.last | found


def find_overlap(
    rows: pl.DataFrame,
    benchmark: pl.DataFrame,
    settings: DecontaminationSettings,
    dedup: DedupSettings | None = None,
    cache: Cache | None = None,
) -> pl.DataFrame:
    """OVERLAP rows: which of `rows` are a benchmark problem, asked of each row alone.

    Identity keys, samples where the frame has them, and copies of the text (`gram_index.COPY`). Which phrases are
    boilerplate depends on the whole pool, so a part of it cannot be asked the ladder's finer questions; all that is
    found here the ladder drops too. cache: rows that it knows to be free of this benchmark are not asked again.
    """
    benchmark = benchmark.sort("problem_id")
    scheme = overlap_scheme(benchmark, settings)
    free = [f"{scheme}:{key}" for key in content_keys(rows)] if cache else []
    known = cache.get(free).keys() if cache else set()
    asked = [n for n in range(rows.height) if not cache or free[n] not in known]
    if not asked:
        return pl.DataFrame(schema=OVERLAP)
    dedup = dedup or Settings().dedup
    items, index = read_items(benchmark, dedup, settings, cache)
    corpus = read_corpus(rows[asked], dedup, index, cache)
    found = {row: (overlap.item, overlap.rule) for row, overlap in _by_identity(corpus, items).items()}
    for row, item, left, right in _documents_of(corpus, items, _sample_pairs(corpus, items)):
        if same_samples(left, right, similarity=0.0, wary=True) and not are_versions(left, right):
            found.setdefault(row, (item, "sample_fingerprint"))
    raw = index.raw_containment(corpus.grams)
    for row in np.flatnonzero(raw.row_score >= COPY).tolist():
        found.setdefault(row, (int(raw.item_of_row[row]), f"{settings.ngram}gram_raw_containment"))
    if cache:
        cache.put({free[n]: b"" for row, n in enumerate(asked) if row not in found})
    problem_ids, item_ids = corpus.facts["problem_id"], items.facts["problem_id"]
    lines = [
        (problem_ids[row], item_ids[item], rule) for row, (item, rule) in sorted(found.items()) if item is not None
    ]
    return pl.DataFrame(lines, schema=OVERLAP, orient="row").sort("problem_id")


def overlap_scheme(benchmark: pl.DataFrame, settings: DecontaminationSettings) -> str:
    """What `find_overlap` found of a row stands for as long as this does."""
    parts = [settings.model_dump_json(), *content_keys(benchmark.sort("problem_id"))]
    return f"free1-{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:16]}"


def contest_window(problems: pl.DataFrame, benchmark: pl.DataFrame) -> list[int]:
    """Rows of a judge's contests held between its first and last problem in the benchmark.

    Only dates that a contest gives count: an archive's or an inferred date says nothing of when a problem was new.
    """
    if "published" not in benchmark.columns:
        return []
    windows = benchmark.group_by("platform").agg(first=pl.col("published").min(), last=pl.col("published").max())
    dated = problems.with_row_index("row").filter(pl.col("published_basis") == "contest")
    inside = dated.join(windows, on="platform").filter(pl.col("published").is_between("first", "last"))
    return sorted(inside["row"].to_list())


class SharedTests(NamedTuple):
    """A row has `shared` of the `known` public tests of an item."""

    row: int
    item: int
    shared: int
    known: int


def find_shared_tests(problems: pl.DataFrame, benchmark: pl.DataFrame) -> list[SharedTests]:
    """Rows that have at least half of an item's public tests, byte for byte.

    problems: the tests of `schema.NORMALIZED`, by hash. benchmark: those of `schema.BENCHMARK`, bytes inside.
    """
    if "tests" not in benchmark.columns:
        return []
    keys = ["input_sha", "expected_sha"]
    hashes = [pl.col(key.removesuffix("_sha")).map_elements(_sha256, pl.String).alias(key) for key in keys]
    public = _tests_of(benchmark, "item").filter("sample").select("item", *hashes).unique()
    pairs = _tests_of(problems, "row").select("row", *keys).unique().join(public, on=keys)
    pairs = pairs.group_by("row", "item").agg(shared=pl.len())
    counted = pairs.join(public.group_by("item").agg(known=pl.len()), on="item").sort("row", "item")
    half = counted.filter(2 * pl.col("shared") >= pl.col("known"))
    return [SharedTests(*line) for line in half.select(SharedTests._fields).iter_rows()]


def _tests_of(frame: pl.DataFrame, number: str) -> pl.DataFrame:
    """A line a test, with the number of its row."""
    return frame.select("tests").with_row_index(number).explode("tests").drop_nulls("tests").unnest("tests")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def report(
    rows: Corpus,
    items: Corpus,
    overlaps: dict[int, Overlap],
    containment: Containment,
    releases: Sequence[str | None],
    window: Sequence[int],
) -> OverlapReport:
    """releases: of each item. window: the rows in it."""
    dropped_for: dict[int, int] = {}
    for row, overlap in sorted(overlaps.items(), key=lambda entry: (_LADDER.index(entry[1].reason), entry[0])):
        if overlap.item is not None:
            dropped_for.setdefault(overlap.item, row)
    lines = []
    problem_ids = rows.facts["problem_id"]
    for n, benchmark_id in enumerate(items.facts["problem_id"]):
        row = dropped_for.get(n, int(containment.row_of_item[n]))
        near = row >= 0
        same_pair = near and containment.item_of_row[row] == n
        lines.append(
            (
                benchmark_id,
                problem_ids[row] if near else None,
                overlaps[row].reason if n in dropped_for else None,
                float(containment.row_score[row]) if same_pair else 0.0,
                jaccard(rows.signatures[row], items.signatures[n]) if near else 0.0,
            )
        )
    frame = pl.DataFrame(lines, schema=REPORT, orient="row")
    by_release = frame.with_columns(
        benchmark=items.facts["platform"],
        release=pl.Series(releases, dtype=pl.String),
    )
    strict = set(np.flatnonzero(rows.grams.strict).tolist())
    paper = set(np.flatnonzero(rows.grams.paper_share >= PAPER_SHARE).tolist())
    return OverlapReport(
        items=frame,
        releases=by_release.group_by("release", "benchmark")
        .agg(items=pl.len(), found=pl.col("rule").count())
        .sort("release", "benchmark"),
        rows=rows.facts.height,
        strict=len(strict),
        strict_kept=len(strict - overlaps.keys()),
        paper=len(paper),
        paper_kept=len(paper - overlaps.keys()),
        window=len(window),
        window_kept=len(set(window) - overlaps.keys()),
        ladder=Counter(overlap.reason for overlap in overlaps.values()),
    )


def _by_identity(rows: Corpus, items: Corpus) -> dict[int, Overlap]:
    """Of several keys in common the least one tells, and of several items with it the first."""
    shared = _shared_values(rows, items, "keys").sort("row", "keys", "item").unique("row", keep="first")
    return {
        row: Overlap(item, "benchmark_identity", "identity_key", 1.0, {"key": key})
        for row, item, key in shared.select("row", "item", "keys").iter_rows()
    }


def _by_samples(rows: Corpus, items: Corpus) -> Iterator[tuple[int, Overlap]]:
    for row, item, left, right in _documents_of(rows, items, _sample_pairs(rows, items)):
        similarity = jaccard(rows.signatures[row], items.signatures[item])
        match = None if are_versions(left, right) else same_samples(left, right, similarity, wary=True)
        if match:
            detail = {"sample_tokens": match.tokens, "jaccard": round(similarity, 4)}
            yield row, Overlap(item, "benchmark_samples", f"{match.witness}_and_samples", 1.0, detail)


def _by_tests(rows: Corpus, items: Corpus, shared_tests: Iterable[SharedTests]) -> Iterator[tuple[int, Overlap]]:
    """A row without samples may have an item's as tests; like samples they prove nothing without a witness."""
    tests = {(row, item): (shared, known) for row, item, shared, known in shared_tests}
    for row, item, left, right in _documents_of(rows, items, tests):
        if are_versions(left, right):
            continue
        shared, known = tests[row, item]
        similarity = jaccard(rows.signatures[row], items.signatures[item])
        witnesses = {
            "entry_point": left.entry_point is not None and left.entry_point == right.entry_point,
            "title": same_title(left, right),
            "text": similarity >= LIKE_TEXT,
            "bounds": left.samples.io_mode != "function" and same_bounds(left, right),
        }
        witness = next((name for name, speaks in witnesses.items() if speaks), None)
        if witness:
            detail = {"tests": shared, "public_tests": known, "jaccard": round(similarity, 4)}
            yield row, Overlap(item, "benchmark_samples", f"{witness}_and_tests", shared / known, detail)


def _sample_pairs(rows: Corpus, items: Corpus) -> list[tuple[int, int]]:
    """Row and item that have a sample in common, ascending."""
    shared = _shared_values(rows, items, "pairs").select("row", "item").unique().sort("row", "item")
    return list(shared.iter_rows())


def _shared_values(rows: Corpus, items: Corpus, name: str) -> pl.DataFrame:
    """Columns row, item and `name`: each value that a row and an item have in common."""
    of_rows, of_items = (values_of(corpus.facts.with_row_index("row"), name) for corpus in (rows, items))
    return of_rows.join(of_items.rename({"row": "item"}), on=name)


def _documents_of(
    rows: Corpus, items: Corpus, pairs: Collection[Sequence[int]]
) -> Iterator[tuple[int, int, Document, Document]]:
    """Each pair of a row and an item, with the documents of both."""
    left, right = rows.documents(row for row, _ in pairs), items.documents(item for _, item in pairs)
    for row, item in pairs:
        yield row, item, left[row], right[item]
