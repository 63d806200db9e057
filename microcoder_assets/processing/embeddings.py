"""Statements in two languages that an embedding model finds alike. The model runs in `microcoder_train`."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray

from microcoder_assets.config import DedupSettings
from microcoder_assets.processing.documents import Corpus
from microcoder_assets.processing.embedding_model import fingerprint
from microcoder_assets.processing.likeness import FEWEST_SHINGLES
from microcoder_assets.processing.minhash import BUCKET_LINKS, Cache
from microcoder_assets.resources import progress
from microcoder_assets.train_process import run

Vectors = NDArray[np.float16]

TEXTS_A_PROCESS = 4096
"""Texts that one process takes before their vectors are stored: what a killed run loses at most. Ours."""

_SCHEME = "embedding1"
"""Of what is stored of a text: raise the number when microcoder_train makes other vectors of the same model."""

_PRODUCTS_AT_ONCE = 1 << 24


@dataclass(frozen=True)
class Embedder:
    """The vectors that a model makes of texts, each made once. similarity: the cosine from which texts are alike."""

    model: Path
    similarity: float
    cache: Cache

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Shape (texts, dimensions), each of length one. Raises UserError for a model that cannot be loaded."""
        keys = [f"{self._scheme}:{_hash(text)}" for text in texts]
        known = self.cache.get(keys)
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        todo = list(new)
        with progress("embedding", len(todo)) as done:
            for start in range(0, len(todo), TEXTS_A_PROCESS):
                part = todo[start : start + TEXTS_A_PROCESS]
                made = zip(part, _embed(self.model, [new[key] for key in part]), strict=True)
                values = {key: vector.astype(np.float16).tobytes() for key, vector in made}
                self.cache.put(values)
                known |= values
                done(len(part))
        return np.stack([np.frombuffer(known[key], np.float16) for key in keys])

    @cached_property
    def _scheme(self) -> str:
        return f"{_SCHEME}-{fingerprint(self.model)}"


def make_embedder(settings: DedupSettings, cache: Cache) -> Embedder | None:
    """None where the settings name no model."""
    if settings.embedding_model is None:
        return None
    return Embedder(settings.embedding_model, settings.embedding_similarity, cache)


def near_translations(
    corpus: Corpus, statements: pl.Series, rows: Sequence[int], embedder: Embedder
) -> dict[tuple[int, int], float]:
    """Cosines of pairs of `rows` (i < j) in two languages that the model finds alike. Nothing is embedded where all
    are in one language, nor are statements too short to tell."""
    facts = corpus.facts.with_row_index("row").with_columns(statement=statements)[rows]
    asked = facts.filter((pl.col("language") != "") & (pl.col("shingles") >= FEWEST_SHINGLES))
    if asked["language"].n_unique() < 2:
        return {}
    vectors = embedder.vectors(asked["statement"].fill_null("").to_list())
    near = near_pairs(vectors, asked["language"].to_list(), embedder.similarity)
    numbers = asked["row"].to_list()
    return {(numbers[i], numbers[j]): cosine for (i, j), cosine in near.items()}


def near_pairs(vectors: Vectors, languages: Sequence[str], similarity: float) -> dict[tuple[int, int], float]:
    """Cosines of pairs (i < j) in two languages that reach `similarity`.

    Each row is paired with the BUCKET_LINKS nearest rows in commoner languages, so that a model that finds everything
    alike stays linear. In memory at once: those rows as float32, and a block of products.
    """
    counts = Counter(languages)
    ranked = sorted(counts, key=lambda language: (-counts[language], language))
    rank_of = np.array([ranked.index(language) for language in languages], np.int64)
    found: dict[tuple[int, int], float] = {}
    for rank in range(1, len(ranked)):
        commoner, rows = np.flatnonzero(rank_of < rank), np.flatnonzero(rank_of == rank)
        others = vectors[commoner].astype(np.float32).T
        at_once = max(1, _PRODUCTS_AT_ONCE // len(commoner))
        nearest = min(BUCKET_LINKS, len(commoner))
        for start in range(0, len(rows), at_once):
            part = rows[start : start + at_once]
            cosines = vectors[part].astype(np.float32) @ others
            columns = np.argpartition(cosines, -nearest, axis=1)[:, -nearest:]
            cosines = np.take_along_axis(cosines, columns, axis=1)
            for n, near in np.argwhere(cosines >= similarity).tolist():
                i, j = sorted((int(part[n]), int(commoner[columns[n, near]])))
                found[i, j] = min(1.0, float(cosines[n, near]))
    return found


def _embed(model: Path, texts: Sequence[str]) -> NDArray[np.float32]:
    """In a process of `microcoder_train`. Raises UserError with the mistake that it names."""
    with tempfile.TemporaryDirectory(prefix="microcoder-embed-") as folder:
        given, made = Path(folder, "texts.jsonl"), Path(folder, "vectors.npy")
        given.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
        run(["embed", "--model", str(model), "--input", str(given), "--output", str(made)])
        vectors: NDArray[np.float32] = np.load(made, allow_pickle=False)
        return vectors


def _hash(text: str) -> str:
    return xxhash.xxh3_128_hexdigest(text.encode("utf-8", "surrogatepass"))
