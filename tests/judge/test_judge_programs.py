"""Programs as an online judge runs them: everything a real process may do is right, and only that."""

from __future__ import annotations

import subprocess
import sys

import pytest

from microcoder_judge import Isolation, Judge, Limits, Problem, Submission, Test, Verdict

SUM = Problem("sum", (Test(b"3\n1\n2\n3\n", b"6\n"), Test(b"2\n40\n2\n", b"42\n")), limits=Limits(time_s=5))

RIGHT = {
    "input": "n = int(input())\nprint(sum(int(input()) for _ in range(n)))",
    "iterate sys.stdin": "import sys\nlines = [line for line in sys.stdin]\nprint(sum(map(int, lines[1:])))",
    "next(sys.stdin)": "import sys\nnext(sys.stdin)\nprint(sum(map(int, sys.stdin)))",
    "buffer.readline twice": "import sys\nr = sys.stdin.buffer.readline\nprint(sum(int(r()) for _ in range(int(r()))))",
    "buffer.readlines": "import sys\nprint(sum(map(int, sys.stdin.buffer.readlines()[1:])))",
    "input then read": "import sys\ninput()\nprint(sum(map(int, sys.stdin.read().split())))",
    "readlines length": "import sys\nlines = sys.stdin.readlines()\nassert len(lines) == int(lines[0]) + 1\n"
    "print(sum(map(int, lines[1:])))",
    "open(0)": "f = open(0)\nnext(f)\nprint(sum(map(int, f)))",
    "open('/dev/stdin')": "print(sum(map(int, open('/dev/stdin').read().split()[1:])))",
    "os.read": "import os\nprint(sum(map(int, os.read(0, 10**6).split()[1:])))",
    "fstat": "import os\nprint(sum(map(int, os.read(0, os.fstat(0).st_size).split()[1:])))",
    "mmap of stdin": "import mmap\nm = mmap.mmap(0, 0, access=mmap.ACCESS_READ)\n"
    "print(sum(map(int, m[:].split()[1:])))",
    "input at the end": "try:\n    while True: last = input()\nexcept EOFError:\n"
    "    print(6 if last == '3' else 42)",
    "stdout.buffer": "import sys\nn = sum(map(int, sys.stdin.read().split()[1:]))\nsys.stdout.buffer.write(b'%d' % n)",
    "os.write": "import os, sys\nn = sum(map(int, sys.stdin.read().split()[1:]))\nos.write(1, b'%d' % n)",
    "own stdout": "import io, sys\nsys.stdout = io.TextIOWrapper(open(1, 'wb', closefd=False))\n"
    "print(sum(map(int, sys.stdin.read().split()[1:])))",
    "file never closed": "import sys\nout = open(1, 'w', closefd=False)\n"
    "out.write(str(sum(map(int, sys.stdin.read().split()[1:]))))",
    "global": "total = 0\ndef add(x):\n    global total\n    total += x\n"
    "for _ in range(int(input())): add(int(input()))\nprint(total)",
    "globals": "exec('a = 1')\nglobals()['b'] = 2\nassert a + b == 3\nimport sys\n"
    "print(sum(map(int, sys.stdin.read().split()[1:])))",
    "class body sees module names": "k = 1\nclass A:\n    j = k\n    k = 2\n"
    "print(sum(int(input()) for _ in range(int(input()))) if A.j == 1 else 0)",
    "main guard": "def main():\n    print(sum(int(input()) for _ in range(int(input()))))\n"
    "if __name__ == '__main__':\n    main()",
    "main guard first": "if '__main__' == __name__:\n    main = lambda: int(input())\n"
    "print(sum(main() for _ in range(main())))",
    "from __future__": "from __future__ import annotations\ndef f(x: Undefined): return x\n"
    "print(f(sum(int(input()) for _ in range(int(input())))))",
    "dataclass with string annotations": "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    "@dataclass\nclass P:\n    x: int\nprint(P(sum(int(input()) for _ in range(int(input())))).x)",
    "pickle of a class": "import pickle\nclass P: pass\npickle.loads(pickle.dumps(P()))\n"
    "print(sum(int(input()) for _ in range(int(input()))))",
    "quit": "print(sum(int(input()) for _ in range(int(input()))))\nquit()\n1 / 0",
    "exit(0)": "print(sum(int(input()) for _ in range(int(input()))))\nexit(0)",
    "sys.exit": "import sys\nprint(sum(int(input()) for _ in range(int(input()))))\nsys.exit()",
    "os._exit after a flush": "print(sum(int(input()) for _ in range(int(input()))), flush=True)\n"
    "import os\nos._exit(0)",
    "atexit": "import atexit, sys\nn = sum(map(int, sys.stdin.read().split()[1:]))\natexit.register(print, n)",
    "thread with a deep stack": "import sys, threading\nsys.setrecursionlimit(10**6)\nthreading.stack_size(1 << 26)\n"
    "def depth(n): return 0 if n == 0 else 1 + depth(n - 1)\n"
    "def main():\n    assert depth(50000) == 50000\n    print(sum(int(input()) for _ in range(int(input()))))\n"
    "threading.Thread(target=main).start()",
    "the default recursion depth": "def depth(n): return n and depth(n - 1)\ndepth(990)\n"
    "print(sum(int(input()) for _ in range(int(input()))))",
    "stderr": "import sys\nsys.stderr.write('noise\\n' * 1000)\nprint(sum(int(input()) for _ in range(int(input()))))",
    "warnings": "import warnings\nwarnings.warn('x')\nassert '\\d'\n"
    "print(sum(int(input()) for _ in range(int(input()))))",
    "a file of its own": "open('scratch', 'w').write('x')\nassert open('scratch').read() == 'x'\n"
    "open(__file__).read()\nprint(sum(int(input()) for _ in range(int(input()))))",
    "byte order mark": "\ufeffprint(sum(int(input()) for _ in range(int(input()))))",
    "windows line ends": "n = int(input())\r\nprint(sum(int(input()) for _ in range(n)))\r\n",
    "tabs and form feeds": "if True:\n\tn = int(input())\n\x0c\nprint(sum(int(input()) for _ in range(n)))",
    "unicode names": "π = int(input())\nprint(sum(int(input()) for _ in range(π)))",
}


