"""Checker inference: what a statement's wording says about how answers are compared, with the sentence that says it.

Four rules (ours), each a pattern over one sentence:

any_valid   several answers are right ("if there are several answers, print any of them"): no checker of ours can tell
any_order   the answer's parts in any order: `unordered` for a returned list. What a program prints in any order is, on
            real statements, as often one choice among several or shuffled within lines: no checker of ours either
tolerance   numbers within an error that the sentence states: `tokens_float`, or the tolerances of a value
any_case    letters in any case: `yesno` where the sentence quotes yes and no alone, else case does not count
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from microcoder_judge import Checker

_SENTENCE_END = re.compile(r"(?<=[.!?])[*_)\"”]*\s+|(?<=[。！？；])|\n\s*\n|\n(?=\s*(?:[-*+|]|\d+\.)\s)")
_EMPHASIS = re.compile(r"~~.*?~~|(?<![\w*])\*{1,3}(?=\S)|(?<=\S)\*{1,3}(?![\w*])")

_GIVE = r"(?:print|output|return|find|report|give|accept|write|construct|provide)(?:ed|s)?"
_ANY_VALID = re.compile(
    r"\b(?:multiple|several|many|more than one|not unique|various)\b.{0,120}"
    rf"\b{_GIVE}\b.{{0,40}}\b(?:any|arbitrary)\b(?! order)|\bchoose any (?:one )?(?:answer|solution)\b"
    rf"|\b{_GIVE}\b.{{0,60}}\bany (?:one )?of (?:them|these|those|the (?:possible|valid|correct|suitable))\b"
    r"|(?<!possible to )(?<!not )\b(?:print|output|return|find) any\b"
    r"(?! (?:more|other|two|one|of the following|order)\b)"
    r"|\bany (?:one )?of (?:them|these|those)\b.{0,30}\baccept"
    r"|\bany (?:valid|correct|possible|suitable|such|optimal) (?:answer|solution|output|construction)s?\b"
    r"|\balso (?:be )?accept|\balso (?:an? )?(?:valid|correct|acceptable) (?:answer|solution|output|permutation|string)"
    r"|(?:解|方案|答案|输出|给出)[^。]{0,20}任意(?:输出|一种|一组|一个)?[^。]{0,6}(?:即可|均可|都可)"
    r"|(?:输出|给出|打印|找出)(?:(?!不|没有|对于)[^。]){0,12}(?:任意|任何|任一|其中)一"
    r"|(?:多种|多个|多组|多解)(?:(?!没有|对于|但|其它|其他)[^。]){0,20}(?:任意|任一|任何|均可|都可|即可)(?!两)"
    r"|special\s*judge|\bspj\b|vilken som helst av|någon av (?:dem|dessa)|flera (?:möjliga )?(?:lösningar|svar)",
    re.IGNORECASE,
)
_FRUITLESS = re.compile(
    r"(?:n['’]t|\bnot|\bunable|\bfailed|\bsucceeded)\b[^,.]{0,25} find any"
    r"|(?:不|没有)[^。]{0,8}(?:special\s*judge|spj)",
    re.IGNORECASE,
)
"""A sentence about somebody who did not find any, or a judge that is not there, asks for nothing."""
_ANY_ORDER = re.compile(
    r"\b(?:returned|return|answers?|outputs?|results?|solutions?|print(?:ed)?|listed)\b"
    r"(?:(?!\bconcatenat|\brearrang|\breorder|\bperform|\bsell).){0,150}\bin (?:any|arbitrary|an arbitrary) order\b"
    r"|\border\b[^.]{0,40}\b(?:return|output|print|answer)[^.]{0,60}\b(?:does|do)(?: not|n['’]t) matter"
    r"|输出[^。]{0,20}(?:任意(?:的)?顺序|顺序任意|顺序不限|顺序无关)|任意(?:的)?顺序(?:地)?(?:输出|打印|给出)",
    re.IGNORECASE,
)
_TOLERANCE = re.compile(
    r"(?P<before>\b(?:absolute|relative)\b.{0,60}?\b(?:error|inaccuracy|difference|precision|deviation)\b.{0,160}?"
    r"|(?:绝对|相对).{0,8}误差.{0,40}?|误差[^，。]{0,40}?"
    r"|(?:答案|输出|结果)[^。]{0,20}(?:差别|相差)[^。]{0,8}?"
    r"|\b(?:noggrannhet|felet?)\b.{0,80}?"
    r"|\b(?:error|precision|accuracy|within)\b[^.]{0,80}?)"
    r"(?:10\s*\^?\s*\{?\s*[-−–]\s*\{?\s*(?P<power>\d{1,2})|1\s*[eE]\s*[-−–]\s*(?P<e>\d{1,2})|(?P<decimal>0\.0*1)(?!\d))",
    re.IGNORECASE,
)
_GUARANTEE = re.compile(r"保证|数据设计|\bguaranteed\b", re.IGNORECASE)
"""A sentence with one of these promises something of the data and grants nothing."""
_ANY_CASE = re.compile(
    r"\b(?:print|output|display|letters?|characters?|answer|words?|yes|no)(?:ed)?\b(?:(?!\bnot\b).){0,80}"
    r"(?:\bin (?:any|either|arbitrary) (?:letter )?(?:case|register)\b|\bcase[- ]insensitive)"
    r"|\bletter case (?:does not|doesn't) matter|\bcase of (?:the )?letters (?:does not|doesn't) matter"
    r"|输出[^。]{0,30}(?:大小写(?:不敏感|均可|都可)|不区分大小写)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"'“‘`{]([^\W\d_]{2,12})[\"'”’`}]")
_YES_NO = frozenset({"yes", "no"})

_HINTS = {
    "any_valid": ("any", "arbitrary", "also", "任", "多", "其中", "special", "spj", "någon", "vilken", "flera"),
    "any_order": ("order", "顺序"),
    "tolerance": (
        "error", "within", "precision", "accuracy", "absolute", "relative", "noggrannhet", "fel", "误差", "差别",
        "相差",
    ),
    "any_case": ("case", "register", "大小写"),
}  # fmt: skip
"""Words, one of which every sentence that a rule matches holds; for speed."""
_PATTERNS = {"any_valid": _ANY_VALID, "any_order": _ANY_ORDER, "tolerance": _TOLERANCE, "any_case": _ANY_CASE}


class Evidence(NamedTuple):
    """The sentence, on one line, that a rule fired on."""

    rule: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Inference:
    """checker: None where several answers are right and no checker of ours can tell them from wrong ones."""

    checker: Checker | None
    evidence: tuple[Evidence, ...] = ()


def infer_checker(text: str, io_mode: str, starter_code: str | None = None) -> Inference:
    """The checker that the wording asks for; the plain one of the io mode where it asks for none.

    text: what the statement says, without what it says of its input.
    """
    found = _first_matches(text)
    several = {"any_valid"}
    if io_mode == "function":
        found.pop("any_case", None)
        if "-> bool" in (starter_code or ""):
            found.pop("any_valid", None)  # what is to be found is not returned
        elif "-> str" in (starter_code or ""):
            several.add("any_order")
        elif "any_order" in found and "any_valid" in found and found["any_valid"][0].lower().startswith("also"):
            del found["any_valid"]  # the answer that is also accepted is the same one in another order
    else:
        several.add("any_order")
    if several & found.keys():
        return Inference(None, tuple(Evidence(rule, found[rule].string) for rule in found if rule in several))
    checker = _of_function(found) if io_mode == "function" else _of_program(found)
    return Inference(checker, tuple(Evidence(rule, match.string) for rule, match in found.items()))


def sentences(text: str) -> Iterator[str]:
    """The sentences of Markdown, each on one line, without marks of emphasis and what is struck out."""
    return filter(None, map(_plain, _SENTENCE_END.split(text)))


def _plain(sentence: str) -> str:
    return " ".join(_EMPHASIS.sub("", sentence).split())


def _first_matches(text: str) -> dict[str, re.Match[str]]:
    """The first sentence that each rule fires on, by rule."""
    left = {rule for rule in _HINTS if _hinted(rule, text.lower())}
    found: dict[str, re.Match[str]] = {}
    for part in _SENTENCE_END.split(text) if left else ():
        lowered = part.lower()
        for rule in [rule for rule in left if _hinted(rule, lowered)]:
            match = _PATTERNS[rule].search(_plain(part))
            if match and _grants(rule, match.string):
                found[rule] = match
                left.discard(rule)
    return {rule: found[rule] for rule in _PATTERNS if rule in found}


def _hinted(rule: str, lowered: str) -> bool:
    return any(hint in lowered for hint in _HINTS[rule])


def _grants(rule: str, sentence: str) -> bool:
    if rule == "any_valid":
        return not _FRUITLESS.search(sentence) and ("any of" in sentence.lower() or not _ANY_CASE.search(sentence))
    return rule != "tolerance" or _GUARANTEE.search(sentence) is None


def _of_function(found: Mapping[str, re.Match[str]]) -> Checker:
    checker = Checker("unordered" if "any_order" in found else "value")
    if "tolerance" in found:
        absolute, relative = _tolerances(found["tolerance"])
        return replace(checker, abs_tol=absolute, rel_tol=relative)
    return checker


def _of_program(found: Mapping[str, re.Match[str]]) -> Checker:
    case_sensitive = "any_case" not in found
    if "tolerance" in found:
        absolute, relative = _tolerances(found["tolerance"])
        return Checker(
            "tokens_float", abs_tol=absolute, rel_tol=relative, case_sensitive=case_sensitive, integers="close"
        )
    if "any_case" in found:
        quoted = {word.lower() for word in _QUOTED.findall(found["any_case"].string)}
        return Checker("yesno") if quoted and quoted <= _YES_NO else Checker("tokens", case_sensitive=False)
    return Checker("tokens")


def _tolerances(match: re.Match[str]) -> tuple[float | None, float | None]:
    """Absolute and relative: both where the sentence names both or neither kind of error, else the one it names."""
    power = match["power"] or match["e"]
    tolerance = float(f"1e-{power}") if power else float(match["decimal"])
    named = match["before"].lower()
    absolute, relative = ("absolute" in named or "绝对" in named), ("relative" in named or "相对" in named)
    return (tolerance if absolute or not relative else None, tolerance if relative or not absolute else None)
