"""HTML, and Markdown with HTML in it, to clean Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable

import lxml.html
from lxml.html import HtmlElement

from microcoder_assets.processing.markdown import (
    TAG,
    Vault,
    clean_characters,
    code_span,
    fence,
    finish,
    table,
    trim_maths,
)
from microcoder_assets.processing.maths import mend_maths, merge_scripts
from microcoder_assets.processing.repair import drop_echoes, mend_comparisons, unwrap

_MAX_DEPTH = 80
_LONGEST_TITLE = 60
"""Characters of a heading; longer ones are paragraphs in large type. Ours."""
_JUNK = re.compile(r'<[^<>\s]*(?:\s*[\w:-]*="")+\s*>|<!\[[^\]>]*\]>|<\?[^<>]*>|<!DOCTYPE[^<>]*>', re.IGNORECASE)
_UNKNOWN_END_TAG = re.compile(r"</[A-Za-z][^>\n]{0,40}>")
_BACKSLASH = re.compile(r"((?<!\\)<(\w+)(?:\s[^<>]*)?>[^<>\n]*)\\(</\2>)")
"""A backslash at the end of an element, which would escape its end tag."""
_DOUBLY_QUOTED = re.compile(r"``([^`\n]{1,80}?)(?:''|\"|&quot;|&#34;)")
_QUOTED = re.compile(r"(?<!`)`([^`'\n]{1,80}?)(?:'|&#39;|&#x27;)(?!\w)")
"""Words between the quotation marks of TeX on pages that know no code spans."""
_DROPPED = {
    "audio", "head", "iframe", "link", "meta", "noscript", "object", "script", "source", "style", "title", "video",
    "xml",
}  # fmt: skip
_BLOCKS = {
    "address", "article", "aside", "body", "caption", "center", "dd", "div", "dl", "dt", "fieldset", "figcaption",
    "figure", "footer", "form", "header", "html", "main", "p", "section",
}  # fmt: skip
_APART = _BLOCKS | {"blockquote", "hr", "ol", "pre", "table", "ul"}
"""Elements that end a line, so that white space behind them means nothing."""
_MARKERS = {
    **dict.fromkeys(("strong", "b", "u"), "**"),
    **dict.fromkeys(("em", "i", "italic", "var", "cite", "dfn"), "*"),
    **dict.fromkeys(("del", "s", "strike"), "~~"),
}
_CODE = {"code", "kbd", "samp", "tt"}
_CLASS_MARKERS = {
    **dict.fromkeys(("tex-font-style-bf", "tex-font-style-underline"), "**"),
    **{"tex-font-style-it": "*", "tex-font-style-striked": "~~"},
}
_CAPTIONS = {"tex-font-size-small", "tex-font-size-script"}
_CLASS_HEADINGS = {"input-specification": "Input", "output-specification": "Output"}
_SCRIPT = re.compile(
    "(?P<base>\\*{0,2}[A-Za-z0-9]*\\*{0,2})(?:\\^(?=\ue002\\^))?(?P<scripts>(?:\ue002[^\ue002\ue003]*\ue003)+)"
)
_ORDINALS = ("st", "nd", "rd", "th")
_ORDINAL = re.compile(rf"\ue002\^\{{({'|'.join(_ORDINALS)})\}}\ue003")
_SPLIT_SCRIPT = re.compile(r"</(su[bp])><\1>", re.IGNORECASE)
"""Where an editor wrote one script as two, `4<sup>t</sup><sup>h</sup>`."""
_ORDINAL_OF_CODE = re.compile(rf"(.+)\^({'|'.join(_ORDINALS)})", re.DOTALL)
_EXPLANATION = re.compile(r"\s*expl", re.IGNORECASE)
_TO_TEX = str.maketrans(
    {
        "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "·": r"\cdot ", "×": r"\times ", "…": r"\ldots ", "→": r"\to ",
        "∞": r"\infty ", "∈": r"\in ", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ",
        "⊕": r"\oplus ", "{": r"\{", "}": r"\}", "%": r"\%", "#": r"\#", "&": r"\&", "−": "-", "–": "-", "\u00a0": " ",
    }
)  # fmt: skip
_MOD = re.compile(r"(?<= )mod(?= [\w(])")
_WORD = re.compile("\\w|\ue000")
_COMMA = re.compile(r"\A[\s,.;:)]+")
"""What stands before emphasis rather than in it: Markdown reads no mark between a letter and a comma."""
_LINES = ("br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6")
_PARSER = lxml.html.HTMLParser(remove_comments=True, remove_pis=True)
_SAMPLE_INPUT = re.compile(r"\s*(?:输入样例|样例输入|输入|sample\s+input|input|\w+\.in)\s*\d*\s*:?\s*", re.IGNORECASE)
_SAMPLE_OUTPUT = re.compile(
    r"\s*(?:输出样例|样例输出|输出|sample\s+output|output|\w+\.(?:out|ans))\s*\d*\s*:?\s*", re.IGNORECASE
)


def html_to_markdown(text: str, keep_newlines: bool = False) -> str:
    """Clean Markdown of HTML, of Markdown, or of a mixture.

    Maths in `$...$` and code keep their text. Superscripts become `$10^{5}$` in prose and `10^5` in code, `pre`
    a fence, a table of samples headings with fences. `keep_newlines`: newlines in the text mean something, as in
    Markdown and plain text. Clean Markdown comes out as it went in.
    """
    vault = Vault()
    text = clean_characters(text).replace("<image>", "![](image)")
    text = _SPLIT_SCRIPT.sub("", _BACKSLASH.sub(r"\1&#92;\3", text))
    if not keep_newlines:
        text = _QUOTED.sub(r"'\1'", _DOUBLY_QUOTED.sub(r'"\1"', text))
    text = _JUNK.sub("", vault.protect(trim_maths(text), page=not keep_newlines))
    if TAG.search(text):
        text = _Renderer(vault, keep_newlines).document(text)
    return finish(drop_echoes(text if keep_newlines else unwrap(text)), vault)


class _Renderer:
    def __init__(self, vault: Vault, keep_newlines: bool) -> None:
        self.vault = vault
        self.keep_newlines = keep_newlines

    def document(self, text: str) -> str:
        """The whole text; what the parser gives up on, elements nested too deep, loses its tags only."""
        root = lxml.html.fragment_fromstring(_escape_text(text), create_parent="div", parser=_PARSER)
        rendered = _join_scripts(self._children(root, 0, top=True), self.vault)
        return rendered if rendered.strip() else TAG.sub(" ", text)

    def _children(self, element: HtmlElement, depth: int, top: bool = False) -> str:
        if depth > _MAX_DEPTH:
            return self._text("".join(element.itertext()), top)
        pieces = [self._text(element.text or "", top)]
        marked = ""
        for child in element:
            tail = child.tail or ""
            if isinstance(child.tag, str):
                pieces.append(self._element(child, depth + 1))
                marker = _marker(child) if pieces[-1].endswith(("*", "~")) else ""
                if marker and marker == marked and pieces[-2].endswith(marker) and pieces[-1].startswith(marker):
                    pieces[-2:] = [pieces[-2].removesuffix(marker) + pieces[-1].removeprefix(marker)]
                marked = "" if tail else marker
                if child.tag == "br" or child.tag in _APART:
                    tail = tail.lstrip(" \t" if self.keep_newlines and child.tag != "br" else " \t\n")
            if tail:
                pieces.append(self._text(tail, top))
        return "".join(pieces).replace("\ue001\ue000", "\ue001 \ue000")

    def _text(self, text: str, top: bool) -> str:
        if top or self.keep_newlines or ("\n" not in text and "  " not in text):
            return text
        blocks = re.split(r"\n[ \t]*\n\s*|\n(?=[ ]{0,3}#{1,6}[ ])|(?<=\n)(?=\ue000)", text)
        return "\n\n".join(re.sub(r"[ \t\n]+", " ", block) for block in blocks)

    def _element(self, element: HtmlElement, depth: int) -> str:
        tag, names = element.tag.lower(), (element.get("class") or "").split()
        if tag in _DROPPED:
            return ""
        if handler := _HANDLERS.get(tag):
            return handler(self, element, depth)
        if tag in _CODE or "tex-font-style-tt" in names:
            return self._code(element)
        if (tag == "math" or "katex" in names) and (tex := element.find(".//annotation")) is not None:
            return self.vault.hold(mend_maths(f"${(tex.text or '').strip()}$"))
        if "tex-span" in names and (maths := self._maths(element)):
            return maths
        inner = self._children(element, depth)
        if marker := _marker(element):
            return inner if self.vault.restore(inner).lstrip().startswith("![") else _emphasis(inner, marker)
        if tag in _BLOCKS or _is_caption(element, names):
            heading = next((f"## {_CLASS_HEADINGS[n]}\n\n" for n in names if n in _CLASS_HEADINGS), "")
            block = inner.strip(" \t\n")
            return f"\n\n{heading}{block}\n\n"
        return inner

    def _code(self, element: HtmlElement) -> str:
        code = _flat(element)
        if "\n" in code.strip():
            return "\n\n" + self.vault.hold(fence(self.vault.restore(code))) + "\n\n"
        held = self.vault.restore(code)
        if not self.keep_newlines:
            held = held.replace(r"\*", "*")
        left, right = (" " if code[:1].isspace() else ""), (" " if code[-1:].isspace() else "")
        ordinal = _ORDINAL_OF_CODE.fullmatch(held.strip())
        span, behind = (ordinal[1], ordinal[2]) if ordinal else (held, "")
        return left + self.vault.hold(code_span(span)) + behind + right if held.strip() else " "

    def _maths(self, element: HtmlElement) -> str:
        maths = " ".join(_flat(element, tex=True).split())
        if not maths or "\ue000" in maths or "$" in maths or element.find(".//img") is not None:
            return ""
        return self.vault.hold(mend_maths("$" + _MOD.sub(r"\\bmod", maths) + "$"))

    def _pre(self, element: HtmlElement, depth: int) -> str:
        _mark_underlined(element)
        code = self.vault.restore(_flat(element))
        if element.find(".//p") is not None:  # an editor's paragraphs, one a line
            code = re.sub(r"\n(?:[ \t]*\n)+", "\n", code)
        return "\n\n" + self.vault.hold(fence(code)) + "\n\n" if code.strip() else "\n\n"

    def _break(self, element: HtmlElement, depth: int) -> str:
        return "\n" + self._children(element, depth)

    def _rule(self, element: HtmlElement, depth: int) -> str:
        return "\n\n---\n\n" + self._children(element, depth)

    def _heading(self, element: HtmlElement, depth: int) -> str:
        title, _, rest = self._children(element, depth).strip().partition("\n\n")
        title = " ".join(title.replace("**", "").split())
        if len(title) > _LONGEST_TITLE or "![" in self.vault.restore(title):
            return f"\n\n{title}\n\n{rest}\n\n"
        return f"\n\n{'#' * max(3, int(element.tag[1]))} {title}\n\n{rest}\n\n" if title else ""

    def _script(self, element: HtmlElement, depth: int) -> str:
        inner = " ".join(_flat(element, tex=True).split())
        if inner in (".", "·", r"\cdot") and element.tag == "sup":
            return "·"
        if "\ue000" in inner or element.find(".//img") is not None:
            return self._children(element, depth)
        return f"\ue002{'^' if element.tag == 'sup' else '_'}{{{inner}}}\ue003" if inner else ""

    def _image(self, element: HtmlElement, depth: int) -> str:
        alt = " ".join((element.get("alt") or "").split())
        if alt and "tex-formula" in (element.get("class") or ""):
            return alt
        source = element.get("src") or ""
        source = {"data": "embedded", "file": "missing"}.get(source.partition(":")[0].lower(), source)
        source = source.replace(" ", "%20").replace(")", "%29")
        return self.vault.hold(f"![{self.vault.restore(alt).replace(']', ' ')}]({source.strip()})")

    def _svg(self, element: HtmlElement, depth: int) -> str:
        return self.vault.hold("![](embedded)")

    def _link(self, element: HtmlElement, depth: int) -> str:
        inner, target = self._children(element, depth), (element.get("href") or "").strip()
        if not inner.strip() or "\n" in inner.strip() or not target.startswith(("http://", "https://")):
            return inner
        return f"[{inner.strip()}]({self.vault.hold(target.replace(' ', '%20'))})"

    def _quote(self, element: HtmlElement, depth: int) -> str:
        inner = re.sub(r"\n{2,}", "\n\n", self._children(element, depth).strip())
        return "\n\n" + re.sub(r"^", "> ", inner, flags=re.MULTILINE) + "\n\n"

    def _list(self, element: HtmlElement, depth: int) -> str:
        lines, number = [], 0
        for item in element:
            if not isinstance(item.tag, str):
                continue
            inner = re.sub(r"\s*\n\s*\n\s*", "\n\n", self._element_or_item(item, depth + 1)).strip()
            if not inner:
                continue
            number += 1
            bullet = f"{number}. " if element.tag == "ol" else "- "
            lines.append(bullet + inner.replace("\n", "\n" + " " * len(bullet)))
        return "\n\n" + "\n".join(lines) + "\n\n"

    def _element_or_item(self, item: HtmlElement, depth: int) -> str:
        return self._children(item, depth) if item.tag == "li" else self._element(item, depth)

    def _table(self, element: HtmlElement, depth: int) -> str:
        rows = _grid(element)
        if not rows:
            return "\n\n" + self._children(element, depth).strip() + "\n\n"
        header = [_flat(cell) for cell in rows[0]]
        names = (_SAMPLE_INPUT, _SAMPLE_OUTPUT)
        if len(rows) > 1 and len(header) == 2 and all(n.fullmatch(h) for n, h in zip(names, header, strict=True)):
            return self._samples(rows[1:])
        if max(map(len, rows)) == 1 or element.find(".//pre") is not None:
            cells = [self._children(cell, depth + 1).strip() for row in rows for cell in row]
            return "\n\n" + "\n\n".join(cells) + "\n\n"
        return "\n\n" + table([[self._cell(cell, depth) for cell in row] for row in rows]) + "\n\n"

    def _cell(self, cell: HtmlElement, depth: int) -> str:
        """One cell; a table in it stands as its text."""
        for inner in cell.iterdescendants("table"):
            inner.tag = "div"
            for part in inner.iterdescendants("td", "th"):
                part.tail = " "
        return self.vault.in_cell(self._children(cell, depth + 1))

    def _samples(self, rows: list[list[HtmlElement]]) -> str:
        blocks = []
        pairs = [[self.vault.restore(_lines(cell)) for cell in row] for row in rows if len(row) == 2]
        for number, pair in enumerate((pair for pair in pairs if any(map(str.strip, pair))), 1):
            for name, text in zip(("Input", "Output"), pair, strict=True):
                blocks.append(f"### Sample {name} {number}")
                blocks.append(self.vault.hold(fence(text)))
        return "\n\n" + "\n\n".join(blocks) + "\n\n"


_HANDLERS: dict[str, Callable[[_Renderer, HtmlElement, int], str]] = {
    "a": _Renderer._link,
    "blockquote": _Renderer._quote,
    "br": _Renderer._break,
    "hr": _Renderer._rule,
    "img": _Renderer._image,
    "ol": _Renderer._list,
    "pre": _Renderer._pre,
    "sub": _Renderer._script,
    "sup": _Renderer._script,
    "svg": _Renderer._svg,
    "table": _Renderer._table,
    "ul": _Renderer._list,
    **{f"h{level}": _Renderer._heading for level in range(1, 7)},
}


def _escape_text(text: str) -> str:
    """Every `<` that opens no tag escaped, so that the parser reads `1<n<9` as text; unknown end tags dropped."""
    pieces, last = [], 0
    for tag in TAG.finditer(text):
        pieces += [_plain_text(text[last : tag.start()]), tag[0]]
        last = tag.end()
    return "".join([*pieces, _plain_text(text[last:])])


def _plain_text(text: str) -> str:
    return _UNKNOWN_END_TAG.sub("", mend_comparisons(text)).replace("<", "&lt;")


def _flat(element: HtmlElement, tex: bool = False) -> str:
    """The element's text on as many lines as it has breaks; scripts as `x^{2}` (TeX) or `x^2` (code)."""

    def text(part: str | None) -> str:
        return (part or "").translate(_TO_TEX) if tex else (part or "").replace("\u00a0", " ")

    pieces = [text(element.text)]
    for child in element:
        if isinstance(child.tag, str) and child.tag not in _DROPPED:
            inner = _flat(child, tex)
            if child.tag in ("sup", "sub") and (inner := " ".join(inner.split())):
                sign = "^" if child.tag == "sup" else "_"
                if inner not in _ORDINALS or not pieces[-1][-1:].isdigit():
                    inner = sign + (inner if not tex and re.fullmatch(r"[-+]?\w+", inner) else f"{{{inner}}}")
            elif child.tag in _LINES and not (child.tail or "").startswith("\n"):
                inner += "\n"
            pieces.append(inner)
        pieces.append(text(child.tail))
    return "".join(pieces)


