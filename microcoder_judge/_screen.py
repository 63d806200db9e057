"""Which programs may run all their tests in one process: those that show no way to carry something from test to test.
Read off the code without running it. Standard library, self-contained.

The others run with a process a test from the start. What is looked for: names by which a program reaches the
interpreter or the harness instead of its own objects, and attributes set on what it has imported. A program that hides
better is a matter for the audit.
"""

from __future__ import annotations

import itertools
import opcode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

REACHING = frozenset(
    (
        "__builtins__", "__self__", "__import__", "__dict__", "__subclasses__", "__globals__", "__code__",
        "__closure__",
        "__defaults__", "__kwdefaults__", "__traceback__", "__bases__", "__mro__", "__getattribute__", "__reduce__",
        "builtins", "gc", "inspect", "ctypes", "_ctypes", "importlib", "imp", "types", "marshal", "pickle",
        "tracemalloc", "faulthandler", "weakref", "mmap", "fcntl", "posix", "resource", "_posixsubprocess", "copyreg",
        "linecache", "setattr", "delattr", "vars", "globals", "locals", "exec", "eval", "compile", "getrefcount",
        "getsizeof", "modules", "settrace", "setprofile", "set_int_max_str_digits", "setswitchinterval", "_getframe",
        "_current_frames", "current_frames", "gettrace", "excepthook", "displayhook", "tb_frame", "tb_next", "f_back",
        "f_globals", "f_locals", "f_code", "gi_frame", "cr_frame", "register", "unregister", "dup", "dup2", "dup3",
        "closerange", "pipe", "pipe2", "fork", "kill", "pread", "pwrite", "sendfile", "lseek", "ftruncate", "splice",
        "copy_file_range", "memfd_create", "signal", "sigaction", "setitimer", "alarm", "pthread_sigmask", "umask",
        "nice", "putenv", "unsetenv", "environ", "stack_size", "setrlimit", "getpid", "meta_path", "path_hooks",
        "path_importer_cache", "filters", "filterwarnings", "simplefilter", "process_time", "process_time_ns",
    )
)  # fmt: skip
"""Names of globals, attributes and modules that speak against a program (ours)."""

STREAMS = frozenset(("stdin", "stdout", "stderr"))
"""Attributes of sys that programs may set: every test gets its own."""

_OPS = opcode.opmap
_IMPORTS = frozenset((_OPS["IMPORT_NAME"], _OPS["IMPORT_FROM"]))
_BINDS = frozenset(_OPS[name] for name in ("STORE_NAME", "STORE_GLOBAL", "STORE_FAST"))
_LOADS = frozenset(_OPS[name] for name in ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FAST"))
_LOCAL = frozenset(_OPS[name] for name in ("STORE_FAST", "LOAD_FAST"))
_CHAIN = frozenset(_OPS[name] for name in ("LOAD_ATTR", "LOAD_METHOD") if name in _OPS)
_SETS = frozenset((_OPS["STORE_ATTR"], _OPS["DELETE_ATTR"]))
_SILENT = frozenset(_OPS[name] for name in ("CACHE", "EXTENDED_ARG", "PUSH_NULL") if name in _OPS)


def carries(code: CodeType, source: bytes) -> bool:
    """Whether a program shows a way to carry state between tests."""
    if b"getattr" in source and (b'"__' in source or b"'__" in source):
        return True
    parts = [code]
    for part in parts:
        if not REACHING.isdisjoint(part.co_names):
            return True
        parts += [constant for constant in part.co_consts if isinstance(constant, type(code))]
    setting = [part for part in parts if not _SETS.isdisjoint(part.co_code[::2])]
    if not setting:
        return False
    imported = set().union(*map(_imported, parts))
    return any(_sets_imported(part, imported) for part in setting)


def _instructions(code: CodeType) -> list[tuple[int, int]]:
    found, extended = [], 0
    for at in range(0, len(code.co_code), 2):
        operation, argument = code.co_code[at], code.co_code[at + 1] | extended
        extended = argument << 8 if operation == _OPS["EXTENDED_ARG"] else 0
        if operation not in _SILENT:
            found.append((operation, argument))
    return found


def _name(code: CodeType, operation: int, argument: int) -> str:
    """The variable that an instruction loads or stores."""
    names = code.co_varnames if operation in _LOCAL else code.co_names
    shifted = argument >> 1 if operation == _OPS["LOAD_GLOBAL"] else argument
    return names[shifted] if shifted < len(names) else ""


def _imported(code: CodeType) -> set[str]:
    """Names that are bound by an import statement."""
    instructions = _instructions(code)
    return {
        _name(code, *after)
        for before, after in itertools.pairwise(instructions)
        if before[0] in _IMPORTS and after[0] in _BINDS
    }


def _sets_imported(code: CodeType, imported: set[str]) -> bool:
    """Whether an attribute is set or deleted on an imported name, or on something reached through one."""
    root = kept = ""
    for operation, argument in _instructions(code):
        if operation in _LOADS:
            root = _name(code, operation, argument)
        elif operation == _OPS["COPY"]:
            # The start of `x.y += ...`; a SWAP takes x up again.
            kept = root
        elif operation == _OPS["SWAP"]:
            root = kept
        elif operation in _SETS:
            name = code.co_names[argument]
            if root in imported and name not in STREAMS:
                return True
            root = ""
        elif operation not in _CHAIN:
            root = ""
    return False
