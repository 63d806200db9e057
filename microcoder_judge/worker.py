"""A zygote, seen from the trusted side: start it, hand it programs, read what became of them."""

from __future__ import annotations

import asyncio
import fcntl
import json
import mmap
import os
import socket
import struct
import subprocess
import tempfile
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from microcoder_judge import _job
from microcoder_judge.languages import Flavour
from microcoder_judge.records import Limits

MIB = 1 << 20
RUNGS = ("root", "user", "process")
UNSAFE_RUNG = "none"
PACKET = 1 << 16
RECYCLE_AFTER = 1000
"""Programs that one zygote runs. Ours."""
START_S, GRACE_S, END_S = 60.0, 30.0, 1.0
"""How long a zygote may take to start, to answer beyond what its program may take, and to go. Ours."""
HARNESS = 113
"""As in `_solution`, which this process cannot import."""
STOP = b"[]"
SEALED = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
ERROR_BYTES = 4096
ENVIRONMENT = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
"""All that programs see."""
AT_START = {"PYTHONHASHSEED": "0", "LD_BIND_NOW": "1"}
"""What zygotes see besides. The fixed seed makes sets come in the same order every time: a verdict can be repeated.
What the linker binds at the start no child has to bind."""
PASSED_ON = ("LD_LIBRARY_PATH", "OPENBLAS_CORETYPE")
BOOT = """import os, sys
if {control} != 3: os.dup2({control}, 3); os.close({control})
for name in ('PYTHONHASHSEED', 'LD_BIND_NOW'): del os.environ[name]
sys.path.append({here!r})
import _zygote
sys.path.pop()
_zygote.main()
"""


class WorkerFailed(Exception):
    """The zygote died, hung or sent nonsense: the judge's own fault until shown otherwise."""


class SandboxRefused(RuntimeError):
    """This host gives no sandbox; the message says what was refused and what would help."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one child did on one test, by the zygote's clocks: seconds, MiB. stopped: cpu, idle or wall, or "".

    error_end, output_end: sizes of the files after it. ended: the child's process is gone, and later tests did not run.
    """

    test: int
    exit_status: int
    signal: int
    cpu_s: float
    wall_s: float
    stopped: str
    memory_mb: float
    error_end: int
    output_end: int
    ended: bool = False


