"""The model of a problem's inputs, whichever form they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from microcoder_assets.verification.argument_inputs import argument_model
from microcoder_assets.verification.inputs import InputModel
from microcoder_assets.verification.stdin_inputs import stdin_model


def input_model(row: Mapping[str, Any], inputs: Sequence[bytes]) -> InputModel:
    """row: PREPARED. inputs: of all its tests; the model accepts each. Raises NoGenerator saying why there is none."""
    return argument_model(row, inputs) if row["io_mode"] == "function" else stdin_model(row, inputs)
