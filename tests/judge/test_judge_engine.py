"""The engine behind the verdicts: the rungs of the sandbox, what is looked at again, remembered and replaced."""

from __future__ import annotations

import os
import resource
import signal
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microcoder_judge import (
    Checker,
    Judge,
    LanguageNotSupported,
    Limits,
    Problem,
    SandboxRefused,
    Submission,
    Test,
    Verdict,
)
from microcoder_judge._seccomp import AUDIT_ARCH, program_filter, zygote_filter
from microcoder_judge.worker import RECYCLE_AFTER

QUICK = Limits(time_s=0.5)
DOUBLE = Problem("double", (Test(b"4", b"8"), Test(b"5", b"10")), QUICK)
RIGHT = Submission("print(int(input()) * 2)", DOUBLE)


@pytest.fixture(scope="module")
def plain() -> Iterator[Judge]:
    """A judge that remembers nothing."""
    with Judge(workers=1, cache=0, audit=0) as judge:
        yield judge


@pytest.mark.parametrize("rung", ["root", "user", "process"])
def test_every_rung_judges_and_confines(rung: str, tmp_path: Path, public_interpreter: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("8")
    secret.chmod(0o644)
    attempts = {
        "reads a file of the host": f"print(open({str(secret)!r}).read())",
        "writes beside it": f"open({str(tmp_path / 'mine')!r}, 'w').close()\nprint(8)",
        "starts a program": "import os\nos.execv('/bin/true', ['true'])",
        "forks": "import os\nos.fork()\nprint(8)",
        "opens a socket": "import socket\nsocket.socket()\nprint(8)",
        "signals its parent": "import os\nos.kill(os.getppid(), 0)\nprint(8)",
    }
    with Judge(workers=1, rungs=(rung,), interpreter=public_interpreter) as judge:
        try:
            level = judge.sandbox()
        except SandboxRefused as refusal:
            pytest.skip(f"this host does not give the rung: {refusal}")
        assert "seccomp" in level
        assert judge.evaluate(RIGHT).sandbox == level
        for name, code in attempts.items():
            result = judge.evaluate(Submission(code, DOUBLE))
            assert result.verdict is Verdict.RE, (name, result)
        assert judge.evaluate(Submission("open('own', 'w').write('8')\nprint(open('own').read())", DOUBLE)).passed == 1
    assert not (tmp_path / "mine").exists()


def test_without_a_sandbox_programs_are_refused_unless_that_is_wanted() -> None:
    with Judge(workers=1, rungs=()) as judge, pytest.raises(SandboxRefused, match="unsafe=True"):
        judge.evaluate(RIGHT)
    with Judge(workers=1, rungs=(), unsafe=True) as judge:
        assert judge.evaluate(RIGHT).sandbox == "rlimits"


def test_filters_fit_what_the_kernel_takes() -> None:
    assert set(AUDIT_ARCH) == {"x86_64", "aarch64"}
    for program in (zygote_filter(False), zygote_filter(True), program_filter(None, True), program_filter(5, False)):
        count, rest = divmod(len(program), 8)
        assert rest == 0 and count < 4096
        for at, (_, if_true, if_false, _) in enumerate(struct.iter_unpack("HBBI", program)):
            assert at + 1 + max(if_true, if_false) < count or at == count - 1


CARRIES = "import math\ndef up(m): m.pi += 1\nn = round(math.pi - 3.14159)\nup(math)\nprint(n)"
"""Its answer depends on the tests before, in a way that nobody sees who does not run it."""


def test_a_failure_in_a_used_process_is_confirmed_in_a_fresh_one(plain: Judge) -> None:
    problem = Problem("zero", (Test(b"", b"0"), Test(b"", b"0"), Test(b"", b"0")))
    before = plain.counts.get("confirmed", 0)
    assert plain.evaluate(Submission(CARRIES, problem)).accepted
    assert plain.counts["confirmed"] == before + 1


def test_a_sample_of_the_accepted_is_run_again_with_a_process_a_test() -> None:
    problem = Problem("counts", (Test(b"", b"0"), Test(b"", b"1")))
    with Judge(workers=1, audit=1.0) as judge:
        result = judge.evaluate(Submission(CARRIES, problem))
        assert (result.verdict, judge.counts["audited"], judge.counts["audits_failed"]) == (Verdict.WA, 1, 1)
        assert judge.evaluate(RIGHT).accepted
    with Judge(workers=1, isolation="test") as judge:
        assert judge.evaluate(Submission(CARRIES, problem)).verdict is Verdict.WA


def test_equal_programs_are_judged_once_unless_time_decided() -> None:
    with Judge(workers=1) as judge:
        first = judge.evaluate(RIGHT)
        again = judge.evaluate(Submission(RIGHT.code, DOUBLE, id="again"))
        assert (first.cached, again.cached, again.submission_id, again.tests) == (False, True, "again", first.tests)
        assert not judge.evaluate(Submission(RIGHT.code, Problem("other", DOUBLE.tests, Limits(0.6)))).cached
        slow = Submission("while True: pass", Problem("slow", (Test(b"", b""),), Limits(0.1)))
        assert not judge.evaluate(slow).cached and not judge.evaluate(slow).cached
    with Judge(workers=1, cache=1) as judge:
        other = Submission("print(1)", DOUBLE)
        assert [judge.evaluate(s).cached for s in (RIGHT, other, RIGHT)] == [False, False, False]


def test_equal_programs_at_the_same_time_do_not_hinder_each_other() -> None:
    slow = Submission("import time\ntime.sleep(0.3)\nprint(int(input()) * 2)", DOUBLE)
    with Judge(workers=2, cache=0) as judge:
        assert all(future.result(timeout=30).accepted for future in [judge.submit(slow) for _ in range(4)])
    with Judge(workers=2) as judge:
        judge.sandbox()
        first, second = judge.submit(slow), judge.submit(slow)
        time.sleep(0.1)
        first.cancel()
        assert second.result(timeout=30).accepted


def test_a_submission_cancelled_while_it_waits_to_run_alone_takes_no_worker_with_it() -> None:
    near = "import time\nprint(int(input()) * 2)\nwhile time.process_time() < 0.54: pass"
    with Judge(workers=2, cache=0) as judge:
        busy = judge.submit(Submission("import time\ntime.sleep(1.1)\nprint(8)", DOUBLE))
        waiting = judge.submit(Submission(near, DOUBLE))
        time.sleep(0.95)
        waiting.cancel()
        busy.result(timeout=30)
        assert all(future.result(timeout=30).accepted for future in [judge.submit(RIGHT) for _ in range(4)])


def test_tests_that_programs_fail_come_first() -> None:
    problem = Problem("last", tuple(Test(b"%d" % n, b"%d" % n) for n in range(8)))
    with Judge(workers=1, reorder=True) as judge:
        wrong = "n = int(input())\nprint(n if n != 6 else 0)"
        assert len(judge.evaluate(Submission(wrong, problem)).tests) == 7
        second = judge.evaluate(Submission(wrong + "\n", problem))
        assert [test.name for test in second.tests] == ["6"]
        assert [t.name for t in judge.evaluate(Submission(wrong, problem, stop_on_fail=False)).tests] == list(
            "01234567"
        )


def test_many_tests_go_in_parts(plain: Judge) -> None:
    problem = Problem("many", tuple(Test(b"%d" % n, b"%d" % (n if n != 149 else 0)) for n in range(150)))
    result = plain.evaluate(Submission("print(input())", problem))
    assert (result.verdict, result.passed, result.tests[-1].name) == (Verdict.WA, 149, "149")


@pytest.mark.parametrize(
    "code",
    [
        "import os\nprint(int(input()) * 2, flush=True)\nos._exit(0)",
        "import threading\nn = int(input())\nthreading.Thread(target=lambda: print(n * 2)).start()",
        "import os\nos.closerange(3, 64)\nprint(int(input()) * 2)",
        "open('left', 'w').close()\nprint(int(input()) * 2)",
        "import sys\nsys.modules['math'] = None\nprint(int(input()) * 2)",
        "import sys\nn = int(input())\nsys.stdout.seek(0)\nprint(n * 2)",
        "import sys\nn = int(input())\ntry:\n    sys.stdout.truncate(0)\nexcept OSError:\n    pass\nprint(n * 2)",
        "print(int(input()) * 2, ' ' * (20 << 20))",
    ],
)
def test_programs_that_end_or_spoil_their_process_are_judged_all_the_same(plain: Judge, code: str) -> None:
    result = plain.evaluate(Submission(code, DOUBLE))
    assert (result.verdict, result.message) == (Verdict.AC, "")


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(st.binary(max_size=80), st.lists(st.tuples(st.integers(-4, 3), st.integers(-1, 2)), max_size=4)),
    st.integers(-(2**63), 2**63 - 1),
)
def test_whatever_a_program_writes_to_the_harness_is_no_verdict(
    plain: Judge, forged: bytes | list[tuple[int, int]], end: int
) -> None:
    record = struct.Struct("<iiffiq")
    data = forged if isinstance(forged, bytes) else b"".join(record.pack(*pair, 0.0, 1.0, 0, end) for pair in forged)
    code = f"import os\nfor fd in range(3, 64):\n    try: os.write(fd, {data!r})\n    except OSError: pass\n"
    result = plain.evaluate(Submission(code, DOUBLE))
    assert result.verdict in (Verdict.WA, Verdict.RE)
    assert plain.evaluate(RIGHT).accepted


