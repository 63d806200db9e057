"""What duplicate search and decontamination know of a problem, computed once for each content."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray

from microcoder_assets.collection.identity import identity_keys
from microcoder_assets.config import DedupSettings
from microcoder_assets.processing.fingerprint import Fingerprint, fingerprint
from microcoder_assets.processing.gram_index import GramIndex, RowGrams
from microcoder_assets.processing.minhash import Cache, MinHash, Signature
from microcoder_assets.processing.shingles import WordHasher, runs
from microcoder_assets.processing.titles import Title, bounds, split_title

PREFERRED_LANGUAGE = "en"
"""Statement language where a frame names none, as in benchmarks; of equally complete duplicates it stays. Ours."""

_SCHEME = "document1"
"""Of what is stored of a document: raise the number when the code means something else."""

_COLUMNS = (
    *("problem_id", "platform", "native_id", "title", "url", "statement", "samples", "io_mode", "entry_point"),
    *("constraints", "statement_language", "content_sha"),
)
"""What a document is made of. A benchmark or a split lacks some of the later ones."""

_BESIDE_CONTENT = ("problem_id", "title", "url", "statement_language")
"""Those that `content_sha` does not cover."""


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
    """Documents sorted by problem_id, their signatures, shape (documents, permutations), and their benchmark grams.

    grams: empty where no benchmark was asked for.
    """

    documents: list[Document]
    signatures: NDArray[np.uint32]
    grams: list[RowGrams]


def read_corpus(
    frame: pl.DataFrame, dedup: DedupSettings, index: GramIndex | None = None, cache: Cache | None = None
) -> Corpus:
    """frame: rows as `read_document` takes them. cache: what it knows by content is not computed again."""
    frame = frame.select(name for name in _COLUMNS if name in frame.columns)
    minhash, hasher = MinHash(dedup), WordHasher()
    if "content_sha" not in frame.columns:
        cache = None
    keys = content_keys(frame) if cache else [str(n) for n in range(frame.height)]
    document_keys = [f"{_SCHEME}-{minhash.scheme}:{key}" for key in keys]
    gram_keys = [f"{index.scheme}:{key}" for key in keys] if index else document_keys
    known = cache.get([*document_keys, *gram_keys]) if cache else {}
    todo = [n for n in range(frame.height) if document_keys[n] not in known or gram_keys[n] not in known]
    new: dict[str, bytes] = {}
    for n, row in zip(todo, frame[todo].iter_rows(named=True), strict=True):
        words = hasher(row["statement"] or "")
        if index and gram_keys[n] not in known:
            new[gram_keys[n]] = index.look_up(words).to_bytes()
        if document_keys[n] not in known:
            shingles = runs(words, dedup.shingle_words)
            new[document_keys[n]] = _to_bytes(read_document(row, len(shingles)), minhash.signature(shingles))
    if cache and new:
        cache.put(new)
    known = known | new
    signatures = np.empty((frame.height, minhash.permutations), np.uint32)
    documents = []
    for n, key in enumerate(document_keys):
        signatures[n] = np.frombuffer(known[key], np.uint32, minhash.permutations)
        documents.append(_from_bytes(known[key][signatures[n].nbytes :]))
    return Corpus(documents, signatures, [RowGrams.from_bytes(known[key]) for key in gram_keys] if index else [])


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


def content_keys(frame: pl.DataFrame) -> list[str]:
    """What each row's document is made of, as a hash; the columns count, since a split lacks some."""
    columns = [name for name in _COLUMNS if name in frame.columns]
    content = pl.coalesce(name for name in ("content_sha", "statement") if name in columns)
    rows = frame.select(content, *(name for name in _BESIDE_CONTENT if name in columns)).iter_rows()
    return [xxhash.xxh3_128_hexdigest("\0".join([*columns, *(part or "" for part in row)]).encode()) for row in rows]


def _to_bytes(document: Document, signature: Signature) -> bytes:
    samples = document.samples
    parts = (
        document.problem_id,
        document.platform,
        document.title,
        sorted(document.keys),
        (samples.io_mode, samples.pairs, samples.lengths),
        document.language,
        sorted(document.bounds),
        document.shingles,
        document.entry_point,
    )
    return signature.tobytes() + json.dumps(parts, ensure_ascii=False).encode()


def _from_bytes(stored: bytes) -> Document:
    problem_id, platform, title, keys, (io_mode, pairs, lengths), language, limits, shingles, entry = json.loads(stored)
    samples = Fingerprint(io_mode, tuple(pairs), tuple(lengths))
    known = frozenset(keys), samples, language, frozenset(limits)
    return Document(problem_id, platform, Title(*title), *known, shingles, entry)
