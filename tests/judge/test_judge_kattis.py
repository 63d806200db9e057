"""Kattis packages: what is read of them, what is refused, and the matrix of submissions against labels."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from microcoder_judge import Judge, Verdict
from microcoder_judge.kattis import Report, judge_package
from microcoder_judge.kattis_package import FAILING, Labelled, Package, read_package
from microcoder_judge.package_files import PackageError
from microcoder_judge.yaml_subset import YamlError, read_mapping

CHECKOUT = Path(__file__).resolve().parents[2]

DOUBLE = {
    "problem.yaml": "name: Double\nlimits:\n  time_limit: 1\n",
    "data/sample/1.in": "2\n",
    "data/sample/1.ans": "4\n",
    "data/secret/big/2.in": "50\n",
    "data/secret/big/2.ans": "100\n",
}
RIGHT = "print(2 * int(input()))\n"


def folder(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def archive(path: Path, files: dict[str, str], links: dict[str, str] | None = None) -> Path:
    with tarfile.open(path, "w:xz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return path


def read(root: Path, files: dict[str, str]) -> Package:
    return read_package(folder(root, {**DOUBLE, **files}))


def submission(root: Path, name: str, code: str = RIGHT, **files: str) -> Labelled:
    return next(s for s in read(root, {f"submissions/{name}": code, **files}).submissions)


def command(*arguments: str) -> tuple[int, str, str]:
    call = [sys.executable, "-m", "microcoder_judge", "kattis", "--workers", "1", *arguments]
    done = subprocess.run(call, capture_output=True, text=True, cwd=CHECKOUT, timeout=60)
    return done.returncode, done.stdout, done.stderr


# --- what is read


def test_tests_limits_and_checker(tmp_path: Path) -> None:
    package = read(tmp_path, {"problem.yaml": "name: 'Twice'  # a comment\nlimits:\n  memory: 64\n"})
    assert [(t.name, t.input, t.expected) for t in package.tests] == [
        ("sample/1", b"2\n", b"4\n"),
        ("secret/big/2", b"50\n", b"100\n"),
    ]
    assert (package.title, package.time_limit_s, package.time_multiplier) == ("Twice", None, 5.0)
    problem = package.problem(1.5)
    assert (problem.limits.time_s, problem.limits.memory_mb, problem.limits.output_mb) == (1.5, 64, 8)
    assert (problem.rule.name, problem.rule.case_sensitive) == ("tokens", False)


def test_the_newer_format(tmp_path: Path) -> None:
    text = """\
problem_format_version: 2023-07
name:
  en: Twice
type: [pass-fail]
limits:
  time_multipliers:
    ac_to_time_limit: 3.5
  output: 2
