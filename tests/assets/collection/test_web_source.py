"""Nights: what is collected, what is left alone, what is missing, and what a killed night leaves."""

from __future__ import annotations

import datetime as dt
import gzip
import itertools
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replay import JSON, Replay, Reply
from site_pages import (
    CHALLENGE,
    atcoder_page,
    codeforces_page,
    contest_list,
    data,
    graphql,
    leetcode,
    listed,
    problemset,
    question,
)

from microcoder_assets.collection.records import ScrapedProblem, UnreadableRecord
from microcoder_assets.collection.web.catalogue import Difference, difference
from microcoder_assets.collection.web.leetcode import QUESTION
from microcoder_assets.collection.web.source import WebSource, open_web
from microcoder_assets.errors import UserError

NIGHT = dt.datetime(2026, 4, 3, 3, tzinfo=dt.UTC)
MONTHS = ["2026-03", "2026-04"]
CONTESTS, PROBLEMS = "/cf/api/contest.list?gym=false", "/cf/api/problemset.problems"
PAGES = [f"/cf/problemset/problem/{name}" for name in ("2213/A", "2213/B", "2214/A", "2214/B")]


def at(day: str) -> int:
    return int(dt.datetime.fromisoformat(f"{day}T14:35:00+00:00").timestamp())


@pytest.fixture
def site() -> Iterator[Replay]:
    """Three sites on one server: four Codeforces problems, an AtCoder contest and a LeetCode contest."""
    contests = [{"id": "abc399", "start_epoch_second": at("2026-03-29"), "title": "ABC 399"}]
    link = '<td><a href="/contests/abc399/tasks/abc399_a">'
    tasks = f"<table><tr>{link}A</a></td>{link}Sum</a></td></tr></table>"
    pages = {
        CONTESTS: contest_list({2213: at("2026-03-28"), 2214: at("2026-04-02"), 5: at("2010-01-01")}),
        PROBLEMS: problemset([listed(c, i, rating=1200) for c in (2214, 2213) for i in "BA"] + [listed(5, "A")]),
        **dict.fromkeys(PAGES, codeforces_page()),
        "/kenkoooo/contests.json": Reply(json.dumps(contests).encode(), type=JSON),
        "/kenkoooo/problem-models.json": Reply(b'{"abc399_a":{"difficulty":-500}}', type=JSON),
        "/ac/contests/abc399/tasks?lang=en": Reply(tasks.encode()),
        "/ac/contests/abc399/tasks/abc399_a?lang=en": atcoder_page(),
        **leetcode(at("2026-03-01")),
    }
    with Replay(pages) as replay:
        yield replay


def source(folder: Path, site: Replay, *platforms: str, since: str = "2026-03", **more: Any) -> WebSource:
    sections = {
        "codeforces": f'api = "{site.url}/cf/api"\nsite = "{site.url}/cf"',
        "atcoder": f'api = "{site.url}/kenkoooo"\nsite = "{site.url}/ac"',
        "leetcode": f'graphql = "{site.url}/graphql"',
    }
    fast = {"requests_per_s": 1000, "backoff_s": 0, "retries": 1, "timeout_s": 5, **more}
    folder.mkdir(exist_ok=True)
    (folder / "web.toml").write_text(
        'contact = "night@example.org"\n'
        + "".join(f"{name} = {value}\n" for name, value in fast.items())
        + "".join(f'[{p}]\nsince = "{since}"\n{sections[p]}\n' for p in platforms or sections)
    )
    return open_web(folder)


def ids(source: WebSource) -> list[str]:
    return sorted(record.problem_id for record in source.records() if isinstance(record, ScrapedProblem))


def errors(source: WebSource) -> dict[str, str]:
    """Reason by source_ref."""
    return {r.source_ref: r.reason for r in source.records() if isinstance(r, UnreadableRecord)}


CODEFORCES = [f"codeforces:{name}" for name in ("2213A", "2213B", "2214A", "2214B")]


