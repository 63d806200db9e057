"""Sample fingerprints, titles and bounds: what must be equal and what must not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_assets.processing.fingerprint import fingerprint
from microcoder_assets.processing.titles import bounds, split_title


def sample(given_input: str, output: str, explanation: str | None = None) -> dict[str, str | None]:
    return {"input": given_input, "output": output, "explanation": explanation}


NAMED = [sample('nums = [1,2,3], k = 2, word = "a b"', "true"), sample('nums = [], k = -1, word = ""', "False")]
JSON_LINES = [sample('[1, 2, 3]\n2\n"a b"', "true"), sample('[]\n-1\n""', "false")]


def test_named_arguments_equal_json_lines() -> None:
    assert fingerprint(NAMED, "function").key == fingerprint(JSON_LINES, "function").key


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (sample('s = "(()"', "2"), sample('s = "())"', "2")),
        (sample("nums = [1,2]", "3"), sample("nums = [1,2]", "4")),
        (sample("nums = [1,2]", "3"), sample("nums = [12]", "3")),
        (sample('s = "ab c"', "3"), sample('s = "abc"', "3")),
    ],
)
def test_other_values_differ(left: dict[str, str | None], right: dict[str, str | None]) -> None:
    assert fingerprint([left], "function").key != fingerprint([right], "function").key


def test_input_and_output_do_not_run_together() -> None:
    assert fingerprint([sample("1 2", "3")], "stdin").key != fingerprint([sample("1", "2 3")], "stdin").key


def test_modes_are_never_equal() -> None:
    assert fingerprint([sample("1", "3")], "stdin").key != fingerprint([sample("1", "3")], "function").key


def test_decimals_lose_trailing_zeros_only() -> None:
    assert fingerprint([sample("1", "2.50")], "stdin").key == fingerprint([sample("1", "2.5")], "stdin").key
    assert fingerprint([sample("1", "250")], "stdin").key != fingerprint([sample("1", "25")], "stdin").key


def test_brackets_matter_on_standard_input() -> None:
    assert fingerprint([sample("(()", "1")], "stdin").key != fingerprint([sample("())", "1")], "stdin").key


def test_samples_without_an_output_are_no_evidence() -> None:
    assert fingerprint([sample("1 2", ""), sample("", "")], "stdin").pairs == ()
    assert fingerprint(None, None).tokens == 0


TOKENS = st.text(alphabet="0123456789abcXYZ-()", min_size=1, max_size=6)
SAMPLES = st.lists(st.tuples(st.lists(TOKENS, max_size=5), st.lists(TOKENS, min_size=1, max_size=5)), max_size=4)


@given(SAMPLES, st.randoms(use_true_random=False), st.sampled_from(["\n", "\r\n", "  ", "\n\n"]))
def test_white_space_order_repeats_and_explanations_do_not_matter(samples, random, gap) -> None:  # type: ignore[no-untyped-def]
    plain = [sample(" ".join(i), " ".join(o)) for i, o in samples]
    other = [sample(gap + gap.join(i) + gap, gap.join(o) + "\n", "because") for i, o in samples]
    other += other[:1]
    random.shuffle(other)
    left, right = fingerprint(plain, "stdin"), fingerprint(other, "stdin")
    assert left.key == right.key
    assert left.tokens == right.tokens


@pytest.mark.parametrize(
    ("title", "base", "version"),
    [
        ("Toy Boxes", "toy boxes", ""),
        ("A1. Toy Boxes (Easy Version)", "toy boxes", "easy version"),
        ("Toy Boxes (hard)", "toy boxes", "hard"),
        ("Toy Boxes II", "toy boxes", "ii"),
        ("Toy Boxes II 🔒", "toy boxes", "ii"),
        ("Toy Boxes (Div. 2)", "toy boxes", "div. 2"),
        ("[NOI2011] 玩具", "玩 具", ""),
        ("「NOI2011」玩具（加强版）", "玩 具", "加强版"),
        ("【NOI2011】", "noi2011", ""),
        ("An Easy Problem", "an easy problem", ""),
        ("Easy", "easy", ""),
        ("Problem 2020", "problem 2020", ""),
        (None, "", ""),
    ],
)
def test_titles(title: str | None, base: str, version: str) -> None:
    assert split_title(title) == (base, version)


@pytest.mark.parametrize(
    "text",
    [
        "1 <= n <= 10^5",
        "$1 \\le n \\leq 10^{5}$",
        "n < 100000",
        "n ≤ 100,000",
        "n ≤ 1 \\cdot 10^5",
        "n \\leqslant 10 ^ 5",
    ],
)
def test_bounds_are_read_in_every_spelling(text: str) -> None:
    assert bounds(text) == {1e5}


def test_bounds_beyond_floats_are_infinite_not_an_error() -> None:
    assert bounds("n <= 10^999 and m <= 3 * 10^999") == {float("inf")}
