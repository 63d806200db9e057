"""Assets of the evaluation stage."""

import json
from typing import Any

import dagster as dg
import polars as pl

from microcoder_assets import plan
from microcoder_assets.collection.assets import livecodebench_problems
from microcoder_assets.errors import UserError
from microcoder_assets.evaluation.command import choices
from microcoder_assets.publishing import publish_partition
from microcoder_assets.resources import Workspace
from microcoder_assets.stage import StageResult
from microcoder_assets.store import Partition
from microcoder_assets.training.assets import grpo_policy
from microcoder_assets.training.launch import launch, options


@dg.asset(
    group_name="evaluation",
    deps=[grpo_policy, livecodebench_problems],
    code_version=plan.code_version("livecodebench_scores"),
    pool="gpu",
    kinds={"pytorch"},
)
def livecodebench_scores(
    context: dg.AssetExecutionContext, workspace: Workspace, pipes: dg.PipesSubprocessClient
) -> dg.MaterializeResult[Any]:
    """The base and the tuned policy on LiveCodeBench: by difficulty, platform and month, with intervals."""
    project = workspace.project()
    inputs = plan.inputs_of(project, "livecodebench_scores")
    policy = project.store.manifest("grpo_policy")
    benchmark = project.store.manifest("livecodebench_problems")
    if policy is None:
        raise UserError("there is no grpo_policy to score yet; run with --until grpo_policy first")
    if benchmark is None or not benchmark.rows:
        raise UserError("there is no benchmark to score on; give one with --benchmark PATH")
    trained = project.home / policy.extra["folder"]
    summary = json.loads((trained / "summary.json").read_text("utf-8"))
    out = project.models / "livecodebench_scores" / inputs[:16]
    arguments = ["evaluate", "--benchmark", str(project.home / benchmark.extra["export"]), "--out", str(out)]
    arguments += ["--model", f"base={trained / summary['base']}", "--model", f"tuned={trained / summary['model']}"]
    arguments += [*options(project.settings.training), *choices(project.settings.evaluation)]
    reported = launch(context, pipes, arguments, project)
    samples = StageResult(pl.read_parquet(out / "scores.parquet"), [])
    extra = {"folder": str(out.relative_to(project.home))}
    publish_partition(context, project, samples, Partition(), inputs, extra)
    return reported
