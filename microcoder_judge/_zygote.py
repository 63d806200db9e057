"""A worker's process: exec'ed clean, confined once, then it forks a child for each program. Standard library.

It talks with the supervisor over fd 3 in packets, at most PACKET bytes; what programs read and write travels in memory
files that come with a packet and never enters this process's own memory, so that no program finds there what an earlier
one was given or has answered.

    settings ->   <- {"level"}                            once, both JSON
    job, files -> <- flags, reports ... DONE, reports     a program on tests; an empty job may cut it short

`_job` says what is in them. A test's output begins where that of the test before ended, unless each has its own file.
Every page that this process or a child writes to after a fork is copied first, which costs more than most of what is
done here: hence no more objects than needed, and none made anew that can be kept.
"""

from __future__ import annotations

import _socket
import array
import ctypes
import gc
import json
import os
import resource
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Any

    from microcoder_judge import _huge, _job, _rehearsal, _sandbox, _seccomp, _solution, _surroundings
else:
    # Found beside this file: through the package they would bring all of microcoder_judge into the process.
    import _signal as signal

    import _huge
    import _job
    import _rehearsal
    import _sandbox
    import _seccomp
    import _solution
    import _surroundings

CONTROL = 3
PACKET = 1 << 16
LIMIT, IDLE, GUARD = 1, 2, 3
"""Why a program was stopped: places in `_job.STOPPED`."""
COMPILE_S, END_S = 10.0, 0.2
"""CPU seconds to compile in, and to be gone in after the last test. Ours."""
PROGRAM = "program"
LIMITED = (
    resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_STACK, resource.RLIMIT_CPU, resource.RLIMIT_NOFILE,
    resource.RLIMIT_CORE,
)  # fmt: skip
"""Limits that a child gets, or inherits."""
MAX_OPEN_FILES = 512
NEAR, NEAR_S = 1.25, 0.5
"""A program over its limit goes on to so many times that, and so many seconds more at most. Ours."""
IDLE_S, IDLE_SHARE = 0.7, 0.1
"""So long after its limit, a program that has used less than this share of the time is idle. Ours."""
LATE_S = 0.1
"""Who gets to run again so late is on a busy machine. Ours."""
TICK_S = 0.05
"""Longest time between two looks at a child's clock. Ours."""
GATHER_S, FIRST_S = 0.012, 0.002
"""Shortest time between two reports, and before the first; each costs both sides about half a millisecond of CPU time.
Measured."""
CPU_CLOCK_OF_PROCESS = 2
INFINITE, MOST_MB = float("inf"), float(1 << 24)
"""What a record must stay below to be believed."""


