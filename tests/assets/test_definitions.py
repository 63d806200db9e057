"""What Dagster loads: the graph, its partitions, its checks and its schedule."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg

from microcoder_assets.checks import ALARMS
from microcoder_assets.collection.platforms import PLATFORMS
from microcoder_assets.definitions import build_defs
from microcoder_assets.described import DOCUMENTED_AS, OWNERS
from microcoder_assets.drift import DRIFT
from microcoder_assets.partitions import MONTH_PLATFORM, MONTHS
from microcoder_assets.schema import SCORES
from microcoder_assets.store.catalogue import TABLES

CHECKOUT = Path(__file__).resolve().parents[2]
SNAPSHOT = Path(__file__).with_name("asset_graph.json")


def graph(defs: dg.Definitions) -> dict[str, Any]:
    """Every asset with its group, what it reads, whether it is partitioned, and its checks."""
    nodes = defs.resolve_asset_graph()
    checks: dict[str, list[str]] = {}
    for key in nodes.asset_check_keys:
        checks.setdefault(key.asset_key.to_user_string(), []).append(key.name)
    return {
        key.to_user_string(): {
            "group": nodes.get(key).group_name,
            "reads": sorted(parent.to_user_string() for parent in nodes.get(key).parent_keys),
            "partitioned": nodes.get(key).is_partitioned,
            "checks": sorted(checks.get(key.to_user_string(), [])),
        }
        for key in sorted(nodes.get_all_asset_keys())
    }


def test_the_asset_graph_is_the_documented_one(tmp_path: Path) -> None:
    found = graph(build_defs(tmp_path))
    assert found == json.loads(SNAPSHOT.read_text("utf-8")), (
        f"the asset graph changed; if that is meant, write this to {SNAPSHOT.name}:\n{json.dumps(found, indent=1)}"
    )


def test_every_asset_says_whose_it_is_what_it_holds_and_where_its_code_lies(tmp_path: Path) -> None:
    nodes = build_defs(tmp_path).resolve_asset_graph()
    for key in nodes.get_all_asset_keys():
        node, asset = nodes.get(key), key.to_user_string()
        trains = node.group_name in OWNERS
        assert node.description
        assert node.kinds
        assert node.owners == ["team:training" if trains else "team:curation"]
        assert (node.freshness_policy is None) == trains
        (code,) = node.metadata["dagster/code_references"].code_references
        assert Path(code.file_path).name == "assets.py" and code.line_number
        if asset in DOCUMENTED_AS:
            columns = node.metadata["dagster/column_schema"].columns
            assert columns and all(column.type and column.description for column in columns)
            documented = TABLES.get(asset, SCORES)
            assert [column.name for column in columns] == list(documented)


def test_every_check_but_the_alarms_and_the_drift_blocks(tmp_path: Path) -> None:
    nodes = build_defs(tmp_path).resolve_asset_graph()
    alarms = {name for table in (ALARMS, DRIFT) for checks in table.values() for name in checks}
    assert {key.name for key in nodes.asset_check_keys if not nodes.get(key).blocking} == alarms
    assert {key.name for key in nodes.asset_check_keys if nodes.get(key).blocking}.isdisjoint(alarms)


def test_workspace_validates() -> None:
    command = [Path(sys.executable).with_name("dagster"), "definitions", "validate", "-w", "workspace.yaml"]
    run = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr


def test_the_running_month_has_a_partition() -> None:
    now = dt.datetime.now(dt.UTC)
    assert MONTHS.get_last_partition_key() == f"{now:%Y-%m}"
    assert MONTHS.get_first_partition_key() == "1999-12"
    assert len(MONTH_PLATFORM.get_partition_keys()) == len(MONTHS.get_partition_keys()) * len(PLATFORMS)
