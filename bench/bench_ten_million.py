"""Where a night's time and memory go as the store grows: `python -m bench.bench_ten_million [--rows 100000 1000000]`.

Rows made up here stand in the store as they would after years of nights; then the parts of one night are run that
touch what is there, with a hundred new problems among them. What a night pays for its new problems alone (collecting,
cleaning, judging) does not depend on the store and is not here: docs/scale.md has those costs by the problem.
`unique_problems` has a benchmark of its own, `bench.bench_unique`.

CPU seconds, so that a busy machine says the same; memory is the most that a process holds which does one part and
nothing else. --at ROWS adds a column: a fixed part and a part for each row, by the last two points, carried on to so
many rows. That is an extrapolation, no measurement.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import random
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from unittest.mock import patch

import polars as pl

from bench.tables import print_table
from microcoder_assets.checks import CHECKS
from microcoder_assets.config import SelectionPolicy
from microcoder_assets.filtering.embedded import load_embedded
from microcoder_assets.filtering.rubric import load_rubric
from microcoder_assets.filtering.score import score_problems, scored_before, scored_from
from microcoder_assets.filtering.select import select
from microcoder_assets.project import Project
from microcoder_assets.publishing import examples, funnel
from microcoder_assets.schema import DIMENSIONS, PREPARED, SCORED, conform, of_problems
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_assets.store import ParquetStore, Partition
from microcoder_assets.store.catalogue import query, report

MONTHS = [f"{year}-{month:02}" for year in range(2002, 2027) for month in range(1, 13)]
PLATFORMS = ("atcoder", "codeforces", "kattis", "leetcode")
NEW = 100
LINES_A_STATEMENT, TESTS = 16, 4
RUN = {"code_version": "1", "run_id": "bench"}


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds, and the peak of the resident memory in MiB."""

    cpu_s: float
    mib: float


def prepared(month: str, platform: str, count: int, lines: list[str], start: int = 0) -> pl.DataFrame:
    """PREPARED rows of about 1.6 KB of statement, four tests and a reference."""
    chance = random.Random(f"{month} {platform} {start}")
    names = [f"{platform}:{month}-{n}" for n in range(start, start + count)]
    shas = [sha256(name.encode()).hexdigest() for name in names]
    known = {
        "problem_id": names,
        "platform": [platform] * count,
        "native_id": [name.partition(":")[2] for name in names],
        "statement": ["\n".join(chance.choices(lines, k=LINES_A_STATEMENT)) for _ in names],
        "content_sha": shas,
        "references": [[{"name": "a.py", "label": "accepted", "language": "python", "code": lines[0] * 4}]] * count,
        "merged_ids": [[]] * count,
    }  # fmt: skip
    frame = pl.DataFrame(known, schema={name: PREPARED[name] for name in known}).with_columns(
        pl.concat_list(_test(n) for n in range(TESTS)).alias("tests")
    )
    blank = (pl.lit(None, kind).alias(name) for name, kind in PREPARED.items() if name not in frame.columns)
    return conform(frame.with_columns(blank), PREPARED)


def _test(number: int) -> pl.Expr:
    sha = pl.col("content_sha")
    given = pl.concat_str(sha.str.slice(number), sha.str.head(number))
    return pl.struct(
        name=pl.lit(str(number)), sample=pl.lit(number == 0), input_sha=given, expected_sha=sha, bytes=pl.lit(64)
    )


def kept(frame: pl.DataFrame, reason: str = "ok") -> StageResult:
    ids, shas = frame["problem_id"].to_list(), frame["content_sha"].to_list()
    pairs = zip(ids, shas, strict=True)
    return StageResult(frame, [Decision(i, Kind.KEPT, reason, sha_in=s, sha_out=s) for i, s in pairs])


def scored(store: ParquetStore, before: pl.DataFrame) -> StageResult:
    return score_problems(store.scan("prepared_problems", PREPARED), load_embedded(), load_rubric(), before)


def scores(store: ParquetStore) -> pl.DataFrame:
    """SCORED rows of every problem, with no scorer asked."""
    level = pl.col("content_sha").str.head(2).str.to_integer(base=16).cast(pl.Float64) / 64 + 1
    problems = store.read("prepared_problems", {name: PREPARED[name] for name in ("problem_id", "content_sha")})
    frame = problems.select(
        "problem_id", "content_sha", scorer=pl.lit("embedded:bench"), rubric_version=pl.lit("1"),
        **dict.fromkeys(DIMENSIONS, level), score=level, uncertainty=pl.lit(0.5), draws=pl.lit(None, SCORED["draws"]),
    )  # fmt: skip
    return conform(frame, SCORED)


def calibrated(store: ParquetStore) -> pl.DataFrame:
    """The columns of CALIBRATED that selection reads."""
    scores = store.read("scored_problems", {name: SCORED[name] for name in ("problem_id", "content_sha", "score")})
    return scores.with_columns(expected_solve_rate=1 - pl.col("score") / 5, band=pl.lit("hard"))


def fill(folder: Path, rows: int) -> None:
    """The store as the nights before have left it."""
    store = Project(folder, (), None, None).store
    chance = random.Random(0)
    words = [f"w{n:05x}" for n in range(20_000)]
    lines = [" ".join(chance.choices(words, k=14)) for _ in range(20_000)]
    places = [(month, platform) for month in MONTHS for platform in PLATFORMS]
    for n, (month, platform) in enumerate(places):
        count = rows * (n + 1) // len(places) - rows * n // len(places)
        frame = prepared(month, platform, count, lines)
        store.publish("prepared_problems", kept(frame), partition=Partition(month, platform), inputs="0", **RUN)
    extra = scored_from("bench", store.manifests("prepared_problems"))
    store.publish("scored_problems", scored(store, scores(store)), inputs="0", extra=extra, **RUN)
    store.publish("selected_problems", _select(store), inputs="0", **RUN)


