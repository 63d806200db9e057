"""Second rows over standard input, from deduplicated problems to the split."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rows import selected, unique_row

from microcoder_assets.config import (
    DecontaminationSettings,
    DedupSettings,
    PreparationSettings,
    PublicationSettings,
    VerificationSettings,
)
from microcoder_assets.processing.prepare import prepare
from microcoder_assets.publication.split import build_split
from microcoder_assets.schema import BENCHMARK, UNIQUE, conform
from microcoder_assets.stage import Kind, StageResult
from microcoder_assets.store import Blobs, Packs
from microcoder_assets.verification.verify import verify
from microcoder_judge import Checker

STARTER = "class Solution:\n    def add(self, a: int, b: int) -> int:\n"
PROGRAMS = {
    "accepted": ["class Solution:\n    def add(self, a, b):\n        return a + b"],
    "wrong_answer": ["class Solution:\n    def add(self, a, b):\n        return abs(a) + b"],
}
TESTS = [(b"[1, 2]", b"3"), (b"[-1, 2]", b"1")]


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def function_row(blobs: Blobs, number: int, **fields: Any) -> dict[str, Any]:
    given = {
        "io_mode": "function",
        "entry_point": "add",
        "starter_code": STARTER,
        "checker": Checker("value").to_json(),
        "description": f"Return the sum. ({number})",
        "statement_language": "en",
        "samples": [{"input": "a = 1, b = 2", "output": "3", "explanation": None}],
        "flags": [],
        **fields,
    }
    return unique_row(blobs, f"leetcode:{number}", TESTS, PROGRAMS, **given)


def prepared(blobs: Blobs, rows: list[dict[str, Any]], **settings: Any) -> StageResult:
    problems = conform(pl.DataFrame([{k: r[k] for k in UNIQUE} for r in rows], schema=UNIQUE), UNIQUE)
    chosen = PreparationSettings(**settings)
    decontamination = DecontaminationSettings()  # type: ignore[call-arg]
    result = prepare(problems, pl.DataFrame(schema=BENCHMARK), blobs, None, chosen, decontamination)
    assert result.accounted() is None
    return result


def test_by_default_every_problem_keeps_its_one_form(blobs: Blobs) -> None:
    result = prepared(blobs, [function_row(blobs, 1), unique_row(blobs, "a:1", statement_language="en")])
    assert result.frame["problem_id"].to_list() == ["a:1", "leetcode:1"]
    assert result.frame["form_of"].null_count() == result.frame["driver"].null_count() == 2


def test_a_second_row_is_made_and_decided(blobs: Blobs) -> None:
    odd = function_row(blobs, 2, starter_code="class Solution:\n    def add(self, *numbers):\n")
    rows = [function_row(blobs, 1), odd, unique_row(blobs, "a:1", statement_language="en")]
    result = prepared(blobs, rows, stdin_forms=True)
    assert result.frame["problem_id"].to_list() == ["a:1", "leetcode:1", "leetcode:1#stdin", "leetcode:2"]
    (made,) = (d for d in result.decisions if d.reason == "stdin_form")
    assert (made.problem_id, made.kind, made.parents) == ("leetcode:1#stdin", Kind.KEPT, ["leetcode:1"])
    (unmade,) = (d for d in result.decisions if d.problem_id == "leetcode:2")
    assert unmade.detail == {"no_stdin_form": "the starter code does not say what the function takes"}


def test_both_forms_are_verified_and_lie_on_one_side(blobs: Blobs, tmp_path: Path) -> None:
    days = [{"published": dt.date(2026, 1, 1 + n), "published_basis": "contest"} for n in range(12)]
    samples = [[{"input": f"a = {n}, b = 2", "output": f"{n + 2}", "explanation": None}] for n in range(12)]
    stories = [" ".join(f"word{n}x{k}" for k in range(150)) for n in range(12)]
    rows = [function_row(blobs, n, samples=samples[n], description=stories[n], **days[n]) for n in range(12)]
    frame = prepared(blobs, rows, stdin_forms=True).frame
    verification = VerificationSettings()  # type: ignore[call-arg]
    verified = verify(selected(frame), frame, blobs, Packs(tmp_path / "verdicts"), verification).frame
    assert verified.height == 24
    assert set(verified["wrong_rejected"]) == {1}
    publication = PublicationSettings(validation_fraction=0.5)  # type: ignore[call-arg]
    dedup = DedupSettings()  # type: ignore[call-arg]
    split = build_split(verified, selected(frame), frame, blobs, publication, dedup).frame
    sides = dict(split.select("problem_id", "split").iter_rows())
    assert set(sides.values()) == {"train", "validation"}
    for problem_id, side in sides.items():
        assert side == sides[problem_id.removesuffix("#stdin")]
    modes = split.group_by("io_mode").len().sort("io_mode").rows()
    assert modes == [("function", 12), ("stdin", 12)]
    row = split.filter(problem_id="leetcode:0#stdin").row(0, named=True)
    assert [(t["input"], t["expected"]) for t in row["tests"]] == [(b"1\n2\n", b"3\n"), (b"-1\n2\n", b"1\n")]
    assert json.loads(row["checker"])["name"] == "value" and "standard input" in row["prompt"]
