"""Assets of the publication stage."""

from typing import Any

import dagster as dg
import polars as pl

from microcoder_assets import plan
from microcoder_assets.figures import months_plot
from microcoder_assets.processing.benchmark import benchmark_of
from microcoder_assets.processing.proof import nearest_rows
from microcoder_assets.publication.card import dataset_card
from microcoder_assets.publication.export import content_version, export
from microcoder_assets.publication.limits import KNOWN, known_limits
from microcoder_assets.publication.split import build_split
from microcoder_assets.publishing import publish
from microcoder_assets.reports import inline_png
from microcoder_assets.resources import Workspace
from microcoder_assets.schema import CALIBRATED, PREPARED, VERIFIED
from microcoder_assets.store.catalogue import query, report
from microcoder_assets.verification.assets import verified_problems


@dg.asset(
    group_name="publication",
    deps=[verified_problems],
    code_version=plan.code_version("train_split"),
    kinds={"parquet", "huggingface"},
)
def train_split(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Any]:
    """The versioned training set with a held-out validation part, as a Hugging Face folder with its card."""
    project = workspace.project()
    inputs = plan.inputs_of(project, "train_split")
    store = project.store
    result = build_split(
        store.read("verified_problems", VERIFIED),
        store.scan("calibrated_problems", CALIBRATED),
        store.scan("prepared_problems", PREPARED),
        store.blobs,
        project.settings.publication,
        project.settings.dedup,
        store.packs("documents"),
    )
    version = content_version(result.frame)
    earlier = query(store, report("funnel")).filter(pl.col("stage") != "train_split")
    reasons = query(store, report("why_dropped")).filter(pl.col("stage") != "train_split")
    proof = nearest_rows(result.frame, benchmark_of(project), project.settings)
    card = dataset_card(
        result.frame,
        version,
        funnel=earlier,
        reasons=reasons,
        limits=known_limits(result.frame, *(store.scan(asset, columns) for asset, columns in KNOWN.items())),
        proof=proof,
        settings=project.settings.decontamination,
    )
    months = result.frame.group_by(month=pl.col("published").dt.month_start(), group="split").len("problems")
    plot = inline_png(months_plot(months, "part"), "months")
    folder = export(project.exports / "train_split", result.frame, ("train", "validation"), version, card, proof)
    return publish(
        context,
        project,
        result,
        inputs=inputs,
        extra={"export": str(folder.relative_to(project.home)), "data_version": version},
        metadata={
            "months": dg.MetadataValue.md(plot),
            "card": dg.MetadataValue.md(card.split("---", 2)[2]),
            "export": dg.MetadataValue.path(folder),
        },
    )
