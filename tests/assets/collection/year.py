"""A year of contests on three sites and of packages in a folder, and nights that follow it.

What the sites serve is a function of the day alone: contests, ratings that come late, pages that are edited, problems
that are taken back, days on which a site is down, wants a browser or has another layout. A night is a tick of the real
schedule and a run of the real job, at the day's clock.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
from replay import JSON, Replay, Reply
from site_pages import CHALLENGE, atcoder_page, codeforces_page, contest_list, graphql, listed, problemset, question

from microcoder_assets import clock
from microcoder_assets.collection.web.leetcode import CONTESTS, QUESTION, QUESTIONS
from microcoder_assets.definitions import build_defs
from microcoder_assets.nights.tags import PARTIAL
from microcoder_assets.project import Project
from microcoder_assets.resources import Workspace
from microcoder_assets.runner import prepare_instance
from microcoder_assets.store.catalogue import STAGES, query

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "r", "lo", "mi", "sta", "ve")]
SETTINGS = "[verification]\nmutants = 2\nrepeats = 0\nworkers = 1\n[calibration]\nbootstrap = 0\n"
FIRST = dt.date(2023, 9, 16)
"""The first day. Contests are at fixed distances from it, one of them on the leap day."""


@dataclass(frozen=True)
class Outage:
    """Days, both included, counted from FIRST. pages: only those; lists are served."""

    platform: str
    first: int
    last: int
    reply: Reply
    pages: bool = False


OUTAGES = (
    Outage("codeforces", 40, 41, Reply(b"", 502)),
    Outage("leetcode", 60, 60, Reply(b"", 500)),
    Outage("codeforces", 100, 103, Reply(CHALLENGE, 403)),
    Outage("codeforces", 150, 152, Reply(b"<html><b>New layout</b></html>"), pages=True),
    Outage("atcoder", 200, 285, Reply(b"", 503)),
)
"""The last one is longer than the months that a night looks at."""


def down(number: int) -> set[str]:
    """Platforms that are not whole on a day."""
    return {outage.platform for outage in OUTAGES if outage.first <= number <= outage.last}


def day_of(number: int) -> dt.date:
    return FIRST + dt.timedelta(days=number)


def noon(number: int) -> int:
    return int(dt.datetime.combine(day_of(number), dt.time(12), dt.UTC).timestamp())


@cache
def words(name: str) -> str:
    """A text of its own, so that no two problems read alike."""
    return " ".join(random.Random(name).choices(WORDS, k=90))


@cache
def codeforces(name: str, edition: int) -> Reply:
    number = random.Random(name).randrange(10**6)
    return codeforces_page(title=name, note=f"{words(name)} {'Edited.' * edition}", samples=[(f"{number}\n", "1\n")])


@cache
def atcoder(name: str) -> Reply:
    page = atcoder_page().body.replace(b"Add ", f"{words(name)} add ".encode())
    return Reply(page.replace(b"1 2\r\n", f"{random.Random(name).randrange(10**6)} 2\r\n".encode()))


def answer(body: object) -> Reply:
    return Reply(json.dumps(body).encode(), type=JSON)


def pages(number: int) -> dict[str, Reply]:
    """What the sites serve on the morning after a day, outages apart."""
    return {**_codeforces(number), **_atcoder(number), **_leetcode(number)}


def _codeforces(number: int) -> dict[str, Reply]:
    """A contest of two problems every sixth day from day 4: 58 - hence also 166, the leap day."""
    starts, rows, found = {1: 1}, [listed(1, "Z")], {}
    for count, start in enumerate(range(4, number + 1, 6)):
        contest, age = 2000 + count, number - start
        starts[contest] = noon(start)
        late = 75 if count % 7 == 3 else 9
        rating = {"rating": 1200 + 100 * (count % 9)} if age >= late else {}
        for index in "AB":
            taken_back = index == "B" and ((count % 6 == 2 and age >= 20) or (count % 9 == 4 and age >= 80))
            if not taken_back:
                rows.append(listed(contest, index, name=f"Lamp {contest}{index}", **rating))
            edition = int(index == "A" and count % 3 == 0 and age >= 2)
            found[f"/cf/problemset/problem/{contest}/{index}"] = codeforces(f"{contest}{index}", edition)
    lists = {"/cf/api/contest.list?gym=false": contest_list(starts), "/cf/api/problemset.problems": problemset(rows)}
    return {**lists, **found}


def _atcoder(number: int) -> dict[str, Reply]:
    """A contest of one task every fourteenth day."""
    contests, models, found = [], {}, {}
    for count, start in enumerate(range(0, number + 1, 14)):
        name = f"abc{300 + count}"
        contests.append({"id": name, "start_epoch_second": noon(start), "title": name.upper()})
        if number - start >= 3:
            models[f"{name}_a"] = {"difficulty": 100 + count}
        link = f'<td><a href="/contests/{name}/tasks/{name}_a">'
        tasks = f"<table><tr>{link}A</a></td>{link}Sum {name}</a></td></tr></table>"
        found[f"/ac/contests/{name}/tasks?lang=en"] = Reply(tasks.encode())
        found[f"/ac/contests/{name}/tasks/{name}_a?lang=en"] = atcoder(name)
    return {"/kenkoooo/contests.json": answer(contests), "/kenkoooo/problem-models.json": answer(models), **found}


def _leetcode(number: int) -> dict[str, Reply]:
    """A contest of one question every twenty-first day."""
    contests, found = [], {}
    for count, start in enumerate(range(0, number + 1, 21)):
        contest, slug = f"weekly-contest-{400 + count}", f"count-lamps-{count}"
        contests.append({"title": contest, "titleSlug": contest, "startTime": noon(start), "duration": 5400})
        asked = question(
            slug, title=f"Count Lamps {count}", questionFrontendId=str(5000 + count), content=f"<p>{words(slug)}</p>"
        )
        row = {"questionId": slug, "title": slug, "titleSlug": slug, "credit": 3}
        found[graphql(QUESTIONS, contestSlug=contest)] = answer({"data": {"contestQuestionList": [row]}})
        found[graphql(QUESTION, titleSlug=slug)] = answer({"data": {"question": asked}})
    return {graphql(CONTESTS): answer({"data": {"allContests": contests}}), **found}


class Sites(Replay):
    """The three sites on one server, and the folder of packages, as they are on a day."""

    def __init__(self, archive: Path, folder: Path, packages: Mapping[int, str]) -> None:
        """archive: where packages are copied from, into `folder`. packages: by the day on which they come."""
        super().__init__()
        self._archive, self.packages, self._arrivals = archive, folder, packages
        folder.mkdir()

    def move_to(self, number: int) -> None:
        served = pages(number)
        for outage in OUTAGES:
            if outage.first <= number <= outage.last:
                mark = {"codeforces": "/cf/", "atcoder": "/ac/", "leetcode": "/graphql"}[outage.platform]
                mark = "/cf/problemset/" if outage.pages else mark
                broken = [key for key in served if key.startswith(mark) or (mark == "/ac/" and "kenkoooo" in key)]
                served.update(dict.fromkeys(broken, outage.reply))
        self.pages = served
        for day, name in self._arrivals.items():
            target = self.packages / name
            if day <= number and not target.exists():
                shutil.copytree(self._archive / name, target)
                about = (target / "microcoder.yaml").read_text().splitlines()
                dated = [line for line in about if not line.startswith("published:")]
                (target / "microcoder.yaml").write_text("\n".join([*dated, f"published: {day_of(day)}", ""]))


def new_home(folder: Path, sites: Sites) -> Project:
    """A home fed by the sites and the packages, with a web folder of its own."""
    web = folder / "web"
    web.mkdir(parents=True)
    since = f'since = "{FIRST:%Y-%m}"\n'
    (web / "web.toml").write_text(
        'contact = "night@example.org"\nrequests_per_s = 100000\nbackoff_s = 0\nretries = 0\n'
        f'[codeforces]\n{since}api = "{sites.url}/cf/api"\nsite = "{sites.url}/cf"\n'
        f'[atcoder]\n{since}api = "{sites.url}/kenkoooo"\nsite = "{sites.url}/ac"\n'
        f'[leetcode]\n{since}graphql = "{sites.url}/graphql"\n'
    )
    settings = folder / "settings.toml"
    settings.write_text(SETTINGS)
    project = Project(folder / "home", (f"web:{web}", f"kattis:{sites.packages}"), None, settings)
    project.save()
    return project


@dataclass(frozen=True)
class Night:
    """What one night cost. asked: requests by status, robots.txt apart. lines: decisions that were new, in the ledger.
    programs: problems whose programs were run. partial: platforms that it was marked with."""

    number: int
    asked: Counter[int]
    lines: int
    programs: int
    partial: str
    first_month: str


@contextmanager
def clock_at(when: dt.datetime) -> Iterator[None]:
    before = clock.now
    clock.now = lambda: when  # type: ignore[assignment]
    try:
        yield
    finally:
        clock.now = before  # type: ignore[assignment]


def morning(number: int) -> dt.datetime:
    """03:00 UTC after a day."""
    return dt.datetime.combine(day_of(number + 1), dt.time(3), dt.UTC)


class Nights:
    """Nights of one home, each through the schedule and the job."""

    def __init__(self, project: Project, sites: Sites) -> None:
        self.project, self._sites = project, sites
        prepare_instance(project.home)
        defs = build_defs(project.home)
        self._repository = defs.get_repository_def()
        self._schedule = defs.resolve_schedule_def("nightly_schedule")
        self._job = defs.resolve_job_def("curation_job")

    def tick(self, instance: dg.DagsterInstance, at: dt.datetime) -> Any:
        """What the schedule says at a time: run requests, or why there are none."""
        workspace = Workspace(home=str(self.project.home))
        context = dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=at,
            resources={"workspace": workspace},
            repository_def=self._repository,
        )
        return self._schedule.evaluate_tick(context)

    def live(self, number: int) -> Night:
        """The night after a day."""
        self._sites.move_to(number)
        self._sites.forget()
        before = len(self._programs())
        with clock_at(morning(number)), dg.DagsterInstance.get() as instance:
            (request,) = self.tick(instance, morning(number)).run_requests
            run = self.make(instance, request.tags)
        lines = query(self.project.store, "SELECT count(*) FROM ledger WHERE run_id = $1", [run.run_id]).item()
        asked = Counter(asked.status for asked in self._sites.log if asked.key != "/robots.txt")
        first = request.tags["dagster/asset_partition_range_start"].partition("|")[0]
        return Night(number, asked, lines, len(self._programs()) - before, run.tags.get(PARTIAL, ""), first)

    def make(self, instance: dg.DagsterInstance, tags: Mapping[str, str]) -> dg.DagsterRun:
        """Run the job with a night's tags; raises what a step raises."""
        done = self._job.execute_in_process(instance=instance, tags=dict(tags), run_config={"loggers": {"console": {}}})
        run = instance.get_run_by_id(done.run_id)
        assert run is not None
        return run

    def _programs(self) -> set[str]:
        return set(self.project.store.packs("verdicts").known())


def standing(project: Project) -> dict[str, tuple[str, str]]:
    """sha256 of rows and of decisions by stage and partition, where there are any."""
    return {
        f"{stage} {manifest.partition}": (manifest.sha256, manifest.decisions)
        for stage in STAGES
        for manifest in project.store.manifests(stage)
        if manifest.counts
    }
