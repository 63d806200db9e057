"""LiveCodeBench's code-generation problems: what is scored, and never trained on."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from microcoder_assets.collection.files import BAD_RECORD, fingerprint_files, one_line, read_rows
from microcoder_assets.collection.identity import slugify
from microcoder_assets.collection.packed_tests import unpack_tests
from microcoder_assets.collection.records import NATIVE_ID, ScrapedTest, UnreadableRecord
from microcoder_assets.collection.sets.rows import data_files, require_datasets, set_rows
from microcoder_assets.collection.sets.source import download, fingerprint_commit, hub_name
from microcoder_assets.collection.signature import Signature
from microcoder_assets.errors import UserError
from microcoder_judge import IoMode

MAX_ROW_BYTES = 1 << 30
"""Rows of upstream's full release reach hundreds of MiB of packed tests."""

PATTERNS = ("test*.jsonl*", "problems_release_v*.jsonl*", "**/test-*.parquet", "**/*-test.arrow")
"""Data files of `code_generation_lite` and of the full set, in their repositories and as `datasets` keeps them."""

_FILE = re.compile(r"(?:test(\d*)|problems_release_v\d+)\.jsonl(?:\.gz)?")
_TABLES = (".parquet", ".arrow")
_TAG = re.compile(r"(?:release_)?v(?P<only>\d+)|v(?P<first>\d+)_v(?P<last>\d+)|release_latest")


@dataclass(frozen=True, slots=True)
class BenchmarkProblem:
    """One problem. release: the LiveCodeBench release that added it, `v1` on.

    problem_id: `platform:native`, native spelled as this project spells it (`native_id`).
    """

    problem_id: str
    question_id: str
    title: str
    platform: str
    contest_id: str | None
    contest_date: dt.date | None
    difficulty: str | None
    release: str
    statement: str
    starter_code: str | None
    entry_point: str | None
    io_mode: IoMode
    public_tests: tuple[ScrapedTest, ...]
    private_tests: tuple[ScrapedTest, ...]


def read_benchmark(path: Path, tag: str = "release_latest") -> Iterator[BenchmarkProblem | UnreadableRecord]:
    """The problems of one release tag in a LiveCodeBench folder, file or set on the hub (`OWNER/NAME@COMMIT`), files
    by release; of two with one id the first.

    A folder holds upstream's `test.jsonl`, `test2.jsonl`, ... (a file's number is its release),
    `problems_release_vN.jsonl.gz`, whose rows name their release, or either set as Parquet or Arrow, whose rows count
    as v1 where they name none. Raises UserError when it holds none of them, when the tag is unknown, and where a file
    breaks off: a part of a benchmark is no benchmark.
    """
    wanted, seen = releases(tag), set()
    for file in benchmark_files(path):
        for ref, row in _rows(file):
            if isinstance(row, UnreadableRecord):
                yield row
                continue
            try:
                found = problem(row(), _release_of(file))
            except BAD_RECORD as error:
                yield UnreadableRecord("livecodebench", ref, "malformed_record", one_line(error))
                continue
            if int(found.release.removeprefix("v")) not in wanted:
                continue
            if found.problem_id in seen:
                yield UnreadableRecord("livecodebench", ref, "same_id", f"{found.problem_id} is listed twice")
                continue
            seen.add(found.problem_id)
            yield found


def releases(tag: str) -> range:
    """Numbers of the releases of a tag, as `code_generation_lite` names them: `release_v5` is v1 to v5, `v6` that
    increment alone, `v4_v5` a span of increments, `release_latest` all. Raises UserError for another tag."""
    match = _TAG.fullmatch(tag)
    if match is None:
        raise UserError(f"unknown LiveCodeBench release {tag!r}; write release_v6, v6, v5_v6 or release_latest")
    if match["first"]:
        return range(int(match["first"]), int(match["last"]) + 1)
    if match["only"]:
        return range(1 if tag.startswith("release_") else int(match["only"]), int(match["only"]) + 1)
    return range(1, 1_000)


def benchmark_files(path: Path) -> list[Path]:
    """The files `read_benchmark` reads, in its order; of a set on the hub got where they are not there yet."""
    if not path.exists():
        path = download(*hub_name(path, "benchmark"), PATTERNS)
    if path.is_file():
        return [path]
    files = [file for file in sorted(path.glob("*.jsonl*")) if _FILE.fullmatch(file.name)]
    files = files or [file for file in data_files(path, PATTERNS).values() if file.suffix in _TABLES]
    if not files:
        raise UserError(
            f"benchmark {path} holds no test.jsonl, test2.jsonl, ..., problems_release_vN.jsonl.gz, .parquet nor .arrow"
        )
    return sorted(files, key=lambda file: (len(_release_of(file)), _release_of(file), file.name))


