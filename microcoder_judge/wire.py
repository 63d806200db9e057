"""The JSONL form: a submission a line in, a result a line out. All that is read here is untrusted.

A submission is one JSON object. Only `id`, `code` and `tests` are required; null stands for a key left out.

    id                text or whole number, given back as it is
    code              the program; also {"base64": "..."}
    language          "python"
    io                "stdin" or "function"
    entry             function problems: "f" or "Solution.f"
    tests             stdin: {"input", "output"}, each text or {"base64": "..."}; function: {"args": [...], "expected"}
    checker           {"type": name, ...}: `abs` and `rel` for tokens_float, value and unordered; `case_sensitive` for
                      those that compare text; `integers` for tokens_float; `code`, `language`, `flags` and `protocol`
                      for custom. Without one nobody declared it (`Problem.checker`)
    time_limit_s, memory_limit_mb, output_limit_mb    seconds, MiB, MiB; by default those of `Limits`
    stop_on_fail, isolation, preamble                 as in `Submission`, `Judge.submit` and `Problem`

A key that is not here, and a key twice in one object, is an error: a misspelt checker must not become the default one.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, cast

from microcoder_judge.records import (
    LARGEST,
    Checker,
    IoMode,
    Isolation,
    Limits,
    Problem,
    Protocol,
    RecordError,
    Result,
    Submission,
    Test,
    Verdict,
)

UNSUPPORTED = "unsupported:"
"""How the reason begins where a line is sound and this judge cannot judge it: never `wrong`."""

KEYS = (
    "id", "code", "language", "io", "entry", "tests", "checker", "time_limit_s", "memory_limit_mb", "output_limit_mb",
    "stop_on_fail", "isolation", "preamble",
)  # fmt: skip
_NUMBERS, _TEXTS = ("type", "abs", "rel"), ("type", "case_sensitive")
CHECKER_KEYS: dict[str, tuple[str, ...]] = {
    "tokens": _TEXTS,
    "tokens_float": (*_NUMBERS, "case_sensitive", "integers"),
    "lines": _TEXTS,
    "yesno": _TEXTS,
    "unordered_lines": _TEXTS,
    "unordered_tokens": _TEXTS,
    "value": _NUMBERS,
    "unordered": _NUMBERS,
    "custom": ("type", "language", "code", "flags", "protocol"),
}
LARGEST_TOLERANCE = 1e300
MAX_REASON_CHARACTERS = 300
DEFAULTS = Limits()

LineId = str | int | None


class BadLine(RecordError):
    """A line that gives no submission. The message is one line; id: the line's own, None where it shows none."""

    def __init__(self, reason: str, id: LineId = None) -> None:
        super().__init__(reason if len(reason) <= MAX_REASON_CHARACTERS else reason[:MAX_REASON_CHARACTERS] + "...")
        self.id = id


@dataclass(frozen=True, slots=True)
class Line:
    """What a line asks for. isolation: None leaves it to the judge."""

    id: str | int
    submission: Submission
    isolation: Isolation | None = None


def read_submission(line: bytes) -> Submission:
    """The submission of a line. Raises BadLine, a RecordError, that names the key and the mend."""
    return read_line(line).submission


def read_line(line: bytes) -> Line:
    """All that a line says. Raises BadLine, a RecordError, that names the key and the mend.

    Text that no file can hold (lone surrogates) is refused in tests, and kept in programs: the judge says CE.
    """
    found: LineId = None
    try:
        raw = _parse(line)
        found = _line_id(raw)
        return _read(raw)
    except RecordError as error:
        raise BadLine(str(error), found) from error


