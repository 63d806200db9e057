"""Speed of the judge, side by side with LiveCodeBench's grader: `python -m bench.bench_judge --livecodebench CHECKOUT`.

The checkout is one of the LiveCodeBench repository, fetched by whoever runs this; without it the rows that need it are
left out. Every system judges the same generated programs (`judge_workloads`), one at a time, in a process of its own
(`judge_systems`, which says how CPU time is taken). In each round the systems take turns; a figure is the median over
the rounds of the ratio within a round. `judge` has its result cache off and keeps the order of the tests; only the rows
"as used in RL" have both, beginning with an empty cache. Bars and stretches are the goals set for this judge.
"""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from bench.judge_systems import Measure
from bench.judge_workloads import TESTS_A_PROBLEM, Workload, make_workload
from bench.tables import print_table
from microcoder_judge import Verdict

RESIDENT_MB = 4096
LCB, JUDGE, FORKING, IN_RL, FLOOR, NAIVE = (
    "LiveCodeBench",
    "judge",
    "judge, a process a test",
    "judge, as used in RL",
    "floor",
    "naive",
)
ONE_BY_ONE, ONE_BY_ONE_FORKING = "judge, one by one", "judge, one by one, a process a test"
TINY, MODERATE, TINY_MIX, MODERATE_MIX, TINY_RL, MODERATE_RL, ONE_TEST, MANY_TESTS = (
    "tiny",
    "moderate",
    "tiny mix",
    "moderate mix",
    "tiny in RL",
    "moderate in RL",
    "one trivial test",
    "many trivial tests",
)

Round = Mapping[tuple[str, str], Measure]
"""The measures of one round by system and workload."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: its value in a round, and the least (or, with `at_most`, the most) that it must be.

    bound: what the floor in the judge's place would reach, where that is a bound of the figure.
    """

    name: str
    value: Callable[[Round], float]
    bar: float
    stretch: float | None
    unit: str
    bound: Callable[[Round], float] | None = None
    at_most: bool = False

    def line(self, rounds: Sequence[Round]) -> tuple[str, ...] | None:
        """Cells of the printed row; None where a system was not measured."""
        try:
            values = [self.value(measured) for measured in rounds]
        except KeyError:
            return None
        figure = median(values)
        reached = figure <= self.bar if self.at_most else figure >= self.bar
        return (
            self.name,
            f"{figure:.2f} {self.unit}",
            f"{min(values):.2f} to {max(values):.2f}",
            f"{'<=' if self.at_most else '>='} {self.bar:g}",
            "" if self.stretch is None else f"{self.stretch:g}",
            "" if self.bound is None else f"{median(map(self.bound, rounds)):.2f}",
            "reached" if reached else "below",
        )


def cpu_ratio(slow: str, fast: str, workload: str) -> Callable[[Round], float]:
    return lambda measured: measured[slow, workload].cpu_s / measured[fast, workload].cpu_s


def wall_ratio(slow: str, fast: str, workload: str) -> Callable[[Round], float]:
    return lambda measured: measured[slow, workload].wall_s / measured[fast, workload].wall_s


