# pathlib, typing, signal and the like stay out: importing them would double what a start costs.
# ruff: noqa: PTH100, PTH120, PTH123
"""What a forked child of the runner does: take on limits and standard streams, then be the program.

Only the runner imports this file, in a process that has nothing else of microcoder_judge.
"""

from __future__ import annotations

import os
import resource
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from ctypes import CDLL
    from types import CodeType
    from typing import Any
else:
    import _signal as signal

SOURCE_NAME = "main.py"
MAX_OPEN_FILES = 256
MAX_THREADS = 128
MAX_DEPTH = 100
MAX_ELEMENTS = 5_000_000
MAX_PLAIN_INT_BITS = 12_000
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38

MODULES = (
    "array bisect collections copy datetime decimal enum fractions functools heapq itertools json math operator "
    "random re statistics string sys time typing"
)
"""Modules that a function problem may use without importing them, as LeetCode documents (the choice is ours)."""

LIBRARIES = "numpy sortedcontainers"
"""Packages that AtCoder or LeetCode give to every program; importable here if the interpreter has them (ours)."""

PRELUDE = {
    "typing": "Any Callable DefaultDict Deque Dict FrozenSet Generator Generic Iterable Iterator List Mapping "
    "NamedTuple Optional Sequence Set Tuple Type TypeVar Union",
    "collections": "ChainMap Counter OrderedDict defaultdict deque namedtuple",
    "heapq": "heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest",
    "bisect": "bisect_left bisect_right insort insort_left insort_right",
    "math": "acos asin atan atan2 ceil comb cos degrees dist e exp fabs factorial floor fmod gcd hypot inf isclose "
    "isfinite isinf isnan isqrt lcm log log10 log1p log2 nan perm pi prod radians sin sqrt tan trunc",
    "itertools": "accumulate chain combinations combinations_with_replacement compress count cycle dropwhile "
    "filterfalse groupby islice pairwise permutations product repeat starmap takewhile tee zip_longest",
    "functools": "cache cached_property cmp_to_key lru_cache partial reduce total_ordering wraps",
    "operator": "add and_ attrgetter itemgetter methodcaller mul neg or_ sub truediv xor",
    "string": "ascii_letters ascii_lowercase ascii_uppercase digits hexdigits punctuation whitespace",
    "random": "choice randint randrange shuffle",
    "copy": "deepcopy",
    "datetime": "timedelta",
}
"""Names from those modules that a function problem finds defined (ours). Modules and builtins win over them."""


class Job:
    """What to run and within which limits: seconds of CPU, bytes of address space above our own, bytes of output."""

    def __init__(self, fields: list[bytes]) -> None:
        mode, time_s, memory, output, entry_point, source = fields
        self.time_s = float(time_s)
        self.memory_bytes = int(memory)
        self.output_bytes = int(output)
        self.entry_point = entry_point.decode() if mode == b"function" else None
        self.source = source.decode()


def address_space() -> int:
    """Bytes of address space of this process."""
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


def write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def preload(code: CodeType, entry_point: str | None) -> None:
    """Import, before the forks, what each of them would import: modules that the program names."""
    names = _names(code)
    for module in MODULES.split():
        if module in names or (entry_point and not names.isdisjoint(PRELUDE.get(module, "").split())):
            __import__(module)
    if entry_point:
        __import__("json")
    named = {name.partition(".")[0] for name in names}
    for library in LIBRARIES.split():
        if library in named:
            _import_library(library)


def _import_library(name: str) -> None:
    """Import a package from the interpreter's site folders, which stay closed to the program itself."""
    import site

    folders = site.getsitepackages([os.path.dirname(os.path.dirname(sys.executable))])
    sys.path.extend(folders)
    try:
        __import__(name)
    except ImportError:
        pass
    finally:
        del sys.path[-len(folders) :]


def _names(code: CodeType) -> set[str]:
    """Every global, attribute and module name in a code object and those inside it."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            found |= _names(constant)
    return found


def become(
    job: Job, code: CodeType, libc: CDLL, uid: int | None, files: list[int], data: bytes, arguments: list[str]
) -> None:
    """Be the program for one test, in the current folder.

    uid: the user to become, if any. files: descriptors for fds 0 to 3, and one to mark that everything is set up.
    Where this returns or raises, the interpreter ends as it does for any script.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    os.setsid()
    for target in range(4):
        os.dup2(files[target], target, inheritable=target < 3)
    _limit(job)
    if uid is not None:
        resource.setrlimit(resource.RLIMIT_NPROC, (MAX_THREADS, MAX_THREADS))
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _open_streams()
    os.write(files[4], b"1")
    os.closerange(4 if job.entry_point else 3, 64)
    if job.entry_point:
        _call(code, job.entry_point, data)
    else:
        _run(code, arguments)


