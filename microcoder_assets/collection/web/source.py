"""A web source: a folder that says which sites to ask, and keeps what they answered.

    <folder>/web.toml                  config.WebSettings
             answers.jsonl, bodies/    the archive
             codeforces.json, ...      how far each site was collected, and what went wrong last

`collect` asks the sites; everything else reads the archive and needs no network.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from microcoder_assets.collection.records import ScrapedProblem, UnreadableRecord
from microcoder_assets.collection.web.archive import ResponseArchive
from microcoder_assets.collection.web.atcoder import AtCoder
from microcoder_assets.collection.web.catalogue import Difference, difference
from microcoder_assets.collection.web.client import WebClient
from microcoder_assets.collection.web.codeforces import Codeforces
from microcoder_assets.collection.web.cursor import Cursor
from microcoder_assets.collection.web.errors import Refused, SourceChanged, SourceDown, WebError
from microcoder_assets.collection.web.exchange import Reader
from microcoder_assets.collection.web.leetcode import LeetCode
from microcoder_assets.collection.web.live import Contest, LiveProblem, LiveSource, Window
from microcoder_assets.config import WebSettings, load_web_settings
from microcoder_assets.errors import UserError

SETTINGS = "web.toml"
SITES: Mapping[str, Callable[[Any, Reader], LiveSource]] = MappingProxyType(
    {"codeforces": Codeforces, "atcoder": AtCoder, "leetcode": LeetCode}
)
"""A LiveSource by its platform, which also names its section of web.toml."""

MAX_FAILURES = 3
"""Pages in a row without an answer after which a site counts as down for the night. Ours."""

Record = ScrapedProblem | UnreadableRecord


def open_web(path: Path) -> WebSource:
    """path: a folder with a web.toml, or that file. Raises UserError where it says nothing to ask."""
    file = path / SETTINGS if path.is_dir() else path
    if not file.is_file():
        raise UserError(f"web source {path} holds no {SETTINGS}; docs/collection.md shows one")
    source = WebSource(file.parent, load_web_settings(file))
    if not source.platforms:
        raise UserError(f"{file} names no site; give it a section, one of {', '.join(SITES)}")
    return source


class WebSource:
    """A Source of what a folder's archive holds, and what fills that archive."""

    kind = "web"

    def __init__(self, folder: Path, settings: WebSettings) -> None:
        self.folder = folder
        self.settings = settings
        self.archive = ResponseArchive(folder)
        self.platforms = tuple(platform for platform in SITES if getattr(settings, platform))

    def fingerprint(self) -> str:
        lines = [f"{p} {month} {sha}" for p in self.platforms for month, sha in self.cursor(p).held.items()]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def records(self) -> Iterator[Record]:
        for platform in self.platforms:
            for month in self.cursor(platform).held:
                yield from self.records_of(platform, month)

    def records_of(self, platform: str, month: str) -> Iterator[Record]:
        """What the archive holds of one contest month. A page that was refused, or is still to come, is unreadable."""
        live, cursor = self._site(platform, self.archive), self.cursor(platform)
        for contest, listed in _listed(live, Window.of_month(month)) if month in cursor.held else ():
            if isinstance(listed, WebError):
                yield UnreadableRecord(platform, contest.id, listed.reason, str(listed))
            elif cursor.repeated.get(listed.key, contest.id) == contest.id:
                try:
                    yield live.fetch(listed)
                except WebError as error:
                    yield UnreadableRecord(platform, listed.key, error.reason, str(error))

    def cursor(self, platform: str) -> Cursor:
        return Cursor.load(self._cursor_file(platform))

    def due(self, platform: str, now: dt.datetime) -> list[str]:
        """Contest months to ask for: those never collected to their end; and until the month after one is over, it
        too, once what is known is no longer fresh. Late edits, ratings and tests arrive after a contest. What was
        collected at a time to come, before the clock was set back, counts as never collected."""
        collected, due = self.cursor(platform).collected, []
        month = getattr(self.settings, platform).since
        while month <= f"{now:%Y-%m}":
            last = collected.get(month)
            if last is not None and last > now:
                last = None
            settled = dt.datetime.fromisoformat(f"{_next(_next(month))}-01T00:00:00+00:00")
            stale = last is None or (now - last).total_seconds() >= self.settings.fresh_s
            if last is None or (last < settled and stale):
                due.append(month)
            month = _next(month)
        return due

    def collect(
        self, platform: str, months: Sequence[str], now: dt.datetime, sleep: Callable[[float], None] = time.sleep
    ) -> Difference:
        """Ask the site for contest months and archive what it answers; how its list of problems differs from before.

        What goes wrong is kept as the cursor's alarms, and those months stay due. Waits while another process collects
        into the folder, and then finds its answers fresh.
        """
        with self.archive.writing(), WebClient(self.archive, self.settings, now, sleep=sleep) as client:
            cursor = self.cursor(platform)
            before = self._save(platform, cursor)
            live, failed = self._site(platform, client), list[WebError]()
            try:
                for month in months:
                    if missing := _collect_month(live, month):
                        failed += missing
                    else:
                        cursor.collected[month] = now
                    self._save(platform, cursor)
            except WebError as error:
                failed.append(error)
            cursor.alarms = _alarms(failed)
            return difference(before, self._save(platform, cursor))

    def _site(self, platform: str, reader: Reader) -> LiveSource:
        return SITES[platform](getattr(self.settings, platform), reader)

    def _cursor_file(self, platform: str) -> Path:
        return self.folder / f"{platform}.json"

    def _save(self, platform: str, cursor: Cursor) -> dict[str, tuple[object, ...]]:
        """Save the cursor with what the archive holds of each month now, as it was while the lists cannot be read.
        What the lists say of each problem, by its key."""
        digests: dict[str, Any] = {}
        known: dict[str, LiveProblem] = {}
        repeated: dict[str, str] = {}
        for contest, listed in self._archived(platform):
            digest = digests.setdefault(f"{contest.day:%Y-%m}", hashlib.sha256())
            if isinstance(listed, WebError):
                digest.update(f"{contest} {listed.reason} {listed}\n".encode("utf-8", "surrogatepass"))
                continue
            first = known.setdefault(listed.key, listed).contest.id
            if first != contest.id:
                repeated[listed.key] = first
            entry = self.archive.newest(listed.request)
            served = (entry.status, entry.sha) if entry else None
            digest.update(f"{listed.facts} {first} {served}\n".encode("utf-8", "surrogatepass"))
        if digests:
            cursor.held = {month: digests[month].hexdigest() for month in sorted(digests)}
            cursor.repeated = repeated
        cursor.save(self._cursor_file(platform))
        return {key: problem.facts for key, problem in known.items()}

    def _archived(self, platform: str) -> Iterator[tuple[Contest, LiveProblem | WebError]]:
        """Every problem that the archive lists since the first month wanted; none before the first list came."""
        live = self._site(platform, self.archive)
        since = Window.of_month(getattr(self.settings, platform).since).first
        try:
            yield from _listed(live, Window(since, dt.date.max))
        except WebError:
            return


