"""Verdicts for limits, compile errors and our own faults; nothing is left running."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest

from microcoder_judge import Checker, Judge, Limits, Problem, Submission, Test, Verdict

QUICK = Limits(time_s=0.3, memory_mb=128, output_mb=1)


def problem(*expected: bytes, limits: Limits = QUICK, checker: Checker | None = None) -> Problem:
    tests = tuple(Test(b"7\n", answer) for answer in expected)
    return Problem("p", tests, limits=limits, checker=checker or Checker())


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "import threading\nfor _ in range(3): threading.Thread(target=lambda: sum(iter(int, 1))).start()",
    ],
)
def test_busy_programs_are_stopped(judge: Judge, code: str) -> None:
    began = time.monotonic()
    result = judge.evaluate(Submission(code, problem(b"7")))
    assert result.verdict is Verdict.TLE
    assert result.tests[0].cpu_s < 1
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("code", ["import time\ntime.sleep(60)", "import os\nos.kill(os.getpid(), 19)"])
def test_idle_programs_are_stopped_soon_after_their_limit(judge: Judge, code: str) -> None:
    result = judge.evaluate(Submission(code, problem(b"7")))
    assert result.verdict is Verdict.TLE
    assert result.tests[0].cpu_s < 0.2
    assert 1.0 <= result.tests[0].wall_s < 10


def test_a_program_near_its_limit_is_run_alone_before_it_counts(judge: Judge) -> None:
    before = judge.counts.get("run_alone", 0)
    code = "import time\nprint(7)\nwhile time.process_time() < 0.33: pass"
    assert judge.evaluate(Submission(code, problem(b"7"))).verdict is Verdict.TLE
    assert judge.counts["run_alone"] == before + 1


def test_a_right_answer_too_late_is_late(judge: Judge) -> None:
    code = "import time\nprint(7, flush=True)\nwhile time.process_time() < 0.33: pass"
    assert judge.evaluate(Submission(code, problem(b"7"))).verdict is Verdict.TLE


def test_waiting_a_little_is_no_crime(judge: Judge) -> None:
    code = "import time\ntime.sleep(0.6)\nprint(7)"
    assert judge.evaluate(Submission(code, problem(b"7"))).verdict is Verdict.AC


@pytest.mark.parametrize(
    "code",
    [
        "a = bytearray(10**9)",
        "a = []\nwhile True: a.append(bytes(10**6))",
        "import mmap\nmmap.mmap(-1, 10**9)",
        "a = [0] * 10**8",
    ],
)
def test_memory(judge: Judge, code: str) -> None:
    result = judge.evaluate(Submission(code, problem(b"7", limits=Limits(time_s=5, memory_mb=64))))
    assert result.verdict is Verdict.MLE
    assert "64 MiB" in result.message


def test_memory_within_the_limit(judge: Judge) -> None:
    code = "a = bytearray(100 << 20)\nprint(input())"
    assert judge.evaluate(Submission(code, problem(b"7"))).verdict is Verdict.AC


@pytest.mark.parametrize(
    "code",
    ["while True: print('x' * 1000)", "import os\nwhile os.write(1, b'x' * 65536): pass", "print('x' * 2_000_000)"],
)
def test_output(judge: Judge, code: str) -> None:
    result = judge.evaluate(Submission(code, problem(b"7", limits=Limits(time_s=5, output_mb=1))))
    assert (result.verdict, result.tests[0].message) == (Verdict.OLE, "more than 1 MiB of output")


def test_output_of_the_whole_limit(judge: Judge) -> None:
    wanted = b"x" * (1 << 20)
    code = "import sys\nsys.stdout.write('x' * (1 << 20))"
    assert judge.evaluate(Submission(code, problem(wanted))).verdict is Verdict.AC


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1\nprint(x", "line 2: '(' was never closed"),
        ("return 1", "line 1: 'return' outside function"),
        ("", "the program is empty"),
        (" \n\t", "the program is empty"),
        ("a = 1\nb = '\0'", "line 2: the program holds a NUL"),
        ("a = 1\nb = '\ud800'", "line 2: the program holds a lone surrogate, which no text file can"),
        ("(" * 100_000, "line 1: too many nested parentheses"),
    ],
)
def test_compile_errors(judge: Judge, code: str, message: str) -> None:
    result = judge.evaluate(Submission(code, problem(b"7")))
    assert (result.verdict, result.message, result.tests) == (Verdict.CE, message, ())
    assert result.total == 1


@pytest.mark.parametrize("code", ["-" * 1_000_000 + "1", "x = " + "[" * 150 + "]" * 150 + "*1" * 500_000])
def test_source_that_breaks_the_compiler(judge: Judge, code: str) -> None:
    assert judge.evaluate(Submission(code, problem(b"7"))).verdict in (Verdict.CE, Verdict.RE, Verdict.MLE, Verdict.WA)
    assert judge.evaluate(Submission("print(7)", problem(b"7"))).accepted


def test_runtime_errors_show_the_last_line(judge: Judge) -> None:
    assert judge.evaluate(Submission("x = {}['key']", problem(b"7"))).tests[0].message == "KeyError: 'key'"
    assert judge.evaluate(Submission("exit(3)", problem(b"7"))).tests[0].message == "exit status 3"
    code = "import os\nos.kill(os.getpid(), 11)"
    assert judge.evaluate(Submission(code, problem(b"7"))).tests[0].message == "killed by SIGSEGV"


def test_the_first_failure_stops_unless_all_are_wanted(judge: Judge) -> None:
    several = problem(b"7", b"8", b"7", b"9")
    first = judge.evaluate(Submission("print(7)", several))
    assert [t.verdict for t in first.tests] == [Verdict.AC, Verdict.WA]
    assert (first.verdict, first.passed, first.total, first.first_failed) == (Verdict.WA, 1, 4, 1)
    every = judge.evaluate(Submission("print(7)", several, stop_on_fail=False))
    assert [t.verdict for t in every.tests] == [Verdict.AC, Verdict.WA, Verdict.AC, Verdict.WA]
    assert (every.verdict, every.passed) == (Verdict.WA, 2)


CHECKER = """
import sys
assert len(sys.argv) == 4 and sys.argv[3].endswith("/")
given, answer = open(sys.argv[1]).read(), open(sys.argv[2]).read()
open(sys.argv[3] + "judgemessage.txt", "w").write("seen")
got = sys.stdin.read().split()
if got == ["crash"]:
    raise ValueError("no")
