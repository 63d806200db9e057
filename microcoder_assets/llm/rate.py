"""Requests and tokens a minute, for many threads."""

from __future__ import annotations

import threading
import time

from microcoder_assets.throttle import TokenBucket


class RateLimit:
    """requests, tokens: most in a minute, without bursts; None: no limit."""

    def __init__(self, requests: int | None, tokens: int | None) -> None:
        self._requests = TokenBucket(requests / 60) if requests else None
        self._tokens = TokenBucket(tokens / 60) if tokens else None
        self._lock = threading.Lock()

    def wait(self, tokens: int) -> None:
        """Sleep until a request that uses at most `tokens` may be sent."""
        with self._lock:
            now = time.monotonic()
            delays = [bucket.take(now) for bucket in (self._requests,) if bucket]
            delays += [bucket.take(now, tokens) for bucket in (self._tokens,) if bucket]
        time.sleep(max(delays, default=0.0))

    def give_back(self, tokens: int) -> None:
        """What a request did not use of the tokens that it waited for."""
        if self._tokens:
            with self._lock:
                self._tokens.take(time.monotonic(), -tokens)
