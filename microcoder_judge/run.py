"""`python -m microcoder_judge run`: judge JSON lines, a result a line, in order, while more are read."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from concurrent.futures import Future
from pathlib import Path

from microcoder_judge.command import (
    Entry,
    Output,
    add_judge_options,
    entries_ahead,
    open_input,
    open_judge,
    say,
    submitting,
)
from microcoder_judge.progress import Progress
from microcoder_judge.records import Result
from microcoder_judge.wire import write_failure, write_result

LINES_PER_WORKER = 3
"""Lines read ahead for each worker (ours): enough to keep it busy, few enough to bound the memory."""


EPILOG = """\
A line in has "id", "code" and "tests"; it may have "language", "io", "entry", "checker", "time_limit_s",
"memory_limit_mb", "output_limit_mb", "stop_on_fail", "isolation" and "preamble". Text that is not UTF-8 is written as
{"base64": "..."}. A line that cannot be read gives an IE row with its reason, and the run goes on.

example:
  $ cat submissions.jsonl
  {"id": "right", "code": "print(int(input()) * 2)", "tests": [{"input": "2", "output": "4"}]}
  {"id": "wrong", "code": "print(5)", "tests": [{"input": "2", "output": "4"}], "time_limit_s": 1}
  {"id": "f", "code": "def f(a): return a", "io": "function", "entry": "f", "tests": [{"args": [1], "expected": 1}]}
  $ python -m microcoder_judge run --input submissions.jsonl --output verdicts.jsonl --workers 2

exit status: 0 when every line has its row, 1 when the reader of the output is gone, 2 for a file that cannot be read or
written, 130 when interrupted.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--input", default="-", metavar="FILE", help="JSON lines to judge (default: standard input)")
    parser.add_argument("--output", default="-", metavar="FILE", help="where results go (default: standard output)")
    parser.add_argument("--strict", choices=("livecodebench",), help="judge as that grader does, its mistakes included")
    add_judge_options(parser)


def main(options: argparse.Namespace) -> int:
    source = open_input(options.input)
    counts: Counter[str] = Counter()
    with (
        open_judge(options, options.strict) as judge,
        submitting(judge) as submit,
        Output(options.output, source) as output,
    ):
        progress = Progress(_size(options.input), shown=os.isatty(2) and not output.isatty())
        try:
            for entry in entries_ahead(source, submit, LINES_PER_WORKER * judge.workers):
                output.write(_row(entry, counts))
                progress.show(entry.end, counts.total() - counts["cached"])
        finally:
            progress.clear()
    say(summary(counts, progress.elapsed_s()))
    return 0


def _row(entry: Entry[Future[Result]], counts: Counter[str]) -> str:
    if entry.work is None:
        counts["bad"] += 1
        return json.dumps(write_failure(entry.id, entry.reason)) + "\n"
    result = entry.work.result()
    counts[result.verdict] += 1
    counts["cached"] += result.cached
    return json.dumps(write_result(result, entry.id)) + "\n"


def summary(counts: Counter[str], elapsed_s: float) -> str:
    """One line: programs by verdict, how many were cached, bad lines, and programs a second."""
    verdicts = {name: n for name, n in sorted(counts.items()) if name not in ("bad", "cached")}
    programs = sum(verdicts.values())
    shown = ", ".join(f"{n} {name}" for name, n in verdicts.items()) or "none"
    rate = programs / elapsed_s if elapsed_s else 0.0
    return (
        f"programs judged: {programs} ({shown}), cached: {counts['cached']}, bad lines: {counts['bad']}, "
        f"{rate:.1f} programs a second"
    )


def _size(name: str) -> int | None:
    path = Path(name)
    return path.stat().st_size if name != "-" and path.is_file() else None
