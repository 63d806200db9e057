"""A backfill of the command line in Dagster's own books: the web UI shows it, and its runs, as one backfill.

Dagster has no way to say that a backfill is made by someone else than its daemon. The record says that all of it was
requested already: a daemon that happens to run then launches nothing, and keeps the counts of the page up to date.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.execution.asset_backfill import AssetBackfillData
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill
from dagster._core.storage.tags import BACKFILL_ID_TAG

from microcoder_assets.abandoned import is_alive
from microcoder_assets.operations.backfill import Span, Task
from microcoder_assets.partitions import MONTH_PLATFORM
from microcoder_assets.store import Partition

ASKED = "microcoder/backfill"
"""Tag of the record that says what was asked for; a backfill with it is the command line's."""

UNFINISHED = (BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING)
RESUMABLE = (BulkActionStatus.CANCELED, BulkActionStatus.FAILED, BulkActionStatus.COMPLETED_FAILED)
NOTHING = AssetGraphSubset.create_empty_subset()


class BackfillRecord:
    """One backfill of the command line. Its methods write to the instance at once."""

    def __init__(self, instance: dg.DagsterInstance, backfill_id: str) -> None:
        self._instance = instance
        self.backfill_id = backfill_id

    @classmethod
    def opened(
        cls, instance: dg.DagsterInstance, backfill_id: str, span: Span, tasks: Sequence[Task]
    ) -> BackfillRecord:
        """A new record, or the one of that id, which goes on. Its process has marked itself alive before."""
        record = cls(instance, backfill_id)
        target = _subset(tasks)
        if instance.get_backfill(backfill_id):
            record._reopen(target)
        else:
            now = time.time()
            data = AssetBackfillData.empty(target, now, instance)
            instance.add_backfill(
                PartitionBackfill(
                    backfill_id=backfill_id,
                    status=BulkActionStatus.REQUESTED,
                    from_failure=False,
                    tags={ASKED: span.model_dump_json()},
                    backfill_timestamp=now,
                    asset_selection=[dg.AssetKey(name) for name in span.assets],
                    title=f"microcoder backfill: {span}"[:100],
                    asset_backfill_data=_requested(data),
                )
            )
        return record

    @property
    def run_tags(self) -> Mapping[str, str]:
        return {BACKFILL_ID_TAG: self.backfill_id}

    @property
    def canceled(self) -> bool:
        """Whether someone canceled it in the web UI."""
        return self._stored().status in (BulkActionStatus.CANCELING, BulkActionStatus.CANCELED)

    @property
    def made(self) -> set[Partition]:
        """Partitions of which every asset is made."""
        subsets = _data(self._stored()).materialized_subset.partitions_subsets_by_asset_key
        wanted = span_of(self._stored()).assets
        keys = [set(subsets[key].get_partition_keys()) if key in subsets else set() for key in map(dg.AssetKey, wanted)]
        return {Partition.named(name) for name in set.intersection(*keys)}

    def advance(self, made: Sequence[Task], failed: Sequence[Task]) -> None:
        """Say which chunks are done so far."""
        canceled = self.canceled
        self._update(
            BulkActionStatus.CANCELING if canceled else BulkActionStatus.REQUESTED,
            made=_subset(made),
            failed=_subset(failed),
        )

    def close(self, *, failed: bool = False, stopped: bool = False) -> None:
        """stopped: before all was tried."""
        tried = BulkActionStatus.COMPLETED_FAILED if failed else BulkActionStatus.COMPLETED_SUCCESS
        self._update(BulkActionStatus.CANCELED if stopped else tried)

    def _stored(self) -> PartitionBackfill:
        stored = self._instance.get_backfill(self.backfill_id)
        assert stored is not None
        return stored

    def _reopen(self, target: AssetGraphSubset) -> None:
        """What is to be made again has not been made; the rest stays as it was."""
        data = _data(self._stored())
        self._write(
            BulkActionStatus.REQUESTED,
            data._replace(
                target_subset=data.target_subset | target,
                materialized_subset=data.materialized_subset - target,
                failed_and_downstream_subset=NOTHING,
            ),
        )

    def _update(
        self, status: BulkActionStatus, made: AssetGraphSubset | None = None, failed: AssetGraphSubset | None = None
    ) -> None:
        data = _data(self._stored())
        self._write(
            status,
            data._replace(
                materialized_subset=data.materialized_subset | (made or NOTHING),
                failed_and_downstream_subset=data.failed_and_downstream_subset if failed is None else failed,
            ),
        )

    def _write(self, status: BulkActionStatus, data: AssetBackfillData) -> None:
        ended = None if status in UNFINISHED else time.time()
        self._instance.update_backfill(
            self._stored()._replace(
                status=status, asset_backfill_data=_requested(data), backfill_end_timestamp=ended
            )
        )


def marks_folder(home: Path) -> Path:
    """Where the process of a backfill of the command line marks itself alive."""
    return home / "backfilling"


def close_abandoned(instance: dg.DagsterInstance, home: Path) -> None:
    """Backfills of the command line whose process was killed end as canceled; `resumable` finds them."""
    for each in unfinished(instance):
        if ASKED in each.tags and not is_alive(marks_folder(home), each.backfill_id):
            BackfillRecord(instance, each.backfill_id).close(stopped=True)


def span_of(backfill: PartitionBackfill) -> Span:
    return Span.model_validate_json(backfill.tags[ASKED])


def unfinished(instance: dg.DagsterInstance) -> list[PartitionBackfill]:
    """Every backfill that is under way or waits, whoever started it, the newest first."""
    return list(instance.get_backfills(filters=BulkActionsFilter(statuses=UNFINISHED)))


def resumable(instance: dg.DagsterInstance, span: Span | None) -> PartitionBackfill | None:
    """The newest backfill of the command line that ended before all was made; of `span`, where that is given."""
    found = instance.get_backfills(filters=BulkActionsFilter(statuses=RESUMABLE))
    ours = [each for each in found if ASKED in each.tags and (span is None or span.covers(span_of(each)))]
    return max(ours, key=lambda each: each.backfill_timestamp, default=None)


def _data(stored: PartitionBackfill) -> AssetBackfillData:
    assert stored.asset_backfill_data is not None
    return stored.asset_backfill_data


def _requested(data: AssetBackfillData) -> AssetBackfillData:
    return data._replace(requested_subset=data.target_subset, requested_runs_for_target_roots=True)


def _subset(tasks: Iterable[Task]) -> AssetGraphSubset:
    keys: dict[dg.AssetKey, set[str]] = {}
    for task in tasks:
        named = {dg.MultiPartitionKey({"month": month, "platform": task.chunk.platform}) for month in task.months}
        for asset in task.assets:
            keys.setdefault(dg.AssetKey(asset), set()).update(named)
    subsets = {key: MONTH_PLATFORM.subset_with_partition_keys(sorted(names)) for key, names in keys.items()}
    return NOTHING._replace(partitions_subsets_by_asset_key=subsets)
