"""One submission on its way to a result: which tests run where, what is believed, and what is looked at again."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from microcoder_judge._job import BROKEN, LEFT, READY
from microcoder_judge.compare import compare
from microcoder_judge.livecodebench import compare_livecodebench
from microcoder_judge.records import Checker, Isolation, Limits, Problem, Result, Submission, TestResult, Verdict
from microcoder_judge.worker import HARNESS, MIB, Job, Record, TestFiles, WorkerFailed

if TYPE_CHECKING:
    from microcoder_judge.engine import Engine, Place

ATTEMPTS = 2
TESTS_A_JOB, BYTES_A_JOB = 64, 64 * MIB
"""Tests and bytes of input that one job holds (ours)."""
CHECKER = "checker "
"""Before a flavour's name: a worker that runs checkers, and so must never run a program."""
CHECKER_TIME_S, CHECKER_MEMORY_MB = 10.0, 1024
KATTIS_ACCEPTS, KATTIS_REJECTS = 42, 43
TESTLIB_ACCEPTS, TESTLIB_REJECTS = 0, (1, 2)

Outcome = tuple[Verdict, str]


class JudgeFault(Exception):
    """A test cannot be judged: a broken expected value, a failing checker, a worker that fails twice."""


class CompileError(Exception):
    """The program does not compile; the message holds the line."""


@dataclass(frozen=True, slots=True)
class Built:
    """A program as it can be run: source text, or machine code; and the flavour of worker that it needs."""

    program: bytes
    native: bool
    flavour: str


@dataclass(frozen=True, slots=True)
class Run:
    """What one test came to. fresh: nothing had run before in its process, so a failure is the program's own."""

    record: Record
    output: bytes
    error: str
    fresh: bool


