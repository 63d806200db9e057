from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_train.evaluation.extraction import extract_code

LINES = st.lists(st.text(alphabet=st.characters(exclude_characters="`\n\r", codec="utf-8"), max_size=20), max_size=6)


@pytest.mark.parametrize(
    ("completion", "code"),
    [
        ("```python\nprint(1)\n```", "print(1)"),
        ("First ```python\nprint(1)\n```\nbetter:\n```python\nprint(2)\n```\nDone.", "print(2)"),
        ("```\nprint(3)\n```", "print(3)"),
        ("```python\n```", ""),
        ("print(1)", None),
        ("```python\nprint(1)", None),
        ("", None),
    ],
)
def test_last_closed_block_is_the_program(completion: str, code: str | None) -> None:
    assert extract_code(completion) == code


@given(LINES, LINES, LINES)
def test_fenced_text_comes_back_as_it_was(before: list[str], code: list[str], after: list[str]) -> None:
    body = "\n".join(code)
    text = "\n".join([*before, "```python", body, "```", *after])
    assert extract_code(text) == body


@given(LINES)
def test_no_fence_no_program(lines: list[str]) -> None:
    assert extract_code("\n".join(lines)) is None
