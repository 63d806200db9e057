"""Split rows in the columns that other trainers read: TRL, verl and rLLM.

What their code reads, and where, stands in docs/publication.md. Each row holds everything that it is judged by: what a
trainer's own scorer does not know (checker, limits) stands beside what it reads, in the JSON forms of
`microcoder_judge.wire`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from microcoder_judge import Checker, Limits, Problem, Submission, Test
from microcoder_judge.wire import write_submission

Row = Mapping[str, Any]


class CannotHold(ValueError):
    """A row that a format has no way to write; the message says what stands against it."""


@dataclass(frozen=True, slots=True)
class Format:
    """file: the name of a part's file, with a hole for the part. row: of a split row and its number in the part.

    schema: the columns of a Parquet file; None: a JSON array.
    """

    file: str
    row: Callable[[Row, int], dict[str, Any]]
    schema: pa.Schema | None = None


def problem_of(row: Row) -> Problem:
    """What programs for a split row are judged against. Raises RecordError where it does not say."""
    default = Limits()
    return Problem(
        id=row["problem_id"],
        tests=tuple(Test(t["input"], t["expected"], t["name"]) for t in row["tests"]),
        limits=Limits(row["time_limit_s"] or default.time_s, row["memory_limit_mb"] or default.memory_mb),
        checker=Checker.from_json(row["checker"]) if row["checker"] else None,
        io_mode=row["io_mode"],
        entry_point=row["entry_point"],
    )


def trl_row(row: Row, number: int) -> dict[str, Any]:
    """Columns that `GRPOTrainer` hands to a reward function, in the form of `microcoder_judge.trl_reward`."""
    wire = _wire(row)
    return {
        "prompt": _messages(row),
        "problem_id": row["problem_id"],
        "io": wire["io"],
        "entry": wire["entry"],
        "tests": _json(wire["tests"]),
        "checker": wire["checker"] and _json(wire["checker"]),
        "time_limit_s": wire["time_limit_s"],
        "memory_limit_mb": wire["memory_limit_mb"],
        "difficulty": row["difficulty"],
    }


def verl_row(row: Row, number: int) -> dict[str, Any]:
    """The five fields of verl's data sets. ground_truth is JSON as its code rewards take it, and more beside it.

    Raises CannotHold for tests that are not text.
    """
    tests = _text_tests(row)
    name = {"fn_name": _function(row)} if row["io_mode"] == "function" else {}
    truth = {"inputs": [given for given, _ in tests], "outputs": [wanted for _, wanted in tests], **name}
    return {
        "data_source": "microcoder",
        "prompt": _messages(row),
        "ability": "code",
        "reward_model": {"style": "rule", "ground_truth": _json(truth | _beside(row))},
        "extra_info": {
            "index": number,
            "split": row["split"],
            "problem_id": row["problem_id"],
            "difficulty": row["difficulty"],
        },
    }


def rllm_row(row: Row, number: int) -> dict[str, Any]:
    """A row as rLLM's DeepCoder recipe prepares them. Raises CannotHold for tests that are not text."""
    function = row["io_mode"] == "function"
    name = _function(row) if function else None
    kind = "functional" if function else "stdin_stdout"
    tests = [
        {"input": given, "output": wanted, "testtype": kind, "metadata": {"func_name": name}}
        for given, wanted in _text_tests(row)
    ]
    metadata = {"func_name": name, "difficulty": row["difficulty"], **_beside(row)}
    return {
        "uid": row["problem_id"],
        "index": number,
        "question": row["prompt"],
        "ground_truth": _json(tests),
        "data_source": "livecodebench",
        "starter_code": row["starter_code"] or "",
        "metadata": _json(metadata),
    }


def _wire(row: Row) -> dict[str, Any]:
    return write_submission(Submission("", problem_of(row)))


def _beside(row: Row) -> dict[str, Any]:
    """What decides a verdict beside the tests."""
    wire = _wire(row)
    return {key: wire[key] for key in ("checker", "time_limit_s", "memory_limit_mb")}


def _messages(row: Row) -> list[dict[str, str]]:
    return [{"role": "user", "content": row["prompt"]}]


def _function(row: Row) -> str:
    return str(row["entry_point"]).removeprefix("Solution.")


def _text_tests(row: Row) -> list[tuple[str, str]]:
    """Input and expected output as text; of functions one argument a line, as JSON."""
    try:
        tests = [(test["input"].decode(), test["expected"].decode()) for test in row["tests"]]
    except UnicodeDecodeError as error:
        raise CannotHold("a test is not UTF-8 text") from error
    if row["io_mode"] != "function":
        return tests
    if not all(json.loads(given) for given, _ in tests):
        raise CannotHold("a call without arguments")
    return [("\n".join(map(_json, json.loads(given))), wanted) for given, wanted in tests]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_TRL = pa.schema(
    [
        ("prompt", _MESSAGES),
        *((name, pa.string()) for name in ("problem_id", "io", "entry", "tests", "checker")),
        ("time_limit_s", pa.float64()),
        ("memory_limit_mb", pa.int64()),
        ("difficulty", pa.string()),
    ]
)
_VERL = pa.schema(
    [
        ("data_source", pa.string()),
        ("prompt", _MESSAGES),
        ("ability", pa.string()),
        ("reward_model", pa.struct([("style", pa.string()), ("ground_truth", pa.string())])),
        (
            "extra_info",
            pa.struct([("index", pa.int64()), *((n, pa.string()) for n in ("split", "problem_id", "difficulty"))]),
        ),
    ]
)
FORMATS = {
    "trl": Format("data/{}-00000-of-00001.parquet", trl_row, _TRL),
    "verl": Format("{}.parquet", verl_row, _VERL),
    "rllm": Format("{}.json", rllm_row),
}
