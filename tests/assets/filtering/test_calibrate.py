from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from microcoder_assets.collection.leetcode import read_ratings
from microcoder_assets.config import BANDS, CalibrationSettings
from microcoder_assets.filtering.bands import Boundaries, band_of, boundaries_of, natural_breaks
from microcoder_assets.filtering.calibrate import calibrate
from microcoder_assets.filtering.calibration_report import measure
from microcoder_assets.filtering.evidence import (
    REFERENCE,
    Link,
    elo_rating,
    evidence_name,
    fit_link,
    population_of,
    solve_rate,
)
from microcoder_assets.filtering.plots import bands_plot, reliability_plot, score_histogram
from microcoder_assets.filtering.public_rates import by_contest, by_month, link_of, read_public_rates, worth
from microcoder_assets.filtering.solve_rate_map import GRID, fit_map, prior_rate
from microcoder_assets.schema import CALIBRATED, DIMENSIONS, SCORED

SETTINGS = CalibrationSettings(bootstrap=40)
UNIT = st.floats(0, 1)


def scored(problems: pl.DataFrame, scores: list[float]) -> pl.DataFrame:
    rows = [
        {**dict.fromkeys(SCORED), "problem_id": i, "content_sha": s, "score": v, **dict.fromkeys(DIMENSIONS, v)}
        for i, s, v in zip(problems["problem_id"], problems["content_sha"], scores, strict=True)
    ]
    return pl.DataFrame(rows, schema=SCORED, orient="row")


def rated(platform: str, count: int, source: str, seed: int = 0) -> tuple[list[dict[str, Any]], list[float]]:
    """Problems whose rating follows their score, with noise: 800 at score 1, 3200 at score 5."""
    generator = np.random.default_rng(seed)
    scores = generator.uniform(1, 5, count)
    values = 800 + 600 * (scores - 1) + generator.normal(0, 200, count)
    rows = [
        {"problem_id": f"{platform}:{n}", "platform": platform, "ratings": [{"source": source, "value": value}]}
        for n, value in enumerate(values.tolist())
    ]
    return rows, scores.tolist()


def ratings_frame(*ratings: list[tuple[str, float]] | None) -> pl.DataFrame:
    rows = [None if r is None else [{"source": s, "value": v} for s, v in r] for r in ratings]
    dtype = pl.List(pl.Struct({"source": pl.String, "value": pl.Float64}))
    return pl.DataFrame({"ratings": pl.Series(rows, dtype=dtype)})


def test_evidence_of_ratings() -> None:
    frame = ratings_frame(
        [("codeforces", 1500.0)],
        [("codeforces", 1900.0)],
        [("zerotrac", 1400.0), ("community", 1600.0)],
        [("codeforces", 800.0), ("gpt_solve_rate", 0.25)],
        [("gpt_solve_rate", 25.0)],
        [("codeforces", float("nan"))],
        [],
        None,
    )
    known = frame.select(rate=solve_rate(), elo=elo_rating(), name=evidence_name())
    codeforces, zerotrac = REFERENCE.links["codeforces"], REFERENCE.links["zerotrac"]
    values = np.array([1500.0, 1900.0])
    mean = (zerotrac.rate(np.array([1400.0]))[0] + Link(1500, 400).rate(np.array([1600.0]))[0]) / 2
    rates = [*codeforces.rate(values), mean, 0.25]
    assert known["rate"].to_list() == [*map(pytest.approx, rates), None, None, None, None]
    assert known["elo"].to_list() == [1500, 1900, 1500, 800, None, None, None, None]
    assert known["name"].to_list()[:5] == [
        "codeforces", "codeforces", "community+zerotrac", "gpt_solve_rate", None,
    ]  # fmt: skip


@given(st.lists(st.tuples(st.floats(1, 5), UNIT, st.integers(0, 3)), min_size=2, max_size=60))
@settings(deadline=None)
def test_a_map_falls_and_stays_a_rate(points: list[tuple[float, float, int]]) -> None:
    scores, rates, weights = (np.array(column, dtype=np.float64) for column in zip(*points, strict=True))
    weights[0] += 1
    values = fit_map(scores, rates, weights)
    assert values.shape == GRID.shape
    assert (np.diff(values) <= 1e-12).all()
    assert ((values >= 0) & (values <= 1)).all()


def test_the_prior_falls() -> None:
    assert (np.diff(prior_rate(GRID)) < 0).all()


