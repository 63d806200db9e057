"""`scraped_problems` to `normalized_problems`: one clean form, or the reason why a row cannot have it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import polars as pl

from microcoder_assets.fan_out import map_on_cores
from microcoder_assets.processing.arguments import NotALiteral, describe_arguments, read_signature, sample_test
from microcoder_assets.processing.bounds import read_bounds
from microcoder_assets.processing.checkers import Evidence, infer_checker
from microcoder_assets.processing.completeness import faults_of_inputs, missing_parts, needs_image, stub
from microcoder_assets.processing.content import content_sha
from microcoder_assets.processing.emphasis import mend_emphasis
from microcoder_assets.processing.headings import DESCRIPTION, INPUT, NOTES, OUTPUT, TEXT_SECTIONS
from microcoder_assets.processing.html import html_to_markdown
from microcoder_assets.processing.language import detect_language
from microcoder_assets.processing.latex import latex_to_markdown
from microcoder_assets.processing.markdown import lines_apart
from microcoder_assets.processing.noise import without_noise
from microcoder_assets.processing.repair import is_wrapped, mend_text
from microcoder_assets.processing.samples import (
    Sample,
    notes_of,
    read_examples,
    read_pairs,
    render_samples,
    with_listed,
)
from microcoder_assets.processing.sections import Sections, split_sections
from microcoder_assets.processing.wording import for_quantum_computers, interactive
from microcoder_assets.schema import NORMALIZED, conform
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_judge import Checker
from microcoder_judge.records import UNDECLARED, UNDECLARED_VALUE

Row = Mapping[str, Any]

_CONVERTERS: dict[str, Callable[[str], str]] = {
    "html": html_to_markdown,
    "latex": latex_to_markdown,
    "markdown": lambda text: html_to_markdown(mend_text(text), keep_newlines=True),
    "text": lambda text: html_to_markdown(mend_text(text), keep_newlines=True),
}
_HEADINGS = {INPUT: "Input", OUTPUT: "Output", "constraints": "Constraints"}
_NOT_PROGRAMS = {"sql", "shell", "javascript", "pandas", "output_only"}
"""Flags of collection that say what is asked for instead of a program that a judge can call."""
_MAX_SAMPLE_BYTES = 4096
"""A sample test longer than this is a test but not shown in the statement. Ours."""
_MAX_CHECKED = 8
"""Tests beside the samples whose first lines are held against the stated bounds. Ours."""


class Blobs(Protocol):
    """Bytes by their sha256 in hex."""

    def get_many(self, shas: Sequence[str]) -> dict[str, bytes]: ...

    def put_many(self, blobs: Sequence[bytes]) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class NormalizedProblem:
    """row: the columns of `schema.NORMALIZED`. blobs: bytes of the tests made from samples, to be stored."""

    row: dict[str, Any]
    blobs: tuple[bytes, ...] = ()


def normalize(frame: pl.DataFrame, blobs: Blobs) -> StageResult:
    """Rows of `schema.SCRAPED` as rows of `schema.NORMALIZED`, with one decision a row."""
    rows = frame.sort("problem_id", "source_ref").to_dicts()
    wanted = {sha for row in rows for sha in _small_shas(row)}
    stored = blobs.get_many(sorted(wanted)) if wanted else {}
    done: list[dict[str, Any]] = []
    decisions: list[Decision] = []
    fresh: list[bytes] = []
    work = [(row, {sha: stored[sha] for sha in _small_shas(row)}) for row in rows]
    for row, outcome in zip(rows, map_on_cores(_normalize_one, work), strict=True):
        if isinstance(outcome, Decision):
            decisions.append(outcome)
            continue
        done.append(outcome.row)
        fresh.extend(outcome.blobs)
        decisions.append(_kept(row, outcome.row))
    if fresh:
        blobs.put_many(list(dict.fromkeys(fresh)))
    return StageResult(conform(pl.DataFrame(done, schema=NORMALIZED), NORMALIZED), decisions)


def _normalize_one(work: tuple[Row, Mapping[str, bytes]]) -> NormalizedProblem | Decision:
    return normalize_row(*work)


def normalize_row(row: Row, sample_bytes: Mapping[str, bytes]) -> NormalizedProblem | Decision:
    """One row, or why it is dropped. sample_bytes: by sha, of its tests that are small enough to show or to check."""
    if not (row["statement"] or "").strip():
        return _dropped(row, "empty_statement")
    try:
        markdown = _CONVERTERS.get(row["statement_format"] or "text", html_to_markdown)(row["statement"])
    except (RecursionError, ValueError) as error:
        return _dropped(row, "malformed_record", Kind.ERROR, error=f"{type(error).__name__}: {error}")
    markdown = without_noise(markdown)
    if not markdown:
        return _dropped(row, "empty_statement")
    sections = split_sections(markdown)
    flags = row["flags"] or ()
    if "interactive" in flags or (row["io_mode"] is None and not flags and interactive(markdown)):
        return _dropped(row, "unsupported_interactive")
    if for_quantum_computers(markdown):
        return _dropped(row, "not_a_program", language="Q#")
    io_mode = row["io_mode"] or _mined_io_mode(row, sections)
    if io_mode is None:
        program = flags and not _NOT_PROGRAMS.intersection(flags)
        return _dropped(row, "unsupported_signature" if program else "not_a_program", flags=sorted(flags))
    if io_mode == "stdin" and (stands_in := stub(sections.text)):
        return _dropped(row, "stub_statement", stub=stands_in)
    if io_mode == "stdin" and (missing := missing_parts(sections.text, _reads_input(row, sample_bytes))):
        return _dropped(row, "incomplete_statement", missing=missing)
    return _normalized(row, sections, io_mode, sample_bytes)


def _normalized(row: Row, sections: Sections, io_mode: str, sample_bytes: Mapping[str, bytes]) -> NormalizedProblem:
    function = io_mode == "function"
    flags = set(row["flags"] or ())
    found = read_examples(sections.samples) if function else read_pairs(sections.samples)
    if listed := _listed_samples(row) or _samples_of_tests(row, sample_bytes, function):
        found = with_listed(found, listed)
    samples = found.samples
    text = dict(sections.text)
    if row["statement_format"] == "text":
        text = {name: part if is_wrapped(part) else lines_apart(part) for name, part in text.items()}
    if notes := "\n\n".join([*notes_of(found), *filter(None, [text.get(NOTES)])]):
        text[NOTES] = notes
    tests, blobs = list(row["tests"] or ()), tuple[bytes, ...]()
    if not tests:
        tests, blobs = _tests_of_samples(row, samples, function)
        if len(tests) < max(len(samples), 1) and sections.samples:
            flags.add("samples_unparsed")
    if needs_image(text):
        flags.add("needs_image")
    bounds = read_bounds(text)
    if not function:
        shown = [sample.input.encode() for sample in samples]
        flags |= faults_of_inputs(text.get(INPUT, ""), bounds, [*shown, *_inputs(row, sample_bytes)])
    said = [text[name] for name in TEXT_SECTIONS if name in text and name != INPUT]
    said += [sample.explanation for sample in samples if sample.explanation]
    checker, evidence = _checker(row, io_mode, "\n\n".join(said), flags)
    text = {name: mend_emphasis(section) for name, section in text.items()}
    samples = tuple(replace(s, explanation=s.explanation and mend_emphasis(s.explanation)) for s in samples)
    statement = render_statement(text, samples, function)
    normalized = {
        **{name: row[name] for name in NORMALIZED if name in row},
        "statement": statement,
        **{name: text.get(name) for name in TEXT_SECTIONS},
        "bounds": [asdict(bound) for bound in bounds],
        "statement_language": detect_language(statement, row["statement_language"]),
        "samples": [{"input": s.input, "output": s.output, "explanation": s.explanation} for s in samples],
        "io_mode": io_mode,
        "tests": tests,
        "checker": checker.to_json() if checker else None,
        "checker_evidence": [found._asdict() for found in evidence],
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
    """Where the source names no io mode and no flag says why: stdin when there are input and output sections."""
    if row["flags"]:
        return None
    if row["entry_point"]:
        return "function"
    return "stdin" if INPUT in sections.text and OUTPUT in sections.text else None


def _small_shas(row: Row) -> list[str]:
    """Hashes of the sample tests that are small enough to show, and of the inputs of a few other small tests."""
    small = [test for test in row["tests"] or () if test["bytes"] <= _MAX_SAMPLE_BYTES]
    shown = [test[part] for test in small if test["sample"] for part in ("input_sha", "expected_sha")]
    return shown + [test["input_sha"] for test in small if not test["sample"]][:_MAX_CHECKED]


def _inputs(row: Row, sample_bytes: Mapping[str, bytes]) -> list[bytes]:
    return [sample_bytes[t["input_sha"]] for t in row["tests"] or () if t["input_sha"] in sample_bytes]


def _reads_input(row: Row, sample_bytes: Mapping[str, bytes]) -> bool:
    shown = _inputs(row, sample_bytes)
    return not shown or any(given.strip() for given in shown)


def _listed_samples(row: Row) -> list[Sample]:
    return [Sample(s["input"].strip("\n"), s["output"].strip("\n"), s["explanation"]) for s in row["samples"] or ()]


def _samples_of_tests(row: Row, sample_bytes: Mapping[str, bytes], function: bool) -> list[Sample]:
    """Sample tests as text; those that are long or not UTF-8 are left out."""
    signature = read_signature(row["starter_code"] or "", row["entry_point"]) if function else None
    samples = []
    for test in row["tests"] or ():
        pair = [sample_bytes.get(test[part]) for part in ("input_sha", "expected_sha")] if test["sample"] else [None]
        try:
            texts = [part.decode().strip("\n") for part in pair if part is not None]
        except UnicodeDecodeError:
            continue
        if len(texts) == 2:
            shown = describe_arguments(texts[0], signature) if function else texts[0]
            samples.append(Sample(shown, texts[1]))
    return samples


def _tests_of_samples(
    row: Row, samples: Sequence[Sample], function: bool
) -> tuple[list[dict[str, Any]], tuple[bytes, ...]]:
    """Sample tests by reference, and their bytes. A sample that is no list of literals gives no test."""
    signature = read_signature(row["starter_code"] or "", row["entry_point"]) if function else None
    tests, blobs = [], list[bytes]()
    for number, sample in enumerate(samples, 1):
        pair = (f"{sample.input}\n".encode(), f"{sample.output}\n".encode())
        if function:
            try:
                pair = sample_test(sample, signature)
            except NotALiteral:
                continue
        shas = [hashlib.sha256(part).hexdigest() for part in pair]
        tests.append(
            {
                "name": f"sample-{number}",
                "sample": True,
                "input_sha": shas[0],
                "expected_sha": shas[1],
                "bytes": sum(map(len, pair)),
            }
        )
        blobs.extend(pair)
    return tests, tuple(blobs)


def _checker(row: Row, io_mode: str, said: str, flags: set[str]) -> tuple[Checker | None, tuple[Evidence, ...]]:
    """The declared checker; where the source declares none or the plain one, that which the statement's wording asks
    for, with the sentences that do.

    Adds multi_answer to `flags` where the statement admits several answers and the checker knows one.
    """
    declared = Checker.from_json(row["checker"]) if row["checker"] else None
    if declared and declared.name.startswith(("unordered", "custom")):
        return declared, ()
    inferred = infer_checker(said, io_mode, row["starter_code"])
    if inferred.checker is None:
        flags.add("multi_answer")
        return declared, inferred.evidence
    if declared is None and flags & {"multi_answer", "unsupported_checker"}:
        return None, ()
    if declared in (None, UNDECLARED, UNDECLARED_VALUE):
        return inferred.checker, inferred.evidence
    return declared, ()


def _kept(row: Row, normalized: Row) -> Decision:
    """Kept, with what an inference of its checker rests on."""
    because = {found["rule"]: found["sentence"] for found in normalized["checker_evidence"]}
    detail = {"checker": because} if because else {}
    sha = normalized["content_sha"]
    return Decision(row["problem_id"], Kind.KEPT, "ok", detail, sha_in=row["record_sha"], sha_out=sha)


def _dropped(row: Row, reason: str, kind: Kind = Kind.DROPPED, **detail: Any) -> Decision:
    return Decision(row["problem_id"], kind, reason, detail=detail, sha_in=row["record_sha"])
