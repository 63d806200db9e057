"""When nights and trainings begin, when they do not and why, and what people are told of them."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange

from microcoder_assets import automation, clock
from microcoder_assets.automation import NIGHTLY_VARIABLE, WEEKLY_VARIABLE, build_schedules
from microcoder_assets.collection.web.cursor import Cursor
from microcoder_assets.errors import UserError
from microcoder_assets.nights.outbox import outbox_of
from microcoder_assets.nights.settings import ScheduleSettings
from microcoder_assets.nights.tags import NIGHT, PARTIAL, WEEK
from microcoder_assets.nights.window import months_of_night, trailing_months
from microcoder_assets.partitions import MONTH_PLATFORM
from microcoder_assets.project import Project
from microcoder_assets.resources import Workspace
from microcoder_assets.sensors import failure_alerts, night_alerts, stale_and_delivery

AT = dt.datetime(2026, 4, 3, 3, tzinfo=dt.UTC)
START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as instance:
        yield instance


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A home with a web source and two channels that nobody listens on."""
    web, home = tmp_path / "web", tmp_path / "home"
    web.mkdir()
    home.mkdir()
    (web / "web.toml").write_text('contact = "me"\n[codeforces]\nsince = "2025-01"\n[atcoder]\nsince = "2026-03"\n')
    (home / "url").write_text("http://127.0.0.1:9/")
    (home / "operations.toml").write_text(
        '[alerts]\nui_url = "http://ui.example.org/"\n[alerts.webhook]\nurl = { file = "url" }\n'
    )
    Project(home, (f"web:{web}",), None, None).save()
    collected(tmp_path, {f"2025-{month:02}": AT for month in range(1, 13)} | {"2026-01": AT, "2026-02": AT})
    return Workspace(home=str(home))


def collected(folder: Path, months: dict[str, dt.datetime]) -> None:
    Cursor(collected=months).save(folder / "web" / "codeforces.json")


def tick(
    instance: dg.DagsterInstance, workspace: Workspace, name: str = "nightly", at: dt.datetime = AT, **more: Any
) -> Any:
    """The run request of a schedule, or the reason why there is none."""
    (schedule,) = [s for s in build_schedules(ScheduleSettings(**more)) if s.name == f"{name}_schedule"]
    resources = {"workspace": workspace}
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at, resources=resources)
    found = schedule(context)
    return found.skip_message if isinstance(found, dg.SkipReason) else found


@dg.op
def works() -> None: ...


@dg.op
def breaks() -> None:
    raise UserError("mend the settings")


@dg.job
def curation_job() -> None:
    works()


@dg.job
def broken_job() -> None:
    breaks()


def under_way(instance: dg.DagsterInstance, **tags: str) -> dg.DagsterRun:
    status = dg.DagsterRunStatus.STARTED
    return instance.create_run_for_job(
        curation_job, status=status, tags={f"microcoder/{k}": v for k, v in tags.items()}
    )


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (dt.datetime(2026, 11, 21), ("2026-10", "2026-11")),
        (dt.datetime(2027, 1, 1), ("2026-12", "2027-01")),
        (dt.datetime(2024, 3, 1), ("2024-02", "2024-03")),
        (dt.datetime(2024, 2, 29), ("2024-01", "2024-02")),
    ],
)
def test_a_night_covers_the_running_and_the_previous_month(now: dt.datetime, expected: tuple[str, str]) -> None:
    assert trailing_months(now) == expected


def test_a_night_goes_back_to_what_earlier_nights_missed(workspace: Workspace, tmp_path: Path) -> None:
    project = workspace.project()
    assert months_of_night(project, AT, 12) == ("2026-03", "2026-04")
    collected(tmp_path, {f"2025-{month:02}": AT for month in range(1, 11)} | {"2026-01": AT, "2026-02": AT})
    assert months_of_night(project, AT, 12) == ("2025-11", "2026-04")
    collected(tmp_path, {})
    assert months_of_night(project, AT, 12) == ("2025-03", "2026-04")
    assert months_of_night(project, AT, 0) == ("2026-03", "2026-04")


def test_a_night_asks_for_partitions_that_exist_of_the_platforms_that_are_served(
    instance: dg.DagsterInstance, workspace: Workspace
) -> None:
    request = tick(instance, workspace)
    assert (request.run_key, request.tags[NIGHT]) == ("2026-04-03", "2026-04-03")
    assert (request.tags[START], request.tags[END]) == ("2026-03|codeforces", "2026-04|atcoder")
    assert {request.tags[START], request.tags[END]} <= set(MONTH_PLATFORM.get_partition_keys())
    assert request.tags["dagster/max_runtime"] == "72000"


