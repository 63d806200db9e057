"""Answers kept by key, so that a second run or a crash pays for nothing twice."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Protocol

FLUSH_EVERY = 64  # answers; what a killed process can lose at most, and the size of a pack


class Cache(Protocol):
    """A lasting mapping from str to bytes, such as `store.Packs`."""

    def get(self, keys: Iterable[str]) -> dict[str, bytes]:
        """The values of those keys that are known."""
        ...

    def put(self, values: Mapping[str, bytes]) -> None:
        """Keep them before returning."""
        ...


class AnswerCache:
    """A Cache for many threads that writes answers in batches. Call `flush` when done, also after an error."""

    def __init__(self, backing: Cache, flush_every: int = FLUSH_EVERY) -> None:
        self._backing = backing
        self._flush_every = flush_every
        self._ready: dict[str, bytes] = {}
        self._pending: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def prefetch(self, keys: Iterable[str]) -> None:
        """Read what is known of `keys` at once and forget what was read before."""
        with self._lock:
            self._ready = self._backing.get(keys)

    def get(self, key: str) -> bytes | None:
        with self._lock:
            for known in (self._ready, self._pending):
                if key in known:
                    return known[key]
            return self._backing.get([key]).get(key)

    def put(self, key: str, value: bytes) -> None:
        with self._lock:
            self._pending[key] = value
            if len(self._pending) >= self._flush_every:
                self._flush()

    def flush(self) -> None:
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        self._backing.put(self._pending)
        self._pending = {}
