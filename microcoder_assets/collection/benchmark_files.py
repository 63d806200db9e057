"""Further benchmarks to keep out of training: JSON lines as HumanEval, MBPP and CRUXEval publish them."""

from __future__ import annotations

import ast
import builtins
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from microcoder_assets.collection.files import BAD_RECORD, fingerprint_files, one_line, read_rows
from microcoder_assets.collection.identity import slugify
from microcoder_assets.collection.records import UnreadableRecord
from microcoder_assets.errors import UserError
from microcoder_assets.schema import BENCHMARK, conform

_FORMS = "prompt and entry_point (HumanEval), text and test_list (MBPP), or code, input and output (CRUXEval)"


def benchmark_items(paths: Sequence[Path]) -> pl.DataFrame:
    """BENCHMARK rows of every file. The file's name is the platform: `HumanEval.jsonl.gz` gives `humaneval:0`.

    Raises UserError for a file or row that cannot be read: a part of a benchmark is no benchmark.
    """
    rows = [row for path in paths for row in _read_file(path)]
    return conform(pl.DataFrame(rows, schema=BENCHMARK), BENCHMARK)


def fingerprint(paths: Sequence[Path]) -> str:
    """sha256 over names and bytes. Raises UserError for a file that cannot be read."""
    return fingerprint_files({str(path): path for path in paths})


def _read_file(path: Path) -> Iterator[dict[str, Any]]:
    platform, rows = slugify(path.name.partition(".")[0]), 0
    for row in read_rows(path, platform, whole=True):
        rows += 1
        if isinstance(row, UnreadableRecord):
            raise UserError(f"benchmark {path}: {row.source_ref}: {row.detail}")
        try:
            yield _item(row.parse(), platform)
        except BAD_RECORD as error:
            raise UserError(f"benchmark {path}: {row.ref}: {one_line(error)}; a row needs {_FORMS}") from error
    if not rows:
        raise UserError(f"benchmark {path} holds no rows; a row needs {_FORMS}")


def _item(raw: Mapping[str, Any], platform: str) -> dict[str, Any]:
    """Raises one of BAD_RECORD where the row has none of the forms."""
    if "prompt" in raw and "entry_point" in raw:
        native_id, statement, entry_point = raw["task_id"], raw["prompt"], raw["entry_point"]
        calls = list(_calls(raw.get("test") or "", ("candidate", entry_point)))
    elif "test_list" in raw:
        native_id, statement, code = raw["task_id"], raw["text"], "\n".join(raw["test_list"])
        entry_point = next(_called(code), None)
        calls = list(_calls(code, (entry_point,)))
    else:
        native_id, statement, entry_point = raw["id"], raw["code"], None
        calls = [(raw["input"], raw["output"], None)]
    native_id = str(native_id).rpartition("/")[2]
    digest = hashlib.sha256(json.dumps([statement, entry_point, [call[:2] for call in calls]]).encode())
    return {
        **dict.fromkeys(BENCHMARK),
        "problem_id": f"{platform}:{native_id}",
        "platform": platform,
        "native_id": native_id,
        "title": "",
        "split": "test",
        "statement": statement,
        "io_mode": "function",
        "entry_point": entry_point,
        "tests": [test for _, _, test in calls if test],
        "content_sha": digest.hexdigest(),
        "samples": [{"input": given, "output": expected, "explanation": None} for given, expected, _ in calls],
    }


def _called(code: str) -> Iterator[str]:
    calls = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))
    return (call.func.id for call in calls if isinstance(call.func, ast.Name) and not hasattr(builtins, call.func.id))


def _calls(code: str, names: Sequence[str | None]) -> Iterator[tuple[str, str, dict[str, Any] | None]]:
    """Arguments and value of each `assert name(literal, ...) == literal` as text, and as a test where JSON has them."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Assert(ast.Compare(ast.Call(ast.Name(name), args, []), [ast.Eq()], [value])) if name in names:
                yield ", ".join(map(ast.unparse, args)), ast.unparse(value), _test(args, value)


def _test(arguments: Sequence[ast.expr], value: ast.expr) -> dict[str, Any] | None:
    try:
        given, expected = [ast.literal_eval(argument) for argument in arguments], ast.literal_eval(value)
        content = [json.dumps(part, ensure_ascii=False, allow_nan=False).encode() for part in (given, expected)]
    except (ValueError, TypeError, RecursionError):
        return None
    return {"name": "assert", "sample": True, "input": content[0], "expected": content[1]}