class Case:
    """One submission, judged in a place of an engine."""

    def __init__(self, engine: Engine, place: Place, submission: Submission, isolation: Isolation) -> None:
        self._engine, self._place, self._submission, self._isolation = engine, place, submission, isolation
        self._problem = submission.problem
        self._facts = engine.memory.facts(self._problem)
        self._checker = self._facts.checker
        self._found: dict[int, TestResult] = {}
        self._level = ""
        self._spoiled = False

    @property
    def accepted(self) -> bool:
        return all(test.verdict is Verdict.AC for test in self._found.values())

    def audited(self, key: bytes) -> bool:
        """Chosen by hash, so that the same program is always or never audited."""
        batch = self._isolation == "batch" and len(self._problem.tests) > 1
        return batch and int.from_bytes(key[:8], "big") < self._engine.audit * 2**64

    def result(self) -> Result:
        """What was found, in the problem's order."""
        tests = tuple(test for _, test in sorted(self._found.items()))
        failed = next((test for test in tests if test.verdict is not Verdict.AC), None)
        return Result(
            problem_id=self._problem.id,
            verdict=Verdict.AC if failed is None else failed.verdict,
            passed=sum(test.verdict is Verdict.AC for test in tests),
            total=len(self._problem.tests),
            tests=tests,
            message="" if failed is None else f"test {failed.name}: {failed.message}",
            sandbox=self._level,
            tolerance_assumed=self._facts.tolerance_assumed,
            submission_id=self._submission.id,
        )

    async def judge(self, built: Built) -> None:
        """Run the tests until one fails, if that ends it, or all have run. Raises CompileError."""
        memory, problem, stop = self._engine.memory, self._problem, self._submission.stop_on_fail
        key = self._facts.key
        left = list(memory.order(key, problem) if self._engine.reorder and stop else range(len(problem.tests)))
        apart = self._isolation == "test" or built.native
        while left:
            chunk = _chunk(problem, left)
            ran = await self._run(built, chunk, apart)
            if apart and not ran:
                raise JudgeFault("the program could not be started in a process of its own")
            spoiled, doubted = self._spoiled and not apart, None
            for test, run, outcome in ran:
                self._found[test] = self._test_result(test, run, outcome)
                if run.record.ended and not apart and doubted is not None:
                    # What ended its process may have spoken for the test before.
                    await self._once_more(built, doubted)
                if spoiled and test == ran[-1][0]:
                    # And what spoiled it, for its last one.
                    await self._once_more(built, test)
                if outcome[0] is not Verdict.AC:
                    await self._look_again(built, test, run)
                failed = next((n for n in (doubted, test) if n is not None and not self._passed(n)), None)
                if failed is not None:
                    memory.failed(key, failed)
                    if stop:
                        return
                doubted = test
            left = left[len(ran) :]
            # What ended its process early, or may have harmed it, goes on with a process a test.
            apart = apart or len(ran) < len(chunk)

    async def _run(self, built: Built, tests: Sequence[int], apart: bool) -> list[tuple[int, Run, Outcome]]:
        """Run tests in one job, as far as its process lasts or up to the first failure."""
        ran: list[tuple[int, Run, Outcome | None]] = []
        try:
            for test in tests if self._problem.io_mode == "function" else ():
                _require_arguments(self._problem.tests[test].input)
            async with aclosing(self._runs(built, tests, apart)) as runs:
                async for run in runs:
                    test = tests[len(ran)]
                    outcome = self._outcome(test, run)
                    ran.append((test, run, outcome))
                    if outcome is not None and outcome[0] is not Verdict.AC and self._submission.stop_on_fail:
                        break
            unchecked = [(test, run) for test, run, outcome in ran if outcome is None]
            checked = iter(await self._ask_checker(unchecked) if unchecked else ())
        except (JudgeFault, ValueError) as error:
            fault = Record(tests[len(ran)] if len(ran) < len(tests) else tests[-1], 0, 0, 0.0, 0.0, "", 0.0, 0, 0)
            test = fault.test
            known = [(n, run, outcome) for n, run, outcome in ran if outcome is not None and n != test]
            return [*known, (test, Run(fault, b"", "", True), (Verdict.IE, str(error)))]
        return [(test, run, outcome or next(checked)) for test, run, outcome in ran]

    async def _runs(self, built: Built, tests: Sequence[int], apart: bool) -> AsyncGenerator[Run, None]:
        """What the program did on each test; ends early where its process cannot be used any further.

        Raises CompileError, or JudgeFault when a second worker fails too.
        """
        self._spoiled = False
        for attempt in range(1, ATTEMPTS + 1):
            seen = False
            try:
                with self._job(built, tests, apart) as job:
                    async with self._place.slot.turn(built.flavour, job) as turn:
                        self._level = turn.worker.level
                        async for record in turn.records:
                            if record.test == READY and not record.ended:
                                continue
                            _require_compiled(record, job)
                            if record.test == LEFT:
                                self._spoiled = True
                                return
                            seen = True
                            untold = record.ended and record.exit_status == HARNESS
                            fresh = apart or (record.test == 0 and not untold)
                            smooth = not (record.exit_status or record.signal)
                            error = "" if smooth else job.error(record.error_end)
                            yield Run(record, job.output(record), error, fresh)
                return
            except WorkerFailed as error:
                self._engine.counts["worker_failures"] += 1
                if seen:
                    return
                if attempt == ATTEMPTS:
                    raise JudgeFault(str(error)) from error

    def _job(self, built: Built, tests: Sequence[int], apart: bool) -> Job:
        problem = self._problem
        return Job(
            built.program,
            [TestFiles(problem.tests[test].input) for test in tests],
            problem.limits,
            apart=apart,
            native=built.native,
            entry_point=problem.entry_point,
            preamble=problem.preamble,
            stop_on_fail=self._submission.stop_on_fail,
        )

    async def _look_again(self, built: Built, test: int, run: Run) -> None:
        """Run a failure once more where its process was not fresh; one near the time limit with nothing beside it."""
        if self._found[test].verdict is Verdict.IE:
            return
        if run.record.cpu_s > self._problem.limits.time_s and not run.record.stopped:
            self._engine.counts["run_alone"] += 1
            async with self._place.alone():
                await self._once_more(built, test)
        elif not run.fresh:
            self._engine.counts["confirmed"] += 1
            await self._once_more(built, test)

    async def _once_more(self, built: Built, test: int) -> None:
        """Run one test in a fresh process, and believe that. A job of one test is one; where the process is harmed,
        only one whose end the harness does not report."""
        ran = await self._run(built, [test], apart=built.native)
        if self._spoiled or not ran or not ran[0][1].fresh:
            ran = await self._run(built, [test], apart=True)
        if not ran:
            raise JudgeFault("the program could not be started in a process of its own")
        self._found[test] = self._test_result(*ran[0])

    def _passed(self, test: int) -> bool:
        return self._found[test].verdict is Verdict.AC

    def _test_result(self, test: int, run: Run, outcome: Outcome) -> TestResult:
        record = run.record
        name = self._problem.tests[test].name or str(test)
        return TestResult(name, outcome[0], record.cpu_s, record.wall_s, record.memory_mb, outcome[1])

    def _outcome(self, test: int, run: Run) -> Outcome | None:
        """What an online judge says of the run; None where the checker's program must say it."""
        record, limits, function = run.record, self._problem.limits, self._problem.io_mode == "function"
        if record.cpu_s > limits.time_s:
            return Verdict.TLE, f"{record.cpu_s:.2f} s of CPU time, limit {limits.time_s:g} s"
        if record.stopped:
            return Verdict.TLE, f"still running after {record.wall_s:.2f} s, with {record.cpu_s:.2f} s of CPU time"
        if len(run.output) > int(limits.output_mb * MIB):
            return Verdict.OLE, f"more than {limits.output_mb} MiB of output"
        if record.signal or record.exit_status:
            return _runtime_error(run, limits)
        if function and not run.output.startswith(b"V"):
            if run.output.startswith(b"E"):
                return Verdict.WA, run.output[1:].decode(errors="backslashreplace")
            return Verdict.RE, "the program ended before the function returned"
        return self._judged(test, run)

    def _judged(self, test: int, run: Run) -> Outcome | None:
        """Of a run that ended well: is its output right? None where the checker's program must say it."""
        if self._checker.program is not None:
            return None
        reason = self._compared(self._answer(run), self._problem.tests[test].expected)
        return (Verdict.AC, "") if reason is None else (Verdict.WA, reason)

    def _answer(self, run: Run) -> bytes:
        """What it wrote, or the value that it returned."""
        return run.output[1:] if self._problem.io_mode == "function" else run.output

    def _compared(self, output: bytes, expected: bytes) -> str | None:
        if self._engine.strict:
            return compare_livecodebench(output, expected, self._problem)
        return compare(output, expected, self._checker)

    async def _ask_checker(self, runs: Sequence[tuple[int, Run]]) -> list[Outcome]:
        """What the checker's program says of outputs, each in a worker that never runs programs.

        Raises JudgeFault where it says nothing of one.
        """
        checker = self._checker
        assert checker.program is not None
        protocol = checker_protocol(checker)
        try:
            built = await self._engine.build(self._place.slot, checker.program.encode(), checker.language, CHECKER)
        except CompileError as error:
            raise JudgeFault(f"the checker does not compile: {error}") from error
        limits = Limits(max(self._problem.limits.time_s, CHECKER_TIME_S), CHECKER_MEMORY_MB)
        third = ("feedback/",) if protocol == "kattis" else ()
        names = ("input", "answer", *third) if protocol == "kattis" else ("input", "output", "answer")
        outcomes: list[Outcome] = []
        for start in range(0, len(runs), TESTS_A_JOB):
            part = runs[start : start + TESTS_A_JOB]
            tests = []
            for test, run in part:
                case = self._problem.tests[test]
                files = [("input", case.input), ("answer", case.expected)]
                files += [("feedback/", b"")] if protocol == "kattis" else [("output", run.output)]
                tests.append(TestFiles(run.output, tuple(files)))
            job = Job(built.program, tests, limits, apart=True, native=built.native,
                      arguments=(*names, *checker.flags))  # fmt: skip
            outcomes += await self._checker_job(built, job, protocol)
        return outcomes

    async def _checker_job(self, built: Built, job: Job, protocol: str) -> list[Outcome]:
        outcomes: list[Outcome] = []
        try:
            with job:
                async with self._place.slot.turn(built.flavour, job) as turn:
                    async for record in turn.records:
                        if record.test >= 0:
                            outcomes.append(_checked(record, job.error(record.error_end), protocol))
                        elif record.test == BROKEN or record.ended:
                            raise JudgeFault(f"the checker does not compile: {job.errors().strip()}")
        except WorkerFailed as error:
            raise JudgeFault(f"the checker's worker failed: {error}") from error
        if len(outcomes) != len(job.tests):
            raise JudgeFault("the checker did not judge every output")
        return outcomes