def _is_caption(element: HtmlElement, names: list[str]) -> bool:
    """Whether it is the small print that Codeforces sets beside a picture in the middle of the page."""
    return not _CAPTIONS.isdisjoint(names) and element.getparent().tag == "center"


def _mark_underlined(element: HtmlElement) -> None:
    """Puts `**` around what an explanation in a `pre` underlines: it becomes prose. Inputs and outputs are data."""
    explains = False
    for child in element.iter("b", "strong", "u"):
        if child.tag != "u":
            explains = explains or _EXPLANATION.match(child.text or "") is not None
        elif explains and child.text_content().strip():
            child.text = f"**{child.text or ''}"
            if len(child):
                child[-1].tail = f"{child[-1].tail or ''}**"
            else:
                child.text += "**"


def _lines(cell: HtmlElement) -> str:
    """The text of a sample in a table; white space around its lines is the page's where it is not preformatted."""
    text = _flat(cell)
    return text if cell.find(".//pre") is not None else "\n".join(filter(None, map(str.strip, text.split("\n"))))


def _marker(element: HtmlElement) -> str:
    """The mark of Markdown for an element that emphasises or strikes out, else empty."""
    names = (element.get("class") or "").split()
    return _MARKERS.get(element.tag.lower()) or next((_CLASS_MARKERS[n] for n in names if n in _CLASS_MARKERS), "")


