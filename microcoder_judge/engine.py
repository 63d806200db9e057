"""Judging one program on one problem: run the tests in order and say what an online judge would say of each."""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from microcoder_judge.compare import compare
from microcoder_judge.process import MIB, CompileError, Run, Runner, RunnerFailed
from microcoder_judge.records import Limits, Problem, Program, Result, Test, TestResult, Verdict

ATTEMPTS = 2
CHECKER_TIME_S = 10.0
CHECKER_ACCEPTS, CHECKER_REJECTS = 42, 43

Accepts = Callable[[Test, Run], str | None]


class JudgeFault(Exception):
    """A test cannot be judged: a broken expected value, a failing checker, a runner that fails twice."""


def judge_program(program: Program, problem: Problem, interpreter: str, stop_at_first: bool) -> Result:
    """Run `program` on the tests of `problem`, in a runner of its own, up to the first failure if `stop_at_first`.

    CPU time (user and system, of the child and those it waited for) decides TLE; wall time only guards, at
    3 x limit + 1 s.
    A runner that fails is replaced once a test; the second time the test is IE. So is the whole result where judging
    itself fails: one program must not end a run of many.
    """
    try:
        source = _source(program)
        with ExitStack() as stack:
            accepts = stack.enter_context(_acceptance(problem, interpreter))
            with _Runners(interpreter, source, problem.limits, problem.entry_point) as runners:
                tests = tuple(_judge_tests(problem, runners, accepts, stop_at_first))
    except CompileError as error:
        return Result(problem.id, Verdict.CE, 0, len(problem.tests), message=str(error))
    except Exception as error:
        message = f"the judge failed: {type(error).__name__}: {error}"
        return Result(problem.id, Verdict.IE, 0, len(problem.tests), message=message)
    passed = sum(test.verdict is Verdict.AC for test in tests)
    failed = next((test for test in tests if test.verdict is not Verdict.AC), None)
    verdict = Verdict.AC if failed is None else failed.verdict
    message = "" if failed is None else f"test {failed.name}: {failed.message}"
    return Result(problem.id, verdict, passed, len(problem.tests), tests, message, runners.sandbox)


def _source(program: Program) -> bytes:
    if not program.code.strip():
        raise CompileError("the program is empty")
    try:
        source = program.code.encode()
    except UnicodeEncodeError as error:
        line = program.code.count("\n", 0, error.start) + 1
        raise CompileError(f"line {line}: the program holds a lone surrogate, which no text file can") from error
    if b"\0" in source:
        line = source.count(b"\n", 0, source.index(0)) + 1
        raise CompileError(f"line {line}: the program holds a NUL")
    return source


