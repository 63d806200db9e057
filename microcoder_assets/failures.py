"""Why a run failed, in one line: of the events that Dagster recorded."""

from __future__ import annotations

import re
from collections.abc import Iterable

import dagster as dg
from dagster._core.events import RunFailureReason

from microcoder_assets.checks import CHECKS
from microcoder_assets.errors import UserError


class RunFailed(RuntimeError):
    """A run ended in failure; the message is its cause in one line."""


def cause(
    events: Iterable[dg.DagsterEvent], otherwise: str = "the run failed; `make ui` shows its log"
) -> UserError | RunFailed | KeyboardInterrupt:
    """Of a run that was interrupted KeyboardInterrupt; else of the first check that blocked, or the first step that
    failed: UserError where it is a user's to mend.

    otherwise: what is said of a run in which neither did.
    """
    events = list(events)
    ends = [event.job_failure_data for event in events if event.is_job_failure]
    if any(end.failure_reason is RunFailureReason.UNEXPECTED_TERMINATION for end in ends):
        return KeyboardInterrupt()
    for event in events:
        if event.event_type_value != "ASSET_CHECK_EVALUATION":
            continue
        data = event.asset_check_evaluation_data
        if not data.passed and data.check_name in CHECKS[data.asset_key.to_user_string()]:
            finding = data.metadata["finding"].value
            return RunFailed(f"check {data.check_name} of {data.asset_key.to_user_string()} failed: {finding}")
    for event in events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            if error is not None:
                words = " ".join(re.sub(rf"^[\w.]*{error.cls_name}: ", "", error.message).split())
                if error.cls_name and error.cls_name.endswith("UserError"):
                    return UserError(words)
                return RunFailed(f"{event.step_key} failed: {error.cls_name}: {words}")
    return RunFailed(otherwise)
