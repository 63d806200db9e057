"""Samples from statements, and function samples as tests."""

from __future__ import annotations

import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_assets.processing.arguments import (
    NotALiteral,
    Signature,
    describe_arguments,
    fits,
    read_signature,
    sample_test,
)
from microcoder_assets.processing.html import html_to_markdown
from microcoder_assets.processing.samples import Sample, read_examples, read_pairs, render_samples, with_listed
from microcoder_assets.processing.sections import split_sections

PRE_LAYOUT = """<p>Pair up.</p><p><strong class="example">Example 1:</strong></p><pre>
<strong>Input:</strong> nums = [2,5], target = 7
<strong>Output:</strong> [0,1]
<strong>Explanation:</strong> 2 + 5.
</pre><p><strong>Example 2:</strong></p><pre><b>Input:</b> nums = [1], target = 1
<b>Output:</b> []</pre><p><strong>Constraints:</strong></p><ul><li>few</li></ul>"""
BLOCK_LAYOUT = """<p>Pair up.</p><p><strong class="example">Example 1:</strong></p><div class="example-block">
<p><strong>Input:</strong> <span class="example-io">nums = [2,5], target = 7</span></p>
<p><strong>Output:</strong> <span class="example-io">[0,1]</span></p>
<p><strong>Explanation:</strong></p><p>2 + 5.</p></div>
<p><strong class="example">Example 2: </strong></p><div class="example-block">
<p><strong>Input: </strong><code>nums = [1], target = 1</code></p><p><strong>Output: </strong>[]</p></div>
<p><strong>Constraints:</strong></p><ul><li>few</li></ul>"""
SIGNATURE = read_signature("class Solution:\n    def pair(self, nums: List[int], target: int) -> List[int]:\n", "pair")


@pytest.mark.parametrize("html", [PRE_LAYOUT, BLOCK_LAYOUT])
def test_examples_of_both_layouts_are_the_same_samples(html: str) -> None:
    sections = split_sections(html_to_markdown(html))
    first, second = read_examples(sections.samples).samples
    assert first == Sample("nums = [2,5], target = 7", "[0,1]", "2 + 5.")
    assert second == Sample("nums = [1], target = 1", "[]")
    assert sections.text["constraints"] == "- few"


def test_an_example_without_output_is_kept_as_text() -> None:
    found = read_examples(split_sections("Do it.\n\n**Example 1:**\n\n![](only.png)").samples)
    assert found.samples == () and found.leftover == ("### Example 1\n\n![](only.png)",)


def test_lines_of_an_explanation_are_apart_and_its_lists_are_whole() -> None:
    html = (
        "<p><b>Example 1:</b></p><pre><b>Input:</b> n = 2\n<b>Output:</b> 3\n<b>Explanation:</b> Take both:"
        "\n   - 1 is <u>odd</u>:\n     so it is.\n   - 2 is even.\nThus 3."
        "\n1) Take one.\n2) Stop.\n|1-2| is\n|2-1|.</pre>"
    )
    (sample,) = read_examples(split_sections(html_to_markdown(html)).samples).samples
    taken = "Take both:\n\n   - 1 is **odd**:\n     so it is.\n   - 2 is even.\n\nThus 3."
    assert sample.explanation == f"{taken}\n\n1) Take one.\n2) Stop.\n\n|1-2| is\n\n|2-1|."


def test_tags_in_an_explanation_are_shown_and_those_of_its_input_are_data() -> None:
    markdown = '### Example 1\n\n```\nInput: s = "<w>"\nOutput: 1\nExplanation: One <w> and </b>.\n```'
    (sample,) = read_examples(split_sections(markdown).samples).samples
    assert sample == Sample('s = "<w>"', "1", r"One \<w> and \</b>.")


PAIRS = """求和。

# 样例

#### 样例输入 1
```
1 2
```

#### 样例输出 1
```
3
```

#### 样例解释 1

1 + 2 = 3。

#### 样例输入 2

4 5

#### 样例输出 2

9
"""


def test_pairs_with_explanations() -> None:
    assert read_pairs(split_sections(PAIRS).samples).samples == (Sample("1 2", "3", "1 + 2 = 3。"), Sample("4 5", "9"))


def test_hydro_fences_are_paired_by_order() -> None:
    markdown = "Sum.\n\n```input1|1,2\n1 2\n```\n\n```input2\n3\n```\n\n```output1\n3\n```\n\n```output2\n3\n```"
    assert read_pairs(split_sections(markdown).samples).samples == (Sample("1 2", "3"), Sample("3", "3"))


