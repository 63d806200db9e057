"""Assets of the verification stage."""

from typing import Any

import dagster as dg

from microcoder_assets import plan
from microcoder_assets.filtering.assets import selected_problems
from microcoder_assets.publishing import publish
from microcoder_assets.reports import inline_png, markdown_table
from microcoder_assets.resources import Workspace, progress
from microcoder_assets.schema import PREPARED, SELECTED
from microcoder_assets.verification.plots import kill_matrix, strength_histogram
from microcoder_assets.verification.readability import drop_unreadable, open_reader
from microcoder_assets.verification.verify import at_engine, verify

RUNS = ("references_run", "wrong_run", "wrong_rejected", "mutants_run", "mutants_killed", "tests_run")
"""Columns of VERIFIED whose sums the asset shows."""


@dg.asset(
    group_name="verification",
    deps=[selected_problems],
    code_version=plan.code_version("verified_problems"),
    kinds={"python", "parquet"},
)
def verified_problems(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Any]:
    """Problems whose tests, checker and statement are proven usable by running known solutions."""
    project = workspace.project()
    inputs = plan.inputs_of(project, "verified_problems")
    selected = project.store.read("selected_problems", SELECTED)
    problems = project.store.scan("prepared_problems", PREPARED)
    cache = project.store.packs("verdicts")
    settings, engine = at_engine(project.settings.verification, project.settings.fan_out)
    with progress("verifying", selected.height) as done:
        result = verify(selected, problems, project.store.blobs, cache, settings, done, engine)
    if reader := open_reader(project.settings.readability, project.store.packs("llm")):
        result = drop_unreadable(result, problems, reader)
    runs = result.frame.select(RUNS).sum()
    flags = result.frame["flags"].explode().drop_nulls().value_counts(sort=True)
    plots = {
        "test strength": strength_histogram(result.frame, project.settings.verification.weak_below),
        "kill matrix": kill_matrix(result.frame),
    }
    return publish(
        context,
        project,
        result,
        inputs=inputs,
        metadata={
            **{name: counts[0] for name, counts in runs.to_dict().items()},
            "flags": dg.MetadataValue.md(markdown_table(flags)),
            **{title: dg.MetadataValue.md(inline_png(plot, title)) for title, plot in plots.items()},
        },
    )
