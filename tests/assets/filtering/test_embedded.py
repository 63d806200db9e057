import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from microcoder_assets.errors import UserError
from microcoder_assets.filtering.embedded import (
    DEFAULT,
    dimension_levels,
    dimension_values,
    load_embedded,
    shifted,
    standardised,
)
from microcoder_assets.filtering.features import FEATURES
from microcoder_assets.filtering.rubric import Rubric
from microcoder_assets.filtering.score import score_problems
from microcoder_assets.schema import DIMENSIONS, SCORED

SCORER = load_embedded()
NUMBER = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))


@given(st.fixed_dictionaries(dict.fromkeys(FEATURES, NUMBER)))
@settings(max_examples=50, deadline=None)
def test_no_input_leaves_the_scale(measured: dict[str, float | None]) -> None:
    frame = pl.DataFrame([measured], schema=dict.fromkeys(FEATURES, pl.Float64), orient="row")
    levels = dimension_levels(SCORER.table, standardised(frame, SCORER.table.features))
    for values in dimension_values(levels).values():
        assert 1 <= values[0] <= 5


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_a_dimension_is_monotone_in_each_of_its_features(dimension: str) -> None:
    for feature, coefficient in SCORER.table.dimensions[dimension].coefficients.items():
        z = {name: np.zeros(9) for name in SCORER.table.features} | {feature: np.linspace(-4, 4, 9)}
        steps = np.diff(dimension_values(dimension_levels(SCORER.table, z))[dimension])
        assert (steps * np.sign(coefficient) >= 0).all()
        assert coefficient == 0 or (steps != 0).all()


def test_every_row_is_scored_once_in_any_order(unique_rows: Any, rubric: Rubric) -> None:
    rows = unique_rows(*({"statement": "word " * n, "tags": ["dp"], "io_mode": "stdin"} for n in range(30)))
    result = score_problems(rows, SCORER, rubric)
    assert result.accounted() is None
    assert result.frame.schema == pl.Schema(SCORED)
    assert {(d.problem_id, d.reason) for d in result.decisions} == {(f"site:{n}", "scored") for n in range(30)}
    assert_frame_equal(result.frame, score_problems(rows.reverse(), SCORER, rubric).frame)
    weighted = sum(rubric.dimensions[name].weight * result.frame[name] for name in DIMENSIONS)
    assert result.frame["score"].to_list() == pytest.approx(weighted.to_list())


def test_a_score_does_not_depend_on_how_many_are_scored_with_it(unique_rows: Any, rubric: Rubric) -> None:
    code = {"name": "a.py", "label": "accepted", "language": "python"}
    rows = unique_rows(
        *(
            {"statement": f"word {n} " * (n % 17 + 1), "tags": ["dp"] * (n % 2), "platform": ("codeforces", "x")[n % 2],
             "references": [{**code, "code": "print(1)\n" * (n % 5)}]}
            for n in range(40)
        )
    )  # fmt: skip
    together = score_problems(rows, SCORER, rubric).frame
    for size in (1, 3, 16):
        apart = [score_problems(part, SCORER, rubric).frame for part in rows.iter_slices(size)]
        assert_frame_equal(pl.concat(apart).sort("problem_id"), together, check_exact=True)


@pytest.fixture(scope="module")
def contests(unique_rows: Any) -> pl.DataFrame:
    """Contests of four LeetCode problems that grow in length, the last of them without a contest."""
    return unique_rows(  # type: ignore[no-any-return]
        *(
            {"statement": f"count the pairs {n} " * (1 + 9 * (n % 4)), "tags": [("array", "dp", "math", "tree")[n % 4]],
             "platform": "leetcode", "io_mode": "function", "contest": f"weekly-{n // 4}" if n < 20 else None}
            for n in range(24)
        )
    )  # fmt: skip


