"""Assets of the collection stage."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import polars as pl

from microcoder_assets import clock, plan
from microcoder_assets.abandoned import mark
from microcoder_assets.collection.benchmark import benchmark_result
from microcoder_assets.collection.platforms import UNDATED_MONTH
from microcoder_assets.collection.records import Source
from microcoder_assets.collection.scrape import Scraper, home_of
from microcoder_assets.collection.web.source import Record, WebSource
from microcoder_assets.figures import months_plot
from microcoder_assets.nights.tags import NIGHT, PARTIAL
from microcoder_assets.nights.window import WEB
from microcoder_assets.partitions import MONTH_PLATFORM, partitions_of
from microcoder_assets.publication.card import BENCHMARK_CARD
from microcoder_assets.publication.export import export
from microcoder_assets.publishing import materialized, publish, publish_partition
from microcoder_assets.reports import inline_png, markdown_table
from microcoder_assets.resources import Workspace
from microcoder_assets.schema import SCRAPED, conform
from microcoder_assets.stage import StageResult
from microcoder_assets.store import ParquetStore, Partition


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
    if NIGHT in context.run.tags:
        mark(workspace.running, context.run_id)
    wanted = set(partitions_of(context.partition_keys))
    platforms = sorted({partition.platform for partition in wanted})
    served = [source for source in project.open_sources() if not set(platforms).isdisjoint(source.platforms)]
    files = [source for source in served if not isinstance(source, WebSource)]
    sites = [source for source in served if isinstance(source, WebSource)]
    for site in sites:
        _collect(context, site, wanted)
    missing = {platform: by for platform, by in project.alarms().items() if platform in platforms}
    if missing:
        context.instance.add_run_tags(context.run_id, {PARTIAL: ", ".join(sorted(missing))})
    inputs = {platform: plan.inputs_of_platform(project, platform, files) for platform in platforms}
    stored = {Partition.named(m.partition) for m in project.store.manifests("scraped_problems")}
    scraper = Scraper(project.store.blobs, project.settings.collection, wanted)
    for source in [*files, *sites]:  # what files hold is kept
        for partition, record in _filed(source, wanted):
            if partition.platform in platforms:
                scraper.add(record, source.kind, partition)
    found = scraper.results()
    manifests = []
    for partition in sorted(wanted & (stored | found.keys())):
        result = found.get(partition) or StageResult(conform(pl.DataFrame(), SCRAPED), [])
        made_from = inputs[partition.platform].of(partition.month)
        web = inputs[partition.platform].web.get(partition.month)
        manifests.append(publish_partition(context, project, result, partition, made_from, {WEB: web} if web else None))
    plot = inline_png(months_plot(_standing_months(project.store), "platform"), "what stands")
    more = {"what stands": dg.MetadataValue.md(plot), **_not_whole(missing)}
    return materialized(context, project, manifests, more)


def _not_whole(missing: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Which sources this run could not have whole, and why; nothing where it had all."""
    rows = [(platform, *alarm) for platform, by in sorted(missing.items()) for alarm in by.items()]
    told = pl.DataFrame(rows, schema=["platform", "reason", "detail"], orient="row")
    return {"not whole": dg.MetadataValue.md(markdown_table(told))} if rows else {}


def _standing_months(store: ParquetStore) -> pl.DataFrame:
    """month, group (the platform), problems: of all partitions, whichever run made them."""
    named = [(*manifest.partition.split("|"), manifest.rows) for manifest in store.manifests("scraped_problems")]
    counts = pl.DataFrame(named, schema={"month": pl.String, "group": pl.String, "problems": pl.Int64}, orient="row")
    dated = pl.when(pl.col("month") != UNDATED_MONTH).then(pl.col("month"))
    return counts.with_columns(month=dated.str.to_date("%Y-%m"))


def _collect(context: dg.AssetExecutionContext, source: WebSource, wanted: set[Partition]) -> None:
    """Ask the sites for those wanted months that are due; what goes wrong is an alarm, and the run goes on."""
    now = clock.now()
    for platform in source.platforms:
        months = [month for month in source.due(platform, now) if Partition(month, platform) in wanted]
        if months:
            found = source.collect(platform, months, now)
            counts = f"{len(found.new)} new, {len(found.changed)} changed, {len(found.vanished)} vanished"
            context.log.info(f"{platform}: {counts} in the site's lists")
            for reason, detail in source.cursor(platform).alarms.items():
                context.log.warning(f"{platform}: {reason}: {detail}")


def _filed(source: Source, wanted: set[Partition]) -> Iterator[tuple[Partition, Record]]:
    """Records with their partitions; of a web source those of the wanted partitions only."""
    if isinstance(source, WebSource):
        for partition in sorted(wanted):
            if partition.platform in source.platforms:
                for record in source.records_of(partition.platform, partition.month):
                    yield partition, record
        return
    for record in source.records():
        yield home_of(record), record


@dg.asset(group_name="collection", code_version=plan.code_version("livecodebench_problems"), kinds={"parquet"})
def livecodebench_problems(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Any]:
    """The pinned LiveCodeBench release: what is scored, and never trained on."""
    project = workspace.project()
    version = plan.inputs_of(project, "livecodebench_problems")
    result = benchmark_result(project.benchmark, project.settings.benchmark.release)
    folder = export(project.exports / "livecodebench", result.frame, ("test",), version[:16], BENCHMARK_CARD)
    counts = result.frame.group_by("release", "difficulty").len("problems").sort("release", "difficulty")
    months = result.frame.group_by(month=pl.col("published").dt.month_start(), group="difficulty").len("problems")
    plot = inline_png(months_plot(months, "difficulty"), "months")
    return publish(
        context,
        project,
        result,
        inputs=version,
        extra={"export": str(folder.relative_to(project.home))},
        metadata={
            "releases": dg.MetadataValue.md(markdown_table(counts)),
            "months": dg.MetadataValue.md(plot),
            "export": dg.MetadataValue.path(folder),
        },
    )
