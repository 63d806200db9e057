"""The client of `python -m microcoder_judge serve`: one pool of workers for all processes of a trainer."""

from __future__ import annotations

import itertools
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread

from microcoder_judge.records import Isolation, Result, Submission
from microcoder_judge.remote import RemoteJudge, read_result
from microcoder_judge.wire import write_submission

READ_BYTES = 1 << 18
RETRY_S = 0.1


class JudgeClient(RemoteJudge):
    """The judge that listens at the Unix socket `path`; safe to share between threads and event loops.

    wait_s: seconds to wait for a server that is not there yet, as when ranks and server start together.

    A server that ends while it judges is never a verdict: what it owes raises ConnectionError, as does a call that
    finds none. The next call connects anew. The connection is one process's own: after a fork, make another client.
    """

    def __init__(self, path: str | Path, *, wait_s: float = 0.0) -> None:
        self._path = str(path)
        self._lock = Lock()
        self._closed = False
        self._connection = self._connect(wait_s)

    def __enter__(self) -> JudgeClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; the server drops what it has not begun."""
        with self._lock:
            self._closed = True
            self._connection.close()

    def submit(self, submission: Submission, isolation: Isolation | None = None) -> Future[Result]:
        """Send one submission. Raises ConnectionError where there is no server, RecordError for a test of a function
        problem that is not JSON, and RuntimeError on a closed client."""
        fields = write_submission(submission, isolation)
        with self._lock:
            if self._closed:
                raise RuntimeError("the judge's client is closed")
            if self._connection.lost:
                self._connection = self._connect(0.0)
            return self._connection.send(submission, fields)

    def _connect(self, wait_s: float) -> _Connection:
        end = time.monotonic() + wait_s
        while True:
            channel = socket.socket(socket.AF_UNIX)
            try:
                channel.connect(self._path)
                return _Connection(channel, self._path)
            except OSError as error:
                channel.close()
                if time.monotonic() >= end:
                    raise ConnectionError(
                        f"no judge listens at {self._path} ({error.strerror or error}); start one with: "
                        f"python -m microcoder_judge serve --socket {self._path}"
                    ) from error
            time.sleep(RETRY_S)


class _Connection:
    """One connection: a thread that writes, so that callers never wait for the socket, and one that reads."""

    def __init__(self, channel: socket.socket, path: str) -> None:
        self._channel, self._path = channel, path
        self._numbers = itertools.count()
        self._pending: dict[int, tuple[Submission, Future[Result]]] = {}
        self._outgoing: SimpleQueue[bytes | None] = SimpleQueue()
        self._lock = Lock()
        self.lost = False
        self._writer = Thread(target=self._write, name="judge-client-writer", daemon=True)
        self._writer.start()
        Thread(target=self._read, name="judge-client-reader", daemon=True).start()

    def send(self, submission: Submission, fields: dict[str, object]) -> Future[Result]:
        future: Future[Result] = Future()
        number = next(self._numbers)
        line = json.dumps({**fields, "id": number}).encode() + b"\n"
        with self._lock:
            if self.lost:
                future.set_exception(self._loss())
                return future
            self._pending[number] = submission, future
        self._outgoing.put(line)
        return future

    def close(self) -> None:
        """End both threads; the reader then closes the socket."""
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)

    def _write(self) -> None:
        with suppress(OSError):
            while (line := self._outgoing.get()) is not None:
                self._channel.sendall(line)
        self.close()

    def _read(self) -> None:
        reason = ""
        try:
            for line in self._lines():
                row = json.loads(line)
                submission, future = self._pending.pop(row["id"])
                with suppress(InvalidStateError):
                    future.set_result(read_result(row, submission))
        except (ValueError, KeyError, TypeError) as error:
            reason = f"it sent what is no result: {error}"
        except OSError as error:
            reason = error.strerror or ""
        with self._lock:
            self.lost = True
        self._outgoing.put(None)
        self.close()
        self._writer.join()
        self._channel.close()
        for _, future in self._pending.values():
            with suppress(InvalidStateError):
                future.set_exception(self._loss(reason))

    def _lines(self) -> Iterator[bytes]:
        parts: list[bytes] = []
        while data := self._channel.recv(READ_BYTES):
            *ended, rest = data.split(b"\n")
            for line in ended:
                yield b"".join((*parts, line))
                parts.clear()
            parts.append(rest)

    def _loss(self, reason: str = "") -> ConnectionError:
        detail = f" ({reason})" if reason else ""
        return ConnectionError(f"the judge at {self._path} ended before its verdict{detail}")
