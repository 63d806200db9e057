"""What proves a problem: which programs ran on which tests, with which verdicts, when, under which judge.

An outcome is kept in the store's `verdicts` pack under a key that names all that decides it, and a decision's detail
names that key: `verification_evidence` in SQL joins the two. Times are in the pack alone, so that equal problems are
equal rows.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from microcoder_assets.verification.mutants import LABEL
from microcoder_assets.verification.programs import ACCEPTED
from microcoder_assets.verification.trial import Trial, failed_test, slowest_s
from microcoder_judge import JUDGE_VERSION, Verdict


@dataclass(frozen=True, slots=True)
class Run:
    """One program of a problem.

    sha: sha256 of its code. verdict, failed_test: of its first run; null: it passed. verdicts: of every run.
    cpu_s: CPU seconds on the slowest test over all runs.
    """

    program: str
    sha: str
    label: str
    language: str
    verdict: str
    failed_test: str | None
    cpu_s: float
    verdicts: list[str]

    @property
    def passed(self) -> bool:
        return set(self.verdicts) == {Verdict.AC.value}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What running the programs of one problem showed. judged_at: UTC; it never reaches a row.

    kills: rows of `schema.KILL`. added_tests: rows of `schema.ADDED_TEST`. near_limit: every verified reference comes
    near the time limit.
    """

    reason: str
    detail: dict[str, Any]
    tests_run: int = 0
    tests_sha: str = ""
    runs: list[Run] = field(default_factory=list)
    kills: list[dict[str, Any]] = field(default_factory=list)
    added_tests: list[dict[str, Any]] = field(default_factory=list)
    near_limit: bool = False
    judge_version: str = JUDGE_VERSION
    judged_at: str = ""

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), sort_keys=True).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Outcome:
        raw = json.loads(text)
        return cls(**{**raw, "runs": [Run(**run) for run in raw["runs"]]})

    @property
    def lasts(self) -> bool:
        """Whether it says something of the problem: neither did the judge fail nor did it refuse the problem."""
        return "error" not in self.detail and all(Verdict.IE.value not in run.verdicts for run in self.runs)

    @property
    def mutation_score(self) -> float | None:
        """Share of the decided mutants that the tests kill; None without one."""
        row = self.counts()
        return row["mutants_killed"] / row["mutants_run"] if row["mutants_run"] else None

    def counts(self) -> dict[str, Any]:
        """The columns of VERIFIED that this outcome alone decides."""
        references = [run for run in self.runs if run.label == ACCEPTED]
        mutants = [run for run in self.runs if run.label == LABEL]
        wrong = [run for run in self.runs if run.label not in (ACCEPTED, LABEL)]
        verified = [run.program for run in references if run.passed]
        added = {test["name"] for test in self.added_tests}
        rejected = {name for kill in self.kills if kill["test"] in added for name in kill["submissions"]}
        survivors = [run.program for run in mutants if run.passed and run.program not in rejected]
        return {
            "references_run": len(references),
            "references_accepted": len(verified),
            "wrong_run": len(wrong),
            "wrong_rejected": sum(not run.passed or run.program in rejected for run in wrong),
            "mutants_run": len(mutants),
            "mutants_killed": len(mutants) - len(survivors),
            "tests_run": self.tests_run,
            "tests_sha": self.tests_sha,
            "kills": self.kills,
            "added_tests": self.added_tests,
            "survivors": survivors,
            "verified_references": verified,
            "judge_version": self.judge_version,
        }


def refused(reason: str, error: str) -> Outcome:
    """Of a problem that no program was run on."""
    return Outcome(reason, {"error": error[:300]})


def outcome_of(trial: Trial) -> Outcome:
    reason, detail = trial.finding()
    runs = []
    for program in [*trial.references, *trial.wrong, *trial.mutants]:
        results = trial.runs[program.name]
        runs.append(
            Run(
                program=program.name,
                sha=program.sha,
                label=program.label,
                language=program.language,
                verdict=results[0].verdict.value,
                failed_test=failed_test(results[0]),
                cpu_s=round(max(map(slowest_s, results)), 3),
                verdicts=[result.verdict.value for result in results],
            )
        )
    return Outcome(
        reason=reason,
        detail=detail,
        tests_run=len(trial.problem.tests),
        tests_sha=tests_sha(trial.row),
        runs=runs,
        kills=trial.kills(),
        near_limit=trial.all_near_limit,
        judged_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )


def tests_sha(row: Mapping[str, Any]) -> str:
    """sha256 over a PREPARED row's tests, in order, by the hashes of their bytes."""
    lines = (f"{test['input_sha']} {test['expected_sha']}" for test in row["tests"])
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
