"""What a program may leave behind in its process and its folder, and how it is put back. Standard library."""

from __future__ import annotations

import builtins
import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

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

BY_TEXT = "getattr"
"""The name by which a program reaches what its other names do not show."""


class Surroundings:
    """What a program may change outside its module and get past the screen, as it was before any ran. Made before the
    forks: a child that looks at an object copies its page, and so looks only at what its program can have reached."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.builtins, self.builtins_size = vars(builtins), len(vars(builtins))
        self.modules: dict[str, tuple[str, ModuleType, int]] = {}
        for name in _WATCHED & set(sys.modules):
            module = sys.modules[name]
            # Other modules know it by its own name or with a line before it.
            self.modules[name] = self.modules[f"_{name}"] = (name, module, len(vars(module)))
        self.digits = sys.get_int_max_str_digits()
        self.path = list(sys.path)

    def reached(self, names: set[str]) -> list[tuple[str, ModuleType, int]]:
        """The modules that a program with these names can have changed."""
        if BY_TEXT in names:
            return list(self.modules.values())
        return [self.modules[name] for name in names.intersection(self.modules)]

    def restore(self, written: int | None, names: set[str], files: bool) -> bool:
        """Put things back; False where a program has left what cannot be put back. written: see `Job`. names: those in
        the program. files: whether it may have left files, or gone to another folder."""
        if len(self.builtins) != self.builtins_size:
            return False
        for name, module, size in self.reached(names):
            if sys.modules.get(name) is not module or len(vars(module)) != size:
                return False
        if BY_TEXT in names:
            sys.set_int_max_str_digits(self.digits)
            gc.enable()
        if "path" in names or BY_TEXT in names:
            sys.path[:] = self.path
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
