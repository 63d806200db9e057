"""The sample benchmark: its format, its tests against reference solutions, and its distance from the archive."""

from __future__ import annotations

import contextlib
import io
import json
import math
import subprocess
import sys
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from microcoder_assets.collection.packed_tests import unpack_tests
from microcoder_assets.processing.shingles import words

FIELDS = {
    "question_title", "question_content", "platform", "question_id", "contest_id", "contest_date", "starter_code",
    "difficulty", "public_test_cases", "private_test_cases", "metadata",
}  # fmt: skip
COPIES = {"picnicblankets": "harb24_b", "lampposts": "lcup34_b"}
HARD_PACKAGES = (
    "beaconcover", "beadblocks", "clearupsets", "courierkeys", "divisorchest", "echochant", "hikerviews",
    "mossystones", "nestedpots", "orchardlog", "paradeorder", "quiethours", "shortsigns", "speechorder",
    "stairgarden", "stallnights", "stamprolls", "steadywind", "tidepools", "wagonsplit",
)  # fmt: skip
GRAM = 8


def numbers(text: str) -> list[int]:
    return [int(token) for token in text.split()]


def missing_parentheses(text: str) -> int:
    opened = missing = 0
    for sign in text.strip():
        opened += 1 if sign == "(" else -1
        if opened < 0:
            opened, missing = 0, missing + 1
    return opened + missing


def pairs_at_distance(text: str) -> int:
    _, distance, *marks = numbers(text)
    known = set(marks)
    return sum(mark + distance in known for mark in marks)


def knight_moves(text: str) -> int:
    size, *board = text.split()
    side = int(size)
    steps, queue = {(0, 0): 0}, deque([(0, 0)])
    while queue:
        r, c = queue.popleft()
        for y, x in ((r + a, c + b) for a in (-2, -1, 1, 2) for b in (-2, -1, 1, 2) if abs(a) != abs(b)):
            if 0 <= y < side and 0 <= x < side and board[y][x] == "." and (y, x) not in steps:
                steps[y, x] = steps[r, c] + 1
                queue.append((y, x))
    return steps.get((side - 1, side - 1), -1)


def fairest_difference(text: str) -> int:
    weights = numbers(text)[1:]
    sums = 1
    for weight in weights:
        sums |= sums << weight
    return min(abs(sum(weights) - 2 * half) for half in range(sum(weights) + 1) if sums >> half & 1)


def expanded_length(text: str) -> int:
    stack, count = [(1, 0)], 0
    for sign in text.strip():
        if sign.isdigit():
            count = 10 * count + int(sign)
        elif sign == "(":
            stack.append((count, 0))
            count = 0
        elif sign == ")":
            (times, inside), (outer, length) = stack.pop(), stack.pop()
            stack.append((outer, length + times * inside))
        else:
            stack[-1] = (stack[-1][0], stack[-1][1] + 1)
    return stack[0][1]


def spiral(grid: list[list[int]]) -> list[int]:
    return grid[0] + spiral([list(row) for row in zip(*grid[1:], strict=True)][::-1]) if grid else []


def longest_bright(days: list[int], k: int) -> int:
    left = dull = best = 0
    for right, bright in enumerate(days):
        dull += not bright
        while dull > k:
            dull -= not days[left]
            left += 1
        best = max(best, right + 1 - left)
    return best


def fewest_terms(n: int, needs: list[list[int]]) -> int:
    taken: set[int] = set()
    terms = 0
    while len(taken) < n:
        free = {c for c in range(n) if c not in taken and all(a in taken for a, b in needs if b == c)}
        if not free:
            return -1
        taken |= free
        terms += 1
    return terms