class Zygote:
    """What stays the same from program to program."""

    def __init__(self) -> None:
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.control = _socket.socket(fileno=CONTROL)
        self.ceilings = {kind: resource.getrlimit(kind)[1] for kind in LIMITED}
        settings = json.loads(self.control.recv(PACKET))
        for name in settings["modules"]:
            _solution.preload(name, settings["site"])
        _huge.code_on_huge_pages(self.libc)
        with open("/proc/self/statm", "rb") as statm:
            self.address_space = int(statm.read().split()[0]) * resource.getpagesize()
        try:
            self.sandbox = _sandbox.enter(
                self.libc, settings["rung"], settings["paths"], settings["folder"], settings["executes"],
                settings["tmp_mb"],
            )  # fmt: skip
        except (_sandbox.Refused, OSError) as refusal:
            self.answer({"refused": str(refusal)})
            os._exit(1)
        os.chdir(self.sandbox.folder)
        os.umask(0o022)
        _solution.warm_up()
        resource.setrlimit(*self.at_most(resource.RLIMIT_NOFILE, MAX_OPEN_FILES))
        resource.setrlimit(*self.at_most(resource.RLIMIT_CORE, 0))
        memory, (most, _) = self.at_most(resource.RLIMIT_AS, self.address_space + _solution.COMPILE_MEMORY)
        self.compiling = most, self.ceilings[memory]
        self.decoder = json.JSONDecoder()
        self.poller, self.gathering = select.poll(), select.poll()
        for poller in (self.poller, self.gathering):
            poller.register(CONTROL, select.POLLIN)
        self.filter = None if self.sandbox.rung == "none" else self.filter_for(None)
        self.surroundings = _surroundings.Surroundings(self.sandbox.folder)
        _rehearsal.rehearse(self)
        self.answer({"level": self.sandbox.level})

    def filter_for(self, executable: int | None) -> _seccomp.Filter:
        """What a program is confined by. executable: see `_seccomp.program_filter`."""
        return _seccomp.Filter(_seccomp.program_filter(executable, self.sandbox.rung == "process"), self.libc)

    def at_most(self, kind: int, limit: int) -> tuple[int, tuple[int, int]]:
        """What `setrlimit` takes for a limit, lowered to what this process may ask for."""
        ceiling = self.ceilings[kind]
        if limit > ceiling != resource.RLIM_INFINITY:
            limit = ceiling
        return kind, (limit, limit)

    def watch(self, pid: int, limit_s: float) -> Watch:
        """A clock over a child."""
        return Watch(pid, limit_s)

    def answer(self, settled: dict[str, str]) -> None:
        os.write(CONTROL, json.dumps(settled).encode())

    def send(self, flags: int, reports: bytes) -> None:
        os.write(CONTROL, b"%c%b" % (flags, reports))

    def receive(self) -> tuple[list[Any], list[int]]:
        """The next job's fields and its files. Ends the process with the supervisor."""
        data, ancillary, _, _ = self.control.recvmsg(PACKET, _socket.CMSG_SPACE(4 * 253))
        if not data:
            os._exit(0)
        files = array.array("i")
        for level, kind, content in ancillary:
            if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
                files.frombytes(content[: len(content) - len(content) % files.itemsize])
        return self.decoder.raw_decode(data.decode())[0], files.tolist()

    def serve(self) -> None:
        """Run programs until the supervisor goes away."""
        while True:
            message, files = self.receive()
            if not message:
                continue
            job = _job.Job(message, files)
            job.limits = _solution.limits(self, job)
            flags, reports = run_job(self, job)
            for file in files:
                os.close(file)
            if tidy(self.sandbox.folder):
                flags |= _job.CLEAN
            self.send(flags | _job.DONE, reports)