def _select(store: ParquetStore) -> StageResult:
    policy = SelectionPolicy.model_validate({"gates": {"min_references": 1}})
    return select(calibrated(store), store.scan("prepared_problems", PREPARED), policy)[0]


def night(project: Project) -> dict[str, Callable[[], object]]:
    """The parts of one night in their order, by what a person would call them."""
    store, month, lines = project.store, MONTHS[-1], [f"new line {n}" for n in range(1000)]

    def publish_months() -> None:
        for platform in PLATFORMS:
            there = store.read("prepared_problems", PREPARED, [Partition(month, platform)])
            fresh = prepared(month, platform, NEW // len(PLATFORMS), lines, start=10_000_000)
            result = kept(conform(pl.concat([there, fresh]), PREPARED))
            store.publish("prepared_problems", result, partition=Partition(month, platform), inputs="1", **RUN)

    def score() -> None:
        manifests = store.manifests("prepared_problems")
        result, extra = scored(store, scored_before(store, "bench", manifests)), scored_from("bench", manifests)
        store.publish("scored_problems", result, inputs="1", extra=extra, **RUN)

    def check() -> None:
        for name, holds in CHECKS["scored_problems"].items():
            finding = holds(project, "scored_problems")
            assert finding is None, f"{name}: {finding}"

    def show() -> None:
        decisions = store.scan_decisions(store.manifests("selected_problems"))
        funnel(decisions)
        examples(decisions)

    def read_selected(columns: list[str]) -> int:
        ids = store.read("selected_problems", {"problem_id": pl.String})["problem_id"].gather_every(10)
        return of_problems(store.scan("prepared_problems", PREPARED), ids).select(columns).collect().height

    return {
        "manifests and fingerprint of a cut asset": lambda: store.fingerprint("prepared_problems"),
        "the month's partitions, read and published": publish_months,
        "scores: the month's made, all decided and published": score,
        "its checks": check,
        "selection, decided and published": lambda: store.publish(
            "selected_problems", _select(store), inputs="1", **RUN
        ),
        "what its page shows": show,
        "references of a tenth, as to verify": lambda: read_selected(["problem_id", "content_sha", "references"]),
        "a tenth with its text, as to publish": lambda: read_selected(list(PREPARED)),
        "the funnel, in SQL": lambda: query(store, report("funnel")).height,
    }


def measured(work: Callable[[], object]) -> Cost:
    before = time.process_time()
    work()
    cpu = time.process_time() - before
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return Cost(cpu, int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024)


def part_of_night(folder: Path, name: str) -> Cost:
    return measured(night(Project(folder, (), None, None))[name])


def filled(folder: Path, rows: int) -> Cost:
    with patch("os.fsync"):  # a store that is thrown away need not outlive a power cut
        return measured(partial(fill, folder, rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--at", type=int, metavar="ROWS", help="carry the last two points on to so many rows")
    parser.add_argument("--folder", type=Path, help="where the stores are made; a temporary one by default")
    options = parser.parse_args()
    costs: dict[str, list[Cost]] = {}
    spawn = multiprocessing.get_context("spawn")
    for rows in options.rows:
        with (
            tempfile.TemporaryDirectory(dir=options.folder) as name,
            ProcessPoolExecutor(1, spawn, max_tasks_per_child=1) as alone,
        ):
            folder = Path(name)
            made = alone.submit(filled, folder, rows).result()
            stored = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
            print(f"{rows:,} rows: made in {made.cpu_s:.0f} CPU s, {stored / 2**20:,.0f} MiB stored", flush=True)
            for part in night(Project(folder, (), None, None)):
                costs.setdefault(part, []).append(alone.submit(part_of_night, folder, part).result())
                print(f"  {part}: {_cell(costs[part][-1])}", flush=True)
    header = ["part of a night", *(f"{rows:,}" for rows in options.rows), "exponent"]
    lines = []
    for part, found in costs.items():
        lines.append([part, *map(_cell, found), *_carried_on(found, options.rows, options.at)])
    print_table([*header, *([f"extrapolated to {options.at:,}"] if options.at else [])], lines)


def _cell(cost: Cost) -> str:
    return f"{cost.cpu_s:.2f} s, {cost.mib:,.0f} MiB"


def _carried_on(found: list[Cost], rows: list[int], at: int | None) -> list[str]:
    """The exponent between the last two points, and the cost at so many rows: a fixed part and one for each row."""
    if len(rows) < 2:
        return ["-", *(["-"] if at else [])]
    before, last = found[-2:]
    growth = math.log(rows[-1] / rows[-2])
    power = [math.log(max(new, 1e-2) / max(old, 1e-2)) / growth
             for old, new in ((before.cpu_s, last.cpu_s), (before.mib, last.mib))]  # fmt: skip
    cells = [f"time {power[0]:.2f}, memory {power[1]:.2f}"]
    if at:
        times = (at - rows[-1]) / (rows[-1] - rows[-2])
        seconds = last.cpu_s + times * max(0.0, last.cpu_s - before.cpu_s)
        mib = last.mib + times * max(0.0, last.mib - before.mib)
        cells.append(f"{seconds:,.0f} s, {mib / 1024:,.1f} GiB")
    return cells


if __name__ == "__main__":
    main()
