"""Sensors: they tell people of failed runs, of nights that ended and of stale assets. No run waits for them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import dagster as dg

from microcoder_assets import clock
from microcoder_assets.automation import NIGHTLY_VARIABLE, curation_job, on_by
from microcoder_assets.failures import cause
from microcoder_assets.nights.alerts import Alert, Kind, channels_of
from microcoder_assets.nights.outbox import outbox_of, raise_alert
from microcoder_assets.nights.settings import load_operations
from microcoder_assets.nights.summary import night_summary
from microcoder_assets.nights.tags import NIGHT, PARTIAL, WEEK
from microcoder_assets.resources import Workspace

EVERY_S = 30
"""Seconds between two looks. Ours: Dagster's default."""

_DEFAULT = dg.DefaultSensorStatus.RUNNING if on_by(NIGHTLY_VARIABLE) else dg.DefaultSensorStatus.STOPPED


@dg.run_failure_sensor(name="failure_alerts", minimum_interval_seconds=EVERY_S, default_status=_DEFAULT)
def failure_alerts(context: dg.RunFailureSensorContext, workspace: Workspace) -> None:
    """Tells of every run of this code location that failed. Runs from a terminal tell whoever sits there."""
    run = context.dagster_run
    events = [entry.dagster_event for entry in context.instance.all_logs(run.run_id) if entry.dagster_event]
    reason = cause(events, otherwise=context.failure_event.message or "its log says why")
    text = f"{reason}\n\nWhat stood before stands; the next run goes on from there."
    _tell(context, workspace, "failure", f"{_name(run)} failed", text, run.run_id)


@dg.run_status_sensor(
    name="night_alerts",
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[curation_job],
    minimum_interval_seconds=EVERY_S,
    default_status=_DEFAULT,
)
def night_alerts(context: dg.RunStatusSensorContext, workspace: Workspace) -> dg.SkipReason | None:
    """Tells of every night that ended: what came, what was kept, and which sources were not whole."""
    run = context.instance.get_run_by_id(context.dagster_run.run_id) or context.dagster_run
    if NIGHT not in run.tags:
        return dg.SkipReason("no night")
    project = workspace.project()
    text = night_summary(project.store, run.run_id)
    if missing := run.tags.get(PARTIAL):
        alarms = [f"{platform}: {detail}" for platform, by in project.alarms().items() for detail in by.values()]
        told = "\n".join([*alarms, "The next night asks again."])
        _tell(context, workspace, "partial", f"{_name(run)} is partial: {missing}", f"{told}\n\n{text}", run.run_id)
    else:
        _tell(context, workspace, "success", f"{_name(run)} is done", text, run.run_id)
    return None


def stale_and_delivery(assets: Sequence[dg.AssetsDefinition]) -> dg.SensorDefinition:
    """The sensor `alert_delivery` over the freshness of `assets`."""
    keys = [spec.key for asset in assets for spec in asset.specs if spec.freshness_policy]

    @dg.sensor(name="alert_delivery", minimum_interval_seconds=EVERY_S, default_status=_DEFAULT)
    def alert_delivery(context: dg.SensorEvaluationContext, workspace: Workspace) -> dg.SensorResult:
        """Tells of assets that are no longer as fresh as their policies ask, and sends what waits."""
        before: dict[str, str] = json.loads(context.cursor or "{}")
        records = context.instance.get_freshness_state_records(keys)
        now = {key.to_user_string(): record.freshness_state.value for key, record in records.items()}
        stale = sorted(name for name, state in now.items() if state == "FAIL" and before.get(name) != "FAIL")
        if stale:
            text = "Not made for longer than their freshness policies allow. Did the last nights run?"
            title, id = f"stale: {', '.join(stale)}", f"stale-{clock.now():%Y%m%dT%H%M%S}"
            _tell(context, workspace, "stale", title, text, None, id)
        settings = load_operations(workspace.path).alerts
        told = outbox_of(workspace.path).deliver(channels_of(settings), settings.keep_h)
        _log(context, told)
        reason = "; ".join(told) or "nothing waits"
        return dg.SensorResult(skip_reason=dg.SkipReason(reason), cursor=json.dumps(now, sort_keys=True))

    return alert_delivery


def _tell(
    context: dg.RunStatusSensorContext | dg.SensorEvaluationContext,
    workspace: Workspace,
    kind: Kind,
    title: str,
    text: str,
    run_id: str | None,
    id: str | None = None,
) -> None:
    settings = load_operations(workspace.path).alerts
    url = f"{settings.ui_url.rstrip('/')}/runs/{run_id}" if settings.ui_url and run_id else None
    alert = Alert(id or f"{kind}-{run_id}", kind, title, text, clock.now().isoformat(), run_id, url)
    _log(context, raise_alert(workspace.path, alert, settings))


def _log(context: dg.RunStatusSensorContext | dg.SensorEvaluationContext, lines: Iterable[str]) -> None:
    for line in lines:
        context.log.warning(line)


def _name(run: dg.DagsterRun) -> str:
    if night := run.tags.get(NIGHT):
        return f"the night of {night}"
    return f"the training of {run.tags[WEEK]}" if WEEK in run.tags else f"{run.job_name} ({run.run_id[:8]})"
