"""The platforms that problems come from, and the month of problems without a date."""

from __future__ import annotations

PLATFORMS = (
    "lantern",
    "harbor",
    "meadow",
    "leetcode",
    "codeforces",
    "atcoder",
    "kattis",
    "rllm",
    "bzoj",
    "joyoi",
    "cogs",
    "loj",
    "uoj",
    "tsinsen",
    "aizu",
    "apps",
    "codechef",
    "codecontests",
    "codewars",
    "deepcoder",
    "geeksforgeeks",
    "hackerearth",
    "hackerrank",
    "taco",
)
"""Every platform, in order. Append only: stored partitions are named after them."""

OI_JUDGES = ("bzoj", "joyoi", "cogs", "loj", "uoj", "tsinsen")
"""The judges of the OI archive."""

UNDATED_MONTH = "1999-12"
"""The month of problems whose contest date is unknown or before 2000."""
