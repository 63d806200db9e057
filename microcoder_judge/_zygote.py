"""A worker's process: exec'ed clean, confined once, then it forks a child for each program. Standard library.

It talks with the supervisor over fd 3 in packets of JSON, at most PACKET bytes; what programs read and write travels in
memory files that come with a packet and never enters this process's own memory, so that no program finds there what an
earlier one was given or has answered.

    settings ->   <- {"level"}                                 once
    run, files -> <- {"records": [...]} ... {"done", "clean"}  a program on tests; `stop` may cut it short

A record is [test, exit status, signal, cpu_s, wall_s, stopped, memory_mb, size of the error file, end of its output];
a test's output begins where that of the test before ended, unless each has its own file. READY stands before
the first test, BROKEN is a program that does not compile, LEFT says that a program did something after which its
process cannot be used again.
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

    from microcoder_judge import _job, _sandbox, _seccomp, _solution, _surroundings
else:
    # Found beside this file: through the package they would bring all of microcoder_judge into the process.
    import _signal as signal

    import _job
    import _sandbox
    import _seccomp
    import _solution
    import _surroundings

CONTROL = 3
PACKET = 1 << 16
READY, BROKEN, LEFT = -1, -2, -3
LIMIT, IDLE, GUARD = "cpu", "idle", "wall"
COMPILE_S, END_S = 10.0, 0.2
"""CPU seconds to compile in, and to be gone in after the last test. Ours."""
PROGRAM = "program"
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


class Zygote:
    """What stays the same from program to program."""

    def __init__(self) -> None:
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.control = _socket.socket(fileno=CONTROL)
        settings = json.loads(self.control.recv(PACKET))
        for name in settings["modules"]:
            _solution.preload(name, settings["site"])
        with open("/proc/self/statm", "rb") as statm:
            self.address_space = int(statm.read().split()[0]) * resource.getpagesize()
        try:
            self.sandbox = _sandbox.enter(
                self.libc, settings["rung"], settings["paths"], settings["folder"], settings["executes"],
                settings["tmp_mb"],
            )  # fmt: skip
        except (_sandbox.Refused, OSError) as refusal:
            self.send({"refused": str(refusal)})
            os._exit(1)
        os.chdir(self.sandbox.folder)
        os.umask(0o022)
        _solution.warm_up()
        self.filter = None if self.sandbox.rung == "none" else self.filter_for(None)
        self.surroundings = _surroundings.Surroundings(self.sandbox.folder)
        self.send({"level": self.sandbox.level})

    def filter_for(self, executable: int | None) -> _seccomp.Filter:
        """What a program is confined by. executable: see `_seccomp.program_filter`."""
        return _seccomp.Filter(_seccomp.program_filter(executable, self.sandbox.rung == "process"))

    def watch(self, pid: int, limit_s: float) -> Watch:
        """A clock over a child."""
        return Watch(pid, limit_s)

    def send(self, message: dict[str, Any]) -> None:
        os.write(CONTROL, json.dumps(message).encode())

    def receive(self) -> tuple[dict[str, Any], list[int]]:
        """The next packet and its files. Ends the process with the supervisor."""
        data, ancillary, _, _ = self.control.recvmsg(PACKET, _socket.CMSG_SPACE(4 * 253))
        if not data:
            os._exit(0)
        files = array.array("i")
        for level, kind, content in ancillary:
            if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
                files.frombytes(content[: len(content) - len(content) % files.itemsize])
        return json.loads(data), list(files)

    def serve(self) -> None:
        """Run programs until the supervisor goes away."""
        while True:
            message, files = self.receive()
            if message["do"] == "stop":
                continue
            last = run_job(self, _job.Job(message, files))
            for file in files:
                os.close(file)
            self.send({**last, "done": True, "clean": tidy(self.sandbox.folder)})


class Watch:
    """The clock over one child: its CPU time and wall time since the last mark, and when to stop it.

    total: its CPU time in all, once it has ended. hungry: it does its own work, so that one that takes no CPU time is
    idle; a compiler has others do it.

    CPU time decides. A child that needs no more than NEAR times its limit is let end, so that the supervisor can look
    again at what was near. Wall time only guards: a child that hardly runs is stopped as idle soon after its limit,
    unless our own clock shows that this machine does not get round to us; 3 x limit + 1 s holds for all.
    """

    def __init__(self, pid: int, limit_s: float, hungry: bool = True) -> None:
        self.pid, self._hungry = pid, hungry
        self.stopped = ""
        self.total: float | None = None
        self._late = False
        self._cpu = self._wall = self._slept = 0.0
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

    def stop(self, why: str) -> float:
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


def run_job(zygote: Zygote, job: _job.Job) -> dict[str, Any]:
    """Run one program on its tests in a child of its own; `apart` gives every test one more. What is still to be said
    of it is returned, to travel with the end of the job."""
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


def oversee(zygote: Zygote, child: int, job: _job.Job, reader: int) -> dict[str, Any]:
    """Report what the child says of each test, timed here, until it ends or is told to; at most every GATHER_S, for a
    report costs the supervisor as much as a small test."""
    watch = Watch(child, job.time_s if job.do == "compile" else COMPILE_S, hungry=job.do != "compile")
    handle = os.pidfd_open(child)
    poller, gathering = select.poll(), select.poll()
    for fd in (handle, CONTROL):
        poller.register(fd, select.POLLIN)
        gathering.register(fd, select.POLLIN)
    poller.register(reader, select.POLLIN)
    last: dict[str, Any] = {}
    current, ended = READY, False
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
            if found is None and not ended:
                # The child has closed its end and is about to be gone: no use in being woken for it again and again.
                poller.unregister(reader)
            current, records = _timed(found or [], current, watch, job)
            if records and records[-1][0] == LEFT:
                last = {"records": records}
                if not ended:
                    os.kill(child, signal.SIGKILL)
                    watch.reap()
                break
            if current in (BROKEN, job.count):
                last = {"records": [*last.get("records", ()), *records]}
                if ended and (watch.stopped or status or died_of) and last["records"]:
                    # Its last word was not the harness's: whoever has said all is gone at once, and in order.
                    last["records"].append(_word(LEFT))
            elif records:
                zygote.send({"records": records})
                tell = time.monotonic() + GATHER_S
        if ended and current < job.count and current != BROKEN:
            cpu, wall = watch.used()
            sizes = [os.fstat(file).st_size for file in (job.errors, job.outputs[0])]
            end = [current, status, died_of, round(cpu, 6), round(wall, 6), watch.stopped, round(memory, 2), *sizes]
            last = {"records": [end], "ended": True}
    os.close(handle)
    return last


def _word(what: int) -> list[Any]:
    """A record that is not of a test."""
    return [what, 0, 0, 0.0, 0.0, "", 0.0, 0, 0]


def _read_records(reader: int) -> list[tuple[int, int, float, float, int, int]] | None:
    """The child's records, None at their end. A program can write here too, so a record out of place only means that
    its process is not used again."""
    try:
        data = os.read(reader, PACKET)
    except BlockingIOError:
        return []
    if not data:
        return None
    size = _solution.RECORD.size
    if len(data) % size:
        return [(LEFT, 0, 0.0, 0.0, 0, 0)]
    return list(_solution.RECORD.iter_unpack(data))


def _timed(
    found: list[tuple[int, int, float, float, int, int]], current: int, watch: Watch, job: _job.Job
) -> tuple[int, list[list[Any]]]:
    """The test that runs now, or BROKEN when there is none; and the records with our own times."""
    if not found:
        return current, []
    cpu, wall = watch.used()
    # Tests that ended between two looks share what was measured, as their own clock says.
    claimed = sum(max(0.0, record[2]) for record in found if record[2] == record[2]) or 1.0
    records: list[list[Any]] = []
    for test, status, own, memory, errors, output in found:
        share = max(0.0, own) / claimed if own == own and claimed < float("inf") else 0.0
        if test == BROKEN and current == READY:
            records.append(_word(BROKEN))
            current = BROKEN
            break
        if test != current:
            records.append(_word(LEFT))
            current = job.count
            break
        current += 1
        if test == READY:
            continue
        memory = memory if 0 <= memory < 1 << 24 else 0.0
        times = [round(cpu * share, 6), round(wall * share, 6)]
        records.append([test, status, 0, *times, "", round(memory, 2), errors, output])
    watch.mark(END_S if current in (BROKEN, job.count) else job.time_s)
    return current, records


def oversee_apart(child: int) -> dict[str, Any]:
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
        return {"records": [[READY, 1, died_of, 0.0, 0.0, watch.stopped, 0.0, 0, 0]], "ended": True}
    if os.WEXITSTATUS(status) == _solution.GONE:
        os._exit(0)
    return {}


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