def rows(solutions: int) -> list[Row]:
    def floor_share(measured: Round) -> float:
        return 100 * measured[FLOOR, MODERATE].cpu_s / measured[JUDGE, MODERATE].cpu_s

    def overhead_ms(measured: Round) -> float:
        return 1000 * measured[ONE_BY_ONE, ONE_TEST].wall_s / solutions

    def further_test_ms(measured: Round) -> float:
        one, many = measured[ONE_BY_ONE_FORKING, ONE_TEST].wall_s, measured[ONE_BY_ONE_FORKING, MANY_TESTS].wall_s
        return 1000 * (many - one) / (TESTS_A_PROBLEM - 1) / solutions

    moderate_bound, moderate_mix_bound = cpu_ratio(LCB, FLOOR, MODERATE), wall_ratio(LCB, FLOOR, MODERATE_MIX)
    fat = f"{RESIDENT_MB >> 10} GB resident"
    return [
        Row("equal work, tiny, all pass: CPU", cpu_ratio(LCB, JUDGE, TINY), 10, 15, "x"),
        Row("equal work, moderate, all pass: CPU", cpu_ratio(LCB, JUDGE, MODERATE), 1.6, 1.75, "x", moderate_bound),
        Row("equal work, moderate, all pass: share of the floor's speed", floor_share, 88, None, "%"),
        Row("60 % failing, moderate: wall", wall_ratio(LCB, JUDGE, MODERATE_MIX), 2.2, None, "x", moderate_mix_bound),
        Row("60 % failing, tiny: wall", wall_ratio(LCB, JUDGE, TINY_MIX), 12, None, "x"),
        Row("as used in RL, moderate: wall", wall_ratio(LCB, IN_RL, MODERATE_RL), 2.2, 3, "x"),
        Row("as used in RL, tiny: wall", wall_ratio(LCB, IN_RL, TINY_RL), 12, 20, "x"),
        Row(f"caller with {fat}, tiny, all pass: wall", wall_ratio(fat_name(LCB), fat_name(JUDGE), TINY), 20, 50, "x"),
        Row("one trivial test, whole overhead: wall", overhead_ms, 2, 1.2, "ms", at_most=True),
        Row("a process a test, each further test: wall", further_test_ms, 1.5, 0.8, "ms", at_most=True),
    ]


def fat_name(system: str) -> str:
    return f"{system}, fat caller"


def make_workloads(solutions: int) -> dict[str, Workload]:
    return {
        TINY: make_workload("tiny", solutions),
        MODERATE: make_workload("moderate", solutions),
        TINY_MIX: make_workload("tiny", solutions, mix=True),
        MODERATE_MIX: make_workload("moderate", solutions, mix=True),
        TINY_RL: make_workload("tiny", solutions, mix=True, duplicates=True),
        MODERATE_RL: make_workload("moderate", solutions, mix=True, duplicates=True),
        ONE_TEST: make_workload("trivial", solutions, tests=1),
        MANY_TESTS: make_workload("trivial", solutions),
    }


def plan(livecodebench: bool, naive: bool) -> list[tuple[str, str]]:
    """What one round measures, systems taking turns on each workload."""
    pairs = []
    for workload in (TINY, MODERATE, TINY_MIX, MODERATE_MIX):
        pairs += [(system, workload) for system in (JUDGE, FORKING, FLOOR)]
        pairs += [(NAIVE, workload)] * naive + [(LCB, workload)] * livecodebench
    for workload in (TINY_RL, MODERATE_RL):
        pairs += [(IN_RL, workload)] + [(LCB, workload)] * livecodebench
    pairs += [(ONE_BY_ONE, ONE_TEST), (ONE_BY_ONE_FORKING, ONE_TEST), (ONE_BY_ONE_FORKING, MANY_TESTS)]
    return pairs


class Process:
    """A system in a process of its own, exec'ed without this one's memory."""

    def __init__(self, system: str, livecodebench: Path | None, resident_mb: int) -> None:
        self._system = system
        self._ours, theirs = Pipe()
        command = [sys.executable, "-c", "from bench.judge_systems import main; main()", system, str(theirs.fileno())]
        command += ["--resident-mb", str(resident_mb)]
        command += ["--livecodebench", str(livecodebench)] if livecodebench else []
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()

    def measure(self, workload: Workload, min_seconds: float) -> Measure:
        """Raises SystemExit when the system's process ends, or when a verdict is not the one that is meant."""
        try:
            self._ours.send((workload.submissions, min_seconds))
            measured: Measure = self._ours.recv()
        except (EOFError, ConnectionError):
            raise SystemExit(f"the process of {self._system!r} ended; its message is above") from None
        tells_kinds = not self._system.startswith(LCB)
        for got, meant, submission in zip(measured.verdicts, workload.meant, workload.submissions, strict=True):
            if got != meant if tells_kinds else (got is Verdict.AC) != (meant is Verdict.AC):
                program = f"program {submission.id} of {workload.name!r}"
                raise SystemExit(f"{self._system!r} says {got} of {program}, which is meant to get {meant}")
        return measured

    def close(self) -> None:
        self._ours.close()
        self._process.wait()


