"""One problem on trial: the programs that were run on it, and what their results say of its tests.

What is looked for, in this order:
- no accepted reference passes every test each time it is run: `slow_reference` where time decides, `flaky_reference`
  where something else does, `sample_rejected` where several agree that a sample of the statement is wrong, else
  `reference_failed`;
- one passes and another accepted one gives a different answer: `references_disagree` (several right answers and no
  checker that knows them, or a mislabelled reference: either way the tests cannot be trusted as a reward);
- a reference that passes gives another answer than a sample which is not among the tests: `sample_rejected`;
- a known-wrong submission passes every test: `wrong_accepted` (tests too weak to be a reward);
- else `ok`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from microcoder_assets.verification.mutants import LABEL
from microcoder_assets.verification.programs import Program
from microcoder_judge import Problem, Result, Test, TestResult, Verdict

UNDECIDED = (Verdict.TLE, Verdict.IE)
"""What says nothing of the tests: a program out of time at a pace that is ours, and a fault of the judge."""


@dataclass
class Trial:
    """row: PREPARED. programs: those run, references first. near_limit: share of the time limit that is near it.

    runs: the results of each program by its name, the first run first. complete: of known-wrong submissions that were
    run on every test. samples: of a verified reference on what `samples_apart` gives.
    """

    row: Mapping[str, Any]
    problem: Problem
    programs: list[Program]
    near_limit: float
    runs: dict[str, list[Result]] = field(default_factory=dict)
    complete: dict[str, Result] = field(default_factory=dict)
    samples: Result | None = None

    @property
    def references(self) -> list[Program]:
        return [program for program in self.programs if program.is_reference]

    @property
    def wrong(self) -> list[Program]:
        return [program for program in self.programs if not program.is_reference and program.label != LABEL]

    @property
    def mutants(self) -> list[Program]:
        """Those that the tests decided on."""
        made = [program for program in self.programs if program.label == LABEL]
        return [program for program in made if self.runs[program.name][0].verdict not in UNDECIDED]

    @property
    def verified(self) -> list[Program]:
        """References that passed every test each time they were run."""
        return [program for program in self.references if all(run.accepted for run in self.runs[program.name])]

    @property
    def unsteady(self) -> list[Program]:
        """References that passed every test once and failed another time."""
        return [p for p in self.references if len({run.accepted for run in self.runs[p.name]}) > 1]

    @property
    def doubtful(self) -> list[Program]:
        """References worth another run: they failed, came near the time limit, or name something that may change."""
        return [
            program
            for program in self.references
            if not self.runs[program.name][0].accepted
            or program.may_change_its_mind
            or self._near_limit(self.runs[program.name])
        ]

    def doubted_tests(self, program: Program) -> tuple[Test, ...]:
        """Of a doubtful reference, the tests to run again: those that it failed or was slow on; all where chance is
        named, or where it failed before any test."""
        seen = {test.name: test for test in self.runs[program.name][0].tests}
        doubted = tuple(
            test
            for test in self.problem.tests
            if (result := seen.get(test.name)) and (result.verdict is not Verdict.AC or self._slow(result))
        )
        return self.problem.tests if program.may_change_its_mind or not doubted else doubted

    @property
    def slipped(self) -> list[Program]:
        """Known-wrong submissions that pass every test."""
        return [program for program in self.wrong if self.runs[program.name][0].accepted]

    @property
    def survivors(self) -> list[Program]:
        """Mutants that pass every test: some mean the same as the reference, the others show a gap in the tests."""
        return [program for program in self.mutants if self.runs[program.name][0].accepted]

    @property
    def all_near_limit(self) -> bool:
        """Whether every verified reference comes near the time limit, so that a right answer may be judged slow."""
        return bool(self.verified) and all(self._near_limit(self.runs[program.name]) for program in self.verified)

    def samples_apart(self) -> tuple[Test, ...]:
        """Samples of the statement whose input no test has; function problems show none that could be run."""
        if self.problem.io_mode == "function":
            return ()
        known = {b" ".join(test.input.split()) for test in self.problem.tests}
        shown = [(s["input"], s["output"]) for s in self.row["samples"] or [] if s["input"] and s["output"]]
        tests = (Test(given.encode(), wanted.encode(), f"sample {n}") for n, (given, wanted) in enumerate(shown, 1))
        return tuple(test for test in tests if b" ".join(test.input.split()) not in known)

    def finding(self) -> tuple[str, dict[str, Any]]:
        """The reason, and what shows it."""
        detail: dict[str, Any] = {
            "verdicts": {program.name: self.runs[program.name][0].verdict.value for program in self.programs
                         if program.label != LABEL}
        }  # fmt: skip
        if self.unsteady:
            detail["unsteady"] = {p.name: " ".join(run.verdict for run in self.runs[p.name]) for p in self.unsteady}
        if not self.verified:
            return self._without_reference(), {**detail, **self._shown_by(self._failed(self.references))}
        if differing := [p for p in self._failed(self.references) if self.runs[p.name][0].verdict is Verdict.WA]:
            return "references_disagree", {**detail, **self._shown_by(differing)}
        if self.samples and self.samples.verdict is Verdict.WA:
            shown_by = {"program": self.verified[0].name, "message": self.samples.message[:300]}
            return "sample_rejected", {**detail, **shown_by}
        if self.slipped:
            return "wrong_accepted", {**detail, "slipped": [program.name for program in self.slipped]}
        return "ok", detail

    def kills(self) -> list[dict[str, Any]]:
        """Rows of `schema.KILL`: which wrong submissions and mutants each test rejects, as far as they were run. Time
        rejects a known-wrong one only under the limit that references have, not where it was held to their pace."""
        by_test: dict[str, list[str]] = {test.name: [] for test in self.problem.tests}
        for program in [*self.wrong, *self.mutants]:
            first, complete = self.runs[program.name][0], self.complete.get(program.name)
            rejecting = {failed_test(first)} if first.verdict is not Verdict.IE else set()
            if complete is not None:
                rejecting |= {t.name for t in complete.tests if t.verdict not in (Verdict.AC, *UNDECIDED)}
            for test, names in by_test.items():
                if test in rejecting:
                    names.append(program.name)
        return [{"test": test, "submissions": names} for test, names in by_test.items() if names]

    def _near_limit(self, runs: Sequence[Result]) -> bool:
        return any(self._slow(test) for run in runs for test in run.tests)

    def _slow(self, result: TestResult) -> bool:
        return result.cpu_s >= self.near_limit * self.problem.limits.time_s

    def _failed(self, programs: Sequence[Program]) -> list[Program]:
        """Those that failed each time."""
        return [program for program in programs if not any(run.accepted for run in self.runs[program.name])]

    def _without_reference(self) -> str:
        if self.unsteady:
            verdicts = {run.verdict for program in self.unsteady for run in self.runs[program.name]}
            return "slow_reference" if Verdict.TLE in verdicts else "flaky_reference"
        shown = {test["name"] for test in self.row["tests"] if test["sample"]}
        first = [(run.verdict, failed_test(run)) for program in self.references for run in self.runs[program.name][:1]]
        agreed = len(first) > 1 and len(set(first)) == 1 and first[0][0] is Verdict.WA and first[0][1] in shown
        return "sample_rejected" if agreed else "reference_failed"

    def _shown_by(self, programs: Sequence[Program]) -> dict[str, Any]:
        """The first of `programs` with the test that it fails, and both answers as far as the judge tells them."""
        if not programs:
            return {} if self.references else {"message": "no accepted reference could be run"}
        result = self.runs[programs[0].name][0]
        return {"program": programs[0].name, "message": result.message[:300]}


def slowest_s(result: Result) -> float:
    """CPU seconds on the slowest test that was run."""
    return max((test.cpu_s for test in result.tests), default=0.0)


def failed_test(result: Result) -> str | None:
    """Name of the first test that was not accepted."""
    return None if result.first_failed is None else result.tests[result.first_failed].name