def _emphasis(inner: str, marker: str) -> str:
    """`inner` between markers that touch its text; paragraphs, variables and what has no word stay as they are."""
    text = _COMMA.sub("", inner).rstrip()
    if not _WORD.search(text) or "\n\n" in text or marker in text or _SCRIPT.fullmatch(text):
        return inner
    start = inner.index(text)
    return f"{inner[:start]}{marker}{text}{marker}{inner[start + len(text):]}"


def _grid(element: HtmlElement) -> list[list[HtmlElement]]:
    """The cells of a table by row; a cell that spans rows or columns stands in each."""
    grid: list[list[HtmlElement]] = []
    hanging: dict[int, tuple[int, HtmlElement]] = {}
    for row in element.iter("tr"):
        if next(row.iterancestors("table"), None) is not element:
            continue
        own = [cell for cell in row.iterchildren("td", "th") for _ in range(_span(cell, "colspan"))]
        cells: list[HtmlElement] = []
        still: dict[int, tuple[int, HtmlElement]] = {}
        while own or len(cells) in hanging:
            left, cell = hanging[len(cells)] if len(cells) in hanging else (_span(own[0], "rowspan"), own.pop(0))
            if left > 1:
                still[len(cells)] = (left - 1, cell)
            cells.append(cell)
        hanging = still
        if cells:
            grid.append(cells)
    return grid


def _span(cell: HtmlElement, name: str) -> int:
    value = cell.get(name) or "1"
    return min(max(int(value), 1), 100) if value.isdecimal() and value.isascii() else 1


def _join_scripts(text: str, vault: Vault) -> str:
    """Superscripts and subscripts in prose, with the word before them, as maths; `1st` stays a word."""

    if "\ue002" not in text:
        return text

    def maths(match: re.Match[str]) -> str:
        scripts = match["scripts"].replace("\ue002", "").replace("\ue003", "")
        return vault.hold(f"${match['base'].strip('*')}{merge_scripts(scripts)}$")

    return _SCRIPT.sub(maths, _ORDINAL.sub(r"\1", text))
