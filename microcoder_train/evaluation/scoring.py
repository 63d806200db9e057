"""Completions judged: by the suite's own rules and, where those are LiveCodeBench's, as an online judge would."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from microcoder_judge import Isolation, Judge, Result, Submission, Test, Verdict
from microcoder_train.evaluation.completions import Drawn
from microcoder_train.evaluation.errata import ERRATA
from microcoder_train.evaluation.extraction import FOUND
from microcoder_train.evaluation.tasks import Extracted, Rules, Suite, Task
from microcoder_train.rewards import NO_CODE

TOO_LONG = "TOO_LONG"
"""Verdict of every sample of a prompt that leaves no room to answer in the model's context: a failure."""


NO_TESTS = "NO_TESTS"
"""Verdict where the benchmark holds no test of a problem: neither right nor wrong."""


@dataclass(frozen=True, slots=True)
class Graded:
    """One judged completion; a row of scores.parquet.

    accepted: by the suite's official rules; None where the judge itself failed or there is no test. faithful,
    faithful_verdict: as an online judge would say. difference: where the two part, what each says. extracted: a key of
    `extraction.FOUND`. errata: what is known to be wrong with the problem.
    """

    model: str
    suite: str
    problem_id: str
    question_id: str
    platform: str
    difficulty: str
    month: str
    release: str | None
    sample: int
    accepted: bool | None
    verdict: str
    passed: int
    total: int
    message: str
    faithful: bool | None
    faithful_verdict: str
    difference: str | None
    errata: str | None
    extracted: str
    truncated: bool
    tokens: int
    prompt_tokens: int
    code: str | None
    completion: str


@dataclass(frozen=True, slots=True)
class _Verdict:
    verdict: str
    passed: int
    total: int
    message: str

    @property
    def accepted(self) -> bool | None:
        return None if self.verdict in (Verdict.IE, NO_TESTS) else self.verdict == Verdict.AC


@dataclass(frozen=True, slots=True)
class Answer:
    """One completion of a task with the program in it. first: tests that are run before the suite's own."""

    task: Task
    sample: int
    drawn: Drawn
    extracted: Extracted
    first: tuple[Test, ...] = ()


class Judges:
    """A judge for each way in which a suite is judged; close it when done, as a context manager does."""

    def __init__(self, suite: Suite, workers: int, isolation: Isolation = "batch") -> None:
        self._suite = suite
        self._stack = ExitStack()
        self._judges = {
            rules: self._stack.enter_context(
                Judge(workers, isolation=isolation, strict="livecodebench" if rules == "livecodebench" else None)
            )
            for rules in suite.rules
        }

    def __enter__(self) -> Judges:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def results(self, rules: Rules, answers: Sequence[Answer]) -> list[Result | None]:
        """Results by one way of judging, in order; None where there is no program or no test."""
        keys = [(answer.task.problem_id, answer.first) for answer in answers]
        problems = {key: self._suite.problem(key[0], rules, key[1]) for key in dict.fromkeys(keys)}
        submissions = [
            Submission(self._suite.program(answer.task, answer.extracted.code), problem)
            if answer.extracted.code is not None and (problem := problems[key]) is not None
            else None
            for answer, key in zip(answers, keys, strict=True)
        ]
        judged = iter(self._judges[rules].evaluate_many([one for one in submissions if one is not None], progress=True))
        return [None if one is None else next(judged) for one in submissions]


def grade(model: str, suite: Suite, answers: Sequence[Answer], judges: Judges) -> list[Graded]:
    """Judged samples in the order of `answers`."""
    official, *others = (_verdicts(answers, judges, rules) for rules in suite.rules)
    faithful = others[0] if others else official
    return [
        Graded(
            model=model,
            suite=suite.name,
            problem_id=answer.task.problem_id,
            question_id=answer.task.question_id,
            platform=answer.task.platform,
            difficulty=answer.task.difficulty,
            month=answer.task.month,
            release=answer.task.release,
            sample=answer.sample,
            accepted=first.accepted,
            verdict=first.verdict,
            passed=first.passed,
            total=first.total,
            message=first.message,
            faithful=second.accepted,
            faithful_verdict=second.verdict,
            difference=_difference(first, second),
            errata=ERRATA.get(answer.task.problem_id) if suite.name == "livecodebench" else None,
            extracted=answer.extracted.found,
            truncated=answer.drawn.truncated,
            tokens=answer.drawn.tokens,
            prompt_tokens=answer.drawn.prompt_tokens,
            code=answer.extracted.code,
            completion=answer.drawn.text,
        )
        for answer, first, second in zip(answers, official, faithful, strict=True)
    ]


def write_graded(path: Path, samples: Sequence[Graded]) -> None:
    """One row a sample, in order; the columns of `Graded`."""
    columns = {field.name: [getattr(sample, field.name) for sample in samples] for field in fields(Graded)}
    kinds = {name: _KINDS.get(name, pa.string()) for name in columns}
    pq.write_table(pa.table(columns, schema=pa.schema(list(kinds.items()))), path)


_KINDS = {
    **dict.fromkeys(("sample", "passed", "total", "tokens", "prompt_tokens"), pa.int64()),
    **dict.fromkeys(("accepted", "faithful", "truncated"), pa.bool_()),
}


def _verdicts(answers: Sequence[Answer], judges: Judges, rules: Rules) -> list[_Verdict]:
    return [_verdict(one, result) for one, result in zip(answers, judges.results(rules, answers), strict=True)]


def _verdict(answer: Answer, result: Result | None) -> _Verdict:
    if answer.extracted.code is None:
        return _Verdict(TOO_LONG if answer.drawn.refused else NO_CODE, 0, 0, FOUND[answer.extracted.found])
    if result is None:
        return _Verdict(NO_TESTS, 0, 0, "the problem has no tests here")
    message = result.message.splitlines()[0] if result.message else ""
    return _Verdict(str(result.verdict), result.passed, result.total, message)


def _difference(first: _Verdict, second: _Verdict) -> str | None:
    if first.accepted == second.accepted:
        return None
    said = (f"{verdict.verdict}: {verdict.message or 'all tests'}" for verdict in (first, second))
    return "LiveCodeBench {}; faithful {}".format(*said)
