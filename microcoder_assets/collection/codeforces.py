"""Codeforces statements as a Hydro export holds them, joined with a dump of the `problemset.problems` API."""

from __future__ import annotations

import gzip
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from microcoder_assets.collection.files import (
    BAD_RECORD,
    BROKEN_STREAM,
    FileSource,
    Row,
    one_line,
    read_problems,
)
from microcoder_assets.collection.records import Sample, ScrapedProblem, ScrapedTest, UnreadableRecord
from microcoder_assets.collection.wording import is_interactive, plain
from microcoder_assets.errors import UserError

PROBLEMS = "problems.jsonl.gz"
API_DUMPS = "problemset.problems*.json.gz"

_PID = re.compile(r"(\d+)([A-Z]\d*)")
_HIDDEN_ADDRESS = re.compile(r'<a\b[^<>]*\bdata-cfemail="((?:[0-9a-f]{2})+)"[^<>]*>[^<>]*</a>')
_MARKUP = re.compile(r"</?(?:br|span)\b[^<>]*>|\u2009")
"""What the page puts into a sample: an empty line as a break, backslashes and slashes as maths with thin spaces."""


@dataclass(frozen=True, slots=True)
class ApiProblem:
    """What the API knows of a problem. rating: Elo, None where Codeforces gave none."""

    contest: int
    index: str
    rating: float | None
    tags: tuple[str, ...]


def open_codeforces(path: Path) -> FileSource:
    """path: the folder, or its problems.jsonl.gz. The newest dump of a sibling folder `codeforces-api` is joined."""
    folder = path if path.is_dir() else path.parent
    problems = path / PROBLEMS if path.is_dir() else path
    if not problems.is_file():
        raise UserError(f"codeforces source {path} holds no {PROBLEMS}")
    dumps = sorted((folder.parent / "codeforces-api").glob(API_DUMPS))

    def read() -> Iterator[ScrapedProblem | UnreadableRecord]:
        known = newest_dump(dumps)
        return read_problems(problems, "codeforces", lambda raw, row: problem(raw, row, known))

    files = {problems.name: problems, **{dump.name: dump for dump in dumps}}
    return FileSource("codeforces", ("codeforces",), files, read)


def newest_dump(paths: list[Path]) -> dict[str, ApiProblem]:
    """Problems by `contest` + `index` of the dump with the highest contest; empty without one."""
    return max(map(read_dump, paths), key=lambda dump: max((p.contest for p in dump.values()), default=0), default={})


def read_dump(path: Path) -> dict[str, ApiProblem]:
    """An answer of `problemset.problems`. Raises UserError naming the file when it is none."""
    try:
        with gzip.open(path) as stream:
            rows = json.load(stream)["result"]["problems"]
        return {
            f"{row['contestId']}{row['index']}": ApiProblem(
                int(row["contestId"]), row["index"], row.get("rating"), tuple(row["tags"])
            )
            for row in rows
        }
    except (*BROKEN_STREAM, *BAD_RECORD) as error:
        raise UserError(f"{path} is not an answer of problemset.problems: {one_line(error)}") from error


def problem(raw: dict[str, Any], row: Row, api: Mapping[str, ApiProblem]) -> ScrapedProblem:
    """One row; raises KeyError or TypeError on another shape. The samples, escaped as HTML, are its only tests; no
    checker is named."""
    native_id = raw["pid"].removeprefix("P")
    known = api.get(native_id)
    named = _PID.fullmatch(native_id)
    contest, index = (str(known.contest), known.index) if known else named.groups() if named else (None, None)
    rating = known.rating if known and known.rating is not None else raw["rating"]
    statement = _with_addresses(raw["statement_md"] or "")
    text, tags = plain(statement), known.tags if known and known.tags else tuple(raw["tags"])
    samples = tuple(Sample(_sample(sample["input"]), _sample(sample["output"])) for sample in raw["samples"])
    flags = set()
    if "interactive" in tags or is_interactive(text):
        flags.add("interactive")
    return ScrapedProblem(
        platform="codeforces",
        native_id=native_id,
        title=raw["title"].strip(),
        statement=statement,
        statement_format="markdown",
        statement_language="en",
        source_ref=row.ref,
        record_sha=row.sha,
        url=f"https://codeforces.com/problemset/problem/{contest}/{index}" if contest else None,
        contest=contest,
        samples=samples,
        tests=tuple(
            ScrapedTest(f"sample-{n}", True, sample.input.encode(), sample.output.encode())
            for n, sample in enumerate(samples, 1)
        ),
        time_limit_s=_amount(raw["time"], "s"),
        memory_limit_mb=_whole(_amount(raw["memory"], "m")),
        tags=tags,
        ratings=(("codeforces", float(rating)),) if rating is not None else (),
        flags=tuple(sorted(flags)),
    )


def _sample(text: str) -> str:
    """A sample of the page as the text that it shows; what is a tag in the text itself is escaped there."""
    return html.unescape(_MARKUP.sub("", _with_addresses(text))).replace("\u00a0", " ")


def _with_addresses(text: str) -> str:
    """HTML with the mail addresses that Cloudflare hides from crawlers: each byte is XORed with the first."""

    def address(match: re.Match[str]) -> str:
        key, *hidden = bytes.fromhex(match[1])
        return html.escape(bytes(byte ^ key for byte in hidden).decode(errors="replace"))

    return _HIDDEN_ADDRESS.sub(address, text)


def _amount(text: str | None, unit: str) -> float | None:
    """`2s` with unit `s` is 2.0; None for nothing, zero and `NaN`."""
    match = re.fullmatch(rf"(\d+(?:\.\d+)?){unit}", text or "")
    return float(match[1]) or None if match else None


def _whole(amount: float | None) -> int | None:
    return None if amount is None else int(amount) or None
