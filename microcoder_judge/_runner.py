# pathlib, typing, signal and the like stay out: importing them would double what a start costs.
# ruff: noqa: PTH101, PTH102, PTH106, PTH108, PTH123, PTH208
"""The process that runs one program: exec'ed clean, it forks a child for each test. Standard library, self-contained.

The judge starts it as `python -I -S -X utf8 -c BOOT FOLDER` and talks over fds 0 and 1 in messages: a count of fields
(8 bytes, big endian), then each field with its length. The first message is the job, answered by `ready` or `ce` with a
reason. Each further message is a test (standard input, then names and contents of files for the working folder),
answered by four fields: figures, the last line of standard error, standard output, the returned value. End of file ends
the runner.

Expected outputs never come here. What a child can reach of this process is nothing that helps it to a better verdict.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import resource
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from types import CodeType

    from microcoder_judge import _program
    from microcoder_judge._program import SOURCE_NAME, Job, address_space, write_all
else:
    # Found beside this file: through the package it would bring all of microcoder_judge into the process.
    import _signal as signal

    import _program
    from _program import SOURCE_NAME, Job, address_space, write_all

COMPILE_CPU_S = 10.0
COMPILE_MEMORY_MB = 1024
LEFTOVER_S = 5.0
CPU_CLOCK_OF_PROCESS = 2
FIRST_UID = 1_900_000_000

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36


class Outcome:
    """How a child ended."""

    def __init__(self, status: int, cpu_s: float, wall_s: float, timed_out: bool) -> None:
        self.exit_status = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0
        self.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        self.cpu_s = cpu_s
        self.wall_s = wall_s
        self.timed_out = timed_out and self.signal == signal.SIGKILL


def main() -> None:
    """Serve one job; ends with the pipe."""
    uid = _own_uid()
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    job_fields = _receive()
    if job_fields is None:
        return
    job = Job(job_fields)
    code, error = _compile(job)
    if code is None:
        _send([b"ce", error.encode(errors="backslashreplace")])
        return
    _send([b"ready", b"rlimits" if uid is None else b"rlimits, own uid"])
    _program.preload(code, job.entry_point)
    number = 0
    while (test := _receive()) is not None:
        folder = f"{number}"
        number += 1
        files = [os.memfd_create(name) for name in ("stdin", "stdout", "stderr", "value", "started")]
        write_all(files[0], b"" if job.entry_point else test[0])
        os.lseek(files[0], 0, os.SEEK_SET)
        _make_folder(folder, job.source, test[1:], uid)
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            _program.become(job, code, libc, uid, files, test[0], [name.decode() for name in test[1::2]])
            return
        outcome = _wait(child, job.time_s, began)
        _kill_leftovers(child, uid)
        _reply(outcome, files)
        _remove_folder(folder)


def _own_uid() -> int | None:
    """A user id that no other process has, for the children of a runner that is root.

    None where we are not root, the user namespace has no such id, or such a user could not read the standard library.
    """
    if os.geteuid() != 0:
        return None
    uid = FIRST_UID + os.getpid()
    try:
        os.setgroups([])
        os.setegid(uid)
        os.seteuid(uid)
        readable = os.access(os.__file__, os.R_OK, effective_ids=True)
    except OSError:
        readable = False
    os.seteuid(0)
    os.setegid(0)
    return uid if readable else None


def _receive() -> list[bytes] | None:
    head = _read(8)
    if not head:
        return None
    return [_read(int.from_bytes(_read(8), "big")) for _ in range(int.from_bytes(head, "big"))]


def _read(size: int) -> bytes:
    parts = []
    while size:
        part = os.read(0, min(size, 1 << 20))
        if not part:
            return b""
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _send(fields: list[bytes]) -> None:
    write_all(1, len(fields).to_bytes(8, "big") + b"".join(len(f).to_bytes(8, "big") + f for f in fields))


def _reply(outcome: Outcome, files: list[int]) -> None:
    _, stdout, stderr, value, started = files
    figures = (
        f"{outcome.exit_status} {outcome.signal} {outcome.cpu_s:.6f} {outcome.wall_s:.6f} {int(outcome.timed_out)} "
        f"{int(os.fstat(started).st_size > 0)}"
    )
    tail = os.pread(stderr, 4096, max(0, os.fstat(stderr).st_size - 4096)).split(b"\n")
    last_line = next((line for line in reversed(tail) if line.strip()), b"")
    sizes = [os.fstat(fd).st_size for fd in (stdout, value)]
    write_all(1, (4).to_bytes(8, "big"))
    for field in (figures.encode(), last_line[:400]):
        write_all(1, len(field).to_bytes(8, "big") + field)
    for fd, size in zip((stdout, value), sizes, strict=True):
        write_all(1, size.to_bytes(8, "big"))
        offset = 0
        while offset < size:
            offset += os.sendfile(1, fd, offset, size - offset)
    for fd in files:
        os.close(fd)


def _compile(job: Job) -> tuple[CodeType | None, str]:
    """The program's code, or None and the reason.

    Compiled in a child, because the compiler can be made to crash or to eat memory. No program runs while it compiles,
    so what the child writes is its own.
    """
    result = os.memfd_create("code")
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_RDWR), 2)
        resource.setrlimit(resource.RLIMIT_AS, (address_space() + (COMPILE_MEMORY_MB << 20),) * 2)
        try:
            code = compile(job.source.removeprefix("\ufeff"), SOURCE_NAME, "exec", dont_inherit=True)
            write_all(result, b"1" + marshal.dumps(code))
        except SyntaxError as error:
            write_all(result, f"0line {error.lineno}: {error.msg}".encode(errors="backslashreplace"))
        except BaseException as error:
            write_all(result, f"0{type(error).__name__}: {error}".encode(errors="backslashreplace"))
        os._exit(0)
    outcome = _wait(child, COMPILE_CPU_S, began)
    data = os.pread(result, os.fstat(result).st_size, 0)
    os.close(result)
    if not data or outcome.signal:
        return None, "the compiler took too long" if outcome.timed_out else "the compiler crashed on this program"
    return (marshal.loads(data[1:]), "") if data[:1] == b"1" else (None, data[1:].decode())


def _make_folder(folder: str, source: str, files: list[bytes], uid: int | None) -> None:
    """A working folder for one test; a file whose name ends in a slash is a folder."""
    os.mkdir(folder)
    names = [name.decode() for name in files[::2]]
    for name, content in [(SOURCE_NAME, source.encode()), *zip(names, files[1::2], strict=True)]:
        if name.endswith("/"):
            os.mkdir(f"{folder}/{name}")
        else:
            fd = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            write_all(fd, content)
            os.close(fd)
    if uid is not None:
        os.chmod(".", 0o711)
        for path in (folder, *(f"{folder}/{name}" for name in (SOURCE_NAME, *names))):
            os.chown(path, uid, uid)


def _remove_folder(folder: str) -> None:
    try:
        if os.listdir(folder) == [SOURCE_NAME]:
            os.unlink(f"{folder}/{SOURCE_NAME}")
        os.rmdir(folder)
    except OSError:
        import shutil

        shutil.rmtree(folder, ignore_errors=True)


def _wait(child: int, limit_s: float, began: float) -> Outcome:
    """Wait for a child, killing it when its CPU time passes the limit or its wall time the guard (3 x limit + 1 s)."""
    timed_out = False

    def tick(*_: object) -> None:
        nonlocal timed_out
        left = min(limit_s - _cpu_time(child), 3 * limit_s + 1 - (time.monotonic() - began))
        if left <= 0:
            timed_out = True
            os.kill(child, signal.SIGKILL)
        else:
            signal.setitimer(signal.ITIMER_REAL, max(left, 0.005))

    signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    _, status, usage = os.wait4(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return Outcome(status, usage.ru_utime + usage.ru_stime, time.monotonic() - began, timed_out)


def _cpu_time(pid: int) -> float:
    try:
        return time.clock_gettime((~pid << 3) | CPU_CLOCK_OF_PROCESS)
    except OSError:
        return 0.0


def _kill_leftovers(session: int, uid: int | None) -> None:
    """Kill whatever a test left running. Being their subreaper we inherit all orphans: no child means nothing left."""
    deadline = time.monotonic() + LEFTOVER_S
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid:
            continue
        if time.monotonic() > deadline:
            os._exit(1)
        if uid is not None and os.fork() == 0:
            # One call reaches every process of a user at once: no fork can win the race against it.
            os.setresuid(uid, uid, uid)
            try:
                os.kill(-1, signal.SIGKILL)
            finally:
                os._exit(0)
        for kill, target in ((os.killpg, session), *((os.kill, child) for child in _children())):
            try:
                kill(target, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.001)


def _children() -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as stat:
                    parent = int(stat.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
            if parent == os.getpid():
                found.append(int(name))
    return found