@contextmanager
def processes(names: Sequence[str], livecodebench: Path | None, resident_mb: int = 0) -> Iterator[dict[str, Process]]:
    with ExitStack() as stack:
        found = {}
        for name in names:
            found[name] = Process(name, livecodebench, resident_mb)
            stack.callback(found[name].close)
        yield found


def run_rounds(
    arguments: Any, workloads: Mapping[str, Workload], pairs: Sequence[tuple[str, str]], resident_mb: int = 0
) -> list[dict[tuple[str, str], Measure]]:
    rounds: list[dict[tuple[str, str], Measure]] = []
    names = list(dict.fromkeys(system for system, _ in pairs))
    with processes(names, arguments.livecodebench, resident_mb) as found:
        for number in range(arguments.rounds):
            measured = {}
            for system, workload in pairs if number % 2 == 0 else reversed(pairs):
                name = fat_name(system) if resident_mb else system
                measured[name, workload] = found[system].measure(workloads[workload], arguments.seconds)
                print(f"round {number + 1}: {name} on {workload}", file=sys.stderr)
            rounds.append(measured)
    return rounds


def systems_table(rounds: Sequence[Round], workloads: Mapping[str, Workload], solutions: int) -> list[tuple[str, ...]]:
    lines: list[tuple[str, ...]] = []
    for system, workload in sorted(rounds[0], key=lambda pair: list(workloads).index(pair[1])):
        cpu_s = median(measured[system, workload].cpu_s for measured in rounds)
        wall_s = median(measured[system, workload].wall_s for measured in rounds)
        cells = (f"{1000 * cpu_s / solutions:.2f}", f"{1000 * wall_s / solutions:.2f}", f"{solutions / wall_s:.0f}")
        lines.append((workloads[workload].name, system, *cells))
    return lines


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_judge", description="Speed of the judge.")
    parser.add_argument("--livecodebench", type=Path, metavar="CHECKOUT", help="a checkout of LiveCodeBench")
    parser.add_argument("--solutions", type=int, default=100, help="programs of each workload (100)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; 3 or more for figures to publish (3)")
    parser.add_argument("--seconds", type=float, default=1.0, help="least time of a measurement, in seconds (1)")
    parser.add_argument("--naive", action="store_true", help="also a new interpreter for every test (slow)")
    parser.add_argument("--quick", action="store_true", help="20 programs, one round: does it work?")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.solutions, arguments.rounds, arguments.seconds = 20, 1, 0.2
    if arguments.livecodebench and not (arguments.livecodebench / "lcb_runner").is_dir():
        parser.error(f"no folder lcb_runner in {arguments.livecodebench}; give a checkout of LiveCodeBench")
    solutions = arguments.solutions
    workloads = make_workloads(solutions)
    rounds = run_rounds(arguments, workloads, plan(arguments.livecodebench is not None, arguments.naive))
    fat_pairs = [(JUDGE, TINY)] + [(LCB, TINY)] * (arguments.livecodebench is not None)
    if psutil.virtual_memory().available >> 20 > 2.5 * RESIDENT_MB:
        fat = run_rounds(arguments, workloads, fat_pairs, RESIDENT_MB)
        rounds = [one | other for one, other in zip(rounds, fat, strict=True)]
    else:
        print(f"left out: two callers of {RESIDENT_MB} MiB do not fit in the memory of this machine", file=sys.stderr)
    print(f"{solutions} programs a workload, {TESTS_A_PROBLEM} tests each, {len(rounds)} rounds, one worker\n")
    header = ("workload", "system", "CPU ms a program", "wall ms a program", "programs/s")
    print_table(header, systems_table(rounds, workloads, solutions))
    print()
    lines = [line for row in rows(solutions) if (line := row.line(rounds))]
    print_table(("LiveCodeBench / judge, or as said", "median", "range", "bar", "stretch", "floor", ""), lines)


if __name__ == "__main__":
    main()
