"""Whole rows: what is kept, what is dropped and why, checkers, flags, tests of samples, and the content hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_assets.processing.language import detect_language
from microcoder_assets.processing.normalize import NormalizedProblem, normalize, normalize_row
from microcoder_assets.schema import NORMALIZED, SCRAPED
from microcoder_assets.stage import Decision, Kind
from microcoder_judge import Checker

STATEMENT = "<p>Add two numbers.</p>\n\n## Input\n\nTwo integers.\n\n## Output\n\nTheir sum."


class Memory(dict[str, bytes]):
    """Blobs held in memory, as the store holds them on disk."""

    def get_many(self, shas: Sequence[str]) -> dict[str, bytes]:
        return {sha: self[sha] for sha in shas}

    def put_many(self, blobs: Sequence[bytes]) -> list[str]:
        shas = [hashlib.sha256(blob).hexdigest() for blob in blobs]
        self.update(zip(shas, blobs, strict=True))
        return shas


def scraped(**columns: Any) -> dict[str, Any]:
    lists = {name: [] for name in ("samples", "tests", "references", "tags", "ratings", "flags")}
    base: dict[str, Any] = dict.fromkeys(SCRAPED) | lists
    given = {"problem_id": "kattis:sum", "statement": STATEMENT, "statement_format": "markdown", "io_mode": "stdin"}
    return base | given | {"record_sha": "r", "statement_language": "en"} | columns


def row_of(**columns: Any) -> dict[str, Any]:
    outcome = normalize_row(scraped(**columns), {})
    assert isinstance(outcome, NormalizedProblem), outcome
    return outcome.row


def reason_of(**columns: Any) -> tuple[str, dict[str, Any]]:
    outcome = normalize_row(scraped(**columns), {})
    assert isinstance(outcome, Decision), outcome
    return outcome.reason, outcome.detail


def test_a_row_is_rebuilt_in_the_standard_order() -> None:
    row = row_of(
        statement="## Output\n\nTheir sum.\n\n## Note\n\nEasy.\n\n## Description\n\nAdd.\n\n## Input\n\nTwo integers.",
        samples=[{"input": "1 2\n", "output": "3\n", "explanation": None}],
    )
    assert row["statement"] == (
        "Add.\n\n## Input\n\nTwo integers.\n\n## Output\n\nTheir sum.\n\n"
        "### Sample Input 1\n\n```\n1 2\n```\n\n### Sample Output 1\n\n```\n3\n```\n\n## Notes\n\nEasy."
    )
    assert normalize_row(scraped(statement=row["statement"]), {}).row["statement"] == row["statement"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("columns", "reason", "detail"),
    [
        ({"statement": " \n"}, "empty_statement", {}),
        ({"statement": "<p>&nbsp;</p>", "statement_format": "html"}, "empty_statement", {}),
        ({"statement": "![](task.png)"}, "stub_statement", {"stub": "image"}),
        ({"statement": "@[pdf](file://problem.pdf)"}, "stub_statement", {"stub": "document"}),
        ({"statement": "# Description\n\nwww.judge.org/upload/201710/10.rar"}, "stub_statement", {"stub": "upload"}),
        ({"statement": "See [the other one](https://judge.org/p/2)."}, "stub_statement", {"stub": "link"}),
        (
            {"statement": "# Description\n\n# Input\n\n# Output\n\n# Hint\n\nNone."},
            "stub_statement",
            {"stub": "template"},
        ),
        ({"statement": "Sum of all."}, "incomplete_statement", {"missing": ["input_spec", "output_spec"]}),
        ({"io_mode": None, "flags": ["uses_nodes"]}, "unsupported_signature", {"flags": ["uses_nodes"]}),
        ({"statement": "The input is n. Print the number of ways to"}, "incomplete_statement", {"missing": ["end"]}),
        ({"statement": "Sum.\n\n## Input\n\nTwo numbers."}, "incomplete_statement", {"missing": ["output_spec"]}),
        ({"io_mode": None, "flags": ["sql"]}, "not_a_program", {"flags": ["sql"]}),
        (
            {"statement": f"{STATEMENT}\n\n```\nopen Microsoft.Quantum.Canon;\n```"},
            "not_a_program",
            {"language": "Q#"},
        ),
        ({"io_mode": None, "statement": "Draw a picture."}, "not_a_program", {"flags": []}),
        ({"flags": ["interactive"]}, "unsupported_interactive", {}),
        ({"flags": ["interactive"], "io_mode": None}, "unsupported_interactive", {}),
        ({"io_mode": None, "statement": "This is an interactive problem. Guess."}, "unsupported_interactive", {}),
    ],
)
def test_rows_that_are_dropped(columns: dict[str, Any], reason: str, detail: dict[str, Any]) -> None:
    assert reason_of(**columns) == (reason, detail)


def test_a_description_that_says_it_all_needs_no_sections() -> None:
    assert row_of(statement="Read n from the input. Print n + 1.")["input_spec"] is None


def test_an_unnamed_io_mode_is_stdin_where_the_sections_say_so() -> None:
    assert row_of(io_mode=None)["io_mode"] == "stdin"


@pytest.mark.parametrize("declared", [None, Checker("tokens").to_json()])
def test_the_wording_refines_a_plain_checker_and_is_recorded(declared: str | None) -> None:
    row = row_of(statement=f"{STATEMENT} The *relative* error should be within 1e-4.", checker=declared)
    assert row["checker"] == Checker("tokens_float", rel_tol=1e-4, integers="close").to_json()
    assert row["checker_evidence"] == [{"rule": "tolerance", "sentence": "The relative error should be within 1e-4."}]
    assert row_of(checker=declared)["checker_evidence"] == []


def test_the_sentence_that_decided_is_in_the_ledger() -> None:
    statement = f"{STATEMENT} If there are several answers, print any of them."
    (decision,) = normalize(pl.DataFrame([scraped(statement=statement)], schema=SCRAPED), Memory()).decisions
    assert decision.detail == {"checker": {"any_valid": "If there are several answers, print any of them."}}


def test_a_declared_checker_is_kept() -> None:
    declared = Checker("lines", case_sensitive=False).to_json()
    assert row_of(statement=f"{STATEMENT} Relative error 1e-6.", checker=declared)["checker"] == declared


def test_a_judge_of_its_own_is_not_replaced_by_the_wording() -> None:
    row = row_of(statement=f"{STATEMENT} Print it in any case.", flags=["multi_answer"])
    assert (row["checker"], row["checker_evidence"], row["flags"]) == (None, [], ["multi_answer"])


@pytest.mark.parametrize(
    "sentence", ["If there are several answers, print any of them.", "如果有多组解，输出任意一组即可。"]
)
def test_several_answers_are_flagged_and_get_no_checker(sentence: str) -> None:
    row = row_of(statement=f"{STATEMENT}\n\n{sentence}")
    assert row["flags"] == ["multi_answer"] and row["checker"] is None
    custom = Checker("custom", program="import sys\nsys.exit(42)").to_json()
    assert row_of(statement=f"{STATEMENT}\n\n{sentence}", checker=custom)["flags"] == []


STORY = "Once upon a time there were two numbers that had lost each other. " * 4


@pytest.mark.parametrize(
    ("statement", "needed"),
    [
        (f"Add the numbers in the box.\n\n![](map.png)\n\n{STATEMENT}", True),
        (f"{STORY}As the picture tells:\n\n![](map.png)\n\n{STATEMENT}", True),
        (f"{STORY}It holds that\n\n![](formula.png)\n\n{STATEMENT}", True),
        (f"{STORY}We define a function f.\n\n![](formula.png)\n\n{STATEMENT}", True),
        (f"{STORY}The frustration is ![](formula.png) a day.\n\n{STATEMENT}", True),
        (f"{STORY}\n\n![](decoration.png)\n\n{STATEMENT}", False),
        (f"![](decoration.png)\n\n{STORY}\n\n{STATEMENT}", False),
        (f"{STATEMENT}\n\n## Note\n\n![](map.png)", False),
    ],
)
def test_an_image_is_needed_where_the_task_leans_on_it(statement: str, needed: bool) -> None:
    row = row_of(statement=statement)
    assert row["flags"] == (["needs_image"] if needed else []) and "![](" in row["statement"]


def test_a_picture_that_got_lost_is_needed() -> None:
    pointing = f"The paths are shown in the picture below.\n\n{STATEMENT}"
    assert row_of(statement=pointing)["flags"] == ["needs_image"]
    assert row_of(statement=f"{pointing}\n\n## Note\n\n![](map.png)")["flags"] == []
    told = "道路如下图所示：\n\n请求和。\n\n共两个。\n\n都是数。"
    assert row_of(statement=f"{told}\n\n{STATEMENT}")["flags"] == ["needs_image"]
    assert row_of(statement=f"道路如下图所示：\n\n+--+--+\n\n{STATEMENT}")["flags"] == []


def test_noise_is_taken_out_before_sections_are_read() -> None:
    row = row_of(statement=f"**原题来自：An Olympiad**\n\n{STATEMENT}\n\n(sum.out)")
    assert row["description"] == "Add two numbers." and row["output_spec"] == "Their sum."


def test_products_are_escaped_where_they_would_be_emphasis_but_not_in_samples() -> None:
    sample = "\n\n## Sample Input\n\n```\n1*2*3\n```\n\n## Sample Output\n\n```\n6\n```\n\n## Explanation\n\n1*2*3=6"
    row = row_of(statement=f"A board of n*m.\n\n## Input\n\nn*m lines, n*m ≤ 2*10^5.\n\n## Output\n\nOne.{sample}")
    assert row["description"] == "A board of n*m."
    assert row["input_spec"] == "n\\*m lines, n\\*m ≤ 2\\*10^5."
    (shown,) = row["samples"]
    assert shown == {"input": "1*2*3", "output": "6", "explanation": "1\\*2\\*3=6"}
    assert all(text in row["statement"] for text in (row["input_spec"], "\n1*2*3\n", shown["explanation"]))


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        ("Do:\n\n  1. Take $a$.    2. Add $b$.   3. Stop.", "Do:\n\n  1. Take $a$.\n  2. Add $b$.\n  3. Stop."),
        (
            "See ![a map](CDN_BASE_URL/0a1b) of the roads that lead out of the old town.",
            "See ![a map](missing) of the roads that lead out of the old town.",
        ),
        ("The set \\\\{$a$, 1\\\\} of \\\\{2, 3\\}.", "The set \\{$a$, 1\\} of \\{2, 3\\}."),
        ("Add $a \\in \\\\{\\\\}$ to the number.", "Add $a \\in \\{\\}$ to the number."),
        (
            "The roads of [this](https://example.org/one-two- three) map lead to - or (see one- two) out of town.",
            "The roads of [this](https://example.org/one-two-three) map lead to - or (see one- two) out of town.",
        ),
    ],
)
def test_markup_that_got_lost_comes_back(lost: str, expected: str) -> None:
    assert row_of(statement=f"{lost}\n\n## Input\n\nTwo.\n\n## Output\n\nOne.")["description"] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Add two numbers a and b.\nReturn the sum.", "Add two numbers a and b.\n\nReturn the sum."),
        (
            "Add the two numbers that stand on the first line\nof the input and print the sum.\nDo it well.",
            "Add the two numbers that stand on the first line\nof the input and print the sum.\nDo it well.",
        ),
    ],
)
def test_lines_of_plain_text_are_paragraphs_unless_it_is_wrapped(text: str, expected: str) -> None:
    row = row_of(statement=text, statement_format="text", io_mode="function")
    assert row["description"] == row["statement"] == expected


def test_bounds_and_what_contradicts_them_are_in_the_row() -> None:
    statement = STATEMENT.replace("Two integers.", "The first line contains two integers a and b (0 ≤ a, b < 10).")
    row = row_of(statement=statement, samples=[{"input": "9 10", "output": "19", "explanation": None}])
    assert [(bound["variable"], bound["low"], bound["high_strict"]) for bound in row["bounds"]] == [
        ("a", 0.0, True),
        ("b", 0.0, True),
    ]
    assert row["flags"] == ["tests_out_of_bounds"]


def test_the_first_lines_of_tests_that_are_no_samples_are_checked() -> None:
    blobs = Memory()
    shas = blobs.put_many([b"1 2 3\n", b"6\n"])
    test = {"name": "1", "sample": False, "input_sha": shas[0], "expected_sha": shas[1], "bytes": 8}
    statement = STATEMENT.replace("Two integers.", "The first line contains two integers a and b.")
    frame = pl.DataFrame([scraped(statement=statement, tests=[test])], schema=SCRAPED)
    assert normalize(frame, blobs).frame["flags"].to_list() == [["sample_shape"]]


def function_row(example: str) -> dict[str, Any]:
    return scraped(
        statement=f"<p>Add.</p><p><strong>Example 1:</strong></p><pre>{example}</pre>",
        statement_format="html",
        io_mode="function",
        entry_point="add",
        starter_code="class Solution:\n    def add(self, a: int, b: int) -> int:\n",
        checker=Checker("value").to_json(),
    )


def test_examples_become_sample_tests_in_the_blob_store() -> None:
    blobs = Memory()
    frame = pl.DataFrame([function_row("Input: b = 2, a = 1\nOutput: 3")], schema=SCRAPED)
    result = normalize(frame, blobs)
    assert result.frame.schema == pl.Schema(NORMALIZED) and result.accounted() is None
    (test,) = result.frame["tests"][0].to_list()
    assert (test["name"], test["sample"], test["bytes"]) == ("sample-1", True, 7)
    assert (blobs[test["input_sha"]], blobs[test["expected_sha"]]) == (b"[1, 2]", b"3")
    (decision,) = result.decisions
    assert (decision.kind, decision.sha_in, decision.sha_out) == (Kind.KEPT, "r", result.frame["content_sha"][0])


def test_an_example_that_is_no_literal_is_flagged() -> None:
    outcome = normalize_row(function_row("Input: a = one, b = two\nOutput: three"), {})
    assert isinstance(outcome, NormalizedProblem)
    assert outcome.row["tests"] == [] and outcome.row["flags"] == ["samples_unparsed"]


def test_samples_are_shown_from_sample_tests_and_stdin_samples_become_tests() -> None:
    blobs = Memory()
    parts = [b"1 2\n", b"3\n", b"\xff", b"0\n"]
    shas = blobs.put_many(parts)
    tests = [
        {"name": str(n), "sample": True, "input_sha": shas[n], "expected_sha": shas[n + 1], "bytes": 6} for n in (0, 2)
    ]
    shown = normalize(pl.DataFrame([scraped(tests=tests)], schema=SCRAPED), blobs).frame.row(0, named=True)
    assert shown["samples"] == [{"input": "1 2", "output": "3", "explanation": None}] and len(shown["tests"]) == 2
    listed = [{"input": "4 5", "output": "9", "explanation": None}]
    made = normalize(pl.DataFrame([scraped(samples=listed)], schema=SCRAPED), blobs).frame.row(0, named=True)
    assert blobs[made["tests"][0]["input_sha"]] == b"4 5\n" and blobs[made["tests"][0]["expected_sha"]] == b"9\n"


def test_no_rows_are_no_rows() -> None:
    result = normalize(pl.DataFrame(schema=SCRAPED), Memory())
    assert result.frame.schema == pl.Schema(NORMALIZED) and result.decisions == []


SPACES = st.sampled_from([" ", "  ", "\n", " \n ", "&nbsp;", "&#32;", "\u3000", "\u200b "])


SHELLS = st.sampled_from(["<p>{}</p>", "<div><p>{}</p></div>\n\n", "\n{}\n<br>"])


@given(st.lists(SPACES, min_size=3, max_size=3), SHELLS)
def test_a_cosmetic_rescrape_keeps_the_content_hash(spaces: list[str], shell: str) -> None:
    words = ["Add", "two", "integer", "numbers."]
    text = "".join(word + space for word, space in zip(words, [*spaces, ""], strict=True))
    rest = "<h3>Input</h3><p>Two.</p><h3>Output</h3><p>Sum.</p>"
    plain = row_of(statement=f"<p>{' '.join(words)}</p>{rest}", statement_format="html")
    other = row_of(statement=shell.format(text) + rest, statement_format="html", record_sha="other", title="T")
    assert other["content_sha"] == plain["content_sha"]


@pytest.mark.parametrize(
    "change",
    [
        {"statement": STATEMENT.replace("two", "three")},
        {"time_limit_s": 2.0},
        {"checker": Checker("lines").to_json()},
        {"samples": [{"input": "1 2", "output": "3", "explanation": None}]},
    ],
)
def test_a_real_change_changes_the_content_hash(change: dict[str, Any]) -> None:
    assert row_of(**change)["content_sha"] != row_of()["content_sha"]


@pytest.mark.parametrize(
    ("text", "declared", "expected"),
    [
        ("You are given the number of rows and the length of each line.", "zh", "en"),
        ("给定两个整数，求它们的和，并且输出到标准输出。", "en", "zh"),
        ("Den första raden innehåller ett heltal som är det antal ord som finns.", "en", "sv"),
        ("Die erste Zeile enthält eine Zahl und der Rest ist für das Spiel nicht von Belang.", None, "de"),
        ("n m k", "en", "en"),
        ("```\nder die das und ist nicht\n```\nSum it up, quickly please, friends of sums", "en", "en"),
    ],
)
def test_the_language_is_read_from_the_prose(text: str, declared: str | None, expected: str) -> None:
    assert detect_language(text, declared) == expected


def test_json_of_the_checker_is_canonical() -> None:
    assert json.loads(row_of()["checker"]) == {"name": "tokens", "case_sensitive": True, "language": "python"}


def test_a_statement_that_cannot_be_converted_is_an_error_row() -> None:
    outcome = normalize_row(scraped(statement="{" * 600 + "x" + "}" * 600, statement_format="latex"), {})
    assert isinstance(outcome, Decision)
    assert (outcome.kind, outcome.reason) == (Kind.ERROR, "malformed_record")
