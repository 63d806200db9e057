"""LaTeX of Kattis problem packages to clean Markdown. A command that is not known here becomes its arguments."""

from __future__ import annotations

import re
import unicodedata

from microcoder_assets.processing.markdown import Vault, clean_characters, code_span, display, fence, finish, table

_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*\n?[ \t]*")
_VERBATIM = re.compile(r"\\begin\{(verbatim|lstlisting|Verbatim)\}(?:\[[^\]]*\])?(.*?)\\end\{\1\}", re.DOTALL)
_VERB = re.compile(r"\\(?:verb|lstinline)\*?([^\sa-zA-Z*{])(.*?)\1")
_DRAWING = re.compile(r"\\begin\{(tikzpicture|pspicture|picture|asy)\}.*?\\end\{\1\}", re.DOTALL)
_DISPLAY = re.compile(
    r"\\begin\{(?P<env>(?:align|equation|gather|multline|displaymath|eqnarray)\*?)\}(?P<body>.*?)\\end\{(?P=env)\}"
    r"|\\\[(?P<bracket>.*?)\\\]|\$\$(?P<dollars>.+?)\$\$",
    re.DOTALL,
)
_INLINE = re.compile(r"(?<!\\)\$((?:[^$\\]|\\.)+?)\$|\\\((.+?)\\\)", re.DOTALL)
_DEFINITION = re.compile(
    r"\\(?:(?:re)?newcommand|providecommand)\*?\s*\{?\\([A-Za-z]+)\}?(?:\[(\d)\])?\s*\{|\\def\\([A-Za-z]+)\s*\{"
)
_COMMAND = re.compile(r"\\([A-Za-z]+)\*?[ \t]*(?:\n(?!\s*\n))?|\\(.)|``|''|`|---?|[{}~]", re.DOTALL)
_ONE = re.compile("\\\\[A-Za-z]+|\\\\.|\ue000\\d+\ue001|.", re.DOTALL)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_OPTIONAL = re.compile(r"[ \t]*\[[^\]]*\]")
_NUMBERED = ("enumerate", "figure", "table")
_NUMBERING = re.compile(
    rf"\\begin\{{(?P<begin>(?:{'|'.join(_NUMBERED)})\*?)\}}|\\end\{{(?P<end>(?:{'|'.join(_NUMBERED)})\*?)\}}"
    r"|\\(?P<item>item)\b|\\label\{(?P<label>[^{}]*)\}"
)
_REFERENCE = re.compile(r"\\(?:auto|c|C)?ref\{([^{}]*)\}")
_ITEM = "\ue002"
_SECTIONS = ("Input", "Output", "Interaction")
_LISTS = ("itemize", "enumerate", "description")
_TABLES = ("tabular", "tabular*", "tabularx", "array", "longtable")
_ENVIRONMENT_ARGUMENTS = {
    **dict.fromkeys(("tabular", "array", "longtable", "minipage", "multicols", "subfigure", "adjustbox"), 1),
    **dict.fromkeys(("tabular*", "tabularx", "wrapfigure"), 2),
}
_HEADINGS = {"section": "##", "subsection": "###", "subsubsection": "####", "paragraph": "####"}
_MARKERS = {
    **dict.fromkeys(("emph", "textit", "textsl", "it", "em", "itshape"), "*"),
    **dict.fromkeys(("textbf", "bf", "bfseries"), "**"),
}
_CODE = ("texttt", "tt", "ttfamily", "code", "lstinline", "path")
_SWITCHES = ("it", "em", "itshape", "bf", "bfseries", "tt", "ttfamily")
_QUOTES = {"``": '"', "''": '"', "`": "'", "~": " ", "--": "–", "---": "—", "}": ""}
_SYMBOLS = {**dict.fromkeys(",;: \n", " "), **dict.fromkeys("!/-()", "")}
_COMBINING = "\u0301\u0300\u0308\u0302\u0303\u0304\u0307\u0327\u030c\u030a\u030b\u0306\u0328"
_ACCENTS = dict(zip("'`\"^~=.cvrHuk", _COMBINING, strict=True))
_WORDS = {
    "ldots": "...", "dots": "...", "par": "\n\n", "newline": "\n", "linebreak": "\n", "quad": " ", "qquad": " ",
    "textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textless": "<", "textgreater": ">",
    "textbar": "|", "texttrademark": "™", "textdegree": "°", "copyright": "©", "euro": "€", "S": "§", "slash": "/",
    "ss": "ß", "o": "ø", "O": "Ø", "ae": "æ", "AE": "Æ", "aa": "å", "AA": "Å", "l": "ł", "LaTeX": "LaTeX", "TeX": "TeX",
}  # fmt: skip
_NOTHING = {
    0: "nextsample remainingsamples hline columnwidth textwidth linewidth arraystretch",
    1: "problemname label ref vspace hspace phantom input pagestyle cline cmidrule usepackage RequirePackage"
    " documentclass tikzset usetikzlibrary graphicspath",
    2: "setlength setcounter",
    3: "illustration definecolor",
}
_DROPPED = {name: count for count, names in _NOTHING.items() for name in names.split()}
"""Commands that leave nothing, with how many arguments go with them."""
_LAST_ARGUMENT = {
    **dict.fromkeys(("href", "textcolor", "colorbox", "parbox", "scalebox", "raisebox", "fontsize", "scalerel"), 2),
    **dict.fromkeys(("multicolumn", "multirow", "resizebox"), 3),
}
"""Commands that leave their last argument, with how many they take."""


