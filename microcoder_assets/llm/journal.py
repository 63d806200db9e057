"""Calls on disk before they are sent and again when they end: a killed process loses no answer and hides no cost.

A journal is a file of JSON lines, `{"call": id, "sent": {"key": ..., ...bounds}}` and then one of

    {"call": id, "answered": {...}}    the answer
    {"call": id, "refused": why}       the server says that it did no work
    {"call": id, "lost": why}          it may have worked, and be paid for it, but its answer never came

Its writer holds it locked; one that nobody holds is what a killed process left. Lines reach the operating system, not
the platter, before a call goes on: a kill loses none, a power cut the last seconds.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from microcoder_assets.store.atomic import TEMPORARY

SUFFIX = ".journal"
LOST = "lost-"
"""Before the id of a call whose answer was lost, the key of what it may have cost."""

End = Literal["answered", "refused", "lost"]


class Journal:
    """A new journal in `folder`. Its methods are for one thread at a time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        temporary = folder / f"{TEMPORARY}{name}"
        self._file = temporary.open("xb", buffering=0)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self.path = temporary.rename(folder / f"{name}{SUFFIX}")  # nobody sees it before it is locked

    def sent(self, key: str, most: dict[str, Any]) -> str:
        """The id of a call that is now to be sent. most: what it can cost, as an answer would say it."""
        call = secrets.token_hex(16)
        self._write({"call": call, "sent": {"key": key, **most}})
        return call

    def ended(self, call: str, end: End, what: Any) -> None:
        self._write({"call": call, end: what})

    def close(self) -> None:
        """Let others read what is in it."""
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")


def abandoned(folder: Path) -> Iterator[Path]:
    """The journals that no living process writes, each locked until the next is asked for."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield path


def read_journal(lines: Iterable[bytes]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is to be kept of a journal, each with its `call`: answers by their keys, lost calls by `LOST` and id."""
    unended: dict[str, dict[str, Any]] = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:  # the last line of a killed process
            continue
        call = entry["call"]
        if "sent" in entry:
            unended[call] = entry["sent"]
        elif "answered" in entry:
            yield unended.pop(call)["key"], {"call": call, **entry["answered"]}
        else:
            sent = unended.pop(call)
            if "lost" in entry:
                yield LOST + call, {"call": call, **sent, "lost": entry["lost"]}
    for call, sent in unended.items():
        yield LOST + call, {"call": call, **sent, "lost": "the process was killed"}
