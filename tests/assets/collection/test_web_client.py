"""The client's manners, against a server on loopback that has every fault a site can have."""

from __future__ import annotations

import datetime as dt
import gzip
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replay import Replay, Reply
from site_pages import CHALLENGE

from microcoder_assets.collection.web.archive import ResponseArchive
from microcoder_assets.collection.web.client import WebClient
from microcoder_assets.collection.web.errors import Blocked, NotCollected, NotServed, Refused, SourceChanged, SourceDown
from microcoder_assets.collection.web.exchange import Answer, Request
from microcoder_assets.config import WebSettings
from microcoder_assets.throttle import TokenBucket, backoff, retry_after

NOW = dt.datetime(2026, 4, 3, 3, tzinfo=dt.UTC)
PAGE = Reply(b"<html>" + b"lamp " * 2000 + b"</html>")
FAST: dict[str, Any] = {
    "contact": "night@example.org",
    "requests_per_s": 1000.0,
    "backoff_s": 0.0,
    "retries": 2,
    "timeout_s": 5.0,
}


@pytest.fixture
def site() -> Iterator[Replay]:
    with Replay({"/page": PAGE}) as replay:
        yield replay


def ask(
    site: Replay,
    folder: Path,
    path: str = "/page",
    now: dt.datetime = NOW,
    waits: list[float] | None = None,
    **more: Any,
) -> bytes:
    """The body of one page; waits: where to note the seconds that the client wanted to wait."""
    archive, waited = ResponseArchive(folder), [] if waits is None else waits
    settings = WebSettings(**{**FAST, **more})
    with archive.writing(), WebClient(archive, settings, now, sleep=waited.append) as client:
        return client.read(Request(site.url + path), lambda answer: answer.body)


def test_it_says_who_asks(site: Replay, tmp_path: Path) -> None:
    ask(site, tmp_path)
    assert {asked.headers["User-Agent"] for asked in site.log} == {
        "microcoder (contest problems for research; night@example.org)"
    }


def test_a_fresh_answer_is_not_asked_for_again_and_a_stale_one_is_not_sent_again(site: Replay, tmp_path: Path) -> None:
    body = ask(site, tmp_path)
    soon, later = NOW + dt.timedelta(hours=1), NOW + dt.timedelta(hours=7)
    assert ask(site, tmp_path, now=soon) == body
    assert site.asked() == {"/page": 1}
    assert ask(site, tmp_path, now=later) == body
    assert [asked.status for asked in site.log if asked.key == "/page"] == [200, 304]
    assert ask(site, tmp_path, now=later + dt.timedelta(hours=1)) == body
    assert site.asked() == {"/page": 2}


def test_a_last_modified_is_sent_back(site: Replay, tmp_path: Path) -> None:
    changed = "Wed, 01 Apr 2026 10:00:00 GMT"
    site.pages["/old"] = Reply(b"old", headers={"Last-Modified": changed}, etag=False)
    for day in (0, 1):
        ask(site, tmp_path, "/old", now=NOW + dt.timedelta(days=day))
    assert [a.headers.get("If-Modified-Since") for a in site.log if a.key == "/old"] == [None, changed]


def test_retry_after_is_kept_to(site: Replay, tmp_path: Path) -> None:
    waits: list[float] = []
    site.faults["/page"] = [Reply(b"slow down", 429, headers={"Retry-After": "17"})]
    assert ask(site, tmp_path, waits=waits) == PAGE.body
    assert 17.0 in waits


def test_a_longer_retry_after_ends_the_night(site: Replay, tmp_path: Path) -> None:
    site.faults["/page"] = [Reply(b"", 503, headers={"Retry-After": "86400"})]
    with pytest.raises(SourceDown, match="asks to come back in 86400 s"):
        ask(site, tmp_path)
    assert site.asked() == {"/page": 1}