"""
    package = read(tmp_path, {"problem.yaml": text, "data/test_group.yaml": "output_validator_args: [case_sensitive]"})
    assert (package.title, package.time_multiplier, package.output_mb) == ("Twice", 3.5, 2)
    assert package.checker.case_sensitive


def test_validator_flags_of_the_package_and_of_its_groups(tmp_path: Path) -> None:
    files = {
        "problem.yaml": "validator_flags: case_sensitive",
        "data/testdata.yaml": "output_validator_flags: float_tolerance 1e-3",
    }
    checker = read(tmp_path, files).checker
    assert (checker.name, checker.abs_tol, checker.rel_tol, checker.case_sensitive) == (
        "tokens_float",
        1e-3,
        1e-3,
        True,
    )
    other = {"data/secret/big/testdata.yaml": "output_validator_flags: float_tolerance 1e-9"}
    assert read(tmp_path, {**files, **other}).unsupported == "validator flags that differ between test groups"


def test_a_validator_of_several_files_becomes_one(tmp_path: Path) -> None:
    files = {
        "problem.yaml": "problem_format_version: 2025-09\nconstants:\n  LIMIT: 7\n  WORD:\n    b: '\"x\"'\n",
        "output_validator/main.cpp": '#include <vector>\n#include "lib/a.h"\n#include "lib/a.h"\n#include "testlib.h"\n'
        "int limit = {{LIMIT}}; auto word = {{WORD.b}}; int pair[1][1] = {{OTHER}};\n",
        "output_validator/lib/a.h": '#pragma once\n#include "b.h"\nint a;\n',
        "output_validator/lib/b.h": '#include "a.h"\nint b;\n',
        "output_validator/more.cpp": "int more;\n",
    }
    checker = read(tmp_path, files).checker
    assert (checker.name, checker.language, checker.protocol) == ("custom", "cpp", "kattis")
    assert checker.program is not None
    assert [line for line in checker.program.splitlines() if line] == [
        "#include <vector>",
        "int b;",
        "int a;",
        '#include "testlib.h"',
        'int limit = 7; auto word = "x"; int pair[1][1] = {{OTHER}};',
        "int more;",
    ]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: 1\na: 2", 2, "twice"),
        ("a: 1\n\tb: 2", 2, "tab"),
        ("limits: {memory: 5}", 1, "limits must be a mapping"),
        ("validation: |\n  custom", 1, "validation must be one value"),
        ("limits:\n  memory: many", 2, "memory must be a number"),
        ("- a", 1, "expected `key: value`"),
    ],
)
def test_yaml_that_is_not_read_is_refused_by_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    with pytest.raises(PackageError, match=f"problem.yaml: line {line}: .*{reason}"):
        read(tmp_path, {"problem.yaml": text})


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"problem.yaml": "validation: custom interactive"}, "interactive"),
        ({"problem.yaml": "problem_format_version: 2025-09\ntype:\n- multi-pass\n"}, "multi-pass"),
        ({"problem.yaml": "validation: custom score"}, "scores given by the validator"),
        ({"problem.yaml": "validation: custom"}, "a custom validator that the package lacks"),
        (
            {"problem.yaml": "validation: custom", "output_validators/v/V.java": ""},
            "a validator that is not one program in Python or C++",
        ),
        (
            {"problem.yaml": "validation: custom", "output_validators/a/a.py": "", "output_validators/b/b.py": ""},
            "a validator of several Python files",
        ),
        ({"data/secret/big/2.args": "-n"}, "tests with command line arguments"),
    ],
)
def test_what_this_judge_cannot_judge_is_unsupported(tmp_path: Path, files: dict[str, str], reason: str) -> None:
    assert read(tmp_path, files).unsupported == reason


def test_labels_and_what_overrules_them(tmp_path: Path) -> None:
    assert submission(tmp_path / "a", "accepted/a.py").permitted == {Verdict.AC}
    assert submission(tmp_path / "b", "rejected/a.cc").permitted == FAILING
    assert submission(tmp_path / "c", "mine/a.py").not_run == "no label"
    assert submission(tmp_path / "d", "accepted/A.java").not_run == "language"
    assert submission(tmp_path / "e", "accepted/a.py", "#!/usr/bin/env python2\n").not_run == "language"
    noted = submission(tmp_path / "f", "mixed/a.cc", "/* @EXPECTED_RESULTS@: CORRECT, TIMELIMIT, RUN-ERROR */")
    assert noted.permitted == {Verdict.AC, Verdict.TLE, Verdict.RE}
    rules = {"submissions/submissions.yaml": "accepted:\n  permitted: [AC, WA]\n'accepted/{b,a}*':\n  required: [WA]\n"}
    assert submission(tmp_path / "g", "accepted/a.py", **rules).permitted == {Verdict.WA}
    assert submission(tmp_path / "h", "accepted/c.py", **rules).permitted == {Verdict.AC, Verdict.WA}


def test_a_label_promises_ac_or_a_failure() -> None:
    wrong = Labelled("wrong_answer/a.py", "wrong_answer", frozenset({Verdict.WA}))
    assert wrong.fits(Verdict.TLE) and not wrong.fits(Verdict.AC) and not wrong.fits(Verdict.IE)
    right = Labelled("accepted/a.py", "accepted", frozenset({Verdict.AC}))
    assert right.fits(Verdict.AC) and not right.fits(Verdict.WA)


# --- archives


def test_links_are_followed_inside_an_archive(tmp_path: Path) -> None:
    files = {f"double/{name}": text for name, text in DOUBLE.items()}
    links = {
        "double/data/secret/g1/7.in": "../big/2.in",
        "double/data/secret/g1/7.ans": "../../secret/big/2.ans",
        "double/data/secret/g2": "../sample",
        "double/submissions/accepted/a.py": "../../data/secret/g2/1.in",
    }
    package = read_package(archive(tmp_path / "double.tar.xz", files, links))
    assert package.name == "double"
    assert [test.name for test in package.tests] == ["sample/1", "secret/big/2"]
    assert [s.code for s in package.submissions] == ["2\n"]


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ({"p/data/secret/1.in": "/etc/hostname"}, "outside the package"),
        ({"p/data/secret/1.in": "../../../../etc/hostname"}, "outside the package"),
        ({"p/data/secret/1.in": "2.in"}, "which is not there"),
        ({"p/data/secret/1.in": "2.in", "p/data/secret/2.in": "1.in"}, "which is not there"),
        ({"p/data/secret/again": "../../data"}, "or to itself"),
    ],
)
def test_links_out_of_an_archive_are_refused(tmp_path: Path, links: dict[str, str], message: str) -> None:
    path = archive(tmp_path / "p.tar", {f"p/{name}": text for name, text in DOUBLE.items()}, links)
    with pytest.raises(PackageError, match=message):
        read_package(path)


def test_a_link_out_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("x")
    root = folder(tmp_path / "p", {**DOUBLE, "submissions/accepted/a.py": RIGHT})
    (root / "submissions/accepted/b.py").symlink_to("../../../secret.py")
    with pytest.raises(PackageError, match="outside the package"):
        read_package(root)


def test_names_out_of_an_archive_and_devices_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="leaves the package"):
        read_package(archive(tmp_path / "a.tar", {**DOUBLE, "../evil.py": "x"}))
    with tarfile.open(tmp_path / "b.tar", "w") as tar:
        info = tarfile.TarInfo("p/pipe")
        info.type = tarfile.FIFOTYPE
        tar.addfile(info)
    with pytest.raises(PackageError, match="is a device or a pipe"):
        read_package(tmp_path / "b.tar")


def test_users_mistakes_are_one_line_each_and_do_not_stop_the_rest(tmp_path: Path) -> None:
    broken = archive(tmp_path / "broken.tar.xz", DOUBLE)
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    empty = folder(tmp_path / "empty", {"problem.yaml": "name: x"})
    odd = folder(tmp_path / "odd", {**DOUBLE, "problem.yaml": "name: x\nlimits: &a\n  memory: 5"})
    unanswered = folder(tmp_path / "unanswered", {**DOUBLE, "data/secret/3.in": "1"})
    good = folder(tmp_path / "good", DOUBLE)
    bad = [tmp_path / "absent", tmp_path, broken, empty, odd, unanswered]
    status, out, errors = command(*map(str, bad), str(good))
    assert status == 2
    assert "good: 2 tests" in out
    found = errors.splitlines()
    assert [str(path) in line for path, line in zip(bad, found, strict=True)] == [True] * len(bad)
    reasons = [
        "No such file",
        "no problem.yaml",
        "no readable tar archive",
        "no tests",
        "line 2: limits",
        "no answer file",
    ]
    assert [reason in line for reason, line in zip(reasons, found, strict=True)] == [True] * len(bad)


# --- judging

SUBMISSIONS = {
    "submissions/accepted/right.py": RIGHT,
    "submissions/accepted/small.py": "n = int(input())\nassert n < 50\nprint(2 * n)\n",
    "submissions/wrong_answer/four.py": "print(4)\n",
    "submissions/run_time_error/four.py": "print(4)\n",
    "submissions/rejected/right.py": RIGHT,
    "submissions/accepted/Right.java": "class Right {}\n",
}


def marks(report: Report) -> dict[str, tuple[str, str, str]]:
    return {
        row.submission.path: (row.mark, str(row.result.verdict) if row.result else "-", row.failing_test)
        for row in report.rows
    }


def test_the_matrix(judge: Judge, tmp_path: Path) -> None:
    report = judge_package(judge, read(tmp_path, SUBMISSIONS))
    assert marks(report) == {
        "accepted/Right.java": ("not run", "-", ""),
        "accepted/right.py": ("ok", "AC", ""),
        "accepted/small.py": ("BAD", "RE", "secret/big/2"),
        "rejected/right.py": ("BAD", "AC", ""),
        "run_time_error/four.py": ("ok", "WA", "secret/big/2"),
        "wrong_answer/four.py": ("ok", "WA", "secret/big/2"),
    }
    assert not report.as_labelled
    notes = {row.submission.path: row.note for row in report.rows}
    assert notes["run_time_error/four.py"] == "labelled MLE, RE"
    assert notes["wrong_answer/four.py"] == ""


def test_cut_tests_leave_a_label_open(judge: Judge, tmp_path: Path) -> None:
    report = judge_package(judge, read(tmp_path, SUBMISSIONS), max_tests=1)
    assert report.tests == 1
    assert marks(report)["wrong_answer/four.py"] == ("cut", "AC", "")
    assert marks(report)["accepted/small.py"] == ("ok", "AC", "")
    assert report.as_labelled


def test_a_time_limit_from_the_accepted_submissions(judge: Judge, tmp_path: Path) -> None:
    spin = "import time\nwhile time.process_time() < {}: pass\n" + RIGHT
    files = {
        "problem.yaml": "limits:\n  time_multiplier: 4\n",
        "submissions/accepted/slow.py": spin.format(0.3),
        "submissions/time_limit_exceeded/slower.py": spin.format(30),
    }
    report = judge_package(judge, read(tmp_path, files))
    assert 1.1 < report.time_limit_s < 5
    assert "of accepted/slow.py" in report.time_source
    assert {path: verdict for path, (_, verdict, _) in marks(report).items()} == {
        "accepted/slow.py": "AC",
        "time_limit_exceeded/slower.py": "TLE",
    }


def test_a_custom_validator_decides(judge: Judge, tmp_path: Path) -> None:
    validator = """\
