"""Mutants: each one small fault away from the program, and always the same ones."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microcoder_assets.verification.mutants import OPERATORS, mutants

FAULTS = {
    "comparison": ("if a < b:\n    f()", "if a <= b:"),
    "constant": ("best = 0", "best = 1"),
    "case": ("if a:\n    return_early()\nelse:\n    other()", "if a:\n    return_early()"),
    "bound": ("for i in range(1, n):\n    f(i)", "range(1, n - 1)"),
    "arithmetic": ("x = a - b", "x = a + b"),
    "condition": ("x = a and b", "x = a or b"),
    "statement": ("seen.add(x)", "pass"),
    "exit": ("for x in y:\n    f(x)", "f(x)\n    break"),
    "extreme": ("x = max(a, b)", "x = min(a, b)"),
    "order": ("x = sorted(a, key=f)", "x = sorted(a)"),
    "division": ("x = a // b", "x = a / b"),
    "arguments": ("x = pow(a, b)", "x = pow(b, a)"),
}
WHOLE = '''"""Two sums."""
import sys
from typing import List

sys.setrecursionlimit(10**6)


class Solution:
    def solve(self, a: List[int], k: int) -> int:
        """What 1 + 1 is."""
        a.sort(key=lambda x: -x, reverse=True)
        best = 0
        for i in range(len(a)):
            if a[i] < k and i > 0:
                continue
            best = max(best, a[i] // 2)
        return best


if __name__ == "__main__":
    print(Solution().solve([3], 2))
'''
UNTOUCHED = (
    '"""Two sums."""',
    "sys.setrecursionlimit(10 ** 6)",
    "a: List[int], k: int) -> int:",
    "What 1 + 1 is",
    "if __name__ == '__main__':",
)


def test_every_operator_is_shown_here() -> None:
    assert FAULTS.keys() == OPERATORS.keys()


@pytest.mark.parametrize("operator", OPERATORS)
def test_each_operator_makes_its_fault(operator: str) -> None:
    code, fault = FAULTS[operator]
    made = [mutant.code for mutant in mutants(code, 50) if mutant.name.split("-")[1] == operator]
    assert any(fault in text for text in made), made


@settings(max_examples=25)
@given(st.permutations(sorted(code for code, _ in FAULTS.values())), st.integers(0, 40))
def test_mutants_are_different_programs_and_always_the_same(parts: list[str], limit: int) -> None:
    code = "\n".join(parts)
    made = mutants(code, limit)
    assert len(made) <= limit and made == mutants(code, limit)
    texts = {ast.unparse(ast.parse(code)), *(mutant.code for mutant in made)}
    assert len(texts) == len(made) + 1
    assert len({mutant.name for mutant in made}) == len(made)
    assert made == mutants(code, 40)[:limit]


def test_a_mutant_is_named_by_its_operator_and_line() -> None:
    (mutant,) = mutants("x = 1\ny = a // b", 50)[-1:]
    assert mutant.name.split("-")[2] in ("1", "2")
    lines = {m.name.split("-")[2] for m in mutants("x = a\n\ny = b // c", 50)}
    assert lines == {"3"}


def test_what_does_not_decide_an_answer_is_left_alone() -> None:
    made = mutants(WHOLE, 500)
    assert len(made) > 10
    for mutant in made:
        for part in UNTOUCHED:
            assert part in mutant.code, (mutant.name, part)


def test_operators_take_turns() -> None:
    kinds = [mutant.name.split("-")[1] for mutant in mutants(WHOLE, 7)]
    assert len(set(kinds)) == 7


@pytest.mark.parametrize("code", ["print 'two'", "", "x = y", "\0", "def f(:"])
def test_what_is_not_python_or_cannot_be_changed_has_none(code: str) -> None:
    assert mutants(code, 12) == []
