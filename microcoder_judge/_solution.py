"""What a forked child of a zygote does: take on limits, then be a program, test after test. Standard library.

In batch mode the child runs all tests itself, each as a fresh `__main__` with its own standard streams, and says after
each how it ended. Apart, the child only compiles; every test is a child of its own. A program that runs here can do
what it likes to this process: nothing in it helps to a better verdict, and the supervisor confirms what it doubts.
"""

from __future__ import annotations

import _sitebuiltins
import _thread
import atexit
import builtins
import os
import resource
import select
import struct
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from types import CodeType
    from typing import Any, NoReturn

    from microcoder_judge import _function, _job, _screen, _seccomp, _surroundings
    from microcoder_judge._zygote import Watch, Zygote
else:
    # Found beside this file: through the package they would bring all of microcoder_judge into the process.
    import _signal as signal

    import _function
    import _job
    import _screen
    import _surroundings

RECORD = struct.Struct("<iiffiq")
"""Test, exit status, CPU seconds by its own clock, resident set in MiB, size of the error file, end of its output."""
TORN = struct.error
"""What it raises for anything that is not a number of whole records."""
OUTPUT_ROOM = 16 << 20
"""A child whose tests have written more than this runs no further test: they write to one file. Ours."""
HARNESS, GONE, UNSTARTED = 113, 114, 115
CONTROL = 3
COMPILE_MEMORY = 1 << 30
COMPILER_FILES = 512 << 20
COMPILER_CPU_S = 20
"""Of each process of a compiler. Programs have no such limit: where one is, the kernel's CPU clocks go by ticks."""
MISSING_FILE = (b"__file__", b"argv", b"main.py", b"inspect", b"linecache", b"dir", b"walk", b"glob", b"chdir", b"Path")
"""Words of programs that could miss their own source file; the others go without one."""
REOPENING = frozenset(
    (
        "getattr", "reconfigure", "detach", "close", "tell", "seek", "seekable", "TextIOWrapper", "open", "fdopen",
        "io", "_io", "dup", "readinto", "raw", "stderr", "fileno", "__stdin__", "__stdout__", "__stderr__", "newlines",
    )
)  # fmt: skip
"""Names of programs that may change their standard streams, or see that they are not new."""
FRAMES, FRAMES_ALONE = 9, 11
"""How many of ours lie below a program's (one more below a function's), with a process a test in the second place: it
may go as deep as if it had started the interpreter."""
PR_SET_PDEATHSIG = 1


def preload(name: str, site: list[str]) -> None:
    """Import a module before the forks. site: folders with packages, which stay closed to the programs themselves."""
    sys.path.extend(site)
    register = os.register_at_fork
    if name == "random":
        # It would seed itself in every child; a program that uses it gets a fixed seed all the same.
        os.register_at_fork = lambda **_: None
    try:
        __import__(name)
    except ImportError:
        pass
    finally:
        os.register_at_fork = register
        if site:
            del sys.path[-len(site) :]


def warm_up() -> None:
    """Have done before the forks what Python does once and every child would do again; and what `site` does for a
    script."""
    for word in ("exit", "quit"):
        setattr(builtins, word, _sitebuiltins.Quitter(word, "Ctrl-D (i.e. EOF)"))
    open_streams()
    exec(compile("class A:\n    def f(self): return [n for n in range(3)]\nA().f()\n", "warm", "exec"), {})


def limits(zygote: Zygote, job: _job.Job) -> list[tuple[int, tuple[int, int]]]:
    """What `setrlimit` holds the job's program, or its compiler, to."""
    at_most = zygote.at_most
    if job.do == "compile":
        return [
            at_most(resource.RLIMIT_AS, 2 * COMPILE_MEMORY),
            at_most(resource.RLIMIT_FSIZE, COMPILER_FILES),
            at_most(resource.RLIMIT_CPU, COMPILER_CPU_S),
        ]
    return [
        at_most(resource.RLIMIT_AS, job.memory if job.native else job.memory + zygote.address_space),
        at_most(resource.RLIMIT_FSIZE, job.limit + 1 if job.apart else job.limit + 1 + OUTPUT_ROOM),
        # Judges let the stack grow to the memory limit.
        at_most(resource.RLIMIT_STACK, job.memory),
    ]


def live(zygote: Zygote, job: _job.Job, writer: int) -> None:
    """The child's life. Where this returns or raises SystemExit, the interpreter ends as it does for any script."""
    if not zygote.sandbox.contained:
        zygote.libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.setsid()
    try:
        if job.do == "compile":
            _compiler(zygote, job)
        elif job.apart:
            _apart(zygote, job)
        else:
            _batch(zygote, job, writer)
    except Exception:
        os._exit(HARNESS)


