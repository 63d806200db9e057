"""`python -m microcoder_judge kattis`: the submissions of Kattis problem packages against their labels."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from microcoder_judge.command import add_judge_options, count, open_judge
from microcoder_judge.kattis_package import Labelled, Package, read_package
from microcoder_judge.languages import LanguageNotSupported
from microcoder_judge.records import LARGEST, Problem, RecordError, Result, Submission, Verdict

MEASURING_LIMIT_S = 30.0
"""CPU seconds a test that accepted submissions get while the time limit is being derived from them. Ours."""

UNMEASURED_LIMIT_S = 10.0
"""The limit where no accepted submission could be measured. Ours."""

SMALLEST_LIMIT_S = 1.0
"""The least time limit that is derived, as Kattis has it."""

EPILOG = """\
Judged are the programs in Python and C++. As labelled (ok) is AC for accepted/, and any failing verdict for
wrong_answer/, run_time_error/, time_limit_exceeded/, partially_accepted/, rejected/ and mixed/; a failing verdict other
than the folder's is noted. `@EXPECTED_RESULTS@: ...` in a file, or submissions/submissions.yaml, replaces the folder.
A package that names no time limit gets that of its accepted submissions: the slowest's CPU time x time_multiplier, at
least 1 s. Interactive and multi-pass problems are listed as unsupported.

marks: ok, BAD, cut (passes those tests that --max-tests left), IE (the judge failed), not run

exit status: 0 all as labelled, 1 some differ or could not be judged, 2 a package could not be read
"""

Mark = Literal["ok", "BAD", "cut", "IE", "not run"]


class Judging(Protocol):
    """What is used of a `Judge` or a `JudgeClient`."""

    def submit(self, submission: Submission) -> Future[Result]: ...


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one submission. result: None where it was not run; note says why, or how its verdict differs."""

    submission: Labelled
    mark: Mark
    result: Result | None = None
    note: str = ""

    @property
    def slowest_s(self) -> float:
        """CPU seconds on its slowest test."""
        return max((test.cpu_s for test in self.result.tests), default=0.0) if self.result else 0.0

    @property
    def failing_test(self) -> str:
        """The name of the first test that it fails, else ""."""
        failed = self.result.first_failed if self.result else None
        return self.result.tests[failed].name if self.result and failed is not None else ""


@dataclass(frozen=True, slots=True)
class Report:
    """The matrix of a package. time_limit_s: CPU seconds, 0 where nothing was judged; time_source: where it is from."""

    package: Package
    tests: int
    time_limit_s: float
    time_source: str
    rows: tuple[Row, ...]

    @property
    def as_labelled(self) -> bool:
        return all(row.mark not in ("BAD", "IE") for row in self.rows)


def judge_package(
    judge: Judging,
    package: Package,
    *,
    time_limit_s: float | None = None,
    max_tests: int | None = None,
    all_tests: bool = False,
) -> Report:
    """Judge the submissions of a package.

    time_limit_s: CPU seconds instead of the package's own limit. max_tests: only so many tests, those with the
    smallest input (ours). all_tests: do not stop at a program's first failing test.
    Raises RecordError for a limit beyond `records.LARGEST`.
    """
    if package.unsupported:
        rows = tuple(Row(s, "not run", note=f"unsupported: {package.unsupported}") for s in package.submissions)
        return Report(package, len(package.tests), 0.0, "", rows)
    tests = package.tests
    if max_tests is not None and max_tests < len(tests):
        kept = sorted(tests, key=lambda test: len(test.input))[:max_tests]
        tests = tuple(test for test in tests if test in kept)
    cut = len(tests) < len(package.tests)
    run = _Run(judge, not all_tests)
    limit, source = time_limit_s or package.time_limit_s, "given" if time_limit_s else "problem.yaml"
    if limit is None:
        accepted = [s for s in package.submissions if s.permitted == {Verdict.AC} and not s.not_run]
        run.judge(replace(package, tests=tests).problem(MEASURING_LIMIT_S), accepted)
        limit, source = _derived_limit(package, run)
    run.judge(replace(package, tests=tests).problem(limit), [s for s in package.submissions if not s.not_run])
    return Report(package, len(tests), limit, source, tuple(run.row(s, cut) for s in package.submissions))


