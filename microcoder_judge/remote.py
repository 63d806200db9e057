"""A judge somewhere else, with the methods of `Judge`: what its clients share."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from microcoder_judge.many import Progressing, evaluate_all
from microcoder_judge.records import Isolation, Result, Submission, TestResult, Verdict


class RemoteJudge(ABC):
    """Judges by sending submissions in the wire form and reading results from it.

    A result is that of `Judge`, but its tests carry no messages; the result's own message is there. What a `Judge`
    refuses at once (a language it does not run, limits beyond its own) is an IE here, and its message says why.
    """

    @abstractmethod
    def submit(self, submission: Submission, isolation: Isolation | None = None) -> Future[Result]:
        """Send one submission. Cancelling the future gives up its result, not the work that was sent."""

    def evaluate(self, submission: Submission, isolation: Isolation | None = None) -> Result:
        """Judge one submission; blocks until there is a verdict."""
        return self.submit(submission, isolation).result()

    async def aevaluate(self, submission: Submission, isolation: Isolation | None = None) -> Result:
        """Judge one without blocking the event loop."""
        return await asyncio.wrap_future(self.submit(submission, isolation))

    def evaluate_many(self, submissions: Sequence[Submission], progress: Progressing = False) -> list[Result]:
        """Judge many; the results come in the order given. Equal submissions are sent once.

        progress: see `many.evaluate_all`.
        """
        return evaluate_all(self.submit, submissions, progress)


def read_result(row: dict[str, Any], submission: Submission) -> Result:
    """The result that `wire.write_result` wrote of `submission`. Raises ValueError where `row` is not of that form."""
    tests = submission.problem.tests
    try:
        return Result(
            submission.problem.id,
            Verdict(row["verdict"]),
            int(row["passed"]),
            len(tests),
            tuple(
                TestResult(
                    tests[int(test.get("test", index))].name,
                    Verdict(test["verdict"]),
                    float(test["cpu_s"]),
                    float(test["wall_s"]),
                    float(test["memory_mb"]),
                )
                for index, test in enumerate(row["tests"])
            ),
            str(row["reason"]),
            str(row["sandbox"]),
            bool(row["tolerance_assumed"]),
            bool(row["cached"]),
            submission.id,
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"a result that is not in the wire form: {type(error).__name__}: {error}") from error
