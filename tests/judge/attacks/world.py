"""The surroundings of a run of the corpus: what an attack could reach on the host, and whether one did."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

SECRET_VARIABLE = "ATTACKED_JUDGE_SECRET"
ANSWERS, SOCKET = "answers", "socket"
DYING_S = 1.0
"""How long the kernel may take to end a killed process."""


class World:
    """A folder, listening sockets and a process on this host, all open to whoever gets out of a sandbox.

    secret: what the environment of the judge must hold under SECRET_VARIABLE. user: the user id that the process has.
    """

    def __init__(self, folder: Path, user: int | None = None) -> None:
        self.folder = folder
        self._salt = secrets.token_hex(8)
        self.secret = self.word("", "secret")
        self._stack = ExitStack()
        folder.chmod(0o777)
        (folder / ANSWERS).write_text(self.word("", "file"))
        if user is not None:
            os.chown(folder / ANSWERS, user, user)
        self.sentinel = subprocess.Popen(["sleep", "1000"], user=user)
        self._stack.callback(self._end_sentinel)
        self._listeners = [self._listen(socket.AF_INET, ("127.0.0.1", 0))]
        port: int = self._listeners[0].getsockname()[1]
        self._listeners.append(self._listen(socket.AF_UNIX, str(folder / SOCKET)))
        self._listeners.append(self._listen(socket.AF_UNIX, f"\0{folder}"))
        (folder / SOCKET).chmod(0o777)
        self._datagrams = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._datagrams.bind(("127.0.0.1", port))
        self._datagrams.setblocking(False)
        self._process_name = f"atk-{self._salt[:8]}"
        self.facts = (str(folder), port, self.sentinel.pid, os.getpid(), self._process_name)

    def word(self, attack: str, name: str) -> str:
        """The word of this run that stands for `<name>` in an attack's cases; `secret` and `file` are all attacks'."""
        owner = "" if name in ("secret", "file") else attack
        digest = hashlib.sha256(f"{self._salt} {owner} {name}".encode()).hexdigest()
        return str(100 + int(digest, 16) % 400) if name == "n" else f"key{digest[:24]}"

    def harm(self) -> list[str]:
        """What attacks have done here, a line each; empty when all were contained."""
        found = [f"file {path.name} in the host's folder" for path in self.folder.iterdir() if not self._ours(path)]
        if (self.folder / ANSWERS).read_text() != self.word("", "file"):
            found.append("a file of the host was changed")
        for listener in self._listeners:
            with suppress(BlockingIOError):
                listener.accept()
                found.append(f"a connection to {listener.getsockname()!r}")
        with suppress(BlockingIOError):
            self._datagrams.recv(1)
            found.append("a UDP datagram")
        if self.sentinel.poll() is not None:
            found.append("another process was killed")
        deadline = time.monotonic() + DYING_S
        while (left := self._left_running()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return found + [f"process {pid} is left" for pid in left]

    def close(self) -> None:
        self._stack.close()

    def _ours(self, path: Path) -> bool:
        return path.name in (ANSWERS, SOCKET)

    def _left_running(self) -> list[int]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.name() == self._process_name:
                    found.append(process.pid)
        return found

    def _listen(self, family: int, address: tuple[str, int] | str) -> socket.socket:
        listener = self._stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        listener.bind(address)
        listener.listen()
        listener.setblocking(False)
        return listener

    def _end_sentinel(self) -> None:
        self.sentinel.kill()
        self.sentinel.wait()


@contextmanager
def open_world(user: int | None = None) -> Iterator[World]:
    """A world for the time of a run, in a folder that every user can reach."""
    with tempfile.TemporaryDirectory(prefix="attacked-") as folder:
        world = World(Path(folder), user)
        try:
            yield world
        finally:
            world.close()
