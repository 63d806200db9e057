"""The supervisor: trusted, asynchronous, in a thread of its own. It holds expected outputs, checkers and verdicts;
programs run in the zygotes of `worker`, which see none of these.

What it doubts it looks at again. A failure in a process that had run other tests is confirmed in a fresh one; a program
near its time limit is run alone before the time counts; an accepted program is sometimes run once more with a process a
test; and a worker that fails is replaced once before a test is IE.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from microcoder_judge.case import CHECKER, Built, Case, CompileError, Execution
from microcoder_judge.history import ProblemMemory, VerdictCache, submission_key
from microcoder_judge.languages import Cpp, Language, LanguageNotSupported
from microcoder_judge.records import Isolation, Limits, Problem, Result, Strict, Submission, Verdict
from microcoder_judge.records import Test as ProblemTest
from microcoder_judge.worker import UNSAFE_RUNG, Job, Record, SandboxRefused, TestFiles, Worker, WorkerFailed

COMPILE_LIMITS = Limits(time_s=30.0, output_mb=256)
"""Its wall time is three times that, for busy machines; CPU time is limited to 20 s in the sandbox. Ours."""
PROGRAMS_BUILT = 256
"""Compiled programs that are kept (ours)."""


SEATS = 2
"""Submissions that share a slot: while the program of one runs, what the other's did is looked at. Ours."""


