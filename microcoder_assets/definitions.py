"""Everything Dagster loads: `workspace.yaml` names this module."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from microcoder_assets.automation import build_schedules, curation_job, training_job
from microcoder_assets.checks import ASSET_CHECKS
from microcoder_assets.collection.assets import livecodebench_problems, scraped_problems
from microcoder_assets.described import described
from microcoder_assets.evaluation.assets import livecodebench_scores
from microcoder_assets.filtering.assets import calibrated_problems, scored_problems, selected_problems
from microcoder_assets.nights.settings import load_operations
from microcoder_assets.processing.assets import normalized_problems, prepared_problems, unique_problems
from microcoder_assets.project import home_from_environment
from microcoder_assets.publication.assets import train_split
from microcoder_assets.resources import Workspace, plain_logger
from microcoder_assets.sensors import failure_alerts, night_alerts, stale_and_delivery
from microcoder_assets.training.assets import grpo_policy, insight_experiments
from microcoder_assets.verification.assets import verified_problems

ASSETS = [
    scraped_problems,
    livecodebench_problems,
    normalized_problems,
    unique_problems,
    prepared_problems,
    scored_problems,
    calibrated_problems,
    selected_problems,
    verified_problems,
    train_split,
    grpo_policy,
    insight_experiments,
    livecodebench_scores,
]


def build_defs(home: Path) -> dg.Definitions:
    """Fresh definitions over one home folder; tests and the CLI give their own."""
    return dg.Definitions(
        assets=described(ASSETS),
        asset_checks=ASSET_CHECKS,
        jobs=[curation_job, training_job],
        schedules=build_schedules(load_operations(home).schedule),
        sensors=[failure_alerts, night_alerts, stale_and_delivery(ASSETS)],
        resources={"workspace": Workspace(home=str(home)), "pipes": dg.PipesSubprocessClient()},
        loggers={"console": plain_logger},
        executor=dg.in_process_executor,
    )


defs = build_defs(home_from_environment())
