"""A backfill launched in the web UI: Dagster's own server and daemon make the rows that the command line makes."""

from __future__ import annotations

import datetime as dt
import logging
import time
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.backfill import execute_backfill_iteration
from dagster_webserver.app import create_app_from_workspace_process_context
from small_home import PARTITIONS, SPAN, microcoder, small_home, standing_files
from starlette.testclient import TestClient

from microcoder_assets.operations.backfill import Span, Task
from microcoder_assets.operations.daemon import SILENT_S, waiting
from microcoder_assets.operations.record import UNFINISHED, BackfillRecord
from microcoder_assets.runner import Chunk, prepare_instance
from microcoder_assets.store import Partition

pytestmark = pytest.mark.long

LAUNCH = """mutation($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  }
}"""
SEEN = """query($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename ... on PartitionBackfill {
      status title numPartitions runs { status }
      assetBackfillData { assetBackfillStatuses { ... on AssetPartitionsStatusCounts {
        assetKey { path } numPartitionsTargeted numPartitionsMaterialized numPartitionsFailed
      } } }
    }
  }
  runsFeedOrError(limit: 10, view: ROOTS) { ... on RunsFeedConnection { results { __typename id } } }
}"""


def test_rows_are_the_same_and_a_launch_without_a_daemon_is_told(
    tmp_path: Path, examples_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = small_home(tmp_path / "typed", examples_dir / "archive")
    clicked = small_home(tmp_path / "clicked", examples_dir / "archive")
    monkeypatch.setenv("MICROCODER_HOME", str(clicked.home))
    monkeypatch.setenv("DAGSTER_HOME", str(clicked.home / "dagster"))
    (clicked.home / "dagster").mkdir(parents=True)
    prepare_instance(clicked.home)
    with (clicked.home / "dagster" / "dagster.yaml").open("a", encoding="utf-8") as settings:
        settings.write("\ncode_servers:\n  local_startup_timeout: 900\n")
    target = ModuleTarget("microcoder_assets.definitions", None, None, "microcoder")
    with dg.DagsterInstance.get() as instance, WorkspaceProcessContext(instance, target) as context:
        server = TestClient(create_app_from_workspace_process_context(context))

        def ask(query: str, **variables: Any) -> dict[str, Any]:
            answer = server.post("/graphql", json={"query": query, "variables": variables}).json()
            assert "errors" not in answer, answer
            return answer["data"]

        selection = [{"path": [name]} for name in ("scraped_problems", "normalized_problems")]
        params = {"assetSelection": selection, "partitionNames": list(PARTITIONS)}
        launched = ask(LAUNCH, params=params)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched

        now = dt.datetime.now(dt.UTC)
        trap = waiting(instance).trap(now)
        assert trap is not None and "1 backfill" in trap and "microcoder ui" in trap
        told = microcoder(clicked, "status")
        assert told.exit_code == 0 and f"warning: {trap}" in told.stdout
        assert microcoder(clicked, "doctor").exit_code == 1

        end = time.monotonic() + 400
        while (stored := instance.get_backfill(launched["backfillId"])) and stored.status in UNFINISHED:
            assert time.monotonic() < end
            assert not [error for error in execute_backfill_iteration(context, logging.getLogger("daemon")) if error]
            time.sleep(0.2)
        assert stored is not None and stored.status is BulkActionStatus.COMPLETED_SUCCESS
        assert waiting(instance).trap(now + dt.timedelta(seconds=SILENT_S)) is None

        typed_run = microcoder(typed, "backfill", *SPAN)
        assert typed_run.exit_code == 0, typed_run.output
        assert standing_files(typed) == standing_files(clicked) and len(standing_files(typed)) == 8

        ours = next(each for each in instance.get_backfills() if each.backfill_id != launched["backfillId"])
        seen = ask(SEEN, id=ours.backfill_id)
        page = seen["partitionBackfillOrError"]
        assert page["status"] == "COMPLETED_SUCCESS" and page["numPartitions"] == 4
        assert page["title"].startswith("microcoder backfill: normalized_problems of every platform")
        assert [run["status"] for run in page["runs"]] == ["SUCCESS", "SUCCESS"]
        for counts in page["assetBackfillData"]["assetBackfillStatuses"]:
            assert counts["numPartitionsTargeted"] == counts["numPartitionsMaterialized"] == 4
            assert counts["numPartitionsFailed"] == 0
        feed = [(each["__typename"], each["id"]) for each in seen["runsFeedOrError"]["results"]]
        assert ("PartitionBackfill", ours.backfill_id) in feed and "Run" not in dict(feed)

        # A daemon that ticks while the command line is at work launches nothing of its backfill.
        task = Task(Chunk("harbor", "2026-01", "2026-01"), ("scraped_problems", "normalized_problems"), ("2026-01",))
        record = BackfillRecord.opened(instance, "ours", Span(first="2026-01", last="2026-01"), [task])
        runs = instance.get_runs_count()
        for _ in range(2):
            assert not [error for error in execute_backfill_iteration(context, logging.getLogger("daemon")) if error]
        assert instance.get_runs_count() == runs
        record.advance([task], [])
        record.close()
        stored = instance.get_backfill(record.backfill_id)
        assert stored is not None and stored.status is BulkActionStatus.COMPLETED_SUCCESS
        assert record.made == {Partition("2026-01", "harbor")}
