"""Start `microcoder_train` as a process of its own and listen to it through Dagster Pipes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg

from microcoder_assets.config import TrainingSettings
from microcoder_assets.train_process import COMMAND, environment, require_torch


def options(settings: TrainingSettings) -> list[str]:
    """What every command of `microcoder_train` that trains or evaluates takes."""
    config = ["--config", str(settings.config)] if settings.config else []
    return ["--preset", settings.preset, "--seed", str(settings.seed), *config]


def launch(
    context: dg.AssetExecutionContext, client: dg.PipesSubprocessClient, arguments: Sequence[str]
) -> dg.MaterializeResult[Any]:
    """Run `python -m microcoder_train ARGUMENTS`; what it reported. Raises UserError when torch is not installed."""
    require_torch("training and evaluation need", "stop at train_split")
    invocation = client.run(command=[*COMMAND, *arguments], context=context, env=environment(threads=1))
    return invocation.get_materialize_result()
