"""deepmind/code_contests (AlphaCode, arXiv 2203.07814): tests, right and wrong solutions of five judges."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from microcoder_assets.collection.addresses import codeforces_id
from microcoder_assets.collection.records import Reference, Sample, ScrapedProblem, ScrapedTest
from microcoder_assets.collection.sets.fields import identifier, pairs, references, stdin_judging, tests_of
from microcoder_assets.collection.sets.rows import SetRow
from microcoder_assets.collection.sets.source import ProblemSet

SOURCES = {1: "codechef", 2: "codeforces", 3: "hackerearth", 5: "atcoder", 6: "aizu"}
"""Platform by the number of `source`; 0 is unknown and 4 is Code Jam, of which the set has none."""

PYTHON2, CPP, PYTHON3, JAVA = 1, 2, 3, 4
LANGUAGES = {PYTHON2: "python2", CPP: "cpp", PYTHON3: "python", JAVA: "java"}
"""Language by the number of `language`; 0 is unknown."""

DIFFICULTIES = {1: "easy", 2: "medium", 3: "hard", 4: "harder", 5: "hardest"}
"""Other numbers are the letters of Codeforces indices."""

_CODEFORCES = re.compile(r"(\d+)_([A-Za-z]\w*)(?:\.\s*(.*))?", re.DOTALL)
_CODENET = re.compile(r"(p\d{5})(?:\s+(.*))?", re.DOTALL)
_ATCODER_CONTEST = re.compile(r"AtCoder (Beginner|Regular|Grand) Contest (\d+)")
_ATCODER_SERIES = {"Beginner": "abc", "Regular": "arc", "Grand": "agc"}


def named(platform: str, name: str) -> tuple[str, str, str | None]:
    """Native id, title and contest by a problem's `name`.

    `76_B. Mice` is 76B of Codeforces. AtCoder's and Aizu's names are CodeNet's: `p03103 AtCoder Beginner Contest 121 -
    Energy Drink Collector` keeps CodeNet's id p03103, because nothing says which task of the contest it is. CodeChef's
    names are its codes in lower case, HackerEarth's are slugs.
    """
    if platform == "codeforces" and (match := _CODEFORCES.fullmatch(name)):
        return codeforces_id(match[1], match[2]), (match[3] or "").strip(), match[1]
    if platform in ("atcoder", "aizu") and (match := _CODENET.fullmatch(name)):
        title = (match[2] or "").strip()
        series = _ATCODER_CONTEST.search(title)
        contest = f"{_ATCODER_SERIES[series[1]]}{int(series[2]):03}" if series else None
        return match[1], title.rpartition(" - ")[2], contest
    return identifier(name.upper() if platform == "codechef" else name), name.strip(), None


def problem(row: SetRow, max_references: int) -> ScrapedProblem:
    """One row. Images are lost in this set: `<image>` stands in the statement, which is flagged needs_image."""
    raw = row.fields
    platform = SOURCES.get(raw["source"], "codecontests")
    native_id, title, contest = named(platform, raw["name"])
    if platform == "codeforces" and raw["cf_contest_id"] and raw["cf_index"]:
        native_id, contest = codeforces_id(raw["cf_contest_id"], raw["cf_index"]), str(raw["cf_contest_id"])
    statement, rating = raw["description"], raw["cf_rating"]
    facts = {"file_io": raw["input_file"] or raw["output_file"], "needs_image": "<image>" in statement}
    flags = {flag for flag, holds in facts.items() if holds}
    judging = stdin_judging(statement, _tests(raw), flags=flags)
    return ScrapedProblem(
        platform=platform,
        native_id=native_id,
        title=title,
        statement=statement,
        statement_format="text",
        statement_language="en",
        source_ref=row.ref,
        record_sha=row.sha,
        url=f"https://codeforces.com/problemset/problem/{contest}/{native_id.removeprefix(contest)}"
        if platform == "codeforces" and contest
        else None,
        contest=contest,
        samples=tuple(Sample(*pair) for pair in pairs(raw["public_tests"], "input", "output")),
        io_mode=judging.io_mode,
        tests=judging.tests,
        checker=judging.checker,
        time_limit_s=_seconds(raw["time_limit"]),
        memory_limit_mb=(raw["memory_limit_bytes"] or 0) // 1_000_000 or None,
        references=tuple(_references(raw, max_references)),
        tags=tuple(tag for tag in raw["cf_tags"] or () if tag),
        difficulty_label=DIFFICULTIES.get(raw["difficulty"]),
        ratings=(("codeforces", float(rating)),) if rating else (),
        license="CC BY 4.0",
        flags=tuple(sorted(judging.flags)),
    )


def _tests(raw: Mapping[str, Any]) -> Iterator[ScrapedTest]:
    """Public tests are the samples; generated ones are mutations whose output right solutions agree on."""
    for name in ("public", "private", "generated"):
        yield from tests_of(name, pairs(raw[f"{name}_tests"], "input", "output"), sample=name == "public")


def _references(raw: Mapping[str, Any], limit: int) -> Iterator[Reference]:
    """The set does not say in which way a wrong solution fails: `rejected`."""
    for field, label in (("solutions", "accepted"), ("incorrect_solutions", "rejected")):
        solutions = pairs(raw[field], "language", "solution")
        known = ((LANGUAGES[number], code) for number, code in solutions if number in LANGUAGES)
        yield from references(known, label, limit)


def _seconds(limit: Mapping[str, int] | None) -> float | None:
    return (limit["seconds"] or 0) + (limit["nanos"] or 0) / 1e9 or None if limit else None


CODE_CONTESTS = ProblemSet("codecontests", ("codecontests", *SOURCES.values()), ("data/*.parquet",), problem)
