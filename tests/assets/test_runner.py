"""Runs in this process: what stands is left alone, what failed a check is never built on."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from microcoder_assets.abandoned import alive, is_alive
from microcoder_assets.checks import CHECKS
from microcoder_assets.filtering import rubric
from microcoder_assets.filtering.embedded import EmbeddedScorer, load_embedded
from microcoder_assets.filtering.score import score_problems
from microcoder_assets.filtering.scorer import ProblemScore
from microcoder_assets.lineage import story
from microcoder_assets.project import Project
from microcoder_assets.runner import RunFailed, Runner
from microcoder_assets.schema import PREPARED, SCORED
from microcoder_assets.store import Partition
from microcoder_assets.store.catalogue import query
from microcoder_assets.store.ledger import snapshot

PACKAGES = ("lampposts", "snailpace", "twostones")
MADE = ["scraped_problems", "normalized_problems", "livecodebench_problems", "unique_problems"]


@pytest.fixture
def project(tmp_path: Path, examples_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A home fed with three packages of the archive, in a folder of their own that a test may change."""
    for name in PACKAGES:
        shutil.copytree(examples_dir / "archive" / name, tmp_path / "packages" / name)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    yield Project(tmp_path / "home", (f"kattis:{tmp_path / 'packages'}",), None, None)
    os.environ.pop("DAGSTER_HOME", None)


def make(project: Project, until: str = "unique_problems") -> list[str]:
    project.save()
    return Runner(Project.load(project.home)).run(until)


def test_work_is_alive_while_its_process_says_so(tmp_path: Path) -> None:
    assert not is_alive(tmp_path, "work")
    with alive(tmp_path, "work"):
        assert is_alive(tmp_path, "work") and is_alive(tmp_path, "work")
    assert not is_alive(tmp_path, "work")


def test_a_second_run_makes_nothing(project: Project) -> None:
    assert make(project) == MADE
    assert make(project) == []


def test_stopping_early_and_going_on_is_the_same_as_one_run(project: Project) -> None:
    assert make(project, "scraped_problems") == ["scraped_problems"]
    assert "normalized_problems" in make(project, "normalized_problems")
    assert make(project) == ["livecodebench_problems", "unique_problems"]


