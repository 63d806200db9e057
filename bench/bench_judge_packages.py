"""Is the judge right on real Kattis packages? `python -m bench.bench_judge_packages --packages FOLDER`.

Every Python and C++ submission of each package runs twice. Plainly: unpacked on the disk, `python file` or a g++ -O2
binary with no sandbox, and Kattis' default validator, written here apart from the judge's, or the package's own one.
And through the judge, with what `kattis_package` reads. A submission counts for a bar if the plain run accepts it; one
with a failing label that the judge passes and the plain run does not is a false accept. Each disagreement is printed.

Time limit, for both: the package's own; else the slowest accepted submission of the plain run times the package's
multiplier, at least MIN_LIMIT_S. Scoring packages are judged as if all tests had to pass, and stand apart.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tarfile
import tempfile
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite
from pathlib import Path
from threading import Timer
from typing import Any

import yaml

from bench.tables import print_table
from microcoder_judge import Judge, Problem, Result, Submission, Verdict
from microcoder_judge.kattis_package import Labelled, Package, read_package

PLAIN_LIMIT_S, MIN_LIMIT_S, VALIDATOR_LIMIT_S = 30.0, 1.0, 60.0
WALL_FACTOR = 4
ACCEPTS = 42
COMPILE = ("g++", "-O2", "-std=c++20", "-pipe", "-w")
CPP, PYTHON = (".cc", ".cpp", ".cxx"), (".py", ".py3")
BARS = {"default": 99.5, "custom": 98.0}
"""Least share, in %, of what the plain run accepts that the judge accepts too, by kind of validator."""

Accepts = Callable[[Path, Path, Path], bool]
"""Whether the validator accepts: input, answer, output."""


class CannotRun(Exception):
    """Something of the package does not compile here; the text says what."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A plain run: its verdict and its CPU seconds on the slowest test."""

    verdict: Verdict
    slowest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """A submission as both sides see it."""

    package: str
    group: str
    submission: Labelled
    plain: Plain
    result: Result

    @property
    def known_wrong(self) -> bool:
        return Verdict.AC not in self.submission.permitted

    @property
    def agrees(self) -> bool:
        return self.result.accepted == (self.plain.verdict is Verdict.AC)


# --- the plain run


def command_of(source: Path, build: Path) -> list[str]:
    """How to run a program, one file or a folder of them, once it is compiled. Raises CannotRun."""
    files = sorted(source.rglob("*")) if source.is_dir() else [source]
    sources = [file for file in files if file.suffix in CPP]
    if sources:
        binary = build / "program"
        options = ["-I", str(source if source.is_dir() else source.parent), "-o", str(binary)]
        done = subprocess.run([*COMPILE, *map(str, sources), *options], capture_output=True, text=True)
        if done.returncode:
            raise CannotRun(f"{source.name} does not compile: {_first_error(done.stderr)}")
        return [str(binary)]
    scripts = [file for file in files if file.suffix in PYTHON]
    if len(scripts) != 1:
        raise CannotRun(f"{source.name} is not one program in Python or C++")
    return [sys.executable, str(scripts[0])]


def _first_error(words: str) -> str:
    return next((line for line in words.splitlines() if "error" in line), "no message")[-150:]


def run_plainly(command: Sequence[str], data: Path, output: Path, limit_s: float) -> Plain:
    """One run without any isolation; a run that exits with 0 within the limit is AC."""
    with data.open("rb") as stdin, output.open("wb") as stdout:
        process = subprocess.Popen(
            command, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL, preexec_fn=_deep_stack, cwd=output.parent
        )
        timer = Timer(WALL_FACTOR * limit_s + 1, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    cpu_s = usage.ru_utime + usage.ru_stime
    if cpu_s > limit_s or process.returncode == -9:
        return Plain(Verdict.TLE, cpu_s)
    return Plain(Verdict.RE if process.returncode else Verdict.AC, cpu_s)


def _deep_stack() -> None:
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (hard, hard))


def judge_plainly(source: Path, tests: Sequence[Path], accepts: Accepts, limit_s: float) -> Plain:
    """A submission on all tests, up to the first that it fails."""
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        try:
            command = command_of(source, Path(folder))
        except CannotRun:
            return Plain(Verdict.CE)
        output = Path(folder, "output")
        for test in tests:
            run = run_plainly(command, test, output, limit_s)
            slowest = max(slowest, run.slowest_s)
            if run.verdict is not Verdict.AC:
                return Plain(run.verdict, slowest)
            if not accepts(test, test.with_suffix(".ans"), output):
                return Plain(Verdict.WA, slowest)
    return Plain(Verdict.AC, slowest)


# --- validators


