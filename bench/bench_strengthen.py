"""What strengthening finds on real problems: `python -m bench.bench_strengthen HOME [PROBLEMS] [OPTIONS]`.

HOME: a home with `prepared_problems`. PROBLEMS: how many function problems are tried, evenly over all (default 300);
stdin problems with references are all tried. --single: one reference is enough, instead of two that agree.
--stdin, --function: only these. --models: no program is run, only the models of inputs are made.
--seconds=N: no problem is begun later than that; the table says how many were.
Suites of more than SUITE_BYTES are left out.

Candidates are the known-wrong submissions and mutants of a reference that pass all of a problem's own tests.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from bench.tables import print_table
from microcoder_assets.config import VerificationSettings
from microcoder_assets.project import Project
from microcoder_assets.schema import PREPARED
from microcoder_assets.verification.generators import input_model
from microcoder_assets.verification.inputs import NoGenerator
from microcoder_assets.verification.mutants import LABEL
from microcoder_assets.verification.programs import WRONG_LABELS, Program, mutant_source, mutants_of
from microcoder_assets.verification.strengthen import strengthen
from microcoder_assets.verification.verify import judge_problem
from microcoder_judge import Judge, Problem, RecordError, Submission, Verdict

MUTANTS = 12
CANDIDATE_S = 2.0
SUITE_BYTES = 1 << 20


def candidates_of(row: Mapping[str, Any], verified: list[Program], languages: Mapping[str, str]) -> list[Program]:
    wrong = [Program(**r) for r in row["references"] if r["label"] in WRONG_LABELS and r["language"] in languages]
    source = mutant_source(verified)
    return [*wrong, *mutants_of(source, MUTANTS)] if source else wrong


def passing(programs: list[Program], problem: Problem, judge: Judge) -> list[Program]:
    """Those that pass every test, in at most CANDIDATE_S seconds each; the smallest tests come first."""
    limits = replace(problem.limits, time_s=min(CANDIDATE_S, problem.limits.time_s))
    tests = tuple(sorted(problem.tests, key=lambda test: len(test.input)))
    problem = replace(problem, limits=limits, tests=tests)
    results = judge.evaluate_many([Submission(p.code, problem, p.language) for p in programs])
    return [program for program, result in zip(programs, results, strict=True) if result.verdict is Verdict.AC]


def measure(
    rows: list[dict[str, Any]], project: Project, settings: VerificationSettings, until: float, models_only: bool
) -> tuple[Counter[str], Counter[str]]:
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    with Judge(workers=settings.workers) as judge:
        for row in rows:
            if time.monotonic() > until:
                break
            counts["problems"] += 1
            stored = project.store.blobs.get_many(
                [t[part] for t in row["tests"] for part in ("input_sha", "expected_sha")]
            )
            inputs = [stored[test["input_sha"]] for test in row["tests"]]
            try:
                began = time.process_time()
                model = input_model(row, inputs)
                problem = judge_problem(row, stored, settings)
            except (NoGenerator, RecordError) as reason:
                reasons[str(reason).partition(":")[0][:60]] += 1
                continue
            finally:
                counts["model_ms"] += round(1000 * (time.process_time() - began))
            counts["generator"] += 1
            if models_only:
                continue
            accepted = [r for r in row["references"] if r["label"] == "accepted" and r["language"] in judge.languages]
            verified = passing([Program(**r) for r in accepted[:4]], problem, judge)
            if len(verified) < settings.agreeing_references:
                continue
            counts["references"] += 1
            alive = passing(candidates_of(row, verified, judge.languages), problem, judge)
            mutant = {program.name for program in alive if program.label == LABEL}
            counts["mutants"] += len(mutant)
            counts["wrong"] += len(alive) - len(mutant)
            found = strengthen(problem, model, verified, alive, judge, settings)
            left = set(found.survivors)
            counts["mutants_killed"] += len(mutant - left)
            counts["wrong_killed"] += len(alive) - len(mutant) - len(left - mutant)
            counts["inputs"] += found.inputs
            counts["agreed"] += found.agreed
            counts["tests"] += len(found.tests)
            counts["strengthened"] += bool(found.tests)
            counts["refused"] += bool(found.refused)
            for program in alive:
                if program.name not in mutant:
                    state = "left" if program.name in left else "killed"
                    print(f"slipped: {row['problem_id']} {program.name} {state} {found.refused}", flush=True)
            if found.refused:
                print(f"refused: {row['problem_id']} {found.refused}", flush=True)
            for test in found.tests:
                counts[f"family {test.family}"] += 1
    return counts, reasons


def main(arguments: list[str]) -> None:
    numbers = [int(argument) for argument in arguments if argument.isdigit()]
    project = Project.load(Path(arguments[0]))
    rows = project.store.read("prepared_problems", PREPARED).filter(
        (pl.col("references").list.len() > 0)
        & (pl.col("tests").list.len() > 0)
        & (pl.col("tests").list.eval(pl.element().struct.field("bytes")).list.sum() <= SUITE_BYTES)
    )
    settings = VerificationSettings(workers=1, agreeing_references=1 if "--single" in arguments else 2)  # type: ignore[call-arg]
    several = pl.col("references").list.eval(pl.element().struct.field("label") == "accepted").list.sum()
    functions = rows.filter((pl.col("io_mode") == "function") & (several >= settings.agreeing_references))
    wanted = numbers[0] if numbers else 300
    every = max(1, functions.height // max(1, wanted))
    groups = {
        "stdin": rows.filter(pl.col("io_mode") == "stdin"),
        "function": functions.gather_every(every).head(wanted),
    }
    limit = [argument.removeprefix("--seconds=") for argument in arguments if argument.startswith("--seconds=")]
    seconds = float(limit[0]) if limit else float("inf")
    lines = []
    forms = [form for form in groups if f"--{form}" in arguments] or list(groups)
    for name in forms:
        group = groups[name]
        began = time.process_time()
        counts, reasons = measure(
            group.to_dicts(), project, settings, time.monotonic() + seconds, "--models" in arguments
        )
        lines.append(
            [
                name, f"{counts['problems']}", f"{counts['generator']}", f"{counts['references']}",
                f"{counts['inputs']}",
                f"{counts['agreed'] / max(1, counts['inputs']):.1%}", f"{counts['wrong_killed']} of {counts['wrong']}",
                f"{counts['mutants_killed']} of {counts['mutants']}", f"{counts['strengthened']}", f"{counts['tests']}",
                f"{counts['refused']}", f"{counts['model_ms'] / max(1, counts['problems']):.0f}",
                f"{time.process_time() - began:.0f}",
            ]
        )  # fmt: skip
        print(f"{name}: no generator: {dict(reasons.most_common())}")
        print(f"{name}: kept by family: { ({k[7:]: n for k, n in counts.most_common() if k.startswith('family ')}) }")
    print_table(
        ["form", "problems", "generator", "references", "inputs", "agreed", "wrong killed", "mutants killed",
         "strengthened", "tests", "refused", "ms a model", "own CPU s"],
        lines,
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
