"""`python -m microcoder_judge` as a user calls it."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from microcoder_judge.command import entries, entries_ahead

CHECKOUT = Path(__file__).resolve().parents[2]
CALL = [sys.executable, "-m", "microcoder_judge"]
SUM = [{"input": "1 2", "output": "3"}, {"input": "5 5", "output": "10"}]
RIGHT = "print(sum(map(int, input().split())))"
GOOD: dict[str, Any] = {"id": "good", "code": RIGHT, "tests": SUM}
WRONG: dict[str, Any] = {"id": "wrong", "code": "print(3)", "tests": SUM}


def command(*arguments: str, text: bytes = b"") -> tuple[int, str, str]:
    done = subprocess.run([*CALL, *arguments], input=text, capture_output=True, cwd=CHECKOUT, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def lines(*records: Any) -> bytes:
    return b"".join(r if isinstance(r, bytes) else json.dumps(r).encode() + b"\n" for r in records)


def test_results_in_order_and_bad_lines_among_them() -> None:
    text = lines(
        {**GOOD, "id": 1, "code": "import time\ntime.sleep(0.3)\n" + RIGHT},
        {**WRONG, "stop_on_fail": False},
        b"\r\n",
        {**GOOD, "id": "broken", "code": "x = ("},
        b"{broken\n",
        {**GOOD, "id": "cobol", "language": "cobol"},
        {"id": "asks", "code": RIGHT, "io": "interactive"},
        {
            "id": "f",
            "code": "def f(a): return a",
            "io": "function",
            "entry": "f",
            "tests": [{"args": [1], "expected": 1}],
        },
        {**GOOD, "id": "last", "tests": [{"input": "0.25 0.5", "output": "0.75"}], "code": "print(0.7500001)"},
        GOOD,
        lines(GOOD).rstrip(),
    )
    status, out, err = command("run", "--workers", "2", text=text)
    found = rows(out)
    assert [(r["id"], r["verdict"], r["passed"], r["total"]) for r in found] == [
        (1, "AC", 2, 2), ("wrong", "WA", 1, 2), ("broken", "CE", 0, 2), (None, "IE", 0, 0), ("cobol", "IE", 0, 0),
        ("asks", "IE", 0, 0), ("f", "AC", 1, 1), ("last", "AC", 1, 1), ("good", "AC", 2, 2), ("good", "AC", 2, 2),
    ]  # fmt: skip
    keys = ["id", "verdict", "passed", "total", "tests", "reason", "sandbox", "tolerance_assumed", "cached"]
    assert all(list(row) == keys for row in found)
    assert [test["verdict"] for test in found[1]["tests"]] == ["AC", "WA"]
    assert found[3]["reason"].startswith("line 5: not JSON: ")
    assert found[4]["reason"].startswith("line 6: ") and "cobol" in found[4]["reason"]
    assert found[5]["reason"].startswith("unsupported: io 'interactive'")
    assert [row["tolerance_assumed"] for row in found[6:9]] == [False, True, False]
    assert (status, err.count("\n")) == (0, 1)
    assert err.startswith("programs judged: 7 (5 AC, 1 CE, 1 WA), cached: ")
    assert ", bad lines: 3, " in err


def test_files_and_strict_semantics(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    # LiveCodeBench compares line by line.
    source.write_bytes(lines({**GOOD, "code": "print(1)\nprint(2)", "tests": [{"input": "", "output": "1 2"}]}))
    files = ["--input", str(source), "--output", str(target)]
    verdicts = []
    for option in ([], ["--strict", "livecodebench"]):
        assert command("run", *files, *option)[:2] == (0, "")
        verdicts.append(rows(target.read_text())[0]["verdict"] == "AC")
    assert verdicts == [True, False]


@pytest.mark.parametrize("isolation", ["batch", "test"])
def test_isolation(isolation: str) -> None:
    assert [row["verdict"] for row in rows(command("run", "--isolation", isolation, text=lines(GOOD))[1])] == ["AC"]


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(lines(GOOD))
    absent = tmp_path / "absent"
    for arguments, words in [
        (["run", "--input", f"{absent}"], f"cannot read {absent}: No such file or directory"),
        (["run", "--input", f"{tmp_path}"], f"cannot read {tmp_path}: Is a directory"),
        (["run", "--input", f"{source}", "--output", f"{absent}/x"], f"cannot write {absent}/x: No such file"),
        (["run", "--input", f"{source}", "--output", f"{source}"], "is both input and output; write to another file"),
        (["run", "--input", f"{source}", "--output", "/dev/full"], "cannot write /dev/full: No space left on device"),
        (["explain", "--input", f"{absent}"], f"cannot read {absent}: No such file or directory"),
        (["explain", "--input", f"{source}", "--id", "x"], "in.jsonl holds no submission of the id 'x'"),
        (["report", "--input", f"{absent}"], f"cannot read {absent}: No such file or directory"),
    ]:
        status, out, err = command(*arguments)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert words in err
    assert source.read_bytes() == lines(GOOD)


@pytest.mark.parametrize("arguments", [["run", "--workers", "-1"], ["run", "--isolation", "none"], ["nothing"], []])
def test_wrong_arguments(arguments: list[str]) -> None:
    status, out, err = command(*arguments)
    assert (status, out) == (2, "")
    assert "error: " in err and "Traceback" not in err


@pytest.mark.parametrize("name", ["run", "explain", "report"])
def test_a_full_disk_and_a_closed_pipe(name: str, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(lines(GOOD))
    reader, writer = os.pipe()
    os.close(reader)
    full = os.open("/dev/full", os.O_WRONLY)
    for target, expected in [(full, (2, "cannot write standard output: No space left on device\n")),
                             (writer, (1, "the reader of the output is gone\n"))]:  # fmt: skip
        done = subprocess.run(
            [*CALL, name, "--input", str(source)], stdout=target, stderr=subprocess.PIPE, cwd=CHECKOUT, timeout=60
        )
        assert (done.returncode, done.stderr.decode()) == expected
        os.close(target)


def test_closed_standard_streams(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(lines(GOOD))
    for redirection, expected, words in [
        ("0<&-", 2, "cannot read standard input: it is closed\n"),
        (f"< {source} >&-", 2, "cannot write standard output: it is closed\n"),
        (f"< {source} 2>&-", 0, ""),
    ]:
        script = f'exec "$@" {redirection}'
        call = ["bash", "-c", script, "bash", *CALL, "run"]
        done = subprocess.run(call, capture_output=True, cwd=CHECKOUT, timeout=60)
        assert (done.returncode, done.stderr.decode()) == (expected, words)
    assert rows(done.stdout.decode())[0]["verdict"] == "AC"


def started(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*CALL, "run", *arguments], stdin=subprocess.PIPE, cwd=CHECKOUT, **options)


def test_results_come_while_input_is_open() -> None:
    with started("--workers", "1", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin and process.stdout
        process.stdin.write(lines(GOOD))
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["verdict"] == "AC"
        process.stdin.close()
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_no_program_outlives_the_command(end: signal.Signals) -> None:
    process = started("--workers", "1", stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    assert process.stdin
    process.stdin.write(lines({**GOOD, "code": "while True: pass", "time_limit_s": 100}))
    process.stdin.flush()
    wait_until(lambda: any(busy(child) for child in children(process.pid)))
    family = children(process.pid)
    # As a terminal does it: to everything in the group.
    os.killpg(process.pid, end)
    out, err = process.communicate(timeout=20)
    assert out == b""
    if end is signal.SIGINT:
        assert (process.returncode, err) == (130, b"interrupted\n")
    wait_until(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in family))


def children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def busy(process: psutil.Process) -> bool:
    try:
        return process.cpu_times().user > 0.2
    except psutil.Error:
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Counted(io.BytesIO):
    """A file that knows how many lines were read from it."""

    count = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        self.count += 1
        return super().readline(size)


def test_input_is_not_read_far_ahead() -> None:
    source = Counted(lines(*[GOOD] * 100))
    found = entries_ahead(source, lambda line: line.id, ahead=3)
    assert next(found).work == "good"
    time.sleep(0.1)
    # One was taken, three wait, one waits for room.
    assert source.count <= 5
    assert [entry.number for entry in found] == list(range(2, 101))
    assert source.closed


def test_a_line_without_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microcoder_judge.command.LARGEST_LINE", 1000)
    text = lines(GOOD, {**GOOD, "code": "#" * 5000}, GOOD, {**GOOD, "code": "#" * 5000}).rstrip()
    found = list(entries(io.BytesIO(text), lambda line: line.id))
    assert [(entry.number, entry.work, entry.reason) for entry in found] == [
        (1, "good", ""), (2, None, "line 2: longer than 1,000 bytes"),
        (3, "good", ""), (4, None, "line 4: longer than 1,000 bytes"),
    ]  # fmt: skip
    assert found[-1].end == len(text)


def test_a_progress_bar_on_a_terminal(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(lines(GOOD, WRONG))
    terminal, side = pty.openpty()
    done = subprocess.run(
        [*CALL, "run", "--input", str(source), "--output", str(tmp_path / "out")], stderr=side, cwd=CHECKOUT, timeout=60
    )
    os.close(side)
    shown = os.read(terminal, 10_000).decode()
    os.close(terminal)
    assert done.returncode == 0
    assert "[####" in shown and " judged, " in shown
    assert "\x1b[Kprograms judged: 2 (1 AC, 1 WA)" in shown


def test_explain_says_what_was_wrong() -> None:
    wrong = {**WRONG, "code": "print('1\\x1b[31m' * 100)", "time_limit_s": 1.5, "checker": {"type": "lines"}}
    status, out, err = command("explain", "--id", "wrong", text=lines(b"{bad\n", GOOD, wrong, WRONG))
    assert (status, err) == (0, "")
    fields = {line[:12].strip(): line[12:] for line in out.splitlines()}
    assert fields["verdict"] == "WA, 0 of 2 tests passed"
    assert (fields["test"], fields["input"], fields["expected"]) == ("0 (WA)", "1 2", "3")
    assert fields["got"].startswith("1\\x1b[31m1\\x1b[31m") and fields["got"].endswith("...")
    assert "(601 bytes in all)" in out
    assert fields["difference"].startswith("line 1: '1\\x1b[31m")
    assert fields["limits"] == "1.5 s CPU, 512 MiB memory, 64 MiB output"
    assert fields["checker"] == "lines (declared; no tolerance assumed)"
    assert fields["used"].endswith("on that test")
    assert fields["sandbox"]


def test_explain_other_verdicts() -> None:
    function = {"id": "f", "code": "def f(a): return 1", "io": "function", "entry": "f",
                "tests": [{"args": [1], "expected": [2, 0.5]}]}  # fmt: skip
    for record, words in [
        (
            GOOD,
            ["AC, 2 of 2 tests passed", "on the slowest test", "tokens (nobody declared one; no tolerance assumed)"],
        ),
        ({**GOOD, "code": "x = ("}, ["CE, 0 of 2 tests passed", "line 1", "nothing was run"]),
        ({**GOOD, "code": "1 / 0"}, ["RE, 0 of 2 tests passed", "reason      ZeroDivisionError"]),
        (function, ["arguments   [1]", "expected    [2,0.5]", "value: int 1, expected list [2, 0.5]", "is assumed"]),
    ]:
        status, out, err = command("explain", text=lines(record))
        assert (status, err) == (0, "")
        for word in words:
            assert word in out
        assert ("got" in out) is False


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "standard input holds no submission\n"),
        (lines(GOOD, WRONG), "standard input holds more than one submission; choose one with --id\n"),
        (lines(b"\n", {**GOOD, "x": 1}), "standard input: line 2: unknown key 'x'"),
        (lines({**GOOD, "language": "cobol"}), "cobol"),
    ],
)
def test_explain_needs_one_submission(text: bytes, words: str) -> None:
    status, out, err = command("explain", text=text)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_report_shows_where_the_semantics_part() -> None:
    text = lines(
        {**GOOD, "id": "layout", "code": "print(1)\nprint(2)", "tests": [{"input": "", "output": "1 2"}]},
        {**GOOD, "id": "number", "code": "print('3.0')", "tests": [{"input": "", "output": "3"}]},
        GOOD,
        WRONG,
        b"{bad\n",
    )
    status, out, err = command("report", "--input", "-", text=text)
    assert (status, err) == (0, "")
    found = out.splitlines()
    assert found[:2] == ["layout", "  judge          AC"]
    assert found[2].startswith("  livecodebench  WA  test 0: ")
    assert found[3:6] == ["number", "  judge          WA  test 0: token 1: '3.0', expected '3'", "  livecodebench  AC"]
    assert found[6].startswith("line 5: not judged: line 5: not JSON")
    assert found[7] == (
        "judged by both: 4, accepted by both: 1, by the judge alone: 1, by livecodebench alone: 1, by neither: 1"
    )
    assert found[8:10] == ["judge AC, livecodebench WA: 1", "judge WA, livecodebench AC: 1"]
    assert found[-1] == "not comparable: 0 with IE, 1 bad lines"


def test_help_teaches_by_example() -> None:
    assert "run --help" in command("--help")[1]
    for name in ("run", "explain", "report"):
        status, out, _ = command(name, "--help")
        assert status == 0
        assert f"$ python -m microcoder_judge {name} " in out
    example = [line.strip() for line in command("run", "--help")[1].splitlines() if line.strip().startswith('{"id')]
    found = rows(command("run", text="\n".join(example).encode())[1])
    assert [row["verdict"] for row in found] == ["AC", "WA", "AC"]


def test_headers_of_the_user_are_found(tmp_path: Path) -> None:
    code = (
        '#include "testlib.h"\n#include <fstream>\nint main(int, char** a) {\n  std::ifstream out(a[2]), answer(a[3]);'
    )
    code += "\n  int x, y; out >> x; answer >> y; return x % 5 == y % 5 ? right() : wrong();\n}\n"
    checker = {"type": "custom", "language": "cpp", "code": code}
    text = lines({**GOOD, "checker": checker}, {**WRONG, "code": "print(3 + 6)", "checker": checker})
    with tempfile.TemporaryDirectory(dir=Path.home()) as headers:
        Path(headers).chmod(0o755)
        Path(headers, "testlib.h").write_text("inline int right() { return 0; }\ninline int wrong() { return 1; }\n")
        status, out, _ = command("run", "--headers", headers, "--workers", "1", text=text)
    assert (status, [row["verdict"] for row in rows(out)]) == (0, ["AC", "WA"])
    for folder, said in (("none", "no folder"), (str(tmp_path), "a /tmp of their own")):
        status, _, errors = command("run", "--headers", folder, text=text)
        assert status == 2 and said in errors and "Traceback" not in errors
