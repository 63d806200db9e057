"""Prove each problem by running code: its accepted references pass every test, its known-wrong ones do not.

Outcomes, in the order they are looked for:
- the checker is written over testlib.h and settings name no folder that holds it: `unsupported_checker`;
- no accepted reference passes, or the judge cannot take the problem at all: `reference_failed`;
- one passes and another accepted one gives a different answer: `references_disagree` (several right answers and no
  checker that knows them, or a mislabelled reference: either way the tests cannot be trusted as a reward);
- a known-wrong submission passes every test: `wrong_accepted` (tests too weak to be a reward), unless `strengthen` is
  set and finds tests that reject it;
- else kept. Submissions labelled time_limit_exceeded are not run: limits are stretched, so they prove nothing.

Of a kept problem with many tests, wrong submissions are then run on every test, so that a choice of tests can keep
those that reject them. A test on which one runs out of time is not credited with it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

import polars as pl

from microcoder_assets.config import VerificationSettings
from microcoder_assets.schema import VERIFIED, conform
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_assets.verification.generators import input_model
from microcoder_assets.verification.inputs import NoGenerator
from microcoder_assets.verification.strengthen import Program, strengthen
from microcoder_judge import (
    JUDGE_VERSION,
    Checker,
    Judge,
    Limits,
    Problem,
    RecordError,
    Result,
    Submission,
    Test,
    Verdict,
)

PROBLEMS_A_BATCH = 128
_INCLUDES_TESTLIB = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<]testlib\.h[">]', re.MULTILINE)
COMPLETE_S = 1.0
"""What a wrong submission may take on a test when it is run on all of them. Ours: one that loops costs little."""
OUTCOME_VERSION = "2"
"""Raise it when a kept outcome would be another."""
WRONG_LABELS = ("wrong_answer", "run_time_error", "rejected")


class Blobs(Protocol):
    def get_many(self, shas: Sequence[str]) -> dict[str, bytes]: ...

    def put_many(self, blobs: Sequence[bytes]) -> list[str]: ...


class VerdictCache(Protocol):
    """Outcomes by key; a night pays only for problems that are new or changed."""

    def get(self, keys: Sequence[str]) -> dict[str, bytes]: ...

    def put(self, values: Mapping[str, bytes]) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What running the references of one problem showed. A row of VERIFIED plus the decision's reason and detail."""

    reason: str
    detail: dict[str, Any]
    references_run: int
    references_accepted: int
    wrong_run: int
    wrong_rejected: int
    tests_run: int
    kills: list[dict[str, Any]]
    verified_references: list[str]
    added_tests: list[dict[str, Any]] = field(default_factory=list)


def verify(
    selected: pl.DataFrame,
    problems: pl.DataFrame,
    blobs: Blobs,
    cache: VerdictCache,
    settings: VerificationSettings,
    progress: Callable[[int], None] = lambda done: None,
) -> StageResult:
    """Run the references of every selected problem.

    selected: SELECTED rows. problems: PREPARED rows, a superset. progress: called with the number of problems done.
    A problem whose outcome is an internal error of the judge, or that it cannot take, is reported and not cached.
    """
    rows = problems.join(selected.select("problem_id"), on="problem_id", how="semi").sort("problem_id")
    headers = str(settings.headers.resolve()) if settings.headers else None
    with Judge(workers=settings.workers, headers=headers) as judge:
        keys = {row["problem_id"]: _key(row, settings, judge) for row in rows.iter_rows(named=True)}
        outcomes = {key: Outcome(**json.loads(text)) for key, text in cache.get(list(keys.values())).items()}
        todo = [row for row in rows.iter_rows(named=True) if keys[row["problem_id"]] not in outcomes]
        progress(len(keys) - len(todo))
        for start in range(0, len(todo), PROBLEMS_A_BATCH):
            batch = todo[start : start + PROBLEMS_A_BATCH]
            ran = zip((keys[r["problem_id"]] for r in batch), _run(batch, judge, blobs, settings), strict=True)
            found = dict(ran)
            if settings.strengthen:
                for row in batch:
                    key = keys[row["problem_id"]]
                    found[key] = _strengthened(row, found[key], judge, blobs, settings)
            outcomes.update(found)
            lasting = {key: outcome for key, outcome in found.items() if _lasts(outcome)}
            cache.put({key: json.dumps(asdict(o), sort_keys=True).encode() for key, o in lasting.items()})
            progress(len(batch))
    return _result(rows, [outcomes[keys[problem_id]] for problem_id in rows["problem_id"]])


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


