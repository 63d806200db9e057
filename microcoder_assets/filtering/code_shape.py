"""What a Python program is built of: counts over its syntax tree and its tokens, beside the measures of code_metrics.

Which parts are counted is ours. Every count c is given as log(1 + c).
"""

from __future__ import annotations

import ast
import math
import re
from collections import Counter

_NODES: dict[str, tuple[type[ast.AST], ...]] = {
    "branches": (ast.If,),
    "loops": (ast.For,),
    "open_loops": (ast.While,),
    "comprehensions": (ast.comprehension,),
    "assignments": (ast.Assign, ast.AugAssign),
    "updates": (ast.AugAssign,),
    "operations": (ast.BinOp,),
    "comparisons": (ast.Compare,),
    "subscripts": (ast.Subscript,),
    "slices": (ast.Slice,),
    "calls": (ast.Call,),
    "returns": (ast.Return,),
    "tuples": (ast.Tuple,),
    "lambdas": (ast.Lambda,),
    "constants": (ast.Constant,),
    "classes": (ast.ClassDef,),
    "functions": (ast.FunctionDef,),
    "remainders": (ast.Mod,),
    "divisions": (ast.FloorDiv,),
    "products": (ast.Mult,),
    "powers": (ast.Pow,),
    "bit_operations": (ast.BitAnd, ast.BitOr, ast.BitXor, ast.LShift, ast.RShift),
}
_CALLS: dict[str, frozenset[str]] = {
    "extremes": frozenset({"min", "max"}),
    "sorts": frozenset({"sort", "sorted"}),
    "bisections": frozenset({"bisect", "bisect_left", "bisect_right"}),
    "heap_calls": frozenset({"heappush", "heappop", "heapify"}),
}
_FUNCTIONS = ("recursive", "self_calls", "recursion_parameters", "cached", "cache_parameters", "nested", "parameters")
_TEXT = ("tokens", "distinct_tokens", "distinct_names", "distinct_calls", "characters", "longest_line", "mean_line")
_DEPTHS = ("syntax_depth", "block_depth", "subscript_depth")
CODE_SHAPE = (*_NODES, *_CALLS, *_FUNCTIONS, *_TEXT, *_DEPTHS)

_BLOCKS = (ast.For, ast.While, ast.If, ast.FunctionDef, ast.ClassDef)
_TOKEN = re.compile(
    r"""\#[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | \d[\w.]* | [^\W\d]\w*
      | \*\*=? | //=? | >>=? | <<=? | := | -> | [-+*/%&|^@!=<>]= | \S""",
    re.VERBOSE,
)
_LONGEST_NUMBER = 3  # digits; longer ones are one token. Ours


def code_tokens(code: str) -> list[str]:
    """The tokens of a program without comments; strings are `STRING`, large numbers `NUMBER`."""
    tokens = []
    for token in _TOKEN.findall(code):
        if token[0] in "\"'":
            tokens.append("STRING")
        elif token[0].isdigit() and len(token) > _LONGEST_NUMBER:
            tokens.append("NUMBER")
        elif token[0] != "#":
            tokens.append(token)
    return tokens


def code_shape(code: str) -> dict[str, float] | None:
    """CODE_SHAPE of `code`; None where this interpreter cannot parse it."""
    try:
        tree = ast.parse(code)
        nodes = list(ast.walk(tree))
        depths = (_depth(tree, ast.AST), _depth(tree, _BLOCKS), max(map(_subscript_depth, nodes)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    called = Counter(_called(node) for node in nodes if isinstance(node, ast.Call))
    counts: dict[str, float] = {name: sum(isinstance(node, kinds) for node in nodes) for name, kinds in _NODES.items()}
    counts |= {name: sum(called[call] for call in calls) for name, calls in _CALLS.items()}
    counts |= _function_counts([node for node in nodes if isinstance(node, ast.FunctionDef)])
    tokens, lines = code_tokens(code), [line.strip() for line in code.splitlines() if line.strip()]
    text = (
        len(tokens),
        len(set(tokens)),
        len({token for token in tokens if token.isidentifier()}),
        len(called),
        len(code),
        max(map(len, lines), default=0),
        sum(map(len, lines)) / max(len(lines), 1),
    )
    counts |= dict(zip(_TEXT, text, strict=True)) | dict(zip(_DEPTHS, depths, strict=True))
    return {name: math.log1p(counts[name]) for name in CODE_SHAPE}


def _function_counts(functions: list[ast.FunctionDef]) -> dict[str, int]:
    counts = dict.fromkeys(_FUNCTIONS, 0)
    for function in functions:
        inside = [node for node in ast.walk(function) if node is not function]
        own = sum(isinstance(node, ast.Call) and _called(node) == function.name for node in inside)
        parameters = len(function.args.args)
        counts["parameters"] = max(counts["parameters"], parameters)
        counts["nested"] += any(isinstance(node, ast.FunctionDef) for node in inside)
        if own:
            counts["recursive"] += 1
            counts["self_calls"] = max(counts["self_calls"], own)
            counts["recursion_parameters"] = max(counts["recursion_parameters"], parameters)
        if any("cache" in ast.unparse(decorator) for decorator in function.decorator_list):
            counts["cached"] += 1
            counts["cache_parameters"] = max(counts["cache_parameters"], parameters)
    return counts


def _called(call: ast.Call) -> str:
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _depth(node: ast.AST, kinds: type[ast.AST] | tuple[type[ast.AST], ...]) -> int:
    return max((_depth(child, kinds) for child in ast.iter_child_nodes(node)), default=0) + isinstance(node, kinds)


def _subscript_depth(node: ast.AST) -> int:
    depth = 0
    while isinstance(node, ast.Subscript):
        node, depth = node.value, depth + 1
    return depth
