"""Recorded generations of others, judged again and compared with the verdicts that were recorded with them."""

from __future__ import annotations

import ast
import gzip
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from microcoder_judge import Problem, Test
from microcoder_judge.livecodebench import why_they_differ
from microcoder_train.artifacts import run_key
from microcoder_train.config import EvaluationSettings, as_dict
from microcoder_train.errors import TrainError
from microcoder_train.evaluation.benchmark import RECORD, evaluation_report, write_scores
from microcoder_train.evaluation.completions import Drawn
from microcoder_train.evaluation.pages import table
from microcoder_train.evaluation.scoring import Answer, Graded, Judges, grade
from microcoder_train.evaluation.tasks import Extracted, Suite, Task
from microcoder_train.reports import Report

RECORDED = {-2: "wrong answer", -3: "time limit", -4: "run-time error", -5: "runner error"}
"""LiveCodeBench's error codes (`lcb_runner/evaluation/testing_util.py` at 28fef95)."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One generation. passed: the recorded verdict, None without one. metadata: what the grader said of a failure."""

    policy: str
    answer: Answer
    passed: bool | None
    metadata: Row


def run_regrade(
    path: Path,
    suite: Suite,
    out: Path,
    settings: EvaluationSettings,
    cutoffs: Mapping[str, date],
    name: str | None,
    say: Callable[[str], None],
) -> Report:
    """Judge a file of generations into `out`. Raises TrainError for a file that holds none for the suite's problems."""
    recorded = read_recorded(path, suite, name)
    policies: dict[str, list[Recorded]] = {}
    for item in recorded:
        policies.setdefault(item.policy, []).append(item)
    graded: dict[str, list[Graded]] = {}
    times: dict[str, dict[str, float]] = {}
    with Judges(suite, settings.judge_workers, settings.isolation) as judges:
        for policy, own in policies.items():
            say(f"judging {len(own)} generations of {policy}")
            began = time.monotonic()
            graded[policy] = grade(policy, suite, [item.answer for item in own], judges)
            times[policy] = {"sampling_seconds": 0.0, "judging_seconds": round(time.monotonic() - began, 1)}
    record = {
        "key": run_key(kind="regrade", data_version=suite.version, file=sha256(path.read_bytes()).hexdigest()),
        "suite": suite.name,
        "data_version": suite.version,
        "seed": 0,
        "config": as_dict(settings),
        "styles": dict.fromkeys(policies, "recorded"),
    }
    write_scores(out, suite, record, graded, settings, cutoffs, times)
    pairs = [pair for policy, own in policies.items() for pair in zip(own, graded[policy], strict=True)]
    (out / "agreement.md").write_text(agreement_page(pairs, suite), encoding="utf-8")
    report = evaluation_report({**json.loads((out / RECORD).read_text("utf-8")), "unchanged": False}, out)
    return Report(
        report.headline, report.version, report.numbers, {**report.tables, "agreement": matrix(pairs)}, report.plots
    )


def read_recorded(path: Path, suite: Suite, name: str | None = None) -> list[Recorded]:
    """Generations for the suite's problems, in the file's order; those for others are left out.

    Raises TrainError where the file cannot be read or holds none for them.
    """
    tasks = {key: task for task in suite.tasks for key in (task.problem_id, task.question_id)}
    policy = name or path.name.partition(".")[0]
    found: list[Recorded] = []
    try:
        for row in _rows(path, suite):
            if task := tasks.get(str(_id(row))):
                found += _items(row, task, suite, policy)
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError) as error:
        raise TrainError(f"{path} is no file of recorded generations ({error}); see regrade --help") from error
    if not found:
        raise TrainError(f"{path} holds no generation for the {len(suite.tasks)} problems; is it of another benchmark?")
    return found


def _rows(path: Path, suite: Suite) -> Iterator[Row]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    text = data.decode()
    if not text.lstrip().startswith("["):
        yield from (json.loads(line) for line in text.splitlines() if line.strip())
        return
    entries = json.loads(text)
    if entries and isinstance(entries[0], list):  # one list of programs a problem, by question id
        ordered = sorted(suite.tasks, key=lambda task: task.question_id)
        entries = [{"question_id": t.question_id, "code_list": own} for t, own in zip(ordered, entries, strict=True)]
    yield from entries


def _id(row: Row) -> object:
    return row["question_id"] if "question_id" in row else row["problem_id"]


def _items(row: Row, task: Task, suite: Suite, name: str) -> Iterator[Recorded]:
    """The generations of one row: LiveCodeBench's lists, or a single one."""
    if "code_list" not in row:
        policy = " ".join(str(row[part]) for part in ("model", "scenario") if row.get(part)) or name
        text = row.get("raw_output") or row.get("completion") or ""
        yield _item(policy, task, int(row.get("sample") or 0), row.get("code"), text, row.get("passed"),
                    row.get("evaluator_metadata"), suite)  # fmt: skip
        return
    codes = row["code_list"]
    lists = ("output_list", "graded_list", "metadata")
    texts, verdicts, notes = (row.get(part) or [None] * len(codes) for part in lists)
    for number, (code, text, passed, note) in enumerate(zip(codes, texts, verdicts, notes, strict=True)):
        yield _item(name, task, number, code, text or "", passed, note, suite)


