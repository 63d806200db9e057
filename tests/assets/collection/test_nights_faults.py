"""Nights that are disturbed: two at once, and one whose model server goes away. The next night finds all in order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from chat_server import Reply, completion, serving
from year import SETTINGS, Nights, Sites, clock_at, morning, new_home

from microcoder_assets.nights.tags import NIGHT
from microcoder_assets.project import Project
from microcoder_assets.schema import DIMENSIONS
from microcoder_assets.store.catalogue import query

pytestmark = pytest.mark.long

DAY, DRAWS = 6, 3
PACKAGES = {0: "snailpace", 1: "balloonspop", 2: "evenhouses"}


@pytest.fixture
def sites(tmp_path: Path, examples_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sites]:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with Sites(examples_dir / "archive", tmp_path / "packages", PACKAGES) as sites:
        sites.move_to(DAY)
        yield sites
    os.environ.pop("DAGSTER_HOME", None)


@pytest.fixture
def project(sites: Sites, tmp_path: Path) -> Project:
    return new_home(tmp_path / "nightly", sites)


ONE_OF_TWO = """
import json, sys, pathlib, dagster as dg
sys.path.insert(0, sys.argv[1])
from year import Nights, clock_at, morning
from microcoder_assets.project import Project

nights = Nights(Project.load(pathlib.Path(sys.argv[2])), None)
print("ready", flush=True)
sys.stdin.readline()
with clock_at(morning(6)), dg.DagsterInstance.get() as instance:
    nights.make(instance, json.loads(sys.argv[3]))
"""


def test_two_nights_at_once_ask_once_and_decide_once(project: Project, sites: Sites) -> None:
    nights = Nights(project, sites)
    with clock_at(morning(DAY)), dg.DagsterInstance.get() as instance:
        (request,) = nights.tick(instance, morning(DAY)).run_requests
    command = [sys.executable, "-W", "ignore", "-c", ONE_OF_TWO, str(Path(__file__).parent), str(project.home)]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    both = [subprocess.Popen([*command, json.dumps(dict(request.tags))], **pipes) for _ in range(2)]
    assert [night.stdout.readline() for night in both] == ["ready\n"] * 2
    for night in both:
        night.stdin.write("go\n")
        night.stdin.flush()
    assert [night.wait(timeout=900) for night in both] == [0, 0]
    for night in both:
        night.stdin.close()
        night.stdout.close()
    assert set(sites.asked().values()) == {1}
    twice = "SELECT stage, problem_id, ref, count(*) AS n FROM ledger GROUP BY ALL HAVING n > 1"
    assert query(project.store, twice).is_empty()
    assert query(project.store, "SELECT count(*) FROM scraped_problems").item() == 2 + 1 + 1 + len(PACKAGES)
    with dg.DagsterInstance.get() as instance:
        assert [run.tags[NIGHT] for run in instance.get_runs()] == [request.tags[NIGHT]] * 2
    again = nights.live(DAY)
    assert (again.lines, again.programs, again.asked.total()) == (0, 0, 0)


def test_a_model_server_that_goes_away_loses_no_answer_and_the_next_night_asks_for_the_rest(
    project: Project, sites: Sites, tmp_path: Path
) -> None:
    nights = Nights(project, sites)
    there, answered = 4, list[str]()

    def behave(request: dict[str, Any], number: int) -> Reply:
        if len(answered) >= there:
            return 503, json.dumps({"error": {"message": "gone for an hour"}})
        answered.append(json.dumps([request["messages"], request["seed"]]))
        return completion(json.dumps(dict.fromkeys(DIMENSIONS, 3)))

    with serving(behave) as server:
        scoring = f'[scoring]\nmodel = "m"\nbase_url = "{server.url}"\nretries = 0\nconcurrency = 1\ndraws = {DRAWS}\n'
        (tmp_path / "nightly" / "settings.toml").write_text(SETTINGS + scoring)
        nights.live(DAY)
        kept, failed = counts(project)
        rows = kept + failed
        assert kept == there // DRAWS and failed > 0
        there = 10**9
        nights.live(DAY + 1)
    assert counts(project) == (rows, 0)
    assert len(answered) == len(set(answered)) == rows * DRAWS
    manifest = project.store.manifest("train_split")
    assert manifest is not None and manifest.rows > 0


def counts(project: Project) -> tuple[int, int]:
    """Problems scored, and those that wait for the server."""
    sql = "SELECT kept, errors FROM funnel WHERE stage = 'scored_problems'"
    return query(project.store, sql).row(0)  # type: ignore[return-value]
