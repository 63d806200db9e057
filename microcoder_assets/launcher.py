"""How a deployment starts runs: Dagster's default launcher, with an answer to "is that run still alive?".

Dagster's monitoring daemon can only ask launchers that know. Without an answer a run whose code server was restarted or
killed stays "started" for ever, holds its place in a pool and keeps the next night from beginning.
"""

from __future__ import annotations

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

LOST = "its code server no longer runs it; what it had finished is stored, run again to go on"


class CodeServerLauncher(DefaultRunLauncher):
    """Starts runs in the code server, as by default, and asks the server which of them it runs."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """FAILED only where the server answers that it does not run it. A run from a terminal has no server, and one
        that cannot be reached now may answer the next time."""
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if client is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "not started by a code server")
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id))
        except DagsterUserCodeUnreachableError as error:
            return CheckRunHealthResult(WorkerStatus.RUNNING, f"its code server cannot be reached: {error}")
        known = deserialize_value(answer, CanCancelExecutionResult).can_cancel
        return CheckRunHealthResult(WorkerStatus.RUNNING) if known else CheckRunHealthResult(WorkerStatus.FAILED, LOST)
