"""From a stage's result to the store and to what the web UI shows of it. The one way for an asset to publish."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl

from microcoder_assets import plan
from microcoder_assets.project import Project
from microcoder_assets.reports import markdown_table
from microcoder_assets.schema import Schema, of_problems
from microcoder_assets.stage import GOES_ON, REASONS, Kind, StageResult
from microcoder_assets.store import Manifest, Part, Partition

EXAMPLES_SHOWN = 20
STORY = "`microcoder lineage PROBLEM` tells a row's whole story, with `--html` as a page."


def publish(
    context: dg.AssetExecutionContext,
    project: Project,
    result: StageResult,
    *,
    metadata: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
    inputs: str | None = None,
) -> dg.MaterializeResult[Any]:
    """Publish the rows of an asset without partitions. inputs: the fingerprint, where it was taken before the work."""
    asset = context.asset_key.to_user_string()
    manifest = publish_partition(context, project, result, Partition(), inputs or plan.inputs_of(project, asset), extra)
    return materialized(context, project, [manifest], metadata)


def publish_parts(
    context: dg.AssetExecutionContext,
    project: Project,
    parts: Iterable[Part],
    schema: Schema,
    *,
    inputs: str,
    metadata: Mapping[str, Any] | None = None,
) -> dg.MaterializeResult[Any]:
    """Publish an asset that is made as a whole, by partitions. inputs: the fingerprint, taken before the work."""
    asset = context.asset_key.to_user_string()
    version, run_id = plan.code_version(asset), context.run_id
    manifests = project.store.publish_parts(
        asset, parts, schema=schema, inputs=inputs, code_version=version, run_id=run_id
    )
    return materialized(context, project, manifests, metadata)


def publish_partition(
    context: dg.AssetExecutionContext,
    project: Project,
    result: StageResult,
    partition: Partition,
    inputs: str,
    extra: Mapping[str, Any] | None = None,
) -> Manifest:
    asset = context.asset_key.to_user_string()
    return project.store.publish(
        asset,
        result,
        partition=partition,
        inputs=inputs,
        code_version=plan.code_version(asset),
        run_id=context.run_id,
        extra=dict(extra or {}),
    )


def materialized(
    context: dg.AssetExecutionContext,
    project: Project,
    manifests: Sequence[Manifest],
    metadata: Mapping[str, Any] | None = None,
) -> dg.MaterializeResult[Any]:
    """What Dagster records: rows, where they went, why, and examples of those that did not go on."""
    context.log.info(summary_line(context.asset_key.to_user_string(), manifests))
    version = hashlib.sha256("".join(manifest.sha256 for manifest in manifests).encode()).hexdigest()
    decisions = project.store.scan_decisions(manifests)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(manifest.rows for manifest in manifests),
            "funnel": dg.MetadataValue.md(markdown_table(funnel(decisions))),
            "decisions": dg.MetadataValue.md(markdown_table(_reasons(decisions))),
            "not going on": dg.MetadataValue.md(_examples(decisions)),
            **_merges(decisions),
            **(metadata or {}),
        },
        data_version=dg.DataVersion(version[:16]),
    )


def summary_line(asset: str, manifests: Iterable[Manifest]) -> str:
    counted: Counter[str] = Counter()
    for manifest in manifests:
        counted.update(manifest.counts)
    counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(counted.items()))
    return f"{asset}: {counted.total():,} in, {counts or 'nothing to decide'}"


def funnel(decisions: pl.LazyFrame) -> pl.DataFrame:
    """platform, came_in, and a column of rows for each kind of decision; a line for all where there are several."""
    counted = [
        pl.len().alias("came_in"),
        *((pl.col("decision") == kind.value).sum().alias(kind.value) for kind in Kind),
    ]
    by_platform = decisions.group_by(platform=_platform(pl.col("problem_id"))).agg(counted).collect()
    by_platform = by_platform.sort("came_in", "platform", descending=[True, False])
    if by_platform.height < 2:
        return by_platform
    return pl.concat([by_platform, by_platform.select(pl.lit("all").alias("platform"), pl.exclude("platform").sum())])


def _platform(problem_id: pl.Expr) -> pl.Expr:
    return problem_id.str.extract("^[^:]*", 0)


def _reasons(decisions: pl.LazyFrame) -> pl.DataFrame:
    counts = decisions.group_by("decision", "reason").agg(problems=pl.len()).collect()
    ordered = counts.sort("problems", "decision", "reason", descending=[True, False, False])
    return ordered.with_columns(meaning=pl.col("reason").replace_strict(REASONS, default=None))


def examples(decisions: pl.LazyFrame) -> pl.DataFrame:
    """Up to EXAMPLES_SHOWN decisions that ended a row's way: of every reason equally many, as far as there are.
    Which ones is drawn by a hash of the ids, so that equal decisions give equal examples."""
    keys = ["problem_id", "ref", "decision", "reason"]
    ended = decisions.filter(~pl.col("decision").is_in([kind.value for kind in GOES_ON])).select(keys).collect()
    drawn = ended.sort(pl.struct("problem_id", "ref").hash(0), "problem_id")
    turn = pl.int_range(pl.len()).over("decision", "reason")
    shown = drawn.with_columns(turn=turn).sort("turn", "decision", "reason").head(EXAMPLES_SHOWN)
    told = shown.join(of_problems(decisions, shown["problem_id"]).collect(), on=keys)
    return told.sort("decision", "reason", "problem_id").select(
        "problem_id", "decision", "reason", "detail", pl.col("parents").list.join(", ")
    )


def _merges(decisions: pl.LazyFrame) -> dict[str, dg.MetadataValue[Any]]:
    """Where rows were merged: from which platform into which, by what rule, and how alike the least alike were."""
    merged = decisions.filter(decision=Kind.MERGED.value).collect()
    if not merged.height:
        return {}
    into = pl.col("parents").list.first()
    by = _platform(pl.col("problem_id")).alias("platform"), _platform(into).alias("into"), pl.col("reason")
    counts = merged.group_by(by).agg(
        problems=pl.len(), lowest_score=pl.col("score").min(), example=pl.format("{} into {}", "problem_id", into).min()
    )
    ordered = counts.sort("problems", "platform", "into", "reason", descending=[True, False, False, False])
    return {"merges": dg.MetadataValue.md(markdown_table(ordered))}


def _examples(decisions: pl.LazyFrame) -> str:
    shown = examples(decisions)
    return f"{markdown_table(shown) if shown.height else 'Every row went on.'}\n\n{STORY}"
