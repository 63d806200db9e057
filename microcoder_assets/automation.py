"""Jobs and the nightly schedule."""

import datetime as dt
import os

import dagster as dg

from microcoder_assets import plan
from microcoder_assets.collection.platforms import PLATFORMS
from microcoder_assets.partitions import range_tags

CURATION = plan.until("train_split")
NIGHTLY_VARIABLE = "MICROCODER_NIGHTLY"

curation_job = dg.define_asset_job(
    "curation_job",
    selection=dg.AssetSelection.assets(*CURATION),
    description="From scraping to the train split, for a range of months and platforms.",
)
training_job = dg.define_asset_job(
    "training_job",
    selection=dg.AssetSelection.assets("grpo_policy", "livecodebench_scores"),
    description="Fine-tune on the current split and score it. Started on purpose, never by a cheap trigger.",
)


def trailing_months(now: dt.datetime) -> tuple[str, str]:
    """The month before `now`'s and its own: late edits and added tests arrive after a contest."""
    before = now.replace(day=1) - dt.timedelta(days=1)
    return f"{before:%Y-%m}", f"{now:%Y-%m}"


@dg.schedule(
    job=curation_job,
    cron_schedule="0 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING
    if os.environ.get(NIGHTLY_VARIABLE) == "1"
    else dg.DefaultScheduleStatus.STOPPED,
)
def nightly_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Every night at 03:00 UTC: the running and the previous contest month, and all that follows from them."""
    now = context.scheduled_execution_time.astimezone(dt.UTC)
    first, last = trailing_months(now)
    return dg.RunRequest(run_key=f"{now:%Y-%m-%d}", tags=range_tags(first, last, PLATFORMS[0], PLATFORMS[-1]))
