"""The corpus of attacks in both isolations: none is accepted, gets out or lasts, and nothing is left of any."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import psutil
import pytest
from attacks import CORPUS, Attack
from attacks.attack import with_prelude
from attacks.verdicts import GRACE_S, complaints, in_time
from attacks.world import SECRET_VARIABLE, World, open_world

from microcoder_judge import Isolation, Judge, Problem, Result, Submission, Test, Verdict
from microcoder_judge.worker import SandboxRefused

ATTACKS = {f"{kind}: {attack.name}": attack for kind, attacks in CORPUS.items() for attack in attacks}
HONEST = Problem("honest", (Test(b"20 22", b"42"), Test(b"-1 1", b"0")))
RIGHT = "print(sum(map(int, input().split())))"


@dataclass(frozen=True)
class Traces:
    """What a judge holds between programs."""

    processes: int
    descriptors: int
    files: frozenset[str]

    @classmethod
    def of(cls, folder: Path) -> Traces:
        me = psutil.Process()
        files = frozenset(path.name for path in folder.iterdir())
        return cls(len(me.children(recursive=True)), me.num_fds(), files)


@dataclass(frozen=True)
class Attacked:
    """A judge after the whole corpus. elapsed_s: from handing in to verdict. before, after: what it held."""

    judge: Judge
    isolation: Isolation
    world: World
    results: dict[str, Result]
    elapsed_s: dict[str, float]
    before: Traces
    after: Traces


@pytest.fixture(scope="module", params=get_args(Isolation))
def attacked(request: pytest.FixtureRequest) -> Iterator[Attacked]:
    isolation: Isolation = request.param
    with pytest.MonkeyPatch.context() as patch, open_world() as world:
        patch.setenv(SECRET_VARIABLE, world.secret)
        with tempfile.TemporaryDirectory(prefix="judged-") as temporary:
            folder = Path(temporary)
            folder.chmod(0o711)
            patch.setattr(tempfile, "tempdir", temporary)
            with Judge(workers=2, isolation=isolation) as judge:
                for flavour in ("lean", "typing"):
                    judge.evaluate_many([Submission(f"# {flavour} {n}\n{RIGHT}", HONEST) for n in range(4)])
                before = Traces.of(folder)
                with ThreadPoolExecutor(judge.workers) as pool:
                    judged = list(pool.map(lambda attack: _timed(judge, attack.submission(world)), ATTACKS.values()))
                results = {name: result for name, (result, _) in zip(ATTACKS, judged, strict=True)}
                elapsed_s = {name: seconds for name, (_, seconds) in zip(ATTACKS, judged, strict=True)}
                judge.evaluate_many([Submission(f"# again {number}\n{RIGHT}", HONEST) for number in range(4)])
                yield Attacked(judge, isolation, world, results, elapsed_s, before, Traces.of(folder))


def _timed(judge: Judge, submission: Submission) -> tuple[Result, float]:
    began = time.monotonic()
    result = judge.evaluate(submission)
    return result, time.monotonic() - began


def test_names_tell_attacks_apart() -> None:
    assert len(ATTACKS) == sum(map(len, CORPUS.values())) > 65


@pytest.mark.parametrize("isolation", get_args(Isolation))
def test_the_prelude_alone_harms_no_program(judge: Judge, isolation: Isolation) -> None:
    with open_world() as world:
        submission = Submission(with_prelude(RIGHT, world), HONEST)
        result = judge.submit(submission, isolation).result()
        assert (result.verdict, result.message) == (Verdict.AC, "")


def test_no_attack_succeeds(attacked: Attacked) -> None:
    found = [
        f"{name}: {complaint}"
        for name, result in attacked.results.items()
        for complaint in complaints(ATTACKS[name], result.verdict, result.message)
    ]
    assert not found, "\n" + "\n".join(found)


WEAKEST = "process"
TOO_DEEP = "memory: folders without end"
HELD_KINDS = ("answers", "grader", "escapes", "calls", "batch")
HELD_BY_THE_WEAKEST = [name for name in ATTACKS if name.startswith(HELD_KINDS)] + [TOO_DEEP]
"""Without a file system of its own, a program is not kept from filling the host's disk."""