def latex_to_markdown(text: str) -> str:
    """Clean Markdown of a Kattis statement: sections, lists, tables, quotes, code; maths kept as written.

    `\\illustration` is decoration by the format's definition and is left out; `\\includegraphics` stays a reference.
    """
    vault = Vault()
    text = clean_characters(text)
    text = _VERBATIM.sub(lambda m: f"\n\n{vault.hold(fence(m[2]))}\n\n", text)
    text = _VERB.sub(lambda m: vault.hold(code_span(m[2])), text)
    text = re.sub(r"\n[ \t]+", "\n", _COMMENT.sub(r"\1", text))
    text = _numbered(_expand(text))
    text = _DRAWING.sub(lambda m: f"\n\n{vault.hold('![](drawing)')}\n\n", text)
    if "\\begin{document}" in text:
        text = text.split("\\begin{document}", 1)[1].split("\\end{document}", 1)[0]
    text = _DISPLAY.sub(lambda m: vault.hold(display(m["body"] or m["bracket"] or m["dollars"] or "", m["env"])), text)
    text = _INLINE.sub(lambda m: vault.hold(f"${(m[1] or m[2]).strip()}$"), text)
    return finish(_Converter(text, vault).until_end(), vault).replace(_ITEM, "- ")


class _Converter:
    """A cursor over LaTeX whose maths and code are held."""

    def __init__(self, text: str, vault: Vault, in_code: bool = False) -> None:
        self.text = text
        self.vault = vault
        self.in_code = in_code
        self.at = 0

    def until_end(self) -> str:
        pieces: list[str] = []
        while self.at < len(self.text):
            if match := _COMMAND.search(self.text, self.at):
                pieces.append(self.text[self.at : match.start()])
                self.at = match.end()
                pieces.append(self._token(match))
            else:
                pieces.append(self.text[self.at :])
                break
        return "".join(pieces)

    def _token(self, match: re.Match[str]) -> str:
        token = match[0]
        if match[1]:
            return self._command(match[1])
        if match[2]:
            return self._symbol(match[2])
        if token == "{":
            return self._group(match.start())
        return _QUOTES.get(token, token)

    def _symbol(self, symbol: str) -> str:
        if symbol == "\\":
            self._optional()
            return "\n"
        if symbol in _ACCENTS and symbol not in "cvrHuk":
            return self._accented(_ACCENTS[symbol])
        if symbol == "$":
            return self.vault.hold("\\$")
        return _SYMBOLS.get(symbol, symbol)

    def _accented(self, accent: str) -> str:
        letter = self._argument(raw=True).replace("\\i", "i").replace("\\j", "j")
        return unicodedata.normalize("NFC", letter[0] + accent) + letter[1:] if letter[:1].isalpha() else letter

    def _command(self, name: str) -> str:
        if name == "begin":
            return self._environment(self._argument(raw=True))
        if name == "end":
            self._argument(raw=True)
            return ""
        if name == "item":
            self._optional()
            return f"\n{_ITEM}"
        if name in _HEADINGS:
            return f"\n\n{_HEADINGS[name]} {' '.join(self._argument().split())}\n\n"
        if name in _MARKERS and name not in _SWITCHES:
            return self._marked(self._argument(), _MARKERS[name])
        if name in _CODE and name not in _SWITCHES:
            return self._code(self._argument(raw=True))
        if name == "includegraphics":
            self._optional()
            inline = self._amid_words(self.text.rfind("\\", 0, self.at))
            image = self.vault.hold(f"![]({self._argument(raw=True).strip()})")
            return image if inline else f"\n\n{image}\n\n"
        if name in ("url", "nolinkurl"):
            return self.vault.hold(self._argument(raw=True))
        if name in ("footnote", "caption"):
            self._optional()
            inner = self._argument().strip()
            return f" ({inner})" if name == "footnote" else f"\n\n{inner}\n\n"
        if name in ("textsuperscript", "textsubscript"):
            inner = self._argument()
            if inner in ("st", "nd", "rd", "th") or not inner.strip().isalnum():
                return inner
            return self.vault.hold(f"${'^' if name == 'textsuperscript' else '_'}{{{inner}}}$")
        if name in _ACCENTS:
            return self._accented(_ACCENTS[name])
        if name in _WORDS:
            return _WORDS[name]
        if name in _DROPPED or name in _LAST_ARGUMENT:
            self._optional()
            arguments = [self._argument() for _ in range(_DROPPED.get(name, _LAST_ARGUMENT.get(name, 0)))]
            return arguments[-1] if name in _LAST_ARGUMENT else ""
        self._optional()
        return self._argument() if self.text[self.at : self.at + 1] == "{" else ""

    def _amid_words(self, start: int) -> bool:
        """Whether what starts at `start` follows words on its line, as an inline picture of a letter does."""
        line = self.text[self.text.rfind("\n", 0, start) + 1 : start].strip()
        return bool(line) and not line.startswith("\\")

    def _group(self, start: int) -> str:
        """`{...}`: its text; with a font switch inside, marked as that switch says."""
        if _closing(self.text, start) is None:
            return ""
        self.at = start
        body = self._argument(raw=True)
        switch = re.match(r"\s*\\([a-z]+)\b[ \t]*", body)
        if switch and switch[1] in _SWITCHES:
            inner = body[switch.end() :]
            code = switch[1] in _CODE
            return self._code(inner) if code else self._marked(self._inside(inner), _MARKERS[switch[1]])
        return self._inside(body)

    def _environment(self, name: str) -> str:
        self._optional()
        for _ in range(_ENVIRONMENT_ARGUMENTS.get(name, 0)):
            self._argument(raw=True)
        body = self._environment_body(name)
        if name in _TABLES:
            return f"\n\n{self._table(body)}\n\n"
        inner = self._inside(body).strip()
        if name in _LISTS:
            return f"\n\n{_listed(inner, name)}\n\n"
        heading = f"## {name}\n\n" if name in _SECTIONS else ""
        return f"\n\n{heading}{inner}\n\n"

    def _environment_body(self, name: str) -> str:
        depth, start = 1, self.at
        for match in re.finditer(rf"\\(begin|end)\{{{re.escape(name)}\}}", self.text[start:]):
            depth += 1 if match[1] == "begin" else -1
            if not depth:
                self.at = start + match.end()
                return self.text[start : start + match.start()]
        self.at = len(self.text)
        return self.text[start:]

    def _table(self, body: str) -> str:
        rows = re.split(r"\\\\(?:\[[^\]]*\])?|\\tabularnewline", body)
        cells = [[self._cell(cell) for cell in re.split(r"(?<!\\)&", row)] for row in rows]
        return self.vault.hold(self.vault.restore(table(cells)))

    def _cell(self, cell: str) -> str:
        return self.vault.in_cell(self._inside(cell).strip())

    def _marked(self, inner: str, marker: str) -> str:
        """`inner` between markers, which would be characters of the code inside code."""
        text = " ".join(inner.split()) if "\n\n" not in inner and not self.in_code else ""
        return f"{marker}{text}{marker}" if text else inner

    def _code(self, code: str) -> str:
        inner = _Converter(code, self.vault, in_code=True).until_end()
        return self.vault.hold(code_span(self.vault.restore(inner).replace("\\$", "$"))) if inner.strip() else ""

    def _inside(self, text: str) -> str:
        return _Converter(text, self.vault, self.in_code).until_end()

    def _optional(self) -> None:
        if match := _OPTIONAL.match(self.text, self.at):
            self.at = match.end()

    def _argument(self, raw: bool = False) -> str:
        """The next argument converted, or as it stands; empty at the end of the text."""
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1
        end = _closing(self.text, self.at)
        if end is None:
            one = _ONE.match(self.text, self.at)
            body = one[0] if one else ""
            self.at += len(body)
        else:
            body, self.at = self.text[self.at + 1 : end], end + 1
        return body if raw else self._inside(body)


