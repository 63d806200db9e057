"""Outputs shaped to be taken for the answer, or to harm whoever compares them."""

from __future__ import annotations

from attacks.attack import Attack
from microcoder_judge import Checker, Limits

YES_NO = (("1", "YES"), ("2", "NO"))
LAST_UNKNOWN = (("<a> <b>", "<a> <b> <c>"), ("<b>", "<b> <d>"))
"""The input holds all of the answer but its last word."""
ONE_OF_TWO = (("<a> <b>", "<b>"), ("<c> <d>", "<c>"))
TOLERANT = Checker("tokens_float", abs_tol=1e-6, rel_tol=1e-6)
DECIMALS = (("1", "0.4375"), ("2", "1250.5"))
ROOM = Limits(time_s=2, memory_mb=256, output_mb=32)

ATTACKS = (
    Attack("yes and no", "print('YES', 'NO')", YES_NO, checker=Checker("yesno"), bare=True),
    Attack("yes and no on lines", "print('YES\\nNO')", YES_NO, checker=Checker("yesno"), bare=True),
    Attack("yes whatever comes", "print('YES')", YES_NO, checker=Checker("yesno"), bare=True),
    Attack("yes overwritten by no", "print('YES\\rNO ')", YES_NO, checker=Checker("yesno"), bare=True),
    Attack("a prefix", "print(input())", LAST_UNKNOWN, bare=True),
    Attack("a prefix by lines", "print(input())", LAST_UNKNOWN, checker=Checker("lines"), bare=True),
    Attack("nothing", "pass", bare=True),
    Attack("both candidates", "print(input())", ONE_OF_TWO, bare=True),
    Attack(
        "both candidates in any order", "print(input())", ONE_OF_TWO, checker=Checker("unordered_tokens"), bare=True
    ),
    Attack(
        "both candidates as lines",
        "print(input().replace(' ', '\\n'))",
        ONE_OF_TWO,
        checker=Checker("unordered_lines"),
        bare=True,
    ),
    Attack("a candidate rubbed out", "a, b = input().split()\nprint(a + '\\b' * len(a) + b)", ONE_OF_TWO, bare=True),
    Attack("a candidate behind a NUL", "a, b = input().split()\nprint(a + '\\0' + b)", ONE_OF_TWO, bare=True),
    Attack("an answer in another case", "print(input().upper())", (("<a>", "<a>"),), bare=True),
    Attack("not a number", "print('nan')", DECIMALS, checker=TOLERANT, bare=True),
    Attack("infinity", "print('inf', '-inf')", DECIMALS, checker=TOLERANT, bare=True),
    Attack("a huge exponent", "print('1e999999999')", DECIMALS, checker=TOLERANT, bare=True),
    Attack("a tiny exponent", "print('1e-999999999')", DECIMALS, checker=TOLERANT, bare=True),
    Attack("a number with a huge fraction", "print('0.' + '4' * 10**7)", DECIMALS, checker=TOLERANT, bare=True),
    Attack("ten million digits", "print('7' * 10**7)", DECIMALS, checker=TOLERANT, bare=True, limits=ROOM),
    Attack("three million lines", "print('0\\n' * 3_000_000)", bare=True, limits=ROOM),
    Attack(
        "three million lines in any order",
        "print('\\n'.join(map(str, range(3_000_000))))",
        checker=Checker("unordered_lines"),
        bare=True,
        limits=ROOM,
    ),
    Attack("bytes that are no text", "import sys\nsys.stdout.buffer.write(bytes(range(256)) * 1000)", bare=True),
)
