"""What the judge remembers between programs: verdicts of equal submissions, and which tests programs fall over."""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from microcoder_judge.compare import effective_checker, tolerance_assumed
from microcoder_judge.records import Checker, Problem, Result, Submission, Verdict

STABLE = frozenset((Verdict.AC, Verdict.WA, Verdict.RE, Verdict.CE, Verdict.MLE, Verdict.OLE))
"""Verdicts that do not hang on the machine's load; only these are remembered."""
PROBLEMS_KNOWN = 10_000


def problem_key(problem: Problem) -> str:
    """One text for all that decides verdicts of a problem: tests in order, limits, checker, how it is called."""
    digest = hashlib.sha256()
    for test in problem.tests:
        digest.update(test.sha.encode())
    checker = problem.checker.to_json() if problem.checker else ""
    how = (asdict(problem.limits), checker, problem.io_mode, problem.entry_point, problem.preamble)
    digest.update(repr(how).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


class VerdictCache:
    """The last `capacity` stable results. 0: none."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._known: OrderedDict[bytes, Result] = OrderedDict()

    def get(self, key: bytes) -> Result | None:
        if (found := self._known.get(key)) is not None:
            self._known.move_to_end(key)
        return found

    def put(self, key: bytes, result: Result) -> None:
        if self.capacity and result.verdict in STABLE:
            self._known[key] = result
            while len(self._known) > self.capacity:
                self._known.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is worked out once for a problem: its key, the checker that decides, and whether its tolerance is ours."""

    problem: Problem
    key: str
    checker: Checker
    tolerance_assumed: bool


class ProblemMemory:
    """Facts of problems, by object, and the tests that programs failed, by problem."""

    def __init__(self) -> None:
        self._facts: OrderedDict[int, Facts] = OrderedDict()
        self._kills: OrderedDict[str, Counter[int]] = OrderedDict()

    def facts(self, problem: Problem) -> Facts:
        known = self._facts.get(id(problem))
        if known is None or known.problem is not problem:
            known = Facts(problem, problem_key(problem), effective_checker(problem), tolerance_assumed(problem))
            self._facts[id(problem)] = known
            while len(self._facts) > PROBLEMS_KNOWN:
                self._facts.popitem(last=False)
        return known

    def failed(self, key: str, test: int) -> None:
        self._kills.setdefault(key, Counter())[test] += 1
        self._kills.move_to_end(key)
        while len(self._kills) > PROBLEMS_KNOWN:
            self._kills.popitem(last=False)

    def order(self, key: str, problem: Problem) -> Sequence[int]:
        """Tests by how many programs fell over them, then by their size: what fails soonest comes first."""
        kills = self._kills.get(key, Counter())
        sizes = [len(test.input) + len(test.expected) for test in problem.tests]
        return sorted(range(len(sizes)), key=lambda test: (-kills[test], sizes[test], test))


def submission_key(submission: Submission, problem: str, isolation: str, interpreter: str) -> bytes:
    """What a result may be remembered under: program, problem, and how and by what it was run."""
    digest = hashlib.sha256()
    parts = (submission.language, str(submission.stop_on_fail), problem, isolation, interpreter, submission.code)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()
