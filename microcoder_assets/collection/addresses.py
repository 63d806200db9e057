"""Which problem of which judge a web address names, so that the same problem from another source has the same id."""

from __future__ import annotations

import re
from dataclasses import dataclass

from microcoder_assets.collection.records import NATIVE_ID

_PROBLEMS = tuple(
    (platform, re.compile(pattern))
    for platform, pattern in (
        ("codeforces", r"codeforces\.com/(?:contest|gym)/(?P<contest>\d+)/problem/(\w+)"),
        ("codeforces", r"codeforces\.com/problemset/problem/(?P<contest>\d+)/(\w+)"),
        ("atcoder", r"//atcoder\.jp/contests/(?P<contest>[\w-]+)/tasks/(\w+)"),
        ("atcoder", r"//(?P<contest>[\w-]+)\.contest\.atcoder\.jp/tasks/(\w+)"),
        ("leetcode", r"leetcode\.(?:com|cn)/problems/([a-z0-9-]+)"),
        ("kattis", r"kattis\.com/problems/(\w+)"),
        ("codechef", r"codechef\.com/(?:[\w-]+/)?problems/(\w+)"),
        ("hackerrank", r"hackerrank\.com/(?:contests/[\w-]+/)?challenges/([\w-]+)"),
        ("hackerearth", r"hackerearth\.com/[\w/-]*?([\w-]+)/?(?:[?#].*)?$"),
        ("codewars", r"codewars\.com/kata/(\w+)"),
        ("geeksforgeeks", r"geeksforgeeks\.org/problems/([\w-]+)"),
        ("aizu", r"u-aizu\.ac\.jp/.*[?&]id=(\w+)"),
        ("aizu", r"u-aizu\.ac\.jp/(?:.*/)?problems/(\w+)"),
    )
)


@dataclass(frozen=True, slots=True)
class NamedProblem:
    platform: str
    native_id: str
    contest: str | None = None


def problem_of(address: str | None) -> NamedProblem | None:
    """`https://codeforces.com/problemset/problem/1234/A` is `1234A` of codeforces. None for an unknown address."""
    for platform, pattern in _PROBLEMS:
        if match := pattern.search(address or ""):
            contest, name = match.groupdict().get("contest"), match[match.lastindex or 0]
            native_id = codeforces_id(contest, name) if platform == "codeforces" and contest else name
            return NamedProblem(platform, native_id, contest) if NATIVE_ID.fullmatch(native_id) else None
    return None


def codeforces_id(contest: str | int, index: str) -> str:
    """`1234A`, as every source of Codeforces problems here writes it."""
    return f"{contest}{index.upper()}"
