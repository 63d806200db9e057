"""Nights that add, change and delete rows end with the same bytes as one build of what stands at the end."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from microcoder_assets.processing.parts import prepared_parts, unique_parts
from microcoder_assets.project import Project
from microcoder_assets.schema import NORMALIZED, PREPARED, UNIQUE
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_assets.store import Partition

MONTHS = ("2025-12", "2026-01", "2026-02")
TEXTS = [" ".join(f"w{seed}x{n * n % 97}" for n in range(60)) for seed in range(4)]
TEXTS += [f"{text} with a few more words at its end" for text in TEXTS]
PROBLEMS = [f"{platform}:{n}" for platform in ("codeforces", "kattis") for n in range(4)]
Rows = dict[str, tuple[int, str]]
NIGHTS = st.lists(
    st.dictionaries(
        st.sampled_from(PROBLEMS), st.none() | st.tuples(st.integers(0, len(TEXTS) - 1), st.sampled_from(MONTHS))
    ),
    min_size=1,
    max_size=4,
)
"""Each night: what becomes of some problems. None: gone; else the number of the text and the month it stands in."""


def normalized(problem_id: str, text: int) -> dict[str, object]:
    platform, _, native_id = problem_id.partition(":")
    blank = dict.fromkeys(NORMALIZED) | {name: [] for name in ("tests", "references", "tags", "ratings", "samples")}
    own = {"problem_id": problem_id, "platform": platform, "native_id": native_id, "title": f"Of {problem_id}"}
    content = {"statement": TEXTS[text], "statement_language": "en", "io_mode": "stdin", "content_sha": str(text)}
    return blank | own | content | {"tags": [f"tag{text}"]}


def publish_normalized(project: Project, rows: Rows) -> None:
    for month in MONTHS:
        there = [normalized(name, text) for name, (text, at) in sorted(rows.items()) if at == month]
        frame = pl.DataFrame(there, schema=NORMALIZED, infer_schema_length=None)
        kept = StageResult(frame, [Decision(name, Kind.KEPT, "ok") for name in frame["problem_id"]])
        place = Partition(month, "codeforces")
        project.store.publish("normalized_problems", kept, partition=place, inputs="", code_version="1", run_id="r")


def make(project: Project) -> dict[str, str]:
    """What stands of both assets afterwards: the rows and the decisions of each partition, by hash."""
    run = {"code_version": "1", "run_id": "r"}
    parts, _ = unique_parts(project)
    project.store.publish_parts("unique_problems", parts, schema=UNIQUE, inputs=str(project.home), **run)
    parts = list(prepared_parts(project))
    project.store.publish_parts("prepared_problems", parts, schema=PREPARED, inputs=str(project.home), **run)
    return {
        f"{asset} {manifest.partition}": f"{manifest.data} {manifest.decisions}"
        for asset in ("unique_problems", "prepared_problems")
        for manifest in project.store.manifests(asset)
    }


@settings(max_examples=8, deadline=None)
@given(NIGHTS)
def test_nights_are_one_build(nights: list[dict[str, tuple[int, str] | None]]) -> None:
    rows: Rows = {}
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder, "nights"), (), None, None)
        for night in nights:
            for name, place in night.items():
                rows.pop(name, None)
                if place is not None:
                    rows[name] = place
            publish_normalized(project, rows)
            found = make(project)
        once = Project(Path(folder, "once"), (), None, None)
        publish_normalized(once, rows)
        assert found == make(once)


def test_a_night_writes_only_the_partitions_of_what_is_new_and_of_what_that_merges_into(tmp_path: Path) -> None:
    project = Project(tmp_path, (), None, None)
    rows = {"codeforces:0": (0, MONTHS[0]), "codeforces:1": (1, MONTHS[1])}
    publish_normalized(project, rows | {"kattis:0": (2, MONTHS[2])})
    make(project)
    publish_normalized(project, rows | {"kattis:0": (2, MONTHS[2]), "kattis:1": (5, MONTHS[2])})
    make(project)
    made_twice = {"unique_problems": 2, "prepared_problems": 1}  # the merged row ends in the first
    for asset in made_twice:
        versions = {m.partition.split("|")[0]: m.version for m in project.store.manifests(asset)}
        assert versions == {MONTHS[0]: 1, MONTHS[1]: 2, MONTHS[2]: made_twice[asset]}
    decisions = project.store.scan_decisions(project.store.manifests("unique_problems"))
    ended = decisions.filter(decision="merged").collect()
    assert ended.select("problem_id").rows() == [("kattis:1",)]
