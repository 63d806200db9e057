"""The tests that a training row carries: what is kept for every set of tests and wrong submissions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import DOUBLE, frame, selected, unique_row

from microcoder_assets.config import DedupSettings, PublicationSettings, VerificationSettings
from microcoder_assets.publication.choose_tests import choose_tests
from microcoder_assets.publication.split import build_split
from microcoder_assets.store import Blobs, Packs
from microcoder_assets.verification.verify import verify

Test = dict[str, Any]
SUBMISSIONS = st.frozensets(st.sampled_from("abcdef"), max_size=3)
PROBLEMS = st.lists(st.tuples(st.booleans(), st.integers(0, 99), SUBMISSIONS), max_size=30)


def named(facts: list[tuple[bool, int, frozenset[str]]]) -> tuple[list[Test], dict[str, frozenset[str]]]:
    tests = [{"name": str(n), "sample": sample, "bytes": size} for n, (sample, size, _) in enumerate(facts)]
    return tests, {str(n): killed for n, (_, _, killed) in enumerate(facts) if killed}


def rejected(tests: list[Test], kills: dict[str, frozenset[str]]) -> set[str]:
    return {submission for test in tests for submission in kills.get(test["name"], ())}


@given(PROBLEMS, st.integers(1, 12))
def test_as_many_as_allowed_in_their_order(facts: list[tuple[bool, int, frozenset[str]]], limit: int) -> None:
    tests, kills = named(facts)
    chosen = choose_tests(tests, kills, limit)
    assert len(chosen) == min(limit, len(tests))
    assert [test for test in tests if test in chosen] == chosen


@given(PROBLEMS, st.integers(1, 12))
def test_samples_come_before_all_others(facts: list[tuple[bool, int, frozenset[str]]], limit: int) -> None:
    tests, kills = named(facts)
    chosen = choose_tests(tests, kills, limit)
    samples = sum(test["sample"] for test in tests)
    assert sum(test["sample"] for test in chosen) == min(samples, limit)


@given(PROBLEMS)
def test_whatever_all_tests_reject_a_choice_with_room_rejects(facts: list[tuple[bool, int, frozenset[str]]]) -> None:
    tests, kills = named(facts)
    room = sum(test["sample"] for test in tests) + len("abcdef")
    assert rejected(choose_tests(tests, kills, room), kills) == rejected(tests, kills)


@given(PROBLEMS, st.integers(1, 12))
def test_without_wrong_submissions_the_longest_are_kept(
    facts: list[tuple[bool, int, frozenset[str]]], limit: int
) -> None:
    tests, _ = named(facts)
    chosen = choose_tests(tests, {}, limit)
    left = [test["bytes"] for test in tests if test not in chosen]
    assert all(size <= test["bytes"] for size in left for test in chosen if not test["sample"])


def test_one_test_that_rejects_much_is_worth_more_than_several_that_reject_little() -> None:
    kills = {"0": frozenset("a"), "1": frozenset("abc"), "2": frozenset("c"), "3": frozenset("d")}
    tests = [{"name": str(n), "sample": False, "bytes": size} for n, size in enumerate((90, 10, 80, 5, 70))]
    assert [test["name"] for test in choose_tests(tests, kills, 3)] == ["0", "1", "3"]


@pytest.mark.parametrize(
    ("limit", "carried"), [(1, [b"2\n"]), (2, [b"2\n", b"-3\n"]), (3, [b"2\n", b"-3\n", b"5000\n"])]
)
def test_a_short_corner_case_survives_verification_and_split(tmp_path: Path, limit: int, carried: list[bytes]) -> None:
    blobs = Blobs(tmp_path / "blobs")
    tests = [(b"2\n", b"4\n"), (b"-3\n", b"-6\n"), (b"5000\n", b"10000\n"), (b"600\n", b"1200\n")]
    wrong = {"accepted": [DOUBLE], "wrong_answer": ["print(abs(int(input())) * 2)"]}
    problems = frame([unique_row(blobs, "a:x", tests, wrong)])
    verification = VerificationSettings(complete_above=3)  # type: ignore[call-arg]
    verified = verify(selected(problems), problems, blobs, Packs(tmp_path / "verdicts"), verification).frame
    settings = PublicationSettings(max_tests=limit)  # type: ignore[call-arg]
    dedup = DedupSettings()  # type: ignore[call-arg]
    row = build_split(verified, selected(problems), problems, blobs, settings, dedup).frame.row(0, named=True)
    assert [test["input"] for test in row["tests"]] == carried


def test_the_default_is_the_papers() -> None:
    assert PublicationSettings().max_tests == 15  # type: ignore[call-arg]
