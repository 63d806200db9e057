"""What a statement's wording says about how its answers are to be judged."""

from __future__ import annotations

import re

from microcoder_judge import Checker

_MARKUP = re.compile(r"<[^>]+>|&nbsp;")
_ANY_ORDER = re.compile(
    r"\b(?:returned|return|answers?|outputs?|results?|solutions?)\b.{0,150}\bin (?:any|arbitrary) order"
)
_GIVE = r"(?:print|output|return|find|report|choose|give|accept)(?:ed)?"
_SEVERAL_ANSWERS = re.compile(
    rf"\b(?:multiple|several|many|more than one|not unique)\b.{{0,120}}\b{_GIVE}\b.{{0,40}}\b(?:any|arbitrary)\b"
    r"|(?<!possible to )(?<!not )\b(?:print|output|return|find) any\b(?! (?:more|other|two|one)\b)"
    rf"|\b{_GIVE}\b.{{0,60}}\bany (?:one )?of (?:them|these|those)\b"
    r"|\bany (?:one )?of (?:them|these|those)\b.{0,30}\baccept"
    r"|\bany (?:valid|correct|possible|suitable|such) (?:answer|solution)"
)
_INTERACTIVE = re.compile(r"\bthis is an interactive\b|\binteractive problem\b")


def plain(statement: str) -> str:
    """The statement's words on one line in lower case, tags removed; for matching only."""
    return " ".join(_MARKUP.sub(" ", statement).lower().split())


def has_several_answers(text: str) -> bool:
    """Whether a plain statement says that more than one answer is right. A regular expression, ours; it errs on yes."""
    return _says(_SEVERAL_ANSWERS, text, "any", "arbitrary")


def is_interactive(text: str) -> bool:
    return _says(_INTERACTIVE, text, "interactive")


def function_checker(text: str) -> Checker | None:
    """The checker of a function problem by its plain statement: `unordered` where it says that the answer may be
    returned in any order, None where several answers are right, else `value`."""
    if _says(_ANY_ORDER, text, "order"):
        return Checker("unordered")
    return None if has_several_answers(text) else Checker("value")


def _says(pattern: re.Pattern[str], text: str, *words: str) -> bool:
    """Whether a sentence matches. Only those with one of `words`, without which none can, are searched: for speed."""
    sentences = (sentence for sentence in text.split(".") if any(word in sentence for word in words))
    return any(pattern.search(sentence) for sentence in sentences)
