"""What a statement's wording says about how its answers are to be judged."""

from __future__ import annotations

import re

from microcoder_judge import Checker

_MARKUP = re.compile(r"<[^>]+>|&nbsp;")
_ANY_ORDER = re.compile(
    r"\b(?:returned|return|answers?|outputs?|results?|solutions?)\b[^.]{0,150}\bin (?:any|arbitrary) order",
    re.IGNORECASE,
)
_GIVE = r"(?:print|output|return|find|report|choose|give|accept)(?:ed)?"
_SEVERAL_ANSWERS = re.compile(
    rf"\b(?:multiple|several|many|more than one|not unique)\b[^.]{{0,120}}\b{_GIVE}\b[^.]{{0,40}}\b(?:any|arbitrary)\b"
    r"|(?<!possible to )(?<!not )\b(?:print|output|return|find) any\b(?! (?:more|other|two|one)\b)"
    rf"|\b{_GIVE}\b[^.]{{0,60}}\bany (?:one )?of (?:them|these|those)\b"
    r"|\bany (?:one )?of (?:them|these|those)\b[^.]{0,30}\baccept"
    r"|\bany (?:valid|correct|possible|suitable|such) (?:answer|solution)",
    re.IGNORECASE,
)
_INTERACTIVE = re.compile(r"\bthis is an interactive\b|\binteractive problem\b", re.IGNORECASE)


def plain(statement: str) -> str:
    """The statement's words on one line, tags removed; for matching only."""
    return " ".join(_MARKUP.sub(" ", statement).split())


def has_several_answers(text: str) -> bool:
    """Whether a plain statement says that more than one answer is right. A regular expression, ours; it errs on yes."""
    return _SEVERAL_ANSWERS.search(text) is not None


def is_interactive(text: str) -> bool:
    return _INTERACTIVE.search(text) is not None


def function_checker(text: str) -> Checker | None:
    """The checker of a function problem by its plain statement: `unordered` where it says that the answer may be
    returned in any order, None where several answers are right, else `value`."""
    if _ANY_ORDER.search(text):
        return Checker("unordered")
    return None if has_several_answers(text) else Checker("value")
