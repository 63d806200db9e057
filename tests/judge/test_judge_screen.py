"""Which programs the screen lets share a process between tests: ordinary ones do, those that reach outside do not."""

from __future__ import annotations

import pytest

from microcoder_judge._screen import carries

ORDINARY = {
    "a class": "class Node:\n    def __init__(self, x): self.pi = x\nn = Node(1)\nn.next = Node(2)\nn.count += 1",
    "standard streams": "import sys, io\nsys.stdin = io.StringIO('x')\nsys.stdout = open(1, 'w')\n"
    "input = sys.stdin.readline",
    "recursion": "import sys\nsys.setrecursionlimit(10**6)",
    "a main guard": "def main():\n    print(1)\nif __name__ == '__main__':\n    main()",
    "imports of many kinds": "from collections import *\nimport heapq as h, bisect\nfrom math import gcd as g\n"
    "print(g(4, 6))",
    "os.read": "import os\nprint(os.read(0, 100))",
    "a fast reader": "import os, sys\nfrom io import BytesIO, IOBase\nclass F(IOBase):\n    def __init__(self, file):\n"
    "        self.buffer = BytesIO()\n        self.write = self.buffer.write\nsys.stdout = F(sys.stdout)",
}
REACHING = {
    "an attribute of a module": "import math\nmath.seen = 1",
    "one that is there": "import math\nmath.pi = 3",
    "counted up": "import math\nmath.pi += 1",
    "deleted": "import math\ndel math.pi",
    "under another name": "import math as m\nm.seen = 1",
    "of what it holds": "import json\njson.JSONEncoder.seen = 1",
    "of what it gives": "from fractions import Fraction as F\nF.seen = 1",
    "inside a function": "def f():\n    import re\n    re.seen = 1\nf()",
    "imported above, set below": "import re\nclass A:\n    def f(self):\n        re.seen = 1",
    "builtins": "__builtins__.seen = 1",
    "setattr": "import math\nsetattr(math, 'seen', 1)",
    "frames": "import sys\nsys._getframe(1)",
    "a traceback": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    print(e.__traceback__)",
    "hidden names": "print(getattr(object, '__sub' + 'classes__')())",
    "other descriptors": "import os\nos.pread(5, 1, 0)",
    "text that is run": "exec('import math; math.seen = 1')",
}


@pytest.mark.parametrize("code", ORDINARY.values(), ids=ORDINARY.keys())
def test_ordinary_programs_share_a_process(code: str) -> None:
    assert not carries(compile(code, "main.py", "exec"), code.encode())


@pytest.mark.parametrize("code", REACHING.values(), ids=REACHING.keys())
def test_programs_that_reach_outside_do_not(code: str) -> None:
    assert carries(compile(code, "main.py", "exec"), code.encode())
