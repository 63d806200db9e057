"""Assets of the processing stage."""

from typing import Any

import dagster as dg

from microcoder_assets import plan
from microcoder_assets.collection.assets import livecodebench_problems, scraped_problems
from microcoder_assets.partitions import MONTH_PLATFORM, partitions_of
from microcoder_assets.processing.contents import LANGUAGE_COLUMNS, contents_of, languages, summed
from microcoder_assets.processing.normalize import normalize
from microcoder_assets.processing.parts import prepared_parts, unique_parts
from microcoder_assets.publishing import materialized, publish_partition, publish_parts
from microcoder_assets.reports import markdown_table
from microcoder_assets.resources import Workspace
from microcoder_assets.schema import PREPARED, SCRAPED, UNIQUE


@dg.asset(
    group_name="processing",
    deps=[scraped_problems],
    partitions_def=MONTH_PLATFORM,
    backfill_policy=dg.BackfillPolicy.single_run(),
    code_version=plan.code_version("normalized_problems"),
    kinds={"parquet"},
)
def normalized_problems(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Any]:
    """The same problems in one schema: clean Markdown, limits, samples, tests, io mode, checker, references."""
    project = workspace.project()
    manifests, contents = [], []
    for partition in sorted(partitions_of(context.partition_keys)):
        if project.store.manifest("scraped_problems", partition) is None:
            continue
        inputs = plan.inputs_of_partition(project, partition)
        scraped = project.store.read("scraped_problems", SCRAPED, [partition])
        result = normalize(scraped, project.store.blobs)
        manifests.append(publish_partition(context, project, result, partition, inputs))
        contents.append(contents_of(result.frame))
    tables = {name: dg.MetadataValue.md(markdown_table(table)) for name, table in summed(contents).items()}
    return materialized(context, project, manifests, tables)


@dg.asset(
    group_name="processing",
    deps=[dg.AssetDep(normalized_problems, partition_mapping=dg.AllPartitionMapping()), livecodebench_problems],
    code_version=plan.code_version("unique_problems"),
    kinds={"parquet"},
)
def unique_problems(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Any]:
    """Each problem once, and none that the benchmark holds."""
    project = workspace.project()
    inputs = plan.inputs_of(project, "unique_problems")
    parts, overlap = unique_parts(project)
    return publish_parts(
        context,
        project,
        parts,
        UNIQUE,
        inputs=inputs,
        metadata={
            "benchmark overlap": dg.MetadataValue.md(markdown_table(overlap.summary())),
            "benchmark problems found": dg.MetadataValue.md(markdown_table(overlap.releases)),
        },
    )


@dg.asset(
    group_name="processing",
    deps=[unique_problems, livecodebench_problems],
    code_version=plan.code_version("prepared_problems"),
    pool="llm",
    kinds={"parquet"},
)
def prepared_problems(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Any]:
    """The same in the languages and the io forms to train on: translated, and over standard input too where wanted."""
    project = workspace.project()
    inputs = plan.inputs_of(project, "prepared_problems")
    came = languages(project.store.read("unique_problems", {name: UNIQUE[name] for name in LANGUAGE_COLUMNS}))
    return publish_parts(
        context,
        project,
        prepared_parts(project),
        PREPARED,
        inputs=inputs,
        metadata={"languages that came in": dg.MetadataValue.md(markdown_table(came))},
    )