def _limit(job: Job) -> None:
    cpu_s = int(job.time_s) + 2
    for kind, soft, hard in (
        (resource.RLIMIT_AS, address_space() + job.memory_bytes, None),
        (resource.RLIMIT_FSIZE, job.output_bytes + 1, None),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES, None),
        (resource.RLIMIT_CORE, 0, None),
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),
        # Judges let the stack grow to the memory limit.
        (resource.RLIMIT_STACK, job.memory_bytes, None),
    ):
        ceiling = resource.getrlimit(kind)[1]
        wanted = soft if hard is None else hard
        allowed = wanted if ceiling == resource.RLIM_INFINITY else min(wanted, ceiling)
        resource.setrlimit(kind, (min(soft, allowed), allowed))


def _open_streams() -> None:
    """Fresh standard streams over fds 0 to 2, as Python opens them in a UTF-8 locale."""
    text: dict[str, Any] = {"encoding": "utf-8", "errors": "surrogateescape", "closefd": False}
    sys.stdin = open(0, **text)  # noqa: SIM115
    sys.stdout = open(1, "w", **text)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, **{**text, "errors": "backslashreplace"})  # noqa: SIM115
    vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)


def _module(name: str) -> dict[str, object]:
    """The namespace of a fresh module, in an interpreter made to look as if it had started there."""
    import _sitebuiltins
    import builtins

    for word in ("exit", "quit"):
        setattr(builtins, word, _sitebuiltins.Quitter(word, "Ctrl-D (i.e. EOF)"))
    module = type(sys)(name)
    vars(module).update(__builtins__=builtins, __file__=os.path.abspath(SOURCE_NAME), __cached__=None)
    sys.modules[name] = module
    frame, depth = sys._getframe(), 0
    while frame.f_back:
        frame, depth = frame.f_back, depth + 1
    sys.setrecursionlimit(sys.getrecursionlimit() + depth)
    return vars(module)


def _run(code: CodeType, arguments: list[str]) -> None:
    """Run a stdin program as `__main__`."""
    import atexit

    sys.argv = [SOURCE_NAME, *arguments]
    stdout = sys.stdout
    namespace = _module("__main__")
    exec(code, namespace)
    if sys.stdout is not stdout or "threading" in sys.modules or atexit._ncallbacks():
        return
    # Nothing is left to run at exit: dropping the program's objects and flushing does what the full exit would,
    # 2 ms sooner.
    namespace.clear()
    stdout.flush()
    os._exit(0)


def _call(code: CodeType, entry_point: str, arguments: bytes) -> None:
    """Call the function under test. Writes what it returns to fd 3: `V` and its text form, or `E` and why it has none.

    The module is imported, not run: its `__name__` is `solution`, so a main guard stays shut (ours).
    """
    import builtins
    import json

    sys.argv = [SOURCE_NAME]
    namespace = _module("solution")
    used = _names(code)
    for module, names in PRELUDE.items():
        for name in used.intersection(names.split()):
            if not hasattr(builtins, name):
                namespace[name] = getattr(sys.modules[module], name)
    for module in used.intersection(MODULES.split()):
        namespace[module] = sys.modules[module]
    exec(code, namespace)
    solution = namespace.get("Solution")
    if isinstance(solution, type) and hasattr(solution, entry_point):
        function = getattr(solution(), entry_point)
    elif callable(namespace.get(entry_point)):
        function = namespace[entry_point]
    else:
        sys.exit(f"the program defines neither {entry_point}() nor Solution.{entry_point}()")
    value = function(*json.loads(arguments))
    try:
        text = b"V" + json.dumps(_plain(value, MAX_DEPTH, [MAX_ELEMENTS])).encode()
    except _NoTextForm as reason:
        text = b"E" + f"returned {reason}"[:200].encode(errors="backslashreplace")
    write_all(3, text)
    os._exit(0)


class _NoTextForm(Exception):
    """The value is not made of exact builtin types, or is too deep or too large."""


def _plain(value: Any, depth: int, budget: list[int]) -> object:
    """The value as JSON can write it (see `values`); `budget` holds the number of elements still allowed."""
    kind = type(value)
    if value is None or kind in (bool, str, float):
        return value
    if kind is int:
        return value if value.bit_length() <= MAX_PLAIN_INT_BITS else {"__int__": hex(value)}
    from collections import deque

    if kind not in (list, tuple, deque, range, set, frozenset, dict):
        raise _NoTextForm(f"an object of type {kind.__name__}")
    if depth == 0:
        raise _NoTextForm(f"a value nested deeper than {MAX_DEPTH}")
    budget[0] -= len(value)
    if budget[0] < 0:
        raise _NoTextForm(f"more than {MAX_ELEMENTS} elements")
    if kind is dict:
        return _plain_dict(value, depth, budget)
    members = [_plain(member, depth - 1, budget) for member in value]
    return {"__set__": members} if kind in (set, frozenset) else members


def _plain_dict(value: dict[object, object], depth: int, budget: list[int]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, member in value.items():
        if type(key) not in (str, int):
            raise _NoTextForm(f"a dict with a key of type {type(key).__name__}")
        if str(key) in found:
            raise _NoTextForm(f"a dict with two keys written {key}")
        found[str(key)] = _plain(member, depth - 1, budget)
    return found
