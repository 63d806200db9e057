"""What the subcommands share: options, files, mistakes of the user, and lines that are judged while more are read."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import BinaryIO, Generic, Literal, TypeVar

from microcoder_judge.judge import Judge
from microcoder_judge.languages import LanguageNotSupported
from microcoder_judge.records import Result
from microcoder_judge.wire import UNSUPPORTED, BadLine, Line, LineId, read_line

LARGEST_LINE = 1 << 30
"""Bytes of the longest line that is read (ours): a file without line ends must not fill the memory."""

BOM = b"\xef\xbb\xbf"

Work = TypeVar("Work")
Submit = Callable[[Line], Future[Result]]


class CommandError(Exception):
    """A mistake of the user in one line that names the input and the mend; the command ends with status 2."""


def add_judge_options(parser: argparse.ArgumentParser) -> None:
    """The options that `open_judge` reads."""
    parser.add_argument("--workers", type=count, default=0, metavar="N", help="programs at once (default: one a CPU)")
    parser.add_argument(
        "--isolation",
        choices=("batch", "test"),
        default="batch",
        help="one process a program, its failures confirmed in a fresh one, or one process a test (default: batch)",
    )
    parser.add_argument(
        "--headers", metavar="FOLDER", help="where C++ programs and checkers find more headers, such as testlib.h"
    )
    parser.add_argument("--unsafe", action="store_true", help="run programs even where this host gives no sandbox")


def open_judge(options: argparse.Namespace, strict: Literal["livecodebench"] | None = None) -> Judge:
    """A judge as the options say. Raises CommandError for options it cannot keep, and SandboxRefused."""
    try:
        return Judge(
            options.workers, isolation=options.isolation, strict=strict, unsafe=options.unsafe, headers=options.headers
        )
    except ValueError as error:
        raise CommandError(str(error)) from error


@contextmanager
def submitting(judge: Judge) -> Iterator[Submit]:
    """How lines are handed to a judge. What is unfinished at the end, as after Ctrl-C or a closed pipe, is stopped."""
    unfinished: set[Future[Result]] = set()

    def submit(line: Line) -> Future[Result]:
        future = judge.submit(line.submission, line.isolation)
        unfinished.add(future)
        future.add_done_callback(unfinished.discard)
        return future

    try:
        yield submit
    finally:
        for future in tuple(unfinished):
            future.cancel()


def count(text: str) -> int:
    """An argument that is a whole number from 0."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def say(text: str) -> None:
    """A line to the user, on standard error where that is open: `print` would fall back to standard output."""
    if sys.__stderr__ is not None:
        print(text, file=sys.stderr)


def printable(text: str) -> str:
    """Text of a program for a terminal: what is not a printable character is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def open_input(name: str) -> BinaryIO:
    """The file of that name, or standard input for `-`. Raises CommandError."""
    if name == "-" and sys.__stdin__ is None:
        raise CommandError("cannot read standard input: it is closed")
    try:
        # Not sys.stdin: the interpreter waits at its end for a thread that still reads from that.
        return open(0, "rb", closefd=False) if name == "-" else Path(name).open("rb")
    except (OSError, ValueError) as error:
        raise _cannot("read", name, error) from error


class Output:
    """The file of that name, or standard output for `-`; each write is handed to the system at once.

    Raises CommandError where it cannot be opened or written, and BrokenPipeError when its reader is gone.
    """

    def __init__(self, name: str, source: BinaryIO | None = None) -> None:
        self._name = name
        # Its number may by now be that of another file.
        if name == "-" and sys.__stdout__ is None:
            raise CommandError("cannot write standard output: it is closed")
        try:
            if name != "-" and source is not None and _same_file(Path(name), source):
                raise CommandError(f"{name} is both input and output; write to another file")
            target = 1 if name == "-" else name
            self._file = open(target, "wb", buffering=0, closefd=name != "-")  # noqa: SIM115
        except (OSError, ValueError) as error:
            raise _cannot("write", name, error) from error

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def isatty(self) -> bool:
        return self._file.isatty()

    def write(self, text: str) -> None:
        left = memoryview(text.encode("utf-8", "backslashreplace"))
        try:
            while left:
                left = left[self._file.write(left) or 0 :]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _cannot("write", self._name, error) from error


def _same_file(path: Path, source: BinaryIO) -> bool:
    status = os.fstat(source.fileno())
    return stat.S_ISREG(status.st_mode) and path.exists() and os.path.samestat(path.stat(), status)


def _cannot(what: str, name: str, error: OSError | ValueError) -> CommandError:
    place = {"read": "standard input", "write": "standard output"}[what] if name == "-" else name
    return CommandError(f"cannot {what} {place}: {getattr(error, 'strerror', None) or error}")


@dataclass(frozen=True, slots=True)
class Entry(Generic[Work]):
    """An input line that is not blank and what was begun for it.

    number: from 1, blank lines counted. end: bytes of the input up to its end. id: the line's own, None where it shows
    none. line, work: None for a line that cannot be judged, and `reason` says why.
    """

    number: int
    end: int
    id: LineId
    line: Line | None = None
    work: Work | None = None
    reason: str = ""


def entries(source: BinaryIO, begin: Callable[[Line], Work]) -> Iterator[Entry[Work]]:
    """Read lines and begin the work that each asks for; a line that cannot be judged does not end the rest.

    Closes `source`. Raises CommandError where it cannot be read.
    """
    with source:
        end = 0
        number = 0
        while data := _read(source, LARGEST_LINE):
            number += 1
            end += len(data)
            whole = len(data) < LARGEST_LINE or data.endswith(b"\n")
            if not whole:
                end += _skip_line(source)
            elif not data.removeprefix(BOM).strip():
                continue
            found: LineId = None
            try:
                if not whole:
                    raise BadLine(f"longer than {LARGEST_LINE:,} bytes")
                line = read_line(data)
                found = line.id
                yield Entry(number, end, found, line, begin(line))
            except (BadLine, LanguageNotSupported) as error:
                found = error.id if isinstance(error, BadLine) else found
                reason = str(error) if str(error).startswith(UNSUPPORTED) else f"line {number}: {error}"
                yield Entry(number, end, found, reason=reason)


def _read(source: BinaryIO, size: int) -> bytes:
    try:
        return source.readline(size)
    except OSError as error:
        raise CommandError(f"cannot read the input: {error.strerror}") from error


def _skip_line(source: BinaryIO) -> int:
    skipped = 0
    while part := _read(source, 1 << 20):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped


def entries_ahead(source: BinaryIO, begin: Callable[[Line], Work], ahead: int) -> Iterator[Entry[Work]]:
    """As `entries`, read by a second thread that keeps at most `ahead` of them waiting.

    So what is done is written while the next line is waited for. Raises what `entries` and `begin` raise.
    """
    queue: Queue[Entry[Work] | Exception | None] = Queue(ahead)
    Thread(target=_read_ahead, args=(source, begin, queue), daemon=True).start()
    while (entry := queue.get()) is not None:
        if isinstance(entry, Exception):
            raise entry
        yield entry


def _read_ahead(source: BinaryIO, begin: Callable[[Line], Work], queue: Queue[Entry[Work] | Exception | None]) -> None:
    try:
        for entry in entries(source, begin):
            queue.put(entry)
        queue.put(None)
    except Exception as error:
        queue.put(error)
