"""Statements split into sections."""

from __future__ import annotations

import pytest

from microcoder_assets.processing.sections import split_sections

ENGLISH = "Add two numbers.\n\n## Input\n\nTwo integers.\n\n## Output\n\nTheir sum.\n\n## Note\n\nNo overflow."
CHINESE = "# 题目描述\n\n求和。\n\n# 输入格式\n\n两个整数。\n\n# 输出格式\n\n它们的和。\n\n# 数据范围\n\n不会溢出。"
SWEDISH = "Addera talen.\n\n## Indata\n\nTvå heltal.\n\n## Utdata\n\nSumman.\n\n## Poängsättning\n\nTvå grupper."
BRACKETS = "求和。\n【输入格式】\n两个整数。\n【输出格式】它们的和。\n【数据范围】\n不会溢出。"
PLAIN = "Add two numbers.\n\nInput\n\nTwo integers.\n\nOutput Format:\nTheir sum.\n\nNote\n\nNo overflow."


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        (ENGLISH, ["Add two numbers.", "Two integers.", "Their sum.", None, "No overflow."]),
        (CHINESE, ["求和。", "两个整数。", "它们的和。", "不会溢出。", None]),
        (SWEDISH, ["Addera talen.", "Två heltal.", "Summan.", "Två grupper.", None]),
        (BRACKETS, ["求和。", "两个整数。", "它们的和。", "不会溢出。", None]),
        (PLAIN, ["Add two numbers.", "Two integers.", "Their sum.", None, "No overflow."]),
    ],
)
def test_headings_of_every_style_and_language(markdown: str, expected: list[str | None]) -> None:
    text = split_sections(markdown).text
    assert [text.get(n) for n in ("description", "input_spec", "output_spec", "constraints", "notes")] == expected


def test_a_repeated_section_is_left_out_and_another_is_joined() -> None:
    markdown = f"{ENGLISH}\n\n## Input\n\nTwo   **integers**.\n\n## Output\n\nOn one line."
    text = split_sections(markdown).text
    assert text["input_spec"] == "Two integers."
    assert text["output_spec"] == "Their sum.\n\nOn one line."


def test_headings_inside_a_fence_are_text() -> None:
    text = split_sections("Print this:\n\n```\n## Input\n# Output\n```").text
    assert list(text) == ["description"]


def test_input_and_output_below_a_sample_heading_are_sample_parts() -> None:
    markdown = "求和。\n\n# 样例一\n\n#### input\n\n```\n1 2\n```\n\n#### output\n\n```\n3\n```\n\n# 限制与约定\n\n小。"
    sections = split_sections(markdown)
    assert [part.kind for part in sections.samples] == ["sample", "sample_input", "sample_output"]
    assert sections.text == {"description": "求和。", "constraints": "小。"}


def test_the_format_of_the_input_ends_an_example_and_the_input_of_one_does_not() -> None:
    markdown = "Add.\n\n**Example**\n\n**Input**:\n\n1 2\n\n**INPUT FORMAT**:\n\nTwo.\n\n**OUTPUT FORMAT**:\n\nOne."
    sections = split_sections(markdown)
    assert sections.text == {"description": "Add.", "input_spec": "Two.", "output_spec": "One."}
    assert [part.text for part in sections.samples] == ["**Input**:\n\n1 2"]


def test_bold_labels_with_text_behind_them_stay_text() -> None:
    text = split_sections("Find it.\n\n**Note:** it may be empty.\n\n**Constraints:**\n\n- `n <= 5`").text
    assert text["description"].endswith("**Note:** it may be empty.")
    assert text["constraints"] == "- `n <= 5`"


def test_a_follow_up_is_a_note_and_a_source_is_dropped() -> None:
    sections = split_sections("Find it.\n\n**Follow-up:** in linear time?\n\n# 来源\n\nSome contest 2019")
    assert sections.text == {"description": "Find it.", "notes": "in linear time?"}


def test_an_interaction_section_stays_in_the_description_under_its_heading() -> None:
    once = split_sections("Guess.\n\n## Interaction\n\nAsk politely.").text["description"]
    assert once == "Guess.\n\n### Interaction\n\nAsk politely."
    assert split_sections(once).text["description"] == once


def test_a_heading_may_say_what_the_program_puts_out() -> None:
    text = split_sections("求和。\n\n«数据输入:\n两个整数。\n\n«结果输出:\n它们的和。").text
    assert (text["input_spec"], text["output_spec"]) == ("两个整数。", "它们的和。")


@pytest.mark.parametrize("heading", ["[输入格式]", "[输入]：", "«输入：", "### INPUT FORMAT (file sum.in)", "## Input"])
def test_headings_in_other_brackets_and_with_file_names(heading: str) -> None:
    text = split_sections(f"Add.\n\n{heading}\nTwo integers.\n\n## Output\n\nTheir sum.").text
    assert text == {"description": "Add.", "input_spec": "Two integers.", "output_spec": "Their sum."}


def test_a_link_in_brackets_is_no_heading() -> None:
    assert split_sections("求和。\n\n[输入](https://judge.org)").text == {
        "description": "求和。\n\n[输入](https://judge.org)"
    }


@pytest.mark.parametrize("limit", ["Time Limit : 1000 MS", "Time Limit:1s", "时间限制：3.0s   内存限制：512.0MB"])
def test_a_line_of_limits_goes_and_what_follows_stays(limit: str) -> None:
    text = split_sections(f"{limit}\n\nAdd.\n\n# 提示\n\n{limit}\n\n1<=N<=1000").text
    assert text == {"description": "Add.", "notes": "1<=N<=1000"}


def test_limits_of_the_data_under_the_source_are_notes() -> None:
    assert split_sections("求和。\n\n# 来源\n\n100%的数据1<=n<=100000").text["notes"] == "100%的数据1<=n<=100000"


def test_a_heading_that_only_names_the_description_goes() -> None:
    assert split_sections("# 题目描述\n\n问题描述：\n求和。").text == {"description": "求和。"}


def test_remarks_on_the_input_among_samples_are_explanations() -> None:
    kinds = [part.kind for part in split_sections("# 样例输入\n\n1\n\n### 输入说明\n\n一。\n\n# 样例输出\n\n1").samples]
    assert kinds == ["sample_input", "explanation", "sample_output"]


def test_headings_may_name_a_file() -> None:
    markdown = "求和。\n\n### 输入文件：sum.in\n\n两个数。\n\n输入样例 (sum.in):\n\n1 2\n\n"
    markdown += "输出格式\n\n一个数。\n\n输出样例 (sum.out):\n\n3"
    sections = split_sections(markdown)
    assert sections.text == {"description": "求和。", "input_spec": "两个数。", "output_spec": "一个数。"}
    assert [part.text for part in sections.samples] == ["1 2", "3"]


def test_a_statement_preformatted_as_a_whole_is_read_without_its_fence() -> None:
    inside = "求和。\n\n输入格式:\n\n两个数。\n\n输出格式:\n\n一个数。"
    whole = {"description": "求和。", "input_spec": "两个数。", "output_spec": "一个数。"}
    assert split_sections(f"# 题目描述\n\n```\n{inside}\n```").text == whole
    kept = "```\n1 2\n```"
    assert split_sections(kept).text == {"description": kept}
