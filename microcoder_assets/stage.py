"""What every stage returns: its rows, and a decision for every row that came in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import Any, overload

import polars as pl

from microcoder_assets.schema import Schema


class Kind(StrEnum):
    """What a stage did with a row. `kept` and `changed` go on; the others end here."""

    KEPT = "kept"
    CHANGED = "changed"
    DROPPED = "dropped"
    MERGED = "merged"
    ERROR = "error"


GOES_ON = (Kind.KEPT, Kind.CHANGED)


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of the ledger.

    reason: a snake_case code listed in REASONS. detail: small JSON-able facts for a person.
    ref: tells apart rows of one problem id inside a stage (a second import of the same record); else empty.
    parents: the problems this one was merged into or overlaps. sha_in / sha_out: content before and after.
    """

    problem_id: str
    kind: Kind
    reason: str
    detail: dict[str, Any] = field(default_factory=dict)
    score: float | None = None
    rule: str | None = None
    sha_in: str | None = None
    sha_out: str | None = None
    parents: Sequence[str] = ()
    ref: str = ""

    def __post_init__(self) -> None:
        if self.reason not in REASONS:
            raise ValueError(f"reason {self.reason!r} is not in stage.REASONS")


@dataclass(frozen=True, slots=True, eq=False)
class Deciding(Sequence[Decision]):
    """Decisions that are made as they are iterated over, so that those about a large table are never all in memory.

    rows: what `decide` makes a decision of, one each. others: further ones, which come first.
    """

    rows: pl.DataFrame
    decide: Callable[[Mapping[str, Any]], Decision]
    others: Sequence[Decision] = ()

    def __len__(self) -> int:
        return len(self.others) + self.rows.height

    def __iter__(self) -> Iterator[Decision]:
        return chain(self.others, map(self.decide, self.rows.iter_rows(named=True)))

    @overload
    def __getitem__(self, index: int) -> Decision: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Decision]: ...

    def __getitem__(self, index: int | slice) -> Decision | Sequence[Decision]:
        return list(self)[index]


@dataclass(frozen=True, slots=True)
class StageResult:
    """frame: the rows that go on, conforming to the stage's schema. decisions: one for every row that came in."""

    frame: pl.DataFrame
    decisions: Sequence[Decision]

    @classmethod
    def together(cls, results: Sequence[StageResult], schema: Schema) -> StageResult:
        """The results of several partitions as one."""
        frame = pl.concat([pl.DataFrame(schema=schema), *(result.frame for result in results)])
        return cls(frame, [decision for result in results for decision in result.decisions])

    def accounted(self) -> str | None:
        """None when the rows that go on are exactly those decided kept or changed; else what does not add up."""
        going_on = sorted(d.problem_id for d in self.decisions if d.kind in GOES_ON)
        rows = sorted(self.frame["problem_id"].to_list())
        if going_on == rows:
            return None
        lost, extra = sorted(set(going_on) - set(rows)), sorted(set(rows) - set(going_on))
        return f"{len(rows)} rows but {len(going_on)} decided to go on; lost {lost[:3]}, undecided {extra[:3]}"


REASONS: dict[str, str] = {
    "ok": "nothing stood against it",
    # collection
    "malformed_record": "the record could not be read; detail.error says why",
    "bad_native_id": "the native id is empty or holds characters that an id may not have",
    "statement_too_large": "the statement is over the size limit",
    "same_id": "the same problem id again; the first record is kept, and takes what it lacks (detail.gave)",
    "blocked": "the site wants a login or a browser; detail.error says which",
    "source_changed": "the site's answer is no longer as its parser knows it",
    "not_collected": "the site has not served it, or has no such page; detail.error says why",
    "vanished": "an earlier run had it, this one no longer sees it",
    # processing
    "empty_statement": "no statement text",
    "incomplete_statement": "a required part of the statement is missing; detail.missing names it",
    "stub_statement": "a document, an upload, a link, an image or a template in its place; detail.stub names it",
    "not_a_program": "the answer is not a program (SQL, shell, output only)",
    "unsupported_signature": "takes nodes, asks for a class, or no known solution shows the signature; see flags",
    "unsupported_interactive": "interactive or multi-pass problems cannot be judged yet",
    "duplicate_identity": "same platform key, URL or title and samples as detail.of",
    "duplicate_samples": "same samples as detail.of, and a text, entry point or bounds like it",
    "duplicate_text": "near-duplicate statement of detail.of",
    "duplicate_embedding": "detail.of in another language, by an embedding model and by samples, title, name or bounds",
    "benchmark_identity": "is a benchmark problem by id, URL or title",
    "benchmark_samples": "has the samples or tests of a benchmark problem, and a title, name, text or bounds like it",
    "benchmark_ngrams": "shares too many 8-grams with a benchmark problem",
    "benchmark_text": "near-duplicate of a benchmark problem's statement",
    "benchmark_window": "its contest was held while the benchmark was collected, and the settings drop those",
    "needs_translation": "the statement is in none of the languages to train on; set preparation.model to translate it",
    "translated": "the statement was translated; maths, code, samples and literals are proven unchanged",
    "translation_failed": "no translation kept the maths, code and literals; detail.error says why",
    "stdin_form": "the row was made here: the function problem detail.of over standard input",
    # filtering
    "scored": "the rubric's dimensions were scored",
    "score_failed": "the scorer gave no usable answer; detail.error says why",
    "too_easy": "expected solve rate above the limit, or score below it",
    "too_hard": "expected solve rate below the limit",
    "no_tests": "fewer tests to judge a program by than the policy asks for",
    "no_reference": "fewer accepted Python references than the policy asks for",
    "needs_image": "the statement cannot be understood without an image",
    "flagged": "has a flag that the policy refuses; rule names it",
    "unjudgeable": "several right answers and no checker",
    "over_cap": "drawn when a cap of the policy was full; rule names it, detail.full what it counts",
    "over_size": "drawn when the policy's size was reached",
    # verification
    "unsupported_checker": "its checker is in a language that the judge does not run yet, or needs a header it lacks",
    "reference_failed": "no accepted reference passes every test; detail holds the verdicts",
    "flaky_reference": "no accepted reference passes each time that it is run; detail.unsteady holds its verdicts",
    "slow_reference": "the same, and what differs is whether it ends in time",
    "sample_rejected": "accepted references give another output than a sample of the statement shows",
    "references_disagree": "accepted references give different right answers and no checker is declared",
    "wrong_accepted": "a known-wrong submission passes every test",
    "weak_tests": "too many mutants of a reference pass every test, and the settings drop those",
    "unreadable": "a model found the statement unreadable or incomplete; detail.reading says what is missing",
    # publication
    "no_token_budget": "the prompt is over the length limit",
    "straddles_parts": "as new as the held-out part, and like the older detail.of: neither part can have it",
}
"""Every reason code of the ledger, for people and for `sql/`."""
