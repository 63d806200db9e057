"""How long to wait: before the next request to a server, and after one that failed."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from email.utils import parsedate_to_datetime


class TokenBucket:
    """At most `rate` tokens a second in the long run, the first `burst` at once. Times in seconds of one clock."""

    def __init__(self, rate: float, burst: int = 1) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at = float(burst), 0.0

    def take(self, now: float, tokens: float = 1) -> float:
        """Take tokens, any number; the seconds from `now` until the request that they stand for may be sent.

        A negative number gives back what a request did not need.
        """
        later = max(now, self._at)
        self._tokens = min(self._burst, self._tokens + (later - self._at) * self._rate) - tokens
        self._at = later
        return later - now + max(0.0, -self._tokens / self._rate)


def backoff(attempt: int, base_s: float, most_s: float, chance: random.Random) -> float:
    """Exponential with full jitter: anything up to base * 2^attempt seconds. attempt: counted from 0."""
    return chance.uniform(0, min(most_s, base_s * 2 ** min(attempt, 32)))


def retry_after(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    """The seconds that a `Retry-After` header asks for, as a number or as an HTTP date; None without a readable one."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return max(0.0, ((then if then.tzinfo else then.replace(tzinfo=dt.UTC)) - now).total_seconds())
