"""A program and its tests on the way from the supervisor, by the zygote, to a child. Standard library."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ERRORS_KEPT = 1 << 20
SMALL = 1 << 16
"""Bytes that are copied faster through this process than by the kernel. Measured."""


class Job:
    """One program and its tests: the message's fields, and the memory files that came with it: an output for each test
    where every test has a process of its own, else one for all.

    inputs: the place of each test's input. files: those that a test wants in its folder, by its number and their names.
    written: when its source file was last changed, in ns, once there is one.
    """

    def __init__(self, message: dict[str, Any], files: list[int]) -> None:
        self.do: str = message["do"]
        self.apart: bool = message["apart"]
        self.native: bool = message["native"]
        self.time_s: float = message["time_s"]
        self.memory: int = message["memory"]
        self.limit: int = message["output"]
        self.source: list[int] = message["source"]
        self.inputs: list[list[int]] = message["inputs"]
        self.files: dict[str, dict[str, list[int]]] = message["files"]
        self.entry_point: str | None = message["entry_point"]
        self.preamble: bool = message["preamble"]
        self.arguments: list[str] = message["arguments"]
        self.stop_on_fail: bool = message["stop_on_fail"]
        self.count = len(self.inputs)
        self.written: int | None = None
        self.data, self.errors, *self.outputs = files

    def read(self, place: list[int]) -> bytes:
        """The part of the data file at (offset, length)."""
        offset, left = place
        parts = []
        while left:
            part = os.pread(self.data, left, offset)
            if not part:
                raise OSError("the data file is short")
            parts.append(part)
            offset, left = offset + len(part), left - len(part)
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
