"""Do references of HumanEval, MBPP and CRUXEval pass, and broken ones fail? `python -m bench.bench_suites FOLDER`.

FOLDER holds humaneval/, mbpp/ and cruxeval/ as their authors publish them. Of each HumanEval solution one line is taken
away, or one number or comparison is changed, each in every way; what still passes is listed.
"""

from __future__ import annotations

import ast
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from bench.tables import print_table
from microcoder_judge import Judge, Result, Submission
from microcoder_train.suites import CruxEval, HumanEval, Mbpp
from microcoder_train.tasks import Suite, Task

OTHER = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}

Line = tuple[str, str, str, str]


def judged(judge: Judge, suite: Suite, programs: list[tuple[Task, str]]) -> list[Result]:
    submissions = []
    for task, code in programs:
        problem = suite.problem(task.problem_id, "faithful")
        assert problem is not None
        submissions.append(Submission(suite.program(task, code), problem, id=task.problem_id))
    return judge.evaluate_many(submissions)


def without_a_line(body: str) -> Iterator[str]:
    lines = body.rstrip("\n").split("\n")
    for number, line in enumerate(lines):
        if line.strip():
            yield "\n".join(lines[:number] + lines[number + 1 :]) + "\n"


def with_a_change(source: str) -> Iterator[str]:
    """Each number but True and False plus one, each simple comparison turned."""
    for index, node in enumerate(ast.walk(ast.parse(source))):
        number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
        turned = isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER
        if number or turned:
            tree = ast.parse(source)
            chosen = list(ast.walk(tree))[index]
            if isinstance(chosen, ast.Constant):
                chosen.value += 1  # type: ignore[operator]
            elif isinstance(chosen, ast.Compare):
                chosen.ops[0] = OTHER[type(chosen.ops[0])]()
            yield ast.unparse(tree)


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_suites", description="References and broken ones.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where humaneval/, mbpp/ and cruxeval/ are")
    parser.add_argument("--workers", type=int, default=1, help="programs at a time (1)")
    options = parser.parse_args()
    human = HumanEval(options.folder / "humaneval" / "HumanEval.jsonl.gz")
    mbpp = Mbpp(options.folder / "mbpp" / "mbpp.jsonl.gz")
    solutions = [(task, human.items[task.problem_id]["canonical_solution"]) for task in human.tasks]
    lines: list[Line] = []
    with Judge(options.workers) as judge:

        def report(name: str, suite: Suite, programs: list[tuple[Task, str]], must_pass: bool) -> None:
            results = judged(judge, suite, programs)
            passed = sum(result.accepted for result in results)
            lines.append((suite.name, name, str(len(results)), str(passed)))
            for (_, code), result in zip(programs, results, strict=True):
                if result.accepted != must_pass:
                    print(f"{suite.name}, {name}: {result.submission_id}: {result.verdict} {result.message}")
                    if not must_pass:
                        print("    " + code[-400:].replace("\n", "\n    "))

        report("reference", human, [(task, task.prompt + body) for task, body in solutions], True)
        cut = [(task, task.prompt + less) for task, body in solutions for less in without_a_line(body)]
        report("a line less", human, cut, False)
        changed = [(task, text) for task, body in solutions for text in with_a_change(task.prompt + body)]
        report("a number or comparison changed", human, changed, False)
        report("reference", mbpp, [(task, mbpp.items[task.problem_id]["code"]) for task in mbpp.every], True)
        for asked in ("output", "input"):
            crux = CruxEval(options.folder / "cruxeval" / "cruxeval.jsonl", asked)
            answers = []
            for task in crux.tasks:
                item = crux.items[task.problem_id]
                found = crux.extract(task, f"assert f({item['input']}) == {item['output']}\n[/ANSWER]", "base")
                answers.append((task, found.code or ""))
            report("recorded answer", crux, answers, True)
    print_table(("suite", "programs", "judged", "pass"), lines)


if __name__ == "__main__":
    main()
