"""Problems of LiveCodeBench that its authors know to be at fault, and that a score is also given without.

Source: LiveCodeBench's ERRATA.md at 28fef95. It names AtCoder's tasks by id and LeetCode's by slug, as problem ids do
here. It says of each what is wrong, and no more.
"""

from __future__ import annotations

SEVERAL_ANSWERS = "several answers are right, one is accepted"
INTERACTIVE = "interactive, which no program can solve here"
WRONG_TESTS = "a test is wrong"

ERRATA: dict[str, str] = {
    **dict.fromkeys(
        (
            "atcoder:abc311_c",
            "atcoder:abc326_d",
            "atcoder:abc327_b",
            "atcoder:abc333_e",
            "atcoder:abc343_a",
            "atcoder:abc343_e",
            "atcoder:abc362_c",
            "atcoder:arc185_c",
            "leetcode:find-the-peaks",
            "leetcode:find-words-containing-character",
            "leetcode:generate-binary-strings-without-adjacent-zeros",
        ),
        SEVERAL_ANSWERS,
    ),
    **dict.fromkeys(("atcoder:abc337_e", "atcoder:abc355_e"), INTERACTIVE),
    **dict.fromkeys(
        (
            "atcoder:abc350_c",
            "atcoder:arc189_a",
            "leetcode:apply-operations-to-make-string-empty",
            "leetcode:most-frequent-ids",
        ),
        WRONG_TESTS,
    ),
}