def test_a_killed_worker_is_replaced(plain: Judge) -> None:
    assert plain.evaluate(RIGHT).accepted
    for worker in psutil.Process().children():
        worker.send_signal(signal.SIGKILL)
        worker.wait(timeout=10)
    assert plain.evaluate(RIGHT).accepted


NOSY = """
import gc, os, sys
found = []
for fd in range(3, 256):
    try: found.append(str(os.pread(fd, 1 << 20, 0)))
    except OSError: pass
frame = sys._getframe()
while frame:
    found.append(repr(frame.f_locals))
    frame = frame.f_back
found += [repr(thing) for thing in gc.get_objects() if type(thing) in (dict, list, tuple) and len(thing) < 50]
print("heard" if any("hush" in text[::-1] for text in found) else "nothing")
"""


def test_a_program_finds_nothing_of_the_one_before(plain: Judge) -> None:
    told = Problem("told", (Test(b"hsuh\n", b"hsuh\n"),))
    untold = Problem("untold", (Test(b"", b"nothing"),))
    for turn in range(3):
        talker = Submission(f"print(input())  # hsuh {turn}", told)
        assert plain.evaluate(talker).accepted
        assert plain.evaluate(Submission(f"{NOSY}# {turn}", untold)).accepted
    assert plain.evaluate(Submission(NOSY, Problem("own", (Test(b"hsuh", b"heard"),)))).accepted


