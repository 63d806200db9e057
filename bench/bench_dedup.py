"""Speed, memory and recall of `unique_problems` on statements made up here: `python -m bench.bench_dedup [ROWS]`."""

from __future__ import annotations

import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from microcoder_assets.config import Settings
from microcoder_assets.processing.documents import read_corpus
from microcoder_assets.processing.duplicates import find_clusters
from microcoder_assets.processing.gram_index import GramIndex
from microcoder_assets.processing.minhash import MinHash
from microcoder_assets.processing.shingles import Hashes, WordHasher
from microcoder_assets.processing.unique import find_unique
from microcoder_assets.reports import text_table
from microcoder_assets.schema import NORMALIZED, SAMPLE

WORDS_A_STATEMENT = 280
BENCHMARK_ITEMS = 1_000
COPIES = {"spacing": 0.0, "2 % of words": 0.02, "5 % of words": 0.05, "10 % of words": 0.10, "20 % of words": 0.20}
BENCHMARK_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(("problem_id", "platform", "native_id", "title", "url", "statement", "io_mode"), pl.String),
    "samples": pl.List(SAMPLE),
}


def make_statements(rows: int, seed: int = 0) -> list[str]:
    """Zipf-distributed words, with a third of the statements ending in one of twenty stock phrases."""
    generator = np.random.default_rng(seed)
    vocabulary = np.array([f"word{n}" for n in range(20_000)])
    stock = [" ".join(vocabulary[generator.integers(0, 20_000, 25)]) for _ in range(20)]
    statements = []
    for n in range(rows):
        picks = np.minimum(generator.zipf(1.3, WORDS_A_STATEMENT), len(vocabulary)) - 1
        tail = f" {stock[n % 20]}" if n % 3 == 0 else ""
        statements.append(" ".join(vocabulary[picks]) + tail)
    return statements


def make_pool(rows: int) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, str]]:
    """Problems (a tenth are copies at another judge), benchmark, and the kind of each copy by problem id."""
    generator = random.Random(0)
    copies = rows // 10
    statements = make_statements(rows - copies + BENCHMARK_ITEMS)
    benchmark, originals = statements[:BENCHMARK_ITEMS], statements[BENCHMARK_ITEMS:]
    lines = [_row("codeforces", n, text) for n, text in enumerate(originals)]
    kinds = {}
    for n in range(copies):
        kind = list(COPIES)[n % len(COPIES)]
        words = originals[n].split()
        text = "  ".join(f"new{k}" if generator.random() < COPIES[kind] else word for k, word in enumerate(words))
        lines.append(_row("kattis", n, text.upper()))
        kinds[f"kattis:{n}"] = kind
    items = [_row("atcoder", n, text) for n, text in enumerate(benchmark)]
    frame = pl.DataFrame(lines, schema=NORMALIZED, infer_schema_length=None)
    return frame, pl.DataFrame([{k: i[k] for k in BENCHMARK_SCHEMA} for i in items], schema=BENCHMARK_SCHEMA), kinds


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 28_000
    problems, benchmark, kinds = make_pool(rows)
    settings, decontamination = Settings().dedup, Settings().decontamination
    minhash, hasher = MinHash(settings), WordHasher()
    before = _peak_mib()
    lines: list[dict[str, Any]] = []

    def step(name: str, action: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        outcome = action()
        seconds = time.perf_counter() - start
        lines.append({"step": name, "seconds": round(seconds, 2), "rows/s": int(rows / seconds)})
        return outcome

    texts = step("hash words", lambda: [hasher(text) for text in problems["statement"]])
    corpus = step("signatures", lambda: read_corpus(problems, texts, minhash, settings.shingle_words, None))
    index = GramIndex([hasher(text) for text in benchmark["statement"]], decontamination)
    step("look up 8-grams and 13-grams", lambda: _add_all(index, texts))
    step("containment", lambda: index.containment(np.zeros(rows, dtype=bool)))
    step("clusters", lambda: find_clusters(corpus.documents, corpus.signatures, settings))
    result, _ = step("find_unique, all of it", lambda: find_unique(problems, benchmark, settings, decontamination))
    print(f"{rows} rows, {benchmark.height} benchmark items, one thread; peak {_peak_mib()} MiB, {before} of it data\n")
    print(text_table(pl.DataFrame(lines)))

    of_kind, merged = Counter(kinds.values()), Counter[str]()
    wrong = 0
    for decision in result.decisions:
        if decision.parents:
            pair = {decision.problem_id, *decision.parents}
            copy = next((problem_id for problem_id in pair if problem_id in kinds), "")
            right = pair == {copy, copy.replace("kattis", "codeforces")}
            merged[kinds.get(copy, "")] += right
            wrong += not right
    recall = [{"copy": kind, "planted": of_kind[kind], "found": merged[kind] / of_kind[kind]} for kind in COPIES]
    print(f"\n{text_table(pl.DataFrame(recall))}\n\nwrong merges or drops: {wrong}")


def _add_all(index: GramIndex, texts: list[Hashes]) -> None:
    for text in texts:
        index.add_row(text)


def _row(platform: str, number: int, statement: str) -> dict[str, Any]:
    blank = dict.fromkeys(NORMALIZED) | {name: [] for name in ("tests", "references", "tags", "ratings", "samples")}
    problem_id = f"{platform}:{number}"
    own = {"problem_id": problem_id, "platform": platform, "native_id": str(number), "title": f"Title {problem_id}"}
    return blank | own | {"statement": statement, "io_mode": "stdin", "content_sha": problem_id}


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