def test_the_weakest_sandbox_holds(public_interpreter: str) -> None:
    with open_world() as world, Judge(workers=2, rungs=(WEAKEST,), interpreter=public_interpreter) as judge:
        try:
            judge.sandbox()
        except SandboxRefused as refusal:
            pytest.skip(str(refusal))
        results = judge.evaluate_many([ATTACKS[name].submission(world) for name in HELD_BY_THE_WEAKEST])
        found = [
            f"{name}: {complaint}"
            for name, result in zip(HELD_BY_THE_WEAKEST, results, strict=True)
            for complaint in complaints(ATTACKS[name], result.verdict, result.message)
        ]
        assert not found, "\n" + "\n".join(found)
        assert world.harm() == []
        assert judge.evaluate(Submission(RIGHT, HONEST)).verdict is Verdict.AC


def test_every_attack_ends_in_time(attacked: Attacked) -> None:
    late = {name: result for name, result in attacked.results.items() if not _in_time(ATTACKS[name], result)}
    # A busy host delays everything: who was late has to be late once more, alone and under another hash.
    again = {name: _once_more(attacked, ATTACKS[name]) for name in late}
    found = [
        f"{name}: {test.cpu_s:.2f} s of CPU time, {test.wall_s:.2f} s, limit {ATTACKS[name].limits.time_s} s"
        for name, result in again.items()
        for test in result.tests
        if not _in_time(ATTACKS[name], result)
    ]
    assert not found, "\n" + "\n".join(found)


def test_no_attack_holds_a_worker(attacked: Attacked) -> None:
    """A run and one more to confirm it, each at most for the judge's guard of 3 x limit + 1 s, and a second."""
    found = [
        f"{name}: {elapsed_s:.1f} s"
        for name, elapsed_s in attacked.elapsed_s.items()
        if elapsed_s > 2 * (3 * ATTACKS[name].limits.time_s + 1) + GRACE_S
    ]
    assert not found, "\n" + "\n".join(found)


def _in_time(attack: Attack, result: Result) -> bool:
    return all(in_time(attack, test.cpu_s, test.wall_s) for test in result.tests)


def _once_more(attacked: Attacked, attack: Attack) -> Result:
    submission = attack.submission(attacked.world)
    return attacked.judge.evaluate(replace(submission, code=f"{submission.code}\n# once more"), attacked.isolation)


def test_nothing_outside_is_touched(attacked: Attacked) -> None:
    assert attacked.world.harm() == []


def test_nothing_is_left_of_the_attacks(attacked: Attacked) -> None:
    assert attacked.after.processes <= attacked.before.processes
    assert attacked.after.descriptors <= attacked.before.descriptors
    assert len(attacked.after.files) <= len(attacked.before.files)


def test_the_judge_still_judges(attacked: Attacked) -> None:
    answers = [attacked.judge.evaluate(Submission(f"{RIGHT}\n# {n}", HONEST), attacked.isolation) for n in range(4)]
    assert [answer.verdict for answer in answers] == [Verdict.AC] * 4
    wrong = attacked.judge.evaluate(Submission("print(41)", HONEST), attacked.isolation)
    assert wrong.verdict is Verdict.WA


SPOILS_INPUTS = """
import mmap, os
word = input()
for fd in (0, *range(3, 64)):
    for spoil in (lambda: os.pwrite(fd, b"forged " * 100, 0), lambda: mmap.mmap(fd, 4096).write(b"forged " * 10),
                  lambda: os.ftruncate(fd, 0)):
        try:
            spoil()
        except (OSError, ValueError):
            pass
"""


@pytest.mark.parametrize("isolation", get_args(Isolation))
def test_no_program_changes_what_the_next_one_reads(judge: Judge, isolation: Isolation) -> None:
    problem = Problem("echo", (Test(b"first", b"first"), Test(b"second", b"second")))
    attack = judge.submit(Submission(SPOILS_INPUTS, problem), isolation)
    assert attack.result().verdict not in (Verdict.AC, Verdict.IE)
    for number in range(4):
        honest = judge.submit(Submission(f"print(input())  # {number}", problem), isolation).result()
        assert honest.verdict is Verdict.AC
