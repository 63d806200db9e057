"""Text that a crawler, a serialiser or a word processor broke, mended before it is converted."""

from __future__ import annotations

import re

import ftfy

_MOJIBAKE = re.compile("[\x80-\x9f]|[ÂÃâãäåæçèéïðÐÑ][\u0080-\u00bf\u0152-\u0192\u02c6-\u02dc\u2013-\u2122]")
"""What text in a wrong encoding nearly always holds. Only then is ftfy asked, which takes longer than all the rest."""
_SYMBOL_FONTS = str.maketrans(
    {
        "\uf020": " ", "\uf028": "(", "\uf029": ")", "\uf02b": "+", "\uf02d": "-", "\uf03c": "<", "\uf03d": "=",
        "\uf03e": ">", "\uf05b": "[", "\uf05d": "]", "\uf06c": "●", "\uf06d": "μ", "\uf06e": "■", "\uf070": "π",
        "\uf075": "◆", "\uf07b": "{", "\uf07d": "}", "\uf0a3": "≤", "\uf0a5": "∞", "\uf0a7": "▪", "\uf0b3": "≥",
        "\uf0b4": "×", "\uf0b7": "•", "\uf0b9": "≠", "\uf0ce": "∈", "\uf0d7": "⋅", "\uf0d8": "➢", "\uf0de": "⇒",
        "\uf0e0": "→", "\uf0e5": "∑", "\uf0fc": "✓",
        "\uf04a": "☺", "\uf04c": "☹", **{chr(0xF030 + digit): str(digit) for digit in range(10)},
    }
)  # fmt: skip
"""Signs of the fonts Symbol and Wingdings, which Word stores in the private use area."""
_PRIVATE = re.compile("[\uf020-\uf0ff]")
_WRAPPED_AT = range(97, 101)
"""Columns at which bzoj broke its lines, a Chinese character being two. Measured: 3,400 lines of its statements that
end without a full stop are this long, and hardly any is longer."""
_CUT_AT = 100
"""The column for text without Chinese characters, which may end one before it. Measured: of 430 lines of bzoj between
two Latin letters that are 80 to 115 wide, 352 are exactly this wide."""
_WIDE = re.compile("[\u2e80-\uffee]")
_BLOCK = re.compile(r"[-*+>|#\ue000]|\d{1,2}[.、)]|[（(]\d|【")
_BULLETS_IN_A_LINE = re.compile(r"^([ \t]*)[*-] .*?\S {3,}[*-] .*$", re.MULTILINE)
_NUMBERS_IN_A_LINE = re.compile(r"^[ \t]*1\. .*?\S {3,}2\. .*$", re.MULTILINE)
_DOUBLE_BACKSLASH = re.compile(r"\\\\\{([^{}\n]{0,80}?)\\{1,2}\}")
_LOST_POWER = re.compile(r"\b109 ?\+ ?7\b")
_LOST_ADDRESS = re.compile(r"(?<=\]\()CDN_BASE_URL/[^\s()]*(?=\))")
_BROKEN_ADDRESS = re.compile(r"(?<=\]\()(https?://[^\s()]*-) (?=[^\s()]*\))")
_MID_SENTENCE = re.compile(r"^.{40,}[a-z,]\n[a-z]", re.MULTILINE)
"""A line of some length that goes on in the next."""
_WRAPPED_WITHIN = 100
"""Characters of the longest line of text that an author or a program wrapped. Ours."""
_SERIALISED = re.compile(r'<[^<>\n]{0,200}=""|<="\d|=""\s+\S{1,12}=""')
_ECHO = re.compile(r"</(?=[a-z,;，。])")
_ECHO_ENDS = re.compile(r"</|>|\n|$")


def mend_characters(text: str) -> str:
    """Mojibake through ftfy, and signs of symbol fonts as what they show. Sound text is left as it is."""
    return mend_symbols(ftfy.fix_encoding(text) if _MOJIBAKE.search(text) else text)


