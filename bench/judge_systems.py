"""The systems that `bench_judge` compares, each in a process of its own that runs `main`.

CPU time is that of the measured process and of everything below it: for each process alive, its own user and system
time and that of the children it has waited for, after the work less before it. So short-lived children count once they
are reaped, and workers that outlive the work count while they live. The kernel gives these times in ticks of 10 ms a
process; work is therefore repeated until it has taken MIN_SECONDS.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
import types
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import psutil

from bench.judge_workloads import run_in_process
from microcoder_judge import Isolation, Judge, Problem, Submission, Test, Verdict

LIVECODEBENCH_SECONDS_A_TEST = 6
WARM_UP = Submission("print(1)", Problem("warm-up", (Test(b"", b"1\n"),)))


class System(Protocol):
    """Something that judges submissions one after another."""

    def forget(self) -> None:
        """Be ready, and remember no submission; not measured."""
        ...

    def run(self, submissions: Sequence[Submission]) -> list[Verdict]:
        """A verdict each; a system that does not tell failures apart says WA."""
        ...


class JudgeSystem:
    """microcoder_judge with one worker. one_by_one: each submission waits for the verdict of the one before."""

    def __init__(self, isolation: Isolation, cache: int = 0, reorder: bool = False, one_by_one: bool = False) -> None:
        self._isolation, self._cache, self._reorder, self._one_by_one = isolation, cache, reorder, one_by_one
        self._judge = self._make()

    def forget(self) -> None:
        if self._cache or self._reorder:
            self._judge.close()
            self._judge = self._make()

    def run(self, submissions: Sequence[Submission]) -> list[Verdict]:
        if self._one_by_one:
            return [self._judge.evaluate(submission).verdict for submission in submissions]
        return [result.verdict for result in self._judge.evaluate_many(submissions)]

    def _make(self) -> Judge:
        judge = Judge(1, isolation=self._isolation, cache=self._cache, reorder=self._reorder)
        judge.evaluate(WARM_UP)
        return judge


class Floor:
    """What no judge can be faster than: compile once, run each test in this one warm process, isolate nothing."""

    def forget(self) -> None:
        pass

    def run(self, submissions: Sequence[Submission]) -> list[Verdict]:
        return [self._judge(submission) for submission in submissions]

    def _judge(self, submission: Submission) -> Verdict:
        try:
            code = compile(submission.code, "program", "exec")
        except SyntaxError:
            return Verdict.CE
        for test in submission.problem.tests:
            try:
                if run_in_process(code, test.input).split() != test.expected.split():
                    return Verdict.WA
            except Exception:
                return Verdict.RE
        return Verdict.AC


class Naive:
    """A new interpreter for every test."""

    def forget(self) -> None:
        pass

    def run(self, submissions: Sequence[Submission]) -> list[Verdict]:
        return [self._judge(submission) for submission in submissions]

    def _judge(self, submission: Submission) -> Verdict:
        for test in submission.problem.tests:
            command = [sys.executable, "-c", submission.code]
            done = subprocess.run(command, input=test.input, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if done.returncode:
                return Verdict.RE
            if done.stdout.split() != test.expected.split():
                return Verdict.WA
        return Verdict.AC


class LiveCodeBench:
    """LiveCodeBench's own grader from a checkout of it, one generation after another in this process."""

    def __init__(self, checkout: Path) -> None:
        # Its package initialisers import every scenario and their clients; the grader needs none of them.
        for name in ("lcb_runner", "lcb_runner.evaluation"):
            package = types.ModuleType(name)
            package.__path__ = [str(checkout.joinpath(*name.split(".")))]
            sys.modules[name] = package
        from lcb_runner.evaluation.compute_code_generation_metrics import (  # type: ignore[import-not-found]
            evaluate_generations_by_problem,
        )

        self._evaluate = evaluate_generations_by_problem

    def forget(self) -> None:
        pass

    def run(self, submissions: Sequence[Submission]) -> list[Verdict]:
        return [self._judge(submission) for submission in submissions]

    def _judge(self, submission: Submission) -> Verdict:
        tests = submission.problem.tests
        columns = {
            "inputs": [test.input.decode() for test in tests],
            "outputs": [test.expected.decode() for test in tests],
        }
        sample = {"input_output": json.dumps(columns)}
        results, _ = self._evaluate(([submission.code], sample, False, LIVECODEBENCH_SECONDS_A_TEST))
        outcomes = results[0]
        return Verdict.AC if len(outcomes) == len(tests) and all(one is True for one in outcomes) else Verdict.WA


@dataclass(frozen=True, slots=True)
class Measure:
    """Seconds of one pass over the submissions (the mean of the passes made), and its verdicts."""

    cpu_s: float
    wall_s: float
    verdicts: tuple[Verdict, ...]


def make_system(name: str, livecodebench: Path | None) -> System:
    if name == "LiveCodeBench" and livecodebench:
        return LiveCodeBench(livecodebench)
    systems: dict[str, Callable[[], System]] = {
        "judge": lambda: JudgeSystem("batch"),
        "judge, a process a test": lambda: JudgeSystem("test"),
        "judge, as used in RL": lambda: JudgeSystem("batch", cache=100_000, reorder=True),
        "judge, one by one": lambda: JudgeSystem("batch", one_by_one=True),
        "judge, one by one, a process a test": lambda: JudgeSystem("test", one_by_one=True),
        "floor": Floor,
        "naive": Naive,
    }
    return systems[name]()


def measure(system: System, submissions: Sequence[Submission], min_seconds: float) -> Measure:
    """Whole passes until they have taken `min_seconds`; each begins with nothing remembered. One in which a worn worker
    was replaced does not count: the CPU time of its programs is gone from what can be seen."""
    cpu_s = wall_s = 0.0
    passes = 0
    verdicts: list[Verdict] = []
    while wall_s < min_seconds:
        system.forget()
        cpu_before, before = tree_cpu_s(), time.perf_counter()
        verdicts = system.run(submissions)
        wall, cpu = time.perf_counter() - before, tree_cpu_s() - cpu_before
        if cpu < 0:
            continue
        wall_s, cpu_s, passes = wall_s + wall, cpu_s + cpu, passes + 1
    return Measure(cpu_s / passes, wall_s / passes, tuple(verdicts))


def tree_cpu_s() -> float:
    """CPU seconds so far of this process, of those below it, and of those that any of them has waited for."""
    me = psutil.Process()
    total = 0.0
    for process in (me, *me.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def main() -> None:
    """Measure what the connection asks for until it closes. resident_mb: memory that this process holds meanwhile."""
    parser = ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("connection", type=int)
    parser.add_argument("--resident-mb", type=int, default=0)
    parser.add_argument("--livecodebench", type=Path)
    arguments = parser.parse_args()
    system = make_system(arguments.name, arguments.livecodebench)
    held = b"\1" * (arguments.resident_mb << 20)
    connection: Connection[Any, Any] = Connection(arguments.connection)
    with contextlib.suppress(EOFError):
        while True:
            submissions, min_seconds = connection.recv()
            connection.send(measure(system, submissions, min_seconds))
    del held
