"""Does the judge leak, and do its verdicts hold under load? `python -m bench.bench_judge_endurance [leak|flake]`.

leak   Many tiny programs through one judge, nearly all different, each with a problem of its own, 60 % failing. The
       processes of its tree (this one without its workloads, and all below it) are counted with their resident memory
       and descriptors after each twentieth part, when nothing is being judged. Flat means that the largest count of
       processes and of descriptors and the mean memory of the last quarter exceed those of the second quarter by at
       most 2 processes, 8 descriptors and 5 %. What the judge remembers is bounded: its results, here by a twentieth of
       the programs, and its 10,000 latest problems. From 40,000 programs on both are full when the second quarter
       begins; in a shorter run they still fill, and the memory need not look flat.
flake  The same programs judged RUNS times while 4 busy processes a core compete, with the result cache off. A verdict
       other than the one meant is a change, and IE too; programs that use more than two thirds of their time limit are
       in the band where a TLE may change, and there are none here but those that loop for ever.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import mean
from typing import Any

import psutil

from bench.judge_workloads import Workload, make_workload
from bench.tables import print_table
from microcoder_judge import Judge, Limits, Verdict

SAMPLES = 20
MORE_PROCESSES, MORE_DESCRIPTORS, MORE_MEMORY = 2, 8, 1.05
COPIES_OF_EVERY = 25
BUSY_A_CORE, BUSY_AT_MOST_S = 4, 3600
ENDLESS = "while True:\n    pass\n"
SHORT = Limits(time_s=0.5)


@dataclass(frozen=True, slots=True)
class Sample:
    """The judge's process tree at rest. programs: judged so far; memory_mb: resident, summed, in MiB."""

    programs: int
    processes: int
    descriptors: int
    memory_mb: float
    seconds: float


def take_sample(programs: int, seconds: float) -> Sample:
    me = psutil.Process()
    processes = descriptors = memory = 0
    for process in (me, *me.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            memory += process.memory_info().rss
            descriptors += process.num_fds()
            processes += 1
    return Sample(programs, processes, descriptors, memory / 2**20, seconds)


def leak(arguments: Any) -> bool:
    """Whether everything stayed flat."""
    a_part = max(arguments.programs // SAMPLES, 1)
    samples: list[Sample] = []
    wrong = 0
    spent = 0.0
    with Judge(arguments.workers, cache=a_part) as judge:
        for part in range(SAMPLES):
            workload = make_workload("tiny", a_part, mix=True, tests=3, a_problem=1, seed=part)
            submissions = list(workload.submissions)
            submissions[::COPIES_OF_EVERY] = submissions[:1] * len(submissions[::COPIES_OF_EVERY])
            meant = list(workload.meant)
            meant[::COPIES_OF_EVERY] = meant[:1] * len(meant[::COPIES_OF_EVERY])
            before = time.perf_counter()
            results = judge.evaluate_many(submissions)
            spent += time.perf_counter() - before
            wrong += sum(result.verdict != verdict for result, verdict in zip(results, meant, strict=True))
            del workload, submissions, results
            samples.append(take_sample(a_part * (part + 1), spent))
            print(samples[-1], file=sys.stderr)
    header = ("programs", "processes", "descriptors", "resident MiB", "judging s")
    shown = [
        (str(s.programs), str(s.processes), str(s.descriptors), f"{s.memory_mb:.1f}", f"{s.seconds:.0f}")
        for s in samples
    ]
    print_table(header, shown)
    flat = is_flat(samples)
    print(f"\n{a_part * SAMPLES} programs: {'flat' if flat else 'NOT FLAT'}; verdicts other than meant: {wrong}")
    return flat and not wrong


def is_flat(samples: Sequence[Sample]) -> bool:
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    return (
        max(s.processes for s in late) <= max(s.processes for s in early) + MORE_PROCESSES
        and max(s.descriptors for s in late) <= max(s.descriptors for s in early) + MORE_DESCRIPTORS
        and mean(s.memory_mb for s in late) <= MORE_MEMORY * mean(s.memory_mb for s in early)
    )


def flake(arguments: Any) -> bool:
    """Whether no verdict changed."""
    workload = flake_workload(arguments.solutions)
    changes: Counter[str] = Counter()
    with busy_processes(), Judge(arguments.workers, cache=0) as judge:
        for run in range(arguments.runs):
            before = time.perf_counter()
            results = judge.evaluate_many(workload.submissions)
            for result, meant in zip(results, workload.meant, strict=True):
                if result.verdict != meant:
                    changes[f"{meant} -> {result.verdict}"] += 1
                    print(
                        f"run {run + 1}: program {result.submission_id}: {meant} -> {result.verdict}: {result.message}"
                    )
            print(f"run {run + 1}: {time.perf_counter() - before:.0f} s", file=sys.stderr)
    told = ", ".join(f"{name} {count}" for name, count in changes.items()) or "none"
    load = f"{BUSY_A_CORE} busy processes a core"
    print(f"{len(workload.submissions)} programs x {arguments.runs} runs, {load}: verdict changes: {told}")
    return not changes


def flake_workload(solutions: int) -> Workload:
    """Half tiny and half moderate, 60 % failing, and one in fifty a program that never ends."""
    parts = [
        make_workload("tiny", solutions // 2, mix=True),
        make_workload("moderate", solutions - solutions // 2, mix=True),
    ]
    submissions = [submission for part in parts for submission in part.submissions]
    meant = [verdict for part in parts for verdict in part.meant]
    for n in range(0, len(submissions), 50):
        problem = replace(submissions[n].problem, limits=SHORT)
        submissions[n] = replace(submissions[n], code=f"endless_{n} = 1\n{ENDLESS}", problem=problem)
        meant[n] = Verdict.TLE
    return Workload("flake", tuple(replace(one, id=str(n)) for n, one in enumerate(submissions)), tuple(meant))


@contextmanager
def busy_processes() -> Iterator[None]:
    """Processes that keep all cores busy; each ends by itself after an hour even if this process is killed."""
    until = f"import time\nend = time.time() + {BUSY_AT_MOST_S}\nwhile time.time() < end: pass"
    count = BUSY_A_CORE * len(os.sched_getaffinity(0))
    running = [subprocess.Popen([sys.executable, "-I", "-S", "-c", until]) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_judge_endurance", description="Leaks and flakes of the judge.")
    parser.add_argument("what", choices=("leak", "flake"))
    parser.add_argument("--programs", type=int, default=100_000, help="leak: programs (100,000)")
    parser.add_argument("--solutions", type=int, default=1000, help="flake: programs (1,000)")
    parser.add_argument("--runs", type=int, default=5, help="flake: times each is judged (5)")
    parser.add_argument("--workers", type=int, default=0, help="programs at a time (0: one a core)")
    parser.add_argument("--quick", action="store_true", help="leak: 2,000 programs; flake: 100 programs, 2 runs")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.programs, arguments.solutions, arguments.runs = 2_000, 100, 2
    sys.exit(0 if (leak if arguments.what == "leak" else flake)(arguments) else 1)


if __name__ == "__main__":
    main()
