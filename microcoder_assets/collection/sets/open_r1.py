"""open-r1/codeforces: Codeforces problems with official tests, contest dates and generated checkers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from microcoder_assets.collection.addresses import codeforces_id
from microcoder_assets.collection.records import Sample, ScrapedProblem, ScrapedTest
from microcoder_assets.collection.sets.fields import pairs, stdin_judging, tests_of
from microcoder_assets.collection.sets.rows import SetRow
from microcoder_assets.collection.sets.source import ProblemSet
from microcoder_judge import Checker

_EPOCH = dt.date(1970, 1, 1)
_SECTIONS = (
    ("input_format", "Input"),
    ("output_format", "Output"),
    ("interaction_format", "Interaction"),
    ("note", "Note"),
)

_CHECKER = '''\
"""A checker of open-r1/codeforces, called as testlib's are.

It takes the input, the right output and the submission's output, and prints a score: 1, or 100, for a right answer.
"""

import contextlib
import io
import sys

SOURCE = {source!r}

_, given, output, answer = sys.argv[:4]
sys.argv = ["checker.py", given, answer, output]
said = io.StringIO()
with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
    exec(compile(SOURCE, "checker.py", "exec"), {{"__name__": "__main__"}})
sys.exit(0 if float(said.getvalue().split()[-1]) in (1.0, 100.0) else 1)
'''


def problem(row: SetRow, max_references: int) -> ScrapedProblem:
    """One row. Dates are the contest's. Solutions are in another set (open-r1/codeforces-submissions): none here."""
    raw = row.fields
    statement = "\n\n".join(_statement(raw))
    facts = {
        "file_io": raw["input_mode"] == "file",
        "interactive": raw["interaction_format"],
        "tests_incomplete": raw["official_tests"] and not raw["official_tests_complete"],
    }
    flags = {flag for flag, holds in facts.items() if holds}
    start, memory, rating = raw["contest_start"], raw["memory_limit"], raw["rating"]
    samples = pairs(raw["examples"], "input", "output")
    judging = stdin_judging(statement, _tests(raw, samples), checker(raw["generated_checker"]), flags)
    return ScrapedProblem(
        platform="codeforces",
        native_id=codeforces_id(raw["contest_id"], raw["index"]),
        title=(raw["title"] or "").strip(),
        statement=statement,
        statement_format="markdown",
        statement_language="en",
        source_ref=row.ref,
        record_sha=row.sha,
        url=f"https://codeforces.com/problemset/problem/{raw['contest_id']}/{raw['index']}",
        contest=raw["contest_id"],
        published=_EPOCH + dt.timedelta(seconds=start) if start else None,
        published_basis="contest" if start else None,
        samples=tuple(Sample(*pair) for pair in samples),
        io_mode=judging.io_mode,
        tests=judging.tests,
        checker=judging.checker,
        time_limit_s=raw["time_limit"] or None,
        memory_limit_mb=int(memory) or None if memory else None,
        tags=tuple(raw["tags"] or ()),
        ratings=(("codeforces", float(rating)),) if rating else (),
        license="CC BY 4.0",
        flags=tuple(sorted(judging.flags)),
    )


def checker(source: str | None) -> Checker | None:
    """The set's generated checker as a program that answers as testlib's do; None where it has none."""
    if not source or not source.strip():
        return None
    return Checker("custom", program=_CHECKER.format(source=source), language="python", protocol="testlib")


def _statement(raw: Mapping[str, Any]) -> Iterator[str]:
    yield raw["description"]
    for field, heading in _SECTIONS:
        if raw[field]:
            yield f"## {heading}\n\n{raw[field]}"


def _tests(raw: Mapping[str, Any], samples: list[tuple[str, str]]) -> Iterator[ScrapedTest]:
    """The samples, then the official tests that are none of them."""
    yield from tests_of("sample", samples, sample=True)
    known = {(given.strip(), expected.strip()) for given, expected in samples}
    for test in tests_of("official", pairs(raw["official_tests"], "input", "output")):
        if (test.input.decode().strip(), test.expected.decode().strip()) not in known:
            yield test


OPEN_R1 = ProblemSet("open-r1", ("codeforces",), ("data/*.parquet",), problem)