def test_a_night_collects_every_site(site: Replay, tmp_path: Path) -> None:
    web = source(tmp_path, site)
    for platform in web.platforms:
        assert web.due(platform, NIGHT) == MONTHS
        web.collect(platform, MONTHS, NIGHT)
        assert web.cursor(platform).alarms == {}
        assert web.due(platform, NIGHT) == []
    assert ids(web) == ["atcoder:abc399_a", *CODEFORCES, "leetcode:4100"]
    assert errors(web) == {}
    assert set(site.asked().values()) == {1}
    assert {p.url: p.published for p in web.records() if isinstance(p, ScrapedProblem)} == {
        "https://atcoder.jp/contests/abc399/tasks/abc399_a": dt.date(2026, 3, 29),
        "https://codeforces.com/problemset/problem/2213/A": dt.date(2026, 3, 28),
        "https://codeforces.com/problemset/problem/2213/B": dt.date(2026, 3, 28),
        "https://codeforces.com/problemset/problem/2214/A": dt.date(2026, 4, 2),
        "https://codeforces.com/problemset/problem/2214/B": dt.date(2026, 4, 2),
        "https://leetcode.com/problems/count-lamps": dt.date(2026, 3, 1),
    }


def test_reading_again_asks_nobody(site: Replay, tmp_path: Path) -> None:
    web = source(tmp_path, site)
    for platform in web.platforms:
        web.collect(platform, MONTHS, NIGHT)
    before = list(web.records())
    site.forget()
    assert list(open_web(tmp_path).records()) == before
    assert site.log == []


def test_months_are_due_until_they_are_settled(site: Replay, tmp_path: Path) -> None:
    web = source(tmp_path, site, "codeforces")
    web.collect("codeforces", MONTHS, NIGHT)
    for later, due in {
        NIGHT + dt.timedelta(hours=1): [],
        NIGHT + dt.timedelta(days=1): MONTHS,
        dt.datetime(2026, 5, 1, 3, tzinfo=dt.UTC): [*MONTHS, "2026-05"],
    }.items():
        assert web.due("codeforces", later) == due
    may = dt.datetime(2026, 5, 1, 3, tzinfo=dt.UTC)
    web.collect("codeforces", [*MONTHS, "2026-05"], may)
    assert web.due("codeforces", may + dt.timedelta(days=1)) == ["2026-04", "2026-05"]


def test_a_clock_that_was_a_year_ahead_and_is_set_back_hides_no_month(site: Replay, tmp_path: Path) -> None:
    web = source(tmp_path, site, "codeforces")
    web.collect("codeforces", MONTHS, NIGHT.replace(year=2027))
    before = list(web.records())
    assert web.due("codeforces", NIGHT) == MONTHS
    site.forget()
    web.collect("codeforces", MONTHS, NIGHT)
    assert site.asked() == Counter({CONTESTS: 1, PROBLEMS: 1, **dict.fromkeys(PAGES, 1)})
    assert {asked.status for asked in site.log} == {304, 404}
    assert list(web.records()) == before
    assert web.due("codeforces", NIGHT + dt.timedelta(hours=1)) == []
    assert web.due("codeforces", NIGHT + dt.timedelta(days=1)) == MONTHS


def test_a_second_pass_of_the_same_night_transfers_next_to_nothing(site: Replay, tmp_path: Path) -> None:
    web = source(tmp_path, site, "codeforces", fresh_s=0)
    web.collect("codeforces", MONTHS, NIGHT)
    first, before = site.bytes_sent(), (web.fingerprint(), list(web.records()))
    site.forget()
    again = web.collect("codeforces", MONTHS, NIGHT + dt.timedelta(minutes=5))
    assert (again.new, again.changed, again.vanished) == ((), (), ())
    assert (web.fingerprint(), list(web.records())) == before
    assert {asked.status for asked in site.log} == {304, 404}  # robots.txt is not there
    assert site.bytes_sent() < first / 100


def test_a_new_rating_is_one_changed_month_without_a_new_page(site: Replay, tmp_path: Path) -> None:
    web = source(tmp_path, site, "codeforces")
    web.collect("codeforces", MONTHS, NIGHT)
    before = web.cursor("codeforces").held
    site.pages[PROBLEMS] = problemset(
        [listed(c, i, rating=1900 if c == 2213 else 1200) for c in (2214, 2213) for i in "BA"]
    )
    found = web.collect("codeforces", ["2026-04"], NIGHT + dt.timedelta(days=1))
    assert (found.new, found.changed, found.vanished) == ((), ("2213A", "2213B"), ())
    after = web.cursor("codeforces").held
    assert {month for month in after if after[month] != before[month]} == {"2026-03"}
    assert {p.ratings for p in web.records_of("codeforces", "2026-03") if isinstance(p, ScrapedProblem)} == {
        (("codeforces", 1900.0),)
    }