class Slot:
    """One program at a time: the zygotes of one worker, a process for each flavour that was needed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._workers: dict[str, Worker] = {}
        self.in_use = asyncio.Lock()

    async def worker(self, flavour: str) -> Worker:
        """A usable worker of a flavour, for whoever's turn it is; `checker ` before its name keeps checkers apart from
        programs."""
        worker = self._workers.get(flavour)
        if worker is None or worker.worn:
            if worker is not None:
                worker.end()
            worker = self._workers[flavour] = await self._engine.start(flavour.removeprefix(CHECKER))
        return worker

    def turn(self, flavour: str, job: Job) -> Turn:
        return Turn(self, flavour, job)

    def close(self) -> None:
        for worker in self._workers.values():
            worker.end()


class Turn:
    """The use of a slot's worker for one job, as a context: once all programs before it are gone.

    records: what the job's program does on each test, as it happens. Leaving early stops the program.
    """

    worker: Worker
    records: AsyncGenerator[Record, None]

    def __init__(self, slot: Slot, flavour: str, job: Job) -> None:
        self._slot, self._flavour, self._job = slot, flavour, job
        self._held = False

    async def __aenter__(self) -> Turn:
        self._job.prepare()
        await self._slot.in_use.acquire()
        self._held = True
        try:
            self.worker = await self._slot.worker(self._flavour)
        except BaseException:
            self._end()
            raise
        self.records = self.worker.run(self._job, self._end)
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.records.aclose()
        finally:
            self._end()

    def _end(self) -> None:
        """Let the next job begin: what is left to do needs no worker."""
        if self._held:
            self._held = False
            self._slot.in_use.release()


class Place:
    """The seat that a submission has at a slot, and a way to have all of them for a moment."""

    def __init__(self, engine: Engine, slot: Slot) -> None:
        self._engine = engine
        self.slot = slot
        self._held = True

    def leave(self) -> None:
        """Give the seat back."""
        if self._held:
            self._engine.free.put_nowait(self.slot)
        self._held = False

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """No other program runs inside this."""
        engine = self._engine
        self.leave()
        async with engine.one_alone:
            slots: list[Slot] = []
            try:
                while len(slots) < SEATS * engine.workers:
                    slots.append(await engine.free.get())
                self.slot, self._held = slots.pop(), True
                yield
            finally:
                for slot in slots:
                    engine.free.put_nowait(slot)


class Engine:
    """All that judging needs, for one event loop. See `Judge` for the parameters."""

    def __init__(
        self, workers: int, languages: dict[str, Language], isolation: Isolation, strict: Strict | None,
        unsafe: bool, reorder: bool, cache: int, audit: float, rungs: Sequence[str],
    ) -> None:  # fmt: skip
        self.languages, self.isolation, self.strict = languages, isolation, strict
        self.reorder, self.audit, self.workers = reorder, audit, workers
        self.counts: Counter[str] = Counter()
        self._rungs = [*rungs, *([UNSAFE_RUNG] if unsafe else [])]
        self._flavours = {f.name: (language, f) for language in languages.values() for f in language.flavours()}
        self._slots = [Slot(self) for _ in range(workers)]
        self.free: asyncio.Queue[Slot] = asyncio.Queue()
        for slot in SEATS * self._slots:
            self.free.put_nowait(slot)
        self.waiting: set[asyncio.Task[Any]] = set()
        self.one_alone = asyncio.Lock()
        self._climbing = asyncio.Lock()
        self._cache = VerdictCache(cache)
        self.memory = ProblemMemory()
        self._running: dict[bytes, asyncio.Future[Result]] = {}
        self._built: dict[bytes, Built] = {}

    def close(self) -> None:
        for slot in self._slots:
            slot.close()

    async def start(self, flavour: str) -> Worker:
        """A fresh worker, on the highest rung that this host gives; rungs that it refused are not tried again.

        Raises SandboxRefused, or WorkerFailed.
        """
        language, wanted = self._flavours[flavour]
        interpreter = self.languages["python"]
        assert not isinstance(interpreter, Cpp)
        if isinstance(language, Cpp) and not language.precompiled:
            wanted = (await asyncio.to_thread(language.flavours))[0]
            self._flavours[flavour] = (language, wanted)
        wanted = replace(wanted, paths=(*interpreter.library(), *wanted.paths))
        async with self._climbing:
            refusals = []
            while self._rungs:
                try:
                    return await Worker.start(interpreter.interpreter, wanted, self._rungs[0])
                except SandboxRefused as refusal:
                    refusals.append(str(refusal))
                    self._rungs.pop(0)
        raise SandboxRefused(
            f"this host gives no sandbox ({'; '.join(refusals) or 'as found before'}); "
            "`python -m microcoder_judge doctor` says what would help, unsafe=True runs programs without one"
        )

    async def sandbox(self) -> str:
        """The isolation that programs run under here."""
        slot = await self.free.get()
        try:
            async with slot.in_use:
                return (await slot.worker("lean")).level
        finally:
            self.free.put_nowait(slot)

    async def evaluate(self, submission: Submission, isolation: Isolation | None) -> Result:
        """The result of one submission; equal ones that run at the same time are run once."""
        how = isolation or self.isolation
        interpreter = self.languages["python"].version + (self.strict or "")
        key = submission_key(submission, self.memory.facts(submission.problem).key, how, interpreter)
        if (known := self._cache.get(key)) is not None:
            self.counts["cached"] += 1
            return replace(known, cached=True, submission_id=submission.id, problem_id=submission.problem.id)
        if not self._cache.capacity:
            result = await self._evaluate(submission, how, key)
        else:
            while (other := self._running.get(key)) is not None:
                await asyncio.wait([other])
                if not other.cancelled():
                    self.counts["joined"] += 1
                    found = other.result()
                    return replace(found, submission_id=submission.id, problem_id=submission.problem.id)
            result = await self._evaluate_for_all(submission, how, key)
        self.counts["programs"] += 1
        self.counts[result.verdict.value] += 1
        self._cache.put(key, result)
        return replace(result, submission_id=submission.id)

    async def run(self, submission: Submission) -> Result:
        """What one submission does on every test, compared with nothing. Not remembered: outputs may be large."""
        return replace(await self._evaluate(submission, self.isolation, b"", Execution), submission_id=submission.id)

    async def _evaluate_for_all(self, submission: Submission, isolation: Isolation, key: bytes) -> Result:
        """As `_evaluate`, with a future under `key` for equal submissions to wait for. Where this one is cancelled they
        are not: one of them goes on in its place."""
        running = self._running[key] = asyncio.get_running_loop().create_future()
        try:
            result = await self._evaluate(submission, isolation, key)
            running.set_result(result)
            return result
        except asyncio.CancelledError:
            running.cancel()
            raise
        except BaseException as error:
            running.set_exception(error)
            running.exception()
            raise
        finally:
            del self._running[key]

    async def _take(self) -> Slot:
        """A seat at a slot, sooner or later."""
        task = asyncio.current_task()
        assert task is not None
        self.waiting.add(task)
        try:
            return await self.free.get()
        finally:
            self.waiting.discard(task)

    async def _evaluate(
        self, submission: Submission, isolation: Isolation, key: bytes, kind: type[Case] = Case
    ) -> Result:
        place = Place(self, await self._take())
        case = kind(self, place, submission, isolation)
        try:
            problem = submission.problem
            more = problem.io_mode == "function" or problem.preamble
            built = await self.build(place.slot, _source(submission), submission.language, more=more)
            await case.judge(built)
            if case.accepted and case.audited(key):
                self.counts["audited"] += 1
                again = Case(self, place, submission, "test")
                await again.judge(built)
                if not again.accepted:
                    self.counts["audits_failed"] += 1
                    case = again
        except CompileError as error:
            return replace(Case(self, place, submission, isolation).result(), verdict=Verdict.CE, message=str(error))
        except (LanguageNotSupported, SandboxRefused):
            raise
        except Exception as error:
            message = f"the judge failed: {type(error).__name__}: {error}"
            return replace(Case(self, place, submission, isolation).result(), verdict=Verdict.IE, message=message)
        finally:
            place.leave()
        return case.result()

    async def build(
        self, slot: Slot, source: bytes, language_name: str, role: str = "", more: bool = False
    ) -> Built:
        """A program ready to run. role: CHECKER for one. more: see `Python.flavour`. Raises CompileError, or
        LanguageNotSupported."""
        language = self.language(language_name)
        text = source.decode("utf-8", "surrogateescape")
        flavour = role + language.flavour(text, more)
        if not isinstance(language, Cpp):
            return Built(source, False, flavour)
        key = submission_key(Submission(text, _NO_PROBLEM, language_name), role, "", language.version)
        if key not in self._built:
            command = language.command("main.cpp", "program", text)
            job = Job(source, [TestFiles(b"")], COMPILE_LIMITS, native=True, do="compile",
                      arguments=("main.cpp", *command))  # fmt: skip
            with job:
                async with slot.turn(flavour, job) as turn:
                    if key in self._built:
                        return self._built[key]
                    records = [record async for record in turn.records]
                    self.counts["compiled"] += 1
                    program = job.program()
                    if not records or records[-1].stopped:
                        raise WorkerFailed("the compiler did not end")
                    if records[-1].exit_status or records[-1].signal or not program:
                        raise CompileError(_first_error(job.errors()))
                    while len(self._built) >= PROGRAMS_BUILT:
                        del self._built[next(iter(self._built))]
                    self._built[key] = Built(program, True, flavour)
        return self._built[key]

    def language(self, name: str) -> Language:
        """Raises LanguageNotSupported naming the mend."""
        if name not in self.languages:
            mend = "install g++" if name in ("cpp", "c++") else f"one of {', '.join(self.languages)}"
            raise LanguageNotSupported(f"language {name!r} cannot be run here; {mend}")
        return self.languages[name]


_NO_PROBLEM = Problem("none", (ProblemTest(b"", b""),))


def _source(submission: Submission) -> bytes:
    if not submission.code.strip():
        raise CompileError("the program is empty")
    try:
        source = submission.code.encode()
    except UnicodeEncodeError as error:
        line = submission.code.count("\n", 0, error.start) + 1
        raise CompileError(f"line {line}: the program holds a lone surrogate, which no text file can") from error
    if b"\0" in source:
        line = source.count(b"\n", 0, source.index(0)) + 1
        raise CompileError(f"line {line}: the program holds a NUL")
    return source


def _first_error(words: str) -> str:
    lines = [line for line in words.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line), lines[0] if lines else "the compiler failed")[:400]