def test_contests_stay_together_however_many_rows_are_taken_at_once(
    contests: pl.DataFrame, rubric: Rubric, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = score_problems(contests, SCORER, rubric).frame
    for at_once in (1, 3, 6):
        monkeypatch.setattr("microcoder_assets.filtering.score.ROWS_AT_A_TIME", at_once)
        monkeypatch.setattr("microcoder_assets.filtering.embedded.ROWS_AT_A_TIME", at_once)
        assert_frame_equal(score_problems(contests, SCORER, rubric).frame, whole, check_exact=True)


def test_a_score_hangs_on_the_others_of_the_contest_and_on_no_more(contests: pl.DataFrame, rubric: Rubric) -> None:
    def scores(rows: pl.DataFrame) -> dict[str, float]:
        return dict(score_problems(rows, SCORER, rubric).frame.select("problem_id", "score").iter_rows())

    whole = scores(contests)
    first = {f"site:{n}" for n in range(4)}
    hardest = max(first, key=whole.__getitem__)
    fewer = scores(contests.filter(pl.col("problem_id") != hardest))
    assert {name for name, score in fewer.items() if score != whole[name]} == first - {hardest}
    assert all(fewer[name] > whole[name] for name in first - {hardest})
    elsewhere = contests.with_columns(platform=pl.lit("elsewhere"))
    alone = scores(elsewhere.with_columns(contest=pl.lit(None, pl.String)))
    assert scores(elsewhere) == alone, "contests of platforms that no model knows may be of another kind"


def test_rows_say_that_it_is_not_the_model(unique_rows: Any, rubric: Rubric) -> None:
    row = score_problems(unique_rows({}), SCORER, rubric).frame.row(0, named=True)
    assert row["scorer"] == SCORER.name == f"embedded:{SCORER.version}"
    assert row["rubric_version"] == rubric.version == SCORER.table.rubric_version
    assert row["uncertainty"] == SCORER.table.ratings["codeforces"].residual_sd > 0
    assert [draw["cost_usd"] for draw in row["draws"]] == [0.0]


def test_no_rows(unique_rows: Any, rubric: Rubric) -> None:
    assert score_problems(unique_rows(), SCORER, rubric).frame.schema == pl.Schema(SCORED)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda table: table.pop("ratings"), "ratings"),
        (lambda table: table["ratings"].update(nowhere=table["ratings"]["leetcode"]), "embedded.npz"),
        (lambda table: table["dimensions"].pop("mathematics"), "missing"),
        (lambda table: table["features"].pop("log_words"), "missing"),
        (lambda table: table["dimensions"]["mathematics"]["coefficients"].update(luck=1.0), "luck"),
        (lambda table: table["features"]["log_words"].update(sd=0), "sd"),
    ],
)
def test_a_damaged_table_is_named(tmp_path: Path, damage: Any, says: str) -> None:
    table = json.loads(DEFAULT.read_text(encoding="utf-8"))
    damage(table)
    path = tmp_path / "embedded.json"
    path.write_text(json.dumps(table), encoding="utf-8")
    path.with_suffix(".npz").write_bytes(DEFAULT.with_suffix(".npz").read_bytes())
    with pytest.raises(UserError, match=says):
        load_embedded(path)


@given(st.lists(st.tuples(*[st.floats(-8, 8)] * 5, st.floats(1.05, 4.95)), min_size=1, max_size=5))
def test_the_shift_makes_dimensions_agree_with_the_score(rows: list[tuple[float, ...]]) -> None:
    *levels, scores = np.array(rows).T
    values = shifted(dict(zip(DIMENSIONS, levels, strict=True)), scores, SCORER.rubric)
    assert SCORER.rubric.score(values) == pytest.approx(scores, abs=1e-6)


def test_nothing_of_the_place_or_the_label_is_read(unique_rows: Any, rubric: Rubric) -> None:
    row = {"statement": "Count the trees.", "tags": ["dp"]}
    told = row | {
        "native_id": "1900F",
        "contest": "1900",
        "difficulty_label": "hard",
        "ratings": [{"source": "codeforces", "value": 3500.0}],
    }
    plain, known = (score_problems(unique_rows(r), SCORER, rubric).frame for r in (row, told))
    assert plain["score"].to_list() == known["score"].to_list()