def test_a_sample_in_two_named_files() -> None:
    markdown = "求和。\n\n### 样例输入\n\nsum.in\n\n1 2\n\n3\n\nsum.out\n\n6"
    assert read_pairs(split_sections(markdown).samples).samples == (Sample("1 2\n3", "6"),)


@pytest.mark.parametrize(
    "markdown",
    ["### Sample Input\n\n1\n\n### Sample Output\n\n2\n\n### Sample Input 2\n\n3",
     "### Sample Input\n\n【样例一】\n1\n【样例二】\n2\n\n### Sample Output\n\n1\n2"],
)  # fmt: skip
def test_samples_that_do_not_pair_are_kept_as_text(markdown: str) -> None:
    found = read_pairs(split_sections(markdown).samples)
    assert found.samples == () and "1" in "".join(found.leftover)


def test_a_remark_behind_a_sample_is_its_explanation() -> None:
    markdown = "求和。\n\n### 样例输入\n\n1 2\n\n### 样例输出\n\n3\n\n对于全部数据，和不超过 10。"
    assert read_pairs(split_sections(markdown).samples).samples == (Sample("1 2", "3", "对于全部数据，和不超过 10。"),)


def test_remarks_behind_the_input_and_the_output_are_both_kept() -> None:
    markdown = "### 样例输入\n\n1 2\n\n两个数。\n\n### 样例输出\n\n3\n\n它们的和。"
    assert read_pairs(split_sections(markdown).samples).samples == (Sample("1 2", "3", "两个数。\n\n它们的和。"),)


def test_a_sample_of_prose_is_kept_as_text() -> None:
    markdown = "### 样例输入\n\n50\n\n### 样例输出\n\n数据中，T 不超过 5"
    found = read_pairs(split_sections(markdown).samples)
    assert found.samples == () and "T 不超过 5" in "".join(found.leftover)


@pytest.mark.parametrize("sample", ["![](sample.png)", "```\n![](sample.png)\n```"])
def test_a_picture_of_a_sample_is_no_sample(sample: str) -> None:
    found = read_pairs(split_sections(f"求和。\n\n### 样例输入\n\n{sample}\n\n### 样例输出\n\n3").samples)
    assert found.samples == () and "![](sample.png)" in "".join(found.leftover)


def test_a_picture_behind_a_sample_explains_it() -> None:
    markdown = "求和。\n\n### 样例输入\n\nsum.in\n\n1 2\n\n![](sum.png)\n\nsum.out\n\n3"
    assert read_pairs(split_sections(markdown).samples).samples == (Sample("1 2", "3", "![](sum.png)"),)


def test_the_name_of_a_file_is_no_part_of_a_fenced_sample() -> None:
    markdown = "### Sample Input\n\n```\n{}\n1 2\n```\n\n### Sample Output\n\n```\n{}\n3\n```"
    for names in (("(file sum.in)", "(file sum.out)"), ("sum.in", "sum.ans")):
        assert read_pairs(split_sections(markdown.format(*names)).samples).samples == (Sample("1 2", "3"),)
    names_as_data = read_pairs(split_sections(markdown.format("1", "b.in")).samples).samples
    assert names_as_data == (Sample("1\n1 2", "b.in\n3"),)


def test_columns_of_an_explanation_are_fenced() -> None:
    laid_out = "day   sum\n1     2\n2     5"
    sample = Sample("x = 1", "2", laid_out)
    assert render_samples([sample], function=True).endswith(f"**Explanation:**\n\n```\n{laid_out}\n```")
    assert read_examples(split_sections(render_samples([sample], function=True)).samples).samples == (sample,)
    escaped = Sample("x = 1", "2", laid_out.replace("sum", r"a\*b"))
    assert laid_out.replace("sum", "a*b") in render_samples([escaped], function=True)


def test_text_around_a_fenced_sample_is_not_lost() -> None:
    markdown = "Sum.\n\n### Sample Input\n\n```\n1\n```\n\n### Sample Output\n\n```\n1\n```\n\nAll data: 1<=n<=100"
    found = read_pairs(split_sections(markdown).samples)
    assert found.samples == (Sample("1", "1"),) and found.leftover == ("All data: 1<=n<=100",)


def test_lines_that_became_paragraphs_are_lines_again() -> None:
    markdown = "### Sample Input\n\n2\n\n\n1 2\n\n3 4\n\n### Sample Output\n\n3\n7"
    assert read_pairs(split_sections(markdown).samples).samples == (Sample("2\n1 2\n3 4", "3\n7"),)


def test_a_sample_that_repeats_another_is_left_out() -> None:
    twice = "### Sample Input 1\n\n1\n\n### Sample Output 1\n\n2\n\n### Sample Input 2\n\n1\n\n### Sample Output 2\n\n2"
    assert read_pairs(split_sections(twice).samples).samples == (Sample("1", "2"),)


