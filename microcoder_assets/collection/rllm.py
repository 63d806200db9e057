"""The RL code sets of rLLM / DeepCoder: LeetCode rows with asserts, Codeforces and CodeContests rows with tests."""

from __future__ import annotations

import ast
import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from microcoder_assets.collection.files import BAD_RECORD, BROKEN_STREAM, FileSource, one_line
from microcoder_assets.collection.records import Reference, ScrapedProblem, ScrapedTest, UnreadableRecord
from microcoder_assets.collection.signature import Signature
from microcoder_assets.collection.wording import is_interactive, plain
from microcoder_assets.errors import UserError

_PREFIX = "Please solve the programming task below using a self-contained code snippet in a markdown code block."
_STARTER = re.compile(r"Please complete the following python code precisely:\s*```python\n(.*?)```", re.DOTALL)
_TAGS = re.compile(r"^Tags:\s*(\[.*\])\s*$", re.MULTILINE)
_TIME = re.compile(r"^Time Limit: (?:(\d+) ms|(\{.*\}))\s*$", re.MULTILINE)
_MEMORY = re.compile(r"^Memory Limit: (\d+) (MB|Bytes)\s*$", re.MULTILINE)
_ENTRY_POINT = re.compile(r"check\(Solution\(\)\.(\w+)\)")


def open_rllm(path: Path) -> FileSource:
    """path: the folder, or one of its `*.json.gz`."""
    paths = sorted(path.glob("*.json.gz")) if path.is_dir() else [path]
    if not paths:
        raise UserError(f"rllm source {path} holds no .json.gz file")

    def read() -> Iterator[ScrapedProblem | UnreadableRecord]:
        for file in paths:
            yield from _read_file(file)

    return FileSource("rllm", ("rllm",), {file.name: file for file in paths}, read)


def _read_file(path: Path) -> Iterator[ScrapedProblem | UnreadableRecord]:
    """A file is one JSON array: where it is damaged, no row can be read. Raises UserError for an empty one."""
    try:
        with gzip.open(path) as stream:
            content = stream.read()
        rows = json.loads(content) if content.strip() else []
        if not isinstance(rows, list):
            raise ValueError(f"holds {type(rows).__name__}, not a list of rows")
    except (*BROKEN_STREAM, *BAD_RECORD) as error:
        yield UnreadableRecord("rllm", path.name, "malformed_record", one_line(error))
        return
    if not rows:
        raise UserError(f"{path} holds no records; name a file with a JSON array of rows")
    stem = path.name.partition(".")[0]
    for number, raw in enumerate(rows, 1):
        ref = f"{path.name}#{number}"
        try:
            yield problem(raw, f"{stem}-{number}", ref)
        except (*BAD_RECORD, MemoryError) as error:  # Python's parser raises MemoryError on deep nesting
            yield UnreadableRecord("rllm", ref, "malformed_record", one_line(error))


def problem(raw: Mapping[str, Any], native_id: str, ref: str) -> ScrapedProblem:
    """One row. It has neither title nor address: identity must come from its text. Raises one of BAD_RECORD."""
    common = {
        "platform": "rllm",
        "native_id": native_id,
        "title": "",
        "statement_format": "text",
        "statement_language": "en",
        "source_ref": ref,
        "record_sha": hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest(),
    }
    tests = raw["tests"]
    if isinstance(tests, dict) and "functional" in tests:
        return _function_problem(raw, common)
    return _stdin_problem(raw, common)


def _function_problem(raw: Mapping[str, Any], common: dict[str, Any]) -> ScrapedProblem:
    text = raw["problem"]
    starter = _STARTER.search(text)
    statement = _STARTER.sub("", text).removeprefix(_PREFIX).strip()
    signature = Signature.of_starter(starter[1]) if starter else None
    solution = raw["solutions"]
    entry_point = _ENTRY_POINT.search(raw["tests"]["functional"])
    named = signature is not None and entry_point is not None and entry_point[1] == signature.name
    flags = set(signature.flags if signature and named else ("unusual_signature",))
    usable = not flags
    return ScrapedProblem(
        **common,
        statement=statement,
        io_mode="function" if usable else None,
        entry_point=signature.name if signature and usable else None,
        starter_code=signature.starter_code if signature and usable else None,
        tests=tuple(read_asserts(raw["tests"]["functional"], signature)) if signature and usable else (),
        references=(Reference("solution", "python", "accepted", solution),) if solution.strip() else (),
        flags=tuple(sorted(flags)),
    )


def read_asserts(code: str, signature: Signature) -> Iterator[ScrapedTest]:
    """A test for each `assert candidate(name=literal, ...) == literal`; asserts of another form are left out.

    Nothing is evaluated but literals. Raises SyntaxError, which is a ValueError here, when the code does not parse.
    """
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise ValueError(f"the asserts do not parse: {error}") from error
    for number, node in enumerate((n for n in ast.walk(tree) if isinstance(n, ast.Assert)), 1):
        try:
            match node.test:
                case ast.Compare(ast.Call(ast.Name("candidate")) as call, [ast.Eq()], [value]):
                    arguments = _positional(call, signature)
                    yield ScrapedTest(f"assert-{number}", False, _json(arguments), _json(ast.literal_eval(value)))
        except (ValueError, TypeError, RecursionError, MemoryError):
            continue


def _positional(call: ast.Call, signature: Signature) -> list[Any]:
    """The call's arguments in the order of the signature. Raises ValueError for one that is missing or unknown."""
    given = {name: ast.literal_eval(value) for name, value in zip(signature.parameters, call.args, strict=False)}
    given |= {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in call.keywords}
    names = signature.parameters[: len(given)]
    if set(names) != given.keys() or len(given) < signature.required:
        raise ValueError("arguments do not fit the signature")
    return [given[name] for name in names]


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def _stdin_problem(raw: Mapping[str, Any], common: dict[str, Any]) -> ScrapedProblem:
    text, tests = raw["problem"], raw["tests"]
    if isinstance(tests, dict):
        pairs = list(zip(tests["inputs"], tests["outputs"], strict=True))
    else:
        pairs = [(test["input"], test["output"]) for test in tests]
    tags, time, memory = _TAGS.search(text), _TIME.search(text), _MEMORY.search(text)
    statement = _MEMORY.sub("", _TIME.sub("", _TAGS.sub("", text))).strip()
    words = plain(statement)
    flags = set()
    if is_interactive(words):
        flags.add("interactive")
    return ScrapedProblem(
        **common,
        statement=statement,
        tests=tuple(
            ScrapedTest(str(n), False, given.encode(), expected.encode())
            for n, (given, expected) in enumerate(pairs, 1)
        ),
        time_limit_s=_seconds(time) if time else None,
        memory_limit_mb=int(memory[1]) // (1 if memory[2] == "MB" else 1_000_000) or None if memory else None,
        tags=tuple(ast.literal_eval(tags[1])) if tags else (),
        flags=tuple(sorted(flags)),
    )


def _seconds(match: re.Match[str]) -> float | None:
    if match[1]:
        return int(match[1]) / 1000 or None
    limit = ast.literal_eval(match[2])
    return float(limit["seconds"] + limit["nanos"] / 1e9) or None
