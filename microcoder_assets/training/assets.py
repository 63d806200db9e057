"""Assets of the training stage."""

from typing import Any

import dagster as dg
import polars as pl

from microcoder_assets import plan
from microcoder_assets.errors import UserError
from microcoder_assets.publication.assets import train_split
from microcoder_assets.publishing import publish_partition
from microcoder_assets.resources import Workspace
from microcoder_assets.stage import StageResult
from microcoder_assets.store import Partition
from microcoder_assets.training.launch import launch, options


@dg.asset(
    group_name="training",
    deps=[train_split],
    code_version=plan.code_version("grpo_policy"),
    pool="gpu",
    kinds={"pytorch"},
)
def grpo_policy(
    context: dg.AssetExecutionContext, workspace: Workspace, pipes: dg.PipesSubprocessClient
) -> dg.MaterializeResult[Any]:
    """A policy fine-tuned with GRPO on the train split; its curves, config and data version."""
    project = workspace.project()
    inputs = plan.inputs_of(project, "grpo_policy")
    split = project.store.manifest("train_split")
    if split is None or not split.rows:
        raise UserError("train_split has no rows to train on; `microcoder funnel` shows where they went")
    settings = project.settings.training
    out = project.models / "grpo_policy" / inputs[:16]
    arguments = ["grpo", "--split", str(project.home / split.extra["export"]), "--out", str(out)]
    arguments += ["--model", settings.model, *options(settings)]
    if settings.max_steps:
        arguments += ["--max-steps", str(settings.max_steps)]
    reported = launch(context, pipes, arguments, project)
    samples = StageResult(pl.read_parquet(out / "validation.parquet"), [])
    extra = {"folder": str(out.relative_to(project.home))}
    publish_partition(context, project, samples, Partition(), inputs, extra)
    return reported
