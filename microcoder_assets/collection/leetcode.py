"""LeetCode problems as the doocs/leetcode repository holds them, with zerotrac's contest ratings."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from microcoder_assets.collection.files import BAD_RECORD, FileSource, Row, one_line, read_problems
from microcoder_assets.collection.identity import slugify
from microcoder_assets.collection.records import Reference, ScrapedProblem, UnreadableRecord
from microcoder_assets.collection.signature import Signature
from microcoder_assets.errors import UserError

PROBLEMS = "problems.jsonl.gz"
RATINGS = "data.json"

_CONTEST = re.compile(r"(weekly|biweekly)-contest-(\d+)")
_ANCHORS = {"weekly": (344, dt.date(2023, 5, 7), 7), "biweekly": (104, dt.date(2023, 5, 13), 14)}
"""A contest's number and date, and the days between contests."""
_NOT_PYTHON = {"Database": "sql", "Shell": "shell", "JavaScript": "javascript", "Pandas": "pandas"}


def open_leetcode(path: Path) -> FileSource:
    """path: the folder, or its problems.jsonl.gz. Ratings come from data.json inside it or in a sibling folder
    `leetcode-zerotrac`, where there is one."""
    folder = path if path.is_dir() else path.parent
    problems = path / PROBLEMS if path.is_dir() else path
    if not problems.is_file():
        raise UserError(f"leetcode source {path} holds no {PROBLEMS}")
    files = {problems.name: problems}
    candidates = (folder / RATINGS, folder.parent / "leetcode-zerotrac" / RATINGS)
    ratings_file = next((candidate for candidate in candidates if candidate.is_file()), None)
    if ratings_file:
        files[RATINGS] = ratings_file

    def read() -> Iterator[ScrapedProblem | UnreadableRecord]:
        ratings = read_ratings(ratings_file) if ratings_file else {}
        return read_problems(problems, "leetcode", lambda raw, row: problem(raw, row, ratings))

    return FileSource("leetcode", ("leetcode",), files, read)


@dataclass(frozen=True, slots=True)
class Rating:
    """value: Elo-like, from the contest's standings. contest: the contest's slug."""

    value: float
    contest: str


def read_ratings(path: Path) -> dict[str, Rating]:
    """zerotrac's ratings by title slug. Raises UserError naming the file when it is not zerotrac's data.json."""
    try:
        rows = json.loads(path.read_bytes())
        return {row["TitleSlug"]: Rating(float(row["Rating"]), row["ContestSlug"]) for row in rows}
    except (OSError, *BAD_RECORD) as error:
        raise UserError(f"{path} is not zerotrac's data.json: {one_line(error)}") from error


def problem(raw: dict[str, Any], row: Row, ratings: Mapping[str, Rating]) -> ScrapedProblem:
    """One row. Samples stay in the statement's HTML; there are no tests. Raises KeyError or TypeError on another shape.

    io_mode is `function` when the first solution that parses is a `class Solution` with one public method over JSON
    values; else None, with flags that say why (those of Signature, no_python, sql, shell, javascript, pandas).
    """
    slug, tags = raw["slug"], raw["tags"]
    rating = ratings.get(slug)
    contest = _CONTEST.match(slugify(raw["contest"] or "") or (rating.contest if rating else ""))
    published = contest_date(contest[1], int(contest[2])) if contest else None
    value = rating.value if rating else raw["rating"]
    solutions = [code for code in raw["python_solutions"] if code.strip()]
    signature = next(filter(None, map(Signature.of, solutions)), None)
    flags = {name for tag, name in _NOT_PYTHON.items() if tag in tags}
    if raw["premium"]:
        flags.add("premium")
    if signature:
        flags.update(signature.flags)
    else:
        flags.add("design_class" if solutions and not flags & set(_NOT_PYTHON.values()) else "no_python")
    callable_ = signature is not None and not signature.flags
    return ScrapedProblem(
        platform="leetcode",
        native_id=_native_id(raw["id"]),
        title=raw["title"].removesuffix("🔒").strip(),
        statement=raw["statement_html"],
        statement_format="html",
        statement_language="en",
        source_ref=row.ref,
        record_sha=row.sha,
        url=raw["url"],
        contest=contest[0] if contest else None,
        published=published,
        published_basis="inferred" if published else None,
        io_mode="function" if callable_ else None,
        entry_point=signature.name if signature and callable_ else None,
        starter_code=signature.starter_code if signature and callable_ else None,
        references=tuple(
            Reference(f"solution_{n}", "python", "accepted", code) for n, code in enumerate(solutions, 1)
        ),
        tags=tuple(tags),
        difficulty_label=raw["difficulty"].lower(),
        ratings=(("zerotrac", float(value)),) if value is not None else (),
        license="CC BY-SA 4.0",
        flags=tuple(sorted(flags)),
    )


def _native_id(value: object) -> str:
    """doocs writes both `1` and `LCP 01`. Raises ValueError for anything that is neither a number nor text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"id must be a whole number or text, not {type(value).__name__}")
    return str(value)


def contest_date(series: str, number: int) -> dt.date:
    """The UTC day of the Nth `weekly` contest (Sundays) or `biweekly` contest (every second Saturday).

    Ours, from two anchors. It agrees with every contest_date of LiveCodeBench from 2023-05 to 2025-04, except that
    LiveCodeBench dates weekly contests a day earlier from 2023-08 on, as seen from America.
    """
    first, day, period = _ANCHORS[series]
    return day + dt.timedelta(days=period * (number - first))