def _closing(text: str, start: int) -> int | None:
    """Where the brace that opens at `start` closes; None where none opens or none closes."""
    if text[start : start + 1] != "{":
        return None
    depth = 0
    for brace in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if not depth:
            return brace.start()
    return None


def _expand(text: str) -> str:
    """User-defined macros replaced by what they stand for, definitions left out."""
    macros: dict[str, tuple[int, str]] = {}
    while match := _DEFINITION.search(text):
        end = _closing(text, match.end() - 1)
        if end is None:
            return text
        macros[match[1] or match[3]] = (int(match[2] or 0), text[match.end() : end])
        text = text[: match.start()] + text[end + 1 :]
    if not macros:
        return text
    use = re.compile(r"\\(" + "|".join(sorted(macros, key=len, reverse=True)) + r")(?![A-Za-z])(\{\})?")
    for _ in range(500):
        if not (match := use.search(text)):
            break
        count, body = macros[match[1]]
        at = match.end()
        for number in range(1, count + 1):
            end = _closing(text, at)
            argument, at = (text[at + 1 : end], end + 1) if end is not None else (text[at : at + 1], at + 1)
            body = body.replace(f"#{number}", argument)
        text = text[: match.start()] + body + text[at:]
    return text


def _numbered(text: str) -> str:
    """`\\ref` replaced by the number of the item, figure or table that it names."""
    counts = dict.fromkeys(_NUMBERED, 0)
    inside: list[str] = []
    numbers: dict[str, int] = {}
    for mark in _NUMBERING.finditer(text):
        kind = "item" if mark["item"] else (mark["begin"] or mark["end"] or "").rstrip("*")
        if mark["begin"]:
            inside.append(kind)
            counts[kind] = 0 if kind == "enumerate" else counts.get(kind, 0) + 1
        elif mark["end"] and inside:
            inside.pop()
        elif mark["item"] and inside and inside[-1] == "enumerate":
            counts["enumerate"] += 1
        elif mark["label"] and inside and inside[-1] in counts:
            numbers[mark["label"]] = counts[inside[-1]]
    return _REFERENCE.sub(lambda ref: str(numbers.get(ref[1], "")), text) if numbers else text


def _listed(inner: str, kind: str) -> str:
    items = [item.strip() for item in inner.split(_ITEM)][1:]
    lines = []
    for number, item in enumerate(items, 1):
        bullet = f"{number}. " if kind == "enumerate" else "- "
        lines.append(bullet + item.replace("\n", "\n" + " " * len(bullet)))
    return "\n".join(lines)
