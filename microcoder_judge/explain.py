"""`python -m microcoder_judge explain`: judge one submission and say for a person what happened and why."""

from __future__ import annotations

import argparse
import base64
import re
from collections.abc import Iterator
from dataclasses import replace

from microcoder_judge.command import (
    CommandError,
    Output,
    Submit,
    add_judge_options,
    entries,
    open_input,
    open_judge,
    printable,
    submitting,
)
from microcoder_judge.compare import effective_checker
from microcoder_judge.languages import LanguageNotSupported
from microcoder_judge.records import Checker, Problem, Result, Submission, Test, TestResult, Verdict
from microcoder_judge.wire import Line

SHOWN_LINES, SHOWN_CHARACTERS = 8, 100
SHOWN_BYTES = 240

ECHO = Checker(
    "custom",
    program=f"""\
import base64, sys
data = sys.stdin.buffer.read()
print("got", len(data), base64.b64encode(data[:{SHOWN_BYTES}]).decode(), file=sys.stderr)
sys.exit(43)
""",
    protocol="kattis",
)
"""Hands an output back as the reason for rejecting it: results carry none."""

EPILOG = """\
example:
  $ python -m microcoder_judge explain --input submissions.jsonl --id wrong
  id          wrong
  verdict     WA, 0 of 1 tests passed
  ...
  difference  token 1: '5', expected '4'

exit status: 0 whatever the verdict, 2 for a submission that cannot be found or read.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--input", default="-", metavar="FILE", help="JSON lines as for run (default: standard input)")
    parser.add_argument("--id", metavar="ID", help="the first submission of this id; needed where there are several")
    add_judge_options(parser)


def main(options: argparse.Namespace) -> int:
    line = find(options.input, options.id)
    with open_judge(options) as judge, submitting(judge) as submit:
        try:
            result = submit(line).result()
        except LanguageNotSupported as error:
            raise CommandError(str(error)) from error
        output = output_of(submit, line, result)
    with Output("-") as out:
        out.write("\n".join(explanation(line.submission, result, output)) + "\n")
    return 0


def find(name: str, id: str | None) -> Line:
    """The one submission of a file, or the first of that id. Raises CommandError where there is none, or more."""
    place = "standard input" if name == "-" else name
    found = None
    for entry in entries(open_input(name), lambda line: line):
        if id is not None and str(entry.id) != id:
            continue
        if found is not None:
            raise CommandError(f"{place} holds more than one submission; choose one with --id")
        if entry.work is None:
            raise CommandError(f"{place}: {entry.reason}")
        found = entry.work
        if id is not None:
            break
    if found is None:
        raise CommandError(f"{place} holds no submission" + ("" if id is None else f" of the id {id!r}"))
    return found


def output_of(submit: Submit, line: Line, result: Result) -> tuple[bytes, int] | None:
    """What the program prints on the test that it got wrong: the first bytes, and how many there are in all.

    Runs it once more on that test. None where it was not wrong, returned a value, or cannot be run alike again.
    """
    failed, problem = failed_test(result, line.submission.problem), line.submission.problem
    if failed is None or failed[1].verdict is not Verdict.WA or problem.io_mode == "function":
        return None
    alone = replace(problem, tests=(failed[0],), checker=ECHO)
    again = submit(replace(line, submission=replace(line.submission, problem=alone))).result()
    answer = re.search(r"got ([0-9]+) ([A-Za-z0-9+/=]*)$", again.message)
    return (base64.b64decode(answer[2]), int(answer[1])) if answer else None


def failed_test(result: Result, problem: Problem) -> tuple[Test, TestResult] | None:
    """The first test that was not accepted and what happened on it; None where there is none."""
    index = result.first_failed
    if index is None:
        return None
    found = result.tests[index]
    names = {test.name or str(n): test for n, test in enumerate(problem.tests)}
    return names[found.name], found


def explanation(submission: Submission, result: Result, output: tuple[bytes, int] | None) -> Iterator[str]:
    """The lines to print. Nothing of the program's reaches the terminal but printable characters."""
    problem = submission.problem
    failed = failed_test(result, problem)
    yield _field("id", submission.id)
    yield _field("verdict", f"{result.verdict}, {result.passed} of {result.total} tests passed")
    if failed is None:
        if result.message:
            yield _field("reason", result.message)
    else:
        test, found = failed
        yield _field("test", f"{found.name} ({found.verdict})")
        yield from _block("arguments" if problem.io_mode == "function" else "input", test.input, len(test.input))
        yield from _block("expected", test.expected, len(test.expected))
        if output is not None:
            yield from _block("got", *output)
        yield _field("difference" if found.verdict is Verdict.WA else "reason", found.message)
    yield from _figures(problem, result, failed)


def _figures(problem: Problem, result: Result, failed: tuple[Test, TestResult] | None) -> Iterator[str]:
    limits = problem.limits
    yield _field("limits", f"{limits.time_s:g} s CPU, {limits.memory_mb} MiB memory, {limits.output_mb} MiB output")
    if result.tests:
        used = failed[1] if failed else max(result.tests, key=lambda test: test.cpu_s)
        which = "on that test" if failed else "on the slowest test"
        yield _field(
            "used", f"{used.cpu_s:.3f} s CPU, {used.wall_s:.3f} s wall, {used.memory_mb:.1f} MiB memory, {which}"
        )
    declared = "declared" if problem.checker else "nobody declared one"
    assumed = "its tolerance for decimals is assumed" if result.tolerance_assumed else "no tolerance assumed"
    yield _field("checker", f"{_checker(effective_checker(problem))} ({declared}; {assumed})")
    yield _field("sandbox", result.sandbox or "nothing was run")


def _checker(rule: Checker) -> str:
    tolerance = [
        f"{name} {value:g}" for name, value in (("abs", rule.abs_tol), ("rel", rule.rel_tol)) if value is not None
    ]
    case = [] if rule.case_sensitive else ["any letter case"]
    program = [f"a {rule.language} program", *rule.flags] if rule.program is not None else []
    return ", ".join([rule.name, *tolerance, *case, *program])


def _field(name: str, value: str) -> str:
    return f"{name:<11} {printable(value)}"


def _block(name: str, data: bytes, size: int) -> Iterator[str]:
    """The first lines of some text, each clipped."""
    lines = data[: SHOWN_LINES * SHOWN_CHARACTERS].decode("utf-8", "backslashreplace").splitlines() or [""]
    clipped = len(lines) > SHOWN_LINES or len(data) < size or size > SHOWN_LINES * SHOWN_CHARACTERS
    for number, line in enumerate(lines[:SHOWN_LINES]):
        text = printable(line)
        yield f"{'' if number else name:<11} {text[:SHOWN_CHARACTERS]}{'...' if len(text) > SHOWN_CHARACTERS else ''}"
    if clipped:
        yield f"{'':<11} ... ({size:,} bytes in all)"
