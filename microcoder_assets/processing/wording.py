"""How answers are to be judged, where only the statement's wording says it."""

from __future__ import annotations

import re
from dataclasses import replace

from microcoder_assets.collection.wording import has_several_answers, is_interactive
from microcoder_judge import Checker

_POWER = r"10\s*\^\s*\{?\s*[-−–]\s*\{?\s*(?P<power>\d{1,2})|1\s*[eE]\s*[-−–]\s*(?P<e>\d{1,2})|(?P<decimal>0\.0*1)(?!\d)"
_TOLERANCE = re.compile(
    rf"(?P<before>(?:absolute|relative|绝对|相对|误差|noggrannhet|felet?)[^\n]{{0,160}}?|\b(?:error|precision|within)\b[^.\n]{{0,80}}?)(?:{_POWER})",
    re.IGNORECASE,
)
_ANY_CASE = re.compile(
    r"\bin (?:any|either|arbitrary) (?:letter )?(?:case|register)\b|case[- ]insensitive"
    r"|\bcase (?:does not|doesn't) matter|大小写(?:不敏感|均可|都可)|不区分大小写",
    re.IGNORECASE,
)
_SEVERAL_ELSEWHERE = re.compile(
    r"(?:输出|给出|打印|求出?|找出?)[^。\n]{0,12}(?:任意|任何|任一|其中)(?:一|的)|任意(?:输出|一种|一组|一个)[^。\n]{0,12}(?:即可|均可|都可)"
    r"|(?:多种|多个|多组|多解)[^。\n]{0,20}(?:任意|任一|任何|均可|都可|即可)|special\s*judge|\bspj\b"
    r"|vilken som helst av|någon av (?:dem|dessa)|flera (?:möjliga )?(?:lösningar|svar)",
    re.IGNORECASE,
)


def several_answers(text: str) -> bool:
    """Whether the statement says that more than one answer is right (English, Chinese, Swedish). Ours; errs on yes."""
    return has_several_answers(" ".join(text.split())) or _SEVERAL_ELSEWHERE.search(text) is not None


def interactive(text: str) -> bool:
    return is_interactive(" ".join(text.split()))


def refine(checker: Checker | None, text: str) -> Checker:
    """The plain token checker with the tolerance and the letter case that the statement grants; others as they are.

    tokens_float: both tolerances where the statement names both or neither kind of error, else the one it names.
    """
    checker = checker or Checker("tokens")
    if checker != Checker("tokens"):
        return checker
    if match := _TOLERANCE.search(text):
        power = match["power"] or match["e"]
        tolerance = float(f"1e-{power}") if power else float(match["decimal"])
        named = match["before"].lower()
        absolute, relative = ("absolute" in named or "绝对" in named), ("relative" in named or "相对" in named)
        if 0 < tolerance < 1:
            return Checker(
                "tokens_float",
                abs_tol=tolerance if absolute or not relative else None,
                rel_tol=tolerance if relative or not absolute else None,
            )
    return replace(checker, case_sensitive=False) if _ANY_CASE.search(text) else checker
