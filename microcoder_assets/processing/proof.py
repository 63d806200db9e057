"""The exportable proof of decontamination: for every benchmark item its nearest training row, and how near it is."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from microcoder_assets.config import Settings
from microcoder_assets.processing.decontaminate import read_items
from microcoder_assets.processing.documents import read_corpus

PROOF = {
    "benchmark_id": pl.String,
    "benchmark": pl.String,  # its platform, or the file it came from
    "release": pl.String,  # LiveCodeBench release that added it, null elsewhere
    "nearest_problem_id": pl.String,  # the training row with the highest score, null without any likeness
    "score": pl.Float64,  # the higher of the two below, [0, 1]
    "containment": pl.Float64,  # share of that row's 8-grams in the item, boilerplate included
    "jaccard": pl.Float64,  # MinHash estimate between the statements
}

_ITEMS_AT_ONCE = 8


def nearest_rows(rows: pl.DataFrame, benchmark: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """PROOF rows, one a benchmark item, by benchmark_id. Every row is compared with every item: nothing is sampled.

    rows: of `schema.SPLIT`. Boilerplate counts, so that a score does not depend on the pool the rows came from.
    """
    benchmark = benchmark.sort("problem_id")
    items, index = read_items(benchmark, settings.dedup, settings.decontamination)
    corpus = read_corpus(rows, settings.dedup, index)
    shares = index.raw_containment(corpus.grams)
    near = _nearest_signature(items.signatures, corpus.signatures)
    lines = []
    problem_ids = corpus.facts["problem_id"]
    told = items.facts.select("problem_id", "platform").with_columns(benchmark["release"]).iter_rows()
    for n, (benchmark_id, platform, release) in enumerate(told):
        candidates = {int(shares.row_of_item[n]), int(near[n])} - {-1}
        scored = []
        for row in candidates:
            jaccard = float(np.mean(corpus.signatures[row] == items.signatures[n]))
            share = float(index.share(corpus.grams[row], n))
            scored.append((max(share, jaccard), problem_ids[row], share, jaccard))
        score, problem_id, share, jaccard = max(scored, default=(0.0, None, 0.0, 0.0))
        lines.append((benchmark_id, platform, release, problem_id if score else None, score, share, jaccard))
    return pl.DataFrame(lines, schema=PROOF, orient="row")


def _nearest_signature(items: NDArray[np.uint32], rows: NDArray[np.uint32]) -> NDArray[np.int64]:
    """For each item the row whose signature agrees most with it, -1 without rows."""
    if not len(rows):
        return np.full(len(items), -1)
    parts = [
        (items[start : start + _ITEMS_AT_ONCE, None, :] == rows[None]).sum(axis=2, dtype=np.uint16).argmax(axis=1)
        for start in range(0, len(items), _ITEMS_AT_ONCE)
    ]
    return np.concatenate([np.empty(0, np.int64), *parts])