def test_cases_in_the_output_are_no_mark_of_several_samples() -> None:
    markdown = "### Sample Input\n\n2\n1\n2\n\n### Sample Output\n\nCase #1: 1\nCase #2: 4"
    assert read_pairs(split_sections(markdown).samples).samples == (Sample("2\n1\n2", "Case #1: 1\nCase #2: 4"),)


def test_a_list_in_an_explanation_starts_on_a_line_of_its_own() -> None:
    rendered = render_samples([Sample("n = 1", "1", "- one\n- two")], function=True)
    assert rendered.endswith("**Explanation:**\n\n- one\n- two")


def test_listed_samples_take_the_statements_explanations() -> None:
    found = read_pairs(split_sections("Sum.\n\n## Explanation of Sample 2\n\nBecause.").samples)
    listed = with_listed(found, [Sample("1", "1"), Sample("2", "4")])
    assert [sample.explanation for sample in listed.samples] == [None, "Because."]


TEXT = st.text(alphabet="0123456789 -ab", min_size=1, max_size=12).map(str.strip).filter(bool)
SAMPLE = st.builds(Sample, TEXT, TEXT, st.none() | TEXT.map("because {}".format))
SAMPLES = st.lists(SAMPLE, min_size=1, max_size=3, unique_by=lambda sample: (sample.input, sample.output))


@given(SAMPLES, st.booleans())
def test_rendered_samples_read_back_the_same(samples: list[Sample], function: bool) -> None:
    parts = split_sections("Task.\n\n" + render_samples(samples, function)).samples
    assert (read_examples if function else read_pairs)(parts).samples == tuple(samples)


def test_signature_of_starter_code_with_and_without_a_body() -> None:
    assert SIGNATURE is not None and SIGNATURE.names == ("nums", "target")
    whole = read_signature("def f(x: int) -> int:\n    return x\n", "f")
    assert whole is not None and whole.names == ("x",)
    assert read_signature("def f(*x): pass", "f") is None
    assert read_signature("not python (", "f") is None


def test_arguments_by_name_in_the_signatures_order() -> None:
    assert sample_test(Sample("target = 7, nums = [2, 5]", "[0,1]"), SIGNATURE) == (b"[[2, 5], 7]", b"[0, 1]")


def test_arguments_without_names_or_with_others_go_by_position() -> None:
    for text in ("[2,5]\n7", "a = [2,5]; b = 7"):
        assert sample_test(Sample(text, "[]"), SIGNATURE) == (b"[[2, 5], 7]", b"[]")


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("'a\"b'", 'a"b'), ("-2.50", -2.5), ('["x",null]', ["x", None]), ("[[1],\n [2]]", [[1], [2]])]
)  # fmt: skip
def test_literals(text: str, value: object) -> None:
    free = Signature(("x",), (None,), None)
    assert json.loads(sample_test(Sample(f"x = {text}", "1"), free)[0]) == [value]


@pytest.mark.parametrize(
    ("sample", "why"),
    [
        (Sample("nums = [1,2]", "[]"), "one value for two parameters"),
        (Sample("nums = [1,2, target = 3", "[]"), "a list that does not close"),
        (Sample("nums = [1], target = 3", "2, nums = [1,_]"), "an output of two values"),
        (Sample("nums = [1], target = true", "[]"), "a bool for an int"),
        (Sample("nums = [1], target = NaN", "[]"), "a number that JSON lacks"),
        (Sample("nums = [f(1)], target = 1", "[]"), "an expression"),
        (Sample("nums = [" * 5000, "[]"), "nesting without end"),
    ],
)
def test_what_is_no_list_of_literals_gives_no_test(sample: Sample, why: str) -> None:
    with pytest.raises(NotALiteral):
        sample_test(sample, SIGNATURE)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [("int", 1, True), ("int", True, False), ("float", 1, True), ("str", 1, False), ("List[List[str]]", [["a"]], True),
     ("List[int]", ["a"], False), ("Optional[int]", None, True), ("Optional[Node]", [1], False), ("None", None, False)],
)  # fmt: skip
def test_fits(annotation: str, value: object, expected: bool) -> None:
    assert fits(value, ast.parse(annotation, mode="eval").body) is expected


JSON = st.recursive(st.integers() | st.booleans() | st.text(max_size=6), lambda inner: st.lists(inner, max_size=3))


@given(st.lists(JSON, min_size=1, max_size=3))
def test_described_arguments_read_back_the_same(values: list[object]) -> None:
    signature = Signature(tuple("abc"[: len(values)]), (None,) * len(values), None)
    shown = describe_arguments(json.dumps(values), signature)
    assert json.loads(sample_test(Sample(shown, "0"), signature)[0]) == values


