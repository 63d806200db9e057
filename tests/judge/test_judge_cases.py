"""The labelled cases: every verdict is the one that a judge's rules give."""

from __future__ import annotations

from collections import Counter

import pytest
from cases import CASES, Case

from microcoder_judge import Judge, Result, Submission, Verdict, compare
from microcoder_judge.compare import effective_checker

PRINTED = [case for case in CASES if case.output is not None]
RUN = [case for case in CASES if case.output is None]

Results = dict[Case, Result]


@pytest.fixture(scope="module")
def results(judge: Judge) -> Results:
    return dict(zip(RUN, judge.evaluate_many([Submission(case.code, case.problem) for case in RUN]), strict=True))


def _name(case: Case) -> str:
    return f"{case.group}: {case.name}"


@pytest.mark.parametrize("case", PRINTED, ids=_name)
def test_printed(case: Case) -> None:
    assert case.output is not None
    difference = compare(case.output, case.problem.tests[0].expected, effective_checker(case.problem))
    assert (difference is None) == case.right, f"{case.reason}; {difference}"


@pytest.mark.parametrize("case", RUN, ids=_name)
def test_run(case: Case, results: Results) -> None:
    result = results[case]
    assert result.verdict is not Verdict.IE, result.message
    assert result.accepted == case.right, f"{case.reason}; {result.verdict}: {result.message}"


def test_every_group_has_both_labels_and_no_case_stands_twice() -> None:
    count = Counter((case.group, case.right) for case in CASES)
    assert min(count[group, right] for group in ("stdout", "values", "programs") for right in (True, False)) >= 10
    assert len(CASES) >= 150
    assert len({(case.group, case.name) for case in CASES}) == len(CASES)
