"""New tests for a weak suite: inputs on which programs that it lets pass differ from what the references agree on.

The search for inputs on which candidates disagree follows the idea of arXiv 2602.04254 (an agent there, seeded families
of inputs here); outputs by agreement of references, and the share of inputs on which they must agree, follow HardTests
(arXiv 2505.24098). Families, sizes, rounds and everything else is ours.

A test is kept only if it rejects a candidate that nothing rejected before. Nothing at all is kept where the references
disagree on too many inputs: then the inputs are not valid, or the problem has several right answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from microcoder_assets.config import VerificationSettings
from microcoder_assets.verification.inputs import FAMILIES, InputModel
from microcoder_assets.verification.programs import Program
from microcoder_judge import Judge, Limits, Problem, Submission, Test, Verdict
from microcoder_judge.compare import effective_checker, tolerance_assumed

TIME_S = 1.0
"""CPU seconds on a generated input, which is small. Ours."""
TEST_BYTES = 1 << 16
"""Larger tests are not kept. Ours."""
SEED_BYTES = 2_000
"""Existing tests up to this size are mutated. Ours."""
OUTPUT_MB = 1


@dataclass(frozen=True, slots=True)
class NewTest:
    """test: its name is made of the input's hash. seed: of the random numbers that drew it, with the family.
    kills: candidates that it rejects and no test rejected before."""

    test: Test
    family: str
    seed: str
    kills: tuple[str, ...]


@dataclass(slots=True)
class Strengthening:
    """inputs: drawn, and run by the references in time. agreed: those on which all references agree.
    survivors: candidates that nothing rejects. refused: why no test was kept although some would reject; else empty."""

    tests: list[NewTest] = field(default_factory=list)
    inputs: int = 0
    agreed: int = 0
    survivors: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True)
class _Drawn:
    data: bytes
    family: str
    seed: str


def strengthen(
    problem: Problem,
    model: InputModel,
    references: Sequence[Program],
    candidates: Sequence[Program],
    judge: Judge,
    settings: VerificationSettings,
) -> Strengthening:
    """Search for tests that reject the candidates. problem: with its own tests, all of which the references pass.

    The same arguments give the same tests as long as no program is near its time limit. Raises ValueError for fewer
    references than the settings ask for.
    """
    if len(references) < settings.agreeing_references:
        raise ValueError(f"{len(references)} references, {settings.agreeing_references} are to agree")
    limits = Limits(min(TIME_S, problem.limits.time_s), problem.limits.memory_mb, OUTPUT_MB)
    quick = replace(problem, limits=limits, checker=effective_checker(problem))
    found = Strengthening()
    alive = list(candidates)
    seen = {test.input for test in problem.tests}
    seeds = [test.input for test in problem.tests if len(test.input) <= SEED_BYTES and model.accepts(test.input)]
    for number in range(settings.strengthen_rounds):
        if not alive:
            break
        drawn = [d for d in _draw(problem.id, model, number, seeds, settings) if d.data not in seen]
        drawn = list({d.data: d for d in drawn}.values())
        seen |= {d.data for d in drawn}
        tests = _agreed(quick, drawn, references, judge, found, tolerance_assumed(problem))
        kills, slow = _kills(quick, tests, alive, judge)
        origins = {d.data: d for d in drawn}
        for test, names in _cover(tests, kills):
            origin = origins[test.input]
            found.tests.append(NewTest(test, origin.family, origin.seed, tuple(sorted(names))))
            seeds.append(test.input)
        dead = {name for names in kills.values() for name in names}
        alive = [program for program in alive if program.name not in dead | slow]
    killed = {name for test in found.tests for name in test.kills}
    if found.agreed < settings.min_agreement * found.inputs:
        found.refused = f"references agree on {found.agreed} of {found.inputs} inputs"
        found.tests, killed = [], set()
    found.survivors = tuple(program.name for program in candidates if program.name not in killed)
    return found


def _draw(
    problem_id: str, model: InputModel, number: int, seeds: Sequence[bytes], settings: VerificationSettings
) -> list[_Drawn]:
    """The inputs of a round; after the first, every other is a mutation of what exists or has rejected something."""
    drawn = []
    for at in range(settings.strengthen_inputs):
        family = "mutated" if number and at % 2 else FAMILIES[(at // (2 if number else 1)) % len(FAMILIES)]
        seed = f"{settings.strengthen_seed}:{problem_id}:{number}:{at}"
        data = model.draw(family, Random(seed), seeds)
        if data is not None:
            drawn.append(_Drawn(data, family, seed))
    return drawn


def _agreed(
    problem: Problem,
    drawn: Sequence[_Drawn],
    references: Sequence[Program],
    judge: Judge,
    found: Strengthening,
    assumed: bool,
) -> list[Test]:
    """Inputs with the first reference's answer, where every reference, the first once more, is right by that answer.

    Counts in `found`. An input on which the first takes too long says nothing, so it does not count. assumed: the
    problem's own tests are compared with an assumed tolerance, which an answer without decimals would end.
    """
    if not drawn:
        return []
    asked = replace(problem, tests=tuple(Test(d.data, b"", hashlib.sha256(d.data).hexdigest()[:12]) for d in drawn))
    first = references[0]
    ran = judge.run_many([Submission(first.code, asked, first.language, stop_on_fail=False)])[0]
    verdicts = {result.name: result for result in ran.tests}
    answered = []
    for test in asked.tests:
        result = verdicts.get(test.name)
        if result is None or result.verdict is Verdict.TLE:
            continue
        found.inputs += 1
        if result.verdict is Verdict.AC and len(test.input) + len(result.output) <= TEST_BYTES:
            answered.append(replace(test, expected=result.output, name=f"generated-{test.name}"))
    if not answered:
        return []
    posed = replace(problem, tests=tuple(answered))
    results = judge.evaluate_many([Submission(r.code, posed, r.language, stop_on_fail=False) for r in references])
    right = [{test.name for test in result.tests if test.verdict is Verdict.AC} for result in results]
    slow = {test.name for result in results for test in result.tests if test.verdict is Verdict.TLE}
    agreed = [test for test in answered if all(test.name in names for names in right)]
    found.inputs -= len(slow)
    found.agreed += len(agreed)
    undeclared = replace(problem, checker=None) if assumed else problem
    return [t for t in agreed if not assumed or tolerance_assumed(replace(undeclared, tests=(t,)))]


def _kills(
    problem: Problem, tests: Sequence[Test], candidates: Sequence[Program], judge: Judge
) -> tuple[dict[str, set[str]], set[str]]:
    """The candidates that each test rejects, by the test's name; and those that ran out of time on one and are
    rejected by none: they would cost as much again in every round."""
    if not tests or not candidates:
        return {}, set()
    posed = replace(problem, tests=tuple(tests))
    results = judge.evaluate_many([Submission(c.code, posed, c.language, stop_on_fail=False) for c in candidates])
    kills: dict[str, set[str]] = {test.name: set() for test in tests}
    slow = set()
    for candidate, result in zip(candidates, results, strict=True):
        for test in result.tests:
            if test.verdict is Verdict.TLE:
                slow.add(candidate.name)
            elif test.verdict not in (Verdict.AC, Verdict.IE):
                kills[test.name].add(candidate.name)
    return kills, slow


def _cover(tests: Sequence[Test], kills: dict[str, set[str]]) -> list[tuple[Test, set[str]]]:
    """Few tests that reject all that can be rejected: the one that rejects the most of what is left, of equals the
    smallest, again and again."""
    left = set().union(*kills.values()) if kills else set()
    chosen = []
    while left:
        best = min(tests, key=lambda t: (-len(kills[t.name] & left), len(t.input) + len(t.expected), t.name))
        chosen.append((best, kills[best.name] & left))
        left = left - kills[best.name]
    return chosen