def test_several_samples_under_one_heading_are_read_by_their_labels() -> None:
    for first, second in (("样例输入1", "样例输入2"), ("【样例一】", "【样例二】"), ("Input 1:", "Input 2:")):
        out = [label.replace("输入", "输出").replace("In", "Out") for label in (first, second)]
        markdown = f"求和。\n\n### 样例输入\n\n```\n{first}\n1 2\n\n{second}\n3 4\n```\n\n### 样例输出\n\n"
        found = read_pairs(split_sections(markdown + f"```\n{out[0]}\n3\n{out[1]}\n7\n```").samples)
        assert found.samples == (Sample("1 2", "3"), Sample("3 4", "7"))
    headed = "求和。\n\n## Sample Input\n\n【样例1】\n1 2\n\n【样例2】\n3 4\n\n"
    headed += "## Sample Output\n\n【样例1】\n3\n\n【样例2】\n7"
    assert read_pairs(split_sections(headed).samples).samples == (Sample("1 2", "3"), Sample("3 4", "7"))


def test_labels_that_do_not_pair_give_no_sample() -> None:
    markdown = "求和。\n\n### 样例输入\n\n```\n样例1\n1 2\n样例2\n3 4\n```\n\n### 样例输出\n\n```\n3\n```"
    assert read_pairs(split_sections(markdown).samples).samples == ()


@pytest.mark.parametrize("remark", ["OUTPUT DETAILS:\n\nOne and two.", "One and two make three together."])
def test_what_is_said_of_an_output_is_no_part_of_it(remark: str) -> None:
    markdown = f"Sum.\n\n## Sample Input\n\n1 2\n\n## Sample Output\n\n```\n3\n\n{remark}\n```"
    (sample,) = read_pairs(split_sections(markdown).samples).samples
    assert sample == Sample("1 2", "3", remark)


@pytest.mark.parametrize("limits", ["n<=300", "1 ≤ N, M ≤ 100\n1<=z<=10^9", "(0<N<=500;0<M<=5000)"])
def test_limits_behind_an_output_are_no_part_of_it(limits: str) -> None:
    markdown = f"求和。\n\n## Sample Input\n\n```\n1 2\n```\n\n## Sample Output\n\n```\n3\n\n{limits}\n```"
    assert read_pairs(split_sections(markdown).samples).samples == (Sample("1 2", "3", limits),)
    conditions = "x <= 2 ||\nx >= 5"
    markdown = markdown.replace(f"3\n\n{limits}", conditions)
    assert read_pairs(split_sections(markdown).samples).samples == (Sample("1 2", conditions),)


def test_comments_behind_the_lines_of_a_sample_are_its_explanation() -> None:
    markdown = "求和。\n\n## Sample Input\n\n```\n2 //有两个数\n4 5\n```\n\n## Sample Output\n\n```\n9\n```"
    assert read_pairs(split_sections(markdown).samples).samples == (Sample("2\n4 5", "9", "//有两个数"),)


@pytest.mark.parametrize("output", ["略", "1 2\nor:\n2 1"])
def test_an_output_that_is_left_out_or_one_of_two_is_no_sample(output: str) -> None:
    markdown = f"求和。\n\n## Sample Input\n\n1 2\n\n## Sample Output\n\n```\n{output}\n```"
    assert read_pairs(split_sections(markdown).samples).samples == ()


def test_samples_under_one_heading_that_names_both_files() -> None:
    markdown = "求和。\n\n输入文件示例 输出文件示例\nsum.in\n1 2\nsum.out\n3"
    assert read_pairs(split_sections(markdown).samples).samples == (Sample("1 2", "3"),)


def test_an_editors_paragraphs_and_a_table_of_files_are_lines_of_samples() -> None:
    page = "<p>求和。</p><h3>【样例输入】</h3><pre><p>\n2\n</p>\n\n<p>\n1 2\n</p>\n</pre>"
    page += "<h3>【样例输出】</h3><pre>3</pre>"
    assert read_pairs(split_sections(html_to_markdown(page)).samples).samples == (Sample("2\n1 2", "3"),)
    names = "<tr><td><b>sum.in</b></td><td><b>sum.out</b></td></tr>"
    page = f"<p>求和。</p><h3>样例</h3><table>{names}<tr><td>\n<p>\n  2\n</p>\n<p>1 2</p></td><td>3</td></tr></table>"
    assert read_pairs(split_sections(html_to_markdown(page)).samples).samples == (Sample("2\n1 2", "3"),)