def test_a_worker_is_replaced_when_it_is_worn(plain: Judge) -> None:
    assert plain.evaluate(RIGHT).accepted
    first = {child.pid for child in psutil.Process().children()}
    tiny = Submission("print(1)", Problem("one", (Test(b"", b"1"),)))
    for _ in range(RECYCLE_AFTER):
        plain.evaluate(tiny)
    assert first.isdisjoint(child.pid for child in psutil.Process().children())


def test_the_time_that_programs_took_is_known_when_a_judge_has_closed() -> None:
    burning = Problem("burning", (Test(b"", b"1"),), Limits(time_s=5))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with Judge(workers=2) as judge:
        code = "for _ in range(3_000_000): pass\nprint(1)\n"
        results = judge.evaluate_many([Submission(f"{code}# {n}", burning) for n in range(4)])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = sum(result.tests[0].cpu_s for result in results)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime >= taken > 0


def test_nothing_is_left_when_a_judge_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with Judge(workers=2) as judge:
        judge.evaluate_many([RIGHT, Submission("import numpy\nprint(8)", DOUBLE), Submission("1 / 0", DOUBLE)])
        assert {process.pid for process in psutil.Process().children(recursive=True)} > before
    deadline = time.monotonic() + 10
    while {process.pid for process in psutil.Process().children(recursive=True)} - before:
        assert time.monotonic() < deadline
    assert len(os.listdir("/proc/self/fd")) <= files  # noqa: PTH208
    assert list(tmp_path.iterdir()) == []


