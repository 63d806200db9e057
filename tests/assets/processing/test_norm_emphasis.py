"""Asterisks that are none of Markdown's, and marks that it does not read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_assets.processing.emphasis import mend_emphasis


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n*m 的矩阵，共 p*q 个", "n\\*m 的矩阵，共 p\\*q 个"),
        ("(24*60*60) and f(x)*g[y]", "(24\\*60\\*60) and f(x)\\*g[y]"),
        ("$n$*$m$ and $a$*...*$b$", "$n$\\*$m$ and $a$\\*...\\*$b$"),
        ("a1*a2*…*ak and (b*x**2+c*x)", "a1\\*a2\\*…\\*ak and (b\\*x**2+c\\*x)"),
        ("the *i*th of *n*, and 2*3", "the *i*th of *n*, and 2\\*3"),
        ("由'.'和'*'构成，“*”为墙", "由'.'和'\\*'构成，“\\*”为墙"),
        ("**注意：**输出**（一行）**。", "**注意：** 输出 **（一行）**。"),
        ("共**$n$ 个**数", "共 **$n$ 个**数"),
    ],
)
def test_asterisks_are_read_as_they_are_meant(text: str, expected: str) -> None:
    assert mend_emphasis(text) == expected
    assert mend_emphasis(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a board of n*m cells",
        "one n*m\n\nanother p*q",
        "* first a*b\n* second c*d",
        "a*correct sequence* is *balanced*",
        "`a*b` and `c*d`\n\n```\ne*f*g\n```\n\n$h*i*j$",
        "**bold** and **加粗**的",
        "2**32 and 2**64",
        "in **yo**|uar|**e****|b|**e***au**|tifu|**l**",
        "2*n* disks, $log_{2}$*x* bits and f(*x*)",
    ],
)
def test_what_markdown_reads_right_stays_as_it_is(text: str) -> None:
    assert mend_emphasis(text) == text


@given(st.text(alphabet="an1 *.：$`\n中(", max_size=60))
def test_nothing_but_backslashes_and_spaces_is_added(text: str) -> None:
    mended = mend_emphasis(text)
    assert mended.replace("\\", "").replace(" ", "") == text.replace(" ", "")
