"""Start `microcoder_train` as a process of its own and listen to it through Dagster Pipes."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from typing import Any

import dagster as dg

from microcoder_assets.config import TrainingSettings
from microcoder_assets.errors import UserError


def options(settings: TrainingSettings) -> list[str]:
    """What every command of `microcoder_train` takes."""
    config = ["--config", str(settings.config)] if settings.config else []
    return ["--preset", settings.preset, "--seed", str(settings.seed), *config]


def launch(
    context: dg.AssetExecutionContext, client: dg.PipesSubprocessClient, arguments: Sequence[str]
) -> dg.MaterializeResult[Any]:
    """Run `python -m microcoder_train ARGUMENTS`; what it reported. Raises UserError when torch is not installed."""
    if importlib.util.find_spec("torch") is None:
        raise UserError("training and evaluation need torch: pip install 'microcoder[train]', or stop at train_split")
    command = [sys.executable, "-m", "microcoder_train", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    invocation = client.run(command=command, context=context, env=environment)
    return invocation.get_materialize_result()
