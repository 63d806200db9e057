"""Verdicts on model-written programs, as an online judge gives them. A library of its own: standard library only."""

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
    "Checker",
    "IoMode",
    "Limits",
    "Problem",
    "Program",
    "RecordError",
    "Result",
    "Test",
    "TestResult",
    "Verdict",
]
