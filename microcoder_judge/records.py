"""The judge's vocabulary: problems, tests, checkers, programs, verdicts and results.

Everything here is immutable plain data with a JSON form, so that a record means the same in a
Parquet row, on a JSONL line and inside a worker.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Literal

IoMode = Literal["stdin", "function"]
Protocol = Literal["kattis", "testlib"]
Strict = Literal["livecodebench"]
"""Whose comparison to use instead of ours, for scores that can be set beside theirs."""
Isolation = Literal["batch", "test"]
"""`batch`: one process runs all tests of a program, and what fails in it is confirmed in a fresh one. `test`: a fresh
process for every test."""

CHECKER_NAMES = (
    "tokens",
    "tokens_float",
    "lines",
    "yesno",
    "unordered_lines",
    "unordered_tokens",
    "value",
    "unordered",
    "custom",
)


LARGEST = {"time_s": 86_400.0, "memory_mb": 1 << 20, "output_mb": 1 << 20}
"""The most that `Limits` may grant: a day, a TiB, a TiB. What is more does not fit the system's timers. Ours."""


class Verdict(StrEnum):
    """What an online judge says of a program. `IE` is the judge's own fault, never the program's."""

    AC = "AC"
    WA = "WA"
    TLE = "TLE"
    MLE = "MLE"
    OLE = "OLE"
    RE = "RE"
    CE = "CE"
    IE = "IE"


class RecordError(ValueError):
    """A problem, test or checker that cannot be what it says; the message names the field and the mend."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one test may use, each above 0 and at most as LARGEST says.

    time_s: CPU seconds. memory_mb: address space above the interpreter's own, in MiB.
    output_mb: bytes written to standard output, in MiB.
    """

    time_s: float = 2.0
    memory_mb: int = 512
    output_mb: int = 64

    def __post_init__(self) -> None:
        for name, largest in LARGEST.items():
            value = getattr(self, name)
            if not 0 < value <= largest:
                raise RecordError(f"limits.{name} must be above 0 and at most {largest:,g}, got {value!r}")