@given(st.lists(UNIT, min_size=1), UNIT, UNIT, UNIT)
@settings(deadline=None)
def test_bands_follow_the_boundaries(rates: list[float], a: float, b: float, c: float) -> None:
    hard, medium, easy = sorted((a, b, c))
    boundaries = Boundaries(easy, medium, hard, "fixed")
    bands = pl.DataFrame({"rate": sorted(rates, reverse=True)}).select(band_of(pl.col("rate"), boundaries))
    order = [BANDS.index(band) for band in bands.to_series()]
    assert order == sorted(order)
    for rate, band in zip(sorted(rates, reverse=True), order, strict=True):
        assert band == sum(rate < boundary for boundary in (easy, medium, hard))


def test_platform_pooled_and_prior_maps(unique_rows: Any) -> None:
    many, many_scores = rated("many", 200, "codeforces")
    few, few_scores = rated("few", 10, "zerotrac", seed=1)
    problems = unique_rows(*many, *few, {"problem_id": "none:1", "platform": "none"})
    result, report = calibrate(scored(problems, [*many_scores, *few_scores, 3.0]), problems, SETTINGS)
    evidence = dict(report.platforms.select("platform", "evidence").iter_rows())
    assert evidence == {
        "few": "pooled, 210 rows",
        "many": "codeforces, 200 rows of many",
        "none": "pooled, 210 rows",
        "all": None,
    }
    assert result.frame.filter(problem_id="none:1")["observed_solve_rate"].to_list() == [None]
    lonely = unique_rows({"problem_id": "none:1"})
    alone, _ = calibrate(scored(lonely, [2.5]), lonely, SETTINGS)
    row = alone.frame.row(0, named=True)
    assert (row["evidence"], row["expected_solve_rate"], row["band"]) == ("prior", pytest.approx(0.5), "medium")


def test_rows_are_whole_monotone_and_inside_their_interval(unique_rows: Any) -> None:
    rows, scores = rated("many", 300, "codeforces")
    problems = unique_rows(*rows)
    result, _ = calibrate(scored(problems, scores), problems, SETTINGS)
    frame = result.frame
    assert result.accounted() is None
    assert frame.schema == pl.Schema(CALIBRATED)
    assert sorted(d.problem_id for d in result.decisions) == sorted(problems["problem_id"])
    falling = frame.sort("score")["mapped_solve_rate"].diff().drop_nulls()
    assert (falling <= 1e-12).all()
    for name in ("expected_solve_rate", "mapped_solve_rate"):
        assert frame.select(pl.col(name).is_between(f"{name}_low", f"{name}_high").all()).item()
        assert (frame[f"{name}_low"] < frame[f"{name}_high"]).any()


def test_the_report_measures_on_held_out_folds(unique_rows: Any) -> None:
    rows, scores = rated("many", 1000, "codeforces")
    problems = unique_rows(*rows)
    _, report = calibrate(scored(problems, scores), problems, SETTINGS)
    both = report.platforms.filter(pl.col("platform").is_in(["many", "all"]))
    assert (both["spearman"] > 0.9).all()
    assert (both["calibration_error"] < 0.05).all()
    _, noise = calibrate(scored(problems, scores[::-1]), problems, SETTINGS)
    assert abs(noise.platforms["spearman"][0]) < 0.15
    assert report.bands["rows"].sum() == report.reliability.filter(platform="many")["rows"].sum() == 1000


def test_shuffled_rows_and_second_runs_give_the_same(unique_rows: Any) -> None:
    rows, scores = rated("many", 100, "codeforces")
    problems = unique_rows(*rows)
    given_rows = scored(problems, scores)
    first, report = calibrate(given_rows, problems, SETTINGS)
    second, again = calibrate(given_rows.sample(fraction=1, shuffle=True, seed=3), problems.reverse(), SETTINGS)
    assert_frame_equal(first.frame, second.frame)
    assert list(first.decisions) == list(second.decisions)
    assert reliability_plot(report) == reliability_plot(again)
    assert score_histogram(given_rows) == score_histogram(given_rows.reverse())


def test_no_resamples_give_no_interval(unique_rows: Any) -> None:
    rows, scores = rated("many", 50, "codeforces")
    problems = unique_rows(*rows)
    result, _ = calibrate(scored(problems, scores), problems, CalibrationSettings(bootstrap=0))
    assert result.frame["mapped_solve_rate_low"].null_count() == 50