def _key(row: Mapping[str, Any], settings: VerificationSettings, judge: Judge) -> str:
    parts = [
        row["content_sha"],
        OUTCOME_VERSION,
        JUDGE_VERSION,
        " ".join(judge.languages),
        settings.model_dump_json(exclude={"workers", "headers"}),
        *(f"{r['label']} {r['language']} {r['name']}\n{r['code']}" for r in row["references"] or []),
    ]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _run(
    batch: Sequence[Mapping[str, Any]], judge: Judge, blobs: Blobs, settings: VerificationSettings
) -> Iterator[Outcome]:
    shas = {sha for row in batch for t in row["tests"] for sha in (t["input_sha"], t["expected_sha"])}
    stored = blobs.get_many(sorted(shas))
    chosen: list[list[dict[str, str]] | Outcome] = []
    submissions: list[Submission] = []
    for row in batch:
        if lacking := _lacking_header(row, settings):
            chosen.append(_refused("unsupported_checker", lacking))
            continue
        try:
            references = _references(row, settings, judge)
            problem = judge_problem(row, stored, settings) if references else None
        except RecordError as error:
            chosen.append(_refused("reference_failed", str(error)))
            continue
        chosen.append(references)
        submissions += [Submission(r["code"], problem, r["language"]) for r in references if problem]
    results = iter(judge.evaluate_many(submissions))
    outcomes = [
        found if isinstance(found, Outcome) else _outcome(row, [(reference, next(results)) for reference in found])
        for row, found in zip(batch, chosen, strict=True)
    ]
    return _with_all_kills(batch, outcomes, judge, stored, settings)


def _with_all_kills(
    batch: Sequence[Mapping[str, Any]],
    outcomes: Sequence[Outcome],
    judge: Judge,
    stored: Mapping[str, bytes],
    settings: VerificationSettings,
) -> Iterator[Outcome]:
    """The outcomes, with what every test rejects for those kept problems that have many."""
    wrong: list[list[dict[str, str]]] = []
    submissions: list[Submission] = []
    for row, outcome in zip(batch, outcomes, strict=True):
        many = outcome.reason == "ok" and len(row["tests"]) > settings.complete_above
        wrong.append([r for r in _references(row, settings, judge) if r["label"] != "accepted"] if many else [])
        if wrong[-1]:
            problem = judge_problem(row, stored, settings)
            quick = replace(problem, limits=replace(problem.limits, time_s=min(COMPLETE_S, problem.limits.time_s)))
            submissions += [Submission(r["code"], quick, r["language"], stop_on_fail=False) for r in wrong[-1]]
    results = iter(judge.evaluate_many(submissions))
    for row, outcome, references in zip(batch, outcomes, wrong, strict=True):
        runs = [(reference, next(results)) for reference in references]
        yield replace(outcome, kills=_kills(row, runs)) if runs else outcome


def _strengthened(
    row: Mapping[str, Any], outcome: Outcome, judge: Judge, blobs: Blobs, settings: VerificationSettings
) -> Outcome:
    """The outcome with generated tests that reject known-wrong submissions which passed every test; kept if all are."""
    slipped = outcome.detail.get("slipped", [])
    named = {r["name"]: Program(r["name"], r["language"], r["code"]) for r in row["references"] or ()}
    references = [named[name] for name in outcome.verified_references]
    if not slipped or len(references) < settings.agreeing_references:
        return outcome
    stored = blobs.get_many([t[part] for t in row["tests"] for part in ("input_sha", "expected_sha")])
    problem = judge_problem(row, stored, settings)
    try:
        model = input_model(row, [test.input for test in problem.tests])
    except NoGenerator as reason:
        return replace(outcome, detail={**outcome.detail, "no_generator": str(reason)})
    found = strengthen(problem, model, references, [named[name] for name in slipped], judge, settings)
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
    search = {"inputs": found.inputs, "agreed": found.agreed, "rejects": sorted(set(slipped) - set(left))}
    search |= {"refused": found.refused} if found.refused else {}
    return replace(
        outcome,
        reason=outcome.reason if left else "ok",
        detail={**outcome.detail, "slipped": left, "strengthened": search},
        wrong_rejected=outcome.wrong_rejected + len(slipped) - len(left),
        kills=[*outcome.kills, *({"test": new.test.name, "submissions": list(new.kills)} for new in found.tests)],
        added_tests=added,
    )


