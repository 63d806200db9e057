"""Where a night's time and memory go as the store grows: `python -m bench.bench_ten_million [--rows 100000 1000000]`.

Rows made up here stand in the store as they would after years of nights; then the parts of one night are run that
touch what is there, with a hundred new problems among them. What a night pays for its new problems alone (collecting,
cleaning, scoring, judging) does not depend on the store and is not here: docs/scale.md has those costs by the problem.
`unique_problems` has a benchmark of its own, `bench.bench_unique`.

CPU seconds, so that a busy machine says the same; memory is the most that the process holds in a part, what
earlier parts left with it included. --at ROWS adds a column: a fixed part and a part for each row, by the last two
points, carried on to so many rows. That is an extrapolation, no measurement.
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import polars as pl

from bench.tables import print_table
from microcoder_assets.schema import DIMENSIONS, PREPARED, SCORED, conform
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
        "tests": [
            [{"name": str(n), "sample": n == 0, "input_sha": sha[n:] + sha[:n], "expected_sha": sha, "bytes": 64}
             for n in range(TESTS)]
            for sha in shas
        ],
        "references": [[{"name": "a.py", "label": "accepted", "language": "python", "code": lines[0] * 4}]] * count,
        "merged_ids": [[]] * count,
    }  # fmt: skip
    frame = pl.DataFrame(known, schema={name: PREPARED[name] for name in known})
    return conform(
        frame.with_columns(pl.lit(None, kind).alias(name) for name, kind in PREPARED.items() if name not in known),
        PREPARED,
    )


def kept(frame: pl.DataFrame, reason: str = "ok") -> StageResult:
    ids, shas = frame["problem_id"].to_list(), frame["content_sha"].to_list()
    pairs = zip(ids, shas, strict=True)
    return StageResult(frame, [Decision(i, Kind.KEPT, reason, sha_in=s, sha_out=s) for i, s in pairs])


def scored(problems: pl.DataFrame) -> StageResult:
    """As `filtering` does with every score at hand: a row and a decision for each problem."""
    level = pl.col("content_sha").str.head(2).str.to_integer(base=16).cast(pl.Float64) / 64 + 1
    frame = problems.select(
        "problem_id", "content_sha", scorer=pl.lit("embedded:bench"), rubric_version=pl.lit("1"),
        **dict.fromkeys(DIMENSIONS, level), score=level, uncertainty=pl.lit(0.5), draws=pl.lit(None, SCORED["draws"]),
    )  # fmt: skip
    frame = conform(frame, SCORED)
    decisions = [
        Decision(name, Kind.KEPT, "scored", {"rubric": "1"}, score, "embedded:bench", sha, sha)
        for name, sha, score in frame.select("problem_id", "content_sha", "score").iter_rows()
    ]
    return StageResult(frame, decisions)


def fill(store: ParquetStore, rows: int) -> None:
    """The store as the nights before have left it."""
    chance = random.Random(0)
    words = [f"w{n:05x}" for n in range(20_000)]
    lines = [" ".join(chance.choices(words, k=14)) for _ in range(20_000)]
    places = [(month, platform) for month in MONTHS for platform in PLATFORMS]
    for n, (month, platform) in enumerate(places):
        count = rows * (n + 1) // len(places) - rows * n // len(places)
        frame = prepared(month, platform, count, lines)
        store.publish("prepared_problems", kept(frame), partition=Partition(month, platform), inputs="0", **RUN)
    store.publish("scored_problems", scored(read_scorable(store)), inputs="0", **RUN)


def read_scorable(store: ParquetStore) -> pl.DataFrame:
    return store.read("prepared_problems", {name: PREPARED[name] for name in ("problem_id", "content_sha")})


def night(store: ParquetStore) -> Iterator[tuple[str, Callable[[], object]]]:
    """The parts of one night, by what a person would call them."""
    month, lines = MONTHS[-1], [f"new line {n}" for n in range(1000)]

    def publish_months() -> None:
        for platform in PLATFORMS:
            there = store.read("prepared_problems", PREPARED, [Partition(month, platform)])
            fresh = prepared(month, platform, NEW // len(PLATFORMS), lines, start=10_000_000)
            result = kept(conform(pl.concat([there, fresh]), PREPARED))
            store.publish("prepared_problems", result, partition=Partition(month, platform), inputs="1", **RUN)

    def publish_table() -> None:
        store.publish("scored_problems", scored(read_scorable(store)), inputs="1", **RUN)

    def check_rows() -> None:
        files = [store.decision_files("scored_problems"), store.data_files("scored_problems")]
        decisions, rows = (pl.scan_parquet(each).select("problem_id").collect() for each in files)
        assert not decisions.join(rows, on="problem_id", how="anti").height
        assert not rows.group_by("problem_id").len().filter(pl.col("len") > 1).height

    yield "manifests and fingerprint of a cut asset", lambda: store.fingerprint("prepared_problems")
    yield "the month's partitions, read and published", publish_months
    yield "every problem read with its text, as to verify", lambda: store.read("prepared_problems", PREPARED).height
    yield "a whole table decided and published", publish_table
    yield "its check", check_rows
    yield "the funnel, in SQL", lambda: query(store, report("funnel")).height


def measured(part: Callable[[], object]) -> Cost:
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak back to what is held now
    before = time.process_time()
    part()
    cpu = time.process_time() - before
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return Cost(cpu, int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--at", type=int, metavar="ROWS", help="carry the last two points on to so many rows")
    parser.add_argument("--folder", type=Path, help="where the stores are made; a temporary one by default")
    options = parser.parse_args()
    costs: dict[str, list[Cost]] = {}
    for rows in options.rows:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            store = ParquetStore(Path(folder))
            filled = measured(lambda store=store, rows=rows: fill(store, rows))  # type: ignore[misc]
            stored = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet"))
            print(f"{rows:,} rows: made in {filled.cpu_s:.0f} CPU s, {stored / 2**20:,.0f} MiB stored", flush=True)
            for name, part in night(store):
                costs.setdefault(name, []).append(measured(part))
    header = ["part of a night", *(f"{rows:,}" for rows in options.rows), "exponent"]
    lines = []
    for name, found in costs.items():
        cells = [f"{cost.cpu_s:.2f} s, {cost.mib:,.0f} MiB" for cost in found]
        lines.append([name, *cells, *_carried_on(found, options.rows, options.at)])
    print_table([*header, *([f"extrapolated to {options.at:,}"] if options.at else [])], lines)


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
