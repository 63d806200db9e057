"""Prove each problem by running code: its accepted references pass every test, its known-wrong ones do not.

`trial` says what is looked for. Each problem is run in up to four rounds, every one over a batch of problems:
1. its submissions, each up to the first test that it fails;
2. references that failed, came near the limit or name chance, again, on the tests that raised the doubt: one that
   changes its mind proves nothing;
3. of sound problems with many tests, some known-wrong submissions on every test, so that a choice of tests can keep
   those that reject several. A test on which one runs out of time is not credited with it;
4. of sound problems, mutants of a reference, on the smallest test first and up to the first test that rejects them; and
   a reference on samples of the statement that are not among the tests.
Where settings say so, tests are then sought that reject what passed although it is wrong, or a mutant.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import polars as pl

from microcoder_assets.config import FanOutSettings, VerificationSettings
from microcoder_assets.errors import UserError
from microcoder_assets.fan_out import Engine, OnRay, Serial, Threads
from microcoder_assets.schema import VERIFIED, Rows, conform, of_problems
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_assets.verification.evidence import Outcome, outcome_of, refused
from microcoder_assets.verification.generators import input_model
from microcoder_assets.verification.inputs import NoGenerator
from microcoder_assets.verification.programs import Program, mutant_source, mutants_of, submissions, survivors
from microcoder_assets.verification.strengthen import strengthen
from microcoder_assets.verification.trial import Trial, slowest_s
from microcoder_judge import JUDGE_VERSION, Checker, Judge, Limits, Problem, RecordError, Submission, Test

PROBLEMS_A_BATCH, BYTES_A_BATCH = 128, 8 << 20
"""What is run, and then cached, at a time: many small problems, or one or two with large tests, which take minutes.
Ours: a run that is ended loses little."""
BATCHES_AT_ONCE = 2
"""Here: while one waits for its slowest program, the other's are run. Ours."""
_INCLUDES_TESTLIB = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<]testlib\.h[">]', re.MULTILINE)
COMPLETE_S = 1.0
"""Most that a wrong submission may take on a test when it is run on all of them. Ours: one that loops costs little."""
MUTANT_BYTES = 1 << 20
"""Problems with more bytes of tests have no mutants: those that survive would run for minutes. Ours."""
PACE_S, PACE_FACTOR = 0.25, 5.0
"""What a program that is probably wrong may take on a test: so many seconds, or so many times what the slowest verified
reference took. Ours."""
FEWEST_MUTANTS = 4
"""Of fewer, the share that is killed says nothing. Ours."""
OUTCOME_VERSION = "5"
"""Raise it when a kept outcome would be another."""


class Blobs(Protocol):
    def get_many(self, shas: Sequence[str]) -> dict[str, bytes]: ...

    def put_many(self, blobs: Sequence[bytes]) -> list[str]: ...


class VerdictCache(Protocol):
    """Outcomes by key; a night pays only for problems that are new or changed."""

    def get(self, keys: Sequence[str]) -> dict[str, bytes]: ...

    def put(self, values: Mapping[str, bytes]) -> None: ...


def verify(
    selected: pl.DataFrame,
    problems: Rows,
    blobs: Blobs,
    cache: VerdictCache,
    settings: VerificationSettings,
    progress: Callable[[int], None] = lambda done: None,
    engine: Engine | None = None,
) -> StageResult:
    """Run the programs of every selected problem.

    selected: SELECTED rows. problems: PREPARED rows, a superset. progress: called with the number of problems done.
    engine: what batches are run on, None: here, one after another.
    A problem whose outcome is an internal error of the judge, or that it cannot take, is reported and not cached.
    """
    engine = engine or Serial()
    rows = of_problems(problems, selected["problem_id"]).select("problem_id", "content_sha", "references").collect()
    with open_judge(settings) as judge:
        keys = {row["problem_id"]: _key(row, settings, judge) for row in rows.iter_rows(named=True)}
        outcomes = {key: Outcome.from_json(text) for key, text in cache.get(list(keys.values())).items()}
        lacking = pl.Series([name for name, key in keys.items() if key not in outcomes], dtype=pl.String)
        todo = of_problems(problems, lacking).collect().iter_rows(named=True)
        progress(len(keys) - len(lacking))
        bench = Bench(settings, dict(judge.languages), judge if engine.here else None)
        batches = (("".join(keys[row["problem_id"]] for row in b), _carried(b, blobs)) for b in _batches(todo))
        for done in engine.map(bench, batches):
            found = done.result()
            blobs.put_many(list(found.added.values()))
            outcomes.update(of_keys := {keys[name]: outcome for name, outcome in found.outcomes.items()})
            cache.put({key: outcome.to_json() for key, outcome in of_keys.items() if outcome.lasts})
            progress(len(of_keys))
    return _result(rows, keys, outcomes, settings)


def judge_problem(row: Mapping[str, Any], blobs: Mapping[str, bytes], settings: VerificationSettings) -> Problem:
    """The judge's record of a PREPARED row. Raises microcoder_judge.RecordError where the two do not fit."""
    checker = Checker.from_json(row["checker"]) if row["checker"] else None
    stated = row["time_limit_s"]
    seconds = stated * settings.time_limit_factor if stated else settings.default_time_limit_s
    memory = max(row["memory_limit_mb"] or 0, Limits().memory_mb)
    return Problem(
        id=row["problem_id"],
        tests=tuple(Test(blobs[t["input_sha"]], blobs[t["expected_sha"]], t["name"]) for t in row["tests"]),
        limits=Limits(time_s=seconds, memory_mb=memory),
        checker=checker,
        io_mode=row["io_mode"],
        entry_point=row["entry_point"],
    )


def open_judge(settings: VerificationSettings) -> Judge:
    """One that remembers no verdict: an equal submission that comes again is in doubt."""
    headers = str(settings.headers.resolve()) if settings.headers else None
    return Judge(workers=settings.workers, headers=headers, cache=0)


def at_engine(settings: VerificationSettings, fan_out: FanOutSettings) -> tuple[VerificationSettings, Engine]:
    """The engine that batches are run on, and the settings of its judges. Raises UserError where it is not reached."""
    if fan_out.engine == "local":
        return settings, Threads(BATCHES_AT_ONCE)
    if fan_out.engine == "serial":
        return settings.model_copy(update={"workers": 1}), Serial()
    headers = settings.headers.resolve() if settings.headers else None
    sent = settings.model_copy(update={"workers": fan_out.cpus, "headers": headers})
    return sent, OnRay(fan_out.address, fan_out.cpus)


@dataclass(frozen=True, slots=True)
class Carried:
    """A batch with all that running it needs. stored: the bytes of its tests by hash."""

    rows: Sequence[Mapping[str, Any]]
    stored: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Ran:
    """outcomes: of a batch's problems, by id. added: the bytes of generated tests by hash."""

    outcomes: dict[str, Outcome]
    added: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Bench:
    """Runs batches: by `judge` or, where that is None because the bench was sent, by one opened for each batch.

    languages: those whose versions the keys of outcomes name. Raises UserError on a machine that has others.
    """

    settings: VerificationSettings
    languages: Mapping[str, str]
    judge: Judge | None

    def __call__(self, batch: Carried) -> Ran:
        if self.judge is not None:
            return self._run(batch, self.judge)
        with open_judge(self.settings) as judge:
            if (found := dict(judge.languages)) != self.languages:
                raise UserError(f"a node runs {found}, this machine {self.languages}; give them the same image")
            return self._run(batch, judge)

    def _run(self, batch: Carried, judge: Judge) -> Ran:
        blobs = _CarriedBlobs(batch.stored)
        found = dict(zip((r["problem_id"] for r in batch.rows), _run(batch, judge, self.settings), strict=True))
        if self.settings.strengthen:
            for row in batch.rows:
                name = row["problem_id"]
                found[name] = _strengthened(row, found[name], judge, blobs, self.settings)
        return Ran(found, blobs.added)


class _CarriedBlobs:
    def __init__(self, stored: Mapping[str, bytes]) -> None:
        self._stored = stored
        self.added: dict[str, bytes] = {}

    def get_many(self, shas: Sequence[str]) -> dict[str, bytes]:
        return {sha: self._stored[sha] for sha in shas}

    def put_many(self, blobs: Sequence[bytes]) -> list[str]:
        shas = [hashlib.sha256(blob).hexdigest() for blob in blobs]
        self.added.update(zip(shas, blobs, strict=True))
        return shas


def _carried(batch: Sequence[Mapping[str, Any]], blobs: Blobs) -> Carried:
    shas = {sha for row in batch for t in row["tests"] for sha in (t["input_sha"], t["expected_sha"])}
    return Carried(batch, blobs.get_many(sorted(shas)))


def _key(row: Mapping[str, Any], settings: VerificationSettings, judge: Judge) -> str:
    parts = [
        row["content_sha"],
        OUTCOME_VERSION,
        JUDGE_VERSION,
        " ".join(judge.languages),
        settings.model_dump_json(exclude={"workers", "headers", "weak_below", "drop_weak"}),
        *(f"{r['label']} {r['language']} {r['name']}\n{r['code']}" for r in row["references"] or []),
    ]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _batches(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    batch: list[Mapping[str, Any]] = []
    size = 0
    for row in rows:
        of_row = sum(test["bytes"] for test in row["tests"])
        if batch and (len(batch) == PROBLEMS_A_BATCH or size + of_row > BYTES_A_BATCH):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += of_row
    if batch:
        yield batch


def _run(batch: Carried, judge: Judge, settings: VerificationSettings) -> Iterator[Outcome]:
    opened = [_opened(row, batch.stored, judge, settings) for row in batch.rows]
    trials = [trial for trial in opened if isinstance(trial, Trial)]
    _run_submissions(trials, judge)
    _run_again(trials, judge, settings)
    sound = [trial for trial in trials if trial.finding()[0] == "ok"]
    many = [trial for trial in sound if len(trial.problem.tests) > settings.complete_above]
    _run_on_every_test(many, judge, settings.complete_wrong)
    _run_mutants(sound, judge, settings)
    _run_samples(sound, judge)
    return (outcome_of(trial) if isinstance(trial, Trial) else trial for trial in opened)


def _opened(
    row: Mapping[str, Any], stored: Mapping[str, bytes], judge: Judge, settings: VerificationSettings
) -> Trial | Outcome:
    """The row with its programs; or why none can be run on it."""
    if lacking := _lacking_header(row, settings):
        return refused("unsupported_checker", lacking)
    programs = submissions(row, judge.languages, settings)
    if not any(program.is_reference for program in programs):
        return refused("reference_failed", "no accepted reference could be run")
    try:
        return Trial(row, judge_problem(row, stored, settings), programs, settings.near_limit)
    except RecordError as error:
        return refused("reference_failed", str(error))


def _run_submissions(trials: Sequence[Trial], judge: Judge) -> None:
    wanted = [(trial, program) for trial in trials for program in trial.programs]
    submitted = [Submission(program.code, trial.problem, program.language) for trial, program in wanted]
    for (trial, program), result in zip(wanted, judge.evaluate_many(submitted), strict=True):
        trial.runs[program.name] = [result]


def _run_again(trials: Sequence[Trial], judge: Judge, settings: VerificationSettings) -> None:
    """All repeats at once."""
    wanted = [(trial, program) for trial in trials for program in trial.doubtful]
    again = []
    for trial, program in wanted:
        problem = replace(trial.problem, tests=trial.doubted_tests(program))
        submission = Submission(program.code, problem, program.language)
        again.append([judge.submit(submission) for _ in range(settings.repeats)])
    for (trial, program), runs in zip(wanted, again, strict=True):
        trial.runs[program.name] += [run.result() for run in runs]


def _run_on_every_test(trials: Sequence[Trial], judge: Judge, limit: int) -> None:
    """limit: known-wrong submissions of each trial."""
    wanted = [(trial, program) for trial in trials for program in trial.wrong[:limit]]
    quick = [_within(_at_pace(trial, trial.verified), COMPLETE_S) for trial, _ in wanted]
    submitted = [
        Submission(program.code, problem, program.language, stop_on_fail=False)
        for (_, program), problem in zip(wanted, quick, strict=True)
    ]
    for (trial, program), result in zip(wanted, judge.evaluate_many(submitted), strict=True):
        trial.complete[program.name] = result


def _run_mutants(trials: Sequence[Trial], judge: Judge, settings: VerificationSettings) -> None:
    wanted: list[tuple[Trial, Program]] = []
    submitted = []
    for trial in trials:
        small = sum(test["bytes"] for test in trial.row["tests"]) <= MUTANT_BYTES
        source = mutant_source(trial.verified) if small else None
        problem = _at_pace(trial, [source] if source else [])
        problem = replace(problem, tests=tuple(sorted(problem.tests, key=lambda test: len(test.input))))
        for program in mutants_of(source, settings.mutants) if source else []:
            wanted.append((trial, program))
            submitted.append(Submission(program.code, problem, program.language))
    for (trial, program), result in zip(wanted, judge.evaluate_many(submitted), strict=True):
        trial.programs.append(program)
        trial.runs[program.name] = [result]


def _run_samples(trials: Sequence[Trial], judge: Judge) -> None:
    wanted = [(trial, tests) for trial in trials if (tests := trial.samples_apart())]
    submitted = [
        Submission(trial.verified[0].code, replace(trial.problem, tests=tests), trial.verified[0].language)
        for trial, tests in wanted
    ]
    for (trial, _), result in zip(wanted, judge.evaluate_many(submitted), strict=True):
        trial.samples = result


def _strengthened(
    row: Mapping[str, Any], outcome: Outcome, judge: Judge, blobs: Blobs, settings: VerificationSettings
) -> Outcome:
    """The outcome with generated tests that reject programs which pass every test; kept if no known-wrong one is left.

    Mutants that nothing rejects stay survivors: they may mean the same as the reference.
    """
    counts = outcome.counts()
    slipped, verified = outcome.detail.get("slipped", []), counts["verified_references"]
    candidates = survivors(row, {*slipped, *counts["survivors"]}, verified, settings)
    if outcome.reason not in ("ok", "wrong_accepted") or not candidates or len(verified) < settings.agreeing_references:
        return outcome
    stored = blobs.get_many([t[part] for t in row["tests"] for part in ("input_sha", "expected_sha")])
    problem = judge_problem(row, stored, settings)
    try:
        model = input_model(row, [test.input for test in problem.tests])
    except NoGenerator as reason:
        return replace(outcome, detail={**outcome.detail, "no_generator": str(reason)})
    known = {reference["name"]: Program(**reference) for reference in row["references"]}
    found = strengthen(problem, model, [known[name] for name in verified], candidates, judge, settings)
    tests = [new.test for new in found.tests]
    shas = iter(blobs.put_many([part for test in tests for part in (test.input, test.expected)]))
    added = [
        {
            "name": new.test.name,
            "input_sha": next(shas),
            "expected_sha": next(shas),
            "bytes": len(new.test.input) + len(new.test.expected),
            "family": new.family,
            "seed": new.seed,
        }
        for new in found.tests
    ]
    left = [name for name in slipped if name in found.survivors]
    rejects = sorted({program.name for program in candidates}.difference(found.survivors))
    search = {"inputs": found.inputs, "agreed": found.agreed, "rejects": rejects}
    search |= {"refused": found.refused} if found.refused else {}
    return replace(
        outcome,
        reason="wrong_accepted" if left else "ok",
        detail={**outcome.detail, **({"slipped": left} if slipped else {}), "strengthened": search},
        kills=[*outcome.kills, *({"test": new.test.name, "submissions": list(new.kills)} for new in found.tests)],
        added_tests=added,
    )


def _at_pace(trial: Trial, references: Sequence[Program]) -> Problem:
    """The problem with the time that programs get which are probably wrong, by the pace of its references."""
    slowest = max((slowest_s(run) for program in references for run in trial.runs[program.name]), default=0.0)
    return _within(trial.problem, max(PACE_S, PACE_FACTOR * slowest))


def _within(problem: Problem, seconds: float) -> Problem:
    return replace(problem, limits=replace(problem.limits, time_s=min(seconds, problem.limits.time_s)))


def _lacking_header(row: Mapping[str, Any], settings: VerificationSettings) -> str:
    """What is missing to compile the row's checker, with the mend; empty for nothing."""
    checker = Checker.from_json(row["checker"]) if row["checker"] else None
    if checker is None or not _INCLUDES_TESTLIB.search(checker.program or ""):
        return ""
    folder = settings.headers.resolve() if settings.headers else None
    if folder and (folder / "testlib.h").is_file() and not folder.is_relative_to("/tmp"):
        return ""
    return "its checker includes testlib.h; set [verification] headers to a folder outside /tmp that holds it"


def _result(
    rows: pl.DataFrame, keys: Mapping[str, str], outcomes: Mapping[str, Outcome], settings: VerificationSettings
) -> StageResult:
    decisions, kept = [], []
    for problem_id, sha in rows.select("problem_id", "content_sha").iter_rows():
        outcome = outcomes[keys[problem_id]]
        flags = _flags(outcome, settings)
        weak = outcome.reason == "ok" and settings.drop_weak and "weak_tests" in flags
        reason = "weak_tests" if weak else outcome.reason
        decisions.append(
            Decision(
                problem_id,
                Kind.KEPT if reason == "ok" else Kind.DROPPED,
                reason,
                {**outcome.detail, **({"evidence": keys[problem_id]} if outcome.lasts else {})},
                score=outcome.mutation_score,
                rule=f"judge {JUDGE_VERSION}",
                sha_in=sha,
                sha_out=sha if reason == "ok" else None,
            )
        )
        if reason == "ok":
            kept.append({"problem_id": problem_id, "content_sha": sha, "flags": flags, **outcome.counts()})
    return StageResult(conform(pl.DataFrame(kept, schema=VERIFIED), VERIFIED), decisions)


def _flags(outcome: Outcome, settings: VerificationSettings) -> list[str]:
    """What speaks against a problem without proving it unusable, in alphabetical order."""
    score = outcome.mutation_score
    weak = score is not None and outcome.counts()["mutants_run"] >= FEWEST_MUTANTS and score < settings.weak_below
    found = {"near_limit": outcome.near_limit, "unsteady_reference": "unsteady" in outcome.detail, "weak_tests": weak}
    return [flag for flag, holds in found.items() if holds]
