"""LaTeX of problem packages to clean Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_assets.processing.latex import latex_to_markdown


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("\\problemname{Bridges}\nCross it.", "Cross it."),
        ("A \\emph{long} \\textbf{way} to \\texttt{go}", "A *long* **way** to `go`"),
        ("{\\tt up} and {\\bf now}, {plain}", "`up` and **now**, plain"),
        ("``quoted'' text -- a dash~here", '"quoted" text – a dash here'),
        ("\\section*{Input}\nOne line.", "## Input\n\nOne line."),
        ("\\begin{Output}\nA number.\n\\end{Output}", "## Output\n\nA number."),
        ("\\begin{itemize}\n\\item one\n\\item two\n\\end{itemize}", "- one\n- two"),
        ("\\begin{enumerate}\\item a\\item b\\end{enumerate}", "1. a\n2. b"),
        ("\\begin{itemize}\\item a\\begin{itemize}\\item b\\end{itemize}\\item c\\end{itemize}", "- a\n\n  - b\n- c"),
        ("between \\(1\\) and $2^{n}$", "between $1$ and $2^{n}$"),
        ("\\[ x \\le y \\]", "$$x \\le y$$"),
        ("\\begin{align*} a &= b \\\\ c &= d \\end{align*}",
         "$$\n\\begin{aligned}\na &= b \\\\ c &= d\n\\end{aligned}\n$$"),
        ("\\verb|a_b{c}| and \\verb+x+", "`a_b{c}` and `x`"),
        ("\\begin{verbatim}\n x  \\y % z\n\\end{verbatim}", "```\n x  \\y % z\n```"),
        ("\\begin{tabular}{|l|r|}\\hline\n\\textbf{n} & $m$ \\\\ \\hline\n1 & 2 \\\\\\hline\n\\end{tabular}",
         "| **n** | $m$ |\n| --- | --- |\n| 1 | 2 |"),
        ("\\begin{figure}[h]\\centering\\includegraphics[width=3cm]{map.png}\\caption{A map.}\\end{figure}",
         "![](map.png)\n\nA map."),
        ("\\illustration{0.3}{cat}{A cat, \\href{http://x.org}{src}}Text", "Text"),
        ("text % a comment\nmore, 5\\% of \\$3", "text more, 5% of \\$3"),
        ("\\newcommand{\\maxn}{10^5}\\newcommand{\\twice}[1]{#1#1}$n \\le \\maxn$ \\twice{ab}", "$n \\le 10^5$ abab"),
        ("pur\\'ee, K{\\\"u}bel, Universit\\\"at", "purée, Kübel, Universität"),
        ("\\unknown{its argument} stays", "its argument stays"),
        ("a footnote\\footnote{like this}.", "a footnote (like this)."),
        ("either `\\texttt{.}' or `x'", "either '`.`' or 'x'"),
        ("\\begin{enumerate}\\item a\\item\\label{b} c\\end{enumerate}\nSee~\\ref{b}.", "1. a\n2. c\n\nSee 2."),
        ("Figure~\\ref{f}:\n\\begin{figure}\\includegraphics{x.png}\\label{f}\\end{figure}", "Figure 1:\n\n![](x.png)"),
        ("from \\texttt{a\\textbf{bc}\\emph{d}} {\\tt x\\textbf{y}} \\textbf{on}", "from `abcd` `xy` **on**"),
        ("\\begin{tabular}{c}bound\\\\\n$|s| = \\|v\\|$\\end{tabular}",
         "| bound |\n| --- |\n| $\\vert s\\vert  = \\Vert v\\Vert $ |"),
        ("the letter \\includegraphics{b.png} stands", "the letter ![](b.png) stands"),
        ("so\\textsuperscript{[citation needed]} the 2\\textsuperscript{nd}", "so[citation needed] the 2nd"),
    ],
)  # fmt: skip
def test_commands_become_markdown(source: str, expected: str) -> None:
    assert latex_to_markdown(source) == expected


FRAGMENTS = st.sampled_from(
    [
        "word ",
        "\\emph{",
        "}",
        "{",
        "\\begin{itemize}",
        "\\end{itemize}",
        "\\item ",
        "$x_1$",
        "$",
        "\\\\",
        "\\",
        "%c\n",
        "\\begin{tabular}{l}",
        "\\end{tabular}",
        "&",
        "\\verb|x|",
        "\\newcommand{\\q}{z}",
        "\\q",
        "[",
        "]",
        "\n\n",
        "\\'",
    ]
)


@given(st.lists(FRAGMENTS, max_size=25).map("".join))
def test_broken_latex_leaves_no_token_of_ours(source: str) -> None:
    clean = latex_to_markdown(source)
    assert "\ue000" not in clean and "\ue001" not in clean
    assert "\ue002" not in clean


@given(st.lists(st.from_regex(r"\$[a-z0-9][a-z0-9_^+ \\{}-]{0,10}[a-z0-9]\$", fullmatch=True), min_size=1, max_size=4))
def test_maths_survives_byte_for_byte(maths: list[str]) -> None:
    clean = latex_to_markdown("\\section*{Input}\n\\emph{Given} " + " and ".join(maths) + ".")
    assert clean == "## Input\n\n*Given* " + " and ".join(maths) + "."
