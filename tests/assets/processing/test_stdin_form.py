"""Function problems over standard input: the two forms judge the same programs alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import unique_row
from test_norm_rows import Memory

from microcoder_assets.collection.records import ScrapedProblem, SourceSpec
from microcoder_assets.collection.sources import open_source
from microcoder_assets.config import VerificationSettings
from microcoder_assets.processing.content import content_sha
from microcoder_assets.processing.normalize import NormalizedProblem, normalize_row
from microcoder_assets.processing.stdin_form import NoStdinForm, make_driver, program, stdin_form
from microcoder_assets.publication.prompt import build_prompt
from microcoder_assets.schema import PREPARED, SCRAPED
from microcoder_assets.verification.verify import judge_problem
from microcoder_judge import Checker, Judge, Submission, Verdict

STARTER = (
    "class Solution:\n    def pick(self, nums: List[int], word: str, limit: Optional[float]) -> List[List[int]]:\n"
)
PICK = "class Solution:\n    def pick(self, nums, word, limit):\n        return [[n] for n in nums if n < limit]"
TESTS = [(b'[[1, 2], "a b\\n", 1.5]', b"[[1]]"), (b'[[], "\xc3\xa9", null]', b"[]")]
SETTINGS = VerificationSettings()  # type: ignore[call-arg]


def function_row(blobs: Any, tests: Sequence[tuple[bytes, bytes]] = TESTS, **fields: Any) -> dict[str, Any]:
    given = {
        "io_mode": "function",
        "entry_point": "pick",
        "starter_code": STARTER,
        "checker": Checker("unordered").to_json(),
        "description": "Return the small numbers, each in a list.",
        "constraints": "- `1 <= nums.length`",
        "samples": [{"input": 'nums = [1,2], word = "a", limit = 1.5', "output": "[[1]]", "explanation": "Small."}],
        "flags": [],
        **fields,
    }
    return unique_row(blobs, "leetcode:7", tests, {"accepted": [PICK], "wrong_answer": ["def pick(*_): ..."]}, **given)


def test_the_statement_says_what_is_read_and_printed() -> None:
    blobs = Memory()
    form = stdin_form(function_row(blobs), blobs).row
    assert form["statement"] == (
        "Return the small numbers, each in a list.\n\n## Input\n\nOne JSON value a line, in this order:\n\n"
        "- `nums`: a list of integers\n- `word`: a string\n- `limit`: a number, or null\n\n## Output\n\n"
        "Print what is to be returned as one JSON value: a list of lists of integers.\n\n"
        "## Constraints\n\n- `1 <= nums.length`\n\n"
        '### Sample Input 1\n\n```\n[1, 2]\n"a"\n1.5\n```\n\n### Sample Output 1\n\n```\n[[1]]\n```\n\n'
        "### Explanation 1\n\nSmall."
    )
    assert set(form) == set(PREPARED)
    assert (form["problem_id"], form["form_of"], form["native_id"]) == ("leetcode:7#stdin", "leetcode:7", "7")
    assert (form["io_mode"], form["entry_point"], form["starter_code"]) == ("stdin", None, None)
    assert form["content_sha"] == content_sha(form) != function_row(blobs)["content_sha"]


def test_each_form_has_its_own_prompt() -> None:
    blobs = Memory()
    row = function_row(blobs)
    form = stdin_form(row, blobs).row
    prompts = [build_prompt(r["statement"], r["io_mode"], r["starter_code"]) for r in (row, form)]
    assert ["standard input" in prompt for prompt in prompts] == [False, True]
    assert ["def pick" in prompt for prompt in prompts] == [True, False]


def test_tests_and_references_are_those_of_standard_input() -> None:
    blobs = Memory()
    row = function_row(blobs)
    form = stdin_form(row, blobs)
    blobs.put_many(form.blobs)
    first, second = form.row["tests"]
    assert (blobs[first["input_sha"]], blobs[first["expected_sha"]]) == (b'[1, 2]\n"a b\\n"\n1.5\n', b"[[1]]\n")
    assert blobs[second["input_sha"]] == b'[]\n"\\u00e9"\nnull\n'
    assert [reference["label"] for reference in form.row["references"]] == ["accepted", "wrong_answer"]
    accepted = form.row["references"][0]["code"]
    assert accepted == program(form.row["driver"], PICK) and PICK in accepted
    compile(accepted, "reference", "exec")


@pytest.mark.parametrize(
    ("tests", "fields"),
    [
        (TESTS, {"starter_code": "class Solution:\n    def pick(self, *nums):\n"}),
        ([(b"[1, 2]", b"[]")], {}),
        ([(b"1", b"[]")], {}),
        ([(b"[1, 2, 3", b"[]")], {}),
    ],
)
def test_what_has_no_stdin_form_says_why(tests: list[tuple[bytes, bytes]], fields: dict[str, Any]) -> None:
    blobs = Memory()
    with pytest.raises(NoStdinForm, match=r"arguments|starter code"):
        stdin_form(function_row(blobs, tests, **fields), blobs)


def test_a_sample_that_is_no_literal_is_left_out() -> None:
    blobs = Memory()
    sample = {"input": "see the picture", "output": "1", "explanation": None}
    assert stdin_form(function_row(blobs, samples=[sample]), blobs).row["samples"] == []


ECHO = "class Solution:\n    def echo(self, value):\n        return value"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_any_value_is_one_line_and_comes_back(value: Any) -> None:
    blobs = Memory()
    starter = "class Solution:\n    def echo(self, value: Any) -> Any:\n"
    tests = [(json.dumps([value]).encode(), json.dumps(value).encode())]
    row = function_row(blobs, tests, entry_point="echo", starter_code=starter, samples=[])
    form = stdin_form(row, blobs)
    line, expected = form.blobs
    assert line.count(b"\n") == 1 and json.loads(line) == value == json.loads(expected)


HEAD = "class Solution:\n    def pick(self, nums: List[int], word, limit):\n        "
SOLUTIONS = [
    (PICK, Verdict.AC),
    (f"from __future__ import annotations\n{PICK}", Verdict.AC),
    (f"{HEAD}return deque([n] for n in nums if n < 2)", Verdict.AC),
    (f"{HEAD}return tuple((n,) for n in nums[:1])", Verdict.AC),
    (f"{HEAD}return [[1.0] for n in nums[:1]]", Verdict.WA),
    (f"{HEAD}print('thinking')\n        return [[n] for n in nums[:1]]", Verdict.AC),
    (f"{HEAD}return []", Verdict.WA),
    (f"{HEAD}raise KeyError", Verdict.RE),
]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge(workers=2) as running:
        yield running


def verdicts(judge: Judge, row: dict[str, Any], blobs: Memory, code: str) -> list[Verdict]:
    """Of the code as a function, and with the driver over standard input."""
    form = stdin_form(row, blobs)
    blobs.put_many(form.blobs)
    wrapped = program(form.row["driver"], code)
    pairs = [(code, judge_problem(row, blobs, SETTINGS)), (wrapped, judge_problem(form.row, blobs, SETTINGS))]
    return [result.verdict for result in judge.evaluate_many([Submission(*pair) for pair in pairs])]


@pytest.mark.parametrize(("code", "verdict"), SOLUTIONS)
def test_both_forms_give_the_same_verdict(judge: Judge, code: str, verdict: Verdict) -> None:
    blobs = Memory()
    assert verdicts(judge, function_row(blobs), blobs, code) == [verdict, verdict]


def test_a_function_outside_a_class_is_called_too(judge: Judge) -> None:
    assert "\n    print(json.dumps(add(*values)" in make_driver("add", "def add(a, b):\n")
    blobs = Memory()
    starter = "def add(a: int, b: int) -> int:\n"
    row = function_row(blobs, [(b"[1, 2]", b"3")], entry_point="add", starter_code=starter, samples=[], checker=None)
    row["checker"] = Checker("value").to_json()
    assert verdicts(judge, row, blobs, "def add(a, b):\n    return a + b") == [Verdict.AC, Verdict.AC]


@pytest.mark.data
def test_real_references_pass_in_both_forms(judge: Judge, data_dir: Path) -> None:
    source = open_source(SourceSpec("leetcode", data_dir / "leetcode-doocs"))
    functions = (r for r in source.records() if isinstance(r, ScrapedProblem) and r.io_mode == "function")
    agreed = []
    for problem in islice(functions, 0, None, 60):
        named = {name: getattr(problem, name) for name in SCRAPED if hasattr(problem, name)}
        lists: dict[str, Any] = {name: [] for name in ("samples", "tests", "references", "ratings")}
        outcome = normalize_row(dict.fromkeys(SCRAPED) | named | lists | {"checker": None}, {})
        if isinstance(outcome, NormalizedProblem) and outcome.row["tests"] and outcome.row["checker"]:
            blobs = Memory()
            blobs.put_many(outcome.blobs)
            agreed.append(verdicts(judge, outcome.row, blobs, problem.references[0].code))
    assert len(agreed) >= 40
    assert agreed.count([Verdict.AC, Verdict.AC]) >= len(agreed) - 1
    assert all(one == other for one, other in agreed)