def default_validator(flags: Sequence[str]) -> Accepts:
    """Kattis' default validator after the problem package format's description of its flags."""
    tolerance = {"absolute": 0.0, "relative": 0.0}
    for flag, value in pairwise(flags):
        if match := re.fullmatch(r"float(?:_(absolute|relative))?_tolerance", flag):
            for kind in [match[1]] if match[1] else list(tolerance):
                tolerance[kind] = float(value)
    floats = any(flag.startswith("float") for flag in flags)

    def equal(wanted: bytes, got: bytes) -> bool:
        expected = _number(wanted) if floats else None
        if expected is not None:
            number = _number(got)
            error = float("inf") if number is None else abs(number - expected)
            return error <= tolerance["absolute"] or error <= tolerance["relative"] * abs(expected)
        return wanted == got if "case_sensitive" in flags else wanted.lower() == got.lower()

    def accepts(_: Path, answer: Path, output: Path) -> bool:
        pattern = rb"[ \t\n\r\v\f]+|[^ \t\n\r\v\f]+" if "space_change_sensitive" in flags else rb"[^ \t\n\r\v\f]+"
        wanted, got = (re.findall(pattern, file.read_bytes()) for file in (answer, output))
        return len(wanted) == len(got) and all(map(equal, wanted, got))

    return accepts


def _number(token: bytes) -> float | None:
    try:
        value = float(token)
    except ValueError:
        return None
    return value if isfinite(value) and b"_" not in token else None


def package_validator(command: Sequence[str], flags: Sequence[str]) -> Accepts:
    """The package's own validator, run as Kattis runs it."""

    def accepts(data: Path, answer: Path, output: Path) -> bool:
        with tempfile.TemporaryDirectory() as feedback, output.open("rb") as stdin:
            arguments = [*command, str(data), str(answer), f"{feedback}/", *flags]
            done = subprocess.run(arguments, stdin=stdin, capture_output=True, timeout=VALIDATOR_LIMIT_S)
        return done.returncode == ACCEPTS

    return accepts


def plain_validator(folder: Path, config: dict[str, Any], build: Path) -> Accepts:
    """The validator of an unpacked package, read from its files apart from `kattis_package`. Raises CannotRun."""
    flags = str(config.get("validator_flags") or "").split()
    for name in ("data/testdata.yaml", "data/secret/testdata.yaml", "data/test_group.yaml"):
        if (folder / name).is_file():
            group = yaml.safe_load((folder / name).read_text()) or {}
            own = group.get("output_validator_flags") or group.get("output_validator_args") or ""
            flags += own.split() if isinstance(own, str) else own
    legacy = str(config.get("problem_format_version", "legacy")).startswith("legacy")
    if "custom" not in str(config.get("validation", "")) and (legacy or not (folder / "output_validator").exists()):
        return default_validator(flags)
    programs = [path for name in ("output_validators", "output_validator") for path in folder.glob(f"{name}/*")]
    roots = [path for path in programs if path.is_dir() or path.suffix in CPP + PYTHON]
    if not roots:
        raise CannotRun("no output validator in Python or C++")
    root = roots[0] if len(programs) == 1 or roots[0].is_dir() else roots[0].parent
    return package_validator(command_of(root, build), flags)


# --- a package


def judge_package(archive: Path, judge: Judge, arguments: Any, say: Callable[[str], None]) -> list[Case]:
    """Both runs of all submissions of one package; none where the package or its validator cannot be run."""
    package = read_package(archive)
    mine = [one for one in package.submissions if not one.not_run]
    if package.unsupported or not mine:
        say(f"{package.name}: left out, {package.unsupported or 'no submission in Python or C++'}")
        return []
    package = replace(package, tests=_smallest(package, arguments.max_tests))
    with tempfile.TemporaryDirectory() as top, ThreadPoolExecutor(arguments.workers) as pool:
        with tarfile.open(archive) as opened:
            opened.extractall(top, filter="data")
        folder = next(Path(top).rglob("problem.yaml")).parent
        config = yaml.safe_load((folder / "problem.yaml").read_text())
        build = Path(top, "validator-build")
        build.mkdir()
        try:
            accepts = plain_validator(folder, config, build)
        except CannotRun as error:
            say(f"{package.name}: left out, its validator cannot be run plainly: {error}")
            return []
        tests = [folder / "data" / f"{test.name}.in" for test in package.tests]

        def plain(submissions: Sequence[Labelled], limit_s: float) -> dict[str, Plain]:
            paths = [folder / "submissions" / one.path for one in submissions]
            runs = pool.map(lambda path: judge_plainly(path, tests, accepts, limit_s), paths)
            return dict(zip((one.path for one in submissions), runs, strict=True))

        good = [one for one in mine if Verdict.AC in one.permitted]
        limit_s = package.time_limit_s or PLAIN_LIMIT_S
        runs = plain(good, limit_s)
        if package.time_limit_s is None:
            slowest = max((run.slowest_s for run in runs.values() if run.verdict is Verdict.AC), default=MIN_LIMIT_S)
            limit_s = min(max(MIN_LIMIT_S, package.time_multiplier * slowest), PLAIN_LIMIT_S)
        runs |= plain([one for one in mine if one not in good], limit_s)
    problem = package.problem(limit_s)
    results = judge.evaluate_many([Submission(one.code, problem, one.language, one.path) for one in mine])
    group = "scoring" if "scoring" in str(config.get("type", "")) else _kind(problem)
    say(f"{package.name}: {len(mine)} submissions, {len(tests)} tests, limit {limit_s:.1f} s")
    return [Case(package.name, group, one, runs[one.path], result) for one, result in zip(mine, results, strict=True)]


