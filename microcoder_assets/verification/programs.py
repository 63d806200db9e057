"""The programs that a problem is tried with: its known submissions, and mutants of those that are right."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from microcoder_assets.config import VerificationSettings
from microcoder_assets.verification import mutants

ACCEPTED = "accepted"
WRONG_LABELS = ("wrong_answer", "run_time_error", "rejected")
_CHANCE = {
    "python": re.compile(r"\b(random|shuffle|secrets|uuid|time|perf_counter|threading|id)\s*[.(]"),
    "cpp": re.compile(r"\b(random_device|srand|time|clock|chrono|thread)\b"),
}


@dataclass(frozen=True, slots=True)
class Program:
    """A program by its name at the source. label: a `schema.REFERENCE` label, or `mutant`."""

    name: str
    label: str
    language: str
    code: str

    @property
    def sha(self) -> str:
        return hashlib.sha256(self.code.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def is_reference(self) -> bool:
        return self.label == ACCEPTED

    @property
    def may_change_its_mind(self) -> bool:
        """Whether it names chance, a clock, threads or addresses. The order of hashes is the same in every judge."""
        chance = _CHANCE.get(self.language)
        return chance is not None and chance.search(self.code) is not None


def submissions(row: Mapping[str, Any], languages: Collection[str], settings: VerificationSettings) -> list[Program]:
    """Those of a PREPARED row's submissions that are run: accepted ones first, then known-wrong ones.

    Those labelled time_limit_exceeded are left out: limits are stretched, so they prove nothing.
    """
    runnable = [Program(**reference) for reference in row["references"] or [] if reference["language"] in languages]
    wrong = [program for program in runnable if program.label in WRONG_LABELS]
    return [p for p in runnable if p.is_reference][: settings.max_references] + wrong[: settings.max_wrong]


def mutants_of(reference: Program, limit: int) -> list[Program]:
    """At most `limit` mutants of a verified reference; none of one that is not in Python."""
    if reference.language != "python":
        return []
    return [Program(m.name, mutants.LABEL, "python", m.code) for m in mutants.mutants(reference.code, limit)]


def survivors(
    row: Mapping[str, Any], names: Collection[str], verified: Collection[str], settings: VerificationSettings
) -> list[Program]:
    """The programs that passed every test although they are known to be wrong, or mutants: what new tests should kill.

    row: PREPARED. names: `survivors` of its VERIFIED row, or `slipped` of its decision. verified: the row's
    `verified_references`.
    """
    known = [Program(**reference) for reference in row["references"] or []]
    source = mutant_source([program for program in known if program.name in verified])
    made = mutants_of(source, settings.mutants) if source else []
    return [program for program in [*known, *made] if program.name in names]


def mutant_source(verified: list[Program]) -> Program | None:
    """The reference that mutants are made of: the first one in Python."""
    return next((program for program in verified if program.language == "python"), None)
