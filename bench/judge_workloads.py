"""Programs and tests made up here for the judge's benchmarks: seeded, each with the verdict that it is meant to get."""

from __future__ import annotations

import contextlib
import io
import random
import sys
from dataclasses import dataclass, replace
from typing import Literal

from microcoder_judge import Problem, Submission, Test, Verdict

Size = Literal["trivial", "tiny", "moderate"]

TESTS_A_PROBLEM = 20
SUBMISSIONS_A_PROBLEM = 8
FAILING, AT_THE_FIRST_TEST, DUPLICATES = 0.6, 0.33, 0.1
FAULTS = {Verdict.WA: 0.7, Verdict.RE: 0.25, Verdict.CE: 0.05}
IN_A_FUNCTION = 3
"""Of five programs, how many loop inside a function, the rest at top level: as LiveCodeBench's recorded generations for
stdin problems do (57 % of the loops there)."""

STRIDES = (1, 2, 3, 5)
"""A faulty program fails on every stride-th test from its first failing one on."""

VALUES: dict[Size, int] = {"trivial": 3, "tiny": 20, "moderate": 130}

TINY = (
    "answer = sum(values) % 1009",
    "answer = len(set(values))",
    "answer = max(after - before for before, after in zip(values, values[1:]))",
    "answer = ' '.join(map(str, sorted(values)))",
    "answer = sum(before > after for before, after in zip(values, values[1:]))",
    "answer = here = 0\nfor value in values:\n    here = max(0, here + value - 500)\n    answer = max(answer, here)",
    "counts = {}\nfor value in values:\n    counts[value % 7] = counts.get(value % 7, 0) + 1\n"
    "answer = ' '.join(f'{key}:{counts[key]}' for key in sorted(counts))",
)
"""Bodies that compute `answer` from the integers `values`."""

MODERATE = (
    # Longest common subsequence of the values and their reverse, a table of n x n.
    "row = [0] * (len(values) + 1)\n"
    "for one in values:\n"
    "    corner = 0\n"
    "    for n, other in enumerate(reversed(values), start=1):\n"
    "        corner, row[n] = row[n], corner + 1 if one % 9 == other % 9 else max(row[n], row[n - 1])\n"
    "answer = row[-1]",
    # Subset sums below a bound, one pass over the table a value.
    "reached = [True] + [False] * 600\n"
    "for value in values[:65]:\n"
    "    for total in range(600, value % 97, -1):\n"
    "        if reached[total - value % 97 - 1]:\n"
    "            reached[total] = True\n"
    "answer = sum(reached)",
    # Steps of the 3n + 1 walk.
    "answer = 0\n"
    "for value in values:\n"
    "    value += 1\n"
    "    for _ in range(230):\n"
    "        value = value // 2 if value % 2 == 0 else 3 * value + 1\n"
    "        answer += value & 1",
    # Breadth-first search over residues.
    "from collections import deque\n"
    "distance, queue = {0: 0}, deque([0])\n"
    "while queue:\n"
    "    place = queue.popleft()\n"
    "    for step in values[:10]:\n"
    "        after = (place + step + 1) % 2003\n"
    "        if after not in distance:\n"
    "            distance[after] = distance[place] + 1\n"
    "            queue.append(after)\n"
    "answer = sum(distance.values())",
)

BODIES: dict[Size, tuple[str, ...]] = {"trivial": ("answer = sum(values)",), "tiny": TINY, "moderate": MODERATE}


@dataclass(frozen=True, slots=True)
class Workload:
    """Submissions in groups a problem, and the verdict that each is meant to get."""

    name: str
    submissions: tuple[Submission, ...]
    meant: tuple[Verdict, ...]


def make_workload(
    size: Size,
    solutions: int,
    *,
    mix: bool = False,
    duplicates: bool = False,
    tests: int = TESTS_A_PROBLEM,
    a_problem: int = SUBMISSIONS_A_PROBLEM,
    seed: int = 0,
) -> Workload:
    """Different programs, `a_problem` for each problem of `tests` tests.

    mix: 60 % fail, at a first failing test drawn evenly (a third of them at test 1), with the kinds in FAULTS; else all
    pass. duplicates: a tenth are copies of an earlier one of their group, as the samples of one prompt often are.
    """
    generator = random.Random(f"{size} {mix} {duplicates} {tests} {seed}")
    submissions: list[Submission] = []
    meant: list[Verdict] = []
    for first in range(0, solutions, a_problem):
        number = first // a_problem
        body = BODIES[size][number % len(BODIES[size])]
        problem = _problem(f"{size}-{seed}-{number}", body, VALUES[size], tests, generator)
        for n in range(first, min(first + a_problem, solutions)):
            if duplicates and n > first and generator.random() < DUPLICATES:
                copied = generator.randrange(first, n)
                submissions.append(replace(submissions[copied], id=str(n)))
                meant.append(meant[copied])
                continue
            verdict = Verdict.AC
            if mix and generator.random() < FAILING:
                verdict = generator.choices(list(FAULTS), list(FAULTS.values()))[0]
            code = _program(body, f"attempt_{seed}_{n}", n % 5 < IN_A_FUNCTION, _fault(verdict, tests, generator))
            submissions.append(Submission(code, problem, id=str(n)))
            meant.append(verdict)
    name = f"{size}, {'60 % failing' if mix else 'all pass'}{', 10 % copies' if duplicates else ''}"
    return Workload(name, tuple(submissions), tuple(meant))


def run_in_process(code: object, data: bytes) -> bytes:
    """What a compiled program prints, run in this process with fresh globals and its streams redirected."""
    output = io.BytesIO()
    printed = io.TextIOWrapper(output, write_through=True)
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(data))
    try:
        with contextlib.redirect_stdout(printed):
            exec(code, {"__name__": "__main__"})  # type: ignore[arg-type]
    finally:
        sys.stdin = stdin
    return output.getvalue()


def _problem(name: str, body: str, values: int, tests: int, generator: random.Random) -> Problem:
    reference = compile(_program(body, "reference", True, ""), name, "exec")
    made = []
    for case in range(tests):
        numbers = [case, *(generator.randrange(1000) for _ in range(values))]
        data = f"{' '.join(map(str, numbers))}\n".encode()
        made.append(Test(data, run_in_process(reference, data), str(case + 1)))
    return Problem(name, tuple(made))


def _program(body: str, salt: str, as_function: bool, fault: str) -> str:
    """A whole program, as a `main` or at top level. salt: a name of its own, so that no two programs are equal."""
    read = "sys.stdin.read()" if as_function else "input()"
    lines = [
        f"{salt} = 1",
        f"case, *values = map(int, {read}.split())",
        *fault.splitlines(),
        *body.splitlines(),
        "print(answer)",
    ]
    if not as_function:
        return "\n".join(lines) + "\n"
    inner = "".join(f"    {line}\n" for line in lines)
    return f"import sys\n\n\ndef main():\n{inner}\n\nif __name__ == '__main__':\n    main()\n"


def _fault(verdict: Verdict, tests: int, generator: random.Random) -> str:
    if verdict is Verdict.AC:
        return ""
    if verdict is Verdict.CE:
        return "answer = (1 +"
    first = 0 if generator.random() < AT_THE_FIRST_TEST else generator.randrange(tests)
    action = "print('wrong')" if verdict is Verdict.WA else "values[len(values)]"
    return f"if case >= {first} and (case - {first}) % {generator.choice(STRIDES)} == 0:\n    {action}"
