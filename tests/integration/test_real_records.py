"""Real public records through the command: every record accounted for, no benchmark problem left."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import microcoder, tree

from microcoder_assets.project import Project
from microcoder_assets.store.catalogue import query

pytestmark = [pytest.mark.data, pytest.mark.slow]


def test_leetcode_without_its_444_benchmark_problems(data_dir: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    arguments = ["run", "--source", f"leetcode:{data_dir / 'leetcode-doocs'}", "--until", "unique_problems"]
    run = microcoder(home, *arguments, "--benchmark", str(data_dir / "livecodebench"))
    assert run.returncode == 0, run.stderr
    store = Project.load(home).store
    scraped = query(store, "SELECT came_in, kept FROM funnel WHERE stage = 'scraped_problems'").row(0)
    assert scraped == (4029, 4029)

    known = "SELECT problem_id, title, url FROM livecodebench_problems WHERE platform = 'leetcode'"
    slugs = {title for _, title, _ in query(store, known).rows()}
    assert len(slugs) == 444
    rows = query(store, "SELECT problem_id, url FROM scraped_problems").rows()
    exposed = {problem_id for problem_id, url in rows if url.rstrip("/").rpartition("/")[2] in slugs}
    assert len(exposed) == 444
    left = set(query(store, "SELECT problem_id FROM unique_problems")["problem_id"])
    assert left and left.isdisjoint(exposed)
    ended = query(store, "SELECT problem_id, reason FROM standing WHERE decision = 'dropped'").rows()
    assert exposed <= {problem_id for problem_id, reason in ended if reason}

    before = tree(home / "store")
    again = microcoder(home, "run", "--until", "unique_problems")
    assert again.returncode == 0 and "unchanged" in again.stdout
    assert tree(home / "store") == before
