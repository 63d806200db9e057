"""Which tests to keep? `python -m bench.bench_test_choice FOLDER`, a folder of Kattis packages.

Every package goes through the platform's own collection, normalisation and verification, with all its known-wrong
submissions (not the few of the default settings) run on every test. Then suites of 15 tests are chosen by several rules
and held against the known-wrong submissions: how many does at least one kept test reject?

Held out: a suite is chosen by a part of what is known, and measured on the submissions that had no say. `halves` gives
every second known-wrong submission a say, then the others. A submission that runs out of time on a test is not
credited to it, so those that are only slow count as not rejected.
"""

from __future__ import annotations

import resource
import tempfile
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from bench.tables import print_table
from microcoder_assets.collection.kattis import open_kattis
from microcoder_assets.collection.scrape import scrape
from microcoder_assets.config import CollectionSettings, FanOutSettings, PublicationSettings, VerificationSettings
from microcoder_assets.processing.normalize import normalize
from microcoder_assets.publication.choose_tests import choose_tests
from microcoder_assets.schema import PREPARED, conform
from microcoder_assets.store import Blobs, Packs
from microcoder_assets.verification.evidence import Outcome, Run
from microcoder_assets.verification.verify import at_engine, verify

ALL = 99
"""Submissions of a label and language: more than any package has."""

Kills = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Case:
    """One problem: its PREPARED row, what each of its tests rejects, and its known-wrong submissions."""

    row: Mapping[str, Any]
    kills: Kills
    wrong: Sequence[Run]

    @property
    def problem_id(self) -> str:
        return str(self.row["problem_id"])

    @property
    def tests(self) -> Sequence[Mapping[str, Any]]:
        return self.row["tests"]  # type: ignore[no-any-return]

    def known(self, *parts: frozenset[str]) -> Kills:
        """What the tests reject of these programs alone."""
        allowed = frozenset().union(*parts)
        return {test: names & allowed for test, names in self.kills.items()}

    @property
    def mutants(self) -> frozenset[str]:
        return self.rejected(self.tests) - self.submissions

    @property
    def submissions(self) -> frozenset[str]:
        return frozenset(run.program for run in self.wrong)

    def half(self, which: int) -> frozenset[str]:
        return frozenset(sorted(self.submissions)[which::2])

    def rejected(self, tests: Sequence[Mapping[str, Any]]) -> frozenset[str]:
        return frozenset().union(*(self.kills.get(test["name"], frozenset()) for test in tests))


def longest(case: Case, limit: int) -> Sequence[Mapping[str, Any]]:
    """The paper's rule."""
    return sorted(case.tests, key=lambda test: (-test["bytes"], test["name"]))[:limit]


Rule = Callable[[Case, int], Sequence[tuple[Sequence[Mapping[str, Any]], frozenset[str]]]]
"""Suites of a case, each with the submissions that it is measured on."""

RULES: dict[str, Rule] = {
    "every test": lambda case, limit: [(case.tests, case.submissions)],
    "the longest (paper)": lambda case, limit: [(longest(case, limit), case.submissions)],
    "samples, the longest": lambda case, limit: [(choose_tests(case.tests, {}, limit), case.submissions)],
    "ours, by mutants alone (held out)": lambda case, limit: [
        (choose_tests(case.tests, case.known(case.mutants), limit), case.submissions)
    ],
    "ours, halves and mutants (held out)": lambda case, limit: [
        (choose_tests(case.tests, case.known(case.half(n), case.mutants), limit), case.half(1 - n)) for n in (0, 1)
    ],
    "ours, by known-wrong": lambda case, limit: [
        (choose_tests(case.tests, case.known(case.submissions), limit), case.submissions)
    ],
    "ours, by known-wrong and mutants": lambda case, limit: [
        (choose_tests(case.tests, case.kills, limit), case.submissions)
    ],
}


