"""The JSONL form: what a line may say, what is refused and in which words, and that nothing else comes of any bytes."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from microcoder_judge import Checker, Limits, Problem, RecordError, Result, Submission, Test, TestResult, Verdict
from microcoder_judge.records import Protocol
from microcoder_judge.wire import (
    CHECKER_KEYS,
    KEYS,
    BadLine,
    read_line,
    read_submission,
    write_failure,
    write_result,
    write_submission,
)

SMALL: dict[str, Any] = {"id": "a", "code": "print(1)", "tests": [{"input": "1\n", "output": "2"}]}
CALL: dict[str, Any] = {
    "id": "f", "code": "def f(a): return a", "io": "function", "entry": "f", "tests": [{"args": [1], "expected": None}],
}  # fmt: skip


def line(record: Any) -> bytes:
    return json.dumps(record).encode()


def reason(data: bytes) -> str:
    with pytest.raises(BadLine) as caught:
        read_submission(data)
    return str(caught.value)


def test_defaults() -> None:
    problem = Problem("a", (Test(b"1\n", b"2", "0"),))
    assert read_submission(line(SMALL)) == Submission("print(1)", problem, "python", "a", True)


def test_null_is_a_key_left_out() -> None:
    optional = dict.fromkeys(set(KEYS) - {"id", "code", "tests"})
    assert read_line(line({**SMALL, **optional})) == read_line(line(SMALL))


def test_every_key() -> None:
    found = read_line(
        line(
            {
                "id": 7,
                "code": {"base64": b64encode("π = 3".encode()).decode()},
                "language": "cpp",
                "io": "stdin",
                "entry": None,
                "tests": [{"input": {"base64": "/wA="}, "output": ""}, {"input": "é", "output": {"base64": ""}}],
                "checker": {
                    "type": "custom",
                    "code": "x",
                    "language": "cpp",
                    "flags": ["a b", "c"],
                    "protocol": "testlib",
                },
                "time_limit_s": 0.5,
                "memory_limit_mb": 64,
                "output_limit_mb": 1,
                "stop_on_fail": False,
                "isolation": "test",
                "preamble": True,
            }
        )
    )
    checker = Checker("custom", program="x", language="cpp", flags=("a b", "c"), protocol="testlib")
    tests = (Test(b"\xff\0", b"", "0"), Test("é".encode(), b"", "1"))
    problem = Problem("7", tests, Limits(0.5, 64, 1), checker, preamble=True)
    assert found.submission == Submission("π = 3", problem, "cpp", "7", False)
    assert (found.id, found.isolation) == (7, "test")


def test_function_problems() -> None:
    tests = [{"args": [[3, 1.5], "\ud800", {"k": None}], "expected": True}]
    problem = read_submission(line({**CALL, "entry": "Solution.f", "tests": tests})).problem
    assert (problem.io_mode, problem.entry_point, problem.checker) == ("function", "Solution.f", None)
    assert problem.tests == (Test(b'[[3,1.5],"\\ud800",{"k":null}]', b"true", "0"),)


@pytest.mark.parametrize(
    ("raw", "checker"),
    [
        ({"type": "tokens"}, Checker("tokens")),
        ({"type": "tokens", "case_sensitive": False}, Checker("tokens", case_sensitive=False)),
        ({"type": "tokens_float", "abs": 1e-6, "rel": 0}, Checker("tokens_float", abs_tol=1e-6, rel_tol=0.0)),
        ({"type": "lines"}, Checker("lines")),
        ({"type": "yesno"}, Checker("yesno")),
        ({"type": "unordered_lines"}, Checker("unordered_lines")),
        ({"type": "unordered_tokens"}, Checker("unordered_tokens")),
        ({"type": "custom", "code": "x", "flags": []}, Checker("custom", program="x")),
    ],
)
def test_checkers(raw: dict[str, Any], checker: Checker) -> None:
    assert read_submission(line({**SMALL, "checker": raw})).problem.checker == checker


@pytest.mark.parametrize(
    ("raw", "checker"),
    [({"type": "value", "abs": 1}, Checker("value", abs_tol=1.0)), ({"type": "unordered"}, Checker("unordered"))],
)
def test_checkers_of_values(raw: dict[str, Any], checker: Checker) -> None:
    assert read_submission(line({**CALL, "checker": raw})).problem.checker == checker


@pytest.mark.parametrize(
    "data",
    [b"\xef\xbb\xbf" + line(SMALL), line(SMALL) + b"\r\n", b" \t" + line(SMALL)],
)
def test_byte_order_mark_and_line_ends(data: bytes) -> None:
    assert read_submission(data) == read_submission(line(SMALL))


@pytest.mark.parametrize("code", ["\ud800", {"base64": "/w=="}])
def test_code_that_no_file_holds_is_left_to_the_judge(code: Any) -> None:
    with pytest.raises(UnicodeEncodeError):
        read_submission(line({**SMALL, "code": code})).code.encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not JSON: Expecting value at character 1"),
        (b'{"id": 1,}', "not JSON: "),
        (b'{"id": "\xff"}', "not UTF-8 from byte 9"),
        (line(SMALL).decode().encode("utf-16"), "not UTF-8 from byte 1"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
        (b'{"id": ' + b"1" * 5000 + b"}", "digits"),
        (b'{"id": NaN}', "NaN is not JSON"),
        (b'{"id": -Infinity}', "-Infinity is not JSON"),
        (b"[1]", "a line must be an object, got a list of 1"),
        (b"null", "a line must be an object, got null"),
        (b'{"id": "a", "id": "b"}', "holds the key 'id' twice"),
        (line({"code": "", "tests": []}), "id is missing; it must be text or a whole number"),
    ],
)
def test_what_is_no_line(data: bytes, words: str) -> None:
    assert words in reason(data)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": True}, "id must be text or a whole number, got true"),
        ({"id": 1.5}, "id must be text or a whole number, got 1.5"),
        ({"code": None}, "code is missing"),
        ({"code": 5}, 'code must be text or {"base64": "..."}, got 5'),
        ({"code": {"base64": "?"}}, "code is not base64"),
        ({"code": {"base64": "é"}}, "code is not base64"),
        ({"code": {"base64": 5}}, "code must be text"),
        ({"code": {"base64": "", "more": 1}}, "code must be text"),
        ({"lang": "python"}, "unknown key 'lang'; it takes id, code, "),
        ({"language": 5}, "language must be text, got 5"),
        ({"io": 5}, "io must be one of stdin, function, got 5"),
        ({"io": ""}, "io must be one of stdin, function, got ''"),
        ({"tests": None}, "tests is missing; it must be a list of tests"),
        ({"tests": []}, "tests is empty"),
        ({"tests": {"input": "", "output": ""}}, "tests must be a list of tests, got an object of 2"),
        ({"tests": [5]}, "tests[0] must be an object, got 5"),
        ({"tests": [{"input": ""}]}, "tests[0].output is missing"),
        ({"tests": [{"input": "", "output": "\ud800"}]}, "tests[0].output holds a lone surrogate; write such text as"),
        ({"tests": [{"input": "", "output": "", "x": 1}]}, "unknown key 'x' in tests[0]; it takes input, output"),
        ({"tests": [{"args": [], "expected": 1}]}, "unknown key 'args' in tests[0]; it takes input, output"),
        ({"entry": "f"}, 'entry is for function problems; set "io": "function"'),
        ({"checker": "tokens"}, "checker must be an object such as"),
        ({"checker": {}}, "checker.type is missing; one of tokens, "),
        ({"checker": {"type": "guess"}}, "checker.type must be one of tokens, "),
        ({"checker": {"type": "tokens", "abs": 1}}, "unknown key 'abs' in checker tokens; it takes type, case_sens"),
        ({"checker": {"type": "tokens", "case_sensitive": 1}}, "checker tokens.case_sensitive must be true or false"),
        ({"checker": {"type": "tokens_float"}}, "checker tokens_float needs abs or rel"),
        ({"checker": {"type": "tokens_float", "abs": "1"}}, "checker tokens_float.abs must be a number from 0"),
        ({"checker": {"type": "tokens_float", "abs": True}}, "checker tokens_float.abs must be a number from 0"),
        ({"checker": {"type": "tokens_float", "rel": -1}}, "checker tokens_float.rel must be a number from 0"),
        ({"checker": {"type": "tokens_float", "rel": 10**400}}, "checker tokens_float.rel must be a number from 0"),
        ({"checker": {"type": "custom"}}, "checker custom.code is missing"),
        ({"checker": {"type": "custom", "code": "", "flags": "a"}}, "checker custom.flags must be a list of texts"),
        ({"checker": {"type": "custom", "code": "", "flags": ["\0"]}}, "checker custom.flags must be a list of texts"),
        ({"checker": {"type": "custom", "code": "", "protocol": "x"}}, "protocol must be one of kattis, testlib"),
        ({"time_limit_s": 0}, "time_limit_s must be a number above 0 and at most 86,400, got 0"),
        ({"time_limit_s": -1.5}, "time_limit_s must be a number above 0"),
        ({"time_limit_s": 1e12}, "time_limit_s must be a number above 0"),
        ({"time_limit_s": True}, "time_limit_s must be a number above 0"),
        ({"time_limit_s": "2"}, "time_limit_s must be a number above 0"),
        ({"memory_limit_mb": 1.5}, "memory_limit_mb must be a whole number above 0 and at most 1,048,576, got 1.5"),
        ({"memory_limit_mb": 10**4000}, "memory_limit_mb must be a whole number"),
        ({"output_limit_mb": -(10**30)}, "output_limit_mb must be a whole number"),
        ({"stop_on_fail": 1}, "stop_on_fail must be true or false, got 1"),
        ({"isolation": "none"}, "isolation must be one of batch, test, got 'none'"),
        ({"preamble": "yes"}, "preamble must be true or false, got 'yes'"),
    ],
)
def test_what_is_refused(change: dict[str, Any], words: str) -> None:
    assert words in reason(line({**SMALL, **change}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"entry": None}, "entry is missing; it must be a function's name"),
        ({"entry": "a b"}, "entry must be a function's name, as f or Solution.f, got 'a b'"),
        ({"entry": "Other.f"}, "entry must be a function's name"),
        ({"checker": {"type": "tokens"}}, "checker tokens does not fit io function"),
        ({"tests": [{"input": "", "output": ""}]}, "unknown key 'input' in tests[0]; it takes args, expected"),
        ({"tests": [{"args": {}, "expected": 1}]}, "tests[0].args must be a list of arguments, got an object of 0"),
        ({"tests": [{"args": []}]}, "tests[0].expected is missing"),
    ],
)
def test_what_is_refused_of_functions(change: dict[str, Any], words: str) -> None:
    assert words in reason(line({**CALL, **change}))


def test_numbers_beyond_a_double_in_arguments() -> None:
    data = line(CALL).replace(b'"args": [1]', b'"args": [1e999]')
    assert reason(data) == "tests[0].args holds a number beyond a double"


def test_a_wrong_limit_of_infinite_size() -> None:
    assert "must be a number above 0" in reason(line(SMALL)[:-1] + b', "time_limit_s": 1e999}')


@pytest.mark.parametrize("io", ["interactive", "multi-pass", "telnet"])
def test_unsupported_is_said_whatever_else_the_line_holds(io: str) -> None:
    assert reason(line({"id": "a", "io": io, "interactor": "x"})).startswith(f"unsupported: io '{io}'")


def test_a_refusal_is_short_and_carries_the_id() -> None:
    with pytest.raises(RecordError) as caught:
        read_line(line({**SMALL, "id": "a" * 5, "language": ["x"] * 10_000, "k" * 10_000: 1}))
    assert isinstance(caught.value, BadLine)
    assert caught.value.id == "aaaaa"
    assert len(str(caught.value)) < 400 and "\n" not in str(caught.value)


def test_results() -> None:
    tests = (TestResult("0", Verdict.AC, 0.25, 0.5, 9.0), TestResult("3", Verdict.WA, 0.1234567, 1, 8.25, "no"))
    result = Result("p", Verdict.WA, 1, 5, tests, "test 3: no", "namespaces", True, False, "a")
    assert json.loads(json.dumps(write_result(result))) == {
        "id": "a",
        "verdict": "WA",
        "passed": 1,
        "total": 5,
        "tests": [
            {"verdict": "AC", "cpu_s": 0.25, "wall_s": 0.5, "memory_mb": 9.0, "test": 0},
            {"verdict": "WA", "cpu_s": 0.123457, "wall_s": 1, "memory_mb": 8.25, "test": 3},
        ],
        "reason": "test 3: no",
        "sandbox": "namespaces",
        "tolerance_assumed": True,
        "cached": False,
    }
    whole = write_result(replace(result, total=2), 7)
    assert (whole["id"], [set(test) for test in whole["tests"]]) == (
        7,
        [{"verdict", "cpu_s", "wall_s", "memory_mb"}] * 2,
    )
    failure = write_failure(None, "line 3: no")
    assert set(failure) == set(whole)
    assert (failure["id"], failure["verdict"], failure["reason"], failure["total"]) == (None, "IE", "line 3: no", 0)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
any_text = st.text('ab\n\0é\U0001f600\ud800"\\', max_size=20)
tolerances = st.none() | st.floats(0, 1)


@st.composite
def checkers(draw: st.DrawFn, function: bool) -> Checker | None:
    names = [name for name in CHECKER_KEYS if not function or name in ("value", "unordered")]
    name = draw(st.none() | st.sampled_from(names))
    if name is None:
        return None
    if name == "custom":
        flags = draw(st.lists(st.sampled_from(["a", "float_tolerance 1e-6", "é", ""]), max_size=2))
        protocol: Protocol | None = draw(st.sampled_from([None, "kattis", "testlib"]))
        return Checker(name, program=draw(any_text), language="cpp", flags=tuple(flags), protocol=protocol)
    absolute, relative = draw(tolerances), draw(tolerances)
    if name == "tokens_float" and absolute is relative is None:
        absolute = 0.5
    takes = CHECKER_KEYS[name]
    return Checker(
        name,
        abs_tol=absolute if "abs" in takes else None,
        rel_tol=relative if "rel" in takes else None,
        case_sensitive=draw(st.booleans()) if "case_sensitive" in takes else True,
    )


def as_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@st.composite
def submissions(draw: st.DrawFn) -> Submission:
    function = draw(st.booleans())
    if function:
        part = st.lists(plain, max_size=3), plain
        pairs = [[as_json(value) for value in pair] for pair in draw(st.lists(st.tuples(*part), min_size=1))]
    else:
        pairs = [list(pair) for pair in draw(st.lists(st.tuples(st.binary(), st.binary()), min_size=1))]
    tests = [Test(data, expected, str(n)) for n, (data, expected) in enumerate(pairs)]
    id = draw(any_text)
    limits = Limits(draw(st.floats(0.001, 100)), draw(st.integers(1, 9999)), draw(st.integers(1, 99)))
    entry = draw(st.sampled_from(["f", "Solution.f", "größe"])) if function else None
    checker, preamble = draw(checkers(function)), draw(st.booleans())
    problem = Problem(id, tuple(tests), limits, checker, "function" if function else "stdin", entry, preamble)
    return Submission(draw(any_text), problem, draw(st.sampled_from(["python", "cpp"])), id, draw(st.booleans()))


@given(submissions(), st.sampled_from([None, "batch", "test"]))
def test_what_is_written_is_read_again(submission: Submission, isolation: Any) -> None:
    found = read_line(line(write_submission(submission, isolation)))
    assert (found.submission, found.isolation, found.id) == (submission, isolation, submission.id)


def read_or_refuse(data: bytes) -> None:
    try:
        found = read_line(data)
    except BadLine as error:
        assert str(error) and len(str(error)) < 400
        json.dumps(error.id)
    else:
        assert isinstance(found.submission, Submission)


@given(st.binary())
@example(b"\xef\xbb\xbf\xef\xbb\xbf{}")
@example(b'{"id": "\\ud800", "code": "", "tests": [[]]}')
@example(b'{"id": "a", "code": "", "tests": [{"args": [], "expected": ' + b"[" * 500 + b"]" * 500 + b"}]}")
def test_any_bytes(data: bytes) -> None:
    read_or_refuse(data)


@settings(max_examples=300)
@given(st.data())
def test_any_json_under_the_known_keys(data: st.DataObject) -> None:
    value = plain | st.sampled_from([-1, 1e999, 10**4299, "\ud800", {"base64": "/w=="}, {"type": "tokens"}])
    record = {**data.draw(st.sampled_from([SMALL, CALL]))}
    record |= data.draw(st.dictionaries(st.sampled_from(KEYS), value, max_size=4))
    if data.draw(st.booleans()):
        keys = st.sampled_from(["type", "abs", "rel", "case_sensitive", "code", "flags", "language", "protocol", "x"])
        names = st.sampled_from([*CHECKER_KEYS, "x", None])
        record["checker"] = {**data.draw(st.dictionaries(keys, value, max_size=4)), "type": data.draw(names)}
    if data.draw(st.booleans()):
        keys = st.sampled_from(["input", "output", "args", "expected", "x"])
        record["tests"] = [data.draw(st.dictionaries(keys, value, max_size=3))]
    read_or_refuse(line(record))
