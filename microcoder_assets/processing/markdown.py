"""What every converter to Markdown shares: protection of code and maths, escaping, and tidy white space."""

from __future__ import annotations

import html
import re

from microcoder_assets.processing.maths import mend_maths
from microcoder_assets.processing.repair import mend_characters, mend_symbols

_TAG_NAMES = (
    "a|abbr|acronym|address|annotation|article|aside|audio|b|base|big|blink|blockquote|body|br|button|caption|center"
    "|circle|cite|code|col|colgroup|dd|del|dfn|div|divre|dl|dt|em|embed|fieldset|figcaption|figure|font|footer|form|g|h[1-6]"
    "|head|header|hr|html|i|iframe|img|input|ins|italic|kbd|label|li|line|link|main|mark|math|meta|nav|nobr|noscript"
    "|object|ol|p|param|path|pre|q|rect|ruby|s|samp|script|section|semantics|small|source|span|strike|strong|style|sub"
    "|summary|sup|svg|table|tbody|td|text|textarea|tfoot|th|thead|title|tr|tt|u|ul|var|video|wbr|xml"
    r"|m(?:frac|i|n|o|row|space|sqrt|style|su[bp]|subsup|text)|(?:[ovwm]|st\d):\w+"
)
TAG = re.compile(rf"</?(?:{_TAG_NAMES})(?=\s|/?>)[^<>]*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
"""A tag of HTML (or of a word processor's HTML), or a comment. `<n` in `1<n<9` is none, nor is `<a/b>`."""
_ATTRIBUTE = r"""\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'=<>`]+))?"""
_LITERAL_TAG = re.compile(
    rf"{TAG.pattern}|(?<!\\)(?:<[A-Za-z][A-Za-z0-9-]*(?:{_ATTRIBUTE})*\s*/?>|</[A-Za-z][A-Za-z0-9-]*\s*>|<!\[CDATA\[)",
    re.IGNORECASE | re.DOTALL,
)
"""What a reader of Markdown takes for a tag, of whatever name, and so does not show."""

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
FENCE = r"(?P<fence>^[ ]*(?P<ticks>`{3,}|~{3,})[^\n`]*\n(?:.*?\n)??[ ]*(?P=ticks)[ \t]*$)"
"""A fenced block, as the pattern of a regular expression with MULTILINE and DOTALL."""
_MATHS_IN_TEXT = r"\\(?:mbox|text\w{0,6})\{(?:[^{}$\n]*\$[^{}$\n]*\$)+[^{}$\n]*\}"
_NESTED = re.compile(_MATHS_IN_TEXT)
_PROTECTED = re.compile(
    r"(?=[ `~\\$])(?:" + FENCE + r"|(?P<escape>\\[<&`$\\])"
    r"|(?P<code>(?<!`)(?P<run>`+)(?!`)[^\n]+?(?<!`)(?P=run)(?!`))"
    r"|(?P<display>\$\$(?!\$).+?\$\$)"
    r"|\\begin\{(?P<numbered>(?:equation|eqnarray|align|gather)\*?)\}(?P<body>.*?)\\end\{(?P=numbered)\}"
    r"|\\\((?P<round>[^$\n]+?)\\\)|\\\[(?P<square>[^$]+?)\\\]"
    rf"|(?P<maths>\$(?![\s$])(?:{_MATHS_IN_TEXT}|[^$\\\n]|\\.|\n(?!\s*\n))*?(?<![\s\\])\$))",
    re.MULTILINE | re.DOTALL,
)
"""What no step of a conversion looks into. The characters that any of it begins with are asked first: twice as fast."""
_DOLLARS = re.compile(FENCE + r"|^[^\n`]*\$[^\n`]*$", re.MULTILINE | re.DOTALL)
_PROSE = re.compile(r"[\u2e80-\uffee]|<[A-Za-z/]|(?<![A-Za-z])[A-Za-z]{2,} +[a-z]{2,}|[,.;] +[a-z]{2,}\b")
"""What stands between two prices, not in a formula: Chinese, tags, English words."""
_COMMAND = re.compile(r"\\(?:text\w*|math\w+|operatorname|mbox)\s*\{[^{}]*\}|\\[A-Za-z]+")
_HELD = re.compile("\ue000(\\d+)\ue001")
_TOUCHING = re.compile("\ue000(\\d+)\ue001(?=\ue000(\\d+)\ue001)")
_IN_A_ROW = re.compile("^\ue000\\d+\ue001(?: *\ue000\\d+\ue001)+$", re.MULTILINE)
_UNCLOSED = re.compile(r"^[ ]{0,3}(?=`{3}|~{3})", re.MULTILINE)
"""A line that would open a fence, where all whole ones are held."""
_ITEM = re.compile(r"[ ]*(?:(?:[-*+]|\d{1,2}[.)])[ ]|\|[ ].*\|$)")
"""A line that begins an item of a list, or is a row of a table."""
_BULLET = re.compile(r"^([ ]*)[●•▪➢][ \t]*(?![●•▪➢\s]|\[[^\]\n]*\]:)", re.MULTILINE)
_FAR_ITEM = re.compile(r"^([ ]*\d{1,2}[.)])[ ]{5,}(?=\S)", re.MULTILINE)
"""An item so far behind its number that it would be a block of code."""
_TABLE_HEAD = re.compile(r"^(\|.*\|)\n(\|(?:[ ]*:?-+:?[ ]*\|)+)$", re.MULTILINE)
_BAR = re.compile(r"(?<!\\)\|")
_ITEM_IN_A_LINE = re.compile(r"(?<=\S) \* (?=(?:Lines?|第) ?[\dA-Z])")
_UNWANTED_ENTITIES = re.compile(r"&(?:shy|zwnj|zwj|#8203|#xfeff);", re.IGNORECASE)
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u200b-\u200f\u2028-\u202e\u2060\u2800\ufeff\ue000-\ue003\ufffe\uffff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_CODEFORCES_DISPLAY = re.compile(r"\${6}(.+?)\${6}", re.DOTALL)
_CODEFORCES_INLINE = re.compile(r"\${3}([^$]+?)\${3}")


class Vault:
    """Text that no conversion may touch, each piece held under a token until `restore`."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def hold(self, piece: str) -> str:
        self._pieces.append(piece)
        return f"\ue000{len(self._pieces) - 1}\ue001"

    def restore(self, text: str) -> str:
        """`text` with every token replaced; a held piece may itself hold tokens."""
        while (restored := _HELD.sub(lambda token: self._pieces[int(token[1])], text)) != text:
            text = restored
        return text

    def in_cell(self, text: str) -> str:
        """`text` for a cell of a table, where a bar even in held maths and code would end the cell."""

        def without_bars(match: re.Match[str]) -> str:
            piece = self.restore(match[0])
            if piece.startswith("$"):
                return self.hold(piece.replace(r"\|", r"\Vert ").replace("|", r"\vert "))
            return self.hold(re.sub(r"(?<!\\)\|", r"\|", piece))

        return _HELD.sub(without_bars, text)

    def apart(self, text: str) -> str:
        """A space between two formulas that touch: `$a$$b$` would be read as display maths. Display maths alone on one
        line, `$$a$$ $$b$$`, are a paragraph each."""

        def between(match: re.Match[str]) -> str:
            touching = self._pieces[int(match[1])].endswith("$") and self._pieces[int(match[2])].startswith("$")
            return f"{match[0]} " if touching else match[0]

        def paragraphs(row: re.Match[str]) -> str:
            displayed = all(self._pieces[int(token[1])].startswith("$$") for token in _HELD.finditer(row[0]))
            return re.sub("(?<=\ue001) *(?=\ue000)", "\n\n", row[0]) if displayed else row[0]

        return _TOUCHING.sub(between, _IN_A_ROW.sub(paragraphs, text))

    def protect(self, text: str, page: bool = False) -> str:
        """`text` with fences, code spans, maths and escapes held; what has a tag between its dollars is no maths.

        page: the text is HTML, where a tag ends what looks like a code span too, a backslash escapes no tag, `\\(x\\)`
        is maths, and `$$x$$` amid a sentence is the maths of that sentence.
        """

        def keep(match: re.Match[str]) -> str:
            piece = match[0]
            if match["numbered"]:
                return self.hold(mend_maths(display(match["body"], match["numbered"])))
            if page and (piece in (r"\<", r"\&") or (match["code"] and TAG.search(piece))):
                return piece
            if inner := match["round"] or match["square"]:
                maths = f"${inner.strip()}$" if match["round"] else display(inner)
                return self.hold(mend_maths(unescape(maths))) if page and not TAG.search(inner) else piece
            if match["display"] or match["maths"]:
                piece = unescape(piece)
                if TAG.search(piece):
                    return match[0]
                if page and match["display"] and "\n" not in piece and _amid_sentence(match):
                    piece = f"${piece[2:-2].strip()}$"
                piece = mend_maths(piece)
            return self.hold(piece)

        return _PROTECTED.sub(keep, text)


def masked(text: str) -> str:
    """`text` of the same length with a `$` for every character of code, maths and escapes."""
    return _PROTECTED.sub(lambda match: "$" * len(match[0]), text)


def _amid_sentence(match: re.Match[str]) -> bool:
    around = match.string[max(match.start() - 1, 0) : match.start()] + match.string[match.end() : match.end() + 1]
    return re.search(r"[^\s<>]", around) is not None


def trim_maths(text: str) -> str:
    """`$ x $` as `$x$`, as Markdown wants it, on lines whose dollars all pair around maths. Fences stay as they are."""
    return _DOLLARS.sub(lambda line: line[0] if line["fence"] else _trimmed(line[0]), text)


def _trimmed(line: str) -> str:
    pieces = line.split("$")
    inner = pieces[1::2]
    if len(pieces) % 2 == 0 or "\\$" in line or _NESTED.search(line):
        return line
    if any(_PROSE.search(_COMMAND.sub("", piece)) for piece in inner) or not all(piece.strip() for piece in inner):
        return line
    pieces[1::2] = [piece.strip() for piece in inner]
    return "$".join(pieces)


def unescape(text: str) -> str:
    """Character references replaced, those of doubly escaped text too."""
    for _ in range(4):
        if (replaced := _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)) == text:
            break
        text = replaced
    return text


def clean_characters(text: str) -> str:
    """Encoding mended, line ends as \\n, no control or invisible characters or surrogates, Codeforces' `$$$` as `$`."""
    text = _UNWANTED.sub("", mend_characters(text).replace("\r\n", "\n").replace("\r", "\n"))
    text = _SURROGATE.sub("\ufffd", text)
    if "$$$" in text:
        text = _CODEFORCES_INLINE.sub(r"$\1$", _CODEFORCES_DISPLAY.sub(r"$$\1$$", text))
    return text


def tidy(text: str) -> str:
    """Plain spaces, none at line ends, at most one empty line in a row, headings at the line's start."""
    text = re.sub(r"^[ \t]*[\u3000\u00a0]+[ \t\u3000\u00a0]*", "", text, flags=re.MULTILINE)
    text = re.sub(r"[\u00a0\u2000-\u200a\u202f\u3000]", " ", text)
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^[ ]{1,3}(?=#{1,6}\s)", "", text, flags=re.MULTILINE)
    text = _ITEM_IN_A_LINE.sub("\n* ", _BULLET.sub(r"\1- ", _FAR_ITEM.sub(r"\1 ", text)))
    text = _TABLE_HEAD.sub(_with_all_columns, text)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def _with_all_columns(head: re.Match[str]) -> str:
    """The two lines that begin a table, the second with as many columns as the first."""
    count = len(_BAR.findall(head[1])) - 1
    return f"{head[1]}\n|{'|'.join([*head[2].split('|')[1:-1], *['---'] * count][:count])}|"


def finish(text: str, vault: Vault) -> str:
    """The last step of a conversion: references out, literal tags escaped, white space tidied, held pieces back."""
    text = escape_tags(mend_symbols(unescape(_UNWANTED_ENTITIES.sub("", text))))
    text = _UNCLOSED.sub(r"\\", text)
    return vault.restore(tidy(vault.apart(text))).strip()


def escape_tags(text: str) -> str:
    """`text` with a backslash before everything that would be read as a tag: `\\<row>`."""
    return _LITERAL_TAG.sub(r"\\\g<0>", text)


def lines_apart(text: str) -> str:
    """Lines that stand for themselves as paragraphs: Markdown runs them together; lists, tables and code stay whole."""
    vault, lines = Vault(), list[str]()
    margin, listed, code = 0, False, False
    for line in vault.protect(text).split("\n"):
        if line.strip():
            indent, item = len(line) - len(line.lstrip(" ")), _ITEM.match(line) is not None
            alone = not lines or not lines[-1]
            code = indent > 3 and not (listed or item) and (code or alone)
            inside = listed and (item or indent > margin)
            if not (inside or code):
                margin = indent if indent > 3 else 0
                lines += [] if alone else [""]
            listed = item or inside
            line = line if code else line[min(margin, indent) :]
        lines.append(line)
    return vault.restore("\n".join(lines))


def display(body: str, environment: str | None = None) -> str:
    """Display maths; rows of an environment of LaTeX that numbers equations as rows of `aligned`."""
    if environment and ("&" in body or "\\\\" in body):
        body = f"\\begin{{aligned}}\n{body.strip()}\n\\end{{aligned}}"
    return f"$$\n{body.strip()}\n$$" if "\n" in body.strip() else f"$${body.strip()}$$"


def code_span(code: str) -> str:
    """Inline code on one line, delimited by more backticks than it holds."""
    code = " ".join(code.split())
    if not code:
        return ""
    ticks = "`" * (_longest_run(code) + 1)
    pad = " " if code.startswith("`") or code.endswith("`") else ""
    return f"{ticks}{pad}{code}{pad}{ticks}"


def fence(code: str, info: str = "") -> str:
    """A fenced block; empty lines around the code are dropped."""
    ticks = "`" * max(3, _longest_run(code) + 1)
    body = re.sub(r"[ \t]+$", "", code, flags=re.MULTILINE).strip("\n")
    return f"{ticks}{info}\n{body}\n{ticks}"


def table(rows: list[list[str]]) -> str:
    """A pipe table, the first row its header; short rows are filled with empty cells."""
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        return ""
    width = max(map(len, rows))
    lines = [" | ".join(_cell(cell) for cell in row + [""] * (width - len(row))) for row in rows]
    lines.insert(1, " | ".join(["---"] * width))
    return "\n".join(f"| {line} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
