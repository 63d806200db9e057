"""A web source in runs: only what changed is made, alarms are failed checks that hold nothing up."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner, Result
from collection_files import write_rows
from replay import Replay, Reply
from site_pages import CHALLENGE, codeforces_page, contest_list, listed, problemset

from microcoder_assets import clock
from microcoder_assets.checks import ALARMS
from microcoder_assets.cli import main
from microcoder_assets.collection.platforms import PLATFORMS
from microcoder_assets.definitions import build_defs
from microcoder_assets.nights.window import trailing_months
from microcoder_assets.partitions import range_tags
from microcoder_assets.project import Project
from microcoder_assets.runner import Runner
from microcoder_assets.store.catalogue import query

TODAY = dt.datetime.now(dt.UTC)
BEFORE, NOW = trailing_months(TODAY)
PAGES = [f"/problemset/problem/{name}" for name in ("2213/A", "2214/A")]
PARTITIONED = ["scraped_problems", "normalized_problems"]


@pytest.fixture
def site() -> Iterator[Replay]:
    """One contest in the month before this one, one in this month."""
    starts = [int(dt.datetime.fromisoformat(f"{month}-01T12:00:00+00:00").timestamp()) for month in (BEFORE, NOW)]
    pages = {
        "/api/contest.list?gym=false": contest_list({2213: starts[0], 2214: starts[1]}),
        "/api/problemset.problems": problemset([listed(2213, "A"), listed(2214, "A")]),
        **dict.fromkeys(PAGES, codeforces_page()),
    }
    with Replay(pages) as replay:
        yield replay


@pytest.fixture
def project(tmp_path: Path, site: Replay, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    configure(tmp_path, site)
    project = Project(tmp_path / "home", (f"web:{tmp_path / 'web'}",), None, None)
    project.save()
    yield project
    os.environ.pop("DAGSTER_HOME", None)


def configure(folder: Path, site: Replay, **more: Any) -> None:
    settings = {"requests_per_s": 1000, "backoff_s": 0, "retries": 0, **more}
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
    addresses = f'api = "{site.url}/api"\nsite = "{site.url}"\n'
    (folder / "web").mkdir(exist_ok=True)
    text = f'contact = "me@example.org"\n{lines}[codeforces]\nsince = "{BEFORE}"\n{addresses}'
    (folder / "web" / "web.toml").write_text(text)


def made(project: Project) -> list[str]:
    return Runner(Project.load(project.home)).run("normalized_problems")


def decided(project: Project) -> list[tuple[str, str, str]]:
    sql = "SELECT problem_id, decision, reason FROM decisions WHERE stage = 'scraped_problems' ORDER BY ALL"
    return [tuple(row) for row in query(project.store, sql).rows()]


BOTH = [("codeforces:2213A", "kept", "ok"), ("codeforces:2214A", "kept", "ok")]


def test_a_second_run_does_nothing_and_asking_again_changes_no_row(
    project: Project, site: Replay, tmp_path: Path
) -> None:
    assert made(project) == PARTITIONED
    assert decided(project) == BOTH
    before = stored(project)
    assert list(before) == [f"{BEFORE}|codeforces", f"{NOW}|codeforces"]
    site.forget()
    assert made(project) == []
    assert site.log == []
    configure(tmp_path, site, fresh_s=0)
    assert made(project) == PARTITIONED
    assert stored(project) == before
    assert {asked.status for asked in site.log} == {304, 404}


def stored(project: Project) -> dict[str, tuple[int, str, str]]:
    return {m.partition: (m.version, m.data, m.decisions) for m in project.store.manifests("scraped_problems")}


def test_only_the_month_that_changed_is_made_again(
    project: Project, site: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(project)
    later = TODAY + dt.timedelta(hours=7)
    monkeypatch.setattr(clock, "now", lambda: later)
    runner = Runner(Project.load(project.home))
    (source,) = Project.load(project.home).web_sources("codeforces")
    site.pages["/api/problemset.problems"] = problemset([listed(2213, "A", rating=1500), listed(2214, "A")])
    source.collect("codeforces", [NOW], later)
    turned = [month for month in trailing_months(later) if month not in (BEFORE, NOW)]  # hours before a month ends
    assert runner.stale_months("codeforces", PARTITIONED, runner.project.file_sources()) == [BEFORE, *turned]
    made(project)
    sql = "SELECT ratings[1].value FROM scraped_problems WHERE native_id = '2213A'"
    assert query(project.store, sql).item() == 1500.0


def test_a_changed_page_is_an_error_row_and_a_failed_check_that_holds_nothing_up(
    project: Project, site: Replay
) -> None:
    site.pages[PAGES[1]] = Reply(b"<html><b>New layout</b></html>")
    assert night(project) == {"source_changed": False, "source_down": True}
    assert decided(project) == [("codeforces:2213A", "kept", "ok"), ("codeforces:?2214A", "error", "source_changed")]
    site.pages[PAGES[1]] = codeforces_page()
    (source,) = Project.load(project.home).web_sources("codeforces")
    source.collect("codeforces", [BEFORE, NOW], TODAY + dt.timedelta(hours=7))
    assert made(project) == PARTITIONED
    assert decided(project) == BOTH
    assert alarms(project) == []


def night(project: Project) -> dict[str, bool]:
    """Whether each alarm is silent after a night as the schedule runs it; every other check must pass."""
    done = (
        build_defs(project.home)
        .resolve_implicit_global_asset_job_def()
        .execute_in_process(
            asset_selection=[dg.AssetKey(name) for name in PARTITIONED],
            run_config={"loggers": {"console": {}}},
            tags=range_tags(BEFORE, NOW, PLATFORMS[0], PLATFORMS[-1]),
        )
    )
    found = {check.check_name: bool(check.passed) for check in done.get_asset_check_evaluations()}
    silent = {name: found.pop(name) for name in ALARMS["scraped_problems"]}
    assert done.success and all(found.values())
    return silent


def alarms(project: Project) -> list[str]:
    return [name for name, check in ALARMS["scraped_problems"].items() if check(project, "scraped_problems")]


def test_a_night_of_the_schedule_collects(project: Project, site: Replay) -> None:
    assert night(project) == {"source_changed": True, "source_down": True}
    assert decided(project) == BOTH
    assert made(project) == []


def microcoder(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--home", str(project.home), *arguments])


def test_a_site_that_is_down_is_an_alarm_of_the_command(project: Project, site: Replay) -> None:
    site.pages[PAGES[1]] = Reply(CHALLENGE, 403)
    run = microcoder(project, "run", "--until", "normalized_problems")
    assert run.exit_code == 3, run.output
    assert "alarm: codeforces: " in run.output and "browser check" in run.output
    assert alarms(project) == ["source_down"]
    assert decided(project) == [("codeforces:2213A", "kept", "ok"), ("codeforces:?2214A", "error", "blocked")]
    site.pages[PAGES[1]] = codeforces_page()
    assert microcoder(project, "run", "--until", "normalized_problems").exit_code == 0
    assert decided(project) == BOTH


def test_a_backfill_collects_the_months_it_is_asked_for(project: Project, site: Replay) -> None:
    run = microcoder(project, "backfill", "--from", BEFORE, "--to", BEFORE)
    assert run.exit_code == 0, run.output
    assert decided(project) == BOTH[:1]
    assert site.asked()[PAGES[1]] == 0
    assert "every partition stands" in microcoder(project, "backfill", "--from", BEFORE, "--to", BEFORE).output


def test_a_run_killed_while_it_collects_is_gone_on_with(project: Project, site: Replay) -> None:
    reached = threading.Event()
    site.pages[PAGES[1]] = Reply(codeforces_page().body, sent=10, stall=True)
    site.heard = lambda asked: reached.set() if asked.key == PAGES[1] else None
    command = [sys.executable, "-m", "microcoder_assets.cli", "--home", str(project.home), "run"]
    with subprocess.Popen([*command, "--until", "normalized_problems"], stderr=subprocess.DEVNULL) as run:
        assert reached.wait(120)
        run.send_signal(signal.SIGKILL)
        run.wait(timeout=30)
    site.pages[PAGES[1]] = codeforces_page()
    assert made(project) == PARTITIONED
    assert decided(project) == BOTH
    assert site.asked()[PAGES[0]] == 1


def test_what_a_file_holds_too_stays_as_the_file_has_it(project: Project, tmp_path: Path) -> None:
    row = {
        "pid": "P2214A", "title": "Lamps", "statement_md": "Light.", "tags": [], "rating": None, "time": "1s",
        "memory": "256m", "samples": [],
    }  # fmt: skip
    write_rows(tmp_path / "codeforces" / "problems.jsonl.gz", [row])
    both = Project(project.home, (*project.sources, f"codeforces:{tmp_path / 'codeforces'}"), None, None)
    both.save()
    made(both)
    assert decided(both) == [BOTH[0], ("codeforces:2214A", "kept", "ok"), ("codeforces:2214A", "merged", "same_id")]
    sql = "SELECT title, published FROM scraped_problems WHERE native_id = '2214A'"
    assert query(both.store, sql).rows() == [("Lamps", None)]
    assert made(both) == []
