"""Whole programs: how they read and write, what their names mean, how they end."""

from __future__ import annotations

from textwrap import dedent

from cases.case import Case
from microcoder_judge import Problem, Test

Pairs = tuple[tuple[str, str], ...]

SUM = (("3\n1 2 3\n", "6\n"), ("1\n-4\n", "-4\n"))
LINES = (("3\na\nb\nc\n", "3 cba\n"), ("1\nz\n", "1 z\n"))


def accepted(name: str, tests: Pairs, code: str, reason: str) -> Case:
    return _case(name, tests, code, True, reason)


def rejected(name: str, tests: Pairs, code: str, reason: str) -> Case:
    return _case(name, tests, code, False, reason)


def _case(name: str, tests: Pairs, code: str, right: bool, reason: str) -> Case:
    problem = Problem(name, tuple(Test(given.encode(), expected.encode()) for given, expected in tests))
    return Case(name, "programs", problem, dedent(code).lstrip("\n"), right, reason)


STREAM = "standard input is a stream, read once from start to end, as a file is"
STDOUT = "what reaches descriptor 1 is the output, however it was written"
MODULE = "a program runs as a module named __main__; its names are global"
EXIT = "the exit status is 0, however the program ended"
FAILED = "an exit status other than 0 is a run-time error"
RAISED = "an exception that nobody catches is a run-time error"
FRESH = "every test gets a new process: nothing is left of the one before"
NO_IMPORTS = "what a program does not import is not there"

