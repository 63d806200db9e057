"""What do the kept tests reject? `python -m bench.bench_kept_tests FOLDER`, a folder of Kattis packages.

Every package is collected, normalised and verified with the default settings, but for `max_wrong` of known-wrong
submissions. Then all known-wrong submissions of its package, in languages that the judge runs, run on the 15 tests that
a split would carry, and on the paper's 15 longest, each up to the first test that it fails. Those labelled too slow
prove nothing under stretched limits and are left out, as in verification.

`bench_test_choice` compares more rules, by what every test rejects, which takes hours on slow submissions.
"""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from bench.bench_test_choice import ALL, Case, cases, ended_table, longest
from bench.tables import print_table
from microcoder_assets.collection.kattis import open_kattis
from microcoder_assets.collection.scrape import scrape
from microcoder_assets.config import CollectionSettings, PublicationSettings, VerificationSettings
from microcoder_assets.publication.choose_tests import choose_tests
from microcoder_assets.store import Blobs, Packs
from microcoder_assets.verification.programs import Program, submissions
from microcoder_assets.verification.verify import judge_problem, open_judge
from microcoder_judge import Problem, Submission

RULES = ("ours", "paper")


def known_wrong(folder: Path, blobs: Blobs, languages: list[str]) -> dict[str, list[Program]]:
    """All known-wrong submissions of every package, by the problem's id."""
    source = open_kattis(folder)
    collected = scrape(source.records(), blobs, CollectionSettings(max_references=ALL), source.kind)  # type: ignore[call-arg]
    everything = VerificationSettings(max_references=ALL, max_wrong=ALL)  # type: ignore[call-arg]
    return {
        row["problem_id"]: [p for p in submissions(row, languages, everything) if not p.is_reference]
        for row in collected.frame.select("problem_id", "references").iter_rows(named=True)
    }


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_kept_tests", description="What the kept tests reject.")
    parser.add_argument("folder", type=Path, help="folder of Kattis packages")
    parser.add_argument("--workers", type=int, default=0, help="judge workers (0: one a CPU)")
    default = VerificationSettings().max_wrong  # type: ignore[call-arg]
    parser.add_argument("--wrong", type=int, default=default, help=f"known-wrong that the choice sees ({default})")
    parser.add_argument("--verdicts", type=Path, help="folder of kept verdicts, such as HOME/store/packs/verdicts")
    arguments = parser.parse_args()
    settings = VerificationSettings(workers=arguments.workers, max_wrong=arguments.wrong)  # type: ignore[call-arg]
    limit = PublicationSettings().max_tests  # type: ignore[call-arg]
    killed: Counter[str] = Counter()
    total = unseen = 0
    lines = []
    with tempfile.TemporaryDirectory() as folder, open_judge(settings) as judge:
        blobs = Blobs(Path(folder) / "blobs")
        packs = Packs(arguments.verdicts or Path(folder) / "verdicts")
        found, ended = cases(arguments.folder, settings, blobs, packs, CollectionSettings())  # type: ignore[call-arg]
        wrong = known_wrong(arguments.folder, blobs, list(judge.languages))
        for case in tqdm(found, unit="problem", disable=None):
            suites = dict(zip(RULES, (choose_tests(case.tests, case.kills, limit), longest(case, limit)), strict=True))
            programs = wrong[case.problem_id]
            seen = case.submissions
            row = [case.problem_id, str(len(case.tests)), str(len(programs))]
            for rule, suite in suites.items():
                problem = _problem(case, [test["name"] for test in suite], blobs, settings)
                results = judge.evaluate_many([Submission(p.code, problem, p.language) for p in programs])
                rejected = sum(not result.accepted for result in results)
                killed[rule] += rejected
                row.append(str(rejected))
                if rule == "ours":
                    new = [not r.accepted for p, r in zip(programs, results, strict=True) if p.name not in seen]
                    killed["unseen"] += sum(new)
                    unseen += len(new)
            total += len(programs)
            lines.append(tuple(row))
    ended_table(ended)
    print_table(("problem", "tests", "known-wrong", *RULES), lines)
    shares = [(rule, f"{killed[rule]}/{total}", f"{100 * killed[rule] / max(total, 1):.1f} %") for rule in RULES]
    shares.append(("ours, of those that the choice did not see", f"{killed['unseen']}/{unseen}",
                   f"{100 * killed['unseen'] / max(unseen, 1):.1f} %"))  # fmt: skip
    print()
    print_table(("suite", "rejected", ""), shares)


def _problem(case: Case, names: list[str], blobs: Blobs, settings: VerificationSettings) -> Problem:
    row = {**case.row, "tests": [test for test in case.row["tests"] if test["name"] in names]}
    shas = {sha for test in row["tests"] for sha in (test["input_sha"], test["expected_sha"])}
    return judge_problem(row, blobs.get_many(sorted(shas)), settings)


if __name__ == "__main__":
    main()
