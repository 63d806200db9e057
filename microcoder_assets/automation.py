"""Jobs, and the schedules that start them with nobody there."""

import datetime as dt
import os
from zoneinfo import ZoneInfo

import dagster as dg

from microcoder_assets import plan
from microcoder_assets.abandoned import end_abandoned
from microcoder_assets.collection.platforms import PLATFORMS
from microcoder_assets.errors import UserError
from microcoder_assets.nights.settings import ScheduleSettings
from microcoder_assets.nights.tags import NIGHT, WEEK
from microcoder_assets.nights.window import months_of_night, platforms_of_night, trailing_months
from microcoder_assets.partitions import range_tags
from microcoder_assets.resources import Workspace

CURATION = plan.until("train_split")
TRAINING = ("grpo_policy", "livecodebench_scores")
NIGHTLY_SCHEDULE = "nightly_schedule"
NIGHTLY_VARIABLE = "MICROCODER_NIGHTLY"
WEEKLY_VARIABLE = "MICROCODER_WEEKLY"
UNDER_WAY = [
    status
    for status in dg.DagsterRunStatus
    if status not in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
]

curation_job = dg.define_asset_job(
    "curation_job",
    selection=dg.AssetSelection.assets(*CURATION),
    description="From scraping to the train split, for a range of months and platforms.",
)
training_job = dg.define_asset_job(
    "training_job",
    selection=dg.AssetSelection.assets(*TRAINING),
    description="Fine-tune on the current split and score it. Started on purpose or weekly, never by a cheap trigger.",
)


def on_by(variable: str) -> bool:
    """Whether the environment turns on what is off in development."""
    return os.environ.get(variable) == "1"


def build_schedules(settings: ScheduleSettings) -> list[dg.ScheduleDefinition]:
    """The nightly and the weekly schedule at the times that the settings give."""
    return [_nightly(settings), _weekly(settings)]


def _nightly(settings: ScheduleSettings) -> dg.ScheduleDefinition:
    hour, minute = settings.nightly_at.split(":")

    @dg.schedule(
        name=NIGHTLY_SCHEDULE,
        job=curation_job,
        cron_schedule=f"{int(minute)} {int(hour)} * * *",
        execution_timezone=settings.timezone,
        default_status=_default(NIGHTLY_VARIABLE),
        description="Every night: the running and the previous contest month, what earlier nights missed, and all that "
        "follows from them.",
    )
    def nightly(context: dg.ScheduleEvaluationContext, workspace: Workspace) -> dg.RunRequest | dg.SkipReason:
        night = context.scheduled_execution_time.astimezone(ZoneInfo(settings.timezone)).date()
        if reason := _held_up(context.instance, workspace, NIGHT):
            return dg.SkipReason(reason)
        tags = {
            **_partitions(workspace, context.scheduled_execution_time, settings),
            "dagster/max_runtime": str(round(settings.longest_night_h * 3600)),
            NIGHT: str(night),
        }
        return dg.RunRequest(run_key=str(night), tags=tags)

    return nightly


def _weekly(settings: ScheduleSettings) -> dg.ScheduleDefinition:
    hour, minute = settings.weekly_at.split(":")

    @dg.schedule(
        name="weekly_schedule",
        job=training_job,
        cron_schedule=f"{int(minute)} {int(hour)} * * {settings.weekly_on[:3]}",
        execution_timezone=settings.timezone,
        default_status=_default(WEEKLY_VARIABLE),
        description="Every week: a policy trained on the split that stands, and its scores.",
    )
    def weekly(context: dg.ScheduleEvaluationContext, workspace: Workspace) -> dg.RunRequest | dg.SkipReason:
        day = context.scheduled_execution_time.astimezone(ZoneInfo(settings.timezone))
        if reason := _held_up(context.instance, workspace, WEEK):
            return dg.SkipReason(reason)
        project = workspace.project()
        if not any(manifest.rows for manifest in project.store.manifests("train_split")):
            return dg.SkipReason("there is no train split yet, or it has no rows")
        if all(plan.is_fresh(project, asset) for asset in TRAINING):
            return dg.SkipReason("the policy that stands was trained and scored on the split that stands")
        week = f"{day:%G-W%V}"
        return dg.RunRequest(run_key=week, tags={WEEK: week})

    return weekly


def _default(variable: str) -> dg.DefaultScheduleStatus:
    return dg.DefaultScheduleStatus.RUNNING if on_by(variable) else dg.DefaultScheduleStatus.STOPPED


def _held_up(instance: dg.DagsterInstance, workspace: Workspace, tag: str) -> str | None:
    """Why the run that is due is not to begin: an earlier one with such a tag is under way. One that was killed is
    reported as failed, and holds nothing up."""
    end_abandoned(instance, workspace.running)
    runs = instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
    earlier = next((run for run in runs if tag in run.tags), None)
    if earlier is None:
        return None
    return f"that of {earlier.tags[tag]} is still under way (run {earlier.run_id}); the next one makes up for it"


def _partitions(workspace: Workspace, now: dt.datetime, settings: ScheduleSettings) -> dict[str, str]:
    """Tags of the range to make. Contest months are UTC months. Where the inputs cannot be read the night begins all
    the same, and its failure says so: a tick that fails tells nobody."""
    now = now.astimezone(dt.UTC)
    try:
        project = workspace.project()
        months, platforms = months_of_night(project, now, settings.catch_up_months), platforms_of_night(project)
    except UserError:
        months, platforms = trailing_months(now), (PLATFORMS[0], PLATFORMS[-1])
    return range_tags(*months, *platforms)
