"""Maths that every renderer reads."""

from __future__ import annotations

import pytest

from microcoder_assets.processing.maths import mend_maths


@pytest.mark.parametrize(
    ("maths", "expected"),
    [
        (r"$\text{last_ans} + 1$", r"$\text{last\_ans} + 1$"),
        (r"$\texttt{a & b#^}$", r"$\texttt{a \& b\#\^{}}$"),
        (r"$\mbox{shift}^k(x)$", r"$\text{shift}^k(x)$"),
        (r"$$f = \text{one if $i = 0$, else $j$}$$", r"$$f = \text{one if }i = 0\text{, else }j$$"),
        (r"$x_{i}_{+1}^{2}$", r"$x_{i+1}^{2}$"),
        (r"$e^{2}^{\frac{a}{b}}$", r"$e^{2\frac{a}{b}}$"),
        (r"$A_\max - A_\min$", r"$A_{\max} - A_{\min}$"),
        (r"$a \xor b \and c$", r"$a \operatorname{xor} b \operatorname{and} c$"),
        (r"$\newcommand\xor{\mathbin{\mathrm{xor}}}$", r"$\newcommand\xor{\mathbin{\mathrm{xor}}}$"),
        ("$30%$ or $20\\ %$", "$30\\%$ or $20\\ \\%$"),
        ("$n %% a comment$", "$n %% a comment$"),
        (r"$\begin{align*} a &= b \end{align*}$", r"$\begin{aligned} a &= b \end{aligned}$"),
        (r"$$\begin{align*} a &= b \end{align*}$$", r"$$\begin{align*} a &= b \end{align*}$$"),
        (r"$\require{cancel}\cancel{2}$", r"$\cancel{2}$"),
        (r"$\require{cancel}$", ""),
    ],
)
def test_maths_has_a_form_that_renders(maths: str, expected: str) -> None:
    assert mend_maths(maths) == expected
    assert not expected or mend_maths(expected) == expected


@pytest.mark.parametrize("maths", [r"$a_{i,j}^{2} \le 10^9$", r"$\text{}$", r"$\text{a\_b}$", r"$x\%2$", "$_{a}^{b}$"])
def test_sound_maths_stays_as_it_is(maths: str) -> None:
    assert mend_maths(maths) == maths
