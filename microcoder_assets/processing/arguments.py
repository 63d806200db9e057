"""Samples of function problems as tests: literals in the signature's order, parsed and never evaluated."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from microcoder_assets.processing.samples import Sample

_NAME = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?!=)\s*")
_SEPARATOR = re.compile(r"[\s,;]*")
_BARE = re.compile(r"[^\s,;\[\]{}()\"']+")
_CLOSERS = {"[": "]", "{": "}", "(": ")"}
_CONSTANTS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}


class NotALiteral(ValueError):
    """A sample that is no list of literals fitting the signature."""


@dataclass(frozen=True, slots=True)
class Signature:
    """names and annotations of the parameters without `self`, and what is returned; None: not annotated."""

    names: tuple[str, ...]
    annotations: tuple[ast.expr | None, ...]
    returns: ast.expr | None


def read_signature(starter_code: str, entry_point: str) -> Signature | None:
    """The entry point's signature; None where the code defines none, or one with defaults or stars."""
    body = starter_code.rstrip()
    for code in (f"{body} pass", body):
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name == entry_point:
                given = node.args
                if given.vararg or given.kwarg or given.kwonlyargs or given.posonlyargs:
                    return None
                own = [a for n, a in enumerate(given.args) if n or a.arg != "self"]
                return Signature(tuple(a.arg for a in own), tuple(a.annotation for a in own), node.returns)
    return None


def describe_arguments(arguments: str, signature: Signature | None) -> str:
    """A JSON array of arguments as `nums = [1, 2], k = 3`; as it stands where the signature does not fit it."""
    try:
        values = json.loads(arguments)
    except ValueError:
        return arguments
    if signature is None or not isinstance(values, list) or len(values) != len(signature.names):
        return arguments
    return ", ".join(
        f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in zip(signature.names, values, strict=True)
    )


def sample_test(sample: Sample, signature: Signature | None) -> tuple[bytes, bytes]:
    """(JSON array of arguments, JSON of the expected value). Raises NotALiteral."""
    if signature is None:
        raise NotALiteral("no signature")
    named = list(_values(sample.input))
    names = [name for name, _ in named]
    if len(named) != len(signature.names):
        raise NotALiteral(f"{len(named)} values for {len(signature.names)} parameters")
    by_name = {name: value for name, value in named if name}
    in_order = set(names) != set(signature.names)
    arguments = [value for _, value in named] if in_order else [by_name[name] for name in signature.names]
    results = list(_values(sample.output))
    if len(results) != 1:
        raise NotALiteral("the output is not one value")
    for value, annotation in zip([*arguments, results[0][1]], [*signature.annotations, signature.returns], strict=True):
        if not fits(value, annotation):
            raise NotALiteral(f"{value!r} is not what the signature says")
    return _json(arguments), _json(results[0][1])


def fits(value: Any, annotation: ast.expr | None) -> bool:
    """Whether a JSON value can be what an annotation says; only plain JSON types and lists fit."""
    if annotation is None:
        return True
    if isinstance(annotation, ast.Name):
        kinds: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}
        kinds["List"] = kinds["list"] = (list,)
        allowed = kinds.get(annotation.id, ())
        return isinstance(value, allowed) and (annotation.id == "bool" or not isinstance(value, bool))
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name):
        if annotation.value.id in ("List", "list"):
            return isinstance(value, list) and all(fits(item, annotation.slice) for item in value)
        if annotation.value.id == "Optional":
            return value is None or fits(value, annotation.slice)
    return False


def _values(text: str) -> Iterator[tuple[str | None, Any]]:
    at = 0
    while True:
        separator = _SEPARATOR.match(text, at)
        at = separator.end() if separator else at
        if at == len(text):
            return
        name = _NAME.match(text, at)
        at = name.end() if name else at
        end = _literal_end(text, at)
        yield (name[1] if name else None), _parse(text[at:end])
        at = end


def _literal_end(text: str, start: int) -> int:
    """Where the literal at `start` ends. Raises NotALiteral when it does not."""
    expected: list[str] = []
    at = start
    while at < len(text):
        character = text[at]
        if character in "\"'":
            closing = re.compile(rf"{character}((?:[^\\{character}]|\\.)*){character}", re.DOTALL).match(text, at)
            if closing is None:
                break
            at = closing.end()
        elif character in _CLOSERS:
            expected.append(_CLOSERS[character])
            at += 1
        elif expected and character == expected[-1]:
            expected.pop()
            at += 1
        elif bare := _BARE.match(text, at):
            at = bare.end()
        elif expected:
            at += 1
        else:
            break
        if not expected:
            return at
    raise NotALiteral(f"no literal at {text[start : start + 20]!r}")


def _parse(literal: str) -> Any:
    if literal in _CONSTANTS:
        return _CONSTANTS[literal]
    try:
        return json.loads(literal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        pass
    try:
        value = ast.literal_eval(literal)
        json.dumps(value, allow_nan=False)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise NotALiteral(f"no literal: {literal[:40]!r}") from error
    return value


def _no_constant(name: str) -> Any:
    raise NotALiteral(f"{name} is no JSON value")


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False).encode()
