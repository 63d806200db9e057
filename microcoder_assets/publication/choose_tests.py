"""Which of a problem's tests a training row carries: few enough to run at every step, and as telling as all of them.

The paper keeps the longest. Ours keeps the samples too, since a statement shows them, and what rejects known-wrong
submissions, since short tests of corner cases do that. The store keeps every test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Test = Mapping[str, Any]


def choose_tests(tests: Sequence[Test], kills: Mapping[str, frozenset[str]], limit: int) -> list[Test]:
    """At most `limit` tests, in their order: samples, then the test that rejects the most wrong submissions not yet
    rejected, again and again, then the longest.

    tests: rows of `schema.TEST`. kills: the wrong submissions that a test rejects, by the test's name.
    """
    ranked = sorted(range(len(tests)), key=lambda n: (not tests[n]["sample"], -tests[n]["bytes"], tests[n]["name"], n))
    chosen = [n for n in ranked if tests[n]["sample"]][:limit]
    left = [n for n in ranked if n not in chosen]
    alive = _union(kills, tests).difference(*(_killed(kills, tests[n]) for n in chosen))
    while alive and len(chosen) < limit:
        best = max(left, key=lambda n: len(alive & _killed(kills, tests[n])))  # the longest of equals, as ranked
        alive -= _killed(kills, tests[best])
        chosen.append(best)
        left.remove(best)
    chosen += left[: limit - len(chosen)]
    return [tests[n] for n in sorted(chosen)]


def _killed(kills: Mapping[str, frozenset[str]], test: Test) -> frozenset[str]:
    return kills.get(test["name"], frozenset())


def _union(kills: Mapping[str, frozenset[str]], tests: Sequence[Test]) -> frozenset[str]:
    return frozenset().union(*(_killed(kills, test) for test in tests))
