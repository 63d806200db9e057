"""What the sets' layouts have in common: solutions, tests and limits in the forms that recur."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Any

from microcoder_assets.collection.records import Reference, ScrapedTest
from microcoder_assets.collection.signature import Signature
from microcoder_assets.collection.wording import is_interactive, plain
from microcoder_judge import Checker

READ_PER_KEPT = 4
"""Solutions without a stated Python version are looked at up to this many times the number kept. Ours."""

LANGUAGES = {
    "py2": "python2",
    "py3": "python",
    "python": "python",
    "python2": "python2",
    "python3": "python",
    "cpp": "cpp",
    "c++": "cpp",
    "java": "java",
}
"""Our names for the sets' languages; others are not taken."""

_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:[a-zA-Z]+\.?)?\s*")
_NOT_AN_ID = re.compile(r"[^A-Za-z0-9._+-]+")


@dataclass(frozen=True, slots=True)
class Judging:
    """How programs are judged: the fields of ScrapedProblem with these names."""

    io_mode: str | None = None
    entry_point: str | None = None
    starter_code: str | None = None
    tests: tuple[ScrapedTest, ...] = ()
    checker: Checker | None = None
    flags: frozenset[str] = frozenset()


def references(solutions: Iterable[tuple[str, str]], label: str, limit: int) -> Iterator[Reference]:
    """The first `limit` different (language, code) of each language, named `label/language-1` and on."""
    kept: Counter[str] = Counter()
    seen = set()
    for language, code in solutions:
        if kept[language] < limit and code.strip() and code not in seen:
            seen.add(code)
            kept[language] += 1
            yield Reference(f"{label}/{language}-{kept[language]}", language, label, code)


def python_references(solutions: Iterable[str], limit: int) -> Iterator[Reference]:
    """Accepted solutions of which only Python is known: `python` where Python 3 parses them, else `python2`."""
    some = islice(solutions, READ_PER_KEPT * limit)
    return references(((python_version(code), code) for code in some), "accepted", limit)


def python_version(code: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "python2"
    return "python"


def stdin_judging(
    statement: str, tests: Iterable[ScrapedTest], checker: Checker | None = None, flags: Iterable[str] = ()
) -> Judging:
    """Standard input and output. checker: the set's own program, None where it names none: nothing is guessed here.
    flags: file_io is no standard input and output."""
    found = {*flags, *(("interactive",) if is_interactive(plain(statement)) else ())}
    return Judging(None if "file_io" in found else "stdin", None, None, tuple(tests), checker, frozenset(found))


def function_judging(entry_point: str, starter_code: str, cases: Iterable[tuple[Any, Any]]) -> Judging:
    """A function called with each case's list of arguments. Starter code that does not say how is flagged.

    Raises TypeError for arguments that are no list.
    """
    signature = Signature.of_starter(starter_code) if "class Solution" in starter_code else None
    flags = set(signature.flags if signature else ())
    if signature and signature.name != entry_point:
        flags.add("unusual_signature")
    if flags:
        return Judging(flags=frozenset(flags))
    starter = signature.starter_code if signature else starter_code.strip() or None
    return Judging("function", entry_point, starter, tuple(_call(n, *case) for n, case in enumerate(cases, 1)))


def unwrapped(outputs: list[Any], starter_code: str) -> list[Any]:
    """Expected values as APPS and TACO give them: in a list of one, or bare; nothing in the data says which.

    Ours: a list of one is taken off when all outputs are one, unless the signature returns a list and what is inside
    is none.
    """
    wrapped = all(isinstance(output, list) and len(output) == 1 for output in outputs)
    returns_list = re.search(r"->\s*['\"]?(?:typing\.)?[Ll]ist\b", starter_code)
    if not wrapped or (returns_list and not all(isinstance(output[0], list) for output in outputs)):
        return outputs
    return [output[0] for output in outputs]


def input_output(text: str, statement: str, starter_code: str) -> Judging:
    """The `input_output` of APPS and TACO: JSON with inputs, outputs and, of a function problem, fn_name.

    Empty: no tests. Raises one of BAD_RECORD for another shape.
    """
    given = json.loads(text) if text.strip() else {"inputs": [], "outputs": []}
    return called_or_piped(given["inputs"], given["outputs"], given.get("fn_name"), statement, starter_code)


def called_or_piped(
    inputs: list[Any], outputs: list[Any], entry_point: str | None, statement: str, starter_code: str
) -> Judging:
    """Tests of a function where there is an entry point, else of a program."""
    if entry_point:
        cases = zip(inputs, unwrapped(outputs, starter_code), strict=True)
        return function_judging(entry_point, starter_code, cases)
    return stdin_judging(statement, tests_of("test", zip(inputs, outputs, strict=True)))


def tests_of(name: str, cases: Iterable[tuple[Any, Any]], sample: bool = False) -> Iterator[ScrapedTest]:
    """Pairs of input and output. Raises TypeError for one that is neither text nor a list of lines."""
    for number, (given, expected) in enumerate(cases, 1):
        yield ScrapedTest(f"{name}-{number}", sample, _lines(given).encode(), _lines(expected).encode())


def pairs(value: Any, first: str, second: str) -> list[tuple[Any, Any]]:
    """Two fields of what a file holds as a mapping of lists or as a list of mappings; empty for None.

    Raises ValueError where the lists of a mapping differ in length.
    """
    if isinstance(value, Mapping):
        return list(zip(value[first], value[second], strict=True))
    return [(item[first], item[second]) for item in value or ()]


def amount(value: str | float | None) -> float | None:
    """The number of `2.0 seconds` or 2.0; None for nothing, zero and words."""
    match = _AMOUNT.fullmatch(str(value)) if value is not None else None
    return float(match[1]) or None if match else None


def list_literal(text: str | None) -> list[Any]:
    """A list that the set stores as Python or JSON text. Raises ValueError or SyntaxError for something else."""
    found = ast.literal_eval(text) if text else []
    if not isinstance(found, list):
        raise ValueError(f"must be a list, not {type(found).__name__}")
    return found


def identifier(text: str) -> str:
    """Text as a native id: what an id may not have becomes a hyphen. Empty for text without a letter or digit."""
    return _NOT_AN_ID.sub("-", text).lstrip("-._+")[:120].rstrip("-._+")


def text_id(prefix: str, text: str) -> str:
    """A native id for a row without one: the same words, the same id, wherever the row stands."""
    return f"{prefix}-{sha256(' '.join(text.split()).encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _call(number: int, arguments: Any, expected: Any) -> ScrapedTest:
    if not isinstance(arguments, list):
        raise TypeError(f"arguments must be a list, not {type(arguments).__name__}")
    return ScrapedTest(f"test-{number}", False, _json(arguments), _json(expected))


def _lines(value: Any) -> str:
    """A test's text, which some rows give as a list of lines."""
    if isinstance(value, list):
        return "\n".join(map(_lines, value))
    if not isinstance(value, str):
        raise TypeError(f"a test must be text, not {type(value).__name__}")
    return value


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
