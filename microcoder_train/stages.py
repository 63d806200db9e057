"""Values that change at a step: `140=1.2,300=1.5` is 1.2 from step 140 on and 1.5 from step 300 on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from microcoder_train.config import TrainSettings
from microcoder_train.errors import TrainError

Number = TypeVar("Number", int, float)


def parse_stages(name: str, text: str, kind: Callable[[str], Number]) -> list[tuple[int, Number]]:
    """(step, value) pairs, steps rising, values above 0. name: of the setting. Raises TrainError on another form."""
    try:
        found = [(int(step), kind(value)) for step, value in (item.split("=") for item in text.split(",") if item)]
    except ValueError as error:
        raise TrainError(f"{name} {text!r}: write STEP=VALUE, comma-separated") from error
    steps = [step for step, _ in found]
    if not found or steps != sorted(set(steps)) or any(not 0 < value < math.inf for _, value in found):
        raise TrainError(f"{name} {text!r}: give rising steps and values above 0")
    return found


def staged(stages: Sequence[tuple[int, Number]], step: int, first: Number) -> Number:
    """The value at `step`; `first` before the first stage."""
    return ([first] + [value for start, value in stages if start <= step])[-1]


def length_stages(settings: TrainSettings) -> list[tuple[int, int]]:
    """L_max by step, from step 0 on. Raises TrainError where it falls: what was learnt at length would be cut off."""
    later = parse_stages("context_stages", settings.context_stages, int) if settings.context_stages else []
    lengths = [settings.max_completion_tokens, *(tokens for _, tokens in later)]
    if lengths != sorted(lengths):
        raise TrainError(
            f"context_stages {settings.context_stages!r}: L_max starts at max_completion_tokens = {lengths[0]} and may "
            "only rise"
        )
    return [(0, lengths[0]), *later]
