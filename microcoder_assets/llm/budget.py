"""Money: what a call can cost at most is set aside before it is made."""

from __future__ import annotations

import threading


class BudgetSpent(Exception):
    """The next call might cost more than is left."""


class Budget:
    """limit_usd: for this run. Prices in USD per million tokens; zero prices never run out.

    A call first reserves its upper bound. One that does not fit waits for calls in flight to settle; if none is left
    to wait for, the budget is closed for good, so that which rows are scored does not depend on their size.
    """

    def __init__(self, limit_usd: float, per_million_prompt: float, per_million_completion: float) -> None:
        self._limit = limit_usd
        self._prices = per_million_prompt, per_million_completion
        self._spent = self._reserved = 0.0
        self._in_flight = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def spent_usd(self) -> float:
        return self._spent

    @property
    def closed(self) -> bool:
        """Whether a call did not fit."""
        return self._closed

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        return (prompt_tokens * self._prices[0] + completion_tokens * self._prices[1]) / 1e6

    def reserve(self, usd: float) -> None:
        """Raises BudgetSpent; else `settle` must follow."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._fits(usd) or not self._in_flight)
            if self._closed or not self._fits(usd):
                self._closed = True
                self._changed.notify_all()
                raise BudgetSpent
            self._reserved += usd
            self._in_flight += 1

    def settle(self, reserved_usd: float, actual_usd: float) -> None:
        with self._changed:
            self._in_flight -= 1
            self._reserved = self._reserved - reserved_usd if self._in_flight else 0.0
            self._spent += actual_usd
            self._changed.notify_all()

    def _fits(self, usd: float) -> bool:
        return self._spent + self._reserved + usd <= self._limit