def test_what_failed_a_check_is_not_built_on_by_a_later_run_either(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as planted:
        planted.setitem(CHECKS["unique_problems"], "zero_benchmark_overlap", lambda project, asset: "planted finding")
        for _ in range(2):
            with pytest.raises(RunFailed, match="zero_benchmark_overlap of unique_problems failed: planted finding"):
                make(project, "scored_problems")
            assert not project.store.manifests("prepared_problems")
    assert make(project, "scored_problems") == ["prepared_problems", "scored_problems"]


def test_a_partition_lost_on_the_way_is_made_again(project: Project) -> None:
    make(project)
    partition = Partition.named(project.store.manifests("normalized_problems")[0].partition)
    (project.store.folder("normalized_problems", partition) / "manifest.json").unlink()
    assert make(project) == ["scraped_problems", "normalized_problems"]


def test_changed_and_removed_packages_say_so_in_the_ledger(project: Project, tmp_path: Path) -> None:
    make(project)
    statement = next((tmp_path / "packages" / "snailpace" / "problem_statement").iterdir())
    statement.write_text(statement.read_text() + "\nThe snail never sleeps.\n")
    shutil.rmtree(tmp_path / "packages" / "twostones")
    make(project)
    later = "stage = 'unique_problems' AND version = 2"
    sql = f"SELECT problem_id, decision, reason FROM ledger WHERE {later} ORDER BY decision"
    changed, removed = query(project.store, sql).rows()
    assert changed[0].endswith(":snailpace") and changed[1:] == ("changed", "ok")
    assert removed[0].endswith(":twostones") and removed[1:] == ("dropped", "vanished")
    assert "changed" in story(project.store, changed[0])
    assert story(project.store, removed[0]).count("vanished") == 3


def test_a_changed_rubric_scores_anew_and_leaves_the_old_scores(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(project, "scored_problems")
    old = project.store.read("scored_problems", SCORED)
    edited = tmp_path / "rubric.toml"
    text = rubric.DEFAULT.read_text("utf-8")
    assert "weight = 0.35" in text and "weight = 0.20" in text
    edited.write_text(text.replace("weight = 0.35", "weight = 0.30").replace("weight = 0.20", "weight = 0.25"), "utf-8")
    monkeypatch.setattr(rubric.load_rubric, "__defaults__", (edited,))
    assert make(project, "scored_problems") == ["scored_problems"]
    new = project.store.read("scored_problems", SCORED)
    assert not set(old["rubric_version"]) & set(new["rubric_version"])
    kept = query(project.store, "SELECT * FROM scorings ORDER BY problem_id, rubric_version")
    assert_frame_equal(kept, pl.concat([old, new]).sort("problem_id", "rubric_version"))
    assert make(project, "scored_problems") == []


def test_a_night_scores_what_is_in_changed_partitions_and_finds_what_scoring_all_finds(
    project: Project, tmp_path: Path, examples_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[str] = []
    real = EmbeddedScorer.score

    def counted(scorer: EmbeddedScorer, problems: pl.DataFrame) -> Iterator[ProblemScore]:
        scored.extend(problems["native_id"])
        return real(scorer, problems)

    monkeypatch.setattr(EmbeddedScorer, "score", counted)
    make(project, "scored_problems")
    assert sorted(scored) == sorted(PACKAGES)
    scored.clear()
    months = _months(project)
    shutil.copytree(examples_dir / "archive" / "stairgarden", tmp_path / "packages" / "stairgarden")
    make(project, "scored_problems")
    same_month = [name for name, month in months.items() if month == _months(project)["stairgarden"]]
    assert sorted(scored) == sorted(["stairgarden", *same_month])
    whole = score_problems(project.store.read("prepared_problems", PREPARED), load_embedded(), rubric.load_rubric())
    assert_frame_equal(project.store.read("scored_problems", SCORED), whole.frame, check_exact=True)
    standing = project.store.scan_decisions(project.store.manifests("scored_problems")).collect()
    assert_frame_equal(standing, snapshot(whole.decisions), check_exact=True)


def _months(project: Project) -> dict[str, str]:
    """The month of each problem of `prepared_problems`, by native id."""
    manifests = project.store.manifests("prepared_problems")
    rows = project.store.read_with_partition("prepared_problems", {"problem_id": pl.String}, manifests)
    return {name.partition(":")[2]: month for name, month, _ in rows.rows()}


def test_exports_that_were_deleted_come_back(project: Project) -> None:
    make(project)
    shutil.rmtree(project.exports)
    assert make(project) == ["livecodebench_problems"]
    assert (project.exports / "livecodebench" / "latest" / "manifest.json").is_file()


def test_a_source_edited_while_it_is_read_is_read_again(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from microcoder_assets.collection.scrape import Scraper

    real = Scraper.results

    def edited_meanwhile(scraper: Scraper) -> object:
        (tmp_path / "packages" / "lampposts" / "note.txt").write_text("edited")
        limits = tmp_path / "packages" / "lampposts" / "problem.yaml"
        limits.write_text(limits.read_text().replace("2.0", "3.0"))
        return real(scraper)

    with monkeypatch.context() as patched:
        patched.setattr(Scraper, "results", edited_meanwhile)
        make(project)
    make(project)
    sql = "SELECT time_limit_s FROM scraped_problems WHERE native_id = 'lampposts'"
    assert query(project.store, sql).item() == 3.0


def test_a_run_killed_while_it_held_a_pool_gives_it_back(project: Project, tmp_path: Path) -> None:
    make(project)
    command = [sys.executable, "-m", "microcoder_assets.cli", "--home", str(project.home)]
    until = ["run", "--until", "scored_problems"]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = tmp_path / "server.toml"
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        settings.write_text(f'[scoring]\nmodel = "silent"\nbase_url = "{address}"\n')
        silent.settimeout(60)
        run = subprocess.Popen([*command, *until, "--settings", str(settings)], stderr=subprocess.DEVNULL)
        silent.accept()[0].close()
        run.send_signal(signal.SIGKILL)
        run.wait(timeout=30)
    with dg.DagsterInstance.get() as instance:
        assert [record.status for record in instance.get_runs(limit=1)] == [dg.DagsterRunStatus.STARTED]
        settings.write_text("")
        subprocess.run([*command, *until], check=True, timeout=120, capture_output=True)
        ended = [record.status for record in instance.get_runs(limit=2)]
    assert ended == [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    assert not list((project.home / "running").iterdir())


def test_processes_that_open_a_new_home_at_once_all_can(project: Project) -> None:
    """Where one that was killed has left its databases half made."""
    half = project.home / "dagster" / "making" / "history"
    half.mkdir(parents=True)
    (half / "runs.db").write_bytes(b"SQLite format 3\0, and no more")
    code = (
        "import sys, dagster as dg\nfrom pathlib import Path\nfrom microcoder_assets.runner import prepare_instance\n"
        "prepare_instance(Path(sys.argv[1]))\nwith dg.DagsterInstance.get() as instance: instance.get_runs_count()\n"
    )
    processes = [subprocess.Popen([sys.executable, "-W", "ignore", "-c", code, str(project.home)]) for _ in range(3)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0]
    assert not half.exists()
