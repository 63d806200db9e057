"""`python -m microcoder_judge`: judge JSON lines, one program a line, one result a line, in order."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

from microcoder_judge.judge import Judge
from microcoder_judge.records import Problem, Program, RecordError, Result

EPILOG = """\
Each input line is a JSON object with
  problem     {"id", "tests": [{"input", "expected"}], "limits", "checker", "io_mode", "entry_point"}; id and tests are
              needed; bytes that are not UTF-8 go under "input_b64" and "expected_b64"
  problem_id  instead of problem: the id of a problem on an earlier line
  code        the source of the program
  language    "python" (the default)

Each gives one line on standard output: the result with its line number, or {"line": n, "error": "..."}.

example:
  $ cat programs.jsonl
  {"problem": {"id": "double", "tests": [{"input": "2", "expected": "4"}]}, "code": "print(int(input()) * 2)"}
  {"problem_id": "double", "code": "print(5)"}
  $ python -m microcoder_judge --workers 2 programs.jsonl

exit status: 0, or 2 when a line was bad or the file could not be read.
"""


class BadLine(ValueError):
    """A line that names no program to judge."""


@dataclass
class Line:
    """What became of an input line: the work it started, or why it started none."""

    number: int
    result: Future[Result] | None = None
    error: str = ""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m microcoder_judge",
        description="Judge programs given as JSON lines.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="JSON lines to read (default: standard input)")
    parser.add_argument("--workers", type=_count, default=0, metavar="N", help="programs at once (default: one a CPU)")
    parser.add_argument("--all-tests", action="store_true", help="do not stop at the first failing test")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        try:
            lines = stack.enter_context(Path(options.file).open("rb")) if options.file else sys.stdin.buffer
        except OSError as error:
            print(f"cannot read {options.file}: {error.strerror}", file=sys.stderr)
            return 2
        judge = stack.enter_context(Judge(options.workers))
        counts = _judge_lines(judge, lines, stop_at_first=not options.all_tests)
    bad = counts.pop("bad", 0)
    verdicts = ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"
    print(f"programs judged: {counts.total()} ({verdicts}), bad lines: {bad}", file=sys.stderr)
    return 2 if bad else 0


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _judge_lines(judge: Judge, lines: Iterable[bytes], stop_at_first: bool) -> Counter[str]:
    """Judge while reading; a second thread writes results in order as soon as they are there."""
    queue: Queue[Line | None] = Queue(maxsize=4 * judge.workers)
    counts: Counter[str] = Counter()
    writer = Thread(target=_write_results, args=(queue, counts), daemon=True)
    writer.start()
    problems: dict[str, Problem] = {}
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        line = Line(number)
        try:
            program, problem = _read_line(text, problems)
            line.result = judge.submit(program, problem, stop_at_first)
        except ValueError as error:
            line.error = str(error)
        queue.put(line)
    queue.put(None)
    writer.join()
    return counts


def _read_line(text: bytes, problems: dict[str, Problem]) -> tuple[Program, Problem]:
    """The program and its problem, which is remembered under its id. Raises ValueError saying what is wrong."""
    try:
        raw = json.loads(text)
    except RecursionError as error:
        raise BadLine("nested too deeply") from error
    except ValueError as error:
        raise BadLine(f"not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise BadLine("not a JSON object")
    problem = _problem(raw, problems)
    code, language = raw.get("code"), raw.get("language", "python")
    if not isinstance(code, str) or not isinstance(language, str):
        raise BadLine("needs code, a string (and language, if given, one too)")
    return Program(code, language), problem


def _problem(raw: dict[str, Any], problems: dict[str, Problem]) -> Problem:
    if "problem" in raw:
        if not isinstance(raw["problem"], dict):
            raise RecordError("problem must be an object")
        problem = Problem.from_dict(raw["problem"])
        problems[problem.id] = problem
        return problem
    if "problem_id" not in raw:
        raise BadLine("needs a problem, or the problem_id of an earlier line")
    found = problems.get(str(raw["problem_id"]))
    if found is None:
        raise BadLine(f"no earlier line has the problem {raw['problem_id']!r}")
    return found


def _answer(line: Line) -> dict[str, Any]:
    if line.result is None:
        return {"error": line.error}
    return line.result.result().to_dict()


def _write_results(queue: Queue[Line | None], counts: Counter[str]) -> None:
    try:
        while (line := queue.get()) is not None:
            answer = _answer(line)
            counts[answer.get("verdict", "bad")] += 1
            print(json.dumps({"line": line.number, **answer}), flush=True)
    except OSError as error:
        # Nothing more can be said, the interpreter must not try at exit, and the reading thread must not wait for us.
        if not isinstance(error, BrokenPipeError):
            print(f"cannot write results: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
