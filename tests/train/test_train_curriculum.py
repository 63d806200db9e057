from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest
from trl.trainer.utils import RepeatSampler

from microcoder_train.curriculum import BANDS, SCHEDULES, PromptSampler, adaptive_weight, band_weights
from microcoder_train.errors import TrainError

PROBLEMS = [f"p{number}" for number in range(30)]
LEVELS = [BANDS[number % 3] for number in range(30)]


def sampler(curriculum: str, solved: Any = None, **changes: Any) -> PromptSampler:
    arguments = {"prompts": 4, "generations": 2, "repeats": 3, "rollouts": 40, "seed": 5, **changes}
    return PromptSampler(PROBLEMS, LEVELS, curriculum, solved=solved or {}, **arguments)


def test_uniform_is_trls_order_in_every_epoch_from_wherever_it_starts() -> None:
    theirs = RepeatSampler(PROBLEMS, mini_repeat_count=2, batch_size=4, repeat_count=3, seed=5)
    ours = sampler("uniform")
    assert len(ours) == len(theirs)
    for epoch in range(3):
        ours.set_epoch(epoch)
        assert list(ours) == list(theirs)
    resumed = sampler("uniform")
    resumed.set_epoch(2)
    assert list(resumed) == list(ours)


@pytest.mark.parametrize("curriculum", [*SCHEDULES, "adaptive"])
def test_an_epoch_is_repeated_as_trl_wants_and_equal_seeds_give_equal_orders(curriculum: str) -> None:
    order = list(sampler(curriculum))
    assert order == list(sampler(curriculum))
    assert order != list(sampler(curriculum, seed=6))
    assert len(order) == len(sampler(curriculum))
    for start in range(0, len(order), 24):
        first = order[start : start + 8]
        assert order[start : start + 24] == first * 3
        assert first[::2] == first[1::2]
        assert len(set(first)) == 4


def test_bands_follow_the_schedule() -> None:
    shares = [Counter(LEVELS[place] for n in range(a, b) for place in sampler("hard").rollout(n))
              for a, b in itertools.pairwise((0, 7, 17, 40))]  # fmt: skip
    assert [counts.most_common(1)[0][0] for counts in shares] == ["easy", "medium", "hard"]
    assert {LEVELS[place] for n in range(40) for place in sampler("medium").rollout(n)} == {"medium"}
    assert [LEVELS[sampler("classic").rollout(n)[0]] for n in (0, 39)] == ["easy", "hard"]
    assert [LEVELS[sampler("reverse").rollout(n)[0]] for n in (0, 39)] == ["hard", "easy"]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_weights_are_shares_at_every_point_of_the_run(schedule: str) -> None:
    for percent in range(101):
        assert sum(band_weights(schedule, percent / 100).values()) == pytest.approx(1)


def test_a_soft_schedule_has_the_weights_of_the_table() -> None:
    assert band_weights("soft", 10 / 40) == {"easy": 0.15, "medium": 0.8, "hard": 0.05}
    assert band_weights("soft", 29.9 / 40) == {"easy": 0.15, "medium": 0.4, "hard": 0.45}


def test_fewer_problems_than_a_rollout_takes_are_taken_again() -> None:
    few = PromptSampler(["a", "b"], ["medium", "easy"], "medium", prompts=2, generations=2, repeats=1,
                        rollouts=1, seed=0, solved={})  # fmt: skip
    assert few.rollout(0) == [0, 0]


def test_a_band_without_problems_is_refused() -> None:
    with pytest.raises(TrainError, match="difficulty easy, hard"):
        PromptSampler(["a"], ["medium"], "soft", prompts=1, generations=2, repeats=1, rollouts=1, seed=0, solved={})


def test_adaptive_prefers_what_is_sometimes_solved_and_ignores_the_rollout_before() -> None:
    assert adaptive_weight(0, 0) == 1 > adaptive_weight(1, 8) > adaptive_weight(0, 8) > 0
    known = {0: {problem: (4, 8) if problem == "p7" else (0, 800) for problem in PROBLEMS}}
    own = sampler("adaptive", known, prompts=1)
    drawn = Counter(place for number in range(2, 40) for place in own.rollout(number))
    assert drawn.most_common(1)[0][0] == 7
    assert own.rollout(1) == sampler("adaptive", prompts=1).rollout(1)


def test_hard_focus_measures_every_problem_once_and_then_keeps_the_least_solved() -> None:
    per_epoch = len(PROBLEMS) // 4
    solved = {0: {problem: (number % 8, 8) for number, problem in enumerate(PROBLEMS)}}
    own = sampler("hard_focus", solved, focus=5)
    assert [own.rollout(n) for n in range(per_epoch)] == [sampler("uniform").rollout(n) for n in range(per_epoch)]
    drawn = Counter(place for n in range(per_epoch, 40) for place in own.rollout(n))
    assert {PROBLEMS[place] for place in drawn} == {"p0", "p8", "p16", "p24", "p17"}
    assert max(drawn.values()) < 2 * min(drawn.values())


def test_hard_focus_goes_by_the_latest_measure_and_breaks_ties_by_band() -> None:
    solved = {0: {problem: (0 if problem in ("p3", "p5", "p7") else 8, 8) for problem in PROBLEMS}}
    own = sampler("hard_focus", solved, focus=2, prompts=1)
    assert [LEVELS[place] for place in (3, 5, 7)] == ["easy", "hard", "medium"]
    assert {own.rollout(n)[0] for n in range(31, 60)} == {5, 7}
    solved[31] = {"p5": (8, 8), "p9": (0, 0)}
    assert {own.rollout(n)[0] for n in range(33, 60)} == {3, 7}
    assert own.rollout(32)[0] in (5, 7)


def test_hard_focus_measures_a_problem_that_its_first_epoch_left_out() -> None:
    solved = {0: {problem: (1, 8) for problem in PROBLEMS if problem != "p12"}}
    assert {sampler("hard_focus", solved, focus=1, prompts=1).rollout(n)[0] for n in range(31, 40)} == {12}
