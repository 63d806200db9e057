"""What duplicate search and decontamination know of a problem, computed once for each content."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray

from microcoder_assets.collection.identity import identity_keys
from microcoder_assets.config import DedupSettings
from microcoder_assets.processing.fingerprint import Fingerprint, fingerprint
from microcoder_assets.processing.gram_index import GramIndex, Grams
from microcoder_assets.processing.minhash import Cache, MinHash, Signature
from microcoder_assets.processing.shingles import WordHasher, runs
from microcoder_assets.processing.titles import Title, bounds, split_title
from microcoder_assets.schema import Schema

PREFERRED_LANGUAGE = "en"
"""Statement language where a frame names none, as in benchmarks; of equally complete duplicates it stays. Ours."""

_SCHEME = "document2"
"""Of what is stored of a document: raise the number when the code means something else."""

COLUMNS = (
    *("problem_id", "platform", "native_id", "title", "url", "statement", "samples", "io_mode", "entry_point"),
    *("constraints", "statement_language", "content_sha"),
)
"""What a document is made of. A benchmark or a split lacks some of the later ones."""

_BESIDE_CONTENT = ("problem_id", "title", "url", "statement_language")
"""Those that `content_sha` does not cover."""


FACTS: Schema = {
    **dict.fromkeys(("problem_id", "platform", "base", "version"), pl.String),
    "keys": pl.List(pl.String),
    "io_mode": pl.String,
    "pairs": pl.List(pl.UInt64),
    "lengths": pl.List(pl.Int64),
    "language": pl.String,
    "bounds": pl.List(pl.String),  # as text, since a bound may be infinite
    "shingles": pl.Int64,
    "entry_point": pl.String,
}
"""A `Document` as columns: title and samples are taken apart."""


@dataclass(frozen=True, slots=True)
class Document:
    """What duplicate search knows of a problem beside its signature. shingles: how many its statement has."""

    problem_id: str
    platform: str
    title: Title
    keys: frozenset[str]
    samples: Fingerprint
    language: str | None
    bounds: frozenset[float]
    shingles: int
    entry_point: str | None = None


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is known of rows sorted by problem_id. facts: FACTS rows. signatures: shape (rows, permutations).

    grams: empty where no benchmark was asked for.
    """

    facts: pl.DataFrame
    signatures: NDArray[np.uint32]
    grams: Grams

    def documents(self, rows: Iterable[int]) -> dict[int, Document]:
        """Those of `rows`, by row."""
        wanted = sorted(set(rows))
        return dict(zip(wanted, map(_document, self.facts[wanted].iter_rows()), strict=True))


Whole = Callable[[pl.DataFrame], pl.DataFrame]
"""Gives all COLUMNS of rows that are given without their texts, in the same order."""


def read_corpus(
    frame: pl.DataFrame,
    dedup: DedupSettings,
    index: GramIndex | None = None,
    cache: Cache | None = None,
    whole: Whole | None = None,
) -> Corpus:
    """frame: rows as `read_document` takes them. cache: what it knows by content is not computed again. whole: reads
    the texts of rows to be computed, which `frame` then need not hold."""
    columns = COLUMNS if whole else [name for name in COLUMNS if name in frame.columns]
    minhash, hasher = MinHash(dedup), WordHasher()
    if "content_sha" not in frame.columns:
        cache = None
    keys = content_keys(frame, columns) if cache else [str(n) for n in range(frame.height)]
    document_keys = [f"{_SCHEME}-{minhash.scheme}:{key}" for key in keys]
    gram_keys = [f"{index.scheme}:{key}" for key in keys] if index else document_keys
    known = cache.get([*document_keys, *gram_keys]) if cache else {}
    todo = [n for n in range(frame.height) if document_keys[n] not in known or gram_keys[n] not in known]
    new: dict[str, bytes] = {}
    texts = whole(frame[todo]) if whole else frame[todo].select(columns)
    for n, row in zip(todo, texts.iter_rows(named=True), strict=True):
        words = hasher(row["statement"] or "")
        if index and gram_keys[n] not in known:
            new[gram_keys[n]] = index.look_up(words).to_bytes()
        if document_keys[n] not in known:
            shingles = runs(words, dedup.shingle_words)
            new[document_keys[n]] = _to_bytes(read_document(row, len(shingles)), minhash.signature(shingles))
    if cache and new:
        cache.put(new)
    known = known | new
    stored = [known[key] for key in document_keys]
    size = minhash.permutations * np.dtype(np.uint32).itemsize
    signatures = np.frombuffer(b"".join(each[:size] for each in stored), np.uint32)
    facts = pl.Series([each[size:] for each in stored], dtype=pl.Binary).cast(pl.String)
    return Corpus(
        facts.str.json_decode(pl.Struct(FACTS)).struct.unnest(),
        signatures.reshape(frame.height, minhash.permutations),
        Grams.from_bytes([known[key] for key in gram_keys] if index else []),
    )


def read_document(row: dict[str, Any], shingles: int) -> Document:
    """Of a row of NORMALIZED, UNIQUE, SPLIT or BENCHMARK; what the schema lacks counts as unknown."""
    return Document(
        problem_id=row["problem_id"],
        platform=row["platform"],
        title=split_title(row["title"]),
        keys=frozenset(identity_keys(row["platform"], row["native_id"], row["title"], row["url"])),
        samples=fingerprint(row.get("samples"), row["io_mode"]),
        language=row.get("statement_language", PREFERRED_LANGUAGE),
        bounds=bounds(row.get("constraints") or row["statement"] or ""),
        shingles=shingles,
        entry_point=row.get("entry_point") or None,
    )


def content_keys(frame: pl.DataFrame, columns: Sequence[str] | None = None) -> list[str]:
    """What each row's document is made of, as a hash. columns: those of COLUMNS that the document is made of, by
    default all that `frame` has; they count, since a split lacks some."""
    columns = columns or [name for name in COLUMNS if name in frame.columns]
    content = pl.coalesce(name for name in ("content_sha", "statement") if name in frame.columns)
    rows = frame.select(content, *(name for name in _BESIDE_CONTENT if name in columns)).iter_rows()
    return [xxhash.xxh3_128_hexdigest("\0".join([*columns, *(part or "" for part in row)]).encode()) for row in rows]


def values_of(facts: pl.DataFrame, name: str) -> pl.DataFrame:
    """Columns row and `name`: one line for each value that a row has. facts: with the column row."""
    values = facts.select("row", name)
    return (values.explode(name) if isinstance(values.schema[name], pl.List) else values).drop_nulls()


def _to_bytes(document: Document, signature: Signature) -> bytes:
    facts = {
        "problem_id": document.problem_id,
        "platform": document.platform,
        "base": document.title.base,
        "version": document.title.version,
        "keys": sorted(document.keys),
        "io_mode": document.samples.io_mode,
        "pairs": document.samples.pairs,
        "lengths": document.samples.lengths,
        "language": document.language,
        "bounds": [str(bound) for bound in sorted(document.bounds)],
        "shingles": document.shingles,
        "entry_point": document.entry_point,
    }
    return signature.tobytes() + json.dumps(facts, ensure_ascii=False).encode()


def _document(facts: tuple[Any, ...]) -> Document:
    """Of the columns of FACTS."""
    problem_id, platform, base, version, keys, io_mode, pairs, lengths, language, limits, shingles, entry_point = facts
    samples = Fingerprint(io_mode, tuple(pairs), tuple(lengths))
    known = frozenset(keys), samples, language, frozenset(map(float, limits))
    return Document(problem_id, platform, Title(base, version), *known, shingles, entry_point)
