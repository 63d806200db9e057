"""Whatever a program does with its standard streams, its next test in the same process finds new ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microcoder_judge import Judge, Limits, Problem, Submission, Test

INPUTS = (b"1 2\n3 4\n5 6\n", b"", b"7\r\n8\n", b"9 " * 9000 + b"\nlast", b"\xff\xfe\n1\n", b"1 2\n3 4\n5 6\n")
"""A long one is longer than the buffer of a stream."""
PROBLEM = Problem("streams", tuple(Test(data, b"", str(n)) for n, data in enumerate(INPUTS)), Limits(time_s=2.0))

STEPS = (
    "print(ascii(input()))", "print(ascii(sys.stdin.readline()))", "print(ascii(sys.stdin.read(3)))",
    "print(sys.stdin.buffer.read(2))", "print(sys.stdin.buffer.readline())", "print(ascii(sys.stdin.read()))",
    "print(ascii(next(sys.stdin, None)))", "print(os.read(0, 4))", "print(len(list(sys.stdin)))",
    "for line in sys.stdin:\n    break", "sys.stdout.write('w')", "sys.stdout.buffer.write(b'b')", "os.write(1, b'o')",
    "print('e', file=sys.stderr)", "sys.stdin = io.StringIO('text')", "sys.stdout = io.StringIO()",
    "sys.stdout = sys.stderr", "with sys.stdin:\n    pass", "with sys.stdin.buffer:\n    pass", "sys.stdin.close()",
    "sys.stdout.close()", "sys.stdin.reconfigure(newline='')", "sys.stdout.reconfigure(encoding='latin-1')",
    "sys.stdin.seek(0)", "print(sys.stdin.tell())", "os.close(0)", "os.close(1)", "print(open(0).readline()[:5])",
    "sys.stdin.detach()", "sys.__stdin__ = None", "1 // 0", "sys.exit(3)", "sys.exit('words')",
    "getattr(sys.stdin, 'recon' + 'figure')(newline='')", "input = sys.stdin.readline", "print('no end', end='')",
    "sys.setrecursionlimit(70)", "sys.stdin.x = 1", "print(sys.stdin.fileno(), sys.stdin.isatty())",
)  # fmt: skip


@pytest.fixture(scope="module")
def together() -> Iterator[Judge]:
    with Judge(workers=1, cache=0, audit=0) as judge:
        yield judge


@pytest.fixture(scope="module")
def apart() -> Iterator[Judge]:
    with Judge(workers=1, cache=0, audit=0, isolation="test") as judge:
        yield judge


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(STEPS), min_size=1, max_size=5))
def test_tests_in_one_process_read_and_write_as_in_their_own(together: Judge, apart: Judge, steps: list[str]) -> None:
    code = "import io, os, sys\n" + "\n".join(steps) + "\n"
    submission = Submission(code, PROBLEM, stop_on_fail=False)
    seen, meant = (judge.run_many([submission])[0] for judge in (together, apart))
    assert [(test.verdict, test.output) for test in seen.tests] == [(test.verdict, test.output) for test in meant.tests]


@pytest.mark.parametrize("step", STEPS)
def test_each_step_alone(together: Judge, apart: Judge, step: str) -> None:
    # Without the names that tell a program that does more than read and write.
    code = f"import sys, os\n{step}\nprint(ascii(sys.stdin.readline()[:9]))\n".replace("io.StringIO", "str")
    submission = Submission(code, PROBLEM, stop_on_fail=False)
    seen, meant = (judge.run_many([submission])[0] for judge in (together, apart))
    assert [(test.verdict, test.output) for test in seen.tests] == [(test.verdict, test.output) for test in meant.tests]