def blankets(text: str) -> str:
    _, seats, *sizes = numbers(text)
    used = sum(-(-size // seats) for size in sizes)
    return f"{used} {used * seats - sum(sizes)}"


def dark_stretches(text: str) -> str:
    _, reach, *posts = numbers(text)
    posts.sort()
    dark = [b - a - 2 * reach for a, b in pairwise(posts) if b - a > 2 * reach]
    return f"{len(dark)} {max(dark, default=0)}"


def longest_nesting(text: str) -> int:
    _, *flat = numbers(text)
    tails: list[int] = []
    for _, height in sorted(zip(flat[::2], flat[1::2], strict=True), key=lambda box: (box[0], -box[1])):
        place = bisect_left(tails, height)
        tails[place : place + 1] = [height]
    return len(tails)


def cheapest_merging(text: str) -> int:
    piles = numbers(text)[1:]

    @cache
    def cost(left: int, right: int) -> int:
        if right - left == 1:
            return 0
        return sum(piles[left:right]) + min(cost(left, m) + cost(m, right) for m in range(left + 1, right))

    return cost(0, len(piles))


def quietest_party(text: str) -> int:
    count, *rest = numbers(text)
    fun, bosses = rest[:count], rest[count:]
    come, stay = fun[:], [0] * count
    for person in range(count - 1, 0, -1):
        boss = bosses[person - 1] - 1
        come[boss] += stay[person]
        stay[boss] += max(come[person], stay[person])
    return max(come[0], stay[0])


def lively_numbers(text: str) -> int:
    low, high = numbers(text)
    primes = {p for p in range(2, 200) if all(p % d for d in range(2, math.isqrt(p) + 1))}

    def up_to(limit: int) -> int:
        digits = str(limit)

        @cache
        def count(place: int, last: int, total: int, tight: bool) -> int:
            if place == len(digits):
                return total in primes
            top = int(digits[place]) if tight else 9
            return sum(
                count(place + 1, -1 if last == -1 and d == 0 else d, total + d, tight and d == top)
                for d in range(top + 1)
                if d != last
            )

        return count(0, -1, 0, True)

    return up_to(high) - up_to(low - 1)


def typing_fixes(typed: str, meant: str) -> int:
    @cache
    def fixes(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        best = min(fixes(i - 1, j) + 1, fixes(i, j - 1) + 1, fixes(i - 1, j - 1) + (typed[i - 1] != meant[j - 1]))
        if i > 1 and j > 1 and typed[i - 2 : i] == meant[j - 2 : j][::-1]:
            best = min(best, fixes(i - 2, j - 2) + 1)
        return best

    return fixes(len(typed), len(meant))


def most_shifts_filled(can_do: list[list[int]], shifts: int) -> int:
    holder = [-1] * shifts

    def place(person: int, tried: set[int]) -> bool:
        for shift in can_do[person]:
            if shift not in tried:
                tried.add(shift)
                if holder[shift] < 0 or place(holder[shift], tried):
                    holder[shift] = person
                    return True
        return False

    return sum(place(person, set()) for person in range(len(can_do)))


def islands_after_collapses(text: str) -> str:
    islands, count, *flat = numbers(text)
    bridges = list(zip(flat[: 2 * count : 2], flat[1 : 2 * count : 2], strict=True))
    order = [k - 1 for k in flat[2 * count + 1 :]]
    fallen = set(order)
    parent = list(range(islands + 1))

    def root(x: int) -> int:
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    groups, answers = islands, []
    for k in [k for k in range(count) if k not in fallen] + order[::-1]:
        if k in fallen:
            answers.append(groups)
        a, b = map(root, bridges[k])
        if a != b:
            parent[a] = b
            groups -= 1
    return " ".join(map(str, reversed(answers)))


REFERENCES: dict[str, Callable[..., Any]] = {
    "lcup31_a": lambda text: sum(numbers(text)),
    "lcup32_a": lambda text: math.prod(numbers(text)),
    "lcup33_a": lambda text: min(numbers(text)),
    "lcup34_a": lambda text: max(numbers(text)[1:]),
    "lcup35_a": lambda text: sum(numbers(text)),
    "harb21_a": lambda text: numbers(text)[0] - numbers(text)[1],
    "harb22_a": lambda text: max(numbers(text)),
    "harb23_a": lambda text: sum(numbers(text)[1:]),
    "harb24_a": lambda text: text.strip()[::-1],
    "harb25_a": lambda text: max(numbers(text)[1:]),
    "4101": lambda a, b: a + b,
    "4102": max,
    "4103": lambda text: text[::-1],
    "4104": lambda values: sum(value % 2 == 0 for value in values),
    "4105": lambda a, b: a + b,
    "4106": lambda values: sum(value % 2 == 0 for value in values),
    "lcup31_b": missing_parentheses,
    "lcup32_b": pairs_at_distance,
    "lcup33_b": fairest_difference,
    "harb21_b": lambda text: min(text.strip()[k:] + text.strip()[:k] for k in range(len(text.strip()))),
    "harb22_b": knight_moves,
    "harb23_b": expanded_length,
    "4201": spiral,
    "4202": longest_bright,
    "4203": fewest_terms,
    "harb24_b": blankets,
    "lcup34_b": dark_stretches,
    "harb21_d": longest_nesting,
    "lcup31_d": cheapest_merging,
    "harb22_d": quietest_party,
    "lcup33_d": lively_numbers,
    "harb23_d": islands_after_collapses,
    "4301": typing_fixes,
    "4302": most_shifts_filled,
}


def read_items(folder: Path) -> dict[str, dict[str, Any]]:
    lines = [line for name in ("test.jsonl", "test2.jsonl") for line in (folder / name).read_text().splitlines()]
    items = [json.loads(line) for line in lines]
    assert len({item["question_id"] for item in items}) == len(items)
    return {item["question_id"]: item for item in items}


@pytest.fixture(scope="module")
def items(examples_dir: Path) -> dict[str, dict[str, Any]]:
    return read_items(examples_dir / "benchmark")


@pytest.fixture(scope="module")
def statements(examples_dir: Path) -> dict[str, str]:
    return {
        file.parent.parent.name: file.read_text()
        for file in sorted((examples_dir / "archive").glob("*/problem_statement/problem.en.*"))
    }


def test_every_record_has_upstreams_fields(items: dict[str, dict[str, Any]]) -> None:
    for item in items.values():
        assert set(item) == FIELDS
        assert all(isinstance(value, str) for value in item.values())
        assert "2026-01" <= item["contest_date"][:7] <= "2026-08"
        assert datetime.fromisoformat(item["contest_date"])
        functional = item["platform"] == "leaf"
        assert bool(item["starter_code"]) == functional
        assert set(json.loads(item["metadata"])) == ({"func_name"} if functional else set())
        tests = json.loads(item["public_test_cases"]) + unpack_tests(item["private_test_cases"])
        assert all(set(test) == {"input", "output", "testtype"} for test in tests)
        assert {test["testtype"] for test in tests} == {"functional" if functional else "stdin"}
        assert len({test["input"] for test in tests}) == len(tests) >= 7


def test_the_composition_is_as_documented(items: dict[str, dict[str, Any]]) -> None:
    assert Counter(item["difficulty"] for item in items.values()) == {"easy": 16, "medium": 11, "hard": 7}
    easy = [item for item in items.values() if item["difficulty"] == "easy"]
    assert Counter(bool(item["starter_code"]) for item in easy) == {False: 10, True: 6}
    bodies = [item["question_content"].split("\n\nSample")[0].split("\n\nExample")[0] for item in easy]
    assert all(len(body.split()) <= 45 for body in bodies)


@pytest.mark.parametrize("question_id", REFERENCES)
def test_a_reference_gives_every_expected_output(question_id: str, items: dict[str, dict[str, Any]]) -> None:
    item = items[question_id]
    for test in json.loads(item["public_test_cases"]) + unpack_tests(item["private_test_cases"]):
        if test["testtype"] == "functional":
            arguments = [json.loads(line) for line in test["input"].split("\n")]
            assert REFERENCES[question_id](*arguments) == json.loads(test["output"])
        else:
            assert str(REFERENCES[question_id](test["input"])).split() == test["output"].split()


def test_every_problem_has_a_reference(items: dict[str, dict[str, Any]]) -> None:
    assert set(items) == set(REFERENCES)


def test_public_tests_are_the_samples_of_the_statement(items: dict[str, dict[str, Any]]) -> None:
    for item in items.values():
        if not item["starter_code"]:
            for test in json.loads(item["public_test_cases"]):
                assert test["input"].strip() in item["question_content"]


def grams(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[start : start + GRAM]) for start in range(len(found) - GRAM + 1)}


def test_only_the_planted_copies_overlap_the_archive(
    items: dict[str, dict[str, Any]], statements: dict[str, str]
) -> None:
    benchmark = {name: grams(item["question_content"]) for name, item in items.items()}
    for short, statement in statements.items():
        own = grams(statement)
        for name, other in benchmark.items():
            share = len(own & other) / max(1, len(own))
            if COPIES.get(short) == name:
                assert share > 0.1, (short, name, share)
            else:
                assert share < 0.05, (short, name, share, own & other)


def values(text: str) -> tuple[str, ...]:
    """What a test's input holds, however function problems write the lists around it."""
    return tuple(text.translate(str.maketrans('[],"', "    ")).split())


def test_sample_data_is_shared_only_by_the_planted_copies(
    items: dict[str, dict[str, Any]], examples_dir: Path
) -> None:
    for package in sorted(path for path in (examples_dir / "archive").iterdir() if path.is_dir()):
        samples = {values(file.read_text()) for file in package.glob("data/sample/*.in")}
        for name, item in items.items():
            public = {values(test["input"]) for test in json.loads(item["public_test_cases"])}
            if COPIES.get(package.name) == name:
                assert samples and samples <= public
            else:
                assert not samples & public, (package.name, name, samples & public)


def output_of(program: Path, entry_point: str | None, given: str) -> str:
    """What a submission of the archive prints, or returns as JSON; run here, because the archive is our own."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    code = compile(program.read_text(), str(program), "exec")
    if entry_point:
        exec(code, scope)
        function = scope[entry_point] if entry_point in scope else getattr(scope["Solution"](), entry_point)
        return json.dumps(function(*json.loads(given)))
    printed, real, depth = io.StringIO(), sys.stdin, sys.getrecursionlimit()
    sys.stdin = io.TextIOWrapper(io.BytesIO(given.encode()))
    try:
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            exec(code, scope)
    finally:
        sys.stdin = real
        sys.setrecursionlimit(depth)
    return printed.getvalue()


def accepts(package: Path, problem: dict[str, Any], entry_point: str | None, test: Path, output: str) -> bool:
    answer = test.with_suffix(".ans")
    if problem["validation"] == "custom":
        command = [sys.executable, str(package / "output_validators/validate.py"), str(test), str(answer), "."]
        code = subprocess.run(command, input=output, text=True, check=False).returncode
        assert code in (42, 43)
        return code == 42
    expected = answer.read_text()
    if entry_point:
        return bool(json.loads(output) == json.loads(expected))
    flags = str(problem.get("validator_flags", "")).split()
    if flags[:1] == ["float_tolerance"]:
        tolerance = float(flags[1])
        return math.isclose(float(output), float(expected), rel_tol=tolerance, abs_tol=tolerance)
    return output.split() == expected.split()


@pytest.mark.parametrize("short", HARD_PACKAGES)
def test_submissions_of_a_hard_package_get_their_verdicts(short: str, examples_dir: Path) -> None:
    package = examples_dir / "archive" / short
    problem = yaml.safe_load((package / "problem.yaml").read_text())
    entry_point = yaml.safe_load((package / "microcoder.yaml").read_text()).get("entry_point")
    tests = sorted(package.glob("data/*/*.in"))
    assert 6 <= len(tests) <= 10

    def verdicts(program: Path, given: list[Path]) -> list[bool]:
        return [
            accepts(package, problem, entry_point, test, output_of(program, entry_point, test.read_text()))
            for test in given
        ]

    submissions = package / "submissions"
    assert all(all(verdicts(program, tests)) for program in (submissions / "accepted").glob("*.py"))
    wrong = sorted((submissions / "wrong_answer").glob("*.py"))
    assert len(wrong) >= 2
    assert not any(all(verdicts(program, tests)) for program in wrong)
    samples = [test for test in tests if test.parent.name == "sample"]
    assert all(all(verdicts(program, samples)) for program in (submissions / "time_limit_exceeded").glob("*.py"))
