"""The web UI in a real browser over a real instance: look, materialize, backfill, a check that stops a run, and text
from a source that would like to be more than text. One server for all, on loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from microcoder_assets.project import Project
from microcoder_assets.store import Partition

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright to drive a browser")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
PATIENCE_S = 120
MONTH, PLATFORM = "2025-11", "harbor"


def write_archive(folder: Path, examples: Path) -> Path:
    """Two sample packages of one month; the second has a hostile title and statement, a third cannot be read."""
    for name in ("beadblocks", "bigcatch"):
        shutil.copytree(examples / "archive" / name, folder / name)
    harbor = folder / "beadblocks"
    twin = shutil.copytree(examples / "archive" / "courierkeys", folder / "hostile")
    shutil.copy(harbor / "microcoder.yaml", twin / "microcoder.yaml")
    settings = (twin / "problem.yaml").read_text("utf-8")
    (twin / "problem.yaml").write_text(re.sub(r"(?m)^name:.*$", f"name: {json.dumps(HOSTILE)}", settings))
    statement = next((twin / "problem_statement").iterdir())
    statement.write_text(f"{statement.read_text('utf-8')}\n<script>document.title='owned'</script>\n{HOSTILE}\n")
    broken = shutil.copytree(harbor, folder / "<img src=x onerror=document.title=1>")
    (broken / "problem.yaml").write_text("name: [\n")
    return folder


def command(home: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", "microcoder_assets.cli", "--home", str(home), *arguments]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, examples_dir: Path) -> Path:
    """A home curated down to prepared_problems by the command."""
    folder = tmp_path_factory.mktemp("ui")
    archive = write_archive(folder / "archive", examples_dir)
    benchmark = examples_dir / "benchmark" / "test.jsonl"
    given = ["--source", f"kattis:{archive}", "--benchmark", str(benchmark), "--until", "prepared_problems"]
    subprocess.run(
        command(folder / "home", "run", *given), check=True, capture_output=True, timeout=400, env=environment()
    )
    return folder / "home"


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[str]:
    """The address of the UI that `microcoder ui` starts."""
    port = free_port()
    log = (home.parent / "ui.log").open("wb")
    started = command(home, "ui", "--port", str(port))
    with subprocess.Popen(started, stdout=log, stderr=log, env=environment(), start_new_session=True) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            for _ in range(3 * PATIENCE_S):
                assert process.poll() is None, (home.parent / "ui.log").read_text("utf-8")[-2000:]
                try:
                    urllib.request.urlopen(f"{address}/server_info", timeout=5).close()
                    break
                except OSError:
                    time.sleep(1)
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
    log.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Any, server: str) -> Iterator[Any]:
    """A fresh tab; a dialog or a request to anywhere else fails the test."""
    context = browser.new_context(base_url=server, viewport={"width": 1400, "height": 1000})
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_S * 1000)
    playwright.expect.set_options(timeout=PATIENCE_S * 1000)
    strays: list[str] = []
    opened.on("request", lambda request: strays.append(request.url))
    opened.on("dialog", lambda dialog: (strays.append(dialog.message), dialog.dismiss()))
    yield opened
    context.close()
    own = (server, server.replace("http", "ws"), "data:", "blob:", "file:")
    assert not [url for url in strays if not url.startswith(own)]


def materialize(page: Any) -> str:
    """Click; the run's id once it is launched."""
    launches = "LaunchPipelineExecution"
    with page.expect_response(lambda response: launches in (response.request.post_data or "")) as launched:
        page.get_by_role("button", name=re.compile("Materialize")).first.click()
    return str(launched.value.json()["data"]["launchPipelineExecution"]["run"]["id"])


def test_the_graph_shows_every_stage(page: Any) -> None:
    page.goto("/asset-groups")
    for group in ("collection", "processing", "filtering", "verification", "publication", "training", "evaluation"):
        playwright.expect(page.get_by_text(group, exact=True).first).to_be_visible()


def test_materialize_by_clicking_and_look_at_the_plot(page: Any, home: Path) -> None:
    page.goto("/assets/livecodebench_problems")
    for words in ("what is scored, and never trained on", "curation", "Source code", "Fails if more than 36 hours"):
        playwright.expect(page.get_by_text(words).first).to_be_visible()
    run = materialize(page)
    page.goto(f"/runs/{run}")
    playwright.expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    page.goto("/assets/livecodebench_problems?view=events")
    playwright.expect(page.get_by_text(run[:8]).first).to_be_visible()
    playwright.expect(page.get_by_text("Every row went on.")).to_be_visible()
    page.get_by_role("row", name="months").get_by_text("Show Markdown").click()
    plot = page.get_by_role("img", name="months")
    playwright.expect(plot).to_be_visible()
    assert plot.evaluate("image => image.naturalWidth") > 100


def test_launch_a_backfill(page: Any, home: Path) -> None:
    page.goto("/assets/scraped_problems")
    page.get_by_role("button", name=re.compile("Materialize")).first.click()
    months = page.get_by_placeholder(re.compile("^ex: "))
    months.fill(f"[2025-10...{MONTH}]")
    months.press("Enter")
    page.get_by_text("Select a partition or create one").click()
    page.get_by_text(PLATFORM, exact=True).filter(visible=True).last.click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Launch backfill").click()
    page.goto("/runs")
    playwright.expect(page.get_by_text("Success", exact=True).first).to_be_visible()


def test_a_failed_blocking_check_stops_what_is_downstream(page: Any, home: Path) -> None:
    store = Project.load(home).store
    (data,) = store.data_files("prepared_problems", [Partition(MONTH, PLATFORM)])
    rows = pl.read_parquet(data)
    pl.concat([rows, rows]).write_parquet(data)
    page.goto("/asset-groups")
    page.locator(".CodeMirror").first.click()
    page.keyboard.type('key:"prepared_problems" or key:"scored_problems"')
    page.keyboard.press("Enter")
    run = materialize(page)
    page.goto(f"/runs/{run}")
    playwright.expect(page.get_by_text("Failure", exact=True).first).to_be_visible()
    page.goto("/assets/prepared_problems?view=checks&checkDetail=unique_ids")
    playwright.expect(page.get_by_text("ids occur more than once").first).to_be_visible()
    assert store.manifest("scored_problems") is None


def test_what_a_source_wrote_is_only_text(page: Any, home: Path) -> None:
    page.goto("/assets/scraped_problems?view=events")
    page.get_by_text(f"1999-12|{PLATFORM}").first.click()
    playwright.expect(page.get_by_text("<img src=x onerror").first).to_be_visible()
    assert "owned" not in page.title()
    story = home.parent / "story.html"
    subprocess.run(command(home, "lineage", "harbor:hostile", "--html", str(story)), check=True, env=environment())
    page.goto(story.as_uri())
    playwright.expect(page.get_by_role("heading", name=HOSTILE)).to_be_visible()
    assert page.title() == "harbor:hostile"