class Execution(Case):
    """A program that is only run: what ends well is accepted, and its answer kept."""

    def audited(self, key: bytes) -> bool:
        return False

    def _judged(self, test: int, run: Run) -> Outcome:
        return Verdict.AC, ""

    def _test_result(self, test: int, run: Run, outcome: Outcome) -> TestResult:
        result = super()._test_result(test, run, outcome)
        return replace(result, output=self._answer(run)) if result.verdict is Verdict.AC else result


def checker_protocol(checker: Checker) -> str:
    """`kattis` or `testlib`; see `Checker.protocol`."""
    if checker.protocol is not None:
        return checker.protocol
    text = checker.program or ""
    return "kattis" if "testlib" not in text and ("42" in text or "43" in text) else "testlib"


def _checked(record: Record, error: str, protocol: str) -> Outcome:
    """A checker's answer. Raises JudgeFault for any end that is none."""
    if record.stopped or record.signal:
        how = "took too long" if record.stopped else f"was killed by {signal_name(record.signal)}"
        raise JudgeFault(f"the checker {how}")
    status = record.exit_status
    broke = protocol == "testlib" and status == 1 and _traceback(error)
    accepts = KATTIS_ACCEPTS if protocol == "kattis" else TESTLIB_ACCEPTS
    rejects = (KATTIS_REJECTS,) if protocol == "kattis" else TESTLIB_REJECTS
    if status == accepts:
        return Verdict.AC, ""
    if status in rejects and not broke:
        return Verdict.WA, error or "rejected by the checker"
    wanted = "42 or 43" if protocol == "kattis" else "0, 1 or 2"
    raise JudgeFault(f"the checker ended with status {status}, not {wanted}: {error}")


