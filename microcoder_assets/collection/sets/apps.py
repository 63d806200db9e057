"""codeparrot/apps (arXiv 2105.09938): problems of several judges with Python solutions."""

from __future__ import annotations

import json

from microcoder_assets.collection.addresses import problem_of
from microcoder_assets.collection.records import ScrapedProblem
from microcoder_assets.collection.sets.fields import input_output, python_references, text_id
from microcoder_assets.collection.sets.rows import SetRow
from microcoder_assets.collection.sets.source import ProblemSet

PLATFORMS = ("apps", "atcoder", "codechef", "codeforces", "codewars", "hackerrank", "kattis", "leetcode")


def problem(row: SetRow, max_references: int) -> ScrapedProblem:
    """One row. `problem_id` counts in each split anew and names nothing: rows without a judge are named by their text.

    difficulty is the set's own: introductory, interview or competition.
    """
    raw = row.fields
    question, url = raw["question"], raw["url"] or None
    home = problem_of(url)
    if home and home.platform not in PLATFORMS:
        home = None
    judging = input_output(raw["input_output"] or "", question, raw["starter_code"] or "")
    return ScrapedProblem(
        platform=home.platform if home else "apps",
        native_id=home.native_id if home else text_id("text", question),
        title="",
        statement=question,
        statement_format="text",
        statement_language="en",
        source_ref=row.ref,
        record_sha=row.sha,
        url=url,
        contest=home.contest if home else None,
        io_mode=judging.io_mode,
        entry_point=judging.entry_point,
        starter_code=judging.starter_code,
        tests=judging.tests,
        checker=judging.checker,
        references=tuple(python_references(json.loads(raw["solutions"] or "[]"), max_references)),
        difficulty_label=raw["difficulty"] or None,
        license="MIT",
        flags=tuple(sorted(judging.flags)),
    )


APPS = ProblemSet("apps", PLATFORMS, ("train.jsonl", "test.jsonl", "all/**/*.parquet"), problem)
