"""One row of each Hugging Face set in its real layout, with content of our own, and ways to write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from datasets import Dataset, Features, List, Value

ADD = "import sys\nprint(sum(map(int, sys.stdin.read().split())))\n"
ADD_PYTHON2 = "print sum(map(int, raw_input().split()))\n"
ADD_CPP = "#include <iostream>\nint main() { long a, b; std::cin >> a >> b; std::cout << a + b; }\n"
SUBTRACT = "a, b = map(int, input().split())\nprint(a - b)\n"

CODE_CONTESTS: dict[str, Any] = {
    "name": "1234_A. Two Numbers",
    "description": "Add two numbers.\n\nInput\n\nTwo numbers.\n\nOutput\n\nTheir sum.\n",
    "public_tests": {"input": ["1 2\n"], "output": ["3\n"]},
    "private_tests": {"input": ["5 6\n", "7 8\n"], "output": ["11\n", "15\n"]},
    "generated_tests": {"input": ["9 9\n"], "output": ["18\n"]},
    "source": 2,
    "difficulty": 7,
    "solutions": {
        "language": [3, 1, 2, 3, 4, 0, 3],
        "solution": [ADD, ADD_PYTHON2, ADD_CPP, ADD, "class A {}", "?", "# 3"],
    },
    "incorrect_solutions": {"language": [3], "solution": [SUBTRACT]},
    "cf_contest_id": 1234,
    "cf_index": "A",
    "cf_points": 500.0,
    "cf_rating": 1100,
    "cf_tags": ["math", ""],
    "is_description_translated": False,
    "untranslated_description": "",
    "time_limit": {"seconds": 1, "nanos": 500000000},
    "memory_limit_bytes": 256000000,
    "input_file": "",
    "output_file": "",
}
CODE_CONTESTS_PLUS: dict[str, Any] = {
    "source": "Codeforces",
    "id": "1234_A",
    "title": "Two Numbers",
    "description": CODE_CONTESTS["description"] + "If there are several answers, print any.",
    "time_limit": 2000,
    "memory_limit": 256,
    "validator": "int main() {}",
    "generator": "int main() {}",
    "generator_cmd": "./gen 1",
    "checker": '#include "testlib.h"\nint main(int argc, char* argv[]) {\n    registerTestlibCmd(argc, argv);\n'
    '    quitf(ouf.readInt() == ans.readInt() ? _ok : _wa, "compared");\n}\n',
    "correct_submissions": [{"code": ADD, "language": "py3"}, {"code": ADD_CPP, "language": "cpp"}],
    "incorrect_submissions": [{"code": SUBTRACT, "language": "py3"}, {"code": "?", "language": "pascal"}],
    "test_cases": [{"input": "1 2\n", "output": "3\n"}, {"input": "20 30\n", "output": "50\n"}],
}
TACO: dict[str, Any] = {
    "question": "Add two numbers.\n\n-----Input-----\n\nTwo numbers.\n\n-----Output-----\n\nTheir sum.",
    "solutions": json.dumps([ADD, ADD_PYTHON2]),
    "starter_code": "",
    "input_output": json.dumps({"inputs": ["1 2\n", ["5", "6"]], "outputs": ["3\n", ["11"]]}),
    "difficulty": "MEDIUM_HARD",
    "raw_tags": "['math', 'greedy']",
    "name": "Two Numbers",
    "source": "codeforces",
    "tags": "['Mathematics']",
    "skill_types": "[]",
    "url": "https://codeforces.com/problemset/problem/1234/A",
    "Expected Auxiliary Space": None,
    "time_limit": "1.5 seconds",
    "date": "2019-09-25",
    "picture_num": "0",
    "memory_limit": "256.0 megabytes",
    "Expected Time Complexity": None,
}
APPS: dict[str, Any] = {
    "problem_id": 7,
    "question": "Write `add(a, b)`.",
    "solutions": json.dumps(["def add(a, b):\n    return a + b"]),
    "input_output": json.dumps({"fn_name": "add", "inputs": [[1, 2], [5, 6]], "outputs": [[3], [11]]}),
    "difficulty": "introductory",
    "url": "https://www.codewars.com/kata/51f2d1cafc9c0f745c00037d",
    "starter_code": "def add(a, b):\n\t",
}
OPEN_R1: dict[str, Any] = {
    "id": "1234/A",
    "aliases": ["1235/C"],
    "contest_id": "1234",
    "contest_name": "Codeforces Round 590 (Div. 3)",
    "contest_type": "CF",
    "contest_start": 1569247500,
    "contest_start_year": 2019,
    "index": "A",
    "time_limit": 1.5,
    "memory_limit": 256.0,
    "title": "Two Numbers",
    "description": "Add two numbers.",
    "input_format": "Two numbers $$$a$$$ and $$$b$$$.",
    "output_format": "Their sum. If there are several answers, print any of them.",
    "interaction_format": None,
    "note": "In the example $$$1 + 2 = 3$$$.",
    "examples": [{"input": "1 2", "output": "3"}],
    "editorial": None,
    "rating": 1100,
    "tags": ["math"],
    "testset_size": 3,
    "official_tests": [{"input": "1 2\n", "output": "3\n"}, {"input": "5 6\n", "output": "11\n"}],
    "official_tests_complete": True,
    "input_mode": "stdio",
    "generated_checker": "import sys\ngiven, right, answer = (open(p).read().split() for p in sys.argv[1:4])\n"
    "print(int(sum(map(int, given)) == int(answer[0])))\n",
    "executable": True,
    "generated_tests": 0,
}
DEEPCODER: dict[str, dict[str, Any]] = {
    "lcbv5": {
        "problem": "Add.",
        "starter_code": "class Solution:\n    def add(self, a: int, b: List[int]) -> int:\n        ",
        "tests": json.dumps(
            [{"input": "1\n[2, 3]", "output": "6", "testtype": "functional", "metadata": {"func_name": "add"}}]
        ),
        "metadata": json.dumps({"func_name": "add"}),
    },
    "primeintellect": {
        "problem": "Double it.",
        "solutions": ["print(2 * int(input()))"],
        "tests": json.dumps([{"type": "stdin_stdout", "input": "1\n", "output": "2\n"}]),
    },
    "taco": {
        "problem": "Double it, twice.",
        "solutions": ["def f(x):\n    return 4 * x"],
        "tests": json.dumps({"fn_name": "f", "inputs": [[1]], "outputs": [4]}),
    },
    "codeforces": {"problem": "Double it, thrice.", "tests": json.dumps([{"input": "1", "output": "8"}])},
}

_STRINGS = Value("string")
_TESTS = {"input": List(_STRINGS), "output": List(_STRINGS)}
_SOLUTIONS = {"language": List(Value("int64")), "solution": List(_STRINGS)}
CODE_CONTESTS_FEATURES = Features(
    {
        **dict.fromkeys(("name", "description", "cf_index", "untranslated_description"), _STRINGS),
        **dict.fromkeys(("input_file", "output_file"), _STRINGS),
        **dict.fromkeys(("public_tests", "private_tests", "generated_tests"), _TESTS),
        **dict.fromkeys(("solutions", "incorrect_solutions"), _SOLUTIONS),
        **{name: Value("int64") for name in ("source", "difficulty", "cf_contest_id", "memory_limit_bytes")},
        "cf_rating": Value("int32"),
        "cf_points": Value("float32"),
        "cf_tags": List(_STRINGS),
        "is_description_translated": Value("bool"),
        "time_limit": {"seconds": Value("int64"), "nanos": Value("int64")},
    }
)


def write_parquet(path: Path, rows: list[dict[str, Any]], features: Features | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Dataset.from_list(rows, features=features).to_parquet(path)
    return path


def write_arrow(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """As `save_to_disk` and TACO's repository hold them: `data-00000-of-00001.arrow` in a folder of the split."""
    Dataset.from_list(rows).save_to_disk(folder)
    return folder


def write_lines(path: Path, rows: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path
