"""Answers kept by key, so that a second run or a crash pays for nothing twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from microcoder_assets.llm.journal import LOST, End, Journal, abandoned, read_journal


class Cache(Protocol):
    """A lasting mapping from str to bytes, such as `store.Packs`. folder: where it lies, and the journals with it."""

    folder: Path

    def get(self, keys: Iterable[str]) -> dict[str, bytes]:
        """The values of those keys that are known."""
        ...

    def put(self, values: Mapping[str, bytes]) -> None:
        """Keep them before returning; a known key keeps its value."""
        ...


class AnswerCache:
    """A Cache of JSON objects for many threads. Every call is journalled; `flush` when done, also after an error.

    What a killed process left in its journal is taken over first. Lost calls are kept by `journal.LOST` and their id.
    """

    def __init__(self, backing: Cache) -> None:
        self._backing = backing
        self._ready: dict[str, bytes] = {}
        self._new: dict[str, dict[str, Any]] = {}
        self._journal: Journal | None = None
        self._lock = threading.Lock()
        for path in abandoned(backing.folder):
            self._take_over(path)

    def prefetch(self, keys: Iterable[str]) -> None:
        """Read what is known of `keys` at once and forget what was read before."""
        with self._lock:
            self._ready = self._backing.get(keys)

    def get(self, key: str) -> dict[str, Any] | None:
        with self._lock:
            if key in self._new:
                return self._new[key]
            value = self._ready.get(key) or self._backing.get([key]).get(key)
        return json.loads(value) if value else None

    def sent(self, key: str, most: dict[str, Any]) -> str:
        """The id of a call that is now to be sent. most: what it can cost, as an answer would say it."""
        with self._lock:
            if self._journal is None:
                self._journal = Journal(self._backing.folder)
            return self._journal.sent(key, most)

    def ended(self, call: str, end: End, what: Any) -> None:
        with self._lock:
            assert self._journal is not None
            self._journal.ended(call, end, what)

    def answered(self, call: str, key: str, answer: dict[str, Any]) -> None:
        self.ended(call, "answered", answer)
        with self._lock:
            self._new[key] = answer

    def put(self, answers: Mapping[str, dict[str, Any]]) -> None:
        """Keep answers that came on another way than by a call."""
        with self._lock:
            self._backing.put({key: _encoded(answer) for key, answer in answers.items()})

    def flush(self) -> None:
        """Move what the journal holds to the backing. No call may be under way."""
        with self._lock:
            if self._journal is not None:
                self._take_over(self._journal.path)
                self._journal.close()
            self._journal, self._new = None, {}

    def _take_over(self, path: Path) -> None:
        """May be cut short and done again: a call is kept once."""
        with path.open("rb") as lines:
            entries = list(read_journal(lines))
        stored = self._backing.get(key for key, _ in entries)
        calls = {key: json.loads(value)["call"] for key, value in stored.items()}
        kept: dict[str, bytes] = {}
        for key, value in entries:
            if calls.setdefault(key, value["call"]) != value["call"]:
                key, value = LOST + value["call"], {**value, "key": key, "text": "", "lost": "asked twice at once"}
            kept[key] = _encoded(value)
        self._backing.put(kept)
        path.unlink(missing_ok=True)


def _encoded(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()
