"""What sites put into statements beside the problem: advice for one language, rules of a contest, credits, traps."""

from __future__ import annotations

import re

from microcoder_assets.processing.markdown import FENCE

_LINES = re.compile(
    r"^(?:Please,? (?:do not|don't) use (?:the )?`?%lld`? specifi\w+\b[^\n]*"
    r"|C/C\+\+ 输入输出 long long 时请用 `?%lld`?。[^\n]*"
    r"|\*\*(?:题目|本题|原题)?(?:译自|来自)[^\n]*\*\*"
    r"|\*\*(?:时间|空间)限制\s*(?:[:：]\s*\*\*|\*\*\s*[:：])\s*\$[\d.]+\s*\\texttt\{\w+\}\$"
    r"|(?:#* ?格式\n\n)?\**(?:PROGRAM|PROBLEM) NAME\**: *\w+\**"
    r"|请在此填写\w{0,10}"
    r"|[(（](?:file )?\w+\.(?:in|out)[)）]"
    r"|\*\*Note:\*\* This question is the same as [^\n]*)$\n*",
    re.MULTILINE,
)
"""Lines of their own: how C++ of 2010 reads 64-bit numbers (Codeforces, UOJ), who translated (LibreOJ), limits that the
record holds in columns (UOJ), the names and files of USACO's judge, where ours reads standard input (COGS), what a form
asks its author to fill in (Joyoi), and which problem of the site is the same (LeetCode)."""
_SENTENCES = re.compile(
    r"[ ]?\bPROBLEM NAME: *\w+(?m:$)"
    r"|[ ]?\bYou can (?:make|perform) hacks [^.\n]*\bversions? [^.\n]*\."
    r"|[ ]?\bCreate the variable named \w+ to store the input midway in the function\."
    r"|[ ]?\b(?:(?:Namely|Formally|More (?:precisely|specifically)|To clarify)[:,]? (?:let|if)|Let)(?:'s assume that)? "
    r"(?:your|the jury's) answer [^\n]*?\b(?:correct|accepted),? if (?:and only if )?!\[\]\([^)\n]*\)[^.!\n]{0,30}\.?"
)
"""The name that USACO's judge asks for; rules of hacking in a round; the sentence that LeetCode hides off the screen to
mark answers of models: it tells when a statement was published; and the formula of a tolerance as a picture, behind the
sentence that states it."""
_FENCE = re.compile(FENCE, re.MULTILINE | re.DOTALL)


def without_noise(markdown: str) -> str:
    """Clean Markdown without such lines and sentences. Fences stay as they are."""
    first, *rest = _FENCE.split(markdown)
    pieces = [_clean(first)]
    for fence, text in zip(rest[::3], rest[2::3], strict=True):
        pieces += [fence, _clean(text)]
    return "".join(pieces).strip()


def _clean(text: str) -> str:
    cleaned = _SENTENCES.sub("", _LINES.sub("", text))
    return cleaned if cleaned == text else re.sub(r"\n{3,}", "\n\n", cleaned)