@pytest.mark.parametrize(
    ("zone", "at", "night", "month"),
    [
        ("Asia/Tokyo", "2026-03-31T18:00", "2026-04-01", "2026-03"),  # April there, March where contests are dated
        ("America/New_York", "2026-04-01T07:00", "2026-04-01", "2026-04"),
        ("Europe/Berlin", "2026-10-25T02:00", "2026-10-25", "2026-10"),  # the clock goes back an hour
    ],
)
def test_the_night_is_named_by_the_time_zone_and_the_months_are_utc(
    instance: dg.DagsterInstance, workspace: Workspace, zone: str, at: str, night: str, month: str
) -> None:
    request = tick(instance, workspace, at=dt.datetime.fromisoformat(f"{at}+00:00"), timezone=zone)
    assert (request.run_key, request.tags[END]) == (night, f"{month}|atcoder")


def test_times_and_zone_are_the_settings(workspace: Workspace) -> None:
    settings = ScheduleSettings(timezone="Europe/Berlin", nightly_at="04:05", weekly_on="tuesday", weekly_at="22:30")
    nightly, weekly = build_schedules(settings)
    assert (nightly.cron_schedule, nightly.execution_timezone) == ("5 4 * * *", "Europe/Berlin")
    assert (weekly.cron_schedule, weekly.execution_timezone) == ("30 22 * * tue", "Europe/Berlin")


