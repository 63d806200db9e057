"""Decontamination on real records: all LeetCode and Codeforces problems of LiveCodeBench are found, few others."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from microcoder_assets.config import DecontaminationSettings, DedupSettings
from microcoder_assets.processing.decontaminate import OverlapReport
from microcoder_assets.processing.fingerprint import fingerprint
from microcoder_assets.processing.unique import find_unique
from microcoder_assets.schema import NORMALIZED, SAMPLE
from microcoder_assets.stage import Kind, StageResult

pytestmark = pytest.mark.data

EXAMPLE = re.compile(r"Input:\s*(.*?)\s*Output:\s*(.*?)\s*(?=\n\s*(?:Explanation|Example|Constraints|\n)|$)", re.DOTALL)


def records(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def text_of(html: str | None) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html or ""))


def pairs(samples: list[tuple[str, str]]) -> list[dict[str, str | None]]:
    return [{"input": i, "output": o, "explanation": None} for i, o in samples]


def row(platform: str, native_id: str, statement: str, **fields: Any) -> dict[str, Any]:
    blank = dict.fromkeys(NORMALIZED) | {name: [] for name in ("tests", "references", "tags", "ratings", "flags")}
    problem_id = f"{platform}:{native_id}"
    own = {"problem_id": problem_id, "platform": platform, "native_id": native_id, "statement": statement}
    return blank | own | {"statement_language": "en", "content_sha": problem_id} | fields


@pytest.fixture(scope="module")
def problems(data_dir: Path) -> pl.DataFrame:
    rows = []
    for r in records(data_dir / "leetcode-doocs" / "problems.jsonl.gz"):
        statement = text_of(r["statement_html"])
        fields = {"title": r["title"], "url": r["url"], "io_mode": "function"}
        rows.append(row("leetcode", r["id"], statement, **fields, samples=pairs(EXAMPLE.findall(statement))))
    for r in records(data_dir / "codeforces-statements" / "problems.jsonl.gz"):
        if int(re.sub(r"\D.*", "", r["pid"][1:])) > 1700:
            samples = pairs([(s["input"], s["output"]) for s in r["samples"] or ()])
            fields = {"title": r["title"], "io_mode": "stdin", "samples": samples}
            rows.append(row("codeforces", r["pid"][1:], text_of(r["statement_md"]), **fields))
    return pl.DataFrame(rows, schema=NORMALIZED, infer_schema_length=None).unique("problem_id", keep="first")


@pytest.fixture(scope="module")
def benchmark(data_dir: Path) -> pl.DataFrame:
    rows = []
    for r in records(data_dir / "livecodebench" / "problems_release_v6.jsonl.gz"):
        slug = r["question_title"] if r["platform"] == "leetcode" else r["question_id"].replace("_", "")
        rows.append(
            {
                "problem_id": f"{r['platform']}:{slug}",
                "platform": r["platform"],
                "native_id": slug,
                "title": r["question_title"],
                "url": None,
                "statement": r["question_content"],
                "samples": pairs([(s["input"], s["output"]) for s in r["public_test_cases"]]),
                "io_mode": "function" if r["starter_code"] else "stdin",
            }
        )
    return pl.DataFrame(rows, schema_overrides={"url": pl.String, "samples": pl.List(SAMPLE)})


@pytest.fixture(scope="module")
def found(problems: pl.DataFrame, benchmark: pl.DataFrame) -> tuple[StageResult, OverlapReport]:
    return find_unique(problems, benchmark, DedupSettings(), DecontaminationSettings())


def on(platform: str, report: OverlapReport) -> pl.DataFrame:
    return report.items.filter(pl.col("benchmark_id").str.starts_with(platform), pl.col("rule").is_not_null())


def test_every_leetcode_and_codeforces_item_is_dropped(found: tuple[StageResult, OverlapReport]) -> None:
    result, report = found
    assert result.accounted() is None
    assert on("leetcode", report).height == 444
    assert on("codeforces", report).height == 9
    matched = report.items.filter(pl.col("rule").is_not_null())["nearest_problem_id"]
    assert not set(matched) & set(result.frame["problem_id"])


def test_few_rows_are_dropped_beyond_the_items_themselves(found: tuple[StageResult, OverlapReport]) -> None:
    result, report = found
    dropped = [d for d in result.decisions if d.kind is Kind.DROPPED]
    assert len(dropped) - report.ladder["benchmark_identity"] <= 110
    assert report.strict_kept > 1_000
    assert result.frame["benchmark_overlap"].max() < DecontaminationSettings().max_containment


def test_items_are_found_without_their_names(
    problems: pl.DataFrame, benchmark: pl.DataFrame, found: tuple[StageResult, OverlapReport]
) -> None:
    """With platforms and titles hidden, samples and text still give away all but a few."""
    hidden = benchmark.with_columns(platform=pl.lit("hidden"), title=pl.lit(""))
    result, report = find_unique(problems, hidden, DedupSettings(), DecontaminationSettings())
    by_name = {d.problem_id for d in found[0].decisions if d.reason == "benchmark_identity"}
    assert report.ladder["benchmark_identity"] == 0
    assert len(by_name - set(result.frame["problem_id"])) >= 447


def test_named_arguments_of_leetcode_equal_the_benchmarks_json_lines(
    problems: pl.DataFrame, benchmark: pl.DataFrame
) -> None:
    slugs = {r["url"].rsplit("/", 1)[1]: r for r in problems.filter(platform="leetcode").iter_rows(named=True)}
    equal = 0
    for item in benchmark.filter(platform="leetcode").iter_rows(named=True):
        ours = fingerprint(slugs[item["title"]]["samples"], "function")
        equal += bool(set(ours.pairs) & set(fingerprint(item["samples"], "function").pairs))
    assert equal >= 440