def mend_symbols(text: str) -> str:
    return text.translate(_SYMBOL_FONTS) if _PRIVATE.search(text) else text


def mend_text(text: str) -> str:
    """Text of data sets that lost its markup: items run together on one line, braces of sets escaped twice, 10^9 + 7
    that became `109 + 7`, pictures at an address that was filled in nowhere, and addresses broken behind a hyphen."""
    text = _BULLETS_IN_A_LINE.sub(lambda line: re.sub(r" {3,}(?=[*-] )", f"\n{line[1]}", line[0]), text)
    text = _NUMBERS_IN_A_LINE.sub(lambda line: re.sub(r" {3,}(?=\d{1,2}\. )", "\n  ", line[0]), text)
    text = _DOUBLE_BACKSLASH.sub(r"\\{\1\\}", text)
    text = _BROKEN_ADDRESS.sub(r"\1", text)
    return _LOST_ADDRESS.sub("missing", _LOST_POWER.sub("10^9 + 7", text))


def mend_comparisons(text: str) -> str:
    """Text between tags where a browser took `0<m<=30` for a tag: it comes back as `0<m<="30,"` and `n=""`."""
    if not _SERIALISED.search(text):
        return text
    text = re.sub(r"\s*<=\"\"(?:\s*\w+=\"\")*\s*>?", " ", text)
    text = re.sub(r'<="(?=\d)', "<=", text)
    return re.sub(r'=""|(?<=[\d,])"(?=\s)', "", text)


def is_wrapped(text: str) -> bool:
    """Whether its lines end where they were full rather than where their author ended them."""
    return _MID_SENTENCE.search(text) is not None and max(map(len, text.split("\n"))) <= _WRAPPED_WITHIN


def unwrap(text: str) -> str:
    """Lines that a judge broke at a fixed column, in the middle of words and numbers, as one again.

    Latin letters are joined only where a line was cut at the very column and no space stands on either side.
    """
    first, *rest = re.split(r"(\n\s*)", text)
    pieces, last = [first], first
    for gap, line in zip(rest[::2], rest[1::2], strict=True):
        if not (_continues(last, line) or _cut(last, gap, line)):
            pieces.append(gap)
        pieces.append(line)
        last = gap.rpartition("\n")[2] + line
    return "".join(pieces)


def _continues(line: str, following: str) -> bool:
    line = line.rstrip()
    widths = {_width(text) for text in (line, line.lstrip())}
    if not line.strip() or not following or widths.isdisjoint(_WRAPPED_AT):
        return False
    if "\ue000" in line or line[-1] in ".。!！?？:：;；" or _BLOCK.match(following):
        return False
    ends = line[-1] + following[0]
    return _WIDE.search(ends) is not None or ends.isdigit()


def _cut(line: str, gap: str, following: str) -> bool:
    """Whether a line of Latin text was cut in the middle of a word."""
    ends = line[-1:] + following[:1]
    if len(line) > _CUT_AT or not (len(ends) == 2 and ends.isascii() and ends[0].isalnum()) or "\u00a0" in gap:
        return False
    return (ends[1].isalnum() or ends[1] in ",.;:)'") and not _BLOCK.match(following) and _width(line) == _CUT_AT


def _width(line: str) -> int:
    """In columns; a Chinese character is two."""
    return len(line) + len(_WIDE.findall(line))


def drop_echoes(text: str) -> str:
    """The same page's end tags for such tags, `</m<=30...`: in lower case they repeat what stands before them."""
    pieces, last = [], 0
    for start in _ECHO.finditer(text):
        if start.start() < last:
            continue
        before = text[: start.start()].lower()
        for end in _ECHO_ENDS.finditer(text, start.end()):
            if f"<{text[start.end() : end.start()].strip().lower()}" in before:
                pieces.append(text[last : start.start()])
                last = end.end() if end[0] == ">" else end.start()
                break
            if end[0] in ("\n", ""):
                break
    return "".join([*pieces, text[last:]]) if pieces else text