CPP = "#include <bits/stdc++.h>\nint main() { int n; std::cin >> n; "


@pytest.mark.parametrize(
    ("code", "verdict", "words"),
    [
        (CPP + "std::cout << 2 * n; }", Verdict.AC, ""),
        ('#include <cstdio>\nint main() { int n; scanf("%d", &n); printf("%d", 2 * n); }', Verdict.AC, ""),
        (CPP + "std::cout << n; }", Verdict.WA, "expected '8'"),
        (CPP + "std::cout << n }", Verdict.CE, "error"),
        (CPP + "while (true) n++; }", Verdict.TLE, "CPU time"),
        (CPP + "std::vector<int> v; while (true) v.push_back(n); }", Verdict.MLE, "out of memory"),
        (CPP + "while (true) std::cout << n; }", Verdict.OLE, "of output"),
        (CPP + "return n; }", Verdict.RE, "exit status 4"),
        (CPP + "*(volatile int *)0 = n; }", Verdict.RE, "SIGSEGV"),
        (CPP + 'system("echo 8"); }', Verdict.WA, "output ends"),
        ("#include <unistd.h>\nint main() { return fork() < 0 ? 3 : 0; }", Verdict.RE, "exit status 3"),
        (
            '#include <fstream>\nint main() { std::ifstream f("/etc/passwd"); return f ? 0 : 3; }',
            Verdict.RE,
            "status 3",
        ),
        (
            "#include <sys/socket.h>\nint main() { return socket(AF_INET, SOCK_STREAM, 0) < 0 ? 3 : 0; }",
            Verdict.RE,
            "3",
        ),
    ],
)
def test_cpp(plain: Judge, code: str, verdict: Verdict, words: str) -> None:
    if "cpp" not in plain.languages:
        pytest.skip("no g++ here")
    result = plain.evaluate(Submission(code, Problem("d", DOUBLE.tests, Limits(0.5, 64, 1)), "cpp"))
    assert result.verdict is verdict, result
    assert words in result.message


def test_the_same_source_is_compiled_once(plain: Judge) -> None:
    if "cpp" not in plain.languages:
        pytest.skip("no g++ here")
    before = plain.counts.get("compiled", 0)
    program = Submission(CPP + "std::cout << n + n; }", DOUBLE, "cpp")
    assert plain.evaluate(program).accepted and plain.evaluate(program).accepted
    assert plain.counts["compiled"] == before + 1


def test_a_missing_compiler_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microcoder_judge.languages.Cpp.find", lambda headers: None)
    with Judge(workers=1) as judge, pytest.raises(LanguageNotSupported, match="install g\\+\\+"):
        judge.submit(Submission("int main() {}", DOUBLE, "cpp"))


KATTIS = """#include <fstream>
#include <iostream>
int main(int argc, char **argv) {
    std::ifstream answer(argv[2]);
    std::string flag = argc > 4 ? argv[4] : "";
    int expected, got;
    answer >> expected;
    if (flag != "near" || !(std::cin >> got)) return 43;
    return abs(got - expected) <= 1 ? 42 : 43;
}
"""
TESTLIB = """
import sys
given, output, answer = (open(path).read().split() for path in sys.argv[1:4])
if output == ["crash"]: raise ValueError("no")
sys.exit(0 if output[::-1] == answer else 1)
"""


def test_checkers_of_both_protocols(plain: Judge) -> None:
    near = Checker("custom", program=KATTIS, language="cpp", flags=("near",))
    backwards = Checker("custom", program=TESTLIB)
    if "cpp" in plain.languages:
        for code, verdict in (("print(9)", Verdict.AC), ("print(10)", Verdict.WA), ("", Verdict.CE)):
            problem = Problem("near", (Test(b"", b"8"), Test(b"", b"8")), checker=near)
            assert plain.evaluate(Submission(code, problem)).verdict is verdict
    for code, verdict in (("print('b a')", Verdict.AC), ("print('a b')", Verdict.WA), ("print('crash')", Verdict.IE)):
        problem = Problem("backwards", (Test(b"", b"a b"), Test(b"", b"a b")), checker=backwards)
        assert plain.evaluate(Submission(code, problem)).verdict is verdict