def test_no_rows_and_small_pictures(unique_rows: Any) -> None:
    empty = unique_rows()
    result, report = calibrate(scored(empty, []), empty, SETTINGS)
    assert result.frame.schema == pl.Schema(CALIBRATED)
    assert report.bands["rows"].to_list() == [0, 0, 0, 0]
    rows, scores = rated("many", 500, "codeforces")
    problems = unique_rows(*rows)
    full = scored(problems, scores)
    pictures = [
        reliability_plot(report),
        score_histogram(scored(empty, [])),
        reliability_plot(calibrate(full, problems, SETTINGS)[1]),
        score_histogram(full),
        bands_plot(result.frame),
        bands_plot(calibrate(full, problems, SETTINGS)[0].frame),
    ]
    for picture in pictures:
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 60_000


def test_a_pooled_map_is_checked_on_held_out_rows_too(unique_rows: Any) -> None:
    one, one_scores = rated("one", 20, "codeforces")
    two, two_scores = rated("two", 25, "community", seed=1)
    problems = unique_rows(*one, *two)
    _, report = calibrate(scored(problems, [*one_scores, *two_scores]), problems, SETTINGS)
    summary = {row["platform"]: row for row in report.platforms.iter_rows(named=True)}
    assert summary["one"]["evidence"] == "pooled, 45 rows"
    assert summary["one"]["calibration_error"] is not None
    assert report.reliability.filter(platform="all")["rows"].sum() == 45


@given(st.floats(0, 3000), st.floats(200, 2000))
def test_a_link_is_found_again_from_what_it_gives(strength: float, scale: float) -> None:
    ratings = np.linspace(strength - scale, strength + scale, 40)
    found = fit_link(ratings, 10 * Link(strength, scale).rate(ratings), np.full(40, 10.0))
    assert (found.strength, found.scale) == (pytest.approx(strength, abs=2), pytest.approx(scale, rel=0.01))


def test_ratings_speak_for_a_solver_only_where_it_tried_enough_of_that_source(unique_rows: Any) -> None:
    rows, scores = rated("many", 200, "codeforces")
    more, more_scores = rated("few", 20, "zerotrac", seed=1)
    problems = unique_rows(*rows, *more)
    weak = Link(1000, 500)
    values = problems.select(pl.col("ratings").list.first().struct.field("value")).to_series().to_numpy()
    solved = np.random.default_rng(0).binomial(8, weak.rate(values))
    tried = problems.select("problem_id").with_columns(attempts=pl.lit(8), solved=pl.Series(solved)).head(100)
    population = population_of(problems.join(tried, on="problem_id", how="left"))
    assert list(population.links) == ["codeforces"]
    assert population.links["codeforces"].strength == pytest.approx(1000, abs=150)
    settings = SETTINGS.model_copy(update={"model": "weak", "step": 7})
    frame = calibrate(scored(problems, [*scores, *more_scores]), problems, settings, tried)[0].frame
    assert frame["model"].unique().to_list() == ["weak"]
    assert frame["step"].unique().to_list() == [7]
    untried = frame.filter(pl.col("attempts").is_null())
    assert untried.filter(pl.col("problem_id").str.starts_with("few"))["observed_solve_rate"].null_count() == 20
    joined = untried.join(problems.with_columns(rate=pl.Series(weak.rate(values))), on="problem_id")
    assert joined.select((pl.col("expected_solve_rate") - pl.col("rate")).abs().mean()).item() < 0.08


def test_attempts_move_a_rate_from_the_map_to_what_they_show(unique_rows: Any) -> None:
    rows, scores = rated("many", 300, "codeforces")
    problems = unique_rows(*rows, {"problem_id": "other:1", "platform": "other"})
    rates = []
    for attempts, solved in ((0, 0), (4, 4), (32, 32)):
        tried = pl.DataFrame({"problem_id": ["other:1"], "attempts": [attempts], "solved": [solved]})
        frame = calibrate(scored(problems, [*scores, 3.0]), problems, SETTINGS, tried)[0].frame
        rates.append(frame.filter(problem_id="other:1").row(0, named=True))
    alone, four, many = rates
    mean, worth = four["mapped_solve_rate"], SETTINGS.map_worth
    assert alone["expected_solve_rate"] == alone["mapped_solve_rate"]
    assert four["expected_solve_rate"] == pytest.approx((mean * worth + 4) / (worth + 4))
    assert many["expected_solve_rate"] > 0.9
    widths = [row["expected_solve_rate_high"] - row["expected_solve_rate_low"] for row in rates]
    assert widths == sorted(widths, reverse=True)


