"""Near-duplicates and hidden benchmark problems on real records, against labels that a reader gave.

`labelled_pairs.csv`: pairs drawn near every threshold (MinHash bands from 0.3, equal samples, equal titles, versions,
equal method names, two languages), read and labelled. *same*: one task with the same input and output, and limits of
the same order. `hidden_benchmark.csv`: rows of the rLLM set that are a LiveCodeBench problem: their method has its
name, and their solution passes its public tests in the judge.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from microcoder_assets.collection.benchmark import benchmark_result
from microcoder_assets.collection.records import ScrapedProblem
from microcoder_assets.collection.scrape import scrape
from microcoder_assets.collection.sources import open_source, parse_spec
from microcoder_assets.config import Settings
from microcoder_assets.processing.normalize import normalize
from microcoder_assets.processing.unique import find_unique
from microcoder_assets.schema import BENCHMARK
from microcoder_assets.stage import Decision, Kind
from microcoder_assets.store import Blobs

pytestmark = pytest.mark.data

HERE = Path(__file__).parent
SOURCES = ("leetcode:leetcode-doocs", "codeforces:codeforces-statements", "kattis:kattis-packages", "oi:oi-archive")
RLLM = "rllm:deepscaler-rllm"
SETTINGS = Settings()


def lines(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def normalized(data_dir: Path, blobs: Blobs, specs: tuple[str, ...], ids: set[str] | None = None) -> pl.DataFrame:
    """What the sources hold, or those of `ids` only."""

    def records(spec: str) -> Iterator[ScrapedProblem]:
        kind, _, name = spec.partition(":")
        for record in open_source(parse_spec(f"{kind}:{data_dir / name}")).records():
            if isinstance(record, ScrapedProblem) and (ids is None or record.problem_id in ids):
                yield record

    scraped = [scrape(records(spec), blobs, SETTINGS.collection, spec.partition(":")[0]).frame for spec in specs]
    return normalize(pl.concat(scraped), blobs).frame


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Blobs:
    return Blobs(tmp_path_factory.mktemp("blobs"))


def decide(problems: pl.DataFrame, benchmark: pl.DataFrame) -> dict[str, Decision]:
    result, _ = find_unique(problems, benchmark, SETTINGS.dedup, SETTINGS.decontamination)
    return {decision.problem_id: decision for decision in result.decisions}


def test_labelled_pairs_are_merged_or_kept_apart_as_labelled(data_dir: Path, blobs: Blobs) -> None:
    pairs = lines("labelled_pairs.csv")
    ids = {pair[side] for pair in pairs for side in ("left", "right")}
    problems = normalized(data_dir, blobs, (*SOURCES, RLLM), ids)
    decisions = decide(problems, pl.DataFrame(schema=BENCHMARK))
    pairs = [pair for pair in pairs if {pair["left"], pair["right"]} <= decisions.keys()]
    winner = {i: d.parents[0] if d.kind is Kind.MERGED else i for i, d in decisions.items()}
    merged = {(pair["left"], pair["right"]) for pair in pairs if winner[pair["left"]] == winner[pair["right"]]}
    same = {(pair["left"], pair["right"]) for pair in pairs if pair["label"] == "same"}
    assert len(pairs) >= 300 and min(len(same), len(pairs) - len(same)) >= 100
    assert len(merged & same) / len(same) >= 0.88, sorted(same - merged)
    assert len(merged & same) / len(merged) >= 0.96, sorted(merged - same)


def test_rows_that_hide_a_benchmark_problem_are_dropped_for_it(data_dir: Path, blobs: Blobs) -> None:
    hidden = {line["problem_id"]: line["benchmark_id"] for line in lines("hidden_benchmark.csv")}
    decisions = decide(normalized(data_dir, blobs, (RLLM,)), benchmark_result(data_dir / "livecodebench").frame)
    found = [row for row, item in hidden.items() if row in decisions and item in decisions[row].parents]
    assert len(hidden) >= 212 and len(hidden) - len(found) <= 2
    others = [d for i, d in decisions.items() if d.kind is Kind.DROPPED and i not in hidden]
    assert len(others) <= 0.03 * (len(decisions) - len(hidden)), [d.problem_id for d in others]
