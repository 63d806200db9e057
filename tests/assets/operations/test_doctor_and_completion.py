"""What is wrong with a machine is found before a night; a shell completes what a home knows."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from microcoder_assets.cli import main
from microcoder_assets.config import Settings
from microcoder_assets.operations.doctor import examine, servers, versions
from microcoder_assets.project import Project
from microcoder_assets.schema import SCRAPED
from microcoder_assets.stage import Decision, Kind, StageResult


@pytest.fixture
def server() -> Iterator[str]:
    """An OpenAI-compatible server that serves one model."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"data": [{"id": "judge-7b"}]}).encode()
            known = self.path == "/v1/models" and self.headers["Authorization"] == "Bearer sesame"
            self.send_response(200 if known else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_address[1]}/v1"
        served.shutdown()
        thread.join()


def scoring(base_url: str, model: str = "judge-7b") -> Settings:
    return Settings.model_validate({"scoring": {"model": model, "base_url": base_url}})


def test_a_server_is_asked_for_its_models(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    [served] = servers(scoring(server))
    assert (served.level, served.words) == ("ok", f"[scoring] {server} serves 'judge-7b'")
    [other] = servers(scoring(server, "judge-70b"))
    assert other.level == "wrong" and "does not serve 'judge-70b'; it has judge-7b" in other.words
    monkeypatch.setenv("OPENAI_API_KEY", "wrong-key")
    [refused] = servers(scoring(server))
    assert refused.level == "wrong" and "401" in refused.words and "wrong-key" not in refused.words
    [gone] = servers(scoring("http://127.0.0.1:9/v1"))
    assert gone.level == "wrong"
    [none] = servers(Settings())
    assert none.level == "ok"


def test_versions_are_held_against_the_requirements_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [finding.level for finding in versions()] == ["ok"]
    asked = ["click>=8", "polars<1", "no-such-package>=1", 'no-such-extra; extra == "gpu"']
    monkeypatch.setattr(importlib.metadata, "requires", lambda package: asked)
    words = [finding.words for finding in versions() if finding.level == "wrong"]
    assert len(words) == 2
    assert words[0].startswith("polars ") and words[1].startswith("no-such-package is not installed")


def test_every_subject_is_asked_and_one_that_is_wrong_sets_the_exit_code(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "project.json").write_text("{")
    run = CliRunner().invoke(main, ["--home", str(home), "doctor", "--json"])
    assert run.exit_code == 1
    levels: dict[str, set[str]] = {}
    for finding in json.loads(run.stdout):
        levels.setdefault(finding["subject"], set()).add(finding["level"])
    assert list(levels) == ["versions", "sandbox", "disk", "home", "daemon", "llm", "gpu"]
    assert {subject for subject, found in levels.items() if "wrong" in found} == {"home", "llm"}
    (home / "project.json").unlink()
    found = list(examine(home, dt.datetime.now(dt.UTC)))
    assert "wrong" not in {finding.level for finding in found}
    assert sorted(path.name for path in home.iterdir()) == ["dagster"]


def completed(home: Path, *words: str) -> list[str]:
    environment = {"_MICROCODER_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(["microcoder", *words]),
                   "COMP_CWORD": str(len(words)), "MICROCODER_HOME": str(home)}
    run = CliRunner().invoke(main, [], prog_name="microcoder", env=environment)
    return [line.partition(",")[2] for line in run.stdout.splitlines() if line]


def test_stages_platforms_and_problems_are_completed(tmp_path: Path) -> None:
    row = {"problem_id": "lantern:quietmill", "platform": "lantern", "native_id": "quietmill"}
    kept = Decision("lantern:quietmill", Kind.KEPT, "ok", sha_out="0" * 64)
    frame = pl.DataFrame([row], schema=SCRAPED)
    Project(tmp_path).store.publish("scraped_problems", StageResult(frame, [kept]), inputs="", code_version="1",
                                    run_id="r")
    assert completed(tmp_path, "run", "--until", "sco") == ["scored_problems"]
    assert completed(tmp_path, "backfill", "--stage", "") == ["scraped_problems", "normalized_problems"]
    assert completed(tmp_path, "backfill", "--platform", "codeforces,at") == ["codeforces,atcoder"]
    assert completed(tmp_path, "lineage", "lantern:q") == ["lantern:quietmill"]
    assert completed(tmp_path, "lineage", "harbor") == []
    assert {"backfill", "status", "gc", "doctor", "completion"} <= set(completed(tmp_path, ""))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_its_shell_reads(shell: str) -> None:
    printed = CliRunner().invoke(main, ["completion", shell], prog_name="microcoder")
    assert printed.exit_code == 0 and "_MICROCODER_COMPLETE" in printed.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=printed.stdout, text=True, check=True)
