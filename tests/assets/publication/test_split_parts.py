"""Train and validation: what holds for every set of families and dates, and which rows are one family."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import frame, unique_row

from microcoder_assets.config import DedupSettings, PublicationSettings
from microcoder_assets.publication.parts import DATED_BY, assign_parts, find_families, first_day_held_out
from microcoder_assets.store import Blobs

FIRST = dt.date(2026, 1, 1)
DAYS = st.integers(0, 20).map(lambda n: FIRST + dt.timedelta(days=n))
ROWS = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.none() | DAYS, st.sampled_from(["contest", "inferred", "archive", None])),
    max_size=40,
)
SCHEMA: dict[str, Any] = {"family": pl.String, "published": pl.Date, "published_basis": pl.String}


def publication(**values: Any) -> PublicationSettings:
    return PublicationSettings(**values)


def parted(facts: list[tuple[str, dt.date | None, str | None]], settings: PublicationSettings) -> pl.DataFrame:
    rows = pl.DataFrame(facts, schema=SCHEMA, orient="row")
    return rows.with_columns(part=assign_parts(rows, settings))


@given(ROWS, st.floats(0.05, 0.95), st.none() | DAYS)
def test_no_family_on_both_sides_and_no_train_row_as_new_as_validation(
    facts: list[tuple[str, dt.date | None, str | None]], fraction: float, pinned: dt.date | None
) -> None:
    rows = parted(facts, publication(validation_fraction=fraction, validation_from=pinned))
    sides = rows.drop_nulls("part").group_by("family").agg(pl.col("part").n_unique())
    assert (sides["part"] == 1).all()
    dated = rows.filter(pl.col("published_basis").is_in(DATED_BY)).drop_nulls("published")
    train, validation = (dated.filter(part=part)["published"].to_list() for part in ("train", "validation"))
    if pinned or dated["published"].n_unique() > 1:
        assert not train or not validation or max(train) < min(validation)
        assert rows.filter(part="validation").height == len(validation)  # none without a date


@given(ROWS)
def test_only_what_is_new_and_like_something_older_is_in_neither(
    facts: list[tuple[str, dt.date | None, str | None]],
) -> None:
    rows = parted(facts, publication())
    torn = rows.filter(pl.col("part").is_null())
    start = first_day_held_out(
        rows.filter(pl.col("published_basis").is_in(DATED_BY))["published"], publication().validation_fraction
    )
    for family, published, _, _ in torn.rows():
        assert start is not None and published >= start
        assert "train" in rows.filter(family=family)["part"].to_list()


@given(st.lists(DAYS), st.floats(0.05, 0.95))
def test_the_share_held_out_is_the_nearest_that_days_allow(days: list[dt.date], fraction: float) -> None:
    start = first_day_held_out(pl.Series(days, dtype=pl.Date), fraction)
    shares = {day: sum(other >= day for other in days) / len(days) for day in sorted({*days})[1:]}
    if not shares:
        assert start is None
        return
    assert start is not None
    assert abs(shares[start] - fraction) == pytest.approx(min(abs(share - fraction) for share in shares.values()))


@given(st.lists(st.text(min_size=1), min_size=300, max_size=300, unique=True))
def test_without_dates_the_share_is_held_out_by_hash(families: list[str]) -> None:
    held = parted([(family, None, None) for family in families], publication())["part"].to_list()
    assert 0.08 < held.count("validation") / len(families) < 0.36  # 20 % of 300, more than five standard deviations
    assert held == parted([(family, FIRST, "contest") for family in families], publication())["part"].to_list()


TWIN = " ".join(f"Lamp {n} of the row on shelf {n * n} is turned whenever its neighbour {n + 3} is." for n in range(9))
TUNNEL = " ".join(f"Through tunnel {n} at most {n * 7} carts may pass before hour {n + 90} ends." for n in range(9))


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ({"title": "Lamps (Easy Version)"}, {"title": "Lamps (Hard Version)"}, True),
        ({"title": "Lamps I"}, {"title": "Lamps II"}, True),
        ({"title": "Lamps"}, {"title": "Carts", "statement": TUNNEL}, False),
        ({"title": "Lamps I"}, {"title": "Lamps II", "statement": TUNNEL}, False),
        ({"constraints": "n <= 10"}, {"constraints": "n <= 100000"}, True),
        ({}, {"form_of": "a:1", "statement": TUNNEL}, True),
    ],
)
def test_versions_forms_and_copies_are_one_family(
    one: dict[str, Any], other: dict[str, Any], together: bool, tmp_path: Path
) -> None:
    blobs = Blobs(tmp_path)
    rows = [unique_row(blobs, f"a:{n}", **{"statement": TWIN, "title": None, **facts})
            for n, facts in enumerate((one, other), 1)]
    families = find_families(frame(rows), DedupSettings()).to_list()  # type: ignore[call-arg]
    assert families == (["a:1", "a:1"] if together else ["a:1", "a:2"])
