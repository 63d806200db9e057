"""The runner process, seen from the trusted side: start it, give it tests, read what each test did.

One process a program, exec'ed clean (never forked from the caller, whatever its size), and in it one forked child a
test. Isolation is resource limits, a session and working folder of its own, a bare environment, no_new_privs and
parent-death signals: enough for programs that are wrong, slow or careless. It is not a boundary against hostile
programs: they see the network and the files that their user may read. Under root that is a user of their own, who can
neither signal nor trace others, if it can read the standard library (`Result.sandbox`: "rlimits, own uid"); otherwise
it is the caller ("rlimits").
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from microcoder_judge.records import Limits

MIB = 1 << 20
RUNNER_GRACE_S = 30.0
POLL_S = 3600.0
ENVIRONMENT = {"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
PASSED_ON = ("LD_LIBRARY_PATH",)
BOOT = "import sys; sys.path.append(sys.argv[1]); import _runner; sys.path.pop(); _runner.main()"


class RunnerFailed(Exception):
    """The runner died, hung or sent nonsense: the judge's own fault until shown otherwise."""


class CompileError(Exception):
    """The program does not compile; the message holds the line."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one child did. Times in seconds; `value`: what the function returned, as the runner wrote it."""

    exit_status: int
    signal: int
    cpu_s: float
    wall_s: float
    timed_out: bool
    error: str
    output: bytes
    value: bytes


class Runner:
    """A runner process that holds one compiled program; `sandbox` says what isolates its tests.

    Raises CompileError when the program does not compile.
    """

    def __init__(self, interpreter: str, folder: Path, source: bytes, limits: Limits, entry_point: str | None) -> None:
        self._limits = limits
        self._errors = folder / "runner.err"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [interpreter, "-I", "-S", "-X", "utf8", "-c", BOOT, str(Path(__file__).parent)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=folder,
                env={**ENVIRONMENT, **{name: os.environ[name] for name in PASSED_ON if name in os.environ}},
                start_new_session=True,
                bufsize=0,
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        job = (
            b"function" if entry_point else b"stdin",
            repr(limits.time_s).encode(),
            b"%d" % int(limits.memory_mb * MIB),
            b"%d" % int(limits.output_mb * MIB),
            (entry_point or "").encode(),
            source,
        )
        try:
            answer, reason = self._exchange(job, count=2, largest=1 << 20, wait_s=2 * RUNNER_GRACE_S)
            if answer == b"ce":
                raise CompileError(reason.decode(errors="backslashreplace"))
            self.sandbox = reason.decode(errors="backslashreplace")
        except BaseException:
            self.close()
            raise

    def run(self, data: bytes, files: tuple[tuple[str, bytes], ...] = ()) -> Run:
        """One test: `data` on standard input (or the arguments of the function), `files` in the working folder."""
        limits = self._limits
        fields = (data, *(part for name, content in files for part in (name.encode(), content)))
        figures, error, output, value = self._exchange(
            fields, count=4, largest=int(limits.output_mb * MIB) + 1, wait_s=3 * limits.time_s + 1 + RUNNER_GRACE_S
        )
        try:
            exit_status, died_of, cpu_s, wall_s, timed_out, started = figures.decode().split()
            run = Run(
                int(exit_status), int(died_of), float(cpu_s), float(wall_s), timed_out == "1",
                error.decode(errors="backslashreplace").strip(), output, value,
            )  # fmt: skip
        except ValueError as damage:
            raise RunnerFailed(f"the runner sent nonsense: {damage}") from damage
        if started != "1" and not run.timed_out:
            raise RunnerFailed(f"the child did not start: {run.error}")
        return run

    def close(self) -> None:
        """Kill the runner and everything in its session."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _exchange(self, fields: tuple[bytes, ...], count: int, largest: int, wait_s: float) -> list[bytes]:
        deadline = time.monotonic() + wait_s
        try:
            parts = (part for field in fields for part in (_length(len(field)), field))
            self._write(b"".join((_length(len(fields)), *parts)), deadline)
            if self._read_length(count, deadline) != count:
                raise RunnerFailed("the runner sent a message of the wrong shape")
            return [self._read(self._read_length(largest, deadline), deadline) for _ in range(count)]
        except OSError as error:
            raise RunnerFailed(self._last_words(f"the runner is gone ({error.strerror})")) from error

    def _write(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            self._ready(self._to, select.POLLOUT, deadline)
            try:
                view = view[os.write(self._to, view) :]
            except BlockingIOError:
                continue

    def _read_length(self, largest: int, deadline: float) -> int:
        length = int.from_bytes(self._read(8, deadline), "big")
        if length > largest:
            raise RunnerFailed(f"the runner announced {length} bytes, more than the {largest} it may send")
        return length

    def _read(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._ready(self._from, select.POLLIN, deadline)
            part = os.read(self._from, min(size - len(data), 1 << 20))
            if not part:
                raise RunnerFailed(self._last_words("the runner ended early"))
            data += part
        return bytes(data)

    def _ready(self, fd: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(fd, event)
        # In steps, for what poll can wait at once is limited.
        while not poll.poll(min(max(0.0, deadline - time.monotonic()), POLL_S) * 1000):
            if time.monotonic() >= deadline:
                raise RunnerFailed("the runner does not answer")

    def _last_words(self, reason: str) -> str:
        lines = self._errors.read_bytes()[-4096:].decode(errors="backslashreplace").strip().splitlines()
        return f"{reason}: {lines[-1]}" if lines else reason


def _length(number: int) -> bytes:
    return number.to_bytes(8, "big")