def test_linked_lists_and_trees_travel_as_leetcode_writes_them(plain: Judge) -> None:
    reverse = (
        "class Solution:\n    def f(self, head: Optional[ListNode]) -> Optional[ListNode]:\n"
        "        last = None\n        while head:\n            head.next, last, head = last, head, head.next\n"
        "        return last"
    )
    mirror = (
        "class Solution:\n    def f(self, root: Optional[TreeNode]) -> Optional[TreeNode]:\n"
        "        if root:\n            root.left, root.right = self.f(root.right), self.f(root.left)\n"
        "        return root"
    )
    merge = (
        "class Solution:\n    def f(self, lists: List[Optional[ListNode]]) -> List[int]:\n"
        "        return [head.val for head in lists if head]"
    )
    for code, given_, expected in (
        (reverse, b"[[1, 2, 3]]", b"[3, 2, 1]"),
        (reverse, b"[[]]", b"[]"),
        (mirror, b"[[1, 2, 3, null, 4]]", b"[1, 3, 2, null, null, 4]"),
        (mirror, b"[[]]", b"[]"),
        (merge, b"[[[5, 1], [], [7]]]", b"[5, 7]"),
    ):
        problem = Problem("nodes", (Test(given_, expected),), io_mode="function", entry_point="Solution.f")
        result = plain.evaluate(Submission(code, problem))
        assert (result.verdict, result.message) == (Verdict.AC, "")


def test_livecodebenchs_imports_are_an_option_and_builtins_win(plain: Judge) -> None:
    code = "print(pow(2, 3, 5), gcd(4, 6), Counter('aa')['a'])"
    for preamble, verdict in ((True, Verdict.AC), (False, Verdict.RE)):
        problem = Problem("preamble", (Test(b"", b"3 2 2"),), preamble=preamble)
        assert plain.evaluate(Submission(code, problem)).verdict is verdict


def test_livecodebenchs_comparison_is_an_option() -> None:
    lenient = Submission("print('08')", Problem("eight", (Test(b"", b"8"),)))
    with Judge(workers=1, strict="livecodebench") as judge:
        assert judge.evaluate(lenient).accepted
    with Judge(workers=1) as judge:
        assert judge.evaluate(lenient).verdict is Verdict.WA


def test_programs_are_run_and_what_they_answer_is_kept(judge: Judge) -> None:
    numbers = Problem("numbers", (Test(b"2", b""), Test(b"0", b"whatever"), Test(b"5", b"")), QUICK)
    called = Problem("called", (Test(b"[[3, 4]]", b"null"),), QUICK, io_mode="function", entry_point="f")
    written, returned, broken = judge.run_many(
        [
            Submission("print(10 // int(input()))", numbers, stop_on_fail=False, id="written"),
            Submission("def f(numbers):\n    print('noise')\n    return numbers[::-1]", called),
            Submission("print(", numbers),
        ]
    )
    assert [test.verdict for test in written.tests] == [Verdict.AC, Verdict.RE, Verdict.AC]
    assert [test.output for test in written.tests] == [b"5\n", b"", b"2\n"]
    assert (written.submission_id, returned.tests[0].output) == ("written", b"[4, 3]")
    assert (broken.verdict, broken.tests) == (Verdict.CE, ())


def test_what_was_run_is_not_taken_for_judged(judge: Judge) -> None:
    wrong = Submission("print(int(input()) * 3)", DOUBLE)
    assert judge.run_many([wrong])[0].verdict is Verdict.AC
    assert judge.evaluate(wrong).verdict is Verdict.WA
    assert judge.run_many([wrong])[0].tests[0].output == b"12\n"
