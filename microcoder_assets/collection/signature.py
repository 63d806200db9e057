"""The entry point of a function problem, read from Python source without running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass

VALUE_TYPES = frozenset({"int", "float", "str", "bool", "None", "List", "list", "Optional", "Dict", "dict", "Any"})
"""Type names of values that JSON can carry."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A method of `class Solution`. parameters: names without self. required: how many have no default.

    flags: why it cannot be judged by values: design_class, uses_nodes, uses_api (an object the judge supplies),
    in_place, unusual_signature; empty when it can.
    """

    name: str
    parameters: tuple[str, ...]
    required: int
    starter_code: str
    flags: tuple[str, ...]

    @classmethod
    def of(cls, code: str) -> Signature | None:
        """The one public method of `class Solution`; None when the source does not parse or has no such class.

        A class with several public methods or with an `__init__` is flagged design_class: nothing says which to call.
        """
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        solution = next((n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Solution"), None)
        if solution is None:
            return None
        methods = [n for n in solution.body if isinstance(n, ast.FunctionDef)]
        public = [method for method in methods if not method.name.startswith("_")]
        if len(public) != 1 or any(method.name == "__init__" for method in methods):
            return cls("", (), 0, "", ("design_class",))
        method = public[0]
        parameters = tuple(argument.arg for argument in method.args.args[1:])
        returns = f" -> {ast.unparse(method.returns)}" if method.returns else ""
        return cls(
            name=method.name,
            parameters=parameters,
            required=len(parameters) - len(method.args.defaults),
            starter_code=f"class Solution:\n    def {method.name}({ast.unparse(method.args)}){returns}:\n",
            flags=_flags(method),
        )

    @classmethod
    def of_starter(cls, starter_code: str) -> Signature | None:
        """The same from starter code, whose method has no body."""
        return cls.of(starter_code.rstrip() + " pass")


def _flags(method: ast.FunctionDef) -> tuple[str, ...]:
    arguments = method.args
    annotations = [argument.annotation for argument in arguments.args[1:]]
    odd = arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs or method.decorator_list
    if odd or not arguments.args or method.returns is None or None in annotations:
        return ("unusual_signature",)
    foreign = {name for part in (*annotations, method.returns) if part for name in _type_names(part)} - VALUE_TYPES
    flags = set()
    if any("Node" in name for name in foreign):
        flags.add("uses_nodes")
    if any("Node" not in name for name in foreign):
        flags.add("uses_api")
    if _type_names(method.returns) == {"None"}:
        flags.add("in_place")
    return tuple(sorted(flags))


def _type_names(annotation: ast.expr) -> set[str]:
    names = set()
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.Constant) and node.value is None:
            names.add("None")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)
    return names