@pytest.mark.parametrize("code", RIGHT.values(), ids=RIGHT.keys())
def test_right_programs_are_accepted(judge: Judge, code: str) -> None:
    result = judge.evaluate(Submission(code, SUM))
    assert (result.verdict, result.message) == (Verdict.AC, "")
    assert result.passed == 2
    assert result.sandbox


COUNTING = "def count():\n    depth = 0\n    def go():\n        nonlocal depth\n        depth += 1\n        go()\n"
COUNTING += "    try: go()\n    except RecursionError: pass\n    return depth\n"


@pytest.mark.parametrize("isolation", ["batch", "test"])
def test_recursion_goes_as_deep_as_in_an_interpreter_of_its_own(judge: Judge, isolation: Isolation) -> None:
    code = f"{COUNTING}print(count())"
    plain = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    alone = Problem("depth", (Test(b"", plain), Test(b"", plain)))
    called = Problem("count", (Test(b"[]", plain), Test(b"[]", plain)), io_mode="function", entry_point="count")
    assert judge.evaluate(Submission(code, alone), isolation).message == ""
    assert judge.evaluate(Submission(COUNTING, called), isolation).message == ""


WRONG = {
    "child processes": ("import subprocess\nsubprocess.run(['echo', '6'], check=True)", Verdict.RE),
    "leading zeros": ("print('06')", Verdict.WA),
    "exponent": ("print('6e0')", Verdict.WA),
    "a float": ("print(6.0)", Verdict.WA),
    "nothing": ("pass", Verdict.WA),
    "two answers": ("print(6)\nprint(42)", Verdict.WA),
    "exit status 1": ("print(6)\nimport sys\nsys.exit(1)", Verdict.RE),
    "exit with text": ("print(6)\nexit('done')", Verdict.RE),
    "os._exit(3)": ("import os\nprint(6, flush=True)\nos._exit(3)", Verdict.RE),
    "os._exit without a flush": ("import os\nprint(6)\nos._exit(0)", Verdict.WA),
    "exception after the answer": ("print(6)\n1 / 0", Verdict.RE),
    "closed stdout": ("import sys\nsys.stdout.close()\nprint(6)", Verdict.RE),
    "read past the end": ("print(6)\nwhile True: input()", Verdict.RE),
    "missing import": ("print(6 if math.pi else 0)", Verdict.RE),
    "no typing names for stdin programs": ("x: List = 1\nprint(6)", Verdict.RE),
    "killed by itself": ("import os\nprint(6, flush=True)\nos.kill(os.getpid(), 9)", Verdict.RE),
    "segmentation fault": ("import ctypes\nctypes.string_at(0)", Verdict.RE),
    "assertion": ("assert False, 'why'", Verdict.RE),
    "endless recursion": ("def f(): f()\nf()", Verdict.RE),
}