@pytest.mark.data
def test_two_real_dumps_give_exactly_their_difference(site: Replay, tmp_path: Path, data_dir: Path) -> None:
    folder = data_dir / "codeforces-api"
    bodies = [
        gzip.decompress((folder / name).read_bytes())
        for name in ("problemset.problems.2022-03.json.gz", "problemset.problems.json.gz")
    ]
    rows = [{f"{r['contestId']}{r['index']}": r for r in json.loads(b)["result"]["problems"]} for b in bodies]
    contests = {row["contestId"] for dump in rows for row in dump.values()}
    site.pages[CONTESTS] = contest_list({contest: at("2010-01-01") + contest * 86400 for contest in contests})
    web = source(tmp_path, site, "codeforces", since="2010-01", fresh_s=0)
    quiet = ["2026-04"]  # a month without contests: the lists are asked for, and no page
    found = []
    for hour, body in enumerate((bodies[0], bodies[1], bodies[1])):
        site.pages[PROBLEMS] = Reply(body, type=JSON)
        found.append(web.collect("codeforces", quiet, NIGHT + dt.timedelta(hours=hour)))
    old, new = rows
    assert (len(found[0].new), len(found[0].changed), len(found[0].vanished)) == (7579, 0, 0)
    assert found[1].new == tuple(sorted(new.keys() - old.keys()))
    assert found[1].changed == tuple(sorted(key for key in new.keys() & old.keys() if new[key] != old[key]))
    assert found[1].vanished == tuple(sorted(old.keys() - new.keys()))
    assert [len(part) for part in (found[1].new, found[1].changed, found[1].vanished)] == [3555, 99, 18]
    assert (found[2].new, found[2].changed, found[2].vanished) == ((), (), ())
    assert [asked.status for asked in site.log if asked.key == PROBLEMS] == [200, 200, 304]


OUTAGES: dict[str, tuple[Callable[[Replay], None], str]] = {
    "down": (lambda site: site.pages.update(dict.fromkeys(PAGES[1:], Reply(b"", 502))), "not_collected"),
    "a browser check": (lambda site: site.pages.update(dict.fromkeys(PAGES[1:], Reply(CHALLENGE, 403))), "blocked"),
    "another layout": (
        lambda site: site.pages.update(dict.fromkeys(PAGES[1:], Reply(b"<html><b>New!</b></html>"))),
        "source_changed",
    ),
}


@pytest.mark.parametrize("outage", OUTAGES)
def test_a_night_that_is_not_whole_says_so_and_the_next_one_catches_up(
    site: Replay, tmp_path: Path, outage: str
) -> None:
    happens, reason = OUTAGES[outage]
    pages = dict(site.pages)
    happens(site)
    web = source(tmp_path, site, "codeforces")
    web.collect("codeforces", MONTHS, NIGHT)
    assert list(web.cursor("codeforces").alarms) == [reason]
    assert ids(web) == ["codeforces:2213A"]
    missing = errors(web)
    assert missing.keys() == {"2213B", "2214A", "2214B"} and reason in missing.values()
    assert web.due("codeforces", NIGHT) == MONTHS
    site.pages = pages
    site.forget()
    web.collect("codeforces", MONTHS, NIGHT + dt.timedelta(days=1))
    assert web.cursor("codeforces").alarms == {}
    assert (ids(web), errors(web)) == (CODEFORCES, {})


def test_a_site_that_breaks_later_takes_nothing_away(site: Replay, tmp_path: Path) -> None:
    web = source(tmp_path, site, "codeforces")
    web.collect("codeforces", MONTHS, NIGHT)
    before = list(web.records())
    replies = (Reply(b"<html>New!</html>"), Reply(CHALLENGE, 403), Reply(b"", 500))
    for day, (reply, broken) in enumerate(itertools.product(replies, ([*PAGES], [PROBLEMS], [CONTESTS])), 1):
        whole = {key: site.pages[key] for key in broken}
        site.pages.update(dict.fromkeys(broken, reply))
        web.collect("codeforces", MONTHS, NIGHT + dt.timedelta(days=day))
        assert web.cursor("codeforces").alarms
        assert list(web.records()) == before
        site.pages.update(whole)