class Watch:
    """The clock over one child: its CPU time and wall time since the last mark, and when to stop it.

    stopped: why it was, a place in `_job.STOPPED`. total: its CPU time in all, once it has ended. hungry: it does its
    own work, so that one that takes no CPU time is idle; a compiler has others do it.

    CPU time decides. A child that needs no more than NEAR times its limit is let end, so that the supervisor can look
    again at what was near. Wall time only guards: a child that hardly runs is stopped as idle soon after its limit,
    unless our own clock shows that this machine does not get round to us; 3 x limit + 1 s holds for all.
    """

    __slots__ = ("_cpu", "_hungry", "_late", "_wall", "limit_s", "pid", "stopped", "total")

    def __init__(self, pid: int, limit_s: float, hungry: bool = True) -> None:
        self.pid, self._hungry = pid, hungry
        self.stopped = 0
        self.total: float | None = None
        self._cpu = 0.0
        self.mark(limit_s)

    def mark(self, limit_s: float) -> None:
        """Begin anew, with the next test."""
        self.limit_s = limit_s
        self._cpu, self._wall, self._late = self.cpu_clock(), time.monotonic(), False

    def cpu_clock(self) -> float:
        if self.total is not None:
            return self.total
        try:
            return time.clock_gettime((~self.pid << 3) | CPU_CLOCK_OF_PROCESS)
        except OSError:
            return self._cpu

    def used(self) -> tuple[float, float]:
        """CPU and wall seconds since the mark."""
        return max(0.0, self.cpu_clock() - self._cpu), time.monotonic() - self._wall

    def patience(self) -> float:
        """Seconds until the next look. Raises no alarm itself."""
        cpu, wall = self.used()
        kill_s = min(NEAR * self.limit_s, self.limit_s + NEAR_S)
        if cpu > kill_s:
            return self.stop(LIMIT)
        if wall > 3 * self.limit_s + 1:
            return self.stop(GUARD)
        if self._hungry and wall > self.limit_s + IDLE_S and cpu < IDLE_SHARE * wall and not self._late:
            return self.stop(IDLE)
        return min(TICK_S, max(0.001, kill_s - cpu))

    def woke(self, asked_s: float, began: float) -> None:
        """Take note of how late we got to run again."""
        self._late |= time.monotonic() - began > asked_s + LATE_S

    def stop(self, why: int) -> float:
        """End the child."""
        if not self.stopped:
            self.stopped = why
            os.kill(self.pid, signal.SIGKILL)
        return TICK_S

    def reap(self) -> tuple[int, int, float, float]:
        """Wait for the end of the child: exit status, signal, CPU seconds in all, largest resident set in MiB."""
        _, status, usage = os.wait4(self.pid, 0)
        died_of = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0
        return code, died_of, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def run_job(zygote: Zygote, job: _job.Job) -> tuple[int, bytes]:
    """Run one program on its tests in a child of its own; `apart` gives every test one more. The flags and reports that
    are still to be sent are returned, to travel with the end of the job."""
    # Sockets, because whoever finds a pipe under /proc can open its other end.
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
    reader, writer = ours.detach(), theirs.detach()
    os.set_blocking(reader, False)
    child = os.fork()
    if child == 0:
        os.close(reader)
        _solution.live(zygote, job, writer)
        sys.exit(_solution.HARNESS)
    os.close(writer)
    last = oversee_apart(child) if job.apart else oversee(zygote, child, job, reader)
    os.close(reader)
    if job.do == "compile":
        collect(zygote, child, job)
    return last


def collect(zygote: Zygote, compiler: int, job: _job.Job) -> None:
    """End what the compiler has started, and copy out what it has made."""
    try:
        os.kill(-1 if zygote.sandbox.folder == _sandbox.WORK else -compiler, signal.SIGKILL)
    except ProcessLookupError:
        pass
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass
    if os.path.isfile(PROGRAM) and not os.path.islink(PROGRAM):
        with open(PROGRAM, "rb") as made:
            while os.sendfile(job.outputs[0], made.fileno(), None, 1 << 30):
                pass


def oversee(zygote: Zygote, child: int, job: _job.Job, reader: int) -> tuple[int, bytes]:
    """Report what the child says of each test, timed here, until it ends or is told to; at most every GATHER_S, for a
    report costs the supervisor as much as a small test."""
    watch = Watch(child, job.time_s, False) if job.do == "compile" else Watch(child, COMPILE_S)
    handle = os.pidfd_open(child)
    poller, gathering = zygote.poller, zygote.gathering
    poller.register(handle, select.POLLIN)
    gathering.register(handle, select.POLLIN)
    poller.register(reader, select.POLLIN)
    flags, last = 0, b""
    current, ended, listening = _job.READY, False, True
    tell = time.monotonic() + FIRST_S
    while not ended:
        patience, began = watch.patience(), time.monotonic()
        # What comes in before the next report is due wakes nobody.
        gather = min(tell - began, patience)
        ready = [fd for fd, _ in gathering.poll(gather * 1000)] if gather > 0 else []
        if not ready:
            ready = [fd for fd, _ in poller.poll((patience - max(0.0, gather)) * 1000)]
        watch.woke(patience, began)
        if CONTROL in ready:
            zygote.receive()
            os.kill(child, signal.SIGKILL)
            watch.reap()
            break
        ended = handle in ready
        if ended:
            status, died_of, watch.total, memory = watch.reap()
        # All that the child has said is read before its end is looked at.
        if ready:
            found = _read_records(reader)
            if found is None:
                if listening and not ended:
                    # It has closed its end and is about to be gone: no use in being woken for that again and again.
                    poller.unregister(reader)
                    listening = False
            elif found:
                current, reports, left = _timed(found, current, watch, job)
                if left:
                    last = reports
                    if not ended:
                        os.kill(child, signal.SIGKILL)
                        watch.reap()
                    break
                if current == _job.BROKEN or current == job.count:
                    last += reports
                elif reports:
                    zygote.send(0, reports)
                    tell = time.monotonic() + GATHER_S
        if ended:
            if current != _job.BROKEN and current < job.count:
                cpu, wall = watch.used()
                sizes = [os.fstat(file).st_size for file in (job.errors, job.outputs[0])]
                last = _job.REPORT.pack(current, status, died_of, cpu, wall, watch.stopped, memory, *sizes)
                flags = _job.ENDED
            elif (watch.stopped or status or died_of) and last:
                # Its last word was not the harness's: whoever has said all is gone at once, and in order.
                last += _job.word(_job.LEFT)
    if listening:
        poller.unregister(reader)
    poller.unregister(handle)
    gathering.unregister(handle)
    os.close(handle)
    return flags, last


