"""A program and its tests on the way from the supervisor, by the zygote, to a child, and what is said of them on the
way back. Standard library."""

from __future__ import annotations

import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

REPORT = struct.Struct("<iiiddBdqq")
"""Of one test: its number, exit status, signal, CPU seconds, wall seconds, place in STOPPED, MiB, size of the error
file, end of its output. A packet is a byte of flags and any number of these."""
DONE, CLEAN, ENDED = 1, 2, 4
"""Flags: the job is at its end; nothing of it is left; its process is gone, and later tests did not run."""
READY, BROKEN, LEFT = -1, -2, -3
"""In the place of a test's number: about to run the first; does not compile; the process cannot be used again."""
STOPPED = ("", "cpu", "idle", "wall")
ERRORS_KEPT = 1 << 20
SMALL = 1 << 16
"""Bytes that are copied faster through this process than by the kernel. Measured."""


class Job:
    """One program and its tests: the message's fields, and the memory files that came with it: an output for each test
    where every test has a process of its own, else one for all.

    inputs: the place of each test's input. files: those that a test wants in its folder, by its number and their names.
    limits: what `setrlimit` holds the program to. written: when its source file was last changed, in ns, once there is
    one.
    """

    __slots__ = (
        "apart", "arguments", "count", "data", "do", "entry_point", "errors", "files", "inputs", "limit", "limits",
        "memory", "native", "outputs", "preamble", "source", "stop_on_fail", "time_s", "written",
    )  # fmt: skip

    do: str
    apart: bool
    native: bool
    time_s: float
    memory: int
    limit: int
    source: list[int]
    inputs: list[list[int]]
    files: dict[str, dict[str, list[int]]]
    entry_point: str | None
    preamble: bool
    arguments: list[str]
    stop_on_fail: bool

    def __init__(self, message: list[Any], files: list[int]) -> None:
        (
            self.do, self.apart, self.native, self.time_s, self.memory, self.limit, self.source, self.inputs,
            self.files, self.entry_point, self.preamble, self.arguments, self.stop_on_fail,
        ) = message  # fmt: skip
        self.count = len(self.inputs)
        self.limits: list[tuple[int, tuple[int, int]]] = []
        self.written: int | None = None
        self.data, self.errors, *self.outputs = files

    def read(self, place: list[int]) -> bytes:
        """The part of the data file at (offset, length)."""
        offset, left = place
        part = os.pread(self.data, left, offset)
        if len(part) == left:
            return part
        parts = [part]
        while left := left - len(part):
            offset += len(part)
            part = os.pread(self.data, left, offset)
            if not part:
                raise OSError("the data file is short")
            parts.append(part)
        return b"".join(parts)

    def copy(self, place: list[int], target: int) -> None:
        """The same part into another file; what is large, by the kernel."""
        offset, left = place
        if left <= SMALL:
            write(target, self.read(place))
            return
        while left:
            sent = os.sendfile(target, self.data, offset, left)
            if not sent:
                raise OSError("the data file is short")
            offset, left = offset + sent, left - sent

    def connect(self, stdin: int, stdout: int) -> None:
        """Put files behind descriptors 0 to 2. What earlier tests wrote to the error file stays, as long as there is
        room: it may not have been read yet."""
        if os.lseek(self.errors, 0, os.SEEK_END) > ERRORS_KEPT:
            os.ftruncate(self.errors, 0)
            os.lseek(self.errors, 0, os.SEEK_SET)
        for source, target in ((stdin, 0), (stdout, 1), (self.errors, 2)):
            os.dup2(source, target)

    def forget_others(self, test: int) -> None:
        """Close what belongs to other tests; `test` may still write its value."""
        for number, file in enumerate((self.data, self.errors, *self.outputs), start=-2):
            if number != test:
                os.close(file)

    def output(self, test: int) -> int:
        """The file that a test writes to."""
        return self.outputs[test if self.apart else 0]


def write(fd: int, data: bytes) -> None:
    """All of `data` to a file."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def word(what: int) -> bytes:
    """A report that is not of a test."""
    return REPORT.pack(what, 0, 0, 0.0, 0.0, 0, 0.0, 0, 0)
