"""Does the judge agree with LiveCodeBench's recorded verdicts? `python -m bench.bench_judge_generations FOLDER`.

FOLDER holds problems_release_v6.jsonl.gz (with public tests), generations_with_verdicts.jsonl.gz and
failing_cases_from_evaluator.jsonl.gz. A generation that LiveCodeBench passed must pass the public tests; one that it
failed must fail on the failing input that it recorded, where the record is complete. Both are judged under
strict="livecodebench" and under our own rules, every program once for each. The first takes over LiveCodeBench's
comparison, not its mocked streams, so a right program that those fail still passes. Each difference is printed with
what the judge says of it, and with the known reason where there is one (`why_it_may_pass`).
"""

from __future__ import annotations

import ast
import gzip
import json
import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.tables import print_table
from microcoder_judge import Judge, Limits, Problem, Submission, Test
from microcoder_train.evaluation.regrade import RECORDED, why_it_may_pass

LIMITS = Limits(time_s=6.0, memory_mb=4096)
"""LiveCodeBench's 6 s a test; it sets no memory limit."""

RULES: dict[str, Literal["livecodebench"] | None] = {"livecodebench": "livecodebench", "ours": None}

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A generation, what it is judged on, and whether it must pass there. recorded: how LiveCodeBench saw it end.

    reason: why a judge that runs real processes may see it otherwise, "" where nothing known speaks for that.
    """

    submission: Submission
    must_pass: bool
    recorded: str
    reason: str = ""


def read(path: Path) -> Iterator[Record]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def make_problem(record: Record, tests: list[tuple[str, str]]) -> Problem:
    """tests: inputs and expected outputs as LiveCodeBench stores them, one JSON argument a line for functions."""
    if not record["starter_code"]:
        pairs = (Test(given.encode(), expected.encode()) for given, expected in tests)
        return Problem(record["question_id"], tuple(pairs), LIMITS)
    method = re.findall(r"def (\w+)\(self", record["starter_code"])[-1]
    made = tuple(Test(f"[{','.join(given.splitlines())}]".encode(), expected.encode()) for given, expected in tests)
    return Problem(
        record["question_id"], made, LIMITS, io_mode="function", entry_point=f"Solution.{method}", preamble=True
    )


def passed_cases(problems: dict[str, Record], generations: list[Record]) -> Iterator[Case]:
    made: dict[str, Problem] = {}
    for generation in generations:
        name = generation["question_id"]
        if generation["passed"] and problems[name]["public_test_cases"]:
            if name not in made:
                public = [(test["input"], test["output"]) for test in problems[name]["public_test_cases"]]
                made[name] = make_problem(problems[name], public)
            yield Case(_submission(generation, made[name]), True, "passed")


def failing_cases(folder: Path, problems: dict[str, Record], generations: list[Record]) -> Iterator[Case]:
    complete = {
        (case["question_id"], case["input"], case["expected"])
        for case in read(folder / "failing_cases_from_evaluator.jsonl.gz")
        if not case["possibly_truncated"]
    }
    for generation in generations:
        record = generation["evaluator_metadata"] or {}
        given, expected = str(record.get("inputs")), str(record.get("expected"))
        name = generation["question_id"]
        if generation["passed"] or (name, given, expected) not in complete:
            continue
        if problems[name]["starter_code"]:
            # Printed as Python values: the list of arguments, and the answer, if it is text without its quotes.
            is_text = problems[name]["public_test_cases"][0]["output"].startswith('"')
            given = "\n".join(map(json.dumps, ast.literal_eval(given)))
            expected = json.dumps(expected if is_text else ast.literal_eval(expected))
        problem = make_problem(problems[name], [(given, expected)])
        recorded = RECORDED.get(record["error_code"], str(record["error_code"]))
        yield Case(
            _submission(generation, problem), False, recorded, why_it_may_pass(generation["code"], record, problem)
        )


def _submission(generation: Record, problem: Problem) -> Submission:
    name = f"{generation['question_id']} {generation['model']} {generation['scenario']} {generation['sample']}"
    return Submission(generation["code"], problem, id=name)


def distinct(cases: Iterator[Case]) -> list[Case]:
    """Each program once a problem: repair runs carry over what passed at first."""
    found: dict[tuple[str, Problem], Case] = {}
    for case in cases:
        found.setdefault((case.submission.code, case.submission.problem), case)
    return list(found.values())


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_judge_generations", description="The judge on LiveCodeBench.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the records of LiveCodeBench")
    parser.add_argument("--workers", type=int, default=1, help="programs at a time (1)")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="only the first N generations (0: all)")
    arguments = parser.parse_args()
    try:
        problems = {record["question_id"]: record for record in read(arguments.folder / "problems_release_v6.jsonl.gz")}
        generations = list(read(arguments.folder / "generations_with_verdicts.jsonl.gz"))[: arguments.limit or None]
        cases = distinct(passed_cases(problems, generations))
        cases += distinct(failing_cases(arguments.folder, problems, generations))
    except OSError as error:
        parser.error(f"cannot read {error.filename}: {error.strerror}; give the folder of LiveCodeBench's records")
    lines = []
    for rules, strict in RULES.items():
        with Judge(arguments.workers, strict=strict) as judge:
            results = judge.evaluate_many([case.submission for case in cases])
        for recorded in dict.fromkeys(case.recorded for case in cases):
            chosen = [(c, r) for c, r in zip(cases, results, strict=True) if c.recorded == recorded]
            differing = [(case, result) for case, result in chosen if result.accepted != case.must_pass]
            known = sum(bool(case.reason) for case, _ in differing)
            lines.append(
                (rules, recorded, str(len(chosen)), str(len(chosen) - len(differing)), str(len(differing)), str(known))
            )
            for case, result in differing:
                cause = f"; known: {case.reason}" if case.reason else ""
                said = result.message.splitlines()[0][:200] if result.message else "all tests accepted"
                print(f"{rules}, recorded {recorded}: {case.submission.id}: {result.verdict}: {said}{cause}")
    sys.stdout.flush()
    print()
    print_table(("rules", "LiveCodeBench says", "programs", "judge agrees", "differ", "for a known reason"), lines)


if __name__ == "__main__":
    main()
