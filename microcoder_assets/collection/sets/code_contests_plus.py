"""ByteDance-Seed/Code-Contests-Plus (arXiv 2506.05817): CodeContests with checkers and stronger tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from microcoder_assets.collection.records import Reference, ScrapedProblem
from microcoder_assets.collection.sets.code_contests import SOURCES, named
from microcoder_assets.collection.sets.fields import (
    LANGUAGES,
    amount,
    identifier,
    pairs,
    references,
    stdin_judging,
    tests_of,
)
from microcoder_assets.collection.sets.rows import SetRow
from microcoder_assets.collection.sets.source import ProblemSet
from microcoder_judge import Checker

MILLISECONDS_FROM = 100.0
"""The set's card gives no unit of time_limit: numbers from here on are read as milliseconds, smaller ones as seconds.
No contest grants 100 s, and none as little as 100 ms is known. Ours."""

_BYTES_FROM = 1 << 20
"""... nor of memory_limit: from here on bytes, else MB. Ours."""


def problem(row: SetRow, max_references: int) -> ScrapedProblem:
    """One row. Its checker is a C++ program over testlib.h: `custom`. Generators and validators are not taken.

    Of two configurations (default, 1x to 5x: more tests) a problem has the same id, so that they merge.
    """
    raw = row.fields
    platform = raw["source"].lower() if raw["source"].lower() in SOURCES.values() else "codecontests"
    native_id, title, contest = named(platform, raw["id"])
    if platform == "codecontests":
        native_id = identifier(f"{raw['source']}-{raw['id']}")
    program = raw.get("checker") or ""
    checker = Checker("custom", program=program, language="cpp", protocol="testlib") if program.strip() else None
    tests = tests_of("test", pairs(raw.get("test_cases"), "input", "output"))
    judging = stdin_judging(raw["description"], tests, checker)
    seconds, megabytes = amount(raw.get("time_limit")), amount(raw.get("memory_limit"))
    return ScrapedProblem(
        platform=platform,
        native_id=native_id,
        title=(raw.get("title") or title).strip(),
        statement=raw["description"],
        statement_format="text",
        statement_language="en",
        source_ref=row.ref,
        record_sha=row.sha,
        contest=contest,
        io_mode=judging.io_mode,
        tests=judging.tests,
        checker=judging.checker,
        time_limit_s=seconds / 1000 if seconds and seconds >= MILLISECONDS_FROM else seconds,
        memory_limit_mb=int(megabytes / (1_000_000 if megabytes >= _BYTES_FROM else 1)) if megabytes else None,
        references=tuple(_references(raw, max_references)),
        license="CC BY 4.0",
        flags=tuple(sorted(judging.flags)),
    )


def _references(raw: Mapping[str, Any], limit: int) -> Iterator[Reference]:
    for field, label in (("correct_submissions", "accepted"), ("incorrect_submissions", "rejected")):
        solutions = pairs(raw.get(field), "language", "code")
        known = ((LANGUAGES[name.lower()], code) for name, code in solutions if name.lower() in LANGUAGES)
        yield from references(known, label, limit)


CODE_CONTESTS_PLUS = ProblemSet(
    "codecontests-plus", ("codecontests", *SOURCES.values()), ("ccplus_1x/*.parquet",), problem
)
