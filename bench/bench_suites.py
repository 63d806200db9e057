"""Do references of HumanEval, MBPP and CRUXEval pass, and broken ones fail? `python -m bench.bench_suites FOLDER`.

FOLDER holds humaneval/, mbpp/ and cruxeval/ as their authors publish them. Of each HumanEval solution one line is taken
away, or one number or comparison is changed, each in every way; what still passes is listed, with its change and an
input on which it parts from the reference where one is found.
"""

from __future__ import annotations

import ast
from argparse import ArgumentParser
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

from bench.suite_witnesses import NO_DIFFERENCE, Survivor, witnesses
from bench.tables import print_table
from microcoder_judge import Judge, Result, Submission
from microcoder_train.evaluation.suites import CruxEval, HumanEval, Mbpp
from microcoder_train.evaluation.tasks import Suite, Task

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


def difference(survivor: Survivor) -> str:
    """The changed lines, as `ast.unparse` writes both programs."""
    before, after = (ast.unparse(ast.parse(code)).split("\n") for code in (survivor.reference, survivor.mutant))
    return "\n".join(
        f"    {line}" for line in unified_diff(before, after, n=0, lineterm="") if line[:3] not in ("---", "+++", "@@ ")
    )


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_suites", description="References and broken ones.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where humaneval/, mbpp/ and cruxeval/ are")
    parser.add_argument("--workers", type=int, default=1, help="programs at a time (1)")
    options = parser.parse_args()
    human = HumanEval(options.folder / "humaneval" / "HumanEval.jsonl.gz")
    mbpp = Mbpp(options.folder / "mbpp" / "mbpp.jsonl.gz")
    solutions = [(task, human.items[task.problem_id]["canonical_solution"]) for task in human.tasks]
    references = {task.problem_id: task.prompt + body for task, body in solutions}
    lines: list[Line] = []
    with Judge(options.workers) as judge:

        def count(name: str, suite: Suite, programs: list[tuple[Task, str]]) -> list[Result]:
            results = judged(judge, suite, programs)
            lines.append((suite.name, name, str(len(results)), str(sum(result.accepted for result in results))))
            return results

        def report(name: str, suite: Suite, programs: list[tuple[Task, str]]) -> None:
            for result in count(name, suite, programs):
                if not result.accepted:
                    print(f"{suite.name}, {name}: {result.submission_id}: {result.verdict} {result.message}")

        def report_survivors(name: str, programs: list[tuple[Task, str]]) -> None:
            results = count(name, human, programs)
            survivors = [
                Survivor(task, references[task.problem_id], code)
                for (task, code), result in zip(programs, results, strict=True)
                if result.accepted
            ]
            found = witnesses(judge, human, survivors)
            for survivor, said in zip(survivors, found, strict=True):
                print(f"humaneval, {name}: {survivor.task.problem_id}: {said}\n{difference(survivor)}")
            same = sum(said == NO_DIFFERENCE for said in found)
            lines.append(("humaneval", "  of those that pass: no difference seen", str(len(found)), str(same)))

        report("reference", human, [(task, task.prompt + body) for task, body in solutions])
        cut = [(task, task.prompt + less) for task, body in solutions for less in without_a_line(body)]
        report_survivors("a line less", cut)
        changed = [(task, text) for task, body in solutions for text in with_a_change(task.prompt + body)]
        report_survivors("a number or comparison changed", changed)
        report("reference", mbpp, [(task, mbpp.items[task.problem_id]["code"]) for task in mbpp.every])
        for asked in ("output", "input"):
            crux = CruxEval(options.folder / "cruxeval" / "cruxeval.jsonl", asked)
            answers = []
            for task in crux.tasks:
                item = crux.items[task.problem_id]
                found = crux.extract(task, f"assert f({item['input']}) == {item['output']}\n[/ANSWER]", "base")
                answers.append((task, found.code or ""))
            report("recorded answer", crux, answers)
    print_table(("suite", "programs", "judged", "pass"), lines)


if __name__ == "__main__":
    main()
