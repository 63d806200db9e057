"""Complexity of a Python program: McCabe's cyclomatic number and Halstead's measures.

McCabe, "A Complexity Measure", IEEE TSE 1976: v(G) = decisions + 1 for a program of one component.
Halstead, "Elements of Software Science", 1977, from n1 distinct and N1 total operators, n2 and N2 operands:

    volume     V = (N1 + N2) * log2(n1 + n2)
    difficulty D = (n1 / 2) * (N2 / n2)
    effort     E = D * V
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections import Counter
from dataclasses import dataclass

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_CONSTANTS = frozenset({"True", "False", "None"})
_TOKEN = re.compile(
    r"""
      (?P<comment>\#[^\n]*)
    | (?P<string>[rRbBuUfF]{0,2}(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''
                                 |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    | (?P<number>(?:0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?)[jJ]?)
    | (?P<name>[^\W\d]\w*)
    | (?P<operator>\*\*=|//=|>>=|<<=|\.\.\.|:=|->|[-+*/%&|^@!=<>]=|\*\*|//|<<|>>|[-+*/%&|^~@=<>()\[\]{},:;.])
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSING = frozenset(")]}")


@dataclass(frozen=True, slots=True)
class CodeMetrics:
    """cyclomatic: v(G). volume, difficulty, effort: Halstead's. loop_depth: the deepest nesting of loops.
    lines: lines that hold code."""

    cyclomatic: int
    volume: float
    difficulty: float
    effort: float
    loop_depth: int
    lines: int


def measure(code: str) -> CodeMetrics | None:
    """The metrics of `code`; None where this interpreter cannot parse it (Python 2, a fragment, null bytes)."""
    try:
        tree = ast.parse(code)
        cyclomatic, loop_depth = 1 + _decisions(tree), _loop_depth(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    volume, difficulty = _halstead(code)
    lines = sum(1 for line in code.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return CodeMetrics(cyclomatic, volume, difficulty, difficulty * volume, loop_depth, lines)


def _decisions(tree: ast.AST) -> int:
    """Branches, loops, handlers, cases and, as McCabe counts compound predicates, each further `and` / `or`."""
    count = 0
    for node in ast.walk(tree):
        if isinstance(node, (ast.If, ast.IfExp, ast.ExceptHandler, ast.match_case, *_LOOPS)):
            count += 1
        elif isinstance(node, ast.BoolOp):
            count += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            count += 1 + len(node.ifs)
    return count


def _loop_depth(node: ast.AST) -> int:
    inner = max((_loop_depth(child) for child in ast.iter_child_nodes(node)), default=0)
    if isinstance(node, _LOOPS):
        return inner + 1
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        return inner + len(node.generators)
    return inner


def _halstead(code: str) -> tuple[float, float]:
    """(volume, difficulty). Operators: keywords and punctuation, a bracket pair once. Operands: names, numbers,
    strings, True, False, None. The standard leaves this to each language; the choice is ours."""
    operators: Counter[str] = Counter()
    operands: Counter[str] = Counter()
    for match in _TOKEN.finditer(code):
        kind, text = match.lastgroup, match.group()
        if kind == "comment" or text in _CLOSING:
            continue
        if kind == "operator" or (keyword.iskeyword(text) and text not in _CONSTANTS):
            operators[text] += 1
        else:
            operands[text] += 1
    vocabulary = len(operators) + len(operands)
    volume = (operators.total() + operands.total()) * math.log2(vocabulary) if vocabulary else 0.0
    difficulty = len(operators) / 2 * operands.total() / len(operands) if operands else 0.0
    return volume, difficulty
