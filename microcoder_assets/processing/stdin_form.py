"""A function problem as one over standard input: one JSON value a line in, one JSON value out.

Statement, samples, tests, checker and references say the same in both forms, so that one training set can hold either
or both and each prompt says which of the two it wants.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from microcoder_assets.processing.arguments import NotALiteral, Signature, read_signature, sample_test
from microcoder_assets.processing.content import content_sha
from microcoder_assets.processing.headings import INPUT, OUTPUT, TEXT_SECTIONS
from microcoder_assets.processing.normalize import render_statement
from microcoder_assets.processing.samples import Sample
from microcoder_judge._function import MODULES, PRELUDE

SUFFIX = "#stdin"
"""Ends the problem id of a stdin form; the rest is the id of the function form."""
_HOLE = "# the solution\n"
_FUTURE = "from __future__ import "
_ONE = {"int": "an integer", "float": "a number", "str": "a string", "bool": "true or false"}
_MANY = {"int": "integers", "float": "numbers", "str": "strings", "bool": "truth values"}


class NoStdinForm(ValueError):
    """Why a function problem cannot be put as one over standard input."""


@dataclass(frozen=True, slots=True)
class StdinForm:
    """row: the columns of `schema.PREPARED`. blobs: bytes of its tests, to be stored."""

    row: dict[str, Any]
    blobs: tuple[bytes, ...]


def stdin_form(row: Mapping[str, Any], blobs: Mapping[str, bytes]) -> StdinForm:
    """The stdin form of a function problem, a row of `schema.PREPARED`. blobs: bytes of its tests by hash.

    Raises NoStdinForm. Accepted and wrong references become whole programs by `program`, with the row's driver.
    """
    signature = read_signature(row["starter_code"] or "", row["entry_point"].rpartition(".")[2])
    if signature is None:
        raise NoStdinForm("the starter code does not say what the function takes")
    driver = make_driver(row["entry_point"], row["starter_code"])
    pairs = [(_lines(blobs[t["input_sha"]], signature), blobs[t["expected_sha"]].strip() + b"\n") for t in row["tests"]]
    text = {name: row[name] for name in TEXT_SECTIONS if row[name]}
    text[INPUT], text[OUTPUT] = _input_section(signature), _output_section(signature)
    samples = list(filter(None, (_sample(sample, signature) for sample in row["samples"])))
    form = {
        **row,
        "problem_id": row["problem_id"] + SUFFIX,
        "form_of": row["problem_id"],
        "io_mode": "stdin",
        "entry_point": None,
        "starter_code": None,
        "driver": driver,
        "statement": render_statement(text, samples, function=False),
        **{name: text.get(name) for name in TEXT_SECTIONS},
        "samples": [{"input": s.input, "output": s.output, "explanation": s.explanation} for s in samples],
        "tests": [_test(test, *pair) for test, pair in zip(row["tests"], pairs, strict=True)],
        "references": [
            {**reference, "code": program(driver, reference["code"])}
            for reference in row["references"] or ()
            if reference["language"] == "python"
        ],
    }
    return StdinForm({**form, "content_sha": content_sha(form)}, tuple(part for pair in pairs for part in pair))


def make_driver(entry_point: str, starter_code: str) -> str:
    """A program with a hole for the solution: it defines what a function problem finds defined, reads the arguments,
    calls the function and prints what it returns. What the function prints itself goes to standard error."""
    owner, _, name = entry_point.rpartition(".")
    if not owner and "class Solution" in starter_code:
        owner = "Solution"
    function = f"{owner}().{name}" if owner else name
    imports = []
    for module, names in PRELUDE.items():
        wanted = ", ".join(name for name in names.split() if not hasattr(builtins, name))
        imports.append(f"from {module} import {wanted}")
    optional = next(line for line in imports if line.startswith("from sortedcontainers "))
    imports.remove(optional)
    imports.append(f"try:\n    {optional}\nexcept ImportError:\n    pass")
    imports.append(f"import {', '.join(MODULES.split())}")
    main = (
        'if __name__ == "__main__":\n'
        "    import json, sys\n\n"
        "    values = [json.loads(line) for line in sys.stdin if line.strip()]\n"
        "    answers, sys.stdout = sys.stdout, sys.stderr\n"
        f"    print(json.dumps({function}(*values), default=list), file=answers)\n"
    )
    return "\n".join([*imports, "", _HOLE, "", main])


def program(driver: str, solution: str) -> str:
    """A solution of the function problem as a program of the stdin form."""
    lines = solution.splitlines(keepends=True)
    future = "".join(line for line in lines if line.startswith(_FUTURE))
    rest = "".join(line for line in lines if not line.startswith(_FUTURE))
    return future + driver.replace(_HOLE, rest.rstrip("\n") + "\n")


def _lines(arguments: bytes, signature: Signature) -> bytes:
    """A JSON array of arguments as one value a line."""
    try:
        values = json.loads(arguments)
    except (ValueError, RecursionError) as error:
        raise NoStdinForm("a test's arguments are no JSON array") from error
    if not isinstance(values, list) or len(values) != len(signature.names):
        raise NoStdinForm("a test's arguments are not those of the signature")
    return "".join(f"{json.dumps(value)}\n" for value in values).encode()


def _test(test: Mapping[str, Any], given: bytes, expected: bytes) -> dict[str, Any]:
    return {
        **test,
        "input_sha": hashlib.sha256(given).hexdigest(),
        "expected_sha": hashlib.sha256(expected).hexdigest(),
        "bytes": len(given) + len(expected),
    }


def _sample(sample: Mapping[str, Any], signature: Signature) -> Sample | None:
    """A sample as its test shows it; None where the statement's wording of it is no list of literals."""
    try:
        arguments, expected = sample_test(Sample(sample["input"], sample["output"], sample["explanation"]), signature)
        given = _lines(arguments, signature).decode()
    except (NotALiteral, NoStdinForm):
        return None
    return Sample(given.rstrip("\n"), expected.decode(), sample["explanation"])


def _input_section(signature: Signature) -> str:
    lines = [
        f"- `{name}`: {_described(annotation)}"
        for name, annotation in zip(signature.names, signature.annotations, strict=True)
    ]
    if not lines:
        return "The input is empty."
    head = "One JSON value on one line:" if len(lines) == 1 else "One JSON value a line, in this order:"
    return "\n".join([head, "", *lines])


def _output_section(signature: Signature) -> str:
    return f"Print what is to be returned as one JSON value: {_described(signature.returns)}."


def _described(annotation: ast.expr | None, many: bool = False) -> str:
    """An annotation in words: `List[int]` is `a list of integers`."""
    match annotation:
        case ast.Name(name) if name in _ONE:
            return (_MANY if many else _ONE)[name]
        case ast.Subscript(ast.Name("List" | "list"), inner):
            return f"{'lists' if many else 'a list'} of {_described(inner, many=True)}"
        case ast.Subscript(ast.Name("Optional"), inner):
            return f"{_described(inner, many)}, or null"
        case _:
            return "JSON values" if many else "a JSON value"
