"""What the web UI says of an asset beside its docstring: who owns it, how fresh it should be, its code, its columns."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import dagster as dg

from microcoder_assets.bundled_files import bundled
from microcoder_assets.store.catalogue import TABLES

OWNERS = {"training": "team:training", "evaluation": "team:training"}
CURATION_OWNER = "team:curation"
"""Whom a group belongs to; a deployment routes its alerts by these names. Ours."""

NIGHTLY = dg.FreshnessPolicy.time_window(warn_window=dt.timedelta(hours=26), fail_window=dt.timedelta(hours=36))
"""A night is late two hours after it is due, and missed half a day after that. Ours."""

DOCUMENTED_AS = {**{asset: asset for asset in TABLES}, "livecodebench_scores": "scores"}
"""The file of `sql/schema` that documents an asset's rows. A policy has none."""

_COLUMN = re.compile(r'^    -- (?P<meaning>\S.*)\n    "?(?P<name>\w+)"? (?P<type>.+?),?$', re.MULTILINE)
_KEY = dg.TableColumnConstraints(nullable=False, unique=True)


def described(assets: Sequence[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """The same assets as the UI should show them. What trains or scores is not expected every night."""
    with_code = dg.with_source_code_references(assets)
    return [asset.map_asset_specs(_described) for asset in with_code if isinstance(asset, dg.AssetsDefinition)]


def _described(spec: dg.AssetSpec) -> dg.AssetSpec:
    owner = OWNERS.get(spec.group_name or "", CURATION_OWNER)
    return spec.replace_attributes(
        owners=[owner],
        freshness_policy=NIGHTLY if owner == CURATION_OWNER else None,
        metadata={**spec.metadata, **_table(spec.key.to_user_string())},
    )


def _table(asset: str) -> dict[str, Any]:
    """The table that `microcoder sql` knows the asset by, and its columns."""
    table = DOCUMENTED_AS.get(asset)
    return {"dagster/table_name": table, "dagster/column_schema": column_schema(table)} if table else {}


def column_schema(table: str) -> dg.TableSchema:
    """Names, types and meanings of a table's columns, as `sql/schema` documents them."""
    text = (bundled("sql") / "schema" / f"{table}.sql").read_text("utf-8")
    return dg.TableSchema(columns=[_column(table, found) for found in _COLUMN.finditer(text)])


def _column(table: str, found: re.Match[str]) -> dg.TableColumn:
    kind = re.sub(r"\(.*\)", "", found["type"])  # the fields of a STRUCT would fill the page
    key = _KEY if found["name"] == "problem_id" and table in TABLES else None
    return dg.TableColumn(found["name"], kind, found["meaning"], constraints=key)
