"""A year in few nights, each through the schedule and the job: it ends as one run does, and costs what was new."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from year import Nights, Sites, day_of, down, morning, new_home, standing

from microcoder_assets.nights.window import trailing_months
from microcoder_assets.store.catalogue import query

pytestmark = pytest.mark.long

LIVED = (5, 40, 42, 151, 166, 240, 286, 287)
"""Days: the first contests; a site down, and back; another layout; the leap day, on whose morrow a month begins; a site
down for longer than a night looks back, and back; a day on which nothing happens."""
PACKAGES = {0: "snailpace", 41: "balloonspop", 160: "orchardlog"}


@pytest.fixture
def sites(tmp_path: Path, examples_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sites]:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with Sites(examples_dir / "archive", tmp_path / "packages", PACKAGES) as sites:
        yield sites
    os.environ.pop("DAGSTER_HOME", None)


def test_a_year_of_nights_ends_as_a_single_run_does(sites: Sites, tmp_path: Path) -> None:
    project = new_home(tmp_path / "nightly", sites)
    nights = Nights(project, sites)
    lived = {number: nights.live(number) for number in LIVED}
    assert {number: night.partial for number, night in lived.items()} == {n: ", ".join(down(n)) for n in LIVED}
    assert {n for n, night in lived.items() if night.partial} == {40, 151, 240}
    quiet = lived[287]
    assert (quiet.lines, quiet.programs, quiet.asked[200]) == (0, 0, 0)
    assert sum(night.programs for night in lived.values()) == len(PACKAGES)
    assert all(lived[number].lines for number in LIVED if number != 287)
    assert lived[286].first_month < trailing_months(morning(286))[0] == lived[287].first_month

    once = new_home(tmp_path / "once", sites)
    Nights(once, sites).live(287)  # an empty home: this night goes back to the first month
    assert standing(project) == standing(once)
    days = query(project.store, "SELECT published, count(*) FROM scraped_problems GROUP BY ALL").rows()
    assert day_of(166) in dict(days) and day_of(166).day == 29
    gone = query(project.store, "SELECT count(*) FROM ledger WHERE stage = 'scraped_problems' AND reason = 'vanished'")
    assert gone.item() > 0