def _listed(live: LiveSource, window: Window) -> Iterator[tuple[Contest, LiveProblem | WebError]]:
    """Each problem of each contest; for a contest whose problems cannot be listed, why."""
    for contest in live.contests(window):
        try:
            listed = live.problems(contest)
        except WebError as error:
            yield contest, error
        else:
            yield from ((contest, problem) for problem in listed)


def _collect_month(live: LiveSource, month: str) -> list[WebError]:
    """Read every page of a month; why those are missing that the site should have served.

    Raises WebError when it is of no use to ask the site on.
    """
    missing, in_a_row = list[WebError](), 0
    for _, listed in _listed(live, Window.of_month(month)):
        error = listed if isinstance(listed, WebError) else _failure(live, listed)
        if isinstance(error, Refused):
            raise error
        in_a_row = in_a_row + 1 if isinstance(error, SourceDown) else 0
        if isinstance(error, SourceDown | SourceChanged):
            missing.append(error)
        if error and in_a_row == MAX_FAILURES:
            raise error
    return missing


def _failure(live: LiveSource, problem: LiveProblem) -> WebError | None:
    try:
        live.fetch(problem)
    except WebError as error:
        return error
    return None


def _alarms(failed: Sequence[WebError]) -> dict[str, str]:
    """By reason: how often, and the first."""
    counts = Counter(error.reason for error in failed)
    first = {error.reason: str(error) for error in reversed(failed)}
    return {reason: f"{first[reason]} ({count} in all)" for reason, count in sorted(counts.items())}


def _next(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12}-{number % 12 + 1:02d}"
