"""Maths that one renderer reads and another refuses, as what LaTeX, KaTeX and MathJax all read."""

from __future__ import annotations

import re
from functools import lru_cache

_TEXT = re.compile(r"\\(?:mbox|text\w{0,6})\{((?:[^{}\\]|\\.)*)\}")
_IN_TEXT = re.compile(r"\$([^$]*)\$")
_SPECIAL = re.compile(r"(?<!\\)[_&#^]")
_SAME_SCRIPTS = re.compile(r"([_^])\{((?:[^{}]|\{[^{}]*\})*)\}\1\{((?:[^{}]|\{[^{}]*\})*)\}")
_BARE_SCRIPT = re.compile(r"([_^])(\\(?:max|min|sup|inf|lim|gcd))(?![A-Za-z])")
_OPERATOR = re.compile(r"(?<!\\newcommand)(?<!\\newcommand\{)\\(and|lcm|xor)(?![A-Za-z])")
_PERCENT = re.compile(r"(\d(?:\\ )?[ ]?)%(?!%)")
_INLINE = {"align": "aligned", "gather": "gathered"}
_ENVIRONMENT = re.compile(r"\\(begin|end)\{(align|gather)\*?\}")


@lru_cache(maxsize=1 << 14)
def mend_maths(maths: str) -> str:
    """Maths between its dollars, with what KaTeX refuses or drops in a form that renders everywhere.

    Signs of LaTeX inside `\\text{}` are escaped, formulas inside it stand outside; `x_{i}_{j}` is one subscript;
    operators that pages define for themselves have their names, and a per cent sign begins no comment.
    """
    dollars = "$$" if maths.startswith("$$") else "$"
    body = maths.removeprefix(dollars).removesuffix(dollars).replace("\\require{cancel}", "")
    if not body.strip():
        return ""
    body = merge_scripts(_TEXT.sub(_text, body))
    body = _PERCENT.sub(r"\1\\%", _OPERATOR.sub(r"\\operatorname{\1}", _BARE_SCRIPT.sub(r"\1{\2}", body)))
    if dollars == "$":
        body = _ENVIRONMENT.sub(lambda found: f"\\{found[1]}{{{_INLINE[found[2]]}}}", body)
    return f"{dollars}{body}{dollars}"


def merge_scripts(maths: str) -> str:
    """Subscripts of one letter that stand apart, `x_{i}_{+1}`, as one; superscripts alike."""
    while (merged := _SAME_SCRIPTS.sub(r"\1{\2\3}", maths)) != maths:
        maths = merged
    return maths


def _text(found: re.Match[str]) -> str:
    command = found[0][: found[0].index("{")].replace("mbox", "text")
    pieces = _IN_TEXT.split(found[1])
    pieces[::2] = [f"{command}{{{_SPECIAL.sub(_escaped, piece)}}}" if piece else "" for piece in pieces[::2]]
    return "".join(pieces) if found[1] else found[0]


def _escaped(sign: re.Match[str]) -> str:
    return r"\^{}" if sign[0] == "^" else f"\\{sign[0]}"
