"""Bounds that a statement sets to its variables, as numbers: `1 ≤ n, m ≤ 2·10^5` and what else means that."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from microcoder_assets.processing.headings import CONSTRAINTS, INPUT, NOTES


@dataclass(frozen=True, slots=True)
class Bound:
    """variable: as written, without spaces and marks of maths: `n`, `a_i`, `|s|`, `nums.length`, `sum(n)`.

    low / high: None where the statement names none, or names a variable. strict: the limit itself is not allowed.
    text: the sentence part it was read from, in plain signs: `1 ≤ n < 10^5`.
    """

    variable: str
    low: float | None
    low_strict: bool
    high: float | None
    high_strict: bool
    text: str

    def allows(self, value: float) -> bool:
        low = self.low is None or (value > self.low if self.low_strict else value >= self.low)
        high = self.high is None or (value < self.high if self.high_strict else value <= self.high)
        return low and high


_SIGNS = (
    (r"(?<![\w*)\]])\*(\|?[A-Za-z]\w{0,3}(?:_\{?\w{1,4}\}?)?\|?)\*(?![\w*(])", r"\1"),
    (r"\\(?:leqslant|leqq|leq|le)(?![A-Za-z])|<\s?=|≦|⩽|＜\s?[=＝]", "≤"),
    (r"\\(?:geqslant|geqq|geq|ge)(?![A-Za-z])|>\s?=|≧|⩾|＞\s?[=＝]", "≥"),
    (r"\\lt(?![A-Za-z])|＜", "<"),
    (r"\\gt(?![A-Za-z])|＞", ">"),
    (r"\\(?:neq|ne)(?![A-Za-z])|!=", "≠"),
    (r"\\in(?![A-Za-z])", "∈"),
    (r"\\(?:cdot|times|ast)(?![A-Za-z])(?:\{\})?|[×·⋅∗•]|\*\*(?=\d)", "*"),
    (r"\\[lr]?[vV]ert(?![A-Za-z])|\\mid(?![A-Za-z])|\\\|", "|"),
    (r"\\(?:left|right|big|Big|bigl|bigr|displaystyle|ensuremath)(?![A-Za-z])", ""),
    (r"\\_", "_"),
    (r"\\(?:text|mathrm|mathit|mathbf|texttt|textit|textbf|operatorname)\s*\{([^{}]*)\}", r"\1"),
    (r"(?<=\d)(?:\\[,;:! ]|\{,\}|~|[\u2009\u202f])(?=\d{3})", ""),
    (r"(?<=\d)\{?\\?[ ](?=\d{3}(?!\d))|(?<=\d)(?:,[ ])(?=000(?!\d))", ""),
    (r"\\[,;:! ]|~|\$|`|\*{2}", " "),
    (r"[−–]", "-"),
    (r"，", ","),
    (r"[（]", "("),
    (r"[）]", ")"),
    (r"[【［]", "["),
    (r"[】］]", "]"),
)
_PLAIN = tuple((re.compile(pattern), sign) for pattern, sign in _SIGNS)

_POWER = r"(?:\s?\^\s?(?:\{\s?\d{1,4}\s?\}|\(\d{1,4}\)|\d{1,4}))?"
_ATOM = rf"\d+(?:,000(?!\d)|,\d{{3}}(?!\d|\s?[≤≥<>=]))*(?:\.\d+)?(?:[eE]\+?\d{{1,3}})?{_POWER}"
_PRODUCT = rf"{_ATOM}(?:\s?\*\s?{_ATOM})*"
_NUMBER = rf"(?:[-+]\s?)?{_PRODUCT}(?:(?:[-+]|\s[-+]\s){_PRODUCT})*(?:\s?[万亿])?"
_ENDS = r"(?!\d|\.\d|(?:,\d{3,}|\s\d+)(?!\d|\s?[≤≥<>=])|[A-Za-z_\\\[{]|\((?!\s?\d+\s?[≤<])|\s?[*^/])"
"""What may not follow a number: then it is a part of one, or of an expression. `(1 ≤ i ≤ n)` says for which."""
_NAME = r"[A-Za-z][A-Za-z0-9]{0,30}'?(?:_\s?\{[^{}]{1,12}\}|_\w{1,20})?(?:\[[^\[\]<>≤≥]{0,12}\])*(?:\.\w{2,10})?'?"
_VARIABLE = rf"(?:\|\s?{_NAME}\s?\||(?:len|length|size|strlen)\({_NAME}\)|{_NAME}(?!\w))"
_VARIABLES = rf"{_VARIABLE}(?:\s?(?:,|、|and|和)\s?{_VARIABLE})*"
_RELATION = re.compile(r"\s?(≤|≥|<|>|==?)\s?")
_TERM = re.compile(rf"(?P<number>{_NUMBER}){_ENDS}|(?P<names>{_VARIABLES})", re.ASCII)
_SINGLE = re.compile(rf"(?P<number>{_NUMBER}){_ENDS}|(?P<names>{_VARIABLE})", re.ASCII)
_STARTS = re.compile(rf"(?:{_NUMBER}{_ENDS}|{_VARIABLES})(?=\s?(?:≤|≥|<|>))", re.ASCII)
_TOUCHES_LEFT = re.compile(r"[-+*/^%|_\\.)\]}]\s?$|[A-Za-z0-9]$|\\[A-Za-z]+\s*$|\b(?:of|sum|product)\s$")
_TOUCHES_RIGHT = re.compile(r"\s?(?:[-+*/^%|_]|\((?!\s?\d+\s?[≤<])|\\[A-Za-z])")
_GOES_ON = re.compile(r"\s?(?![且均都皆])[^\W\d_]")
"""A word right behind a list of names: `2 ≤ m，n 是` names m and begins the next clause with n."""
_OPERATOR = re.compile(r"[-+*/^%_]\s?$")
_RANGE = re.compile(
    rf"(?P<names>{_VARIABLES})\s?"
    r"(?:∈|在|(?:(?:is|are|lies?) )?(?:an integer )?(?:in|from) (?:the )?(?:inclusive )?(?:range|interval)?)\s?"
    rf"(?P<open>[\[(])\s?(?P<low>{_NUMBER})\s?,\s?(?P<high>{_NUMBER})\s?(?P<close>[\])])",
    re.ASCII,
)
_AT_MOST = re.compile(
    rf"(?:(?P<sum>\b[Ss]um of (?:all )?(?:the )?(?:values )?(?:of )?)|(?<![\w\\]))(?P<names>{_VARIABLES})\s?"
    r"(?:values\s)?"
    r"(?P<of>(?:over|for|across|in) (?:all|the)[^.;]{0,40}?|之?和)?\s?"
    r"(?:(?:does|do|will|is|are)(?: not|n't|n’t) exceed|(?:is|are) (?:at most|not greater than)"
    rf"|均?不超过|不会超过|均?不大于)\s?(?P<number>{_NUMBER}){_ENDS}",
    re.ASCII,
)
_IN_PART = re.compile(r"\b(?:product|number|size|length|sum)s?\b[^.,;()]*$", re.IGNORECASE)
"""Before a variable of which only a part, or what is made of it, is limited: `length of `, `product of all `."""
_WORD = re.compile(r"[A-Za-z]{2,}")
_NO_ENGLISH = re.compile("[\u4e00-\u9fff∈]")
_MARKED = re.compile(r"\$[^$]+\$|`[^`]+`")
_PARTIAL = re.compile(r"(?<!\d)(?!100)\d{1,2}\s?(?:\\?%|％|pts|分)|[Ss]ubtask|子任务|^\s*\|.*\|\s*$|测试点|部分分")
_DATA = re.compile(r"数据|范围|保证|约定|[Cc]onstraint|[Ll]imit")
_SAYS = re.compile(r"[<>≤≥≦≧＜＞⩽⩾∈]|\\(?:l|g|in)|exceed|at most|greater|不|在|range|interval")
_BULLET = re.compile(r"^[ \t]*(?:(?:[-*+]|\d{1,2}[.)])[ \t]+)+", re.MULTILINE)
_ENOUGH = 20_000
"""Characters of a section that are read. Ours."""


def read_bounds(text: Mapping[str, str]) -> list[Bound]:
    """The bounds in the input and constraints sections, and in notes that speak of the data, one a variable.

    text: Markdown by section. Limits of part of the tests (subtasks, `30 % of the data`) are left out. Where a
    variable has several limits the widest hold. A comparison of expressions (`n + m ≤ 100`) is no bound.
    """
    found: dict[str, Bound] = {}
    for name in (INPUT, CONSTRAINTS, NOTES):
        section = text.get(name, "")[:_ENOUGH]
        if not _SAYS.search(section):
            continue
        for line in re.split(r"\n|[;；。]", _plain(section)):
            if not _SAYS.search(line) or _PARTIAL.search(line) or (name == NOTES and not _of_data(line)):
                continue
            for bound in _of_line(line, section):
                known = found.get(bound.variable)
                found[bound.variable] = _widest(known, bound) if known else bound
    return [bound for bound in found.values() if not _contradicts(bound)]


def _plain(text: str) -> str:
    text = _BULLET.sub("", text)
    for pattern, sign in _PLAIN:
        text = pattern.sub(sign, text)
    return re.sub(r"(?<=[≤≥<>=*])\s*\n\s*|\s*\n\s*(?=[≤≥<>=*])|[ \t\u00a0\u3000]+", " ", text)


def _of_data(line: str) -> bool:
    """Whether a line of the notes is about the data, not about a sample."""
    return _DATA.search(line) is not None or _STARTS.match(line.strip()) is not None


def _of_line(line: str, section: str) -> Iterator[Bound]:
    """The bounds of a line in plain signs. section: what it is taken from, as Markdown."""
    at = 0
    while match := _STARTS.search(line, at):
        terms, relations, at = _chain(line, match.start())
        yield from _of_chain(terms, relations)
    for match in _RANGE.finditer(line):
        if _OPERATOR.search(line[: match.start()]):
            continue
        low, high = _value(match["low"]), _value(match["high"])
        for name in _variables(match, section):
            yield Bound(name, low, match["open"] == "(", high, match["close"] == ")", match[0].strip())
    for match in _AT_MOST.finditer(line):
        before = line[: match.start()]
        if not match["sum"] and (_IN_PART.search(before) or _TOUCHES_LEFT.search(before)):
            continue
        for name in _variables(match, section):
            variable = f"sum({name})" if match["sum"] or "和" in (match["of"] or "") else name
            yield Bound(variable, None, False, _value(match["number"]), False, match[0].strip())


def _chain(line: str, start: int) -> tuple[list[re.Match[str]], list[str], int]:
    """The terms and relations of `a ≤ b < c` from `start`, and where it ends; without a first or last term that is
    part of a longer expression. Names in a list come once, first: in `1 ≤ l ≤ r, x ≤ 9` the x begins another chain."""
    terms, relations, at = list[re.Match[str]](), list[str](), start
    while term := (_SINGLE if any(known["names"] for known in terms) else _TERM).match(line, at):
        terms.append(term)
        at = term.end()
        relation = _RELATION.match(line, at)
        following = _TERM.match(line, relation.end()) if relation else None
        if relation is None and terms[1:] and _GOES_ON.match(line, at) and (one := _SINGLE.match(line, term.start())):
            terms[-1], at = one, one.end()
        if relation is None or following is None or (relation[1][0] == "=" and following["number"]):
            break
        relations.append(relation[1])
        at = relation.end()
    if terms and _TOUCHES_LEFT.search(line[:start]):
        terms, relations = terms[1:], relations[1:]
    if terms and _TOUCHES_RIGHT.match(line, at):
        terms, relations = terms[:-1], relations[:-1]
    return terms, relations, max(at, start + 1)


def _of_chain(terms: list[re.Match[str]], relations: list[str]) -> Iterator[Bound]:
    """The bounds of `1 ≤ n ≤ m < 10`. A number two steps away counts only where there is one on both sides."""
    signs = {sign in ("≤", "<") for sign in relations if sign[0] != "="}
    if len(signs) != 1:
        return
    text = terms[0].string[terms[0].start() : terms[-1].end()].strip()
    if signs == {False}:
        terms, relations = terms[::-1], relations[::-1]
    numbers = [n for n, term in enumerate(terms) if term["number"]]
    for place, term in enumerate(terms):
        below = max((n for n in numbers if n < place), default=None)
        above = min((n for n in numbers if n > place), default=None)
        if above is None and below != place - 1:
            below = None
        if below is None and above != place + 1:
            above = None
        if not term["names"] or below is above:
            continue
        for name in _split(term["names"]):
            yield Bound(
                name,
                low=None if below is None else _value(terms[below]["number"]),
                low_strict=below is not None and _strict(relations[below:place]),
                high=None if above is None else _value(terms[above]["number"]),
                high_strict=above is not None and _strict(relations[place:above]),
                text=text,
            )


def _contradicts(bound: Bound) -> bool:
    """Whether nothing is allowed: a slip of the statement, two limits run together, or two cases (`if x > 0`)."""
    if bound.low is None or bound.high is None:
        return False
    return bound.low > bound.high or (bound.low == bound.high and (bound.low_strict or bound.high_strict))


def _strict(relations: list[str]) -> bool:
    return any(relation in "<>" for relation in relations)


def _widest(one: Bound, other: Bound) -> Bound:
    """Both limits as far out as either bound has them; a side that one leaves open stays with the other's limit."""
    low, low_strict = min(_sides(one.low, one.low_strict, other.low, other.low_strict), default=(None, False))
    high, high_strict = max(
        ((value, not strict) for value, strict in _sides(one.high, one.high_strict, other.high, other.high_strict)),
        default=(None, True),
    )
    text = one.text if other.text in one.text else f"{one.text}; {other.text}"
    return replace(one, low=low, low_strict=low_strict, high=high, high_strict=not high_strict, text=text)


