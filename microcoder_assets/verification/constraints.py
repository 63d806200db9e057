"""The constraints of a function problem as predicates over its arguments: `1 <= k <= nums.length`, `s consists of
lowercase English letters`. A line that is not understood makes the whole useless, since an input might break it."""

from __future__ import annotations

import ast
import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from microcoder_assets.verification.inputs import NoGenerator
from microcoder_assets.verification.relations import (
    CALLS,
    UNREADABLE,
    Chain,
    Place,
    assignments,
    evaluate,
    index_names,
)

_MARKS = (
    (r"^\s*[-*+]\s+|[`$]|\*\*|\.\s*$", ""),
    (r"[−–]", "-"),
    (r"_\{i,\}", "_i,"),
    (r"(?<=\d) x (?=10)", " * "),
    (r"≤|\\leq?(?![a-z])", "<="),
    (r"≥|\\geq?(?![a-z])", ">="),
    (r"≠|\\neq?(?![a-z])", "!="),
    (r"×|\\times|\\cdot", "*"),
    (r"(?<=\d),(?=\d{3}\b)", ""),
    (r"\|([^|]+)\|", r"abs(\1)"),
    (r"(\w+)_\{?(\w+)\}?", r"\1_\2"),
    (r"\^\{?(\d+)\}?", r"**\1"),
)
_PLAIN = tuple((re.compile(pattern), sign) for pattern, sign in _MARKS)
_OPERATOR = re.compile(r"(<=|>=|==|!=|<|>|(?<![<>=!])=(?!=))")
_RANGE = re.compile(r"(?P<what>.+?) (?:is|are) in (?:the )?range \[(?P<low>[^,]+),(?P<high>[^,]+)\]")
_PATH = r"[A-Za-z_]\w*(?:\[\w+\])*"
_PATHS = rf"{_PATH}(?:(?:,| and|, and) {_PATH})*"
_LETTERS = re.compile(
    rf"(?:[Ee]ach |[Ee]very |[Aa]ll )?(?P<paths>{_PATHS}) (?:only )?(?:consists?|contains?|is|are)(?: made up)?"
    r"(?: only)?(?: of)?(?: only)?(?: either)? (?P<options>.+?)(?: only)?"
)
_UNIQUE = re.compile(
    rf"(?:[Aa]ll (?:of )?)?(?:the )?(?:\w+ ){{1,2}}(?:of|in) (?P<all>{_PATH}) are "
    rf"(?:pairwise )?(?:unique|distinct)|(?P<path>{_PATH}) (?:consists of|contains)(?: only)? (?:unique|distinct) "
    r"(?:integers|values|elements|numbers|strings)"
)
_SORTED = re.compile(
    rf"(?P<path>{_PATH}) is sorted in (?:a )?(?P<strict>strictly )?(?P<order>increasing|ascending|non-decreasing"
    r"|decreasing|descending|non-increasing)(?: order)?"
)
_ALPHABETS = {
    "lowercase and uppercase english letters": string.ascii_letters,
    "uppercase and lowercase english letters": string.ascii_letters,
    "lowercase english letters": string.ascii_lowercase,
    "lowercase english letter": string.ascii_lowercase,
    "lower-case english letters": string.ascii_lowercase,
    "lowercase letters": string.ascii_lowercase,
    "uppercase english letters": string.ascii_uppercase,
    "uppercase letters": string.ascii_uppercase,
    "english letters (upper-case and lower-case)": string.ascii_letters,
    "english letters (lower-case and upper-case)": string.ascii_letters,
    "english letters (lowercase and uppercase)": string.ascii_letters,
    "english letters (uppercase and lowercase)": string.ascii_letters,
    "english letters": string.ascii_letters,
    "digits from '0' to '9'": string.digits,
    "digits": string.digits,
    "spaces ' '": " ",
    "spaces": " ",
}
_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"|(-?\d+)(?![\w.])")
_JOINT = re.compile(r"\s*(?:,\s*)?(?:and |or |and/or )?(?:either )?(?:a |an |the )?(?:characters? |values? )?")
_DEFINITION = re.compile(r"(\w+)\[i\]\s*==?\s*[\[(]([\w\s,]+)[\])]")
_PERMUTATION = re.compile(
    rf"(?P<path>{_PATH}) is a permutation of (?:the |all )?(?:the )?(?:integers|numbers)?(?: from| in the range| in)? ?"
    r"\[?(?P<low>[\w-]+)(?:, ?| to | through )(?P<high>[\w. -]+)\]?"
)
_TREE = re.compile(
    rf"(?:The input is generated such that |The given input (?:always )?represents )?(?P<path>{_PATH}) "
    r"(?:represents?|forms?|makes? up|is) a valid (?:undirected )?tree"
)
_DIVISIBLE = re.compile(rf"(?P<path>{_PATH}|{_PATH}\.length) is (?:an )?(?P<parity>even|odd)(?: number| integer)?")
_NOTE = re.compile(r"Note:? ?:? This question is the same as", re.IGNORECASE)
Parts = Mapping[str, tuple[str, ast.expr]]


