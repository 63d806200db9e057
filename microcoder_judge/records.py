"""The judge's vocabulary: problems, tests, checkers, programs, verdicts and results.

Everything here is immutable plain data with a JSON form, so that a record means the same in a
Parquet row, on a JSONL line and inside a worker.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal

IoMode = Literal["stdin", "function"]

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
    program: source of a custom checker, Python, called as Kattis output validators are:
    `program input answer feedback_dir < output`, exit 42 accepts and 43 rejects.
    """

    name: str = "tokens"
    abs_tol: float | None = None
    rel_tol: float | None = None
    case_sensitive: bool = True
    program: str | None = None
    language: str = "python"

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

    def to_json(self) -> str:
        """One line of JSON with sorted keys; the form stored in Parquet."""
        return json.dumps({k: v for k, v in asdict(self).items() if v is not None}, sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Checker:
        return cls(**json.loads(text))


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

    entry_point: function problems only: the name of a top-level function or of a method of `class Solution`.
    """

    id: str
    tests: tuple[Test, ...]
    limits: Limits = Limits()
    checker: Checker = Checker()
    io_mode: IoMode = "stdin"
    entry_point: str | None = None

    def __post_init__(self) -> None:
        if self.io_mode not in ("stdin", "function"):
            raise RecordError(f"problem {self.id!r}: io_mode must be stdin or function, got {self.io_mode!r}")
        if not self.tests:
            raise RecordError(f"problem {self.id!r} has no tests; nothing can be judged against it")
        if (self.io_mode == "function") != bool(self.entry_point):
            raise RecordError(f"problem {self.id!r}: a function problem, and only one, names an entry_point")
        if (self.io_mode == "function") != (self.checker.name in ("value", "unordered")):
            raise RecordError(f"problem {self.id!r}: checker {self.checker.name} does not fit io_mode {self.io_mode}")

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Problem:
        """Read the JSONL form: bytes as UTF-8 text, or as base64 under `input_b64` / `expected_b64`.

        Raises RecordError naming the field.
        """
        try:
            tests = tuple(
                Test(_bytes(t, "input"), _bytes(t, "expected"), t.get("name", str(n)))
                for n, t in enumerate(raw["tests"])
            )
            return cls(
                id=str(raw["id"]),
                tests=tests,
                limits=Limits(**raw.get("limits", {})),
                checker=Checker(**raw.get("checker", {})),
                io_mode=raw.get("io_mode", "stdin"),
                entry_point=raw.get("entry_point"),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise RecordError(f"problem {raw.get('id', '?')!r}: missing or wrong field: {error}") from error


def _bytes(raw: dict[str, str], key: str) -> bytes:
    if f"{key}_b64" in raw:
        return base64.b64decode(raw[f"{key}_b64"], validate=True)
    return raw[key].encode()


@dataclass(frozen=True, slots=True)
class Program:
    """Source code in one language (`python` today)."""

    code: str
    language: str = "python"


@dataclass(frozen=True, slots=True)
class TestResult:
    """What happened on one test. cpu_s and wall_s in seconds; message: the first difference or the last error line."""

    __test__ = False

    name: str
    verdict: Verdict
    cpu_s: float = 0.0
    wall_s: float = 0.0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What happened to one program: the verdict of the first test that is not AC, else AC.

    passed / total: tests accepted, tests of the problem (tests after a stop are not run and not in `tests`).
    sandbox: the isolation the program ran under.
    """

    problem_id: str
    verdict: Verdict
    passed: int
    total: int
    tests: tuple[TestResult, ...] = field(default=())
    message: str = ""
    sandbox: str = ""

    @property
    def accepted(self) -> bool:
        return self.verdict is Verdict.AC

    @property
    def first_failed(self) -> int | None:
        """Index of the first test that was run and not accepted."""
        return next((n for n, t in enumerate(self.tests) if t.verdict is not Verdict.AC), None)

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "first_failed": self.first_failed}
