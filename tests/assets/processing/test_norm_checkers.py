"""Checker inference: what each rule fires on, and the sentences on which an earlier form of it fired wrongly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_assets.processing.checkers import Evidence, infer_checker, sentences
from microcoder_judge import Checker

LIST_OF = "class Solution:\n    def f(self, n: int) -> List[int]:\n"
TRUTH_OF = "class Solution:\n    def f(self, s: str) -> bool:\n"
TEXT_OF = "class Solution:\n    def f(self, n: int) -> str:\n"


def close(absolute: float | None, relative: float | None, case_sensitive: bool = True) -> Checker:
    return Checker("tokens_float", abs_tol=absolute, rel_tol=relative, case_sensitive=case_sensitive, integers="close")


@pytest.mark.parametrize(
    ("sentence", "checker"),
    [
        ("Print their sum.", Checker("tokens")),
        ("Absolute or relative error must not exceed $10^{-6}$.", close(1e-6, 1e-6)),
        ("The relative error should be within 1e-4.", close(None, 1e-4)),
        ("An absolute error of 0.001 is fine.", close(1e-3, None)),
        ("绝对误差不超过 $10^{-5}$。", close(1e-5, None)),
        ("答案误差小于1e-9。", close(1e-9, 1e-9)),
        ("你的答案和标准答案相差不超过 $10^{-4}$ 即可。", close(1e-4, 1e-4)),
        ("Answers with a precision of 10-5 are accepted.", close(1e-5, 1e-5)),
        ("You can print each letter in any case (upper or lower).", Checker("tokens", case_sensitive=False)),
        ('You can output "YES" and "NO" in any case (for example, "yEs").', Checker("yesno")),
        ("You can output $\\texttt{Yes}$ and $\\texttt{No}$ in any case.", Checker("yesno")),
        ("Print `EASY` or `HARD` in any register.", Checker("tokens", case_sensitive=False)),
        ("Error at most 1e-6. Print the word in any case.", close(1e-6, 1e-6, case_sensitive=False)),
    ],
)
def test_one_answer_of_a_program(sentence: str, checker: Checker) -> None:
    inferred = infer_checker(f"Solve it.\n\n{sentence}", "stdin")
    assert inferred.checker == checker
    assert bool(inferred.evidence) == (checker != Checker("tokens"))


@pytest.mark.parametrize(
    ("sentence", "rule"),
    [
        ("If there are several answers, print any of them.", "any_valid"),
        ("If there is more than one answer — output **any**.", "any_valid"),
        ("Find any spanning tree of this graph.", "any_valid"),
        ("The answer [[3,1]] would also be accepted.", "any_valid"),
        ("如果有多组解，输出任意一组即可。", "any_valid"),
        ("多种方案任意输出一组方案即可。", "any_valid"),
        ("本题使用 Special Judge。", "any_valid"),
        ("Om det finns flera lösningar, skriv ut vilken som helst av dem.", "any_valid"),
        ("You can print the edges in any order.", "any_order"),
        ("城市可以以任意顺序输出。", "any_order"),
    ],
)
def test_several_answers_of_a_program_have_no_checker(sentence: str, rule: str) -> None:
    inferred = infer_checker(f"Solve it. {sentence}", "stdin")
    assert inferred.checker is None
    assert [found.rule for found in inferred.evidence] == [rule]


@pytest.mark.parametrize(
    ("sentence", "starter", "checker"),
    [
        ("Return the sum.", LIST_OF, Checker("value")),
        ("You may return the answer in **any order**.", LIST_OF, Checker("unordered")),
        ("Return all characters of the group, in any order.", TEXT_OF, None),
        ("Return the indices in any order. The answer [1,0] is also accepted.", LIST_OF, Checker("unordered")),
        ("Return the answer in any order. If there are several, return any of them.", LIST_OF, None),
        ("Answers within `10^-5` of the actual answer will be accepted.", LIST_OF, Checker("value", 1e-5, 1e-5)),
        ("Print the word in any case.", LIST_OF, Checker("value")),
        ("The order that the days are returned in does **not** matter.", LIST_OF, Checker("unordered")),
        ("The order of the output and of its pairs doesn't matter.", LIST_OF, Checker("unordered")),
        ("Find any letter that is there twice.", TRUTH_OF, Checker("value")),
    ],
)
def test_answers_of_a_function(sentence: str, starter: str, checker: Checker | None) -> None:
    assert infer_checker(sentence, "function", starter).checker == checker


@pytest.mark.parametrize(
    "sentence",
    [
        "In any case, the frog cannot jump.",
        "If Igor wins the dispute in any case, print -1.",
        'Print "NO" if it will not be removed in any case.',
        "Commands of the script are case-insensitive.",
        "统计单词出现的次数，不区分大小写。",
        "Tasks can be finished in any order. Return their number.",
        "The order of the stones does not matter. Print their number.",
        "Return the largest number formed by concatenating the digits in any order.",
        "本题的答案跟牛返回牛棚的次序无关。",
        "~~以任意顺序输出均可~~ 请按照编号递增的顺序输出。",
        "A permutation is an array of distinct integers in arbitrary order.",
        "Fedor's team hasn't succeeded to find any scientists.",
        "If the string cannot be decoded in any valid way, return 0.",
        "If there is more than one pile with the most gifts, choose any.",
        "If there are multiple answers, return the smallest.",
        "求对于任意一个矩形的面积。",
        "给出一个整数 m，对于任意的 s 计算个数。",
        "每步可以有多个鬼同时移动,但每步结束之后任何两个鬼不能占用同一个位置。",
        "当任意一组通道运行时，居民都可以通过这组通道前往任意的另一个传送站。",
        "由于没有Special Judge功能，去掉了该问。",
        "所有坐标的绝对值均不超过 100，且至少精确到 $10^{-5}$。",
        "测试数据保证四舍五入后的答案的误差不大于 $10^{-2}$。",
        "为了避免浮点误差，你可以假设移动不超过 10^-6 的距离时，答案不会变化。",
        "It is guaranteed that an error of $10^{-6}$ does not change the answer.",
        "保留三位小数。",
    ],
)
@pytest.mark.parametrize("io_mode", ["stdin", "function"])
def test_sentences_that_grant_nothing(sentence: str, io_mode: str) -> None:
    inferred = infer_checker(sentence, io_mode, LIST_OF)
    assert inferred.checker == Checker("tokens" if io_mode == "stdin" else "value")
    assert inferred.evidence == ()


def test_the_first_sentence_that_says_it_is_the_evidence() -> None:
    text = "Easy.\n\n- You can print **letters**\n  in any case.\n- Print letters in any case, really."
    assert infer_checker(text, "stdin").evidence == (Evidence("any_case", "- You can print letters in any case."),)


@given(st.text(alphabet=" \n.!?。*~-ab1", max_size=80))
def test_sentences_lose_only_white_space_and_marks(text: str) -> None:
    kept = "".join("".join(sentences(text)).split())
    assert set(kept) <= set(text)
    if "*" not in text and "~" not in text:
        assert kept == "".join(text.split())
