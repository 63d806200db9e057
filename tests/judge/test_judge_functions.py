"""Function problems: how the function is found, what it may use, what it may return."""

from __future__ import annotations

import json
from typing import Any

import pytest

from microcoder_judge import Checker, Judge, Limits, Problem, Submission, Test, Verdict


def problem(arguments: list[Any], expected: Any, checker: str = "value", time_s: float = 3) -> Problem:
    test = Test(json.dumps(arguments).encode(), json.dumps(expected).encode())
    return Problem("f", (test,), Limits(time_s), Checker(checker), "function", "solve")


@pytest.mark.parametrize(
    ("code", "arguments", "expected"),
    [
        ("class Solution:\n    def solve(self, a: List[int], k: int) -> int:\n        return a[k]", [[5, 6], 1], 6),
        ("class Solution:\n    @staticmethod\n    def solve(x): return x", [[1]], [1]),
        ("def solve(x):\n    return x + 1", [1], 2),
        ("class Solution: pass\ndef solve(x): return x", [1], 1),
        ("solve = lambda x: x", [None], None),
        ("def solve(x): return (x, (x,))", [1], [1, [1]]),
        ("def solve(n): return range(n)", [3], [0, 1, 2]),
        ("def solve(x): return deque(x)", [[1, 2]], [1, 2]),
        ("def solve(x): return {1: 'a', 2: 'b'}", [0], {"1": "a", "2": "b"}),
        ("def solve(x): return {3, 1}", [0], {"__set__": [1, 3]}),
        ("def solve(x): return 1 << 20000", [0], {"__int__": hex(1 << 20000)}),
        ("def solve(x): return x", ["\ud800é\0"], "\ud800é\0"),
        ("def solve(x):\n    print('noise')\n    return x", [1], 1),
        ("import sys\ndef solve(x): return x\nif __name__ == '__main__':\n    sys.exit(input())", [1], 1),
        ("@cache\ndef fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nsolve = fib", [30], 832040),
        ("def solve(a):\n    heapify(a)\n    return [heappop(a), heapq.heappop(a)]", [[3, 1, 2]], [1, 2]),
        ("def solve(a): return [bisect_left(a, 2), bisect.bisect(a, 2)]", [[1, 2]], [1, 2]),
        ("def solve(a): return list(accumulate(a, max, initial=-inf))[1:]", [[1, 3, 2]], [1, 3, 3]),
        ("def solve(a): return sorted(Counter(a).items())", ["aab"], [["a", 2], ["b", 1]]),
        ("def solve(a):\n    d = defaultdict(list)\n    d[a].append(a)\n    return dict(d)", ["k"], {"k": ["k"]}),
        ("def solve(a): return pow(a, 2)", [3], 9),
        ("def solve(a): return math.gcd(a, 4) + gcd(a, 4)", [6], 4),
        ("def count(x): return 7\ndef solve(a): return count(a)", [6], 7),
        ("def solve(a): return re.findall('[a-z]', a) + [string.digits[0], digits[1]]", ["a1"], ["a", "0", "1"]),
        ("def solve(x: 'Optional[TreeNode]'): return x", [1], 1),
    ],
)
def test_right_functions(judge: Judge, code: str, arguments: list[Any], expected: Any) -> None:
    result = judge.evaluate(Submission(code, problem(arguments, expected)))
    assert (result.verdict, result.message) == (Verdict.AC, "")


@pytest.mark.parametrize(
    ("code", "verdict", "message"),
    [
        ("def other(x): return 1", Verdict.RE, "the program defines neither solve() nor Solution.solve()"),
        ("def solve(): return 1", Verdict.RE, "positional argument"),
        ("def solve(x): return True", Verdict.WA, "value: bool true, expected int 1"),
        ("def solve(x): return 1.0", Verdict.WA, "value: float 1.0, expected int 1"),
        ("def solve(x): return [1]", Verdict.WA, "value: list [1], expected int 1"),
        ("from fractions import Fraction\ndef solve(x): return Fraction(1)", Verdict.WA, "an object of type Fraction"),
        ("class I(int): pass\ndef solve(x): return I(1)", Verdict.WA, "an object of type I"),
        ("class Y:\n    def __eq__(self, o): return True\ndef solve(x): return Y()", Verdict.WA, "an object of type Y"),
        ("class L(list):\n    def __eq__(self, o): return True\ndef solve(x): return [L()]", Verdict.WA, "type L"),
        ("def solve(x):\n    a = []\n    a.append(a)\n    return a", Verdict.WA, "nested deeper than 100"),
        ("def solve(x): return range(10**15)", Verdict.WA, "more than 5000000 elements"),
        ("def solve(x): return {(1, 2): 3}", Verdict.WA, "a dict with a key of type tuple"),
        ("def solve(x): return {1: 2, '1': 3}", Verdict.WA, "two keys written 1"),
        ("def solve(x): return float('nan')", Verdict.WA, "NaN"),
        ("def solve(x): yield 1", Verdict.WA, "an object of type generator"),
        ("def solve(x): exit(0)", Verdict.RE, "ended before the function returned"),
        ("import os\ndef solve(x): os._exit(0)", Verdict.RE, "ended before the function returned"),
        ("import os\ndef solve(x):\n    os.write(3, b'nonsense')\n    os._exit(0)", Verdict.RE, "ended before"),
        ("import json\njson.dumps = lambda x: '1'\ndef solve(x): return 2", Verdict.WA, "value: 2, expected 1"),
        ("def solve(x): raise SystemExit", Verdict.RE, "ended before the function returned"),
        ("def solve(x): 1 / 0", Verdict.RE, "ZeroDivisionError"),
        ("def solve(x): return 'x' * (65 << 20)", Verdict.OLE, "64 MiB"),
        ("def solve(x):\n    while True: pass", Verdict.TLE, "of CPU time"),
    ],
)
def test_wrong_functions(judge: Judge, code: str, verdict: Verdict, message: str) -> None:
    result = judge.evaluate(Submission(code, problem([1], 1, time_s=0.5 if verdict is Verdict.TLE else 3)))
    assert result.verdict is verdict
    assert message in result.message


def test_any_order_is_declared(judge: Judge) -> None:
    code = "def solve(a): return a[::-1]"
    assert judge.evaluate(Submission(code, problem([[1, 2]], [1, 2], "unordered"))).verdict is Verdict.AC
    assert judge.evaluate(Submission(code, problem([[1, 2]], [1, 2]))).verdict is Verdict.WA


@pytest.mark.parametrize("test", [Test(b"{}", b"1"), Test(b"[1", b"1"), Test(b"[1]", b"one"), Test(b"\xff", b"1")])
def test_a_broken_test_is_our_fault(judge: Judge, test: Test) -> None:
    broken = Problem("f", (test,), checker=Checker("value"), io_mode="function", entry_point="solve")
    result = judge.evaluate(Submission("def solve(x): return 1", broken))
    assert result.verdict is Verdict.IE
    assert "JSON" in result.message
