"""Against a process that runs several tests of one program: what is still to come, the harness, what it stands on."""

from __future__ import annotations

from attacks.attack import ECHO_CASES, Attack
from microcoder_judge import Verdict

LATER = (("1", "<later>"), ("<later>", "<later>"))
"""The answer of the first test is the input of the second."""
SECOND_UNKNOWN = (("<a>", "<a>"), ("x", "<b>"))
"""The input is the answer, but for the second test."""
TOO_SLOW = frozenset({Verdict.TLE})

FIND_HARNESS = """
    frame, job, record, writer = sys._getframe(), None, None, -1
    while frame:
        job = job or next((v for v in frame.f_locals.values() if hasattr(v, "outputs") and hasattr(v, "data")), None)
        record = record or frame.f_globals.get("RECORD")
        writer = frame.f_locals.get("writer", writer)
        frame = frame.f_back

    def forged(test):
        "The message that a test has ended well, with all output so far as its own."
        fields = len(record.unpack(bytes(record.size)))
        return record.pack(test, *[0] * (fields - 2), 1 << 20)
"""

AFTER_THE_FIRST = """\
word = input()
print(word, flush=True)
if word != "x":
"""


def _then(name: str, code: str) -> Attack:
    """A program that is right on the first test and does harm at its end."""
    body = "".join(f"    {line}\n" for line in code.strip("\n").splitlines())
    return Attack(name, f"{AFTER_THE_FIRST}{body}", cases=SECOND_UNKNOWN)


def _said_to_be_done(name: str, code: str, allowed: frozenset[Verdict]) -> Attack:
    """A program that is right and says to the harness that its only test has ended well, but goes on."""
    say = "    print(input(), flush=True)\n    if record and writer >= 0:\n        os.write(writer, forged(0))\n"
    body = "".join(f"    {line}\n" for line in code.splitlines())
    return Attack(f"a test said to be done, {name}", f"{FIND_HARNESS}\n{say}{body}", (("<a>", "<a>"),), allowed)