def cases(
    folder: Path, settings: VerificationSettings, blobs: Blobs, packs: Packs, collection: CollectionSettings
) -> tuple[list[Case], Counter[str]]:
    """The packages' problems that verification keeps, and how every package ended."""
    source = open_kattis(folder)
    collected = scrape(source.records(), blobs, collection, source.kind)
    normalized = normalize(collected.frame, blobs)
    later = {name: pl.lit(None, dtype) for name, dtype in PREPARED.items() if name not in normalized.frame.columns}
    problems = conform(normalized.frame.with_columns(**later), PREPARED)
    here, engine = at_engine(settings, FanOutSettings())  # type: ignore[call-arg]
    told = lambda done: print(f"{done} verified", flush=True)  # noqa: E731
    result = verify(problems, problems, blobs, packs, here, told, engine)
    ended = Counter(f"{d.kind}: {d.reason}" for d in collected.decisions if d.kind != "kept")
    ended.update(f"{d.kind}: {d.reason}" for d in normalized.decisions if d.kind == "dropped")
    ended.update(f"{d.kind}: {d.reason}" for d in result.decisions)
    for decision in result.decisions:
        if decision.kind != "kept":
            print(f"  {decision.problem_id}: {decision.reason} {decision.detail}", flush=True)
    rows = {row["problem_id"]: row for row in problems.iter_rows(named=True)}
    found = []
    for decision in result.decisions:
        if decision.kind == "kept":
            key = decision.detail["evidence"]
            outcome = Outcome.from_json(packs.get([key])[key])
            kills = {kill["test"]: frozenset(kill["submissions"]) for kill in outcome.kills}
            wrong = [run for run in outcome.runs if run.label not in ("accepted", "mutant")]
            found.append(Case(rows[decision.problem_id], kills, wrong))
    return found, ended


def lines(found: Sequence[Case], limit: int) -> list[tuple[str, ...]]:
    rows = []
    for name, rule in RULES.items():
        killed = total = killable = 0
        for case in found:
            by_all = case.rejected(case.tests)
            for suite, measured in rule(case, limit):
                killed += len(case.rejected(suite) & measured)
                total += len(measured)
                killable += len(by_all & measured)
        counts = ((killed, total), (killed, killable))
        rows.append((name, *(cell for part, whole in counts for cell in (f"{part}/{whole}", _share(part, whole)))))
    return rows


def ended_table(ended: Mapping[str, int]) -> None:
    print("\nhow the packages ended")
    print_table(("decision", "packages"), [(reason, str(count)) for reason, count in sorted(ended.items())])


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_test_choice", description="Rules to choose tests by.")
    parser.add_argument("folder", type=Path, help="folder of Kattis packages")
    parser.add_argument("--tests", type=int, default=PublicationSettings().max_tests, help="tests kept (15)")  # type: ignore[call-arg]
    parser.add_argument("--mutants", type=int, default=VerificationSettings().mutants, help="mutants a problem (12)")  # type: ignore[call-arg]
    parser.add_argument("--workers", type=int, default=0, help="judge workers (0: one a CPU)")
    parser.add_argument("--home", type=Path, help="keep verdicts here, so that a second run costs little")
    arguments = parser.parse_args()
    settings = VerificationSettings(  # type: ignore[call-arg]
        workers=arguments.workers, max_wrong=ALL, complete_wrong=ALL, complete_above=0, mutants=arguments.mutants
    )
    with tempfile.TemporaryDirectory() as folder:
        home = arguments.home or Path(folder)
        everything = CollectionSettings(max_references=ALL)  # type: ignore[call-arg]
        found, ended = cases(arguments.folder, settings, Blobs(home / "blobs"), Packs(home / "verdicts"), everything)
    ended_table(ended)
    many = [case for case in found if len(case.tests) > arguments.tests]
    for title, chosen in (("all that are kept", found), (f"those with more than {arguments.tests} tests", many)):
        print(f"\n{title}: {len(chosen)} problems, {sum(len(case.wrong) for case in chosen)} known-wrong submissions")
        header = ("rule", "killed of all", "", "killed of those that all tests kill", "")
        print_table(header, lines(chosen, arguments.tests))
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(f"\nCPU: {sum(one.ru_utime + one.ru_stime for one in usage):.0f} s")


if __name__ == "__main__":
    main()