@dataclass(frozen=True)
class Constraints:
    """chains: relations. The rest is by path, with `_` for any index: alphabets: characters of a string. options: what
    a value may be; a last index that is a number is kept. unique, ordered: lists; an order is (strict, descending).
    trees: lists whose rows begin with the two ends of an edge of one tree.
    """

    chains: list[Chain] = field(default_factory=list)
    alphabets: dict[str, str] = field(default_factory=dict)
    options: dict[str, tuple[int | str, ...]] = field(default_factory=dict)
    unique: set[str] = field(default_factory=set)
    ordered: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    trees: set[str] = field(default_factory=set)

    def hold(self, values: Mapping[str, Any]) -> bool:
        """Whether the relations hold; values: arguments, and what else the constraints name."""
        return all(chain.holds(values) for chain in self.chains)

    def symbols(self, arguments: Sequence[str]) -> list[str]:
        """What the relations name beside the arguments and indices: `n`."""
        found: dict[str, None] = {}
        for chain in self.chains:
            for term in chain.terms:
                indices = index_names(term)
                names = (node.id for node in ast.walk(term) if isinstance(node, ast.Name))
                found |= dict.fromkeys(n for n in names if n not in indices and n not in arguments and n not in CALLS)
        everywhere = {name for chain in self.chains for term in chain.terms for name in index_names(term)}
        return [name for name in found if name not in everywhere]

    def define(self, symbol: str, values: Mapping[str, Any]) -> int:
        """A symbol's value by an equality with what is known. Raises NoGenerator."""
        for chain in self.chains:
            for term, _, side, _ in chain.sides(Place(symbol)):
                if side != "both":
                    continue
                for indices in assignments([term], values):
                    try:
                        return int(evaluate(term, {**values, **indices}))
                    except UNREADABLE:
                        break
        raise NoGenerator(f"{symbol} is named by the constraints and nothing says what it is")


def read_constraints(text: str, description: str, strings: set[str]) -> Constraints:
    """The constraints section, a constraint a line. description: where `edges[i] = [a_i, b_i]` may be said.
    strings: paths of the arguments that are strings: `s`, `words[_]`. Raises NoGenerator naming the line.
    """
    parts = _components(f"{description}\n{text}")
    found = Constraints()
    for name, width in Counter(name for name, _ in parts.values()).items():
        found.chains.extend(_chains([f"{name}[i].length", "==", str(width)], {}))
    for line in text.splitlines():
        plain = line
        for pattern, sign in _PLAIN:
            plain = pattern.sub(sign, plain)
        plain = plain.strip()
        if plain and not _read_line(plain, parts, strings, found):
            raise NoGenerator(f"constraint not understood: {line.strip()[:120]}")
    return found


def _read_line(line: str, parts: Parts, strings: set[str], found: Constraints) -> bool:
    if _NOTE.match(line) or _DEFINITION.fullmatch(line):
        return True
    if match := _TREE.fullmatch(line):
        found.trees.add(_generic(match["path"]))
        return True
    if match := _DIVISIBLE.fullmatch(line):
        line = f"{match['path']} % 2 == {int(match['parity'] == 'odd')}"
    if match := _PERMUTATION.fullmatch(line):
        found.unique.add(_generic(match["path"]))
        line = f"{match['low']} <= {match['path']}[i] <= {match['high']}"
    if spread := _RANGE.fullmatch(line):
        line = f"{spread['low']} <= {spread['what']} <= {spread['high']}"
    pieces = _OPERATOR.split(line)
    if len(pieces) > 1:
        chains = _chains(pieces, parts)
        found.chains.extend(chains)
        return bool(chains)
    if match := _UNIQUE.fullmatch(line):
        found.unique.add(_generic(match["all"] or match["path"]))
        return True
    if match := _SORTED.fullmatch(line):
        down = match["order"] in ("decreasing", "descending", "non-increasing")
        found.ordered[_generic(match["path"])] = (bool(match["strict"]), down)
        return True
    match = _LETTERS.fullmatch(line)
    return match is not None and _read_options(match["paths"], match["options"], parts, strings, found)