@dataclass(frozen=True, slots=True)
class TestFiles:
    """Standard input (or a function's arguments) of one test, and files for its working folder."""

    input: bytes
    files: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Job:
    """A program and tests for one child (or one a test, if apart). Its memory files are open while it is used as a
    context; `output` and `errors` read them. There is one for output, or one a test, if apart.

    entry_point, preamble: see `Problem`. stop_on_fail: the child ends after a test that did not end well.
    arguments: of the program, or file name and command of a compiler.
    """

    source: bytes
    tests: Sequence[TestFiles]
    limits: Limits
    apart: bool = False
    native: bool = False
    entry_point: str | None = None
    preamble: bool = False
    stop_on_fail: bool = False
    arguments: tuple[str, ...] = ()
    do: str = "run"
    _files: list[int] = field(default_factory=list, init=False)
    _read: int = field(default=0, init=False)
    _packet: bytes = field(default=b"", init=False)

    def __enter__(self) -> Job:
        for name in ("data", "errors", *["output"] * (len(self.tests) if self.apart else 1)):
            self._files.append(os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING))
        if self.do == "run" and not self.apart:
            # A test that moves about in its output, or cuts it short, does not touch that of another.
            fcntl.fcntl(self._files[2], fcntl.F_SETFL, os.O_APPEND)
            fcntl.fcntl(self._files[2], fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            os.close(file)
        self._files.clear()

    def prepare(self) -> bytes:
        """The packet for the zygote; writes the data file, unless that is done. Raises WorkerFailed when the packet
        would be too large, or there is no memory for the file."""
        if not self._packet:
            try:
                self._packet = self._message()
            except OSError as error:
                raise WorkerFailed(str(error)) from error
        return self._packet

    def _message(self) -> bytes:
        parts = [self.source]
        size = len(self.source)

        def place(part: bytes) -> list[int]:
            nonlocal size
            parts.append(part)
            size += len(part)
            return [size - len(part), len(part)]

        inputs = [place(test.input) for test in self.tests]
        files = {
            number: {name: place(content) for name, content in test.files}
            for number, test in enumerate(self.tests)
            if test.files
        }
        fields = [
            self.do, self.apart, self.native, self.limits.time_s, int(self.limits.memory_mb * MIB),
            int(self.limits.output_mb * MIB), [0, len(self.source)], inputs, files, self.entry_point, self.preamble,
            self.arguments, self.stop_on_fail,
        ]  # fmt: skip
        view = memoryview(b"".join(parts))
        while view:
            view = view[os.write(self._files[0], view) :]
        fcntl.fcntl(self._files[0], fcntl.F_ADD_SEALS, SEALED)
        packet = json.dumps(fields).encode()
        if len(packet) > PACKET:
            raise WorkerFailed("the program's arguments are too long")
        return packet

    @property
    def files(self) -> list[int]:
        return self._files

    def output(self, record: Record) -> bytes:
        """What a test wrote (or the value it returned), at most one byte more than the limit. Asked once for each test,
        in order."""
        most = int(self.limits.output_mb * MIB) + 1
        if self.apart:
            return _content(self._files[2 + record.test], 0, min(record.output_end, most))
        start, self._read = self._read, max(self._read, record.output_end)
        return _content(self._files[2], start, min(self._read - start, most))

    def program(self) -> bytes:
        """What a compiler has made."""
        return _content(self._files[2], 0, os.fstat(self._files[2]).st_size)

    def error(self, end: int) -> str:
        """The last line of standard error before byte `end`."""
        start = max(0, end - ERROR_BYTES)
        tail = os.pread(self._files[1], end - start, start).decode(errors="backslashreplace")
        return next((line.strip()[:400] for line in reversed(tail.splitlines()) if line.strip()), "")

    def errors(self) -> str:
        """The first KiB of standard error."""
        return os.pread(self._files[1], 1024, 0).decode(errors="backslashreplace")


def _records(answer: bytes) -> Iterator[Record]:
    """What a zygote's packet reports. Raises struct.error or IndexError for nonsense."""
    ended = bool(answer[0] & _job.ENDED)
    for test, status, died_of, cpu, wall, stopped, memory, error_end, output_end in _job.REPORT.iter_unpack(answer[1:]):
        yield Record(
            test, status, died_of, round(cpu, 6), round(wall, 6), _job.STOPPED[stopped], round(memory, 2),
            error_end, output_end, ended,
        )  # fmt: skip


def _content(file: int, start: int, size: int) -> bytes:
    """A part of a file; less, where it is shorter."""
    if size < MIB:
        return os.pread(file, size, start)
    with mmap.mmap(file, min(start + size, os.fstat(file).st_size), access=mmap.ACCESS_READ) as view:
        return view[start : start + size]


class Worker:
    """One zygote process. Made by `start`; programs go through `run`, one at a time."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, folder: Path) -> None:
        self._process, self._control, self._folder = process, control, folder
        self.level = ""
        self.jobs = 0
        self.usable = True
        self._running = False
        self._packets: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(control, self._readable)

    @classmethod
    async def start(cls, interpreter: str, flavour: Flavour, rung: str) -> Worker:
        """Exec a zygote on one rung. Raises SandboxRefused when the host does not give it, WorkerFailed otherwise."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        folder = Path(tempfile.mkdtemp(prefix="judge-"))
        folder.chmod(0o711)
        here = str(Path(__file__).parent)
        passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        with theirs, (folder / "errors").open("wb") as errors:
            process = subprocess.Popen(
                [interpreter, "-P", "-s", "-S", "-X", "utf8", "-c",
                 BOOT.format(here=here, control=theirs.fileno())],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, cwd="/",
                env={**ENVIRONMENT, **AT_START, **passed_on},
                pass_fds=[theirs.fileno()], start_new_session=True,
            )  # fmt: skip
        worker = cls(process, ours, folder)
        settings = {
            "modules": flavour.modules, "site": flavour.site, "paths": flavour.paths, "rung": rung,
            "executes": flavour.executes, "tmp_mb": flavour.tmp_mb, "folder": str(folder),
        }  # fmt: skip
        try:
            ours.send(json.dumps(settings).encode())
            answer = json.loads(await worker._receive(START_S))
            if "level" not in answer:
                raise SandboxRefused(f"{rung}: {answer.get('refused', 'no answer')}")
            worker.level = answer["level"]
        except BaseException:
            worker.end()
            raise
        return worker

    async def run(self, job: Job, at_end: Callable[[], None] | None = None) -> AsyncGenerator[Record, None]:
        """What the job's program does on each test, as it happens. Leaving early stops the program. at_end: called as
        soon as another may run, before the last records are given.

        Raises WorkerFailed; the worker is then not `usable` any more.
        """
        self.jobs += 1
        self._running, finished = True, False
        try:
            packet = job.prepare()
            fds = socket.SCM_RIGHTS, b"".join(file.to_bytes(4, "little") for file in job.files)
            self._control.sendmsg([packet], [(socket.SOL_SOCKET, *fds)])
            patience = (3 * job.limits.time_s + 1) + GRACE_S + 10.0
            while not finished:
                answer = await self._receive(patience)
                finished = self._finished(answer)
                self._running = not finished
                if finished and at_end is not None:
                    at_end()
                    # Whoever waits for that goes first.
                    await asyncio.sleep(0)
                for record in _records(answer):
                    yield record
        except (OSError, ValueError, LookupError, struct.error) as error:
            raise WorkerFailed(self._last_words(str(error))) from error
        finally:
            if not finished:
                await self._stop()

    async def _stop(self) -> None:
        """End the current program; where that does not work, the worker."""
        try:
            self._control.send(STOP)
            while not self._finished(await self._receive(GRACE_S)):
                pass
            self._running = False
        except (WorkerFailed, OSError, asyncio.CancelledError, GeneratorExit):
            self.usable = False

    def _finished(self, answer: bytes) -> bool:
        """Whether the job is at its end; if so, takes note of what it has left."""
        finished = bool(answer[0] & _job.DONE)
        if finished:
            self.usable = self.usable and bool(answer[0] & _job.CLEAN)
        return finished

    async def _receive(self, patience_s: float) -> bytes:
        if not self._packets:
            self._waiter = waiter = self._loop.create_future()
            timer = self._loop.call_later(patience_s, _give_up, waiter)
            try:
                await waiter
            except TimeoutError as error:
                self.usable = False
                raise WorkerFailed("the worker does not answer") from error
            finally:
                timer.cancel()
                self._waiter = None
        data = self._packets.popleft()
        if not data:
            self.usable = False
            raise WorkerFailed(self._last_words("the worker ended"))
        return data

    def _readable(self) -> None:
        """Take a packet from the socket; an empty one is the last."""
        try:
            data = self._control.recv(PACKET)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._control)
        self._packets.append(data)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @property
    def worn(self) -> bool:
        """It has run enough programs to be replaced, or must be."""
        return not self.usable or self.jobs >= RECYCLE_AFTER

    def end(self) -> None:
        """End it and all that it started: its namespace or its session goes with it. One that runs nothing goes of
        itself, and its programs' CPU time is then known to this process."""
        idle, self.usable = self.usable and not self._running, False
        self._loop.remove_reader(self._control)
        self._control.close()
        try:
            self._process.wait(END_S if idle else 0)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, 9)
            self._process.wait()
        # Not shutil.rmtree: a program may have made folders deeper than Python can recurse.
        subprocess.run(["rm", "-rf", self._folder], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _last_words(self, reason: str) -> str:
        with suppress(OSError):
            lines = (self._folder / "errors").read_bytes()[-ERROR_BYTES:].decode(errors="replace").split("\n")
            words = [line.strip() for line in lines if line.strip()]
            return f"{reason}: {words[-1][:300]}" if words else reason
        return reason


def _give_up(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())