class _Runners:
    """The current runner of one program, and a fresh one after a failure. Each has a folder that goes with it."""

    def __init__(self, interpreter: str, source: bytes, limits: Limits, entry_point: str | None = None) -> None:
        self._interpreter, self._source, self._limits, self._entry_point = interpreter, source, limits, entry_point
        self._stack = ExitStack()
        self.sandbox = ""
        self._runner: Runner | None = None

    def __enter__(self) -> _Runners:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, data: bytes, files: tuple[tuple[str, bytes], ...] = ()) -> Run:
        """One test, tried again once in a fresh runner. Raises JudgeFault, or CompileError."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._current().run(data, files)
            except (RunnerFailed, OSError) as error:
                self._stack.close()
                self._runner = None
                if attempt == ATTEMPTS:
                    raise JudgeFault(str(error)) from error
        raise AssertionError("unreachable")

    def _current(self) -> Runner:
        if self._runner is None:
            folder = tempfile.TemporaryDirectory(prefix="judge-", ignore_cleanup_errors=True)
            path = Path(self._stack.enter_context(folder))
            self._runner = Runner(self._interpreter, path, self._source, self._limits, self._entry_point)
            self._stack.callback(self._runner.close)
            self.sandbox = self._runner.sandbox
        return self._runner


def _judge_tests(
    problem: Problem, runners: _Runners, accepts: Accepts, stop_at_first: bool
) -> Iterator[TestResult]:
    for index, test in enumerate(problem.tests):
        name = test.name or str(index)
        try:
            if problem.io_mode == "function":
                _require_arguments(test)
            run = runners.run(test.input)
            verdict, message = _verdict(problem, test, run, accepts)
            result = TestResult(name, verdict, run.cpu_s, run.wall_s, message)
        except JudgeFault as error:
            result = TestResult(name, Verdict.IE, message=str(error))
        yield result
        if stop_at_first and result.verdict is not Verdict.AC:
            return


def _require_arguments(test: Test) -> None:
    try:
        if isinstance(json.loads(test.input), list):
            return
    except (ValueError, RecursionError):
        pass
    raise JudgeFault("the input of a function test must be a JSON array of its arguments")


def _verdict(problem: Problem, test: Test, run: Run, accepts: Accepts) -> tuple[Verdict, str]:
    limits = problem.limits
    output_bytes = int(limits.output_mb * MIB)
    if run.cpu_s > limits.time_s:
        return Verdict.TLE, f"{run.cpu_s:.2f} s of CPU time, limit {limits.time_s:g} s"
    if run.timed_out:
        return Verdict.TLE, f"still running after {run.wall_s:.2f} s, with {run.cpu_s:.2f} s of CPU time"
    if max(len(run.output), len(run.value)) > output_bytes:
        return Verdict.OLE, f"more than {limits.output_mb} MiB of output"
    if run.signal or run.exit_status:
        return _runtime_error(run, limits)
    if problem.io_mode == "function" and not run.value.startswith(b"V"):
        if run.value.startswith(b"E"):
            return Verdict.WA, run.value[1:].decode(errors="backslashreplace")
        return Verdict.RE, "the program ended before the function returned"
    reason = accepts(test, run)
    return (Verdict.AC, "") if reason is None else (Verdict.WA, reason)


def _runtime_error(run: Run, limits: Limits) -> tuple[Verdict, str]:
    if run.error.startswith("MemoryError") or "Cannot allocate memory" in run.error:
        return Verdict.MLE, f"out of memory at {limits.memory_mb} MiB"
    if run.signal:
        return Verdict.RE, f"killed by {_signal_name(run.signal)}"
    return Verdict.RE, run.error or f"exit status {run.exit_status}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextmanager
def _acceptance(problem: Problem, interpreter: str) -> Iterator[Accepts]:
    """The comparison of a problem: in this process, or by its checker program in a runner like any other."""
    checker = problem.checker
    if checker.program is None:
        yield lambda test, run: _compare(problem, test, run)
        return
    limits = replace(problem.limits, time_s=max(problem.limits.time_s, CHECKER_TIME_S))
    with _Runners(interpreter, checker.program.encode(errors="replace"), limits) as runners:
        yield lambda test, run: _ask_checker(runners, test, run)


def _compare(problem: Problem, test: Test, run: Run) -> str | None:
    output = run.value[1:] if problem.io_mode == "function" else run.output
    try:
        return compare(output, test.expected, problem.checker)
    except ValueError as error:
        raise JudgeFault(str(error)) from error


def _ask_checker(runners: _Runners, test: Test, run: Run) -> str | None:
    """Call the checker as Kattis does: `checker input answer feedback_dir < output`, 42 accepts and 43 rejects.

    Raises JudgeFault for any other end. The reason of a rejection is the last line of the checker's standard error.
    """
    files = (("input", test.input), ("answer", test.expected), ("feedback/", b""))
    try:
        check = runners.run(run.output, files)
    except CompileError as error:
        raise JudgeFault(f"the checker does not compile: {error}") from error
    if check.timed_out or check.signal:
        how = "took too long" if check.timed_out else f"was killed by {_signal_name(check.signal)}"
        raise JudgeFault(f"the checker {how}")
    if check.exit_status == CHECKER_ACCEPTS:
        return None
    if check.exit_status == CHECKER_REJECTS:
        return check.error or "rejected by the checker"
    raise JudgeFault(f"the checker ended with status {check.exit_status}, not 42 or 43: {check.error}")
