"""What a live source is: contests of a span of days, their problems, and each problem's page."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from microcoder_assets.collection.files import BAD_RECORD, one_line
from microcoder_assets.collection.records import ScrapedProblem, UnreadableRecord
from microcoder_assets.collection.web.errors import SourceChanged
from microcoder_assets.collection.web.exchange import Request


@dataclass(frozen=True, slots=True)
class Window:
    """Days in UTC, both included."""

    first: dt.date
    last: dt.date

    @classmethod
    def of_month(cls, month: str) -> Window:
        """month: `YYYY-MM`."""
        first = dt.date.fromisoformat(f"{month}-01")
        return cls(first, first.replace(day=calendar.monthrange(first.year, first.month)[1]))

    def __contains__(self, day: dt.date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Contest:
    """day: when it began, UTC: the day its problems became public."""

    id: str
    title: str
    day: dt.date


@dataclass(frozen=True, slots=True)
class LiveProblem:
    """What the site's lists say of a problem. key: what they call it. request: its page. url: as people know it."""

    key: str
    title: str
    contest: Contest
    request: Request
    url: str
    tags: tuple[str, ...] = ()
    ratings: tuple[tuple[str, float], ...] = ()

    @property
    def facts(self) -> tuple[object, ...]:
        """All of it but where it was asked for."""
        return self.key, self.title, self.contest, self.url, self.tags, self.ratings


class LiveSource(Protocol):
    """One site, read through a Reader. Every method raises WebError where the site, or the archive, does not answer,
    and SourceChanged where the answer no longer has the shape that is known."""

    platform: str

    def contests(self, window: Window) -> Sequence[Contest]:
        """Those that began in the window, in a stable order."""
        ...

    def problems(self, contest: Contest) -> Sequence[LiveProblem]: ...

    def fetch(self, problem: LiveProblem) -> ScrapedProblem | UnreadableRecord: ...


@contextmanager
def known_shape(url: str) -> Iterator[None]:
    """A parser at work on an answer: what it stumbles over is a change of the source."""
    try:
        yield
    except BAD_RECORD as error:
        raise SourceChanged(f"{url} is not as its parser knows it: {one_line(error)}") from error


def day_of(seconds: int) -> dt.date:
    """The UTC day of a Unix time."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).date()