def fingerprint(path: Path) -> str:
    """sha256 over names and bytes of the files read; of a set on the hub its name and commit. Raises UserError as
    `benchmark_files` does."""
    if not path.exists():
        return fingerprint_commit(*hub_name(path, "benchmark"))
    return fingerprint_files({f"{number:04} {file.name}": file for number, file in enumerate(benchmark_files(path))})


def _rows(file: Path) -> Iterator[tuple[str, UnreadableRecord | Callable[[], Mapping[str, Any]]]]:
    """Reference of each row, with what gives its fields or says why it cannot be read."""
    if file.suffix not in _TABLES:
        for line in read_rows(file, "livecodebench", MAX_ROW_BYTES, whole=True):
            yield (line.source_ref, line) if isinstance(line, UnreadableRecord) else (line.ref, line.parse)
        return
    require_datasets()
    for row in set_rows(file.name, file, "livecodebench"):
        if isinstance(row, UnreadableRecord):
            raise UserError(f"cannot read all of {file}, get it again: {row.detail}")
        yield row.ref, partial(dict, row.fields)


def native_id(platform: str, question_id: str, title: str) -> str:
    """The id under this project's scheme: `1873A` for Codeforces's `1873_A`, the title's slug for LeetCode.

    LiveCodeBench numbers LeetCode problems by LeetCode's internal id, which is another problem's public number;
    identity keys join slugs.
    """
    if platform == "leetcode":
        return slugify(title)
    return question_id.replace("_", "") if platform == "codeforces" else question_id


def problem(raw: Mapping[str, Any], release: str) -> BenchmarkProblem:
    """One row; private tests may be absent. Raises one of BAD_RECORD naming what is wrong."""
    platform, title, question_id = (_text(raw, name) for name in ("platform", "question_title", "question_id"))
    native = native_id(platform, question_id, title)
    if not NATIVE_ID.fullmatch(native) or not NATIVE_ID.fullmatch(platform):
        raise ValueError(f"{platform!r} {question_id!r} holds characters that an id may not have")
    public = _as_list(raw.get("public_test_cases"))
    private = _as_list(raw.get("private_test_cases"))
    starter_code = _text(raw, "starter_code") if raw.get("starter_code") else None
    function = bool(starter_code) or any(test.get("testtype") == "functional" for test in (*public, *private))
    entry_point = _entry_point(raw.get("metadata"), starter_code) if function else None
    return BenchmarkProblem(
        problem_id=f"{platform}:{native}",
        question_id=question_id,
        title=title,
        platform=platform,
        contest_id=_text(raw, "contest_id") if raw.get("contest_id") else None,
        contest_date=_date(raw["contest_date"]) if raw.get("contest_date") else None,
        difficulty=_text(raw, "difficulty") if raw.get("difficulty") else None,
        release=_release(raw) if raw.get("release") else release,
        statement=_text(raw, "question_content"),
        starter_code=starter_code,
        entry_point=entry_point,
        io_mode="function" if function else "stdin",
        public_tests=_tests(public, "public", function),
        private_tests=_tests(private, "private", function),
    )


def _text(raw: Mapping[str, Any], name: str) -> str:
    """Raises ValueError naming the field where it is no text that can be written."""
    value = raw[name]
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text, not {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{name} holds half of a surrogate pair") from error
    return value


def _date(value: str | dt.datetime) -> dt.date:
    """`datasets` reads dates as such where its copy was written with types."""
    return (value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)).date()


def _release(raw: Mapping[str, Any]) -> str:
    release = _text(raw, "release")
    if not re.fullmatch(r"v\d+", release):
        raise ValueError(f"release must be v1, v2, ..., not {release!r}")
    return release


def _release_of(file: Path) -> str:
    match = _FILE.fullmatch(file.name)
    return f"v{(match and match[1]) or 1}"


def _as_list(tests: list[dict[str, Any]] | str | None) -> list[dict[str, Any]]:
    return unpack_tests(tests) if isinstance(tests, str) and tests else list(tests or ())


def _entry_point(metadata: Mapping[str, Any] | str | None, starter_code: str | None) -> str:
    """The function's name, from the metadata or else the starter code. Raises ValueError when neither has it."""
    known = json.loads(metadata) if isinstance(metadata, str) and metadata else metadata or {}
    if known.get("func_name"):
        return _text(known, "func_name")
    signature = Signature.of_starter(starter_code or "")
    if signature is None or not signature.name:
        raise ValueError("a function problem without func_name and without starter code that names a method")
    return signature.name


def _tests(tests: list[dict[str, Any]], name: str, function: bool) -> tuple[ScrapedTest, ...]:
    """Function tests: input lines are JSON values, one an argument; they become one JSON array."""
    found = []
    for number, test in enumerate(tests, 1):
        given, expected = test["input"], test["output"]
        if function:
            given = _json([json.loads(line) for line in given.rstrip("\n").split("\n")])
            expected = _json(json.loads(expected))
        found.append(ScrapedTest(f"{name}-{number}", name == "public", given.encode(), expected.encode()))
    return tuple(found)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