def _lacking_header(row: Mapping[str, Any], settings: VerificationSettings) -> str:
    """What is missing to compile the row's checker, with the mend; empty for nothing."""
    checker = Checker.from_json(row["checker"]) if row["checker"] else None
    if checker is None or not _INCLUDES_TESTLIB.search(checker.program or ""):
        return ""
    folder = settings.headers.resolve() if settings.headers else None
    if folder and (folder / "testlib.h").is_file() and not folder.is_relative_to("/tmp"):
        return ""
    return "its checker includes testlib.h; set [verification] headers to a folder outside /tmp that holds it"


def _refused(reason: str, error: str) -> Outcome:
    return Outcome(reason, {"error": error[:300]}, 0, 0, 0, 0, 0, [], [])


def _lasts(outcome: Outcome) -> bool:
    """Whether it says something of the problem: neither the judge failed nor did the judge refuse it."""
    return "error" not in outcome.detail and "IE" not in outcome.detail["verdicts"].values()


def _references(row: Mapping[str, Any], settings: VerificationSettings, judge: Judge) -> list[dict[str, str]]:
    runnable = [r for r in row["references"] or [] if r["language"] in judge.languages]
    accepted = [r for r in runnable if r["label"] == "accepted"]
    wrong = [r for r in runnable if r["label"] in WRONG_LABELS]
    return accepted[: settings.max_references] + wrong[: settings.max_wrong]


def _outcome(row: Mapping[str, Any], runs: Sequence[tuple[dict[str, str], Result]]) -> Outcome:
    accepted = [(reference, result) for reference, result in runs if reference["label"] == "accepted"]
    wrong = [(reference, result) for reference, result in runs if reference["label"] != "accepted"]
    passed = [(reference, result) for reference, result in accepted if result.accepted]
    slipped = [reference["name"] for reference, result in wrong if result.accepted]
    verdicts = {reference["name"]: result.verdict.value for reference, result in runs}
    detail: dict[str, Any] = {"verdicts": verdicts}
    if not passed:
        reason = "reference_failed"
        first = next((result for _, result in accepted), None)
        detail["message"] = first.message[:300] if first else "no accepted reference could be run"
    elif any(result.verdict is Verdict.WA for _, result in accepted):
        reason = "references_disagree"
        detail["message"] = next(r.message[:300] for _, r in accepted if r.verdict is Verdict.WA)
    elif slipped:
        reason = "wrong_accepted"
        detail["slipped"] = slipped
    else:
        reason = "ok"
    return Outcome(
        reason=reason,
        detail=detail,
        references_run=len(accepted),
        references_accepted=len(passed),
        wrong_run=len(wrong),
        wrong_rejected=len(wrong) - len(slipped),
        tests_run=len(row["tests"]),
        kills=_kills(row, wrong),
        verified_references=[reference["name"] for reference, _ in passed],
    )


def _kills(row: Mapping[str, Any], wrong: Sequence[tuple[dict[str, str], Result]]) -> list[dict[str, Any]]:
    """Rows of `schema.KILL`: what each test rejects of the wrong submissions."""
    by_test: dict[str, list[str]] = {test["name"]: [] for test in row["tests"]}
    for reference, result in wrong:
        for test in result.tests:
            if test.verdict not in (Verdict.AC, Verdict.TLE, Verdict.IE):
                by_test[test.name].append(reference["name"])
    return [{"test": test, "submissions": names} for test, names in by_test.items() if names]


def _result(rows: pl.DataFrame, outcomes: Sequence[Outcome]) -> StageResult:
    decisions, kept = [], []
    for problem_id, sha, outcome in zip(rows["problem_id"], rows["content_sha"], outcomes, strict=True):
        good = outcome.reason == "ok"
        decisions.append(
            Decision(
                problem_id,
                Kind.KEPT if good else Kind.DROPPED,
                outcome.reason,
                outcome.detail,
                rule=f"judge {JUDGE_VERSION}",
                sha_in=sha,
                sha_out=sha if good else None,
            )
        )
        if good:
            numbers = {k: v for k, v in asdict(outcome).items() if k not in ("reason", "detail")}
            kept.append({"problem_id": problem_id, "content_sha": sha, "judge_version": JUDGE_VERSION, **numbers})
    return StageResult(conform(pl.DataFrame(kept, schema=VERIFIED), VERIFIED), decisions)
