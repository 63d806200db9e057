"""The sampling temperature by the diversity of what is sampled.

Source: arXiv 2603.07777, section 2.4: D is the share of distinct 4-grams in the responses to a query; the temperature
is chosen so that D settles, and is then constant or raised in stages. The paper gives no rule and no threshold: 4-grams
of tokens, the average over queries, the band of D, the rule of `choose` and the guarded schedule are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from microcoder_train.config import TrainSettings
from microcoder_train.errors import TrainError
from microcoder_train.stages import parse_stages, staged

NGRAM = 4


def diversity(groups: Sequence[Sequence[Sequence[int]]]) -> float | None:
    """Mean over queries of distinct / all 4-grams of a query's responses (token ids). A query whose responses are all
    shorter than four tokens is left out; None if every one is."""
    shares = []
    for group in groups:
        grams = [tuple(ids[start : start + NGRAM]) for ids in group for start in range(len(ids) - NGRAM + 1)]
        if grams:
            shares.append(len(set(grams)) / len(grams))
    return sum(shares) / len(shares) if shares else None


def choose(found: Mapping[float, float | None], low: float) -> float:
    """The lowest temperature whose D is at least `low`, the band's lower end; the highest where none reaches it. Ours.

    found: temperature -> D, measured before training. A temperature below the band loses diversity until it fails,
    and one far above it swings (section 2.4); so the least that is enough.
    """
    enough = [temperature for temperature, value in found.items() if value is not None and value >= low]
    return min(enough) if enough else max(found)


class TemperatureSchedule:
    """The temperature of each rollout: `constant`, `staged` (by step) or `guarded` (by D; see `update`)."""

    def __init__(self, settings: TrainSettings) -> None:
        own = settings
        self._settings = own
        staged_by_step = own.temperature_schedule == "staged"
        self._stages = parse_stages("temperature_stages", own.temperature_stages, float) if staged_by_step else []
        self.temperature = own.temperature
        self._seen: list[float] = []
        if own.temperature_schedule == "guarded" and not (
            own.diversity_low < own.diversity_high and 0 < own.temperature_min <= own.temperature <= own.temperature_max
        ):
            raise TrainError(
                "the guarded temperature needs diversity_low < diversity_high and "
                "0 < temperature_min <= temperature <= temperature_max"
            )

    def update(self, step: int, diversity: float | None) -> float:
        """The temperature of the rollout that begins at `step`. diversity: D of the rollout before, if it had one.

        Guarded: a temperature is held for `temperature_hold` rollouts. If their mean D then lies below the band, the
        temperature rises by one `temperature_step`, above the band it falls by one; within the band it stays.
        """
        own = self._settings
        if own.temperature_schedule == "staged":
            self.temperature = staged(self._stages, step, own.temperature)
        if own.temperature_schedule == "guarded" and diversity is not None:
            self._seen.append(diversity)
            if len(self._seen) >= own.temperature_hold:
                mean = sum(self._seen) / len(self._seen)
                change = (mean < own.diversity_low) - (mean > own.diversity_high)
                moved = round(self.temperature + change * own.temperature_step, 6)
                self.temperature = min(max(moved, own.temperature_min), own.temperature_max)
                self._seen.clear()
        return self.temperature

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"temperature": self.temperature, "seen": list(self._seen)}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.temperature, self._seen = float(state["temperature"]), list(state["seen"])