def _read_records(reader: int) -> list[tuple[int, int, float, float, int, int]] | None:
    """The child's records, None at their end. A program can write here too, so a record out of place only means that
    its process is not used again."""
    try:
        data = os.read(reader, PACKET)
    except BlockingIOError:
        return []
    if not data:
        return None
    try:
        return list(_solution.RECORD.iter_unpack(data))
    except _solution.TORN:
        return [(_job.LEFT, 0, 0.0, 0.0, 0, 0)]


def _timed(
    found: list[tuple[int, int, float, float, int, int]], current: int, watch: Watch, job: _job.Job
) -> tuple[int, bytes, bool]:
    """The test that runs now, or BROKEN when there is none; reports with our own times; and whether the process cannot
    be used again."""
    cpu, wall = watch.used()
    # Tests that ended between two looks share what was measured, as their own clock says.
    claimed = 0.0
    for record in found:
        if record[2] > 0:
            claimed += record[2]
    reports = b""
    for test, status, own, memory, errors, output in found:
        if test != current:
            if test == _job.BROKEN and current == _job.READY:
                current = _job.BROKEN
                reports += _job.word(_job.BROKEN)
                break
            return job.count, reports + _job.word(_job.LEFT), True
        current += 1
        if test != _job.READY:
            share = own / claimed if 0 < own <= claimed < INFINITE else 0.0
            known = memory if 0 <= memory < MOST_MB else 0.0
            reports += _job.REPORT.pack(test, status, 0, cpu * share, wall * share, 0, known, errors, output)
    watch.mark(END_S if current == _job.BROKEN or current == job.count else job.time_s)
    return current, reports, False


def oversee_apart(child: int) -> tuple[int, bytes]:
    """Wait for a child that runs no program itself: it times its own children and reports on them. All that takes it
    time is compiling, and that may take no more than COMPILE_S."""
    watch = Watch(child, COMPILE_S)
    handle = os.pidfd_open(child)
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    while not poller.poll(TICK_S * 1000):
        if watch.cpu_clock() > COMPILE_S:
            watch.stop(LIMIT)
    os.close(handle)
    _, status = os.waitpid(child, 0)
    if not os.WIFEXITED(status) or os.WEXITSTATUS(status) not in (0, _solution.GONE):
        died_of = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        return _job.ENDED, _job.REPORT.pack(_job.READY, 1, died_of, 0.0, 0.0, watch.stopped, 0.0, 0, 0)
    if os.WEXITSTATUS(status) == _solution.GONE:
        os._exit(0)
    return 0, b""


def tidy(folder: str) -> bool:
    """Empty the programs' folders and bury orphans; whether nothing is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    try:
        if os.path.islink(folder):
            return False
        return _surroundings.empty(folder) and (folder != _sandbox.WORK or _surroundings.empty("/tmp", folder))
    except OSError:
        return False


def main() -> None:
    """Be a zygote: `python -c BOOT`, with the supervisor's socket as fd 3."""
    zygote = Zygote()
    sys.dont_write_bytecode = True
    gc.collect()
    gc.freeze()
    zygote.serve()


