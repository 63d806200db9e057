"""The public face: a pool of judging threads that plain code and asyncio share."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

from microcoder_judge.engine import judge_program
from microcoder_judge.records import Problem, Program, Result

JUDGE_VERSION = "1"
"""Part of any cache key of a verdict; raised whenever the same program might be judged differently."""

SUPPORTED_LANGUAGES = ("python",)


class LanguageNotSupported(ValueError):
    """A program or a checker in a language that this judge does not run; the message names it."""


class Judge:
    """Judges programs, `workers` at a time (0: one a CPU this process may use).

    interpreter: the Python that runs the programs, by default this one. They see its standard library,
        and of its packages only numpy and sortedcontainers.
    Threads of this process wait while the processes that they exec do the work. Safe to share between threads and
    event loops.
    """

    def __init__(self, workers: int = 0, interpreter: str | None = None) -> None:
        if workers < 0:
            raise ValueError(f"workers must be 0 (one a CPU) or more, got {workers}")
        found = shutil.which(interpreter or sys.executable)
        if found is None:
            raise ValueError(f"no interpreter {interpreter or sys.executable!r}; give the path of a Python executable")
        self._interpreter = found
        self.workers = workers or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="judge")

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop what has not begun and wait for the rest; nothing keeps running."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, program: Program, problem: Problem, stop_at_first: bool = True) -> Future[Result]:
        """Queue one program. Raises LanguageNotSupported at once, and RuntimeError on a closed judge."""
        _require_language(program, problem)
        return self._pool.submit(judge_program, program, problem, self._interpreter, stop_at_first)

    def run(self, program: Program, problem: Problem, stop_at_first: bool = True) -> Result:
        """Judge one program; blocks until there is a verdict."""
        return self.submit(program, problem, stop_at_first).result()

    async def arun(self, program: Program, problem: Problem, stop_at_first: bool = True) -> Result:
        """Judge one program without blocking the event loop; cancelling it drops the program if it has not begun."""
        return await asyncio.wrap_future(self.submit(program, problem, stop_at_first))

    def run_many(
        self,
        pairs: Sequence[tuple[Program, Problem]],
        stop_at_first: bool = True,
        progress: Callable[[int], None] | None = None,
    ) -> list[Result]:
        """Judge many programs; the results come in the order of `pairs`. Equal pairs are run once.

        progress: called in this thread with the number of pairs that have their result, whenever it grows.
        Raises LanguageNotSupported before anything runs.
        """
        for program, problem in pairs:
            _require_language(program, problem)
        positions: dict[tuple[Program, Problem], list[int]] = {}
        for position, pair in enumerate(pairs):
            positions.setdefault(pair, []).append(position)
        futures = {self.submit(*pair, stop_at_first): places for pair, places in positions.items()}
        results: dict[int, Result] = {}
        try:
            for future in as_completed(futures):
                results.update(dict.fromkeys(futures[future], future.result()))
                if progress:
                    progress(len(results))
        finally:
            for future in futures:
                future.cancel()
        return [results[position] for position in range(len(pairs))]


def _require_language(program: Program, problem: Problem) -> None:
    for what, language in (("program", program.language), ("checker", problem.checker.language)):
        if language not in SUPPORTED_LANGUAGES:
            raise LanguageNotSupported(
                f"problem {problem.id!r}: {what} in {language!r}; this judge runs {', '.join(SUPPORTED_LANGUAGES)}"
            )
