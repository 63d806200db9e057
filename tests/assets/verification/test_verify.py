"""Verification runs real programs: what it keeps is proven, what it drops says which program showed it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rows import DOUBLE, frame, selected, unique_row

from microcoder_assets.config import VerificationSettings
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_assets.store import Blobs, Packs
from microcoder_assets.verification.verify import verify
from microcoder_judge import Checker

SETTINGS = VerificationSettings(workers=2)  # type: ignore[call-arg]
ADD = "print(int(input()) + 2)"
SLOW = "while True: pass"

CASES = {
    "a:right": ({"accepted": [DOUBLE], "wrong_answer": [ADD]}, "ok"),
    "a:bad-reference": ({"accepted": [ADD]}, "reference_failed"),
    "a:crashing-reference": ({"accepted": ["print(undefined)"]}, "reference_failed"),
    "a:two-answers": ({"accepted": [DOUBLE, ADD]}, "references_disagree"),
    "a:weak-tests": ({"accepted": [DOUBLE], "wrong_answer": ["print(2 * int(input()))"]}, "wrong_accepted"),
    "a:slow-is-not-run": ({"accepted": [DOUBLE], "time_limit_exceeded": [SLOW]}, "ok"),
}


def run(tmp_path: Path, cases: dict[str, tuple[dict[str, list[str]], str]] = CASES) -> StageResult:
    blobs = Blobs(tmp_path / "blobs")
    problems = frame([unique_row(blobs, name, references=references) for name, (references, _) in cases.items()])
    return verify(selected(problems), problems, blobs, Packs(tmp_path / "verdicts"), SETTINGS)


def test_each_outcome_has_its_reason(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert {d.problem_id: d.reason for d in result.decisions} == {name: reason for name, (_, reason) in CASES.items()}
    assert result.accounted() is None
    assert result.frame["problem_id"].to_list() == ["a:right", "a:slow-is-not-run"]
    right = result.frame.row(0, named=True)
    assert (right["references_run"], right["wrong_run"], right["wrong_rejected"], right["tests_run"]) == (1, 1, 1, 2)
    assert right["verified_references"] == ["accepted/0.py"]


def test_the_detail_names_the_program_that_showed_it(tmp_path: Path) -> None:
    details = {d.problem_id: d.detail for d in run(tmp_path).decisions}
    assert details["a:weak-tests"]["slipped"] == ["wrong_answer/0.py"]
    assert details["a:two-answers"]["verdicts"] == {"accepted/0.py": "AC", "accepted/1.py": "WA"}
    assert "undefined" in details["a:crashing-reference"]["message"]


def test_what_was_judged_once_is_not_judged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(tmp_path)

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a program was judged")

    monkeypatch.setattr("microcoder_judge.Judge.evaluate_many", refuse)
    again = run(tmp_path)
    assert again.decisions == first.decisions
    assert again.frame.equals(first.frame)
    with pytest.raises(AssertionError, match="a program was judged"):
        run(tmp_path, {"a:right": ({"accepted": [DOUBLE + " # changed"]}, "ok")})


@pytest.mark.parametrize(("on_every_test", "by_the_second"), [(3, [0, 1, 2]), (2, [0, 1])])
def test_every_test_that_rejects_a_wrong_submission_is_known(
    tmp_path: Path, on_every_test: int, by_the_second: list[int]
) -> None:
    wrong = ["print(4)", "n = int(input()); print(2 * n if n > 0 else 1 // 0)", "print(0)"]
    blobs = Blobs(tmp_path / "blobs")
    problems = frame([unique_row(blobs, "a:x", references={"accepted": [DOUBLE], "wrong_answer": wrong})])
    settings = VerificationSettings(complete_above=1, complete_wrong=on_every_test, mutants=0)  # type: ignore[call-arg]
    row = verify(selected(problems), problems, blobs, Packs(tmp_path / "verdicts"), settings).frame.row(0, named=True)
    assert row["kills"] == [
        {"test": "0", "submissions": ["wrong_answer/2.py"]},
        {"test": "1", "submissions": [f"wrong_answer/{n}.py" for n in by_the_second]},
    ]


def test_a_test_that_a_wrong_submission_is_too_slow_for_rejects_it(tmp_path: Path) -> None:
    slow = "n = int(input())\nwhile n < 0: pass\nprint(2 * n)"
    blobs = Blobs(tmp_path / "blobs")
    problems = frame([unique_row(blobs, "a:x", references={"accepted": [DOUBLE], "rejected": [slow]})])
    settings = VerificationSettings(complete_above=1, mutants=0, time_limit_factor=1.0)  # type: ignore[call-arg]
    row = verify(selected(problems), problems, blobs, Packs(tmp_path / "verdicts"), settings).frame.row(0, named=True)
    assert row["kills"] == [{"test": "1", "submissions": ["rejected/0.py"]}]


def test_a_declared_checker_decides(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    close = {"accepted": ["print(int(input()) / 3)"]}
    tests = [(b"1\n", b"0.333333\n"), (b"2\n", b"0.666667\n")]
    loose = Checker("tokens_float", abs_tol=1e-5).to_json()
    tight = Checker("tokens_float", abs_tol=1e-9).to_json()
    problems = frame(
        [
            unique_row(blobs, "a:loose", tests, close, checker=loose),
            unique_row(blobs, "a:tight", tests, close, checker=tight),
        ]
    )
    result = verify(selected(problems), problems, blobs, Packs(tmp_path / "verdicts"), SETTINGS)
    assert [d.reason for d in result.decisions] == ["ok", "reference_failed"]


@pytest.mark.parametrize("fields", [{"time_limit_s": 3e6}, {"io_mode": "function"}, {"tests": []}])
def test_a_problem_that_the_judge_cannot_take_is_dropped_alone(tmp_path: Path, fields: dict[str, Any]) -> None:
    blobs = Blobs(tmp_path / "blobs")
    problems = frame([unique_row(blobs, "a:bad", **fields), unique_row(blobs, "a:good")])
    bad, good = verify(selected(problems), problems, blobs, Packs(tmp_path / "verdicts"), SETTINGS).decisions
    assert (bad.kind, bad.reason, good.reason) == (Kind.DROPPED, "reference_failed", "ok")
    assert set(bad.detail) == {"error"} and bad.detail["error"]


def test_nothing_selected_is_nothing_verified(tmp_path: Path) -> None:
    result = run(tmp_path, {})
    assert result.frame.is_empty() and result.decisions == []


TESTLIB = """
#include <cstdlib>
#include <fstream>
enum Verdict { _ok, _wa };
struct Stream { std::ifstream file; int readInt() { int value; file >> value; return value; } };
static Stream inf, ouf, ans;
inline void registerTestlibCmd(int, char** argv) {
    inf.file.open(argv[1]);
    ouf.file.open(argv[2]);
    ans.file.open(argv[3]);
}
inline void quitf(Verdict verdict, const char*) { std::exit(verdict); }
"""
CHECKER = """
#include "testlib.h"
int main(int argc, char* argv[]) {
    registerTestlibCmd(argc, argv);
    quitf(std::abs(ouf.readInt()) == std::abs(ans.readInt()) ? _ok : _wa, "compared");
}
"""


@pytest.fixture
def headers() -> Iterator[Path]:
    """A folder that the sandbox can show, which it cannot of those below /tmp."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_checker_over_testlib_needs_the_folder_of_its_header(tmp_path: Path, headers: Path) -> None:
    """The header is a stand-in of a few lines: testlib itself is the user's to get."""
    blobs = Blobs(tmp_path / "blobs")
    references = {"accepted": ["print(-2 * int(input()))"], "wrong_answer": [ADD]}
    checker = Checker("custom", program=CHECKER, language="cpp", protocol="testlib").to_json()
    problems = frame([unique_row(blobs, "a:any-sign", [(b"3\n", b"6\n")], references, checker=checker)])

    def decide(folder: Path | None) -> Decision:
        settings = VerificationSettings(workers=2, headers=folder)  # type: ignore[call-arg]
        (decision,) = verify(selected(problems), problems, blobs, Packs(tmp_path / "verdicts"), settings).decisions
        return decision

    for folder in (None, headers):
        lacking = decide(folder)
        assert (lacking.kind, lacking.reason) == (Kind.DROPPED, "unsupported_checker")
        assert "set [verification] headers" in lacking.detail["error"]
    (headers / "testlib.h").write_text(TESTLIB)
    assert decide(headers).detail["verdicts"] == {"accepted/0.py": "AC", "wrong_answer/0.py": "WA"}
