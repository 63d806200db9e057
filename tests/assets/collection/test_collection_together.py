"""Sources that know the same problem, through a whole run: one row, where its first record put it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from collection_files import write_rows
from set_rows import CODE_CONTESTS, OPEN_R1, write_lines

from microcoder_assets.lineage import story
from microcoder_assets.project import Project
from microcoder_assets.runner import Runner
from microcoder_assets.store.catalogue import query

STATEMENT = {
    "pid": "P1234A",
    "title": "Two",
    "tags": ["greedy"],
    "rating": None,
    "time": "1s",
    "memory": "256m",
    "statement_md": "Add.\n\n## Input\n\nTwo numbers.\n\n## Output\n\nTheir sum.",
    "samples": [],
}


def test_a_problem_of_three_sources_is_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dagster").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    write_rows(tmp_path / "statements" / "problems.jsonl.gz", [STATEMENT, {**STATEMENT, "pid": "P1234B"}])
    write_lines(tmp_path / "contests" / "rows.jsonl", [CODE_CONTESTS])
    write_lines(tmp_path / "r1" / "rows.jsonl", [OPEN_R1, "{broken"])

    def make(*sources: str) -> list[str]:
        project = Project(tmp_path / "home", sources, None, None)
        project.save()
        return Runner(project).run("normalized_problems")

    statements, contests = f"codeforces:{tmp_path / 'statements'}", f"codecontests:{tmp_path / 'contests'}"
    sources = (statements, contests, f"open-r1:{tmp_path / 'r1'}")
    assert make(statements) == make(*sources) == ["scraped_problems", "normalized_problems"]
    store = Project.load(tmp_path / "home").store
    columns = 'problem_id, title, published, published_basis, source_kind, len(tests), len("references")'
    rows = query(store, f"SELECT {columns} FROM normalized_problems ORDER BY ALL").rows()
    assert rows == [
        ("codeforces:1234A", "Two", dt.date(2019, 9, 23), "contest", "codeforces", 2, 6),
        ("codeforces:1234B", "Two", None, None, "codeforces", 0, 0),
    ]
    partitions = {manifest.partition: manifest.rows for manifest in store.manifests("scraped_problems")}
    assert partitions == {"1999-12|codeforces": 2, "2019-09|codeforces": 0}
    checker = query(store, "SELECT checker->>'name' FROM normalized_problems WHERE native_id = '1234A'").item()
    assert checker == "custom"
    counts = query(store, "SELECT decision, count(*) FROM decisions WHERE stage = 'scraped_problems' GROUP BY 1").rows()
    assert dict(counts) == {"kept": 2, "merged": 2, "error": 1}
    assert "same_id" in story(store, "codeforces:1234A")
    assert make(*sources) == []
