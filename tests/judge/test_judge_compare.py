"""Text comparison: the rules of each checker, and properties that hold for any output."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_judge import Checker, Problem, Test, compare
from microcoder_judge.compare import CHUNK_BYTES, effective_checker, tolerance_assumed

TOKENS = Checker("tokens")
FLOATS = Checker("tokens_float", abs_tol=1e-6, rel_tol=1e-6)
LINES = Checker("lines")
YESNO = Checker("yesno")
ANY_LINES = Checker("unordered_lines")
ANY_TOKENS = Checker("unordered_tokens")

token = st.binary(min_size=1, max_size=8).filter(lambda b: not any(c in b" \t\n\r\v\f" for c in b))
gap = st.text(" \t\n\r\v\f", min_size=1, max_size=4).map(str.encode)


@pytest.mark.parametrize(
    ("checker", "output", "expected"),
    [
        (TOKENS, b"1 2\n3", b"1\n2 3\n"),
        (TOKENS, b"", b"\n \n"),
        (TOKENS, b"1\r\n2\r\n", b"1\n2\n"),
        (Checker("tokens", case_sensitive=False), b"Possible", b"POSSIBLE"),
        (FLOATS, b"0.3333333", b"0.33333333"),
        (FLOATS, b"3", b"3.0"),
        (FLOATS, b".5", b"0.5"),
        (FLOATS, b"5.", b"5.0"),
        (FLOATS, b"+1.0E0", b"1.0"),
        (FLOATS, b"1000000.5", b"1000000.0"),
        (FLOATS, b"-0.0", b"0.0"),
        (FLOATS, b"Case 1: 2.5000001", b"Case 1: 2.5"),
        (LINES, b" *\n***  \n\n", b" *\n***\n"),
        (YESNO, b"yEs\nNO", b"YES\nno"),
        (YESNO, b"yes 5", b"YES 5"),
        (ANY_LINES, b"b  c\na\n\n", b"a\nb c"),
        (ANY_TOKENS, b"3 1 2 1", b"1 1 2 3"),
    ],
)
def test_accepts(checker: Checker, output: bytes, expected: bytes) -> None:
    assert compare(output, expected, checker) is None


@pytest.mark.parametrize(
    ("checker", "output", "expected"),
    [
        (TOKENS, b"007", b"7"),
        (TOKENS, b"10.0", b"10"),
        (TOKENS, b"1e1", b"10"),
        (TOKENS, b"+5", b"5"),
        (TOKENS, b"1_000", b"1000"),
        (TOKENS, "１".encode(), b"1"),
        (TOKENS, b"1\xc2\xa02", b"1 2"),
        (TOKENS, b"1\x1c2", b"1 2"),
        (TOKENS, b"YES", b"NO"),
        (TOKENS, b"yes", b"YES"),
        (TOKENS, b"1 2", b"1 2 3"),
        (TOKENS, b"1 2 3", b"1 2"),
        (TOKENS, b"YES NO", b"YES"),
        (FLOATS, b"10.0", b"10"),
        (FLOATS, b"10.0000001", b"10"),
        (FLOATS, b"9007199254740993", b"9007199254740992"),
        (FLOATS, b"0.50001", b"0.5"),
        (FLOATS, b"nan", b"0.5"),
        (FLOATS, b"inf", b"1e308"),
        (FLOATS, b"1e999", b"1e308"),
        (FLOATS, b"1_0.0", b"10.0"),
        (FLOATS, b"0x1p0", b"1.0"),
        (FLOATS, "１.5".encode(), b"1.5"),
        (FLOATS, b"1.5" + b"0" * 400, b"1.5"),
        (FLOATS, b"1.0 2.0", b"1.0"),
        (Checker("tokens_float", abs_tol=1e-6), b"1000000.5", b"1000000.0"),
        (Checker("tokens_float", rel_tol=1e-6), b"0.0000001", b"0.0"),
        (LINES, b"*", b" *"),
        (LINES, b"a  b", b"a b"),
        (LINES, b"a b", b"a\nb"),
        (LINES, b"\na", b"a"),
        (YESNO, b"yes", b"NO"),
        (YESNO, b"y", b"YES"),
        (YESNO, b"YES NO", b"YES"),
        (YESNO, b"abc", b"ABC"),
        (ANY_LINES, b"a", b"a\na"),
        (ANY_LINES, b"a\na", b"a"),
        (ANY_LINES, b"a b", b"b a"),
        (ANY_TOKENS, b"1 2", b"1 2 2"),
        (ANY_TOKENS, b"1 2 2", b"1 1 2"),
    ],
)
def test_rejects(checker: Checker, output: bytes, expected: bytes) -> None:
    difference = compare(output, expected, checker)
    assert difference
    assert "\n" not in difference


def test_the_message_names_the_first_difference() -> None:
    assert compare(b"1 2 4", b"1 2 3", TOKENS) == "token 3: '4', expected '3'"
    assert compare(b"1", b"1 2", TOKENS) == "token 2: output ends, expected '2'"
    assert compare(b"a\nc", b"a\nb", LINES) == "line 2: 'c', expected 'b'"
    assert compare(b"it's\x1b[2J", b"ok", TOKENS) == r"token 1: 'it's\x1b[2J', expected 'ok'"


def test_a_custom_checker_is_not_for_compare() -> None:
    with pytest.raises(ValueError, match="judge runs it"):
        compare(b"", b"", Checker("custom", program="pass"))


@pytest.mark.parametrize(
    ("expected", "assumed"),
    [
        (["0.5"], True),
        (["1 2\nanswer 2.50\n", "-.5", "1e-07", "+3."], True),
        (["0.5", "1"], False),
        (["3.14", f"3.{'1' * 40}"], True),
        (["3.14", f"3.{'1' * 41}"], False),
        (["1 2 3"], False),
        (["1.2.3"], False),
        (["0.5s"], False),
        (["12:30.5"], False),
        (["e .", "1e"], False),
        (["e"], False),
        ([""], False),
    ],
)
def test_a_tolerance_is_assumed_where_every_expected_output_holds_a_decimal(expected: list[str], assumed: bool) -> None:
    tests = tuple(Test(b"", text.encode()) for text in expected)
    assert tolerance_assumed(Problem("p", tests)) == assumed
    assert effective_checker(Problem("p", tests)) == (FLOATS if assumed else TOKENS)
    assert not tolerance_assumed(Problem("p", tests, checker=TOKENS))
    assert effective_checker(Problem("p", tests, checker=LINES)) == LINES


@pytest.mark.parametrize(
    ("expected", "assumed"),
    [
        (["1.5"], True),
        (["1", '{"a": [1e5]}'], True),
        (['{"__set__": [0.5]}'], True),
        (["1", "[2]"], False),
        (['"1.5"', "true"], False),
        (["1.5 and broken", "1"], False),
        (["[" * 5000 + ".5"], False),
    ],
)
def test_a_tolerance_is_assumed_where_an_expected_value_holds_a_float(expected: list[str], assumed: bool) -> None:
    tests = tuple(Test(b"[]", text.encode()) for text in expected)
    assert tolerance_assumed(Problem("f", tests, io_mode="function", entry_point="f")) == assumed
    declared = Problem("f", tests, checker=Checker("value"), io_mode="function", entry_point="f")
    assert not tolerance_assumed(declared)
    assert effective_checker(declared) == Checker("value")


@pytest.mark.parametrize("size", [CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_a_token_across_chunks_stays_whole(size: int) -> None:
    long = b"x" * size
    assert compare(b"\n" + long + b" y", long + b"\r\ny", TOKENS) is None
    assert compare(long + b" y", long + b"x y", TOKENS)
    assert compare(b"a" * 70_000 + b" b" * 70_000, b"a" * 70_000 + b"\nb" * 69_999, TOKENS)


def test_large_outputs_are_compared_to_their_last_token() -> None:
    expected = b"1 " * (1 << 20)
    assert compare(expected.replace(b" ", b"\n"), expected, TOKENS) is None
    assert compare(expected + b"2", expected, TOKENS) == "token 1048577: '2' after the expected output"


@given(st.lists(st.tuples(token, gap, gap), max_size=12))
def test_spacing_never_counts_for_tokens(parts: list[tuple[bytes, bytes, bytes]]) -> None:
    one = b"".join(word + space for word, space, _ in parts)
    other = b"".join(space + word for word, _, space in parts)
    assert compare(one, other, TOKENS) is None
    assert compare(one, other, ANY_TOKENS) is None


@given(st.lists(token, min_size=1, max_size=12), st.data())
def test_any_other_token_counts(words: list[bytes], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(words) - 1))
    other = data.draw(token.filter(lambda word: word != words[position]))
    changed = [*words[:position], other, *words[position + 1 :]]
    difference = compare(b" ".join(changed), b" ".join(words), TOKENS)
    assert difference is not None
    assert difference.startswith(f"token {position + 1}:")


@given(st.lists(token, max_size=10), st.randoms())
def test_unordered_tokens_is_a_multiset(words: list[bytes], random: object) -> None:
    shuffled = sorted(words)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert compare(b" ".join(shuffled), b" ".join(words), ANY_TOKENS) is None
    assert compare(b" ".join([*shuffled, b"x"]), b" ".join(words), ANY_TOKENS) is not None


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_every_checker_answers_for_any_bytes(output: bytes, expected: bytes) -> None:
    for checker in (TOKENS, FLOATS, LINES, YESNO, ANY_LINES, ANY_TOKENS):
        assert compare(output, output, checker) is None
        difference = compare(output, expected, checker)
        assert difference is None or "\n" not in difference


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(-2e-6, 2e-6))
def test_floats_agree_with_the_definition(expected: float, error: float) -> None:
    got = expected * (1 + error) + error
    text, wanted = f"{got!r}", f"{expected!r}"
    if not math.isfinite(got):
        return
    within = abs(got - expected) <= 1e-6 or abs(got - expected) <= 1e-6 * abs(expected)
    assert (compare(text.encode(), wanted.encode(), FLOATS) is None) == within
