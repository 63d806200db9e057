"""Speed, memory and recall of `unique_problems`: `python -m bench.bench_unique [ROWS ...] [--data]`.

ROWS statements made up here (50,000), a tenth of them copies; then a night with a hundred more, a tenth of them copies
of problems of any age, in the months that a night collects, with everything that the assets do but Dagster itself:
reading, publishing and checks. Of several numbers of ROWS a last table tells how a night's cost grows, beside a loop of
fixed work that tells how busy the machine was. With --data also the real records of MICROCODER_DATA (by default
../shared/data), from raw files on.
"""

from __future__ import annotations

import os
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from microcoder_assets.checks import CHECKS
from microcoder_assets.collection.benchmark import benchmark_result
from microcoder_assets.collection.benchmark_files import benchmark_items
from microcoder_assets.collection.scrape import scrape
from microcoder_assets.collection.sources import open_source, parse_spec
from microcoder_assets.config import DedupSettings, Settings
from microcoder_assets.processing.documents import Corpus, read_corpus
from microcoder_assets.processing.duplicates import find_buckets, find_clusters, find_matches
from microcoder_assets.processing.normalize import normalize
from microcoder_assets.processing.parts import prepared_parts, unique_parts
from microcoder_assets.processing.unique import find_unique
from microcoder_assets.project import Project
from microcoder_assets.reports import text_table
from microcoder_assets.schema import BENCHMARK, NORMALIZED, PREPARED, UNIQUE, Schema
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_assets.store import ParquetStore, Part, Partition

NEW_ROWS = 100
MONTHS = 120
SOURCES = {
    "leetcode": "leetcode-doocs",
    "codeforces": "codeforces-statements",
    "kattis": "kattis-packages",
    "rllm": "deepscaler-rllm",
    "oi": "oi-archive",
}
FURTHER_BENCHMARKS = ("humaneval/HumanEval.jsonl.gz", "mbpp/mbpp.jsonl.gz", "cruxeval/cruxeval.jsonl")
WORDS_A_STATEMENT = 280
BENCHMARK_ITEMS = 1_000
COPIES = {"spacing": 0.0, "2 % of words": 0.02, "5 % of words": 0.05, "10 % of words": 0.10, "20 % of words": 0.20}


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
    return frame.sort("problem_id"), _as_benchmark(items), kinds


def main() -> None:
    sizes = [int(argument) for argument in sys.argv[1:] if argument.isdigit()] or [50_000]
    nights = [_made_up(rows) for rows in sizes]
    print(f"\n{text_table(pl.DataFrame(nights))}")
    if "--data" in sys.argv:
        lines: list[dict[str, Any]] = []
        _real_records(Path(os.environ.get("MICROCODER_DATA", "../shared/data")), _timed(lines))
        print(f"\nreal records, from raw files on; peak {_peak_mib()} MiB\n\n{text_table(pl.DataFrame(lines))}")


def _timed(lines: list[dict[str, Any]]) -> Callable[[str, Callable[[], Any]], Any]:
    """Does a step, and adds a line of what it took."""

    def step(name: str, action: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        outcome = action()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        lines.append({"step": name, "seconds": round(wall, 2), "CPU seconds": round(cpu, 2)})
        return outcome

    return step


def _fixed_work() -> int:
    return sum(n * n % 7 for n in range(5_000_000))


def _made_up(rows: int) -> dict[str, Any]:
    """CPU seconds of a night over that many rows."""
    lines: list[dict[str, Any]] = []
    step = _timed(lines)
    problems, benchmark, kinds = make_pool(rows + NEW_ROWS)
    settings, before = Settings(), _peak_mib()
    is_new = pl.col("problem_id").is_in(problems["problem_id"].sample(NEW_ROWS, seed=0).implode())
    old, new = problems.filter(~is_new), problems.filter(is_new)
    corpus = step(f"documents and signatures of {rows:,}", lambda: read_corpus(old, settings.dedup))
    step("... near-duplicates among them", lambda: _clusters(corpus, settings.dedup))
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder), (), None, None)
        project.store.publish("livecodebench_problems", _kept(benchmark), inputs="", code_version="1", run_id="r")
        _publish_normalized(project, old)
        step("unique_problems of all, nothing stored", lambda: _unique(project, "first"))
        step("... prepared_problems", lambda: _prepared(project, "first"))
        _publish_month(project, "2026-11", new)
        step(f"unique_problems, a night with {NEW_ROWS} more", lambda: _unique(project, "second"))
        step("... prepared_problems", lambda: _prepared(project, "second"))
        step("a loop of fixed work", _fixed_work)
        decisions = project.store.scan_decisions(project.store.manifests("unique_problems")).collect()
    print(f"{rows} rows, {benchmark.height} benchmark items; peak {_peak_mib()} MiB, {before} of it data\n")
    print(text_table(pl.DataFrame(lines)))
    print(f"\n{text_table(_recall(decisions, kinds))}\n")
    night, prepared, fixed = (line["CPU seconds"] for line in lines[-3:])
    return {"rows stored": rows, "unique_problems": night, "prepared_problems": prepared, "fixed work": fixed}


