"""Returned values that lie, that never end, that are too large or too deep, or that run code when they are read."""

from __future__ import annotations

from attacks.attack import FUNCTION_CASES, REJECTED, Attack
from microcoder_judge import Checker, Verdict

NUMBERS = (("[1]", "0.4375"), ("[2]", "0.8125"))
LISTS = (("[1]", '["<a>", "<b>"]'), ("[2]", '["<b>"]'))


def _function(
    name: str,
    code: str,
    cases: tuple[tuple[str, str], ...] = FUNCTION_CASES,
    allowed: frozenset[Verdict] = REJECTED,
    checker: Checker | None = None,
) -> Attack:
    return Attack(name, code, cases, allowed, checker, entry_point="solve")


def _equal_to_all(base: str) -> str:
    return f"""
        class Same({base}):
            def __eq__(self, other): return True
            def __ne__(self, other): return False
            def __lt__(self, other): return False
            def __sub__(self, other): return 0
            def __abs__(self): return 0
            def __contains__(self, other): return True
            def __len__(self): return 2
            __hash__ = object.__hash__
        def solve(x):
            return Same()
    """


ATTACKS = (
    _function("an object equal to all", _equal_to_all("object")),
    _function("a list equal to all", _equal_to_all("list"), cases=LISTS),
    _function("a tuple equal to all", _equal_to_all("tuple"), cases=LISTS),
    _function("a text equal to all", _equal_to_all("str")),
    _function("an integer equal to all", _equal_to_all("int"), cases=(("[1]", "47114711"), ("[2]", "11471147"))),
    _function("a float equal to all", _equal_to_all("float"), cases=NUMBERS),
    _function("a dict equal to all", _equal_to_all("dict"), cases=(("[1]", '{"<a>": 1}'), ("[2]", '{"<b>": 2}'))),
    _function(
        "a class that claims to be text",
        """
        class Claim:
            __class__ = str
            def __str__(self): return self
            def __eq__(self, other): return True
            def encode(self, *_): return self
        def solve(x):
            return Claim()
        """,
    ),
    _function(
        "code that runs where the value is read",
        """
        class Payload:
            def __reduce__(self):
                return os.system, (f"touch {FOLDER}/unpickled",)
            __reduce_ex__ = lambda self, protocol: self.__reduce__()
        def solve(x):
            return Payload()
        """,
    ),
    _function(
        "an equality that returns code",
        """
        class Payload:
            def __reduce__(self):
                return open, (f"{FOLDER}/unpickled", "w")
        class Same:
            def __eq__(self, other): return Payload()
            __ne__ = __bool__ = __len__ = __iter__ = __eq__
        def solve(x):
            return Same()
        """,
    ),
    _function(
        "a cycle",
        """
        def solve(x):
            loop = []
            loop.append(loop)
            return loop
        """,
        cases=LISTS,
    ),
    _function(
        "a cycle through a dict",
        """
        def solve(x):
            loop = {}
            loop["a"] = [loop]
            return loop
        """,
        cases=LISTS,
    ),
    _function(
        "a deep list",
        """
        def solve(x):
            deep = []
            for _ in range(200_000):
                deep = [deep]
            return deep
        """,
        cases=LISTS,
    ),
    _function(
        "an endless generator",
        """
        def solve(x):
            while True:
                yield "x"
        """,
        cases=LISTS,
    ),
    _function(
        "a list without end",
        """
        class Endless(list):
            def __iter__(self):
                while True:
                    yield "x"
            def __len__(self): return 2
            def __getitem__(self, key): return self
        def solve(x):
            return Endless(["x", "y"])
        """,
        cases=LISTS,
    ),
    _function(
        "a range without end",
        "def solve(x):\n    return range(1 << 62)",
        cases=LISTS,
        allowed=frozenset({Verdict.WA, Verdict.TLE, Verdict.OLE, Verdict.MLE, Verdict.RE}),
    ),
    _function(
        "a huge representation",
        """
        class Huge:
            def __repr__(self): return "x" * 500_000_000
            __str__ = __repr__
        def solve(x):
            return Huge()
        """,
    ),
    _function("a huge text", "def solve(x):\n    return 'x' * (100 << 20)"),
    _function("a text of escapes", "def solve(x):\n    return '\\0' * (20 << 20)"),
    _function("an integer of ten million digits", "def solve(x):\n    return 1 << 33_219_281"),
    _function("not a number", "def solve(x):\n    return float('nan')", cases=NUMBERS),
    _function("infinity", "def solve(x):\n    return float('inf')", cases=NUMBERS),
    _function("infinity as an integer", "def solve(x):\n    return 10 ** 400", cases=NUMBERS),
    _function("a complex number", "def solve(x):\n    return complex(0, 1)", cases=NUMBERS),
    _function(
        "forged tags",
        "def solve(x):\n    return [{'__set__': [1]}, {'__int__': '0x' + 'f' * 1000}][x - 1]",
        cases=LISTS,
    ),
    _function("a lone surrogate", "def solve(x):\n    return '\\ud800'"),
    _function(
        "every order at once",
        "import itertools\ndef solve(x):\n    return [list(p) for p in itertools.permutations('abc')]",
        cases=LISTS,
        checker=Checker("unordered"),
    ),
    _function(
        "the encoder replaced",
        """
        import builtins, json
        for name in ("type", "isinstance", "repr", "str", "iter", "len"):
            setattr(builtins, name, lambda *_: str)
        json.dumps = lambda *_, **__: "null"
        def solve(x):
            return None
        """,
    ),
    _function(
        "a value on every descriptor",
        """
        def solve(x):
            for fd in range(3, 256):
                for word in (b'V"x"', b"Vnull", b'"x"'):
                    try:
                        os.write(fd, word)
                    except OSError:
                        pass
            os._exit(0)
        """,
    ),
    _function(
        "an exit in the function",
        "def solve(x):\n    sys.exit(0)",
        allowed=frozenset({Verdict.RE, Verdict.WA}),
    ),
    _function(
        "a solution that is no class",
        """
        class Trap:
            def __getattr__(self, name): return self
            def __call__(self, *_, **__): return self
            def __eq__(self, other): return True
        Solution = solve = Trap()
        """,
    ),
    _function(
        "a metaclass that answers for its instances",
        """
        class Meta(type):
            def __call__(cls, *_): return cls
            def __instancecheck__(cls, other): return True
            def __eq__(cls, other): return True
            __hash__ = type.__hash__
        class Solution(metaclass=Meta):
            def solve(x): return Solution
        """,
    ),
    _function(
        "an argument that holds itself",
        "def solve(x):\n    x.append(x)\n    return x",
        cases=(("[[1]]", '["<a>"]'),),
    ),
)