def write_result(result: Result, id: LineId = None) -> dict[str, Any]:
    """The JSON object of a result, under `id` or else the submission's own.

    A test carries its index as `test` where not all were run. Seconds and MiB as in `TestResult`.
    """
    partial = len(result.tests) != result.total
    tests = []
    for test in result.tests:
        row: dict[str, Any] = {
            "verdict": test.verdict,
            "cpu_s": round(test.cpu_s, 6),
            "wall_s": round(test.wall_s, 6),
            "memory_mb": round(test.memory_mb, 3),
        }
        if partial:
            row["test"] = int(test.name) if test.name.isdecimal() else test.name
        tests.append(row)
    return {
        "id": result.submission_id if id is None else id,
        "verdict": result.verdict,
        "passed": result.passed,
        "total": result.total,
        "tests": tests,
        "reason": result.message,
        "sandbox": result.sandbox,
        "tolerance_assumed": result.tolerance_assumed,
        "cached": result.cached,
    }


def write_failure(id: LineId, reason: str) -> dict[str, Any]:
    """The JSON object for a line that was not judged: IE, for it says nothing about the program."""
    return {**write_result(Result("", Verdict.IE, 0, 0, message=reason)), "id": id}


def write_submission(submission: Submission, isolation: Isolation | None = None) -> dict[str, Any]:
    """The JSON object of a submission. Names of the problem and of its tests are not part of the form.

    Raises RecordError where a test of a function problem is not JSON.
    """
    problem = submission.problem
    function = problem.io_mode == "function"
    return {
        "id": submission.id,
        "code": submission.code,
        "language": submission.language,
        "io": problem.io_mode,
        "entry": problem.entry_point,
        "tests": [_write_call(test) if function else _write_files(test) for test in problem.tests],
        "checker": None if problem.checker is None else _write_checker(problem.checker),
        "time_limit_s": problem.limits.time_s,
        "memory_limit_mb": problem.limits.memory_mb,
        "output_limit_mb": problem.limits.output_mb,
        "stop_on_fail": submission.stop_on_fail,
        "isolation": isolation,
        "preamble": problem.preamble,
    }


def _write_files(test: Test) -> dict[str, Any]:
    return {"input": _write_bytes(test.input), "output": _write_bytes(test.expected)}


def _write_call(test: Test) -> dict[str, Any]:
    try:
        return {"args": json.loads(test.input), "expected": json.loads(test.expected)}
    except (ValueError, RecursionError) as error:
        raise RecordError(f"test {test.name!r} of a function problem is not JSON: {error}") from error


def _write_bytes(data: bytes) -> str | dict[str, str]:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _write_checker(checker: Checker) -> dict[str, Any]:
    values = {
        "type": checker.name,
        "abs": checker.abs_tol,
        "rel": checker.rel_tol,
        "case_sensitive": checker.case_sensitive,
        "integers": checker.integers,
        "language": checker.language,
        "code": checker.program,
        "flags": list(checker.flags),
        "protocol": checker.protocol,
    }
    return {key: values[key] for key in CHECKER_KEYS[checker.name]}