def _sides(one: float | None, one_strict: bool, other: float | None, other_strict: bool) -> list[tuple[float, bool]]:
    return [(value, strict) for value, strict in ((one, one_strict), (other, other_strict)) if value is not None]


def _split(names: str) -> list[str]:
    parts = re.split(r"\s?(?:,|、|\band\b|和)\s?(?![^{\[]*[}\]])", names)
    return [re.sub(r"\s+|(?<=_)\{(?=\w\})|(?<=_\{\w)\}", "", part) for part in parts if part.strip()]


def _variables(match: re.Match[str], section: str) -> list[str]:
    """The names of a sentence. An English word is one only where the section sets it as maths or code."""
    names = _split(match["names"])
    if _NO_ENGLISH.search(match[0]) or not any(map(_WORD.fullmatch, names)):
        return names
    marked = set(_WORD.findall(" ".join(_MARKED.findall(section))))
    return [name for name in names if name in marked or not _WORD.fullmatch(name)]


def _value(number: str) -> float:
    """`-2*10^5 + 1` as a number; infinite where it is too large for one."""
    scale = {"万": 1e4, "亿": 1e8}.get(number.strip()[-1:], 1.0)
    total = 0.0
    for sign, product in re.findall(rf"([-+]?)\s?({_PRODUCT})", number):
        try:
            value = math.prod(_power(atom) for atom in re.findall(_ATOM, product))
        except OverflowError:
            value = math.inf
        total += -value if sign == "-" else value
    return total * scale


def _power(atom: str) -> float:
    base, _, exponent = atom.replace(",", "").partition("^")
    power = int(exponent.strip(" {}()") or 1)
    return float(base) ** power if "e" in base.lower() or "." in base else float(int(base) ** power)