def _smallest(package: Package, count: int) -> Any:
    by_size = sorted(package.tests, key=lambda test: len(test.input) + len(test.expected))
    kept = {test.name for test in by_size[: count or None]}
    return tuple(test for test in package.tests if test.name in kept)


def _kind(problem: Problem) -> str:
    return "custom" if problem.rule.name == "custom" else "default"


# --- the report


def disagreement(case: Case) -> str:
    told = f"plain {case.plain.verdict}, judge {case.result.verdict}"
    return f"{case.package} {case.submission.path}: {told}; {case.result.message[:150]}"


def summary(cases: Sequence[Case]) -> list[tuple[str, ...]]:
    lines = []
    for group in ("default", "custom", "scoring"):
        for language in ("python", "cpp"):
            chosen = [case for case in cases if case.group == group and case.submission.language == language]
            good = [case for case in chosen if not case.known_wrong and case.plain.verdict is Verdict.AC]
            wrong = [case for case in chosen if case.known_wrong]
            by_plain = sum(case.plain.verdict is Verdict.AC for case in wrong)
            beyond = sum(case.result.accepted and not case.agrees for case in wrong)
            accepted = sum(case.result.accepted for case in good)
            numbers = (len(good), accepted, len(wrong), by_plain, beyond)
            lines.append((group, language, *map(str, numbers)))
    return lines


def bars(cases: Sequence[Case]) -> list[tuple[str, ...]]:
    lines = []
    for group, bar in BARS.items():
        good = [c for c in cases if c.group == group and not c.known_wrong and c.plain.verdict is Verdict.AC]
        name = f"accepted of what a plain run accepts, {group} validators"
        if not good:
            lines.append((name, "none judged", f">= {bar:g} %", ""))
            continue
        share = 100 * sum(case.result.accepted for case in good) / len(good)
        lines.append((name, f"{share:.2f} %", f">= {bar:g} %", "reached" if share >= bar else "below"))
    beyond = sum(case.known_wrong and case.result.accepted and not case.agrees for case in cases)
    name = "known-wrong submissions passed beyond the plain run"
    return [*lines, (name, str(beyond), "0", "below" if beyond else "reached")]


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_judge_packages", description="The judge on Kattis packages.")
    parser.add_argument("--packages", type=Path, required=True, metavar="FOLDER", help="folder of package archives")
    parser.add_argument("--workers", type=int, default=1, help="programs at a time, on both sides (1)")
    parser.add_argument("--max-tests", type=int, default=0, metavar="N", help="only the N smallest tests (0: all)")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="only the first N packages (0: all)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only packages whose name holds this")
    arguments = parser.parse_args()
    archives = [path for path in sorted(arguments.packages.glob("*.tar*")) if arguments.only in path.name]
    if not archives:
        parser.error(f"no package archives in {arguments.packages}; give a folder of .tar.xz files")
    cases: list[Case] = []
    with Judge(arguments.workers) as judge:
        for archive in archives[: arguments.limit or None]:
            found = judge_package(archive, judge, arguments, lambda line: print(line, flush=True))
            for case in found:
                if not case.agrees:
                    print(f"  differs: {disagreement(case)}", flush=True)
            cases += found
    header = (
        "validator",
        "language",
        "accepted plainly",
        "and by the judge",
        "known wrong",
        "passed plainly",
        "beyond",
    )
    print()
    print_table(header, summary(cases))
    print()
    print_table(("", "figure", "bar", ""), bars(cases))
    pairs = Counter((str(case.plain.verdict), str(case.result.verdict)) for case in cases)
    print("\nverdicts, plain -> judge: " + ", ".join(f"{a} -> {b} {n}" for (a, b), n in sorted(pairs.items())))


if __name__ == "__main__":
    main()
