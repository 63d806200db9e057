"""What a program may leave behind in its process and its folder, and how it is put back. Standard library."""

from __future__ import annotations

import builtins
import gc
import os
import sys

SOURCE_NAME = "main.py"
RECURSION_LIMIT = sys.getrecursionlimit()

MAY_WRITE = sys.stdlib_module_names - frozenset(
    (
        "__future__", "array", "bisect", "builtins", "cmath", "collections", "copy", "dataclasses", "datetime",
        "decimal", "enum", "fractions", "functools", "heapq", "itertools", "math", "numbers", "operator", "random",
        "re", "statistics", "string", "sys", "time", "typing",
    )
)  # fmt: skip
"""Modules through which a program could write files or change its folder: all but those that cannot."""

_WATCHED = frozenset(
    (
        "sys", "os", "math", "random", "re", "collections", "heapq", "bisect", "itertools", "functools", "operator",
        "string", "json", "time", "datetime", "copy", "decimal", "fractions", "statistics", "typing", "io",
    )
)  # fmt: skip


class Surroundings:
    """What a program may change outside its module and get past the screen, as it was before any ran. Made before the
    forks: a child that looks at an object copies its page."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.builtins = len(vars(builtins))
        self.modules = [(name, sys.modules[name], len(vars(sys.modules[name]))) for name in _WATCHED & set(sys.modules)]
        self.digits = sys.get_int_max_str_digits()
        self.path = list(sys.path)

    def restore(self, written: int | None, files: bool) -> bool:
        """Put things back; False where a program has left what cannot be put back. written: see `Job`. files: whether
        it may have left files, or gone to another folder."""
        if len(vars(builtins)) != self.builtins:
            return False
        for name, module, size in self.modules:
            if sys.modules.get(name) is not module or len(vars(module)) != size:
                return False
        sys.set_int_max_str_digits(self.digits)
        sys.path[:] = self.path
        gc.enable()
        if not files:
            return True
        try:
            os.chdir(self.folder)
        except OSError:
            return False
        return restore_files(self.folder, written)


def remove(path: str) -> bool:
    """Remove a file or folder whatever its mode; whether it is gone."""
    try:
        if not os.path.isdir(path) or os.path.islink(path):
            os.unlink(path)
            return True
        os.chmod(path, 0o700)
        emptied = True
        for name in os.listdir(path):
            emptied &= remove(f"{path}/{name}")
        os.rmdir(path)
    except (OSError, RecursionError):
        return False
    return emptied


def empty(place: str, *kept: str) -> bool:
    """Remove what a folder holds but `kept`; whether nothing else is left."""
    emptied = True
    for name in os.listdir(place):
        path = f"{place}/{name}"
        emptied &= path in kept or remove(path)
    return emptied


def restore_files(folder: str, written: int | None) -> bool:
    """Remove what a test has left in files; False where the folder or the source itself is not what it was."""
    try:
        own = f"{folder}/{SOURCE_NAME}"
        if os.path.islink(folder) or (written is not None and os.lstat(own).st_ctime_ns != written):
            return False
        shared = folder.rpartition("/")[0]
        return empty(folder, own) and (shared != "/tmp" or empty(shared, folder))
    except OSError:
        return False
