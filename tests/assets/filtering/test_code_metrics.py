import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_assets.filtering.code_metrics import CodeMetrics, measure

SUM_OF_EVENS = """
def f(n):  # a comment counts for nothing
    s = 0
    for i in range(n):
        if i % 2 == 0 and i > 3:
            s += i
    return s
"""


def test_one_statement_by_hand() -> None:
    # operators = +   operands x a b
    volume = 5 * math.log2(5)
    assert measure("x = a + b\n") == CodeMetrics(1, pytest.approx(volume), 1.0, pytest.approx(volume), 0, 1)


def test_a_function_by_hand() -> None:
    # 13 distinct operators: def ( : = for in if % == and > += return; 16 in total
    # 8 distinct operands: f n s 0 i range 2 3; 15 in total
    measured = measure(SUM_OF_EVENS)
    assert measured is not None
    assert measured.volume == pytest.approx(31 * math.log2(21))
    assert measured.difficulty == pytest.approx(13 / 2 * 15 / 8)
    assert measured.effort == pytest.approx(measured.volume * measured.difficulty)
    assert (measured.cyclomatic, measured.loop_depth, measured.lines) == (4, 1, 6)


@pytest.mark.parametrize(
    ("code", "cyclomatic"),
    [
        ("pass", 1),
        ("if a:\n  pass\nelif b:\n  pass\nelse:\n  pass", 3),
        ("while a or b or c:\n  pass", 4),
        ("x = 1 if a else 2", 2),
        ("[i for i in a for j in b if i if j]", 5),
        ("try:\n  pass\nexcept A:\n  pass\nexcept B:\n  pass\nfinally:\n  pass", 3),
        ("match a:\n  case 1:\n    pass\n  case _:\n    pass", 3),
    ],
)
def test_cyclomatic_number(code: str, cyclomatic: int) -> None:
    measured = measure(code)
    assert measured is not None
    assert measured.cyclomatic == cyclomatic


@pytest.mark.parametrize(
    ("code", "depth"),
    [
        ("for i in a:\n  for j in b:\n    while c:\n      pass\nfor k in a:\n  pass", 3),
        ("[i for i in a for j in b]", 2),
        ("for i in a:\n  sum(j for j in i)", 2),
        ("x = 1", 0),
    ],
)
def test_loop_depth(code: str, depth: int) -> None:
    measured = measure(code)
    assert measured is not None
    assert measured.loop_depth == depth


def test_strings_are_single_operands() -> None:
    assert measure("x = 'a + b # c'") == measure("x = 'a'") == measure('x = """a"""')


@pytest.mark.parametrize("code", ["print 'python 2'", "def f(:", "\0", "(" * 500 + ")" * 500])
def test_what_cannot_be_parsed_is_unknown(code: str) -> None:
    assert measure(code) is None


@given(st.text(max_size=200))
def test_any_text_is_measured_or_unknown(code: str) -> None:
    measured = measure(code)
    assert measured is None or (measured.cyclomatic >= 1 and measured.volume >= 0)