@dataclass(frozen=True, slots=True)
class Checker:
    """How an output is compared with the expected one; declared per problem, never guessed per output.

    abs_tol, rel_tol: only with `tokens_float`. case_sensitive: only token and line checkers.
    integers: `close` lets the tolerances hold for expected integers too (Kattis, testlib); None wants their bytes.
    program, language, flags: source of a custom checker, its language, and the arguments that follow the files.
    protocol: how a custom checker is called and answers.
        `kattis`   `program input answer feedback_dir flags... < output`; 42 accepts, 43 rejects
        `testlib`  `program input output answer flags...`; 0 accepts, 1 (wrong) and 2 (presentation) reject
        None       `testlib` for a program that names testlib or neither 42 nor 43, else `kattis` (ours)
    """

    name: str = "tokens"
    abs_tol: float | None = None
    rel_tol: float | None = None
    case_sensitive: bool = True
    program: str | None = None
    language: str = "python"
    flags: tuple[str, ...] = ()
    protocol: Protocol | None = None
    integers: Literal["close"] | None = None

    def __post_init__(self) -> None:
        if self.name not in CHECKER_NAMES:
            raise RecordError(f"unknown checker {self.name!r}; one of {', '.join(CHECKER_NAMES)}")
        if self.name == "tokens_float" and self.abs_tol is None and self.rel_tol is None:
            raise RecordError("checker tokens_float needs abs_tol or rel_tol")
        for name, kind in (("abs_tol", int | float), ("rel_tol", int | float), ("program", str)):
            value = getattr(self, name)
            if value is not None and not isinstance(value, kind):
                raise RecordError(f"checker.{name} must be {'text' if kind is str else 'a number'}, got {value!r}")
        if (self.name == "custom") != (self.program is not None):
            raise RecordError("a checker has a program exactly when its name is custom")
        if self.integers not in (None, "close") or (self.integers and self.name != "tokens_float"):
            raise RecordError(f"checker.integers must be close, with tokens_float only, got {self.integers!r}")
        if self.protocol not in (None, "kattis", "testlib"):
            raise RecordError(f"checker.protocol must be kattis or testlib, got {self.protocol!r}")
        if not isinstance(self.flags, tuple) or not all(isinstance(flag, str) for flag in self.flags):
            raise RecordError(f"checker.flags must be a tuple of texts, got {self.flags!r}")

    def to_json(self) -> str:
        """One line of JSON with sorted keys; the form stored in Parquet."""
        present = {k: v for k, v in asdict(self).items() if v is not None and v != ()}
        return json.dumps(present, sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Checker:
        raw = json.loads(text)
        return cls(**{**raw, "flags": tuple(raw.get("flags", ()))})


UNDECLARED, UNDECLARED_VALUE = Checker("tokens"), Checker("value")


@dataclass(frozen=True, slots=True)
class Test:
    """One test. stdin problems: raw bytes. Function problems: `input` is a JSON array of the positional
    arguments and `expected` the JSON of the value to return."""

    __test__ = False  # not a pytest class

    input: bytes
    expected: bytes
    name: str = ""

    @property
    def sha(self) -> str:
        """sha256 over both parts, each preceded by its length: equal tests, equal hash."""
        digest = hashlib.sha256()
        for part in (self.input, self.expected):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Problem:
    """What a program is judged against.

    checker: None where nobody declared one: `tokens` or, for function problems, `value`; and if every expected output
        holds a decimal, those are taken within 1e-6, which each result says (`tolerance_assumed`).
    entry_point: function problems only: `f` (a method of `class Solution`, else a top-level function) or `Solution.f`.
    preamble: put LiveCodeBench's imports before the program; names that it or the builtins define win.
    """

    id: str
    tests: tuple[Test, ...]
    limits: Limits = Limits()
    checker: Checker | None = None
    io_mode: IoMode = "stdin"
    entry_point: str | None = None
    preamble: bool = False

    def __post_init__(self) -> None:
        if self.io_mode not in ("stdin", "function"):
            raise RecordError(f"problem {self.id!r}: io_mode must be stdin or function, got {self.io_mode!r}")
        if not self.tests:
            raise RecordError(f"problem {self.id!r} has no tests; nothing can be judged against it")
        if (self.io_mode == "function") != bool(self.entry_point):
            raise RecordError(f"problem {self.id!r}: a function problem, and only one, names an entry_point")
        if self.io_mode == "function" and self.rule.name not in ("value", "unordered"):
            raise RecordError(f"problem {self.id!r}: checker {self.rule.name} does not fit io_mode {self.io_mode}")

    @property
    def rule(self) -> Checker:
        """The checker that decides, declared or not."""
        return self.checker or (UNDECLARED_VALUE if self.io_mode == "function" else UNDECLARED)


@dataclass(frozen=True, slots=True)
class Submission:
    """A program handed in for a problem.

    language: a name in `languages.LANGUAGES`. id: the caller's own name for it, carried into the result.
    stop_on_fail: end at the first test that is not AC; else every test is run.
    """

    code: str
    problem: Problem
    language: str = "python"
    id: str = ""
    stop_on_fail: bool = True


@dataclass(frozen=True, slots=True)
class TestResult:
    """What happened on one test.

    cpu_s, wall_s: seconds. memory_mb: the process's largest resident set so far, in MiB.
    message: the first difference, or the last line of standard error.
    output: of `Judge.run_many` alone: what it wrote, or the value that it returned in the text form of `values`.
    """

    __test__ = False

    name: str
    verdict: Verdict
    cpu_s: float = 0.0
    wall_s: float = 0.0
    memory_mb: float = 0.0
    message: str = ""
    output: bytes = b""


@dataclass(frozen=True, slots=True)
class Result:
    """What happened to one program: the verdict of the first test that is not AC, else AC.

    passed / total: tests accepted, tests of the problem. tests: those that were run, in the problem's order.
    sandbox: the isolation that the program ran under, "" where nothing ran. tolerance_assumed: decimals were compared
    within 1e-6 although no checker was declared. cached: the verdict of an earlier equal submission.
    """

    problem_id: str
    verdict: Verdict
    passed: int
    total: int
    tests: tuple[TestResult, ...] = field(default=())
    message: str = ""
    sandbox: str = ""
    tolerance_assumed: bool = False
    cached: bool = False
    submission_id: str = ""

    @property
    def accepted(self) -> bool:
        return self.verdict is Verdict.AC

    @property
    def first_failed(self) -> int | None:
        """Index in `tests` of the first that was not accepted."""
        return next((n for n, t in enumerate(self.tests) if t.verdict is not Verdict.AC), None)