def test_one_page_that_stays_broken_does_not_keep_the_others_away(site: Replay, tmp_path: Path) -> None:
    site.pages[PAGES[0]] = Reply(b"", 500)
    site.pages[PAGES[1]] = Reply(b"<html>gone</html>", 404)
    web = source(tmp_path, site, "codeforces")
    web.collect("codeforces", MONTHS, NIGHT)
    assert ids(web) == CODEFORCES[2:]
    assert errors(web) == {"2213A": "not_collected", "2213B": "not_collected"}
    assert web.due("codeforces", NIGHT) == ["2026-03"]


def test_a_site_that_was_never_reached_holds_nothing(site: Replay, tmp_path: Path) -> None:
    site.pages[CONTESTS] = Reply(b"", 503)
    web = source(tmp_path, site, "codeforces")
    web.collect("codeforces", MONTHS, NIGHT)
    assert "contest.list" in web.cursor("codeforces").alarms["not_collected"]
    assert list(web.records()) == [] and web.cursor("codeforces").held == {}


def test_a_task_that_two_contests_list_belongs_to_the_first(site: Replay, tmp_path: Path) -> None:
    contests = [
        {"id": name, "start_epoch_second": at(day), "title": name}
        for name, day in (("abc399", "2026-03-29"), ("abc399-mirror", "2026-04-01"))
    ]
    site.pages["/kenkoooo/contests.json"] = Reply(json.dumps(contests).encode(), type=JSON)
    for page in ("tasks", "tasks/abc399_a"):
        site.pages[f"/ac/contests/abc399-mirror/{page}?lang=en"] = site.pages[f"/ac/contests/abc399/{page}?lang=en"]
    web = source(tmp_path, site, "atcoder")
    web.collect("atcoder", MONTHS, NIGHT)
    assert [(p.problem_id, p.contest) for p in web.records() if isinstance(p, ScrapedProblem)] == [
        ("atcoder:abc399_a", "abc399")
    ]


def test_premium_questions_are_blocked_without_an_alarm(site: Replay, tmp_path: Path) -> None:
    locked = question(content=None, isPaidOnly=True)
    site.pages[graphql(QUESTION, titleSlug="count-lamps")] = data(question=locked)
    web = source(tmp_path, site, "leetcode")
    web.collect("leetcode", MONTHS, NIGHT)
    assert (errors(web), web.cursor("leetcode").alarms) == ({"count-lamps": "blocked"}, {})


COLLECT = """
import datetime as dt, sys, pathlib
from microcoder_assets.collection.web.source import open_web
now = dt.datetime.fromisoformat(sys.argv[2])
open_web(pathlib.Path(sys.argv[1])).collect("codeforces", ["2026-03", "2026-04"], now)
"""


@pytest.mark.parametrize("page", [0, 3])
def test_a_killed_night_goes_on_without_asking_again(site: Replay, tmp_path: Path, page: int) -> None:
    web = source(tmp_path, site, "codeforces")
    reached = threading.Event()
    site.pages[PAGES[page]] = Reply(codeforces_page().body, sent=10, stall=True)
    site.heard = lambda asked: reached.set() if asked.key == PAGES[page] else None
    with subprocess.Popen([sys.executable, "-c", COLLECT, str(tmp_path), NIGHT.isoformat()]) as night:
        assert reached.wait(60)
        night.send_signal(signal.SIGKILL)
        night.wait(timeout=30)
    site.pages[PAGES[page]] = codeforces_page()
    web.collect("codeforces", MONTHS, NIGHT + dt.timedelta(hours=1))
    assert site.asked() == Counter({CONTESTS: 1, PROBLEMS: 1, **dict.fromkeys(PAGES, 1), PAGES[page]: 2})
    assert (ids(web), errors(web)) == (CODEFORCES, {})


