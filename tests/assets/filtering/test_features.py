import math
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from microcoder_assets.filtering.features import FEATURES, features, shortest_reference
from microcoder_assets.schema import UNIQUE


@pytest.mark.parametrize(
    ("statement", "largest"),
    [
        ("1 <= n <= 10^5", 5.0),
        ("$1 \\le n \\le 10^{9}$", 9.0),
        ("$n \\leq 2 \\cdot 10^5$", math.log10(2e5)),
        ("n <= 2*10^5", math.log10(2e5)),
        ("n ≤ 3 × 10**5", math.log10(3e5)),
        ("n < 1e5", 5.0),
        ("n <= 100,000", 5.0),
        ("n <= 100\\,000", 5.0),
        ("x <= 2^31 - 1", 31 * math.log10(2)),
        ("$n \\leqslant 50$", math.log10(50)),
        ("there are at most 10^6 stones", 6.0),
        ("n <= 100; answer within 10^{-6}, modulo 10^9 + 7", 2.0),
        ("0 <= n <= 0", 0.0),
        ("n <= 10^400", 30.0),
        ("no bound at all", None),
        ("", None),
    ],
)
def test_largest_bound(unique_rows: Any, statement: str, largest: float | None) -> None:
    value = features(unique_rows({"statement": statement}))["log_largest_bound"][0]
    assert value == (None if largest is None else pytest.approx(largest))


def test_bounds_are_counted(unique_rows: Any) -> None:
    row = features(unique_rows({"statement": "1 <= n <= 10^5\n0 <= a_i <= 10^9"})).row(0, named=True)
    assert (row["bounds"], row["log_smallest_bound"], row["log_largest_bound"]) == (2, 5.0, 9.0)


def test_samples_in_fences_are_no_prose(unique_rows: Any) -> None:
    bare, fenced = features(unique_rows({"statement": "two words"}, {"statement": "two words\n```\n1 <= 10^9\n```"}))[
        "log_words"
    ]
    assert bare == fenced == pytest.approx(math.log(3))


def test_topics_come_from_either_vocabulary(unique_rows: Any) -> None:
    rows = unique_rows({"tags": ["dp", "graphs"]}, {"tags": ["Dynamic Programming"]}, {"tags": []})
    measured = features(rows)
    assert measured["topic_dynamic_programming"].to_list() == [1.0, 1.0, None]
    assert measured["topic_graphs"].to_list() == [1.0, 0.0, None]


def test_code_features_are_of_the_shortest_accepted_python(unique_rows: Any) -> None:
    def reference(language: str, label: str, code: str) -> dict[str, str]:
        return {"name": code, "language": language, "label": label, "code": code}

    rows = unique_rows(
        {
            "references": [
                reference("cpp", "accepted", "x"),
                reference("python", "wrong_answer", "y"),
                reference("python", "accepted", "  "),
                reference("python3", "accepted", "for i in a: pass"),
                reference("python", "accepted", "for i in a:\n  for j in b: pass"),
            ]
        },
        {"references": [reference("python", "accepted", "print 'two'")]},
        {"references": None},
    )
    assert shortest_reference(rows)["code"].to_list() == ["for i in a: pass", "print 'two'"]
    assert features(rows)["loop_depth"].to_list() == [1.0, None, None]


def test_a_time_limit_for_all_tests_together_is_unknown(unique_rows: Any) -> None:
    measured = features(unique_rows({"time_limit_s": 2.0}, {"time_limit_s": 60.0}, {"time_limit_s": None}))
    assert measured["time_limit_s"].to_list() == [2.0, None, None]


def test_a_row_of_nulls_and_an_empty_frame() -> None:
    nulls = pl.DataFrame([{**dict.fromkeys(UNIQUE), "problem_id": "a:1"}], schema=UNIQUE, orient="row")
    measured = features(nulls)
    assert measured.columns == ["problem_id", *FEATURES]
    assert set(measured.dtypes[1:]) == {pl.Float64}
    assert features(nulls.clear()).height == 0


def test_shuffling_rows_changes_nothing(unique_rows: Any) -> None:
    rows = unique_rows(*({"statement": f"1 <= n <= 10^{n}", "tags": ["dp"] * (n % 3)} for n in range(1, 20)))
    measured = features(rows)
    shuffled = features(rows.sample(fraction=1, shuffle=True, seed=1))
    assert_frame_equal(measured.sort("problem_id"), shuffled.sort("problem_id"))