import sys
from pathlib import Path
given, answer, feedback = sys.argv[1:4]
assert Path(feedback).is_dir() and sys.argv[4:] == ["slack", "1"]
sys.exit(42 if abs(int(sys.stdin.read()) - int(Path(answer).read_text())) <= 1 else 43)
"""
    files = {
        "problem.yaml": "validation: custom\nvalidator_flags: slack 1\nlimits:\n  time_limit: 2\n",
        "output_validators/slack/validate.py": validator,
        "submissions/accepted/near.py": "print(2 * int(input()) + 1)\n",
        "submissions/wrong_answer/far.py": "print(2 * int(input()) + 2)\n",
    }
    report = judge_package(judge, read(tmp_path, files))
    assert {path: verdict for path, (_, verdict, _) in marks(report).items()} == {
        "accepted/near.py": "AC",
        "wrong_answer/far.py": "WA",
    }, report.rows


def test_the_command(tmp_path: Path) -> None:
    good = folder(tmp_path / "good", {**DOUBLE, "submissions/accepted/right.py": RIGHT})
    asks = folder(tmp_path / "asks", {**DOUBLE, **SUBMISSIONS, "problem.yaml": "type: interactive"})
    assert command(str(good), str(asks))[0] == 0
    wrong = folder(tmp_path / "wrong", {**DOUBLE, "submissions/wrong_answer/right.py": RIGHT})
    status, out, errors = command("--all-tests", "--time-limit", "1.5", str(wrong))
    assert (status, errors) == (1, "")
    assert "wrong: 2 tests, checker tokens, 1.5 s CPU (given)" in out
    assert [line.split()[:4] for line in out.splitlines()[2:3]] == [
        ["wrong_answer/right.py", "wrong_answer", "AC", "BAD"]
    ]
    status, out, _ = command("--json", str(good), str(asks))
    first, second = map(json.loads, out.splitlines())
    assert (first["as_labelled"], first["submissions"][0]["verdict"], first["time_limit_s"]) == (True, "AC", 1.0)
    assert (second["unsupported"], {row["mark"] for row in second["submissions"]}) == ("interactive", {"not run"})


@pytest.mark.data
def test_every_real_package_is_read(data_dir: Path) -> None:
    folder = data_dir / "kattis-packages"
    manifest = {row["name"]: row for row in json.loads((folder / "manifest.json").read_text())}
    for path in sorted(folder.glob("*.tar.xz")):
        package = read_package(path)
        row = manifest[package.name]
        assert 0 < len(package.tests) <= row["tests"], package.name
        assert ("interactive" in (row["type"] + row["validation"])) == ("interactive" in package.unsupported)
        assert row["submissions"].keys() >= {s.label for s in package.submissions}
        if "scoring" not in row["type"]:
            assert len(package.tests) == row["tests"]
        assert all(s.code for s in package.submissions if not s.not_run)


# --- the small YAML reader

PRINTED = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=8)
SCALAR = st.from_regex(r"[A-Za-z0-9_./+-][A-Za-z0-9_./+: #-]{0,8}", fullmatch=True) | PRINTED
KEY = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
INNER = st.dictionaries(KEY, SCALAR, min_size=1, max_size=3)
DOCUMENT = st.dictionaries(KEY, SCALAR | st.lists(SCALAR, min_size=1, max_size=3) | INNER, min_size=1, max_size=4)


@settings(max_examples=40)
@given(DOCUMENT)
def test_yaml_that_a_yaml_writer_writes(document: dict[str, Any]) -> None:
    mapping = read_mapping(yaml.safe_dump(document, default_flow_style=False, width=10**6, allow_unicode=True))
    for key, value in document.items():
        if isinstance(value, str):
            assert mapping.text(key) == value
        elif isinstance(value, list):
            assert mapping.texts(key) == tuple(value)
        else:
            inner = mapping.mapping(key)
            assert inner is not None
            assert {name: inner.text(name) for name in inner} == value


@given(st.text(max_size=60) | st.lists(st.sampled_from("a: -[],'\"#\n\t {}&*|>\\x"), max_size=40).map("".join))
def test_yaml_of_any_kind_is_read_or_refused(text: str) -> None:
    try:
        mapping = read_mapping(text)
        for key in mapping:
            for reader in (mapping.text, mapping.number, mapping.texts, mapping.mapping):
                try:
                    reader(key)
                except YamlError:
                    continue
    except YamlError as error:
        assert str(error).startswith("line ")
