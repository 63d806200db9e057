"""The public face: one engine in a thread of its own, for plain code, asyncio and several threads at once."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from microcoder_judge.engine import Engine
from microcoder_judge.languages import LanguageNotSupported, find_languages
from microcoder_judge.many import Progressing, evaluate_all
from microcoder_judge.records import Isolation, Result, Strict, Submission
from microcoder_judge.worker import RUNGS

JUDGE_VERSION = "2"
"""Part of any cache key of a verdict; raised whenever the same program might be judged differently."""


class Judge:
    """Judges programs, `workers` at a time (0: one a CPU this process may use).

    interpreter: the Python that runs programs, by default this one. They see its standard library, and of its packages
        only numpy and sortedcontainers.
    isolation: see `Isolation`. strict: "livecodebench" compares as LiveCodeBench's grader does, for comparable scores.
    unsafe: run programs under resource limits alone where the host gives no sandbox, instead of refusing.
    reorder: where the first failure ends a program, run first what others failed on, then what is small. Which failure
        is met first then depends on what ran before; whether there is one does not.
    cache: stable results kept for equal submissions; 0: none, and equal ones run again.
    audit: share of accepted programs that are run once more with a process a test.
    headers: a folder in which C++ programs and checkers find more headers, such as testlib.h.
    rungs: sandboxes to try, strongest first; see `_sandbox`.

    Nothing is started before the first submission. Safe to share between threads and event loops, not between
    processes: for that there is `server`.
    """

    def __init__(
        self, workers: int = 0, *, interpreter: str | None = None, isolation: Isolation = "batch",
        strict: Strict | None = None, unsafe: bool = False, reorder: bool = False, cache: int = 100_000,
        audit: float = 0.01, headers: str | None = None, rungs: Sequence[str] = RUNGS,
    ) -> None:  # fmt: skip
        if workers < 0:
            raise ValueError(f"workers must be 0 (one a CPU) or more, got {workers}")
        if isolation not in ("batch", "test"):
            raise ValueError(f"isolation must be batch or test, got {isolation!r}")
        if strict not in (None, "livecodebench"):
            raise ValueError(f"strict must be livecodebench or None, got {strict!r}")
        self.workers = workers or len(os.sched_getaffinity(0))
        self._languages = find_languages(interpreter, headers)
        self._engine = Engine(
            self.workers, self._languages, isolation, strict, unsafe, reorder, cache, audit, rungs
        )  # fmt: skip
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="judge", daemon=True)
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop what has not begun and wait for the rest; nothing keeps running."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._wind_up(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    async def _wind_up(self) -> None:
        """Drop what waits, let what runs end, then end the workers."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others & self._engine.waiting:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        self._engine.close()

    @property
    def languages(self) -> Mapping[str, str]:
        """The languages that this host runs, with their versions."""
        return {name: language.version for name, language in self._languages.items()}

    @property
    def counts(self) -> Mapping[str, int]:
        """Programs by verdict, and `programs`, `cached`, `joined` (equal, at the same time), `confirmed`, `run_alone`,
        `audited`, `audits_failed`, `compiled`, `worker_failures`."""
        return dict(self._engine.counts)

    def sandbox(self) -> str:
        """The isolation that programs run under here. Raises SandboxRefused where there is none."""
        level: str = self._call(self._engine.sandbox()).result()
        return level

    def submit(self, submission: Submission, isolation: Isolation | None = None) -> Future[Result]:
        """Queue one submission. Raises LanguageNotSupported at once, and RuntimeError on a closed judge.

        The future raises SandboxRefused where this host gives no sandbox.
        """
        self._require_languages(submission)
        return self._call(self._engine.evaluate(submission, isolation))

    def evaluate(self, submission: Submission, isolation: Isolation | None = None) -> Result:
        """Judge one submission; blocks until there is a verdict."""
        return self.submit(submission, isolation).result()

    async def aevaluate(self, submission: Submission, isolation: Isolation | None = None) -> Result:
        """Judge one without blocking the event loop; cancelling it stops the program."""
        return await asyncio.wrap_future(self.submit(submission, isolation))

    def evaluate_many(self, submissions: Sequence[Submission], progress: Progressing = False) -> list[Result]:
        """Judge many; the results come in the order given. Equal submissions are run once.

        progress: True: a bar on standard error, if that is a terminal. A function: called in this thread with the
            number of submissions that have their result, whenever it grows.
        Raises LanguageNotSupported before anything runs.
        """
        for submission in submissions:
            self._require_languages(submission)
        return evaluate_all(self.submit, submissions, progress)

    def run_many(self, submissions: Sequence[Submission]) -> list[Result]:
        """Run many without judging them: a test that ends well is AC whatever the output, which its `TestResult` holds.
        Expected outputs and checkers count for nothing.

        Raises LanguageNotSupported before anything runs.
        """
        for submission in submissions:
            self._require_languages(submission)
        return evaluate_all(lambda submission: self._call(self._engine.run(submission)), submissions, False)

    def _call(self, work: Any) -> Future[Any]:
        with self._lock:
            if self._closed:
                work.close()
                raise RuntimeError("this judge is closed")
            if not self._thread.is_alive():
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _require_languages(self, submission: Submission) -> None:
        problem = submission.problem
        for what, language in (("program", submission.language), ("checker", problem.rule.language)):
            if language not in self._languages:
                mend = "install g++" if language == "cpp" else f"this judge runs {', '.join(self._languages)}"
                raise LanguageNotSupported(f"problem {problem.id!r}: {what} in {language!r}; {mend}")
