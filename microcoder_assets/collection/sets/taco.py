"""BAAI/TACO (arXiv 2312.14852): problems of ten judges with Python solutions, most with tests."""

from __future__ import annotations

import datetime as dt
import json
import re

from microcoder_assets.collection.addresses import problem_of
from microcoder_assets.collection.records import ScrapedProblem
from microcoder_assets.collection.sets.fields import amount, input_output, list_literal, python_references, text_id
from microcoder_assets.collection.sets.rows import SetRow
from microcoder_assets.collection.sets.source import ProblemSet

PLATFORMS = (
    "taco",
    "aizu",
    "atcoder",
    "codechef",
    "codeforces",
    "codewars",
    "geeksforgeeks",
    "hackerearth",
    "hackerrank",
    "kattis",
    "leetcode",
)

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNKNOWN = ("UNKNOWN_DIFFICULTY", "")


def problem(row: SetRow, max_references: int) -> ScrapedProblem:
    """One row. A row whose address names no problem of a judge is TACO's own, named by a hash of its text."""
    raw = row.fields
    question, url = raw["question"], raw["url"] or None
    home = problem_of(url)
    judging = input_output(raw["input_output"] or "", question, raw["starter_code"] or "")
    date = _DATE.match(raw["date"] or "")
    difficulty = raw["difficulty"] or ""
    memory = amount(raw["memory_limit"])
    return ScrapedProblem(
        platform=home.platform if home else "taco",
        native_id=home.native_id if home else text_id("text", question),
        title=(raw["name"] or "").strip(),
        statement=question,
        statement_format="text",
        statement_language="en",
        source_ref=row.ref,
        record_sha=row.sha,
        url=url,
        contest=home.contest if home else None,
        published=dt.date.fromisoformat(date[0]) if date else None,
        published_basis="archive" if date else None,
        io_mode=judging.io_mode,
        entry_point=judging.entry_point,
        starter_code=judging.starter_code,
        tests=judging.tests,
        checker=judging.checker,
        time_limit_s=amount(raw["time_limit"]),
        memory_limit_mb=int(memory) or None if memory else None,
        references=tuple(python_references(json.loads(raw["solutions"] or "[]"), max_references)),
        tags=tuple(map(str, list_literal(raw["raw_tags"]))),
        difficulty_label=None if difficulty in _UNKNOWN else difficulty.lower(),
        license="Apache-2.0",
        flags=tuple(sorted(judging.flags)),
    )


TACO = ProblemSet("taco", PLATFORMS, ("train/*.arrow", "test/*.arrow", "ALL/**/*.parquet"), problem)