def _traceback(error: str) -> bool:
    """Whether the last line of standard error is that of an exception which nobody caught."""
    name = error.partition(":")[0].rpartition(".")[2]
    return name.isidentifier() and name.endswith(("Error", "Exception", "Interrupt", "Exit"))


def _require_arguments(text: bytes) -> None:
    try:
        if isinstance(json.loads(text), list):
            return
    except (ValueError, RecursionError):
        pass
    raise JudgeFault("the input of a function test must be a JSON array of its arguments")


def _require_compiled(record: Record, job: Job) -> None:
    if record.test == BROKEN:
        raise CompileError(job.errors().strip() or "the program does not compile")
    if record.test == READY:
        raise CompileError("the compiler took too long" if record.stopped else "the compiler crashed on this program")


def _runtime_error(run: Run, limits: Limits) -> Outcome:
    name = run.error.partition(":")[0]
    if name.endswith("MemoryError") or "Cannot allocate memory" in run.error or "std::bad_alloc" in run.error:
        return Verdict.MLE, f"out of memory at {limits.memory_mb} MiB"
    if run.record.signal:
        return Verdict.RE, f"killed by {signal_name(run.record.signal)}"
    return Verdict.RE, run.error or f"exit status {run.record.exit_status}"


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _chunk(problem: Problem, tests: Sequence[int]) -> Sequence[int]:
    """As many of the next tests as one job holds, at least one."""
    size, count = 0, 0
    for test in tests[:TESTS_A_JOB]:
        size += len(problem.tests[test].input)
        if count and size > BYTES_A_JOB:
            break
        count += 1
    return tests[:count]
