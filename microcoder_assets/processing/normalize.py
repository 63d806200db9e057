"""`scraped_problems` to `normalized_problems`: one clean form, or the reason why a row cannot have it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Protocol

import polars as pl

from microcoder_assets.processing.arguments import NotALiteral, describe_arguments, read_signature, sample_test
from microcoder_assets.processing.content import content_sha
from microcoder_assets.processing.headings import DESCRIPTION, INPUT, NOTES, OUTPUT, TEXT_SECTIONS
from microcoder_assets.processing.html import html_to_markdown
from microcoder_assets.processing.language import detect_language
from microcoder_assets.processing.latex import latex_to_markdown
from microcoder_assets.processing.markdown import TERMINATED
from microcoder_assets.processing.samples import Found, Sample, explain, read_examples, read_pairs, render_samples
from microcoder_assets.processing.sections import Sections, split_sections
from microcoder_assets.processing.wording import interactive, refine, several_answers
from microcoder_assets.schema import NORMALIZED, conform
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_judge import Checker

Row = Mapping[str, Any]

_CONVERTERS: dict[str, Callable[[str], str]] = {
    "html": html_to_markdown,
    "latex": latex_to_markdown,
    "markdown": lambda text: html_to_markdown(text, keep_newlines=True),
    "text": lambda text: html_to_markdown(text, keep_newlines=True),
}
_HEADINGS = {INPUT: "Input", OUTPUT: "Output", "constraints": "Constraints"}
_MAX_SAMPLE_BYTES = 4096
"""A sample test longer than this is a test but not shown in the statement. Ours."""


class Blobs(Protocol):
    """Bytes by their sha256 in hex."""

    def get_many(self, shas: Sequence[str]) -> dict[str, bytes]: ...

    def put_many(self, blobs: Sequence[bytes]) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class NormalizedProblem:
    """row: the columns of `schema.NORMALIZED`. blobs: bytes of the tests made from samples, to be stored."""

    row: dict[str, Any]
    blobs: tuple[bytes, ...] = ()


def normalize(frame: pl.DataFrame, blobs: Blobs, workers: int = 0) -> StageResult:
    """Rows of `schema.SCRAPED` as rows of `schema.NORMALIZED`, with one decision a row.

    workers: processes to spread the rows over; 0 does the work here. The result is the same.
    """
    rows = frame.sort("problem_id", "source_ref").to_dicts()
    wanted = {sha for row in rows for sha in _sample_shas(row)}
    stored = blobs.get_many(sorted(wanted)) if wanted else {}
    jobs = ((row, {sha: stored[sha] for sha in _sample_shas(row)}) for row in rows)
    done, decisions, fresh = [], [], []
    for row, outcome in zip(rows, _spread(jobs, workers), strict=True):
        if isinstance(outcome, Decision):
            decisions.append(outcome)
            continue
        done.append(outcome.row)
        fresh.extend(outcome.blobs)
        sha = outcome.row["content_sha"]
        decisions.append(Decision(row["problem_id"], Kind.KEPT, "ok", sha_in=row["record_sha"], sha_out=sha))
    if fresh:
        blobs.put_many(list(dict.fromkeys(fresh)))
    return StageResult(conform(pl.DataFrame(done, schema=NORMALIZED), NORMALIZED), decisions)


def normalize_row(row: Row, sample_bytes: Mapping[str, bytes]) -> NormalizedProblem | Decision:
    """One row, or why it is dropped. sample_bytes: by sha, those of its sample tests."""
    if not (row["statement"] or "").strip():
        return _dropped(row, "empty_statement")
    try:
        markdown = _CONVERTERS.get(row["statement_format"] or "text", html_to_markdown)(row["statement"])
    except (RecursionError, ValueError) as error:
        return _dropped(row, "malformed_record", Kind.ERROR, error=f"{type(error).__name__}: {error}")
    if not markdown.strip():
        return _dropped(row, "empty_statement")
    sections = split_sections(markdown)
    io_mode = row["io_mode"] or _mined_io_mode(row, sections)
    if io_mode is None:
        return _dropped(row, "not_a_program", flags=sorted(row["flags"] or ()))
    if "interactive" in (row["flags"] or ()) or (row["io_mode"] is None and interactive(markdown)):
        return _dropped(row, "unsupported_interactive")
    if io_mode == "stdin" and (missing := _missing(sections)):
        return _dropped(row, "incomplete_statement", missing=missing)
    return _normalized(row, sections, io_mode, sample_bytes)


def _normalized(row: Row, sections: Sections, io_mode: str, sample_bytes: Mapping[str, bytes]) -> NormalizedProblem:
    function = io_mode == "function"
    flags = set(row["flags"] or ())
    found = read_examples(sections.samples) if function else read_pairs(sections.samples)
    listed = _listed_samples(row) or _samples_of_tests(row, sample_bytes)
    samples = explain(listed, found) if listed else found.samples
    text = dict(sections.text)
    if leftover := (found.leftover if not listed else _explanations(found)):
        text[NOTES] = "\n\n".join(filter(None, [*leftover, text.get(NOTES)]))
    tests, blobs = list(row["tests"] or ()), tuple[bytes, ...]()
    if not tests and samples:
        tests, blobs, complete = _tests_of_samples(row, samples, function)
        flags |= set() if complete else {"samples_unparsed"}
    if any("![" in text.get(name, "") for name in (DESCRIPTION, INPUT, OUTPUT)):
        flags.add("needs_image")
    statement = render_statement(text, samples, function)
    checker = _checker(row, io_mode, statement, flags)
    normalized = {
        **{name: row[name] for name in NORMALIZED if name in row},
        "statement": statement,
        **{name: text.get(name) for name in TEXT_SECTIONS},
        "statement_language": detect_language(statement, row["statement_language"]),
        "samples": [{"input": s.input, "output": s.output, "explanation": s.explanation} for s in samples],
        "io_mode": io_mode,
        "tests": tests,
        "checker": checker.to_json() if checker else None,
        "flags": sorted(flags),
    }
    return NormalizedProblem({**normalized, "content_sha": content_sha(normalized)}, blobs)


def render_statement(text: Mapping[str, str], samples: Sequence[Sample], function: bool) -> str:
    """The whole statement in the one order: description, input, output, constraints, samples, notes."""
    blocks = [text.get(DESCRIPTION, "")]
    blocks += [f"## {heading}\n\n{text[name]}" for name, heading in _HEADINGS.items() if text.get(name)]
    blocks.append(render_samples(samples, function))
    blocks.append(f"## Notes\n\n{text[NOTES]}" if text.get(NOTES) else "")
    return "\n\n".join(block for block in blocks if block)


def _mined_io_mode(row: Row, sections: Sections) -> str | None:
    """The io mode where the source names none and no flag says why: stdin when there is an input and an output section."""
    if row["flags"]:
        return None
    if row["entry_point"]:
        return "function"
    return "stdin" if INPUT in sections.text and OUTPUT in sections.text else None


def _missing(sections: Sections) -> list[str]:
    """The parts that a statement for standard input and output lacks; empty when it can be solved from what is there."""
    present = sections.text
    whole = present.get(DESCRIPTION, "") + present.get(INPUT, "")
    missing = [] if whole.strip() else [DESCRIPTION]
    if OUTPUT not in present and not _tells(present, "output"):
        missing.append(OUTPUT)
    if INPUT not in present and not _tells(present, "input"):
        missing.append(INPUT)
    return missing


def _checker(row: Row, io_mode: str, statement: str, flags: set[str]) -> Checker | None:
    declared = Checker.from_json(row["checker"]) if row["checker"] else None
    if io_mode == "function" or (declared and declared.name != "tokens"):
        return declared
    if declared is None:
        if several_answers(statement):
            flags.add("multi_answer")
        if flags & {"multi_answer", "special_judge", "unsupported_checker"}:
            return None
    return refine(declared, statement)


def _dropped(row: Row, reason: str, kind: Kind = Kind.DROPPED, **detail: Any) -> Decision:
    return Decision(row["problem_id"], kind, reason, detail=detail, sha_in=row["record_sha"])
