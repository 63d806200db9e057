"""Sources made to break what reads or compiles them."""

from __future__ import annotations

from attacks.attack import Attack
from microcoder_judge import Verdict

COMPILES_NOT = frozenset({Verdict.CE})
COMPILES_OR_NOT = frozenset({Verdict.CE, Verdict.WA, Verdict.RE, Verdict.TLE, Verdict.MLE})
"""Where a compiler may give up or not; only the judge must not."""


def _source(name: str, code: str, allowed: frozenset[Verdict] = COMPILES_OR_NOT) -> Attack:
    return Attack(name, code, allowed=allowed, bare=True)


ATTACKS = (
    _source("nothing at all", "", COMPILES_NOT),
    _source("a NUL", "print(1)\0print(2)", COMPILES_NOT),
    _source("a lone surrogate", "print('\ud800')", COMPILES_NOT),
    _source("a deep bracket", "x = " + "(" * 100_000 + ")" * 100_000),
    _source("a deep list", "x = " + "[" * 150 + "]" * 150),
    _source("a long sum", "x = " + "1+" * 200_000 + "1"),
    _source("a long sign", "x = " + "-" * 200_000 + "1"),
    _source("a long attribute", "x = a" + ".b" * 100_000),
    _source("deep blocks", "\n".join(" " * depth + "if 1:" for depth in range(200)) + "\n" + " " * 200 + "pass"),
    _source("a constant of a gigabyte", "x = 'a' * 1_000_000_000 + 'b'"),
    _source("a constant power", "x = 9 ** 9 ** 9"),
    _source("nested constant lists", "x = " + "(" * 8 + "1,)" + " * 100,)" * 7 + " * 100"),
    _source("ten million digits", "x = " + "7" * 10_000_000),
    _source("hexadecimal digits", "x = 0x" + "7" * 10_000_000),
    _source("three million lines", "\n" * 3_000_000 + "print(1)"),
    _source("many statements", "x = 1\n" * 100_000),
    _source("a name of a megabyte", "a" * 1_000_000 + " = 1"),
    _source("a source that decodes itself", "# coding: rot13\ncevag(1)"),
    _source("a coding that is none", "# -*- coding: no-such-coding -*-\nprint(1)"),
    _source("a coding of other widths", "# coding: utf-16\nprint(1)"),
    _source("a future that is none", "from __future__ import braces", COMPILES_NOT),
    _source("a right to left override", "x = '\u202e' # \u2066\nprint(x)"),
    _source("no builtins", "__builtins__ = {}\nglobals().clear()\nprint(1)"),
    Attack(
        "a compiler with nothing to stand on",
        """
        import builtins
        builtins.compile = builtins.exec = builtins.__build_class__ = builtins.__import__ = None
        globals().clear()
        """,
    ),
)