BROKEN = {
    "500": Reply(b"oops", 500),
    "truncated": Reply(PAGE.body, sent=1000),
    "damaged gzip": Reply(gzip.compress(PAGE.body)[:-8] + bytes(8), headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_passing_fault_costs_another_attempt(site: Replay, tmp_path: Path, fault: str) -> None:
    site.faults["/page"] = [BROKEN[fault]]
    assert ask(site, tmp_path) == PAGE.body
    assert site.asked() == {"/page": 2}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_lasting_fault_is_a_source_that_is_down_and_archives_nothing(
    site: Replay, tmp_path: Path, fault: str
) -> None:
    site.faults["/page"] = [BROKEN[fault]] * 3
    with pytest.raises(SourceDown, match="no answer in 3 attempts"):
        ask(site, tmp_path)
    with pytest.raises(NotCollected):
        ResponseArchive(tmp_path).read(Request(f"{site.url}/page"), lambda answer: answer.body)


def test_an_answer_that_never_ends_is_given_up(site: Replay, tmp_path: Path) -> None:
    site.pages["/slow"] = Reply(PAGE.body, drip=True)
    with pytest.raises(SourceDown, match="longer than"):
        ask(site, tmp_path, "/slow", retries=0, longest_answer_s=0.1)


def test_a_silent_site_is_given_up(tmp_path: Path, site: Replay) -> None:
    site.pages["/silent"] = Reply(PAGE.body, sent=100, stall=True)
    with pytest.raises(SourceDown):
        ask(site, tmp_path, "/silent", retries=0, timeout_s=0.2)


def test_a_huge_answer_is_not_taken(site: Replay, tmp_path: Path) -> None:
    with pytest.raises(NotServed, match="larger than"):
        ask(site, tmp_path, max_bytes=5000)


def test_a_page_that_is_not_there_is_only_that_page(site: Replay, tmp_path: Path) -> None:
    with pytest.raises(NotServed, match="status 404"):
        ask(site, tmp_path, "/none")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(CHALLENGE, 403),
        Reply(CHALLENGE, 503, headers={"Server": "cloudflare"}),
        Reply(b"<html>?</html>", 403, headers={"cf-mitigated": "challenge"}),
        Reply(b"<p>Please wait. Your browser is being checked. It may take a few seconds...</p>"),
    ],
)
def test_a_browser_check_is_recognised_and_not_asked_again(site: Replay, tmp_path: Path, reply: Reply) -> None:
    site.pages["/page"] = reply
    with pytest.raises(Refused, match="browser check"):
        ask(site, tmp_path)
    assert site.asked() == {"/page": 1}


def test_pages_that_speak_of_cloudflare_or_of_logging_in_are_pages(site: Replay, tmp_path: Path) -> None:
    script = b'<script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js"></script>'
    site.pages["/page"] = Reply(b'<html><a href="/login?continue=x">Sign In</a>' + script + b"</html>")
    assert b"Sign In" in ask(site, tmp_path)


def test_a_redirect_to_a_login_is_blocked(site: Replay, tmp_path: Path) -> None:
    site.pages["/page"] = Reply(b"", 302, headers={"Location": "/enter?back=%2Fpage"}, etag=False)
    site.pages["/enter?back=%2Fpage"] = Reply(b"<html>Enter</html>")
    with pytest.raises(Blocked, match="wants a login"):
        ask(site, tmp_path)


@pytest.mark.data
def test_leetcodes_real_locked_page_is_blocked_and_its_real_pages_are_not(
    site: Replay, tmp_path: Path, data_dir: Path
) -> None:
    real = data_dir / "raw-responses"
    site.pages["/locked"] = Reply((real / "leetcode" / "locked.html.20161015").read_bytes())
    with pytest.raises(Blocked, match="wants a login"):
        ask(site, tmp_path, "/locked")
    for path in sorted((real / "atcoder").glob("*.html")):
        site.pages[f"/{path.name}"] = Reply(path.read_bytes())
        assert ask(site, tmp_path, f"/{path.name}") == path.read_bytes()


