"""Assets of the collection stage."""

from typing import Any

import dagster as dg
import polars as pl

from microcoder_assets import plan
from microcoder_assets.collection.benchmark import benchmark_result
from microcoder_assets.collection.scrape import Scraper, home_of
from microcoder_assets.partitions import MONTH_PLATFORM, partitions_of
from microcoder_assets.publication.card import BENCHMARK_CARD
from microcoder_assets.publication.export import export
from microcoder_assets.publishing import materialized, publish, publish_partition
from microcoder_assets.reports import markdown_table
from microcoder_assets.resources import Workspace
from microcoder_assets.schema import BENCHMARK, SCRAPED, conform
from microcoder_assets.stage import StageResult
from microcoder_assets.store import Partition


@dg.asset(
    group_name="collection",
    partitions_def=MONTH_PLATFORM,
    backfill_policy=dg.BackfillPolicy.single_run(),
    code_version=plan.code_version("scraped_problems"),
    kinds={"parquet"},
)
def scraped_problems(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Any]:
    """Contest problems as their sources serve them, by contest month and platform."""
    project = workspace.project()
    wanted = set(partitions_of(context.partition_keys))
    platforms = sorted({partition.platform for partition in wanted})
    inputs = {platform: plan.inputs_of_platform(project, platform) for platform in platforms}
    stored = {Partition(*m.partition.split("|")) for m in project.store.manifests("scraped_problems")}
    scraper = Scraper(project.store.blobs, project.settings.collection, wanted)
    for source in project.open_sources():
        if not set(platforms).isdisjoint(source.platforms):
            for record in source.records():
                if record.platform in platforms:
                    scraper.add(record, source.kind, home_of(record))
    found = scraper.results()
    results, manifests = [], []
    for partition in sorted(wanted & (stored | found.keys())):
        result = found.get(partition) or StageResult(conform(pl.DataFrame(), SCRAPED), [])
        manifests.append(publish_partition(context, project, result, partition, inputs[partition.platform]))
        results.append(result)
    return materialized(context, StageResult.together(results, SCRAPED), SCRAPED, manifests)


@dg.asset(group_name="collection", code_version=plan.code_version("livecodebench_problems"), kinds={"parquet"})
def livecodebench_problems(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Any]:
    """The pinned LiveCodeBench release: what is scored, and never trained on."""
    project = workspace.project()
    version = plan.inputs_of(project, "livecodebench_problems")
    result = benchmark_result(project.benchmark)
    folder = export(project.exports / "livecodebench", result.frame, ("test",), version[:16], BENCHMARK_CARD)
    counts = result.frame.group_by("release", "difficulty").len("problems").sort("release", "difficulty")
    return publish(
        context,
        project,
        result,
        BENCHMARK,
        inputs=version,
        extra={"export": str(folder.relative_to(project.home))},
        metadata={"releases": dg.MetadataValue.md(markdown_table(counts)), "export": dg.MetadataValue.path(folder)},
    )