ATTACKS = (
    Attack(
        "a later input by descriptors",
        """
        word = input()
        if word != "1":
            tell(word.encode())
        for fd in range(3, 256):
            for offset in (0, 4096):
                try:
                    tell(os.pread(fd, 1 << 20, offset))
                except OSError:
                    pass
        """,
        cases=LATER,
    ),
    Attack(
        "a later input by the harness's objects",
        """
        import gc
        word = input()
        if word != "1":
            tell(word.encode())
        frame = sys._getframe()
        while frame:
            tell(repr([getattr(value, "__dict__", value) for value in frame.f_locals.values()]).encode())
            frame = frame.f_back
        for thing in gc.get_objects():
            if type(thing) in (dict, list, tuple):
                tell(repr([part for part in gc.get_referents(thing) if type(part) in (str, bytes)]).encode())
        """,
        cases=LATER,
    ),
    Attack(
        "tests said to be done",
        FIND_HARNESS
        + """
    print(input(), flush=True)
    if record:
        for test in range(16):
            os.write(writer, forged(test))
        os._exit(0)
""",
        cases=SECOND_UNKNOWN,
    ),
    Attack(
        "tests said to be done, out of order",
        FIND_HARNESS
        + """
    print(input(), flush=True)
    if record:
        for test in (1, 0, -1, -2, -3, 2**31 - 1, -(2**31)):
            os.write(writer, forged(test))
""",
        cases=SECOND_UNKNOWN,
    ),
    _said_to_be_done("and no end", "while True:\n    pass", TOO_SLOW),
    _said_to_be_done("and a sleep", "time.sleep(1000)", TOO_SLOW),
    _said_to_be_done("and a stop", "os.kill(os.getpid(), 19)", TOO_SLOW),
    _said_to_be_done("and a crash", "ctypes.string_at(0)", frozenset({Verdict.RE})),
    _said_to_be_done("and an error", "1 / 0", frozenset({Verdict.RE})),
    _said_to_be_done("without end", "while True:\n    os.write(writer, forged(0) * 100)", TOO_SLOW | {Verdict.RE}),
    Attack(
        "part of a message",
        f"{FIND_HARNESS}\n    os.write(max(writer, 0), b'x' * 7)\n    while True:\n        pass\n",
        allowed=TOO_SLOW | {Verdict.RE},
    ),
    Attack(
        "time borrowed from later tests",
        FIND_HARNESS
        + """
    word = input()
    if job and record and writer >= 0:
        for test in range(job.count):
            end = time.process_time() + 0.35
            while time.process_time() < end:
                pass
            os.write(writer, forged(test))
        data = os.pread(job.data, 1 << 20, 0)
        for test, output in zip(job.tests, job.outputs):
            start, size = test["input"]
            os.pwrite(output, data[start : start + size], 0)
        os._exit(0)
    while True:
        pass
""",
        cases=(*ECHO_CASES, ("<c>", "<c>")),
    ),
    Attack(
        "outputs exchanged",
        FIND_HARNESS
        + """
    print(input(), flush=True)
    if job:
        for output in job.outputs:
            os.dup2(1, output)
""",
        cases=(("<a>", "<a>"), ("x", "<a>")),
    ),
    _then("descriptors closed", "os.closerange(3, 1 << 16)"),
    _then("standard descriptors closed", "os.closerange(0, 3)"),
    _then("all descriptors closed", "os.closerange(0, 1 << 16)"),
    _then("descriptors exchanged", "for fd in range(3, 64):\n    os.dup2(1, fd)"),
    _then("descriptors all pipes", "r, w = os.pipe()\nfor fd in range(0, 64):\n    os.dup2(r, fd)"),
    _then("descriptors used up", "while True:\n    try:\n        os.dup(1)\n    except OSError:\n        break"),
    _then(
        "functions of the harness replaced",
        """
import types
for module in list(sys.modules.values()):
    if "judge" in (getattr(module, "__file__", None) or ""):
        for name, value in list(vars(module).items()):
            if isinstance(value, types.FunctionType):
                setattr(module, name, lambda *_, **__: 0)
""",
    ),
    _then(
        "globals of the harness replaced through frames",
        """
frame = sys._getframe().f_back
while frame:
    for name, value in list(frame.f_globals.items()):
        if callable(value):
            frame.f_globals[name] = lambda *_, **__: 0
    frame = frame.f_back
""",
    ),
    _then(
        "objects of the harness rewritten",
        """
import gc
for thing in gc.get_objects():
    if type(thing).__module__ in ("_zygote", "_sandbox", "_solution", "_function") and hasattr(thing, "__dict__"):
        for name in list(vars(thing)):
            try:
                setattr(thing, name, None)
            except (AttributeError, TypeError):
                pass
""",
    ),
    _then(
        "the os module emptied",
        "for name in ('write', 'read', 'dup2', 'lseek', 'ftruncate', '_exit', 'chdir'):\n"
        "    setattr(os, name, lambda *_: 0)",
    ),
    _then("modules thrown away", "sys.modules.clear()"),
    _then("builtins thrown away", "import builtins\nvars(builtins).clear()"),
    _then(
        "a full working folder",
        "try:\n    for n in range(10_000):\n"
        "        open(f'f{n}', 'wb').write(bytes(1 << 18))\nexcept OSError:\n    pass",
    ),
    _then("no working folder", "import shutil\nhere = os.getcwd()\nos.chdir('/')\nshutil.rmtree(here, True)"),
    _then(
        "a working folder that nobody may enter",
        "os.mkdir('x')\nfor p in ('x', '.', os.getcwd(), os.path.dirname(os.getcwd())):\n"
        "    try:\n        os.chmod(p, 0)\n    except OSError:\n        pass",
    ),
    _then(
        "a working folder that is a link",
        """
here = os.getcwd()
for target in ("/usr", "/", "/dev", "nowhere"):
    try:
        os.rename(here, here + "-old")
        os.symlink(target, here)
        break
    except OSError:
        pass
""",
    ),
    _then(
        "a working folder that is a file",
        "here = os.getcwd()\ntry:\n    os.rename(here, here + '-old')\n"
        "    open(here, 'w').close()\nexcept OSError:\n    pass",
    ),
    _then(
        "names that are no text",
        "for name in (b'\\xff\\xfe', b'\\n', b'-rf', b' ', b'x' * 255):\n    open(name, 'w').close()",
    ),
    _then(
        "limits lowered",
        "import resource\nfor kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, "
        "resource.RLIMIT_AS, resource.RLIMIT_STACK):\n    resource.setrlimit(kind, (0, 0))",
    ),
    _then(
        "signals",
        "import signal\nfor n in signal.valid_signals() - {9, 19}:\n"
        "    signal.signal(n, lambda *_: os._exit(0))\nsignal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)\n"
        "signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)",
    ),
    _then(
        "signals ignored",
        "import signal\nfor n in signal.valid_signals() - {9, 19}:\n"
        "    signal.signal(n, signal.SIG_IGN)\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())",
    ),
    _then(
        "a thread that exits later",
        "import threading\ndef f():\n    time.sleep(0.01)\n    os._exit(0)\n"
        "threading.Thread(target=f, daemon=True).start()",
    ),
    _then(
        "a thread that closes descriptors later",
        "import threading\ndef f():\n    for _ in range(50):\n"
        "        time.sleep(0.001)\n        os.closerange(3, 256)\nthreading.Thread(target=f, daemon=True).start()",
    ),
    _then(
        "exceptions at exit",
        "import atexit\ndef f(): raise BaseException\natexit.register(f)\n"
        "class D:\n    def __del__(self): raise BaseException\nd = D()",
    ),
    _then("an exit at exit", "import atexit\natexit.register(os._exit, 0)"),
    _then(
        "streams that cannot be closed",
        "class S:\n    def __getattr__(self, n): raise BaseException\nsys.stdout = sys.stdin = sys.stderr = S()",
    ),
    _then(
        "hooks that raise",
        "def hook(*_): raise BaseException\nsys.excepthook = sys.unraisablehook = hook\n"
        "sys.settrace(hook)\nsys.setprofile(hook)",
    ),
    _then("an audit hook that raises", "def hook(*_): raise RuntimeError\nsys.addaudithook(hook)"),
    _then("a profile that writes", "sys.setprofile(lambda *_: os.write(1, b'x'))"),
    Attack(
        "a right answer on a changed clock in the second test",
        """
        word = input()
        if word.startswith("y"):
            for _ in range(100_000_000):
                pass
        time.process_time = time.perf_counter = time.monotonic = lambda: 0.0
        print(word)
        """,
        cases=(("<a>", "<a>"), ("y", "y"), ("<c>", "<c>")),
        allowed=TOO_SLOW,
    ),
)