def test_robots_txt_is_honoured(site: Replay, tmp_path: Path) -> None:
    rules = b"User-agent: *\nDisallow: /*/private\nAllow: /open/private\nCrawl-delay: 4\n"
    site.pages["/robots.txt"] = Reply(rules, type="text/plain")
    site.pages["/open/private"] = site.pages["/a/private"] = PAGE
    waits: list[float] = []
    with pytest.raises(Refused, match=r"robots\.txt"):
        ask(site, tmp_path, "/a/private")
    assert site.asked() == {}
    archive = ResponseArchive(tmp_path)
    with archive.writing(), WebClient(archive, WebSettings(**FAST), NOW, sleep=waits.append) as client:
        for path in ("/open/private", "/page"):
            client.read(Request(site.url + path), lambda answer: answer.body)
    assert max(waits) > 3.0


def test_a_host_without_robots_txt_forbids_nothing_but_one_that_is_down_is_left_alone(
    site: Replay, tmp_path: Path
) -> None:
    assert ask(site, tmp_path / "none") == PAGE.body
    site.pages["/robots.txt"] = Reply(b"", 503)
    with pytest.raises(SourceDown):
        ask(site, tmp_path / "down")
    assert site.asked() == {"/page": 1}


def read_twice(answer: Answer) -> bytes:
    if b"new layout" in answer.body:
        raise SourceChanged("new layout")
    return answer.body


def test_a_changed_or_refused_page_hides_no_older_one(site: Replay, tmp_path: Path) -> None:
    ask(site, tmp_path)
    for day, reply in enumerate((Reply(b"<html>new layout</html>"), Reply(b"", 404), Reply(CHALLENGE, 403)), 1):
        site.pages["/page"] = reply
        with pytest.raises((SourceChanged, NotServed, Refused)):
            archive = ResponseArchive(tmp_path)
            with archive.writing(), WebClient(archive, WebSettings(**FAST), NOW + dt.timedelta(days=day)) as client:
                client.read(Request(f"{site.url}/page"), read_twice)
    assert ResponseArchive(tmp_path).read(Request(f"{site.url}/page"), read_twice) == PAGE.body


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.binary(max_size=40)), min_size=1, max_size=6), st.data())
def test_an_archive_cut_off_anywhere_holds_what_was_whole(added: list[tuple[str, bytes]], draw: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = ResponseArchive(Path(folder))
        journal, ends = Path(folder) / "answers.jsonl", [0]
        with archive.writing():
            for key, body in added:
                archive.add(Request(key), Answer(key, 200, {}, body), NOW)
                ends.append(journal.stat().st_size)
        cut = draw.draw(st.integers(0, ends[-1]))
        journal.write_bytes(journal.read_bytes()[:cut])
        whole = dict(added[: sum(end <= cut for end in ends) - 1])
        again = ResponseArchive(Path(folder))
        with again.writing():
            again.add(Request("c"), Answer("c", 200, {}, b"new"), NOW)
        for reader in (again, ResponseArchive(Path(folder))):
            for key, body in {**whole, "c": b"new"}.items():
                assert reader.read(Request(key), lambda answer: answer.body) == body
            for key in {"a", "b"} - whole.keys():
                with pytest.raises(NotCollected):
                    reader.read(Request(key), lambda answer: answer.body)


@settings(deadline=None)
@given(st.lists(st.floats(0, 5), min_size=1, max_size=60), st.floats(0.1, 10), st.integers(1, 5))
def test_the_bucket_never_lets_more_through_than_it_says(gaps: list[float], rate: float, burst: int) -> None:
    bucket, now, sent = TokenBucket(rate, burst), 100.0, []
    for gap in gaps:
        now += gap
        sent.append(now + bucket.take(now))
    assert sent == sorted(sent)
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            assert last - first + 1 <= burst + rate * (sent[last] - sent[first]) + 1e-6


@settings(deadline=None)
@given(st.integers(0, 80), st.floats(0, 10), st.floats(0, 100), st.integers())
def test_backoff_is_bounded(attempt: int, base: float, most: float, seed: int) -> None:
    assert 0 <= backoff(attempt, base, most, random.Random(seed)) <= most


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        ("Fri, 03 Apr 2026 03:01:00 GMT", 60.0),
        ("Fri, 03 Apr 2020 03:01:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_in_both_forms(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, NOW) == seconds
