"""What a statement's wording says about whether a problem can be judged at all."""

from __future__ import annotations

import re

_MARKUP = re.compile(r"<[^>]+>|&nbsp;")
_INTERACTIVE = re.compile(r"\bthis is an interactive\b|\binteractive problem\b")


def plain(statement: str) -> str:
    """The statement's words on one line in lower case, tags removed; for matching only."""
    return " ".join(_MARKUP.sub(" ", statement).lower().split())


def is_interactive(text: str) -> bool:
    """Whether a plain statement says that the program talks with the judge."""
    return "interactive" in text and _INTERACTIVE.search(text) is not None
