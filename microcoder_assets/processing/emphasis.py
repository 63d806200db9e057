"""Asterisks of clean Markdown: products that it would read as emphasis, and emphasis that it would not read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from microcoder_assets.processing.markdown import masked

_RUN = re.compile(r"(?<![\\*])(?:(?<=\S)\*{1,2}(?!\*)|\*{1,2}(?=[^\s*]))")
"""One or two asterisks that touch a text."""
_BLOCK_END = re.compile(r"\n\s*\n|\n[ ]*(?:(?:[-+*]|\d{1,9}[.)])[ ]|[#>|])")
_FACTOR = re.compile(r"(?:(?<![A-Za-z])[A-Za-z]{1,5}|[\d)\]}$…]|\.\.)\Z")
_NEXT_FACTOR = re.compile(r"(?![A-Za-z]\w{0,3}\*(?![\w(\[{$.…*]))(?:[A-Za-z]{1,5}(?![A-Za-z])|[\d(\[{$…]|\.\.)")
"""What a product goes on with. The name in `2*n* disks` stands in italics."""
_QUOTED = re.compile("['\"“‘’.]\\*['\"”’.]")
_WORD = re.compile(r"[^\W_]|\$")


def mend_emphasis(markdown: str) -> str:
    """Clean Markdown with `\\*` in `n*m ... p*q`, where two would set what stands between them in italics, and with a
    space at bold text whose marks it does not read because a sign stands on one side and a letter on the other.
    Paragraphs with longer runs of asterisks stay as they are: what they mean is open.
    """
    if "*" not in markdown:
        return markdown
    prose = masked(markdown)
    blocks: list[list[re.Match[str]]] = []
    for run in _RUN.finditer(prose):
        if not blocks or _BLOCK_END.search(prose, blocks[-1][-1].end(), run.end() + 1):
            blocks.append([])
        blocks[-1].append(run)
    clear = [runs for runs in blocks if "***" not in prose[runs[0].start() : runs[-1].end()]]
    pieces, last = [], 0
    inserted = [found for runs in clear for found in (*_products(prose, runs), *_gaps(prose, runs))]
    for at, text in sorted(inserted):
        pieces += [markdown[last:at], text]
        last = at
    return "".join([*pieces, markdown[last:]])


def _products(prose: str, runs: Sequence[re.Match[str]]) -> Iterator[tuple[int, str]]:
    """Where a single asterisk is one of the text, in a paragraph that has another."""
    single = [run for run in runs if len(run[0]) == 1]
    opened = False
    for run in single if len(single) > 1 else ():
        if not opened and _is_literal(prose, run):
            yield run.start(), "\\"
        else:
            before, behind = prose[max(run.start() - 1, 0) : run.start()], prose[run.end() : run.end() + 1]
            opened = before.isspace() if opened else bool(behind.strip())


def _is_literal(prose: str, run: re.Match[str]) -> bool:
    """Whether it stands between two factors, or alone in quotation marks."""
    before = prose[max(run.start() - 6, 0) : run.start()]
    if _QUOTED.match(prose, run.start() - 1 if before else 0):
        return True
    return _FACTOR.search(before) is not None and _NEXT_FACTOR.match(prose, run.end()) is not None


def _gaps(prose: str, runs: Sequence[re.Match[str]]) -> Iterator[tuple[int, str]]:
    """Where bold text needs a space before it or behind it."""
    double = [run for run in runs if len(run[0]) == 2]
    for opening, closing in zip(double[::2], double[1::2], strict=False):
        text = prose[opening.end() : closing.start()]
        if not _WORD.search(text) or text[0].isspace() or text[-1].isspace():
            continue
        if _is_sign(text[0]) and _is_word(prose[: opening.start()][-1:]):
            yield opening.start(), " "
        if _is_sign(text[-1]) and _is_word(prose[closing.end() : closing.end() + 1]):
            yield closing.end(), " "


def _is_sign(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def _is_word(character: str) -> bool:
    return character.isalnum()
