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
from microcoder_assets.schema import Schema
from microcoder_assets.stage import GOES_ON, StageResult
from microcoder_assets.store import Manifest, Part, Partition

EXAMPLES_SHOWN = 20


def publish(
    context: dg.AssetExecutionContext,
    project: Project,
    result: StageResult,
    schema: Schema,
    *,
    metadata: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
    inputs: str | None = None,
) -> dg.MaterializeResult[Any]:
    """Publish the rows of an asset without partitions. inputs: the fingerprint, where it was taken before the work."""
    asset = context.asset_key.to_user_string()
    manifest = publish_partition(context, project, result, Partition(), inputs or plan.inputs_of(project, asset), extra)
    return materialized(context, project, schema, [manifest], metadata)


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
    return materialized(context, project, schema, manifests, metadata)


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
    schema: Schema,
    manifests: Sequence[Manifest],
    metadata: Mapping[str, Any] | None = None,
) -> dg.MaterializeResult[Any]:
    """What Dagster records: rows, columns, where rows went and examples of those that did not go on."""
    context.log.info(summary_line(context.asset_key.to_user_string(), manifests))
    version = hashlib.sha256("".join(manifest.sha256 for manifest in manifests).encode()).hexdigest()
    decisions = project.store.read_decisions(manifests)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(manifest.rows for manifest in manifests),
            "dagster/column_schema": column_schema(schema),
            "decisions": dg.MetadataValue.md(_decisions_table(decisions)),
            "not going on": dg.MetadataValue.md(_examples(decisions)),
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


def column_schema(schema: Schema) -> dg.TableSchema:
    return dg.TableSchema(columns=[dg.TableColumn(name, str(dtype)) for name, dtype in schema.items()])


def _decisions_table(decisions: pl.DataFrame) -> str:
    counts = decisions.group_by("decision", "reason").agg(problems=pl.len())
    return markdown_table(counts.sort("problems", "decision", "reason", descending=[True, False, False]))


def _examples(decisions: pl.DataFrame) -> str:
    ended = decisions.filter(~pl.col("decision").is_in([kind.value for kind in GOES_ON])).head(EXAMPLES_SHOWN)
    if not ended.height:
        return "every row went on"
    columns = ["problem_id", "decision", "reason", "detail", pl.col("parents").list.join(", ")]
    return markdown_table(ended.select(columns))
