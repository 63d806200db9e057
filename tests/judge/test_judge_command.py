"""`python -m microcoder_judge` as a user calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

CHECKOUT = Path(__file__).resolve().parents[2]
SUM = {"id": "sum", "tests": [{"input": "1 2", "expected": "3"}, {"input": "5 5", "expected": "10"}]}
HALF = {"id": "half", "tests": [{"input": "", "expected": "0.5"}]}
RIGHT = "print(sum(map(int, input().split())))"


def command(*arguments: str, text: bytes = b"") -> tuple[int, list[dict[str, Any]], str]:
    call = [sys.executable, "-m", "microcoder_judge", *arguments]
    done = subprocess.run(call, input=text, capture_output=True, cwd=CHECKOUT, timeout=60)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def lines(*records: Any) -> bytes:
    return b"".join(r if isinstance(r, bytes) else json.dumps(r).encode() + b"\n" for r in records)


def test_results_in_order() -> None:
    text = lines(
        {"problem": SUM, "code": "import time\ntime.sleep(0.3)\n" + RIGHT, "language": "python"},
        {"problem_id": "sum", "code": "print(3)"},
        b"\n",
        {"problem_id": "sum", "code": "x = ("},
    )
    status, found, summary = command("--workers", "2", text=text)
    assert status == 0
    assert [(r["line"], r["verdict"], r["passed"], r["first_failed"]) for r in found] == [
        (1, "AC", 2, None),
        (2, "WA", 1, 1),
        (4, "CE", 0, None),
    ]
    assert summary == "programs judged: 3 (1 AC, 1 CE, 1 WA), bad lines: 0\n"


def test_all_tests() -> None:
    text = lines({"problem": SUM, "code": "print(10)"})
    assert [t["verdict"] for t in command(text=text)[1][0]["tests"]] == ["WA"]
    assert [t["verdict"] for t in command("--all-tests", text=text)[1][0]["tests"]] == ["WA", "AC"]


def test_bad_lines_do_not_stop_the_run() -> None:
    bad: list[Any] = [
        b"{broken\n",
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        [1],
        {"code": RIGHT},
        {"problem_id": "unknown", "code": RIGHT},
        {"problem": SUM},
        {"problem": SUM, "code": 5},
        {"problem": SUM, "code": RIGHT, "language": "cobol"},
        {"problem": "sum", "code": RIGHT},
        {"problem": {"id": "none", "tests": []}, "code": RIGHT},
        {"problem": {**SUM, "limits": {"time_s": "long"}}, "code": RIGHT},
        {"problem": {**SUM, "limits": {"time_s": -1}}, "code": RIGHT},
        {"problem": {**SUM, "limits": {"time_s": float("inf")}}, "code": RIGHT},
        {"problem": {**SUM, "limits": {"time_s": float("nan")}}, "code": RIGHT},
        {"problem": {**SUM, "limits": {"time_s": 1e12}}, "code": RIGHT},
        {"problem": {**SUM, "limits": {"time_s": 3000000}}, "code": RIGHT},
        {"problem": {**SUM, "limits": {"memory_mb": 10**30}}, "code": RIGHT},
        {"problem": {**SUM, "limits": {"output_mb": float("inf")}}, "code": RIGHT},
        {"problem": {**SUM, "checker": {"name": "guess"}}, "code": RIGHT},
        {"problem": {**SUM, "tests": [{"input_b64": "?", "expected": ""}]}, "code": RIGHT},
        {"problem": {**SUM, "tests": 7}, "code": RIGHT},
        {"problem": {**HALF, "checker": {"name": "tokens_float", "abs_tol": "small"}}, "code": "print(1)"},
        {"problem": {**SUM, "checker": {"name": "custom", "program": 5}}, "code": RIGHT},
    ]
    status, found, summary = command(text=lines(*bad, {"problem": SUM, "code": RIGHT}))
    assert status == 2
    assert [r["line"] for r in found] == list(range(1, len(bad) + 2))
    assert all(r["error"] for r in found[:-1])
    assert "cobol" in found[8]["error"]
    assert found[-1]["verdict"] == "AC"
    assert summary == f"programs judged: 1 (1 AC), bad lines: {len(bad)}\n"


def test_what_only_judging_shows_to_be_wrong_is_a_result_and_the_rest_goes_on() -> None:
    call = {"id": "call", "tests": [{"input": "[1]", "expected": "1"}], "io_mode": "function"}
    wrong = {"problem": {**call, "entry_point": 5, "checker": {"name": "value"}}, "code": RIGHT}
    good = {"problem": SUM, "code": RIGHT}
    status, found, _ = command("--workers", "1", text=lines(wrong, *[good] * 12))
    assert (status, [r["line"] for r in found]) == (0, list(range(1, 14)))
    assert [r["verdict"] for r in found] == ["IE", *["AC"] * 12]
    assert "the judge failed: AttributeError" in found[0]["message"]


def test_a_full_disk_ends_the_command() -> None:
    text = lines(*[{"problem": SUM, "code": "x = ("}] * 12)
    with Path("/dev/full").open("wb") as full:
        call = [sys.executable, "-m", "microcoder_judge", "--workers", "1"]
        done = subprocess.run(call, input=text, stdout=full, stderr=subprocess.PIPE, cwd=CHECKOUT, timeout=60)
    assert (done.returncode, done.stderr) == (1, b"cannot write results: No space left on device\n")


def test_bytes_and_function_problems() -> None:
    raw = {"id": "raw", "tests": [{"input_b64": "//4=", "expected_b64": "//4="}]}
    function = {
        "id": "f",
        "tests": [{"input": "[[3, 1]]", "expected": "[1, 3]"}],
        "io_mode": "function",
        "entry_point": "solve",
        "checker": {"name": "value"},
    }
    text = lines(
        {"problem": raw, "code": "print(input())"},
        {"problem": function, "code": "def solve(a): return sorted(a)"},
        {"problem": raw, "code": "\ud800"},
    )
    assert [r["verdict"] for r in command(text=text)[1]] == ["AC", "AC", "CE"]


def test_a_file_argument(tmp_path: Path) -> None:
    path = tmp_path / "programs.jsonl"
    path.write_bytes(lines({"problem": SUM, "code": RIGHT}))
    assert command(str(path))[1][0]["verdict"] == "AC"


def test_what_cannot_be_read_is_one_clear_line(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.jsonl", tmp_path):
        status, found, message = command(str(path))
        assert (status, found) == (2, [])
        assert message.count("\n") == 1
        assert str(path) in message


def test_help_teaches_by_example() -> None:
    done = subprocess.run([sys.executable, "-m", "microcoder_judge", "--help"], capture_output=True, cwd=CHECKOUT)
    assert done.returncode == 0
    example = [line.strip() for line in done.stdout.decode().splitlines() if line.strip().startswith('{"problem')]
    assert [r["verdict"] for r in command(text="\n".join(example).encode())[1]] == ["AC", "WA"]


def test_programs_die_with_a_killed_judge(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "microcoder_judge"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=CHECKOUT, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert process.stdin
    with process.stdin as pipe:
        pipe.write(lines({"problem": {**SUM, "limits": {"time_s": 100}}, "code": "while True: pass"}))
        pipe.flush()
        _wait_until(lambda: len(_running_below(tmp_path)) >= 2)
        process.kill()
        process.wait()
    _wait_until(lambda: not _running_below(tmp_path))


def _running_below(folder: Path) -> list[int]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd().startswith(f"{folder}/"):
                found.append(process.pid)
    return found


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_results_are_written_while_input_is_open() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "microcoder_judge", "--workers", "1"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=CHECKOUT,
    )  # fmt: skip
    assert process.stdin and process.stdout
    process.stdin.write(lines({"problem": SUM, "code": RIGHT}))
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["verdict"] == "AC"
    process.stdin.close()
    assert process.wait(timeout=30) == 0
    process.stdout.close()
