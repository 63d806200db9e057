"""Assets of the training stage."""

from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from microcoder_assets import plan
from microcoder_assets.errors import UserError
from microcoder_assets.project import Project
from microcoder_assets.publication.assets import train_split
from microcoder_assets.publishing import publish_partition
from microcoder_assets.resources import Workspace
from microcoder_assets.stage import StageResult
from microcoder_assets.store import Partition
from microcoder_assets.training.experiments import EXPERIMENTS, arguments, record_cells
from microcoder_assets.training.history import record_run
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
    split = _split(project)
    settings = project.settings.training
    out = project.models / "grpo_policy" / inputs[:16]
    line = ["grpo", "--split", str(split), "--out", str(out), "--model", settings.model, *options(settings)]
    if settings.max_steps:
        line += ["--max-steps", str(settings.max_steps)]
    reported = launch(context, pipes, line, project)
    record_run(project.store, out, out.name, "grpo_policy")
    samples = StageResult(pl.read_parquet(out / "validation.parquet"), [])
    extra = {"folder": str(out.relative_to(project.home))}
    publish_partition(context, project, samples, Partition(), inputs, extra)
    return reported


@dg.asset(
    group_name="training",
    deps=[train_split],
    partitions_def=dg.StaticPartitionsDefinition(EXPERIMENTS),
    code_version="1",
    pool="gpu",
    kinds={"pytorch"},
)
def insight_experiments(
    context: dg.AssetExecutionContext, workspace: Workspace, pipes: dg.PipesSubprocessClient
) -> dg.MaterializeResult[Any]:
    """Insights of arXiv 2603.07777 rerun as small grids of runs, several seeds a cell. Started on purpose only: no
    schedule and no run up to another asset makes it."""
    project = workspace.project()
    split = _split(project)
    out = project.models / "insight_experiments" / split.name
    line = arguments(context.partition_key, split, out, project.settings.experiments)
    reported = launch(context, pipes, line, project)
    record_cells(project.store, out)
    return reported


def _split(project: Project) -> Path:
    """The export to train on. Raises UserError where it has no rows."""
    split = project.store.manifest("train_split")
    if split is None or not split.rows:
        raise UserError("train_split has no rows to train on; `microcoder funnel` shows where they went")
    return project.home / str(split.extra["export"])
