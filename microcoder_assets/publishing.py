"""From a stage's result to the store and to what the web UI shows of it. The one way for an asset to publish."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import dagster as dg
import polars as pl

from microcoder_assets import plan
from microcoder_assets.project import Project
from microcoder_assets.reports import markdown_table
from microcoder_assets.schema import Schema
from microcoder_assets.stage import GOES_ON, StageResult, count_reasons
from microcoder_assets.store import Manifest, Partition
from microcoder_assets.store.ledger import snapshot

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
    return materialized(context, result, schema, [manifest], metadata)


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
    result: StageResult,
    schema: Schema,
    manifests: list[Manifest],
    metadata: Mapping[str, Any] | None = None,
) -> dg.MaterializeResult[Any]:
    """What Dagster records: rows, columns, where rows went and examples of those that did not go on."""
    context.log.info(summary_line(context.asset_key.to_user_string(), result))
    version = hashlib.sha256("".join(manifest.sha256 for manifest in manifests).encode()).hexdigest()
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": result.frame.height,
            "dagster/column_schema": column_schema(schema),
            "decisions": dg.MetadataValue.md(_decisions_table(result)),
            "not going on": dg.MetadataValue.md(_examples(result)),
            **(metadata or {}),
        },
        data_version=dg.DataVersion(version[:16]),
    )


def summary_line(asset: str, result: StageResult) -> str:
    counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(result.counts.items()))
    return f"{asset}: {len(result.decisions):,} in, {counts or 'nothing to decide'}"


def column_schema(schema: Schema) -> dg.TableSchema:
    return dg.TableSchema(columns=[dg.TableColumn(name, str(dtype)) for name, dtype in schema.items()])


def _decisions_table(result: StageResult) -> str:
    counts = count_reasons(result.decisions)
    rows = [(kind.value, reason, count) for (kind, reason), count in counts.most_common()]
    return markdown_table(pl.DataFrame(rows, schema=["decision", "reason", "problems"], orient="row"))


def _examples(result: StageResult) -> str:
    ended = [d for d in result.decisions if d.kind not in GOES_ON][:EXAMPLES_SHOWN]
    if not ended:
        return "every row went on"
    columns = ["problem_id", "decision", "reason", "detail", pl.col("parents").list.join(", ")]
    return markdown_table(snapshot(ended).select(columns))
