"""What a model of a problem's inputs can do, and the families of inputs that are drawn from one. All of it is ours.

A model is made only where the whole of what an input must obey was understood; else there is a reason, never a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol

FAMILIES = ("minimal", "small", "random", "maximal", "equal", "sorted", "reversed", "extremes", "mutated")
LONGEST = 40
"""Elements of a list or characters of a string, where the bounds ask for no more: what kills a wrong program is nearly
always small, and small inputs are cheap to judge at every step of training."""
TRIES = 30
"""Draws for one input, until one obeys all constraints."""
_SMALL = 3
_STEPS = (1, 2, 4, 8, 16, LONGEST)


class NoGenerator(ValueError):
    """Why inputs of a problem cannot be drawn, in one line."""


class InputModel(Protocol):
    """accepts: whether an input is valid as far as the constraints say, and has the form that the tests have."""

    def accepts(self, data: bytes) -> bool: ...

    def draw(self, family: str, random: Random, seeds: Sequence[bytes]) -> bytes | None:
        """An input that is accepted; None where TRIES draws gave none. seeds: accepted inputs for family `mutated`."""
        ...


class Draw:
    """Choices in the manner of one family. Sizes and numbers are drawn between inclusive limits."""

    def __init__(self, family: str, random: Random) -> None:
        self.family, self.random = family, random
        self._reach = 10 ** random.randint(0, 18)

    def size(self, low: int, high: int) -> int:
        """Of a list or a string; above LONGEST only where `low` is."""
        high = max(low, min(high, LONGEST))
        if self.family == "minimal":
            return low
        if self.family == "maximal":
            return high
        step = _SMALL if self.family == "small" else self.random.choice(_STEPS)
        return self.random.randint(low, min(high, low + step))

    def number(self, low: int, high: int) -> int:
        near = min(max(low, 0), high)
        match self.family:
            case "minimal":
                return low
            case "small":
                return self.random.randint(max(low, near - _SMALL), min(high, near + _SMALL))
            case "maximal":
                return high if self.random.random() < 0.5 else self.random.randint(low, high)
            case "extremes":
                return min(max(self.random.choice((low, low + 1, near, high - 1, high)), low), high)
            case _:
                return self.random.randint(max(low, near - self._reach), min(high, near + self._reach))

    def text(self, length: int, alphabet: str) -> str:
        """Small alphabets make repeats, which make programs fail."""
        few = alphabet if self.family in ("random", "maximal") else self.random.sample(alphabet, min(3, len(alphabet)))
        if self.family == "equal":
            few = few[:1]
        return "".join(self.random.choices(few, k=length))

    def arrange(self, values: list[int]) -> list[int]:
        """A list as the family would have it: all equal, sorted or reversed."""
        if self.family == "equal":
            return values[:1] * len(values)
        if self.family in ("sorted", "reversed"):
            return sorted(values, reverse=self.family == "reversed")
        return values
