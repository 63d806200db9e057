"""HTML and mixed Markdown to clean Markdown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_assets.processing.html import html_to_markdown
from microcoder_assets.processing.markdown import TAG, Vault, lines_apart


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>Two&nbsp;<b>bold</b> words</p><p>and <em>more</em></p>", "Two **bold** words\n\nand *more*"),
        ("<p>a<strong> b </strong>c</p>", "a **b** c"),
        ("<p>x &lt;= <code>10<sup>4</sup></code></p>", "x <= `10^4`"),
        ("<code>a<sub>i+1</sub></code>", "`a_{i+1}`"),
        ("<p>at most 10<sup>5</sup> edges</p>", "at most $10^{5}$ edges"),
        ("<p>the 1<sup>st</sup> row</p>", "the 1st row"),
        ("<p><i>x</i><sub>1</sub><sup>2</sup></p>", "$x_{1}^{2}$"),
        ("<ul><li>one</li><li>two<ol><li>deep</li></ol></li></ul>", "- one\n- two\n\n  1. deep"),
        ("line<br/>\nnext", "line\nnext"),
        ("<p>see <a href='https://example.org/a b'>here</a></p>", "see [here](https://example.org/a%20b)"),
        ("<img src='p.png' alt='a tree'>", "![a tree](p.png)"),
        ("<img class='tex-formula' alt='$x+1$' src='f.png'>", "$x+1$"),
        ("<p>1<n<9 and n<script>alert(1)</script></p>", "1<n<9 and n"),
        ("for all 1&lt;=i&lt;n", "for all 1<=i<n"),
        ("in order &lt;first digit&gt; &lt;op&gt; &lt;物&gt;, 1&lt;i&lt;j, a&lt;b,c&gt;",
         "in order \\<first digit> \\<op> <物>, 1<i<j, a<b,c>"),
        ("write &lt;p&gt; for a paragraph", "write \\<p> for a paragraph"),
        ("<table><tr><th>n</th><th>m</th></tr><tr><td>1</td><td>a|b</td></tr></table>",
         "| n | m |\n| --- | --- |\n| 1 | a\\|b |"),
        ("<table><tr><td rowspan=2>x</td><td>1</td></tr><tr><td>2</td></tr></table>",
         "| x | 1 |\n| --- | --- |\n| x | 2 |"),
        ("<span class='tex-span'>1 ≤ <i>n</i> ≤ 10<sup class='upper-index'>5</sup></span>", r"$1 \le n \le 10^{5}$"),
        ("<div class='input-specification'><p>One number.</p></div>", "## Input\n\nOne number."),
        ("<center><o:p>text</o:p><style>b{}</style></center>", "text"),
        ("<p><i>W<sub>1</sub></i>, token<em><sub>i</sub></em></p>", "$W_{1}$, $token_{i}$"),
        ("<code>10<sup>-5</sup></code>", "`10^-5`"),
        ("<p>4<sup>.</sup>(<i>C</i> + 1)</p>", "4·(*C* + 1)"),
        ("<p>either <span class='tex-font-style-tt'>\\</span> or /</p>", "either `\\` or /"),
        ("<p>a `<tt>#</tt>&#39; or ``rows&#34;</p>", "a '`#`' or \"rows\""),
        ("<p>输入三个自然数$$N$$，$$i$$</p>", "输入三个自然数$N$，$i$"),
        ("<p>Sum:</p><p>$$a+b$$</p>", "Sum:\n\n$$a+b$$"),
        ("<p>of $p$$^{*}$ and</p>", "of $p$ $^{*}$ and"),
        (f"<h1>{'A long sentence in large type. ' * 3}</h1>", " ".join(["A long sentence in large type."] * 3)),
        ("returns <code>-1</code><em>.</em> <b>, </b><i>x</i>", "returns `-1`. , *x*"),
        ("<p><strong><img src='map.png'></strong></p>", "![](map.png)"),
        ("<img src='file://Qb1x.png' alt=''> and <img src='file:///C:/a.gif'>", "![](missing) and ![](missing)"),
        ("<code>(x-1)\\*(y-1)</code>", "`(x-1)*(y-1)`"),
        ("<span class='tex-span'>(<i>a</i> + 1) <i>mod</i> <i>n</i></span>", r"$(a + 1) \bmod n$"),
        ("<span class='tex-span'>1 ≤ <i>mod</i> ≤ 9</span>", r"$1 \le mod \le 9$"),
        ("<table><tr><th>n</th><th>bound</th></tr><tr><td><code>a|b</code></td><td>$|s| = 2$</td></tr></table>",
         "| n | bound |\n| --- | --- |\n| `a\\|b` | $\\vert s\\vert  = 2$ |"),
        ("<p>a roof /\\<br>\\/</p>", "a roof /\\\n\\/"),
        ("<p>a\u2800b \uf0a3 c &#61548;</p>", "ab ≤ c ●"),
        ("<p>cut [1,<u>2,3</u>] or <strong><u>4</u></strong></p>", "cut [1,**2,3**] or **4**"),
        ("<span class='tex-font-style-underline'>38</span>7", "**38**7"),
        ("<pre>the 3<sup>rd</sup> of 2<sup>n</sup></pre>", "```\nthe 3rd of 2^n\n```"),
        ("<code>i<sup>th</sup></code> of <code>a[i<sup>th</sup>]</code>", "`i`th of `a[i^th]`"),
        ("<p>the 4<sup>t</sup><sup>h</sup> of n<sub>2</sub><sub>k</sub></p>", "the 4th of $n_{2k}$"),
        ("<p><em>yes if it is</em><em>, or </em><code>no</code><em> otherwise</em></p>",
         "*yes if it is*, *or* `no` *otherwise*"),
        ("<p>the cell &lt;row&gt;, &lt;a/b&gt; or a &lt;n and m&gt;; 1<n<9 and n>2</p>",
         r"the cell \<row>, <a/b> or a \<n and m>; 1<n<9 and n>2"),
        ("<p>ends in <a/b>.</p>", "ends in <a/b>."),
        ("<math><semantics><mi>n</mi><annotation encoding='x-tex'>n</annotation></semantics></math> of <math>m</math>",
         "$n$ of m"),
        ("<p>the <b>f</b><b>ir</b><u>st</u><b> of</b> <b>all</b></p>", "the **first** **of** **all**"),
        ("<ul><li>one</li></ul> Then two.", "- one\n\nThen two."),
        ("<p>the sum </p><center> <img src='s.png'> </center> is odd.", "the sum\n\n![](s.png)\n\nis odd."),
        ("<center> <img src='m.png'>   <span class='tex-font-size-small'>A map</span> </center>",
         "![](m.png)\n\nA map"),
        ("<center> <img src='m.png'> <span class='tex-font-size-script'> A map </span> </center>",
         "![](m.png)\n\nA map"),
        ("<p>有 \\( n \\leq 8 \\)，<br>\\[ a_i = b \\]</p>", "有 $n \\leq 8$，\n$$a_i = b$$"),
        ("<p>a<sub>i</sub><sub>+1</sub> and <span class='tex-span'><i>b</i><sub>i</sub><sub>j</sub></span></p>",
         "$a_{i+1}$ and $b_{ij}$"),
        ("<p>$$a = b$$ $$c = d$$</p>", "$$a = b$$\n\n$$c = d$$"),
        ("<span class='katex'><math><semantics><mi>n</mi><annotation>n_i</annotation></semantics></math>n</span> a",
         "$n_i$ a"),
        ("<p>好！\uf04a N ≤ \uf036\uf030</p>", "好！☺ N ≤ 60"),
        ("<pre>3\n<audio controls='controls'>", "```\n3\n```"),
        ("<p>● one<br>•\ttwo<br>•••</p>", "- one\n- two\n•••"),
        ("<p>1.&nbsp;&nbsp;&nbsp;&nbsp; &nbsp;one</p>", "1. one"),
        ("<table><tr><td>1</td><td><table><tr><td>a</td><td>b</td></tr></table></td></tr><tr><td>2</td><td>c</td></tr>"
         "</table>", "| 1 | a b |\n| --- | --- |\n| 2 | c |"),
        ("<p>• [1]: one stone</p>", "• [1]: one stone"),
        ("<p>* Line 1: N * Lines 2..N: a * b</p>", "* Line 1: N\n* Lines 2..N: a * b"),
        ("<pre><b>Input:</b> [<u>1</u>]\n<b>Explanation:</b> from <u><b>1</b></u>, <u>2</u></pre>",
         "```\nInput: [1]\nExplanation: from **1**, **2**\n```"),
    ],
)  # fmt: skip
def test_elements_become_markdown(source: str, expected: str) -> None:
    assert html_to_markdown(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            '其中0<n<10000, 0<m<="30," 0<a<="1000，0&lt;p&lt;1 <="" div=""><h2>Output</h2>',
            "其中0<n<10000, 0<m<=30, 0<a<=1000，0<p<1",
        ),
        ('颜色c,="" 1="" ≤="" c="" ≤="" 100。="" <="" div=""><p>下</p>', "颜色c, 1 ≤ c ≤ 100。"),
        ("0<=b[i]<e[i]<=10</e[i]<=10", "0<=b[i]<e[i]<=10"),
        ("1<=L1<l2<=9，第二行</l2<=9，第二行>", "1<=L1<l2<=9，第二行"),
        ('Initially p="", s="zza" and 1<=n', 'Initially p="", s="zza" and 1<=n'),
        ("the tags `<b>` and `</b>`", "the tags `<b>` and `</b>`"),
    ],
)
def test_comparisons_that_a_browser_took_for_tags_come_back(source: str, expected: str) -> None:
    assert html_to_markdown(source, keep_newlines="`" in source).startswith(expected)


@pytest.mark.parametrize("text", ["naïve Müller — “quoted” ≤ 5", "Ä Â Ã stand alone", "数据 ï 范围"])
def test_sound_text_keeps_its_encoding(text: str) -> None:
    assert html_to_markdown(text, keep_newlines=True) == text


@pytest.mark.parametrize("text", ["naïve Müller", "“quoted” — 5 ≤ n", "数据范围与提示"])
def test_text_read_in_a_wrong_encoding_is_mended(text: str) -> None:
    broken = text.encode().decode("latin-1")
    assert html_to_markdown(f"<p>{broken}</p>") == text


WRAPPED = "数" * 48 + "到1"


def test_lines_broken_at_a_fixed_column_are_joined() -> None:
    assert html_to_markdown(f"<div>{WRAPPED}</div>\n<div>00之间。</div>") == f"{WRAPPED}00之间。"
    assert html_to_markdown(f"<p>{WRAPPED}<br/>\n队员。</p>") == f"{WRAPPED}队员。"
    assert html_to_markdown(f"<p>{WRAPPED}</p><p>1. 队员</p>") == f"{WRAPPED}\n\n1. 队员"
    assert html_to_markdown("<p>短</p><p>句子</p>") == "短\n\n句子"
    latin = "x" * 96 + "ac"
    assert html_to_markdown(f"<div>{latin}</div><div>ceptable</div>") == f"{latin}\n\nceptable"


def test_the_indent_of_a_broken_line_counts() -> None:
    indented = "\u3000\u3000" + "数" * 48
    assert html_to_markdown(f"<p>{indented}<br/>\n队员。</p>") == f"{'数' * 48}队员。"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("数 $ n $ 个，共$ m$ 对", "数 $n$ 个，共$m$ 对"),
        ("($a_{1} $ $|$ $ \\ldots $)", "($a_{1}$ $|$ $\\ldots$)"),
        ("$ x \\text{ is not } y $, and $z$", "$x \\text{ is not } y$, and $z$"),
        ("it costs $5. Pay with a $10, or a $20, or $ 50", "it costs $5. Pay with a $10, or a $20, or $ 50"),
        ("$ x $ steps $\\text{for $x$ times}$", "$ x $ steps $\\text{for }x\\text{ times}$"),
        ("pays $5, or $10 ", "pays $5, or $10"),
        ("```\n$ echo $ x\n```", "```\n$ echo $ x\n```"),
    ],
)
def test_maths_touches_its_dollars_and_prices_are_no_maths(source: str, expected: str) -> None:
    assert html_to_markdown(source, keep_newlines=True) == expected


def test_pre_becomes_a_fence_with_its_lines_and_spaces() -> None:
    source = "<pre>\n<strong>Input:</strong> s = &quot;a  b&quot;\n  x<sub>1</sub> &lt; 2&nbsp;</pre>"
    assert html_to_markdown(source) == '```\nInput: s = "a  b"\n  x_1 < 2\n```'


def test_a_fence_is_longer_than_the_backticks_in_it() -> None:
    assert html_to_markdown("<pre>```\ncode</pre>") == "````\n```\ncode\n````"


def test_a_table_of_samples_becomes_sample_sections() -> None:
    rows = "<tr><td>输入样例</td><td>输出样例</td></tr><tr><td>1 2\n3</td><td>6</td></tr>"
    expected = "### Sample Input 1\n\n```\n1 2\n3\n```\n\n### Sample Output 1\n\n```\n6\n```"
    assert html_to_markdown(f"<table>{rows}</table>") == expected


def test_maths_keeps_its_bytes_and_codeforces_dollars_become_one() -> None:
    assert html_to_markdown("<p>$$$a_i &lt; b$$$ and $x *y* \\_ z$</p>") == "$a_i < b$ and $x *y* \\_ z$"


def test_newlines_of_markdown_are_kept_and_those_of_html_are_not() -> None:
    assert html_to_markdown("<p>one\ntwo</p>") == "one two"
    assert html_to_markdown("# A\none\ntwo <b>x</b>", keep_newlines=True) == "# A\none\ntwo **x**"


def test_deep_nesting_is_flattened_not_fatal() -> None:
    assert "core" in html_to_markdown("<div>" * 3000 + "core" + "</div>" * 3000)


WORDS = st.text(alphabet="abc xyz0189.,()", min_size=1, max_size=12)
MATHS = st.from_regex(r"\$[a-z0-9][a-z0-9_^{}\\ +*<&=-]{0,12}[a-z0-9]\$", fullmatch=True)
LEAF = st.one_of(WORDS, MATHS, WORDS.map("<code>{}</code>".format), st.just("&nbsp;"), st.just("&lt;"), st.just("<br>"))
TAGS = st.sampled_from(["p", "div", "b", "em", "li", "ul", "span", "td", "table", "sup", "h3", "blockquote", "center"])
MARKUP = st.recursive(
    LEAF,
    lambda inner: st.builds(lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>", TAGS, st.lists(inner, max_size=4)),
    max_leaves=12,
)


def outside_code(markdown: str) -> str:
    return Vault().protect(markdown)


@given(MARKUP)
def test_no_tag_and_no_nbsp_is_left(source: str) -> None:
    clean = outside_code(html_to_markdown(source))
    assert not TAG.search(clean)
    assert "&nbsp;" not in clean and "\u00a0" not in clean


@given(MARKUP)
def test_cleaning_what_is_clean_changes_nothing(source: str) -> None:
    clean = html_to_markdown(source)
    assert html_to_markdown(clean, keep_newlines=True) == clean


@given(st.lists(MATHS, min_size=1, max_size=5), st.lists(WORDS, min_size=5, max_size=5))
def test_maths_survives_byte_for_byte(maths: list[str], words: list[str]) -> None:
    pieces = [f"{word} {formula} " for word, formula in zip(words, maths, strict=False)]
    clean = html_to_markdown("<p>" + "</p><div>".join(pieces) + "</div>")
    assert [m for m in re.findall(r"\$[^$]+\$", clean) if m in maths] == maths


@given(st.text(max_size=200))
def test_any_text_is_cleaned_without_error_and_stays_clean(source: str) -> None:
    clean = html_to_markdown(source, keep_newlines=True)
    assert not TAG.search(outside_code(clean))


def test_marks_of_the_same_kind_that_touch_are_one() -> None:
    assert html_to_markdown("<p><b>输</b><b>入格式</b></p>") == "**输入格式**"
    assert html_to_markdown("<p><b><i>n</i></b><b>位</b> <b>a</b> <b>b</b></p>") == "***n*位** **a** **b**"


def test_a_power_written_twice_is_one_power() -> None:
    assert html_to_markdown("<p>10^<sup>-6</sup></p>") == "$10^{-6}$"


def test_an_empty_block_of_code_leaves_nothing() -> None:
    assert html_to_markdown("<p>One.</p><pre> </pre><p>Two.</p>") == "One.\n\nTwo."


def test_equations_outside_of_dollars_are_display_maths() -> None:
    assert html_to_markdown("So \\begin{equation} a < b \\end{equation} holds.", True) == "So $$a < b$$ holds."
    rows = html_to_markdown("\\begin{align*} a &= 1 \\\\ b &= 2 \\end{align*}", True)
    assert html_to_markdown("\\(a\\) is \\[b\\]", True) == "\\(a\\) is \\[b\\]"
    assert rows == "$$\n\\begin{aligned}\na &= 1 \\\\ b &= 2\n\\end{aligned}\n$$"


@pytest.mark.parametrize(("dashes", "sound"), [("|:-:|-|-|-|", "|:-:|-|"), ("|-|", "|-|---|"), ("| - |-|", "| - |-|")])
def test_a_table_has_as_many_columns_as_its_head(dashes: str, sound: str) -> None:
    table = f"| $|n|$ | a\\|b |\n{dashes}\n|1|2|"
    assert html_to_markdown(table, True) == table.replace(dashes, sound)


def test_a_line_of_tildes_that_closes_nowhere_opens_no_fence() -> None:
    assert html_to_markdown("Hi\n~~~~~~\n# Input\nOne.", True) == "Hi\n\\~~~~~~\n# Input\nOne."


def test_latin_text_cut_at_the_column_is_joined_and_wrapped_text_is_not() -> None:
    cut, wrapped = "word " * 19 + "cross", "word " * 18 + "cross"
    for line, end in ((cut, "crossing"), (wrapped, "cross\n\ning")):
        page = f"<div>{line}</div><div>ing over.</div>"
        assert html_to_markdown(page).endswith(f"word {end} over.")
    assert "cross\n" in html_to_markdown(f"<div>{cut}</div><div>&nbsp;over it.</div>")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One.\nTwo.\n\nThree.", "One.\n\nTwo.\n\nThree."),
        ("Take:\n    - a\n    - b\n      more\nThen", "Take:\n\n- a\n- b\n  more\n\nThen"),
        ("Grid:\n\n    1 0\n    0 1\n\nSo", "Grid:\n\n    1 0\n    0 1\n\nSo"),
        ("```\na\nb\n```\nSum:\n$$\na\n+ b\n$$", "```\na\nb\n```\n\nSum:\n\n$$\na\n+ b\n$$"),
        ("| a | b |\n| --- | --- |\n| 1 | 2 |\nEnd", "| a | b |\n| --- | --- |\n| 1 | 2 |\n\nEnd"),
    ],
)
def test_lines_become_paragraphs_and_blocks_stay_whole(text: str, expected: str) -> None:
    assert lines_apart(text) == expected
    assert lines_apart(expected) == expected