PROGRAMS = (
    accepted("input twice", SUM, "input()\nprint(sum(map(int, input().split())))", STREAM),
    accepted("read all", SUM, "import sys\nprint(sum(map(int, sys.stdin.read().split()[1:])))", STREAM),
    accepted("readline", SUM, """
        import sys
        sys.stdin.readline()
        print(sum(map(int, sys.stdin.readline().split())))
    """, STREAM),
    accepted("readline renamed to input", SUM, """
        import sys
        input = sys.stdin.readline
        input()
        print(sum(map(int, input().split())))
    """, STREAM),
    accepted("for line in stdin", LINES, """
        import sys
        lines = [line.strip() for line in sys.stdin]
        print(lines[0], "".join(reversed(lines[1:])))
    """, STREAM),
    accepted("input, then for line in stdin", LINES, """
        import sys
        n = int(input())
        print(n, "".join(line.strip() for line in sys.stdin)[::-1])
    """, STREAM),
    accepted("input, then read", LINES, """
        import sys
        n = int(input())
        rest = sys.stdin.read().split()
        assert len(rest) == n
        print(n, "".join(rest[::-1]))
    """, STREAM),
    accepted("readlines ends with the last line", LINES, """
        import sys
        lines = sys.stdin.readlines()
        print(len(lines) - 1, "".join(line.strip() for line in lines[:0:-1]))
    """, STREAM),
    accepted("readline until the end", LINES, """
        import sys
        lines = []
        while line := sys.stdin.readline():
            lines.append(line.strip())
        print(lines[0], "".join(lines[:0:-1]))
    """, STREAM),
    accepted("input until EOFError", LINES, """
        lines = []
        try:
            while True:
                lines.append(input())
        except EOFError:
            print(lines[0], "".join(lines[:0:-1]))
    """, STREAM),
    accepted("buffer.readline twice", LINES, """
        import sys
        read = sys.stdin.buffer.readline
        n = int(read())
        print(n, "".join(read().decode().strip() for _ in range(n))[::-1])
    """, STREAM),
    accepted("buffer.readlines", LINES, """
        import sys
        lines = sys.stdin.buffer.readlines()
        print(int(lines[0]), b"".join(map(bytes.strip, lines[:0:-1])).decode())
    """, STREAM),
    accepted("buffer.read in parts", LINES, """
        import sys
        first = sys.stdin.buffer.read(1)
        print(int(first), "".join(sys.stdin.buffer.read().decode().split()[::-1]))
    """, STREAM),
    accepted("read in parts", LINES, """
        import sys
        first = sys.stdin.read(1)
        print(int(first), "".join(sys.stdin.read().split()[::-1]))
    """, STREAM),
    accepted("open(0)", LINES, """
        lines = open(0).read().split()
        print(lines[0], "".join(lines[:0:-1]))
    """, STREAM),
    accepted("iterating open(0)", LINES, """
        lines = [line.strip() for line in open(0)]
        print(lines[0], "".join(lines[:0:-1]))
    """, STREAM),
    accepted("unpacking open(0)", LINES, """
        n, *lines = open(0)
        print(int(n), "".join(line.strip() for line in lines[::-1]))
    """, STREAM),
    accepted("os.read", LINES, """
        import os
        lines = os.read(0, 1 << 16).split()
        print(int(lines[0]), b"".join(lines[:0:-1]).decode())
    """, STREAM),
    accepted("fstat for the size of the input", LINES, """
        import io, os
        lines = io.BytesIO(os.read(0, os.fstat(0).st_size)).read().split()
        print(int(lines[0]), b"".join(lines[:0:-1]).decode())
    """, "a judge gives the input as a file"),
    accepted("fileinput", LINES, """
        import fileinput
        lines = [line.strip() for line in fileinput.input()]
        print(lines[0], "".join(lines[:0:-1]))
    """, STREAM),
    accepted("stdout.buffer", SUM, """
        import sys
        data = sys.stdin.buffer.read().split()
        sys.stdout.buffer.write(b"%d\\n" % sum(map(int, data[1:])))
    """, STDOUT),
    accepted("os.write", SUM, """
        import os
        input()
        os.write(1, str(sum(map(int, input().split()))).encode())
    """, STDOUT),
    accepted("print to a file over descriptor 1", SUM, """
        input()
        with open(1, "w", closefd=False) as out:
            print(sum(map(int, input().split())), file=out)
    """, STDOUT),
    accepted("noise on standard error", SUM, """
        import sys
        input()
        print("debug", file=sys.stderr)
        print(sum(map(int, input().split())))
    """, "standard error is not looked at"),
    accepted("output kept until the end", SUM, """
        import atexit, sys
        from io import StringIO
        out = StringIO()
        atexit.register(lambda: print(out.getvalue(), file=sys.__stdout__, flush=True))
        sys.stdout = out
        input()
        print(sum(map(int, input().split())))
    """, STDOUT),
    accepted("a global in a function", SUM, """
        total = 0
        def add(value):
            global total
            total += value
        input()
        for word in input().split():
            add(int(word))
        print(total)
    """, MODULE),
    accepted("globals()", SUM, """
        input()
        answer = sum(map(int, input().split()))
        print(globals()["answer"])
    """, MODULE),
    accepted("exec of a definition", SUM, """
        exec("def total(values): return sum(values)")
        input()
        print(total(map(int, input().split())))
    """, MODULE),
    accepted("a class body that reads the module", SUM, """
        start = 0
        class Total:
            start = start
            def __init__(self): self.value = self.start
        total = Total()
        input()
        total.value += sum(map(int, input().split()))
        print(total.value)
    """, MODULE),
    accepted("a main guard in the middle", SUM, """
        def main():
            input()
            print(total(map(int, input().split())))
        if __name__ == "__main__":
            def total(values): return sum(values)
            main()
        done = True
    """, MODULE),
    accepted("a main guard turned round", SUM, """
        def main():
            input()
            print(sum(map(int, input().split())))
        if "__main__" == __name__:
            main()
    """, MODULE),
    accepted("the module by its name", SUM, """
        import sys
        input()
        answer = sum(map(int, input().split()))
        print(sys.modules["__main__"].answer)
    """, MODULE),
    accepted("from __future__", SUM, """
        from __future__ import annotations
        def total(values: Unknown) -> int: return sum(values)
        input()
        print(total(map(int, input().split())))
    """, MODULE),
    accepted("a dataclass that names itself", SUM, """
        from dataclasses import dataclass
        @dataclass
        class Total:
            value: "int" = 0
            rest: "list[Total] | None" = None
        input()
        print(Total(sum(map(int, input().split()))).value)
    """, MODULE),
    accepted("a wildcard import", SUM, """
        from math import *
        input()
        print(int(fsum(map(int, input().split()))))
    """, "an import stands where the program has it"),
    accepted("a name of the grader", SUM, """
        def pow(base): return base + 1
        input()
        print(pow(sum(map(int, input().split())) - 1))
    """, MODULE),
    accepted("builtins stay what they are", (("2 10\n", "4\n"),), """
        base, modulus = map(int, input().split())
        print(pow(base, 2, modulus))
    """, "pow is the builtin one, with three arguments"),
    accepted("sys.exit()", SUM, """
        import sys
        input()
        print(sum(map(int, input().split())))
        sys.exit()
    """, EXIT),
    accepted("quit()", SUM, "input()\nprint(sum(map(int, input().split())))\nquit()", EXIT),
    accepted("exit(0) in a function", SUM, """
        def main():
            input()
            print(sum(map(int, input().split())))
            exit(0)
        main()
    """, EXIT),
    accepted("os._exit after a flush", SUM, """
        import os
        input()
        print(sum(map(int, input().split())), flush=True)
        os._exit(0)
    """, EXIT),
    accepted("a thread with a larger stack", SUM, """
        import sys, threading
        def main():
            input()
            print(sum(map(int, input().split())))
        sys.setrecursionlimit(10**6)
        threading.stack_size(1 << 26)
        thread = threading.Thread(target=main)
        thread.start()
        thread.join()
    """, "threads are allowed, and the program ends when they have"),
    accepted("a class named Solution in a program", SUM, """
        class Solution:
            def total(self, values): return sum(values)
        input()
        print(Solution().total(map(int, input().split())))
    """, "a class's name means nothing to a judge"),
    accepted("a name kept in builtins", (("1\n", "1\n"), ("2\n", "2\n")), """
        import builtins
        builtins.first = getattr(builtins, "first", None) or input()
        print(builtins.first)
    """, FRESH),
    rejected("an exit status of 1", SUM, """
        import sys
        input()
        print(sum(map(int, input().split())))
        sys.exit(1)
    """, FAILED),
    rejected("a message as exit status", SUM, """
        input()
        print(sum(map(int, input().split())))
        raise SystemExit("done")
    """, FAILED),
    rejected("os._exit before the output is written", SUM, """
        import os
        input()
        print(sum(map(int, input().split())))
        os._exit(0)
    """, "what was not flushed is lost"),
    rejected("an exception after the answer", SUM, """
        input()
        print(sum(map(int, input().split())))
        raise ValueError
    """, RAISED),
    rejected("a signal after the answer", SUM, """
        import os
        input()
        print(sum(map(int, input().split())), flush=True)
        os.abort()
    """, FAILED),
    rejected("one input too many", SUM, """
        input()
        print(sum(map(int, input().split())))
        input()
    """, "reading past the end raises EOFError"),
    rejected("a prompt", SUM, """
        input("n = ")
        print(sum(map(int, input("numbers: ").split())))
    """, "a prompt is output"),
    rejected("a missing import of math", (("9\n", "3\n"),), "print(math.isqrt(int(input())))", NO_IMPORTS),
    rejected("a missing import of Counter", (("aab\n", "2\n"),), "print(Counter(input())['a'])", NO_IMPORTS),
    rejected("a missing import of sys", SUM, "input()\nprint(sum(map(int, sys.stdin.read().split())))", NO_IMPORTS),
    rejected("an answer counted over tests", (("", "1\n"), ("", "2\n")), """
        import math
        math.calls = getattr(math, "calls", 0) + 1
        print(math.calls)
    """, FRESH),
    rejected("no program", SUM, "this is not Python", "a program that does not compile prints nothing"),
    rejected("a wrong sum", SUM, "input()\nprint(max(map(int, input().split())))", "the answer is another"),
)
