"""The OI archive: Chinese statements of six judges, without tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from microcoder_assets.collection.files import FileSource, Row, read_problems
from microcoder_assets.collection.platforms import OI_JUDGES
from microcoder_assets.collection.records import ScrapedProblem, UnreadableRecord
from microcoder_assets.errors import UserError
from microcoder_judge import Checker

PROBLEMS = "problems.jsonl.gz"
MAX_TIME_MS = 600_000
"""Longer stated limits mean none: the archive holds 2147483000. Ours."""

OUTPUT_ONLY, INTERACTIVE, EITHER, SPECIAL, PLUGIN = "提交答案", "交互", "传统或交互", "Special Judge", "评测插件"
COMPARED = ("传统", "简单对比", "逐字节对比")
"""Kinds of judging that compare outputs: traditional, simple comparison, byte by byte."""


def open_oi(path: Path) -> FileSource:
    """path: the folder, or its problems.jsonl.gz."""
    problems = path / PROBLEMS if path.is_dir() else path
    if not problems.is_file():
        raise UserError(f"oi source {path} holds no {PROBLEMS}")

    def read() -> Iterator[ScrapedProblem | UnreadableRecord]:
        return read_problems(problems, OI_JUDGES[0], problem)

    return FileSource("oi", OI_JUDGES, {problems.name: problems}, read)


def problem(raw: dict[str, Any], row: Row) -> ScrapedProblem:
    """One row; raises ValueError, KeyError or TypeError on another shape.

    Output-only and interactive problems have io_mode None and a flag. A judge of its own (Special Judge, plugin) means
    several right answers: no checker and flag multi_answer. Where no kind of judge is named there is no checker either.
    """
    platform, judge = raw["oj"], raw["judge"]
    if platform not in OI_JUDGES:
        raise ValueError(f"unknown judge {platform!r}; one of {', '.join(OI_JUDGES)}")
    flags = set()
    if OUTPUT_ONLY in judge:
        flags.add("output_only")
    if INTERACTIVE in judge and EITHER not in judge:
        flags.add("interactive")
    if SPECIAL in judge or PLUGIN in judge:
        flags.add("multi_answer")
    return ScrapedProblem(
        platform=platform,
        native_id=raw["pid"],
        title=raw["title"].strip(),
        statement=raw["description_md"],
        statement_format=raw["description_type"] or "markdown",
        statement_language="zh",
        source_ref=row.ref,
        record_sha=row.sha,
        url=raw["url"],
        io_mode=None if flags & {"output_only", "interactive"} else "stdin",
        checker=Checker("tokens") if judge in COMPARED else None,
        time_limit_s=raw["time"] / 1000 if 0 < raw["time"] <= MAX_TIME_MS else None,
        memory_limit_mb=raw["memory"] if (raw["memory"] or 0) > 0 else None,  # the archive holds -1
        flags=tuple(sorted(flags)),
    )