@pytest.mark.parametrize("variable", [NIGHTLY_VARIABLE, WEEKLY_VARIABLE])
def test_schedules_are_off_until_the_environment_turns_them_on(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def running() -> set[str]:
        return {s.name for s in build_schedules(ScheduleSettings()) if s.default_status.value == "RUNNING"}

    monkeypatch.delenv(NIGHTLY_VARIABLE, raising=False)
    monkeypatch.delenv(WEEKLY_VARIABLE, raising=False)
    assert running() == set()
    monkeypatch.setenv(variable, "1")
    assert running() == {"nightly_schedule" if variable == NIGHTLY_VARIABLE else "weekly_schedule"}


def test_a_night_waits_for_the_last_one_and_not_for_one_that_was_killed(
    instance: dg.DagsterInstance, workspace: Workspace
) -> None:
    run = under_way(instance, night="2026-04-02")
    code = (
        "import pathlib, sys, time\nfrom microcoder_assets.abandoned import mark\n"
        "mark(pathlib.Path(sys.argv[1]), sys.argv[2])\nprint(flush=True)\ntime.sleep(300)\n"
    )
    command = [sys.executable, "-c", code, str(workspace.running), run.run_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as night:
        assert night.stdout is not None and night.stdout.readline()
        reason = f"that of 2026-04-02 is still under way (run {run.run_id}); the next one makes up for it"
        assert tick(instance, workspace) == reason
        night.send_signal(signal.SIGKILL)
        night.wait(timeout=30)
    assert tick(instance, workspace).run_key == "2026-04-03"
    ended = instance.get_run_by_id(run.run_id)
    assert ended is not None and ended.status is dg.DagsterRunStatus.FAILURE


def test_other_runs_hold_no_night_up(instance: dg.DagsterInstance, workspace: Workspace) -> None:
    under_way(instance)
    under_way(instance, week="2026-W14")
    assert tick(instance, workspace).run_key == "2026-04-03"


def test_where_inputs_cannot_be_read_the_night_begins_and_its_failure_tells(
    instance: dg.DagsterInstance, workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "web" / "web.toml").write_text("contact = ")
    assert tick(instance, workspace).tags[START] == "2026-03|lantern"


def test_a_week_without_a_split_or_with_nothing_new_trains_nothing(
    instance: dg.DagsterInstance, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tick(instance, workspace, "weekly") == "there is no train split yet, or it has no rows"
    import polars as pl

    from microcoder_assets.schema import SPLIT
    from microcoder_assets.stage import Decision, Kind, StageResult

    row = {**dict.fromkeys(SPLIT), "problem_id": "made:1"}
    made = StageResult(pl.DataFrame([row], schema=SPLIT), [Decision("made:1", Kind.KEPT, "ok")])
    workspace.project().store.publish("train_split", made, inputs="i", code_version="1", run_id="r")
    request = tick(instance, workspace, "weekly", dt.datetime(2027, 1, 3, 6, tzinfo=dt.UTC))
    assert (request.run_key, request.tags) == ("2026-W53", {WEEK: "2026-W53"})
    monkeypatch.setattr(automation.plan, "is_fresh", lambda project, asset: True)
    assert tick(instance, workspace, "weekly") == (
        "the policy that stands was trained and scored on the split that stands"
    )
    under_way(instance, week="2026-W14")
    assert "that of 2026-W14 is still under way" in tick(instance, workspace, "weekly")


def told(workspace: Workspace) -> list[tuple[str, str]]:
    return [(alert.kind, alert.title) for alert in outbox_of(workspace.path).waiting()]


def test_a_failed_run_is_told_with_its_cause(instance: dg.DagsterInstance, workspace: Workspace) -> None:
    done = broken_job.execute_in_process(instance=instance, raise_on_error=False, tags={NIGHT: "2026-04-03"})
    (event,) = [e for e in done.all_events if e.event_type_value == "PIPELINE_FAILURE"]
    context = dg.build_run_status_sensor_context(
        "failure_alerts", event, instance, done.dagster_run, resources={"workspace": workspace}
    ).for_run_failure()
    for _ in range(2):
        failure_alerts(context)
    (alert,) = outbox_of(workspace.path).waiting()
    assert (alert.kind, alert.title) == ("failure", "the night of 2026-04-03 failed")
    assert alert.text.startswith("mend the settings\n")
    assert alert.url == f"http://ui.example.org/runs/{done.run_id}"


@pytest.mark.parametrize("partial", ["", "codeforces"])
def test_a_night_that_ended_is_told_with_what_came(
    instance: dg.DagsterInstance, workspace: Workspace, tmp_path: Path, partial: str
) -> None:
    tags = {NIGHT: "2026-04-03", **({PARTIAL: partial} if partial else {})}
    Cursor(alarms={"not_collected": "no answer"} if partial else {}).save(tmp_path / "web" / "codeforces.json")
    done = curation_job.execute_in_process(instance=instance, tags=tags)
    publish(workspace.project(), done.run_id)
    context = dg.build_run_status_sensor_context(
        "night_alerts", done.all_events[-1], instance, done.dagster_run, resources={"workspace": workspace}
    )
    night_alerts(context)
    (alert,) = outbox_of(workspace.path).waiting()
    lines = alert.text.splitlines()
    (line,) = [line for line in lines if line.startswith("codeforces ")]
    assert line.split()[1:] == ["2", "0", "0", "1", "0", "0"]
    assert lines[-1] == "The train split holds 0 rows."
    if partial:
        assert (alert.kind, alert.title) == ("partial", "the night of 2026-04-03 is partial: codeforces")
        assert lines[:2] == ["codeforces: no answer", "The next night asks again."]
    else:
        assert (alert.kind, alert.title) == ("success", "the night of 2026-04-03 is done")


def publish(project: Project, run_id: str) -> None:
    """Two new problems and one that could not be read."""
    import polars as pl

    from microcoder_assets.schema import SCRAPED
    from microcoder_assets.stage import Decision, Kind, StageResult
    from microcoder_assets.store import Partition

    names = ["codeforces:1A", "codeforces:1B"]
    rows = pl.DataFrame([{**dict.fromkeys(SCRAPED), "problem_id": name} for name in names], schema=SCRAPED)
    kept = [Decision(name, Kind.KEPT, "ok", sha_out=name) for name in names]
    result = StageResult(rows, [*kept, Decision("codeforces:?1C", Kind.ERROR, "not_collected")])
    partition = Partition("2026-04", "codeforces")
    project.store.publish("scraped_problems", result, partition=partition, inputs="i", code_version="1", run_id=run_id)


def test_a_run_that_is_no_night_is_not_told(instance: dg.DagsterInstance, workspace: Workspace) -> None:
    done = curation_job.execute_in_process(instance=instance)
    context = dg.build_run_status_sensor_context(
        "night_alerts", done.all_events[-1], instance, done.dagster_run, resources={"workspace": workspace}
    )
    assert isinstance(night_alerts(context), dg.SkipReason)
    assert told(workspace) == []


def test_an_asset_that_goes_stale_is_told_once_and_a_dead_channel_delays_it(
    instance: dg.DagsterInstance, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset(freshness_policy=dg.FreshnessPolicy.time_window(fail_window=dt.timedelta(hours=36)))
    def fresh() -> None: ...

    @dg.asset
    def free() -> None: ...

    sensor, cursor = stale_and_delivery([fresh, free]), None
    seen = []
    for hour, state in enumerate([FreshnessState.PASS, FreshnessState.FAIL, FreshnessState.FAIL, FreshnessState.PASS]):
        monkeypatch.setattr(clock, "now", lambda hour=hour: AT + dt.timedelta(hours=hour))
        change = FreshnessStateChange(
            key=fresh.key, new_state=state, previous_state=FreshnessState.UNKNOWN, state_change_timestamp=AT.timestamp()
        )
        instance._report_runless_asset_event(change)
        with dg.build_sensor_context(instance=instance, cursor=cursor, resources={"workspace": workspace}) as context:
            result = sensor(context)
        cursor = result.cursor
        assert json.loads(cursor) == {"fresh": state.value}
        seen.append((told(workspace), result.skip_reason.skip_message))
    stale = [("stale", "stale: fresh")]
    assert [alerts for alerts, _ in seen] == [[], stale, stale, stale]
    assert seen[0][1] == "nothing waits" and "cannot be reached (ConnectionRefusedError)" in seen[1][1]


def test_nights_and_sensors_are_what_the_code_location_holds(tmp_path: Path) -> None:
    from microcoder_assets.definitions import build_defs

    defs = build_defs(tmp_path)
    assert {schedule.name for schedule in defs.schedules or ()} == {"nightly_schedule", "weekly_schedule"}
    sensors = {sensor.name: sensor.default_status.value for sensor in defs.sensors or ()}
    assert sensors == dict.fromkeys(("failure_alerts", "night_alerts", "alert_delivery"), "STOPPED")