def _read_options(paths: str, wording: str, parts: Parts, strings: set[str], found: Constraints) -> bool:
    """`'a' or 'b'`, `digits and lowercase English letters`, `5, 10, or 20`, and nothing else."""
    options: list[int | str] = []
    alphabet = ""
    at = 0
    while at < len(wording):
        joint = _JOINT.match(wording, at)
        at = joint.end() if joint else at
        name = next((name for name in _ALPHABETS if wording.lower().startswith(name, at)), None)
        quoted = _QUOTED.match(wording, at)
        if name:
            alphabet += _ALPHABETS[name]
            at += len(name)
        elif quoted:
            options.append(int(quoted[3]) if quoted[3] else quoted[1] or quoted[2])
            at = quoted.end()
        elif at == len(wording):
            break
        else:
            return False
    for path in re.findall(_PATH, re.sub(r",? and |, ", " ", paths)):
        place = _generic(ast.unparse(parts[path][1]) if path in parts else path)
        place = place.removesuffix("[_]") if place not in strings and place.removesuffix("[_]") in strings else place
        letters = all(isinstance(option, str) and len(option) == 1 for option in options)
        if place in strings and letters:
            found.alphabets[place] = "".join(dict.fromkeys(alphabet + "".join(map(str, options))))
        elif options and not alphabet and all(isinstance(o, str) == (place in strings) for o in options):
            found.options[place] = tuple(options)
        else:
            return False
    return True


def _generic(path: str) -> str:
    return re.sub(r"\[[A-Za-z]\w*\]|\[\d+\](?!$)", "[_]", path)


def _chains(pieces: Sequence[str], parts: Parts) -> list[Chain]:
    """Chains of relations; `a, b < n` are two. Empty where it is none."""
    terms: list[list[ast.expr]] = []
    for piece in pieces[::2]:
        try:
            term = _Renamed(parts).visit(ast.parse(piece.strip(), mode="eval").body)
        except (SyntaxError, ValueError):
            return []
        terms.append(term.elts if isinstance(term, ast.Tuple) else [term])
    if not all(_arithmetic(term) for several in terms for term in several):
        return []
    relations = ["==" if piece == "=" else piece for piece in pieces[1::2]]
    if set(relations) <= {">", ">=", "==", "!="} and not set(relations) <= {"==", "!="}:
        terms, relations = terms[::-1], [r.replace(">", "<") for r in relations[::-1]]
    if any(">" in relation for relation in relations):
        return []
    if max(map(len, terms)) == 1 or len(terms) == 1:
        return [Chain(tuple(several[0] for several in terms), tuple(relations))]
    chains = []
    widest = max(terms, key=len)
    for term in widest:
        line = tuple(term if several is widest else several[0] for several in terms)
        if any(len(several) > 1 and several is not widest for several in terms):
            return []
        chains.append(Chain(line, tuple(relations)))
    return chains


def _arithmetic(term: ast.expr) -> bool:
    allowed = (
        ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, ast.UnaryOp, ast.USub, ast.Call, ast.operator, ast.Load,
    )  # fmt: skip
    return all(
        isinstance(node, allowed) or (isinstance(node, ast.Constant) and type(node.value) is int)
        for node in ast.walk(term)
    ) and all(node.attr == "length" for node in ast.walk(term) if isinstance(node, ast.Attribute))


class _Renamed(ast.NodeTransformer):
    """`a_i` as `edges[i][0]`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._parts[node.id][1] if node.id in self._parts else node


def _components(description: str) -> dict[str, tuple[str, ast.expr]]:
    """Names of parts of rows, each with its list and the part: `a_i` is `edges` and `edges[i][0]`."""
    plain = re.sub(r"[`$*]|</?sub>", "", description)
    plain = re.sub(r"(\w+)_\{(\w+)\}", r"\1_\2", plain)
    return {
        part.strip(): (name, ast.parse(f"{name}[i][{at}]", mode="eval").body)
        for name, parts in _DEFINITION.findall(plain)
        for at, part in enumerate(parts.split(","))
        if part.strip().isidentifier()
    }
