"""The draw: caps hold, shares are met, the seed decides, and nothing is lost by being recent."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from microcoder_assets.config import BANDS, SelectionPolicy
from microcoder_assets.filtering.draw import draw

SCHEMA = {
    "problem_id": pl.String,
    "platform": pl.String,
    "contest": pl.String,
    "published": pl.Date,
    "tags": pl.List(pl.String),
    "band": pl.String,
}
DATES = st.none() | st.dates(dt.date(2005, 1, 1), dt.date(2030, 1, 1))
ROW = st.fixed_dictionaries(
    {
        "platform": st.sampled_from(["a", "b", "c"]),
        "contest": st.sampled_from([None, "1", "2"]),
        "published": DATES,
        "tags": st.none() | st.lists(st.sampled_from(["dp", "DP ", "graphs", None]), max_size=3),
        "band": st.sampled_from(BANDS),
    }
)
ROWS = st.lists(ROW, max_size=40)
CAP = st.integers(0, 8) | st.floats(0.05, 0.95)
CAPS = st.fixed_dictionaries(
    {},
    optional={
        "band": st.dictionaries(st.sampled_from(["easy", "medium"]), CAP),
        "platform": st.dictionaries(st.sampled_from(["a", "*"]), CAP),
        "contest": st.dictionaries(st.sampled_from(["a:1", "*"]), CAP),
        "tag": st.dictionaries(st.sampled_from(["dp", "*"]), CAP),
    },
)
POLICY = st.fixed_dictionaries(
    {"caps": CAPS, "size": st.none() | st.integers(1, 40), "seed": st.integers(0, 3)},
    optional={"recency": st.just({"half_life_months": 12})},
)


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([{"problem_id": f"p:{n}", **row} for n, row in enumerate(rows)], schema=SCHEMA)


def taken(rows: pl.DataFrame, policy: SelectionPolicy) -> list[str]:
    return draw(rows, policy).rows.filter(pl.col("reason").is_null())["problem_id"].sort().to_list()


def alike(count: int, **values: Any) -> list[dict[str, Any]]:
    row = {"platform": "a", "contest": None, "published": None, "tags": [], "band": "easy", **values}
    return [row] * count


@given(ROWS, POLICY)
def test_no_cap_is_exceeded_and_no_row_is_left_out_without_one(rows: list[dict[str, Any]], raw: dict[str, Any]) -> None:
    problems, policy = frame(rows), SelectionPolicy.model_validate(raw)
    drawn = draw(problems, policy)
    assert sorted(drawn.rows["problem_id"]) == sorted(problems["problem_id"])
    kept = problems.filter(pl.col("problem_id").is_in(taken(problems, policy)))
    counts: Counter[tuple[str, str]] = Counter()
    for row in kept.iter_rows(named=True):
        counts.update({("band", row["band"]), ("platform", row["platform"])})
        counts.update({("contest", f"{row['platform']}:{row['contest']}")} if row["contest"] else ())
        counts.update({("tag", tag.strip().lower()) for tag in row["tags"] or () if tag})
    for kind, caps in raw["caps"].items():
        for (counted, value), count in counts.items():
            cap = caps.get(value, caps.get("*")) if counted == kind else None
            if cap is not None:
                assert count <= (cap if isinstance(cap, int) else math.ceil(cap * kept.height - 1e-6))
    assert kept.height <= (policy.size or len(rows))
    full = {f"{row['kind']} {row['value']}" for row in drawn.caps.filter(pl.col("taken") >= pl.col("limit")).to_dicts()}
    for row in drawn.rows.drop_nulls("reason").iter_rows(named=True):
        assert row["full"] in full if row["reason"] == "over_cap" else kept.height == policy.size


@given(ROWS, POLICY, st.randoms())
def test_order_of_the_rows_changes_nothing(rows: list[dict[str, Any]], raw: dict[str, Any], random: Any) -> None:
    problems, policy = frame(rows), SelectionPolicy.model_validate(raw)
    order = random.sample(range(len(rows)), len(rows))
    first, second = draw(problems, policy), draw(problems[order], policy)
    assert_frame_equal(first.rows, second.rows)
    assert_frame_equal(first.caps, second.caps)


@given(st.lists(ROW, min_size=1, max_size=40), POLICY, st.data(), st.dates(dt.date(2005, 1, 1), dt.date(2031, 1, 1)))
def test_a_row_taken_is_taken_when_it_is_more_recent(
    rows: list[dict[str, Any]], raw: dict[str, Any], data: st.DataObject, later: dt.date
) -> None:
    counts = {kind: {name: c for name, c in caps.items() if isinstance(c, int)} for kind, caps in raw["caps"].items()}
    policy = SelectionPolicy.model_validate({**raw, "caps": counts, "recency": {"half_life_months": 12}})
    number = data.draw(st.integers(0, len(rows) - 1))
    newer = max(later, rows[number]["published"] or dt.date(2020, 1, 1))
    before = taken(frame(rows), policy)
    after = taken(frame([{**row, "published": newer} if n == number else row for n, row in enumerate(rows)]), policy)
    assert f"p:{number}" not in before or f"p:{number}" in after


@given(st.lists(st.integers(20, 120), min_size=4, max_size=4), st.none() | st.integers(10, 200))
def test_band_shares_that_sum_to_one_are_met_within_rounding(supply: list[int], size: int | None) -> None:
    shares = dict(zip(BANDS, (0.2, 0.3, 0.4, 0.1), strict=True))
    rows = [row for band, count in zip(BANDS, supply, strict=True) for row in alike(count, band=band)]
    policy = SelectionPolicy.model_validate({"caps": {"band": shares}, "size": size})
    problems = frame(rows)
    kept = problems.filter(pl.col("problem_id").is_in(taken(problems, policy)))
    for band, share in shares.items():
        assert abs((kept["band"] == band).sum() - share * kept.height) <= 2
    most = min(size or len(rows), *(count / shares[band] for band, count in zip(BANDS, supply, strict=True)))
    assert kept.height >= most - 4, "no more is given up than the scarcest band asks for"


def test_a_share_is_of_what_is_selected_and_the_rest_stays() -> None:
    rows = [*alike(40, band="easy"), *alike(60, band="hard")]
    policy = SelectionPolicy.model_validate({"caps": {"band": {"easy": 0.2}}})
    kept = frame(rows).filter(pl.col("problem_id").is_in(taken(frame(rows), policy)))
    assert dict(kept["band"].value_counts().iter_rows()) == {"easy": 16, "hard": 60}, "a fifth, rounded up"


def test_shares_of_two_kinds_are_met_together_though_one_is_drawn_first() -> None:
    recent, bands = dt.date(2026, 1, 1), ("easy", "hard")
    rows = [
        row
        for band in bands
        for row in (*alike(200, band=band, platform="a", published=recent), *alike(30, band=band, platform="b"))
    ]
    caps = {"band": {"easy": 0.3, "hard": 0.7}, "platform": {"a": 0.8}}
    policy = SelectionPolicy.model_validate({"caps": caps, "recency": {"half_life_months": 6}, "size": 150})
    problems = frame(rows)
    kept = problems.filter(pl.col("problem_id").is_in(taken(problems, policy)))
    assert kept.height == 150
    assert (kept["platform"] == "a").sum() == 120
    assert (kept["band"] == "easy").sum() == 45


def test_the_seed_decides_who_is_drawn() -> None:
    problems = frame(alike(50))
    first, second, again = (taken(problems, SelectionPolicy(size=10, seed=seed)) for seed in (1, 2, 1))  # type: ignore[call-arg]
    assert first == again
    assert first != second


def test_new_rows_reorder_none_of_the_old_ones() -> None:
    policy = SelectionPolicy.model_validate({"size": 5, "recency": {"half_life_months": 6}})
    rows = [*alike(10), *alike(10, published=dt.date(2024, 5, 1)), *alike(5, published=dt.date(2026, 5, 1))]
    before, after = (draw(frame(part), policy).rows for part in (rows[:20], rows))
    kept = after.filter(pl.col("problem_id").is_in(before["problem_id"].implode()))
    assert_frame_equal(kept.select("problem_id", "weight", "draw"), before.select("problem_id", "weight", "draw"))


@pytest.mark.parametrize(("months", "weight"), [(0, 1.0), (24, 2.0), (-24, 0.5)])
def test_a_weight_halves_with_the_half_life(months: int, weight: float) -> None:
    published = dt.date(2020, 1, 1) + dt.timedelta(days=round(months * 30.4375))
    policy = SelectionPolicy.model_validate({"recency": {"half_life_months": 24}})
    assert draw(frame(alike(1, published=published)), policy).rows["weight"].item() == pytest.approx(weight, rel=1e-3)


def test_recent_rows_are_drawn_more_often() -> None:
    policy = SelectionPolicy.model_validate({"recency": {"half_life_months": 12}, "size": 300})
    rows = [*alike(300, published=dt.date(2021, 1, 1)), *alike(300, published=dt.date(2023, 1, 1))]
    numbers = [int(problem_id.partition(":")[2]) for problem_id in taken(frame(rows), policy)]
    assert sum(number >= 300 for number in numbers) > 200


def test_no_rows() -> None:
    policy = SelectionPolicy.model_validate({"caps": {"band": {"easy": 0.2}, "platform": {"a": 3}}, "size": 5})
    drawn = draw(frame([]), policy)
    assert (drawn.rows.height, drawn.caps.height) == (0, 0)
