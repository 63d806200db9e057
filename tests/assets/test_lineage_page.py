"""The page of one row's story: what it holds, and that a hostile text on it is only a text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from rows import frame, unique_row

from microcoder_assets.errors import UserError
from microcoder_assets.lineage_page import page, write_page
from microcoder_assets.project import Project
from microcoder_assets.schema import NORMALIZED, SCRAPED
from microcoder_assets.stage import Decision, Kind, StageResult

RUN = {"inputs": "i", "code_version": "1", "run_id": "0123456789"}
HOSTILE = "<script>fetch('http://127.0.0.1:9')</script><img src=x onerror=\"document.title='owned'\">"
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "dl", "dt", "dd", "table", "tr", "th", "td",
    "span", "code", "br", "pre",
}  # fmt: skip


class Tags(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A row whose every text is hostile, and one merged into it."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    made = Project(tmp_path, (), None, None)
    store = made.store
    row = unique_row(store.blobs, "a:1", title=HOSTILE, statement=HOSTILE, url=f"http://x/{HOSTILE}", flags=[HOSTILE])
    rows = frame([row])
    scraped = pl.DataFrame([row], schema_overrides=SCRAPED).select(
        pl.col(name).cast(dtype) if name in row else pl.lit(None, dtype).alias(name) for name, dtype in SCRAPED.items()
    )
    store.publish("scraped_problems", StageResult(scraped, [Decision("a:1", Kind.KEPT, "ok")]), **RUN)
    store.publish(
        "normalized_problems",
        StageResult(rows.select(list(NORMALIZED)), [Decision("a:1", Kind.KEPT, "ok", {"error": HOSTILE})]),
        **RUN,
    )
    merged = Decision("b:2", Kind.MERGED, "duplicate_text", {"of": "a:1"}, score=0.875, rule=HOSTILE, parents=["a:1"])
    decisions = [Decision("a:1", Kind.KEPT, "ok"), merged]
    store.publish("unique_problems", StageResult(rows.select(list(NORMALIZED)), decisions), **RUN)
    return made


def test_the_page_tells_decisions_merges_and_the_ledger(project: Project) -> None:
    told = page(project, "a:1")
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", told))
    assert "Merged into it" in words and "b:2" in words and "0.875" in words
    assert "near-duplicate statement of detail.of" in words
    assert "not run" in words
    assert words.count("01234567") >= 7  # three stages now, one merge, three in the ledger


def test_what_a_source_wrote_is_only_text(project: Project) -> None:
    told = page(project, "a:1")
    found = Tags(told)
    assert found.tags <= ALLOWED
    assert not {name for name in found.attributes if name.startswith("on") or name in ("src", "href", "style")}
    assert told.count("&lt;script&gt;") >= 5
    assert "default-src 'none'" in told


def test_the_page_lies_where_it_was_asked_for(project: Project, tmp_path: Path) -> None:
    assert write_page(project, "a:1", None) == tmp_path / "lineage" / "a-1.html"
    assert write_page(project, "a:1", tmp_path / "deep" / "story.html").read_text("utf-8") == page(project, "a:1")


def test_an_unknown_id_names_close_ones_and_writes_nothing(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="close ids: a:1"):
        write_page(project, "a:9", tmp_path / "story.html")
    assert not (tmp_path / "story.html").exists()
