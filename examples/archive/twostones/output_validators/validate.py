"""Accepts any two different stones whose weights differ by g, and `none` exactly where the judges found no pair."""

import sys

ACCEPT, REJECT = 42, 43


def accepts(problem, answer, output):
    n, g, *weights = map(int, problem.split())
    words = output.split()
    if words == ["none"]:
        return answer.split() == ["none"]
    if len(words) != 2 or not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
        return False
    first, second = map(int, words)
    if first == second or not (1 <= first <= n and 1 <= second <= n):
        return False
    return abs(weights[first - 1] - weights[second - 1]) == g


def main():
    with open(sys.argv[1]) as problem, open(sys.argv[2]) as answer:
        verdict = accepts(problem.read(), answer.read(), sys.stdin.read())
    sys.exit(ACCEPT if verdict else REJECT)


main()