@pytest.mark.parametrize(("code", "verdict"), WRONG.values(), ids=WRONG.keys())
def test_wrong_programs_are_not(judge: Judge, code: str, verdict: Verdict) -> None:
    result = judge.evaluate(Submission(code, SUM))
    assert result.verdict is verdict
    assert result.first_failed == 0
    assert result.message.startswith("test 0: ")


STATE = {
    "a module": "import math\nn = getattr(math, 'seen', 0)\nmath.seen = 1",
    "builtins": "import builtins\nn = getattr(builtins, 'seen', 0)\nbuiltins.seen = 1",
    "a file": "import os\nn = int(os.path.exists('seen'))\nopen('seen', 'w').close()",
    "the environment": "import os\nn = int('SEEN' in os.environ)\nos.environ['SEEN'] = '1'",
    "its source": "n = int('seen' in open(__file__).read()[200:])\nopen(__file__, 'a').write('#' * 200 + 'seen')",
}


@pytest.mark.parametrize("code", STATE.values(), ids=STATE.keys())
def test_tests_do_not_see_each_other(judge: Judge, code: str) -> None:
    problem = Problem("state", (Test(b"", b"0"), Test(b"", b"0")))
    assert judge.evaluate(Submission(f"{code}\nprint(n)", problem)).verdict is Verdict.AC


def test_the_caller_is_not_visible(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "key")
    problem = Problem("clean", (Test(b"", b"False False []"),))
    code = "import os, sys\nprint('SECRET' in os.environ, 'microcoder_judge' in sys.modules, "
    code += "[p for p in sys.path if 'site' in p or 'microcoder' in p])"
    assert judge.evaluate(Submission(code, problem)).verdict is Verdict.AC


def test_numpy_is_there_and_other_packages_are_not(judge: Judge) -> None:
    problem = Problem("numpy", (Test(b"", b"6 [1. 1.]"), Test(b"", b"6 [1. 1.]")), limits=Limits(time_s=5))
    code = "import numpy as np\nimport numpy.linalg\n"
    code += "print(np.array([1, 2, 3]).sum(), np.linalg.solve(np.eye(2), np.ones(2)))"
    assert judge.evaluate(Submission(code, problem)).verdict is Verdict.AC
    other = judge.evaluate(Submission(f"{code}\nimport pytest", problem))
    assert (other.verdict, other.tests[0].message) == (Verdict.RE, "ModuleNotFoundError: No module named 'pytest'")


def test_bytes_that_are_not_text_pass_through(judge: Judge) -> None:
    problem = Problem("bytes", (Test(b"\xff\xfe", b"\xff\xfe"),))
    assert judge.evaluate(Submission("print(input())", problem)).verdict is Verdict.AC


def test_large_input_and_output(judge: Judge) -> None:
    data = b"0123456789 " * 200_000
    problem = Problem("echo", (Test(data, data),))
    assert judge.evaluate(Submission("import sys\nsys.stdout.write(sys.stdin.read())", problem)).verdict is Verdict.AC
