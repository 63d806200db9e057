"""What changed between two lists of one site's problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Difference:
    """Keys, each in order."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    vanished: tuple[str, ...]


def difference(old: Mapping[str, T], new: Mapping[str, T]) -> Difference:
    """Of two lists by key; entries are compared whole."""
    return Difference(
        new=tuple(sorted(new.keys() - old.keys())),
        changed=tuple(sorted(key for key in new.keys() & old.keys() if new[key] != old[key])),
        vanished=tuple(sorted(old.keys() - new.keys())),
    )