@given(st.lists(UNIT, min_size=8, max_size=60))
def test_natural_breaks_spread_least(rates: list[float]) -> None:
    values = (np.floor(np.array(rates) * 20).clip(0, 19) + 0.5) / 20  # centres of the cells
    edges = natural_breaks(values, classes=3, cells=20)
    assert edges == sorted(edges)

    def spread(cuts: list[float]) -> float:
        groups = np.digitize(values, cuts)
        return sum(float(((values[groups == g] - values[groups == g].mean()) ** 2).sum()) for g in set(groups))

    every = np.arange(21) / 20
    least = min(spread([low, high]) for low in every for high in every if low <= high)
    assert spread(edges) == pytest.approx(least, abs=1e-9)


def test_boundaries_come_from_the_data_unless_they_are_fixed_or_few() -> None:
    clusters = pl.Series([0.1, 0.35, 0.6, 0.9] * 200)
    found = boundaries_of(clusters, SETTINGS)
    assert found.origin == "data"
    assert 0.1 < found.hard <= 0.35 < found.medium <= 0.6 < found.easy <= 0.9
    fixed = Boundaries(SETTINGS.easy_above, SETTINGS.medium_above, SETTINGS.hard_above, "fixed")
    assert boundaries_of(clusters, SETTINGS.model_copy(update={"boundaries": "fixed"})) == fixed
    assert boundaries_of(clusters.head(100), SETTINGS) == fixed
    assert boundaries_of(pl.Series([0.5] * 1000), SETTINGS) == fixed


@pytest.mark.parametrize("inputs", ["features", "both"])
def test_features_speak_where_the_score_is_silent(unique_rows: Any, inputs: str) -> None:
    generator = np.random.default_rng(0)
    words = generator.integers(20, 400, 400)
    rows = [
        {
            "problem_id": f"many:{n}",
            "platform": "many",
            "contest": str(n // 4),
            "statement": "word " * int(length),
            "ratings": [{"source": "codeforces", "value": 800.0 + 6 * int(length)}],
        }
        for n, length in enumerate(words)
    ]
    problems = unique_rows(*rows)
    noise = scored(problems, generator.uniform(1, 5, 400).tolist())
    settings = SETTINGS.model_copy(update={"inputs": inputs})
    frame, report = calibrate(noise, problems, settings)
    table = {(row["inputs"], row["held_out"]): row for row in report.comparison.iter_rows(named=True)}
    assert len(table) == 6
    for held_out in ("cross-validated", "newest fifth"):
        assert abs(table["score", held_out]["spearman"] or 0) < 0.3
        assert table[inputs, held_out]["spearman"] > 0.9
        assert table[inputs, held_out]["brier"] < table["score", held_out]["brier"] / 2
    mapped = frame.frame.join(problems.with_columns(words=pl.Series(words)), on="problem_id")
    assert mapped.select(pl.corr("mapped_solve_rate", "words", method="spearman")).item() < -0.9


@pytest.mark.data
def test_calibrated_rates_agree_with_public_pass_rates(data_dir: Path) -> None:
    """Of contests, and of months, that the link from rating to rate was not fitted to."""
    public = read_public_rates(data_dir / "livecodebench")
    ratings = read_ratings(data_dir / "leetcode-zerotrac" / "data.json")
    values = [(f"leetcode:{slug}", rating.value) for slug, rating in ratings.items()]
    known = pl.DataFrame(values, ["problem_id", "rating"], orient="row")
    rated = public.join(known, on="problem_id")
    assert rated.height == 444
    for checked in (by_contest(rated), by_month(rated)):
        found = measure(checked)
        print(f"{checked.height} rows: {found}, worth {worth(checked):.1f} attempts")
        assert found["calibration_error"] < 0.08  # type: ignore[operator]  # measured 0.035 and 0.040
        assert found["spearman"] > 0.75  # type: ignore[operator]
    link, shipped = link_of(rated), REFERENCE.links["zerotrac"]
    assert (link.strength, link.scale) == (pytest.approx(shipped.strength, abs=5), pytest.approx(shipped.scale, abs=5))