def _batch(zygote: Zygote, job: _job.Job, writer: int) -> None:
    os.close(CONTROL)
    run = ready(zygote, job, writer)
    if run is not None:
        confine(job, zygote.filter)
        run_all(zygote, job, run, writer)
    os._exit(0)


def ready(zygote: Zygote, job: _job.Job, writer: int) -> _Run | None:
    """The program compiled; None, and a record of why, where it is not to be run here."""
    source = job.read(job.source)
    code = _compile(zygote, job, source)
    if code is None or (job.count > 1 and _screen.carries(code, source)):
        os.write(writer, RECORD.pack(_job.BROKEN if code is None else _job.LEFT, 0, 0.0, 0.0, 0, 0))
        return None
    return _Run(job, code, source, zygote.sandbox.folder)


def run_all(zygote: Zygote, job: _job.Job, run: _Run, writer: int) -> None:
    """The tests one after another, with a record of each."""
    clock = time.process_time
    began = clock()
    os.write(writer, RECORD.pack(_job.READY, 0, began, 0.0, 0, 0))
    for test in range(job.count):
        status = run(test)
        if _thread._count():
            sys.exit(status)
        now = clock()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        errors, output = os.lseek(job.errors, 0, os.SEEK_END), os.lseek(job.outputs[0], 0, os.SEEK_END)
        os.write(writer, RECORD.pack(test, status, now - began, memory, errors, output))
        began = now
        if (status and job.stop_on_fail) or output > OUTPUT_ROOM:
            break
        if test + 1 < job.count and not zygote.surroundings.restore(job.written, run.names, run.files):
            os.write(writer, RECORD.pack(_job.LEFT, 0, 0.0, 0.0, 0, 0))
            break


def _apart(zygote: Zygote, job: _job.Job) -> None:
    """Compile once and fork for every test; report like the zygote does."""
    run: _Run | _Native
    if job.native:
        run = _Native(job)
    else:
        source = job.read(job.source)
        code = _compile(zygote, job, source)
        if code is None:
            zygote.send(0, _job.word(_job.BROKEN))
            os._exit(0)
        run = _Run(job, code, source, zygote.sandbox.folder)
    folder = zygote.sandbox.folder
    child = _TestChild(zygote, job, run)
    for test in range(job.count):
        _place_files(job, test)
        current, watch = child, zygote.watch(child.pid, job.time_s)
        current.begin(test)
        if test + 1 < job.count:
            child = _TestChild(zygote, job, run)
        record, started = _oversee(watch, current.begun)
        current.close()
        if zygote.sandbox.rung == "none":
            _kill_session(current.pid)
        sizes = [os.fstat(file).st_size for file in (job.errors, job.outputs[test])]
        zygote.send(0, _job.REPORT.pack(test if started or watch.stopped else _job.LEFT, *record, *sizes))
        if test + 1 < job.count and not _surroundings.restore_files(folder, job.written):
            os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)
            break
    os._exit(0)


class _TestChild:
    """A process forked and confined ahead of its test, while the one before runs: that takes longer than most tests.

    begun: an event, once the program has.
    """

    def __init__(self, zygote: Zygote, job: _job.Job, run: _Run | _Native) -> None:
        self._go, self.begun = os.eventfd(0), os.eventfd(0, os.EFD_NONBLOCK)
        self.pid = os.fork()
        if self.pid == 0:
            self._live(zygote, job, run)

    def begin(self, test: int) -> None:
        os.eventfd_write(self._go, test + 1)

    def close(self) -> None:
        os.close(self._go)
        os.close(self.begun)

    def _live(self, zygote: Zygote, job: _job.Job, run: _Run | _Native) -> NoReturn:
        os.close(CONTROL)
        zygote.libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.setsid()
        try:
            confine(job, zygote.filter and run.filter(zygote))
            test = os.eventfd_read(self._go) - 1
            os.eventfd_write(self.begun, 1)
            self.close()
        except Exception:
            os._exit(UNSTARTED)
        status = run(test, alone=True)
        if _thread._count():
            sys.exit(status)
        os._exit(status)