def _item(
    policy: str, task: Task, sample: int, code: str | None, text: str, passed: bool | None, note: Any, suite: Suite
) -> Recorded:
    metadata = json.loads(note) if isinstance(note, str) and note.startswith("{") else note
    metadata = metadata if isinstance(metadata, dict) else {}
    extracted = suite.extract(task, text, suite.styles[0]) if code is None else Extracted(code, "block")
    problem = suite.problem(task.problem_id, suite.rules[0])
    test = failing_test(metadata, problem) if passed is False and problem else None
    first = (test,) if test else ()
    return Recorded(policy, Answer(task, sample, Drawn(text, 0, False), extracted, first), passed, metadata)


def failing_test(metadata: Row, problem: Problem) -> Test | None:
    """The test on which LiveCodeBench saw a program fail; None where it is not recorded whole.

    For functions it is printed as Python values: the list of arguments, and the answer, if it is text without quotes.
    """
    given, expected = metadata.get("inputs"), metadata.get("expected")
    if given is None or expected is None or "..." in f"{given}{expected}":
        return None
    if problem.io_mode == "stdin":
        return Test(str(given).encode(), str(expected).encode(), "recorded")
    try:
        arguments = json.dumps(ast.literal_eval(str(given)))
        text = problem.tests[0].expected.startswith(b'"')
        value = json.dumps(str(expected) if text else ast.literal_eval(str(expected)))
    except (ValueError, SyntaxError, TypeError, RecursionError):
        return None
    return Test(arguments.encode(), value.encode(), "recorded")


def why_it_may_pass(code: str, metadata: Row, problem: Problem) -> str:
    """The known ways in which a program that LiveCodeBench failed on problem.tests[0] passes here, told by its code
    and the record; "" where nothing known speaks for that."""
    output = metadata.get("output") or ""
    if metadata.get("error_code") == -3:
        return "its 6 s are wall time on a machine of its own"
    if metadata.get("error_code") == -2 and not output and "threading" in code:
        return "prints from a thread, after the grader has stopped to listen"
    if metadata.get("error_code") == -4 and "readlines" in code:
        return "the grader's readlines gives an empty line after the last"
    if metadata.get("error_code") != -2 or "(truncated)" in output:
        return ""
    if problem.io_mode == "function":
        try:
            output = json.dumps(ast.literal_eval(output))
        except (ValueError, SyntaxError, TypeError):
            return ""
    return why_they_differ(output.encode(), problem.tests[0].expected, problem) or ""


@dataclass(frozen=True, slots=True)
class Finding:
    """How a recorded verdict stands. recorded: how the grader saw it end. agrees: None without evidence: a recorded
    failure that passes the tests there are, and whose failing input is not there."""

    recorded: str
    agrees: bool | None


def finding(item: Recorded, graded: Graded, faithful: bool = False) -> Finding:
    """A recorded failure is met where its recorded input, run first, fails; without one, where any test fails."""
    accepted = graded.faithful if faithful else graded.accepted
    if item.passed:
        return Finding("passed", accepted)
    recorded = RECORDED.get(item.metadata.get("error_code", 0), "failed")
    if not item.answer.first:
        return Finding(f"{recorded}, no input", None if accepted else True)
    return Finding(recorded, not accepted if faithful else not graded.passed)


def matrix(pairs: Iterable[tuple[Recorded, Graded]]) -> str:
    """Agreement by recorded verdict, each program once a problem and record."""
    seen: set[tuple[object, ...]] = set()
    found: Counter[tuple[str, str, bool | None]] = Counter()
    for item, graded in pairs:
        if item.passed is None:
            continue
        key = (graded.problem_id, graded.code, item.passed, item.answer.first)
        if key in seen:
            continue
        seen.add(key)
        for rules in ("official", "faithful"):
            one = finding(item, graded, rules == "faithful")
            found[rules, one.recorded, one.agrees] += 1
    rows = []
    for rules, recorded in sorted({(rules, recorded) for rules, recorded, _ in found}, reverse=True):
        agree, differ, unknown = (found[rules, recorded, verdict] for verdict in (True, False, None))
        rows.append([rules, recorded, agree + differ + unknown, agree, differ, unknown])
    return table(["rules", "recorded", "programs", "agree", "differ", "no evidence"], rows)


def agreement_page(pairs: Sequence[tuple[Recorded, Graded]], suite: Suite) -> str:
    """The matrix, and each verdict under the official rules that is not the recorded one."""
    rows = []
    for item, graded in pairs:
        if item.passed is None or finding(item, graded).agrees is not False:
            continue
        problem = suite.problem(graded.problem_id, suite.rules[0], item.answer.first)
        reason = why_it_may_pass(graded.code or "", item.metadata, problem) if problem and not item.passed else ""
        rows.append([item.policy, graded.problem_id, graded.sample, finding(item, graded).recorded,
                     f"{graded.verdict}: {graded.message}", reason or "unknown"])  # fmt: skip
    header = ["policy", "problem", "sample", "recorded", "here", "known reason"]
    return "\n\n".join(["# Agreement with the recorded verdicts", matrix(pairs), table(header, rows)]) + "\n"
