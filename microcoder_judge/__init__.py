"""Verdicts on model-written programs, as an online judge gives them. A library of its own: standard library only.

    with Judge(workers=2) as judge:
        result = judge.run(Program("print(sum(map(int, input().split())))"), problem)

Programs run in clean processes under resource limits; see `process` for what that does and does not keep out.
"""

from microcoder_judge.checkers import checker_from_kattis, checker_from_testlib
from microcoder_judge.compare import compare
from microcoder_judge.judge import JUDGE_VERSION, SUPPORTED_LANGUAGES, Judge, LanguageNotSupported
from microcoder_judge.records import (
    CHECKER_NAMES,
    Checker,
    IoMode,
    Limits,
    Problem,
    Program,
    RecordError,
    Result,
    Test,
    TestResult,
    Verdict,
)

__all__ = [
    "CHECKER_NAMES",
    "JUDGE_VERSION",
    "SUPPORTED_LANGUAGES",
    "Checker",
    "IoMode",
    "Judge",
    "LanguageNotSupported",
    "Limits",
    "Problem",
    "Program",
    "RecordError",
    "Result",
    "Test",
    "TestResult",
    "Verdict",
    "checker_from_kattis",
    "checker_from_testlib",
    "compare",
]