class _Run:
    """The results so far, each submission's first one: what was accepted below the derived limit stays so under it."""

    def __init__(self, judge: Judging, stop_on_fail: bool) -> None:
        self._judge, self._stop_on_fail = judge, stop_on_fail
        self.results: dict[str, Result] = {}
        self._refused: dict[str, str] = {}

    def judge(self, problem: Problem, submissions: Sequence[Labelled]) -> None:
        futures: dict[str, Future[Result]] = {}
        for submission in submissions:
            if submission.path in self.results or submission.path in self._refused:
                continue
            program = Submission(
                submission.code, problem, submission.language, submission.path, stop_on_fail=self._stop_on_fail
            )
            try:
                futures[submission.path] = self._judge.submit(program)
            except LanguageNotSupported as error:
                self._refused[submission.path] = f"language: {error}"
        self.results |= {path: future.result() for path, future in futures.items()}

    def row(self, submission: Labelled, cut: bool) -> Row:
        reason = submission.not_run or self._refused.get(submission.path)
        if reason:
            return Row(submission, "not run", note=reason)
        result = self.results[submission.path]
        if result.verdict is Verdict.IE:
            return Row(submission, "IE", result, result.message)
        if submission.fits(result.verdict):
            exact = result.verdict in submission.permitted
            return Row(submission, "ok", result, "" if exact else f"labelled {_names(submission)}")
        if cut and result.accepted:
            return Row(submission, "cut", result, "passes the tests that are left")
        return Row(submission, "BAD", result, result.message or f"labelled {_names(submission)}")


def _derived_limit(package: Package, run: _Run) -> tuple[float, str]:
    times = [
        (max((test.cpu_s for test in result.tests), default=0.0), path)
        for path, result in run.results.items()
        if result.accepted
    ]
    if not times:
        return UNMEASURED_LIMIT_S, "no accepted submission to measure"
    slowest, path = max(times)
    limit = min(max(SMALLEST_LIMIT_S, slowest * package.time_multiplier), LARGEST["time_s"])
    return limit, f"{package.time_multiplier:g} x {slowest:.3f} s of {path}, at least {SMALLEST_LIMIT_S:g} s"


def _names(submission: Labelled) -> str:
    return ", ".join(sorted(submission.permitted)) if len(submission.permitted) < 4 else submission.label


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("packages", nargs="+", metavar="PACKAGE", help="a folder or a .tar, .tar.gz or .tar.xz archive")
    add_judge_options(parser)
    parser.add_argument("--all-tests", action="store_true", help="do not stop at a program's first failing test")
    parser.add_argument("--max-tests", type=_at_least_one, metavar="N", help="only the N tests with the smallest input")
    parser.add_argument("--time-limit", type=_seconds, metavar="S", help="CPU seconds a test (default: the package's)")
    parser.add_argument("--json", action="store_true", help="one JSON object a package instead of the matrix")


def main(options: argparse.Namespace) -> int:
    status = 0
    with open_judge(options) as judge:
        for path in options.packages:
            try:
                report = judge_package(
                    judge,
                    read_package(path),
                    time_limit_s=options.time_limit,
                    max_tests=options.max_tests,
                    all_tests=options.all_tests,
                )
            except RecordError as error:
                print(error, file=sys.stderr)
                status = 2
                continue
            status = max(status, 0 if report.as_labelled else 1)
            print(json.dumps(_as_json(report)) if options.json else _as_text(report), flush=True)
    return status


def _at_least_one(text: str) -> int:
    number = count(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return number


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= LARGEST["time_s"]:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0 and at most {LARGEST['time_s']:,g}")
    return number


def _as_json(report: Report) -> dict[str, Any]:
    package = report.package
    return {
        "package": package.name,
        "title": package.title,
        "unsupported": package.unsupported,
        "checker": package.checker.name,
        "tests": report.tests,
        "time_limit_s": report.time_limit_s,
        "time_source": report.time_source,
        "as_labelled": report.as_labelled,
        "submissions": [
            {
                "path": row.submission.path,
                "label": row.submission.label,
                "language": row.submission.language,
                "mark": row.mark,
                "verdict": row.result.verdict if row.result else None,
                "passed": row.result.passed if row.result else 0,
                "failing_test": row.failing_test,
                "slowest_cpu_s": row.slowest_s,
                "sandbox": row.result.sandbox if row.result else "",
                "note": row.note,
            }
            for row in report.rows
        ],
    }


def _as_text(report: Report) -> str:
    package = report.package
    if package.unsupported:
        head = f"{package.name}: unsupported: {package.unsupported}"
    else:
        limit = f"{report.time_limit_s:.3g} s CPU ({report.time_source})"
        head = f"{package.name}: {report.tests} tests, checker {package.checker.name}, {limit}"
    table = [("submission", "label", "verdict", "", "failing test", "slowest", "")]
    for row in report.rows:
        verdict = str(row.result.verdict) if row.result else "-"
        slowest = f"{row.slowest_s:.3f} s" if row.result else ""
        label = row.submission.label
        table.append((row.submission.path, label, verdict, row.mark, row.failing_test, slowest, row.note[:100]))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(map(str.ljust, cells, widths)).rstrip() for cells in table]
    counts = {mark: sum(row.mark == mark for row in report.rows) for mark in ("ok", "BAD", "cut", "IE", "not run")}
    total = ", ".join(f"{count} {mark}" for mark, count in counts.items() if count) or "no submissions"
    return "\n".join([head, *lines, total, ""])
