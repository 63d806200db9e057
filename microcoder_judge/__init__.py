"""Verdicts on model-written programs, as an online judge gives them. A library of its own: standard library only.

    with Judge(workers=2) as judge:
        result = judge.evaluate(Submission("print(sum(map(int, input().split())))", problem))

Programs run in a kernel sandbox, set up once a worker; `_sandbox` has its rungs, docs/judge.md what it keeps out.
"""

from microcoder_judge.checkers import checker_from_kattis, checker_from_testlib
from microcoder_judge.compare import compare
from microcoder_judge.judge import JUDGE_VERSION, Judge
from microcoder_judge.languages import LanguageNotSupported
from microcoder_judge.records import (
    CHECKER_NAMES,
    Checker,
    IoMode,
    Isolation,
    Limits,
    Problem,
    RecordError,
    Result,
    Strict,
    Submission,
    Test,
    TestResult,
    Verdict,
)
from microcoder_judge.worker import SandboxRefused

__all__ = [
    "CHECKER_NAMES",
    "JUDGE_VERSION",
    "Checker",
    "IoMode",
    "Isolation",
    "Judge",
    "LanguageNotSupported",
    "Limits",
    "Problem",
    "RecordError",
    "Result",
    "SandboxRefused",
    "Strict",
    "Submission",
    "Test",
    "TestResult",
    "Verdict",
    "checker_from_kattis",
    "checker_from_testlib",
    "compare",
]
