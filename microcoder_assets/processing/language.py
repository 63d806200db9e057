"""The natural language of a statement: by script, then by stop words. Cheap, and only as fine as routing needs."""

from __future__ import annotations

import re

_SCRIPTS = {
    "ja": re.compile("[\u3040-\u30ff]"),
    "zh": re.compile("[\u4e00-\u9fff]"),
    "ko": re.compile("[\uac00-\ud7af]"),
    "ru": re.compile("[\u0400-\u04ff]"),
}
_WORDS = {
    "en": "the of and to is in that are you for with be it given each this first line from will as",
    "sv": "och att det som en är på av för med den till ett i om varje första raden kan ska",
    "de": "der die das und ist nicht ein eine zu den von mit für auf dem jede erste zeile wird sich",
    "es": "el la los las de que y en un una es se por con para del cada primera línea debe",
    "da": "og at det som en er på af for med den til et i om hver første linje kan skal",
}
_STOP_WORDS = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_ENOUGH = 4000
"""Characters of a statement that are read. Ours."""
_NOT_PROSE = re.compile(r"```.*?```|`[^`\n]*`|\$[^$]*\$|!?\[[^\]]*\]\([^)]*\)", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+")


def detect_language(text: str, declared: str | None = None) -> str | None:
    """ISO 639-1 code of the statement's language, from its beginning; the declared one unless that contradicts it."""
    prose = _NOT_PROSE.sub(" ", text[:_ENOUGH])
    letters = sum(map(len, _WORD.findall(prose)))
    if letters < 20:
        return declared
    counts = {name: len(script.findall(prose)) for name, script in _SCRIPTS.items()}
    if counts["ja"] > 0.1 * letters:
        return "ja"
    for name in ("zh", "ko", "ru"):
        if counts[name] > 0.15 * letters:
            return name
    words = _WORD.findall(prose.lower())
    hits = {name: sum(word in stop for word in words) for name, stop in _STOP_WORDS.items()}
    best = max(hits, key=lambda name: (hits[name], name))
    if hits[best] < max(3, 0.08 * len(words)) or hits[best] <= 2 * hits.get(declared or "", 0):
        return declared
    return best
