"""Assets of the filtering stage: predict, calibrate, select."""

import os
from typing import Any

import dagster as dg
import polars as pl

from microcoder_assets import plan
from microcoder_assets.config import load_policy
from microcoder_assets.filtering.attempts import solver_name
from microcoder_assets.filtering.calibrate import calibrate
from microcoder_assets.filtering.plots import bands_plot, reliability_plot, score_histogram
from microcoder_assets.filtering.rubric import load_rubric
from microcoder_assets.filtering.score import make_scorer, score_problems, scored_before, scored_from, scoring_name
from microcoder_assets.filtering.select import select
from microcoder_assets.filtering.solver import attempt_problems
from microcoder_assets.filtering.what_if import composition
from microcoder_assets.processing.assets import prepared_problems
from microcoder_assets.publishing import publish
from microcoder_assets.reports import inline_png, markdown_table
from microcoder_assets.resources import Workspace, progress
from microcoder_assets.schema import PREPARED, SCORED, SELECTED


@dg.asset(
    group_name="filtering",
    deps=[prepared_problems],
    code_version=plan.code_version("scored_problems"),
    pool="llm",
    kinds={"parquet"},
)
def scored_problems(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Any]:
    """Five rubric dimensions for each problem, every draw kept."""
    project = workspace.project()
    inputs = plan.inputs_of(project, "scored_problems")
    rubric = load_rubric()
    scorer = make_scorer(project.settings.scoring, rubric, project.store.packs("llm"))
    manifests = project.store.manifests("prepared_problems")
    made_from = f"{scorer.name} {plan.inputs_of(project, 'scored_problems', apart='prepared_problems')}"
    before = scored_before(project.store, made_from, manifests)
    result = score_problems(project.store.scan("prepared_problems", PREPARED), scorer, rubric, before)
    project.store.keep("scorings", scoring_name(scorer, rubric), result.frame)
    plot = inline_png(score_histogram(result.frame), "scores")
    return publish(
        context,
        project,
        result,
        inputs=inputs,
        metadata={"scorer": scorer.name, "rubric": rubric.version, "scores": dg.MetadataValue.md(plot)},
        extra=scored_from(made_from, manifests),
    )


@dg.asset(
    group_name="filtering",
    deps=[scored_problems],
    code_version=plan.code_version("calibrated_problems"),
    kinds={"parquet"},
)
def calibrated_problems(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Any]:
    """Each score mapped to an expected solve rate and a difficulty band."""
    project = workspace.project()
    inputs = plan.inputs_of(project, "calibrated_problems")
    scored = project.store.read("scored_problems", SCORED)
    problems = project.store.scan("prepared_problems", PREPARED)
    settings = project.settings
    attempted = None
    if settings.calibration.model:
        key = os.environ.get("OPENAI_API_KEY")
        with progress("attempting", problems.select(pl.len()).collect().item()) as done:
            attempted = attempt_problems(
                scored, problems, project.store, settings.calibration, settings.verification, key, done
            )
        context.log.info(f"{settings.calibration.model}: {attempted.counts}")
    result, report = calibrate(scored, problems, settings.calibration, attempted.frame if attempted else None)
    project.store.keep("calibrations", solver_name(settings.calibration), result.frame)
    plots = {"reliability": reliability_plot(report), "bands over score": bands_plot(result.frame)}
    tables = {"evidence": report.platforms, "inputs": report.comparison, "bands": report.bands}
    return publish(
        context,
        project,
        result,
        inputs=inputs,
        metadata={
            **(attempted.counts if attempted else {}),
            **{name: dg.MetadataValue.md(inline_png(plot, name)) for name, plot in plots.items()},
            **{name: dg.MetadataValue.md(markdown_table(table)) for name, table in tables.items()},
        },
        extra={"calibration": report.measured()},
    )


@dg.asset(
    group_name="filtering",
    deps=[calibrated_problems],
    code_version=plan.code_version("selected_problems"),
    kinds={"parquet"},
)
def selected_problems(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Any]:
    """Those hard and clean enough to train on, as the selection policy draws them."""
    project = workspace.project()
    inputs = plan.inputs_of(project, "selected_problems")
    calibrated = project.store.read("calibrated_problems", SELECTED)
    problems = project.store.scan("prepared_problems", PREPARED)
    policy = load_policy(project.settings.selection.policy)
    result, report = select(calibrated, problems, policy)
    tables = {name: dg.MetadataValue.md(markdown_table(table)) for name, table in composition(report.rows).items()}
    return publish(
        context,
        project,
        result,
        inputs=inputs,
        metadata={"policy": dg.MetadataValue.json(policy.model_dump(mode="json")), **tables},
    )