def _parse(line: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise RecordError(f"not UTF-8 from byte {error.start + 1}; write such text as base64") from error
    except json.JSONDecodeError as error:
        raise RecordError(f"not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise RecordError("nested too deeply") from error
    except RecordError:
        raise
    except ValueError as error:
        raise RecordError("a number of more digits than JSON readers take (4300)") from error
    if not isinstance(raw, dict):
        raise RecordError(f"a line must be an object, got {_show(raw)}")
    return raw


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        [(repeated, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise RecordError(f"an object holds the key {_show(repeated)} twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise RecordError(f"{name} is not JSON")


def _line_id(raw: dict[str, Any]) -> LineId:
    found = raw.get("id")
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None


def _read(raw: dict[str, Any]) -> Line:
    io = raw.get("io") or "stdin"
    if isinstance(io, str) and io not in ("stdin", "function"):
        raise RecordError(f"{UNSUPPORTED} io {_show(io)}; this judge runs stdin and function problems")
    fields = _Fields(raw, "", KEYS)
    found = _line_id(raw)
    if found is None:
        raise fields.fault("id", "text or a whole number")
    io_mode = cast(IoMode, fields.choice("io", ("stdin", "function"), "stdin"))
    problem = Problem(
        id=str(found),
        tests=_tests(fields, io_mode),
        limits=Limits(
            fields.number("time_limit_s", LARGEST["time_s"], DEFAULTS.time_s),
            fields.whole("memory_limit_mb", LARGEST["memory_mb"], DEFAULTS.memory_mb),
            fields.whole("output_limit_mb", LARGEST["output_mb"], DEFAULTS.output_mb),
        ),
        checker=_checker(fields, io_mode),
        io_mode=io_mode,
        entry_point=_entry(fields, io_mode),
        preamble=fields.flag("preamble", False),
    )
    submission = Submission(
        code=fields.source("code"),
        problem=problem,
        language=fields.text("language", "python"),
        id=str(found),
        stop_on_fail=fields.flag("stop_on_fail", True),
    )
    return Line(found, submission, cast("Isolation | None", fields.choice("isolation", ("batch", "test"))))


def _tests(fields: _Fields, io_mode: IoMode) -> tuple[Test, ...]:
    tests = fields.values.get("tests")
    if not isinstance(tests, list):
        raise fields.fault("tests", "a list of tests")
    if not tests:
        raise RecordError("tests is empty; nothing can be judged")
    return tuple(_test(test, n, io_mode) for n, test in enumerate(tests))


def _test(raw: Any, index: int, io_mode: IoMode) -> Test:
    where = f"tests[{index}]"
    if io_mode == "stdin":
        fields = _Fields(raw, where, ("input", "output"))
        return Test(fields.data("input"), fields.data("output"), str(index))
    fields = _Fields(raw, where, ("args", "expected"))
    if not isinstance(fields.values.get("args"), list):
        raise fields.fault("args", "a list of arguments")
    if "expected" not in fields.values:
        raise RecordError(f"{where}.expected is missing")
    return Test(fields.json("args"), fields.json("expected"), str(index))


def _entry(fields: _Fields, io_mode: IoMode) -> str | None:
    entry = fields.values.get("entry")
    if io_mode == "stdin":
        if entry is None:
            return None
        raise RecordError('entry is for function problems; set "io": "function" or leave it out')
    if not isinstance(entry, str) or not entry.removeprefix("Solution.").isidentifier():
        raise fields.fault("entry", "a function's name, as f or Solution.f")
    return entry


def _checker(fields: _Fields, io_mode: IoMode) -> Checker | None:
    raw = fields.values.get("checker")
    if raw is None:
        return None
    if not isinstance(raw, dict):
        raise fields.fault("checker", 'an object such as {"type": "tokens"}')
    name = _Fields(raw, "checker", raw).choice("type", tuple(CHECKER_KEYS))
    if name is None:
        raise RecordError(f"checker.type is missing; one of {', '.join(CHECKER_KEYS)}")
    if io_mode == "function" and name not in ("value", "unordered"):
        raise RecordError(f"checker {name} does not fit io {io_mode}")
    checker = _Fields(raw, f"checker {name}", CHECKER_KEYS[name])
    if name == "custom":
        return Checker(
            name,
            program=checker.source("code"),
            language=checker.text("language", "python"),
            flags=checker.flags("flags"),
            protocol=cast("Protocol | None", checker.choice("protocol", ("kattis", "testlib"))),
        )
    tolerances = checker.tolerance("abs"), checker.tolerance("rel")
    if name == "tokens_float" and tolerances == (None, None):
        raise RecordError("checker tokens_float needs abs or rel")
    return Checker(
        name,
        *tolerances,
        case_sensitive=checker.flag("case_sensitive", True),
        integers=cast("Literal['close'] | None", checker.choice("integers", ("close",))),
    )


class _Fields:
    """A JSON object whose values are taken out by key and kind, or refused by name.

    Raises RecordError for a value that is no object and for a key that is not among `keys`.
    """

    def __init__(self, values: Any, where: str, keys: Collection[str]) -> None:
        if not isinstance(values, dict):
            raise RecordError(f"{where} must be an object, got {_show(values)}")
        unknown = next((key for key in values if key not in keys), None)
        if unknown is not None:
            place = f" in {where}" if where else ""
            raise RecordError(f"unknown key {_show(unknown)}{place}; it takes {', '.join(keys)}")
        self.values: dict[str, Any] = values
        self._where = where

    def fault(self, key: str, wanted: str) -> RecordError:
        if self.values.get(key) is None:
            return RecordError(f"{self._name(key)} is missing; it must be {wanted}")
        return RecordError(f"{self._name(key)} must be {wanted}, got {_show(self.values[key])}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self._value(key, default)
        if not isinstance(value, str):
            raise self.fault(key, "text")
        return value

    def source(self, key: str) -> str:
        """A program, as it is: what is no text becomes lone surrogates, which the judge refuses."""
        value = self.values.get(key)
        return value if isinstance(value, str) else self._base64(key).decode("utf-8", "surrogateescape")

    def data(self, key: str) -> bytes:
        value = self.values.get(key)
        if not isinstance(value, str):
            return self._base64(key)
        try:
            return value.encode()
        except UnicodeEncodeError as error:
            raise RecordError(f"{self._name(key)} holds a lone surrogate; write such text as base64") from error

    def json(self, key: str) -> bytes:
        try:
            return json.dumps(self.values[key], allow_nan=False, separators=(",", ":")).encode()
        except ValueError as error:
            raise RecordError(f"{self._name(key)} holds a number beyond a double") from error
        except RecursionError as error:
            raise RecordError(f"{self._name(key)} is nested too deeply") from error

    def flag(self, key: str, default: bool) -> bool:
        value = self._value(key, default)
        if not isinstance(value, bool):
            raise self.fault(key, "true or false")
        return value

    def choice(self, key: str, choices: tuple[str, ...], default: str | None = None) -> str | None:
        value = self._value(key, default)
        if value is not None and value not in choices:
            raise self.fault(key, f"one of {', '.join(choices)}")
        return cast("str | None", value)

    def number(self, key: str, largest: float, default: float) -> float:
        value = self._value(key, default)
        if not _is_number(value) or not 0 < value <= largest:
            raise self.fault(key, f"a number above 0 and at most {largest:,.15g}")
        return float(value)

    def whole(self, key: str, largest: float, default: int) -> int:
        value = self._value(key, default)
        if not _is_number(value) or not 0 < value <= largest or value != int(value):
            raise self.fault(key, f"a whole number above 0 and at most {largest:,.15g}")
        return int(value)

    def tolerance(self, key: str) -> float | None:
        value = self.values.get(key)
        if value is None:
            return None
        if not _is_number(value) or not 0 <= value <= LARGEST_TOLERANCE:
            raise self.fault(key, "a number from 0")
        return float(value)

    def flags(self, key: str) -> tuple[str, ...]:
        value = self._value(key, [])
        if not isinstance(value, list) or not all(isinstance(flag, str) and flag.isprintable() for flag in value):
            raise self.fault(key, "a list of texts without control characters")
        return tuple(value)

    def _base64(self, key: str) -> bytes:
        value = self.values.get(key)
        if not isinstance(value, dict) or list(value) != ["base64"] or not isinstance(value["base64"], str):
            raise self.fault(key, 'text or {"base64": "..."}')
        try:
            return base64.b64decode(value["base64"], validate=True)
        except ValueError as error:
            raise RecordError(f"{self._name(key)} is not base64: {error}") from error

    def _value(self, key: str, default: Any) -> Any:
        value = self.values.get(key)
        return default if value is None else value

    def _name(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _show(value: Any) -> str:
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    text = ascii(value[:50]) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 40 else text[:40] + "..."