if len(got) == 2 and sum(map(int, got)) == int(answer) and int(given) == 7:
    sys.exit(42)
print("the sum is wrong", file=sys.stderr)
sys.exit(43)
"""


@pytest.mark.parametrize(
    ("code", "verdict", "message"),
    [
        ("print(3, 4)", Verdict.AC, ""),
        ("print(-1, 8)", Verdict.AC, ""),
        ("print(3, 5)", Verdict.WA, "the sum is wrong"),
        ("print('crash')", Verdict.IE, "the checker ended with status 1, not 42 or 43: ValueError: no"),
        ("1 / 0", Verdict.RE, "ZeroDivisionError: division by zero"),
    ],
)
def test_custom_checkers(judge: Judge, code: str, verdict: Verdict, message: str) -> None:
    custom = problem(b"7", b"7", checker=Checker("custom", program=CHECKER))
    result = judge.evaluate(Submission(code, custom))
    assert (result.verdict, result.tests[-1].message) == (verdict, message)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("x = (", "the checker does not compile: line 1"),
        ("print(42)", "the checker ended with status 0"),
        ("import os\nos.abort()", "the checker was killed by SIGABRT"),
    ],
)
def test_a_failing_checker_is_our_fault(judge: Judge, program: str, message: str) -> None:
    result = judge.evaluate(Submission("print(7)", problem(b"7", checker=Checker("custom", program=program))))
    assert result.verdict is Verdict.IE
    assert message in result.message


def test_a_program_that_kills_its_runner_harms_nobody_else(judge: Judge) -> None:
    code = "import os\nos.kill(os.getppid(), 9)\nprint(7)"
    result = judge.evaluate(Submission(code, problem(b"7")))
    assert result.verdict in (Verdict.RE, Verdict.IE)
    assert judge.evaluate(Submission("print(7)", problem(b"7"))).accepted


@pytest.mark.parametrize("interpreter", ["/bin/true", "no-such-python"])
def test_an_unusable_interpreter_is_refused_at_the_start(interpreter: str) -> None:
    with pytest.raises(ValueError, match=f"interpreter.*{interpreter}"):
        Judge(workers=1, interpreter=interpreter)


LEFTOVERS = {
    "a child": "import os, time\nif os.fork() == 0: time.sleep(60)",
    "a daemon": "import os, time\nif os.fork() == 0:\n  os.setsid()\n  os.fork() or time.sleep(60)\n  os._exit(0)",
    "a command": "import subprocess\nsubprocess.Popen(['sleep', '60'], start_new_session=True)",
    "several": "import os, time\nfor _ in range(5):\n    if os.fork() == 0: os.setsid() or time.sleep(60)",
}


@pytest.mark.parametrize("code", LEFTOVERS.values(), ids=LEFTOVERS.keys())
def test_nothing_is_left_running(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    began = time.monotonic()
    with Judge(workers=1) as judge:
        result = judge.evaluate(Submission(f"{code}\nprint(7)", problem(b"7", b"7", limits=Limits(time_s=2))))
    assert result.verdict is Verdict.RE
    assert time.monotonic() - began < 20
    assert [p for p in psutil.process_iter() if _folder(p).startswith(str(tmp_path))] == []


def _folder(process: psutil.Process) -> str:
    try:
        return process.cwd()
    except psutil.Error:
        return ""


def test_temporary_folders_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = "import os\nos.makedirs('a/b')\nopen('a/b/c', 'w').close()\nos.chmod('a', 0)\nprint(7)"
    with Judge(workers=1) as judge:
        assert judge.evaluate(Submission(code, problem(b"7", b"7"))).accepted
        judge.evaluate(Submission("import os\nos.kill(os.getppid(), 9)", problem(b"7")))
    assert list(tmp_path.iterdir()) == []


def test_descriptors_do_not_leak(judge: Judge) -> None:
    judge.evaluate(Submission("print(7)", problem(b"7")))
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for code in ("print(7)", "x = (", "1 / 0"):
        judge.evaluate(Submission(code, problem(b"7")))
    assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208