def _oversee(watch: Watch, begun: int) -> tuple[list[Any], bool]:
    """How one test's child did, as in a report, and whether the program was begun."""
    handle = os.pidfd_open(watch.pid)
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    poller.register(CONTROL, select.POLLIN)
    while True:
        patience, began = watch.patience(), time.monotonic()
        ready = [fd for fd, _ in poller.poll(patience * 1000)]
        watch.woke(patience, began)
        if CONTROL in ready:
            os.kill(watch.pid, signal.SIGKILL)
            watch.reap()
            os._exit(0 if os.read(CONTROL, 1 << 16) else GONE)
        if handle in ready:
            break
    os.close(handle)
    status, died_of, total, memory = watch.reap()
    _, wall = watch.used()
    try:
        started = bool(os.eventfd_read(begun))
    except BlockingIOError:
        started = False
    return [status, died_of, total, wall, watch.stopped, memory], started


def _kill_session(leader: int) -> None:
    """Without a sandbox a test may have left children; those that stayed in its session are killed."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _compile(zygote: Zygote, job: _job.Job, source: bytes) -> CodeType | None:
    """The program's code; None, with the reason on the error file, where it does not compile."""
    resource.setrlimit(resource.RLIMIT_AS, zygote.compiling)
    for word in MISSING_FILE:
        if word in source:
            fd = os.open(_surroundings.SOURCE_NAME, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            _job.write(fd, source)
            job.written = os.fstat(fd).st_ctime_ns
            os.close(fd)
            break
    text = source.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    try:
        code = compile(text, _surroundings.SOURCE_NAME, "exec", dont_inherit=True)
    except SyntaxError as error:
        _job.write(job.errors, f"line {error.lineno}: {error.msg}".encode(errors="backslashreplace"))
        return None
    except BaseException as error:
        _job.write(job.errors, f"{type(error).__name__}: {error}".encode(errors="backslashreplace")[:400])
        return None
    return code


def confine(job: _job.Job, confining: _seccomp.Filter | None) -> None:
    """Limits of the program, and its filter. Nothing of this can be undone."""
    for kind, limit in job.limits:
        resource.setrlimit(kind, limit)
    if confining is not None:
        confining.install()


class _Run:
    """A Python program, run on one test after another; called with a test's number it returns the exit status."""

    def __init__(self, job: _job.Job, code: CodeType, source: bytes, folder: str) -> None:
        self.job, self.code, self.folder = job, code, folder
        self.recursion_limit = 0
        self.stdin = os.memfd_create("stdin")
        self.named_stdin = b"/dev/stdin" in source and not os.path.exists("/tmp/stdin")
        self.names = names = _function.names_in(code)
        self.seed = "random" in names
        self.files = "open" in names or not names.isdisjoint(_surroundings.MAY_WRITE)
        self.keeps_streams = names.isdisjoint(REOPENING)
        self.function: _function.Function | None = None
        self.null: int | None = None
        if job.entry_point:
            self.function = _function.Function(code, job.entry_point, job.preamble)
            self.null = os.open(os.devnull, os.O_WRONLY)
        self.preamble = _function.livecodebench_names() if job.preamble and not job.entry_point else {}

    def filter(self, zygote: Zygote) -> _seccomp.Filter | None:
        return zygote.filter

    def __call__(self, test: int, alone: bool = False) -> int:
        """Be the program for one test. alone: no other follows in this process."""
        job, place = self.job, self.job.inputs[test]
        if alone or self.recursion_limit:
            os.ftruncate(self.stdin, 0)
            os.lseek(self.stdin, 0, os.SEEK_SET)
        if self.null is not None:
            arguments = job.read(place)
            job.connect(self.stdin, self.null)
        else:
            arguments = b""
            job.copy(place, self.stdin)
            os.lseek(self.stdin, 0, os.SEEK_SET)
            if self.named_stdin:
                self._file_for_stdin(place)
            job.connect(self.stdin, job.output(test))
        if alone:
            job.forget_others(test)
        if self.recursion_limit:
            stream = self._streams()
        else:
            # The first test of a process has the streams that were there before the fork.
            stream = sys.stdout
            frames = (FRAMES_ALONE if alone else FRAMES) + bool(self.function)
            self.recursion_limit = _surroundings.RECURSION_LIMIT + frames
        sys.setrecursionlimit(self.recursion_limit)
        sys.argv = [_surroundings.SOURCE_NAME, *job.arguments]
        if self.seed:
            sys.modules["random"].seed(0)
        namespace = _module("solution" if self.function else "__main__", self.folder)
        status = 0
        try:
            if self.function:
                self.function(namespace, arguments, job.output(test))
            else:
                if self.preamble:
                    namespace.update(self.preamble)
                exec(self.code, namespace)
        except SystemExit as end:
            status = _exit_status(end.code)
        except BaseException:
            status = 1
            _show_error()
        if not _thread._count():
            status = _end(namespace, stream, status)
        # What was not written because of an error must not be written by the next test.
        self.keeps_streams = self.keeps_streams and not status
        return status

    def _streams(self) -> Any:
        """Standard streams for one more test, as `open_streams`; those of the last, where the program cannot have done
        more than read and write."""
        stdin, stdout = sys.stdin, sys.stdout
        kept = self.keeps_streams and stdin is sys.__stdin__ and stdout is sys.__stdout__
        if not kept or stdin.closed or stdout.closed:
            return open_streams()
        # Once to the end: it would go on with what it has read ahead.
        stdin.seek(0, os.SEEK_END)
        stdin.seek(0)
        return stdout

    def _file_for_stdin(self, place: list[int]) -> None:
        """/dev/stdin leads to a file: there is no /proc for it to lead to."""
        fd = os.open("/tmp/stdin", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        self.job.copy(place, fd)
        os.close(fd)


def open_streams() -> Any:
    """Fresh standard streams over fds 0 to 2, as Python opens them in a UTF-8 locale; the new standard output."""
    text: dict[str, Any] = {"encoding": "utf-8", "errors": "surrogateescape", "closefd": False}
    sys.stdin = open(0, **text)  # noqa: SIM115
    sys.stdout = open(1, "w", **text)  # noqa: SIM115
    if sys.stderr is not sys.__stderr__ or getattr(sys.stderr, "closed", True):
        sys.stderr = open(2, "w", 1, **{**text, "errors": "backslashreplace"})  # noqa: SIM115
    vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)
    return sys.stdout


def _module(name: str, folder: str) -> dict[str, Any]:
    """The namespace of a fresh module."""
    module = type(sys)(name)
    namespace = module.__dict__
    namespace["__builtins__"], namespace["__cached__"] = builtins, None
    namespace["__file__"] = f"{folder}/{_surroundings.SOURCE_NAME}"
    sys.modules[name] = module
    return namespace


def _exit_status(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        # The number itself, whatever its class makes of it.
        return int.__and__(code, 0xFF)
    print(code, file=sys.stderr)
    return 1


def _show_error() -> None:
    """What the interpreter prints of an exception that nobody caught."""
    try:
        sys.excepthook(*sys.exc_info())
    except BaseException:
        return


def _end(namespace: dict[str, Any], stdout: Any, status: int) -> int:
    """What the interpreter does after a script: exit functions, objects, then the last flush."""
    try:
        if atexit._ncallbacks():
            atexit._run_exitfuncs()
            atexit._clear()
        namespace.clear()
        for stream in dict.fromkeys((sys.stdout, stdout, sys.stderr)):
            if stream is not None and not getattr(stream, "closed", False):
                stream.flush()
    except SystemExit as end:
        return _exit_status(end.code)
    except BaseException:
        return status or 120
    return status


class _Native:
    """A compiled program; called with a test's number it becomes the program."""

    def __init__(self, job: _job.Job) -> None:
        self.job = job
        self.stdin = os.memfd_create("stdin")
        self.executable = os.memfd_create("program")
        job.copy(job.source, self.executable)
        os.fchmod(self.executable, 0o555)

    def filter(self, zygote: Zygote) -> _seccomp.Filter:
        return zygote.filter_for(self.executable)

    def __call__(self, test: int, alone: bool = True) -> NoReturn:
        job = self.job
        os.ftruncate(self.stdin, 0)
        os.lseek(self.stdin, 0, os.SEEK_SET)
        job.copy(job.inputs[test], self.stdin)
        os.lseek(self.stdin, 0, os.SEEK_SET)
        job.connect(self.stdin, job.outputs[test])
        # Python ignores these, and what is ignored stays so in the program.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execve(self.executable, ["program", *job.arguments], dict(os.environ))


def _compiler(zygote: Zygote, job: _job.Job) -> NoReturn:
    """Write the source and become the compiler; its words go to the error file."""
    os.close(CONTROL)
    name, *command = job.arguments
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    job.copy(job.source, fd)
    os.close(fd)
    null = os.open(os.devnull, os.O_RDWR)
    for source, target in ((null, 0), (null, 1), (job.errors, 2)):
        os.dup2(source, target)
    confine(job, None)
    os.execve(command[0], command, {"PATH": os.defpath, "TMPDIR": zygote.sandbox.folder, "LANG": "C.UTF-8"})


def _place_files(job: _job.Job, test: int) -> None:
    """Files that a test wants in the working folder; a name that ends in a slash is a folder."""
    for name, place in job.files.get(str(test), {}).items():
        if name.endswith("/"):
            os.mkdir(name)
            continue
        fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        job.copy(place, fd)
        os.close(fd)