FULL_DISK = """
import datetime as dt, pathlib, shutil, sys
from microcoder_assets.collection.web.source import open_web
from microcoder_assets.errors import UserError
folder = pathlib.Path(sys.argv[1])
held = sorted(folder.rglob("*.gz")) + [folder / "codeforces" / "answers.jsonl"]
before = {path: path.read_bytes() for path in held if path.exists()}
with (folder / "filler").open("wb") as filler:
    filler.write(bytes(shutil.disk_usage(folder).free - int(sys.argv[3])))
try:
    open_web(folder).collect("codeforces", ["2026-03", "2026-04"], dt.datetime.fromisoformat(sys.argv[2]))
except UserError as error:
    print(error)
for path, content in before.items():
    assert path.read_bytes().startswith(content), path
(folder / "filler").unlink()
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare to mount a small disk")
@pytest.mark.parametrize("free", [0, 8192, 20480])
def test_a_full_disk_is_one_clear_line_and_the_next_night_repairs(site: Replay, tmp_path: Path, free: int) -> None:
    web = tmp_path / "web"
    source(web, site, "codeforces")
    steps = [
        "mount -t tmpfs -o size=400k none $1/disk && cp $1/web/web.toml $1/disk/",
        '"$2" -c "$3" $1/disk $4 $5',
        "cp -r $1/disk/. $1/web/",
    ]
    (tmp_path / "disk").mkdir()
    command = ["unshare", "-Urm", "sh", "-c", " && ".join(steps), "sh", str(tmp_path), sys.executable, FULL_DISK]
    run = subprocess.run([*command, NIGHT.isoformat(), str(free)], capture_output=True, text=True, timeout=120)
    if "mount" in run.stderr or "unshare" in run.stderr:
        pytest.skip(f"cannot mount a small disk here: {run.stderr.strip()}")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("disk full while writing"), run.stdout
    assert run.stdout.count("\n") == 1
    again = open_web(web)
    again.collect("codeforces", MONTHS, NIGHT + dt.timedelta(hours=1))
    assert (ids(again), errors(again)) == (CODEFORCES, {})
    assert max(site.asked().values()) <= 2


def test_two_processes_at_once_ask_once(site: Replay, tmp_path: Path) -> None:
    web = source(tmp_path, site, "codeforces")
    nights = [subprocess.Popen([sys.executable, "-c", COLLECT, str(tmp_path), NIGHT.isoformat()]) for _ in range(2)]
    assert [night.wait(timeout=60) for night in nights] == [0, 0]
    assert set(site.asked().values()) == {1}
    assert ids(web) == CODEFORCES


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "contact"),
        ('contact = "me"', "names no site"),
        ('contact = "me"\n[codeforces]\nsince = "2026-13"', "since"),
        ('contact = "me"\n[codechef]\nsince = "2026-01"', "codechef"),
        ("contact = ", "not valid TOML"),
    ],
)
def test_a_mistake_in_web_toml_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "web.toml").write_text(text)
    with pytest.raises(UserError, match=words) as caught:
        open_web(tmp_path)
    assert "\n" not in str(caught.value) and "web.toml" in str(caught.value)


def test_a_folder_without_web_toml_is_no_web_source(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no web\.toml"):
        open_web(tmp_path)


def test_a_damaged_cursor_says_how_to_mend_it(site: Replay, tmp_path: Path) -> None:
    web = source(tmp_path, site, "codeforces")
    web.collect("codeforces", MONTHS, NIGHT)
    (tmp_path / "codeforces.json").write_text('{"collected": {"2026-03": 7}}')
    with pytest.raises(UserError, match="delete it"):
        web.cursor("codeforces")
    (tmp_path / "codeforces.json").unlink()
    site.forget()
    web.collect("codeforces", MONTHS, NIGHT)
    assert ids(web) == CODEFORCES and site.log == []


@given(st.dictionaries(st.text(max_size=2), st.integers(0, 3)), st.dictionaries(st.text(max_size=2), st.integers(0, 3)))
def test_a_difference_leads_from_the_old_list_to_the_new_one(old: dict[str, int], new: dict[str, int]) -> None:
    found = difference(old, new)
    renewed = {key: new[key] for key in (*found.new, *found.changed)}
    assert {key: value for key, value in (old | renewed).items() if key not in found.vanished} == new
    assert all(key in old and old[key] != new[key] for key in found.changed)
    assert difference(new, new) == Difference((), (), ())
