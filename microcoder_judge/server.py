"""`python -m microcoder_judge serve`: one pool of workers behind a Unix socket, for all processes of a trainer.

The form is that of `run`: a submission a line in, a result a line out, matched by `id`, in any order.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from microcoder_judge.command import LARGEST_LINE, CommandError, add_judge_options, open_judge
from microcoder_judge.languages import LanguageNotSupported
from microcoder_judge.records import Isolation, Result, Submission
from microcoder_judge.wire import BadLine, read_line, write_failure, write_result

PENDING = 64
"""Submissions of one client that may wait here for a worker (ours): the rest stays in its socket, so that no client
fills the memory or keeps the others waiting behind all that it has."""

READ_BYTES = 1 << 18

EPILOG = """\
Programs use it by `microcoder_judge.client.JudgeClient(PATH)`, which has the methods of `Judge`. Others connect to the
socket and write one JSON object a line, as for `run`; each gives one line, matched by its id, in any order. A client
that closes its connection drops what it still waits for. Only the user that started the server may connect.

exit status: 0 after SIGTERM or Ctrl-C, 2 where it cannot listen at PATH
"""


class Judging(Protocol):
    """What is used of a `Judge`."""

    def submit(self, submission: Submission, isolation: Isolation | None = None) -> Future[Result]: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--socket", required=True, metavar="PATH", help="the socket to make; a dead one is replaced")
    add_judge_options(parser)


def main(options: argparse.Namespace) -> int:
    with listening(options.socket) as channel, open_judge(options) as judge:
        ready = f"the judge listens at {options.socket} with {judge.workers} workers"
        asyncio.run(serve(judge, channel, lambda: print(ready, file=sys.stderr, flush=True)))
    return 0


@contextmanager
def listening(path: str) -> Iterator[socket.socket]:
    """A socket at `path` that listens, with mode 0600; it is removed at the end.

    Raises CommandError where something else is there, a server listens already or no socket can be made.
    """
    channel = socket.socket(socket.AF_UNIX)
    try:
        with _only_one(Path(path).absolute().parent):
            _remove_dead(path)
            mask = os.umask(0o177)
            try:
                channel.bind(path)
            finally:
                os.umask(mask)
            channel.listen(socket.SOMAXCONN)
            made = Path(path).stat()
    except OSError as error:
        channel.close()
        raise CommandError(f"cannot listen at {path}: {error.strerror or error}") from error
    except CommandError:
        channel.close()
        raise
    try:
        yield channel
    finally:
        channel.close()
        with suppress(OSError):
            if os.path.samestat(Path(path).stat(), made):
                Path(path).unlink()


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Two servers that start at once in one folder take turns, so that neither removes the other's socket."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove_dead(path: str) -> None:
    try:
        if not stat.S_ISSOCK(Path(path).stat().st_mode):
            raise CommandError(f"{path} is there and is no socket; choose another path or remove it")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
            return
    raise CommandError(f"a server listens at {path} already; use it, or choose another path")


async def serve(judge: Judging, channel: socket.socket, ready: Callable[[], None]) -> None:
    """Answer the clients of a listening socket until SIGTERM or SIGINT; `ready` is called once both are heeded."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    clients: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = loop.create_task(_answer_client(judge, reader, writer))
        clients.add(client)
        client.add_done_callback(clients.discard)

    server = await asyncio.start_unix_server(connected, sock=channel)
    ready()
    await ended.wait()
    server.close()
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)


async def _answer_client(judge: Judging, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one client until it is gone; what it then still waits for is cancelled."""
    places = asyncio.Semaphore(PENDING)
    working: set[asyncio.Task[None]] = set()

    async def work(line: bytes) -> None:
        row = await answer(judge, line)
        with suppress(ConnectionError):
            writer.write(_row(row))
            await writer.drain()

    def done(task: asyncio.Task[None]) -> None:
        working.discard(task)
        places.release()

    try:
        async for line in _lines(reader):
            await places.acquire()
            if writer.is_closing():
                break
            task = asyncio.create_task(work(line))
            working.add(task)
            task.add_done_callback(done)
    except BadLine as error:
        writer.write(_row(write_failure(error.id, str(error))))
    except ConnectionError:
        pass
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        writer.close()


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Lines that are not blank. Raises BadLine for one of more than LARGEST_LINE bytes, which ends the connection.

    Not `StreamReader.readline`: its limit is also what it buffers before the client has to wait.
    """
    parts: list[bytes] = []
    size = 0
    while data := await reader.read(READ_BYTES):
        *ended, rest = data.split(b"\n")
        for line in ended:
            whole = b"".join((*parts, line))
            parts, size = [], 0
            if whole.strip():
                yield whole
        parts.append(rest)
        size += len(rest)
        if size > LARGEST_LINE:
            raise BadLine(f"longer than {LARGEST_LINE:,} bytes")


def _row(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode() + b"\n"


async def answer(judge: Judging, line: bytes) -> dict[str, Any]:
    """The wire form's result for one line of it: IE, with the reason, for a line that cannot be judged.

    Cancelling it drops the submission if it has not begun.
    """
    try:
        asked = read_line(line)
        result = await asyncio.wrap_future(judge.submit(asked.submission, asked.isolation))
    except BadLine as error:
        return write_failure(error.id, str(error))
    except LanguageNotSupported as error:
        return write_failure(asked.id, str(error))
    except Exception as error:
        return write_failure(asked.id, f"the judge failed: {type(error).__name__}: {error}")
    return write_result(result, asked.id)
