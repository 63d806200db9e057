from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microcoder_train.config import PRESETS, TrainSettings
from microcoder_train.errors import TrainError
from microcoder_train.stages import parse_stages
from microcoder_train.temperature import TemperatureSchedule, choose, diversity

GUARDED = replace(PRESETS["paper"], temperature_schedule="guarded", temperature_hold=2)


def test_diversity_is_distinct_over_all_4_grams_averaged_over_queries() -> None:
    same = [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]
    assert diversity([same]) == 0.5
    assert diversity([same, [[1, 2, 3, 4], [5, 6, 7, 8]]]) == 0.75
    assert diversity([same, [[1, 2, 3], []]]) == 0.5
    assert diversity([[[1, 2, 3]]]) is None


@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=9), min_size=1, max_size=5))
def test_diversity_lies_between_one_4_gram_of_all_and_all(group: list[list[int]]) -> None:
    total = sum(len(ids) - 3 for ids in group)
    found = diversity([group])
    assert found is not None and 1 / total <= found <= 1
    assert diversity([group * 2]) == pytest.approx(found / 2)


def test_staged_temperature_follows_the_step() -> None:
    settings = replace(
        PRESETS["paper"], temperature=0.6, temperature_schedule="staged", temperature_stages="140=1.2,300=1.5"
    )
    schedule = TemperatureSchedule(settings)
    assert [schedule.update(step, 0.5) for step in (0, 139, 140, 299, 300, 900)] == [0.6, 0.6, 1.2, 1.2, 1.5, 1.5]


def test_guarded_temperature_moves_only_when_d_leaves_its_band_and_after_the_hold() -> None:
    schedule = TemperatureSchedule(GUARDED)
    seen = [schedule.update(step, value) for step, value in enumerate([None, 0.7, 0.66, 0.5, 0.6, 0.9, 0.9, 0.7])]
    assert seen == [1.2, 1.2, 1.2, 1.2, 1.3, 1.3, 1.2, 1.2]


def test_guarded_temperature_stays_within_its_bounds() -> None:
    low, high = TemperatureSchedule(GUARDED), TemperatureSchedule(GUARDED)
    for step in range(60):
        low.update(step, 0.0)
        high.update(step, 1.0)
    assert (low.temperature, high.temperature) == (1.8, 0.6)


def test_a_schedule_goes_on_from_its_state_as_if_unbroken() -> None:
    values = [0.5, 0.5, 0.5, 0.9, 0.1, 0.3, 0.9]
    unbroken = TemperatureSchedule(GUARDED)
    broken = TemperatureSchedule(GUARDED)
    for step, value in enumerate(values):
        fresh = TemperatureSchedule(GUARDED)
        fresh.restore(broken.state())
        broken = fresh
        assert broken.update(step, value) == unbroken.update(step, value)


@pytest.mark.parametrize("text", ["", "140", "140=", "x=1", "140=0", "300=1,140=2", "140=1,140=2", "140=nan"])
def test_wrong_stages_are_refused(text: str) -> None:
    with pytest.raises(TrainError, match="temperature_stages"):
        parse_stages("temperature_stages", text, float)


@pytest.mark.parametrize("wrong", [{"diversity_low": 0.8}, {"temperature": 2.0}, {"temperature_min": 0.0}])
def test_a_band_or_bounds_that_cannot_hold_are_refused(wrong: dict[str, float]) -> None:
    settings: TrainSettings = replace(GUARDED, **wrong)  # type: ignore[arg-type]
    with pytest.raises(TrainError, match="guarded"):
        TemperatureSchedule(settings)


def test_the_lowest_temperature_that_is_diverse_enough_is_chosen() -> None:
    assert choose({0.6: 0.4, 1.0: 0.66, 1.4: 0.9}, 0.65) == 1.0
    assert choose({0.6: None, 1.0: 0.2}, 0.65) == 1.0