def _clusters(corpus: Corpus, settings: DedupSettings) -> list[list[int]]:
    pairs = find_buckets(corpus, settings).pairs()
    return find_clusters(corpus, find_matches(corpus, pairs, settings))[0]


def _as_benchmark(rows: list[dict[str, Any]]) -> pl.DataFrame:
    items = [{name: row.get(name) for name in BENCHMARK} for row in rows]
    return pl.DataFrame(items, schema=BENCHMARK, infer_schema_length=None)


def _publish_normalized(project: Project, problems: pl.DataFrame) -> None:
    """In MONTHS parts of about one size."""
    numbered = problems.with_columns(n=pl.col("problem_id").hash() % MONTHS)
    for (n,), part in numbered.partition_by("n", include_key=False, as_dict=True).items():
        _publish_month(project, f"{2010 + n // 12}-{n % 12 + 1:02}", part)


def _publish_month(project: Project, month: str, problems: pl.DataFrame) -> None:
    for (platform,), part in problems.partition_by("platform", as_dict=True).items():
        stored = partial(project.store.publish, "normalized_problems", _kept(part), inputs="", code_version="1")
        stored(partition=Partition(month, platform), run_id="r")


def _kept(frame: pl.DataFrame) -> StageResult:
    return StageResult(frame, [Decision(problem_id, Kind.KEPT, "ok") for problem_id in frame["problem_id"]])


def _unique(project: Project, inputs: str) -> None:
    """The asset without Dagster: read, decide, publish, check."""
    parts, _ = unique_parts(project)
    _publish(project, "unique_problems", parts, UNIQUE, inputs)


def _prepared(project: Project, inputs: str) -> None:
    _publish(project, "prepared_problems", prepared_parts(project), PREPARED, inputs)


def _publish(project: Project, asset: str, parts: Iterable[Part], schema: Schema, inputs: str) -> None:
    project.store.publish_parts(asset, parts, schema=schema, inputs=inputs, code_version="1", run_id="r")
    for name, check in CHECKS[asset].items():
        finding = check(project, asset)
        assert finding is None, f"{name}: {finding}"


def _recall(decisions: pl.DataFrame, kinds: dict[str, str]) -> pl.DataFrame:
    of_kind, merged = Counter(kinds.values()), Counter[str]()
    wrong = 0
    ended = decisions.filter(pl.col("parents").list.len() > 0)
    for problem_id, parents in ended.select("problem_id", "parents").iter_rows():
        pair = {problem_id, *parents}
        copy = next((problem_id for problem_id in pair if problem_id in kinds), "")
        right = pair == {copy, copy.replace("kattis", "codeforces")}
        merged[kinds.get(copy, "")] += right
        wrong += not right
    found = [{"copy": kind, "planted": of_kind[kind], "found": merged[kind] / of_kind[kind]} for kind in COPIES]
    return pl.DataFrame([*found, {"copy": "wrong merges or drops", "planted": 0, "found": float(wrong)}])


def _real_records(data: Path, step: Callable[[str, Callable[[], Any]], Any]) -> None:
    """The same functions as the assets call, source by source."""
    settings = Settings()
    with tempfile.TemporaryDirectory() as folder:
        store = ParquetStore(Path(folder))
        frames = []
        for kind, name in SOURCES.items():
            source = open_source(parse_spec(f"{kind}:{data / name}"))
            scraped = step(f"scrape {kind}", partial(scrape, source.records(), store.blobs, settings.collection, kind))
            frames.append(step(f"normalize {kind}", partial(normalize, scraped.frame, store.blobs)).frame)
        benchmark = benchmark_result(data / "livecodebench").frame
        files = [data / name for name in FURTHER_BENCHMARKS]
        benchmark = pl.concat([benchmark, benchmark_items(files)])
        problems, cache = pl.concat(frames), store.packs("documents")
        arguments = (benchmark, settings.dedup, settings.decontamination, cache)
        _, overlap = step("unique_problems", lambda: find_unique(problems, *arguments))
        step("unique_problems again", lambda: find_unique(problems, *arguments))
    print(f"\n{text_table(overlap.summary())}")


def _row(platform: str, number: int, statement: str) -> dict[str, Any]:
    blank = dict.fromkeys(NORMALIZED) | {name: [] for name in ("tests", "references", "tags", "ratings", "samples")}
    problem_id = f"{platform}:{number}"
    own = {"problem_id": problem_id, "platform": platform, "native_id": str(number), "title": f"Title {problem_id}"}
    text = {"statement": statement, "statement_language": "en"}
    return blank | own | text | {"io_mode": "stdin", "content_sha": problem_id}


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
