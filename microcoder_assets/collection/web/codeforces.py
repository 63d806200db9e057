"""Codeforces: contests, ratings and tags from its API, statements from problem pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode, urljoin, urlsplit

from lxml.html import HtmlElement

from microcoder_assets.collection.records import Sample, ScrapedProblem, UnreadableRecord
from microcoder_assets.collection.web.errors import NotServed, SourceChanged
from microcoder_assets.collection.web.exchange import Answer, Reader, Request
from microcoder_assets.collection.web.html import (
    amount,
    by_class,
    drop,
    inner_html,
    parse_page,
    preformatted,
    sha_of,
    stdin_tests,
    text_of,
)
from microcoder_assets.collection.web.live import Contest, LiveProblem, Window, day_of, known_shape
from microcoder_assets.collection.wording import is_interactive, plain
from microcoder_assets.config import CodeforcesSite

SITE = "https://codeforces.com"
"""How rows name problems, wherever they were fetched from."""

_MATHS = re.compile(r"\${6}(.+?)\${6}|\${3}(.+?)\${3}", re.DOTALL)
_SPECIAL = "*special"
"""The tag of rounds such as those of April 1st, which may show no sample."""
_PDF = re.compile(r"/attachments/download/|\.pdf\b")


@dataclass(frozen=True, slots=True)
class Row:
    """A problem as `problemset.problems` lists it. rating: Elo, None where Codeforces gave none yet."""

    contest: str
    index: str
    title: str
    tags: tuple[str, ...]
    rating: float | None


class Codeforces:
    """A LiveSource."""

    platform = "codeforces"

    def __init__(self, settings: CodeforcesSite, reader: Reader) -> None:
        self._settings = settings
        self._reader = reader

    def contests(self, window: Window) -> list[Contest]:
        """Those with problems. Both lists are read, whatever the window: ratings and tags come late."""
        found = (self._contests[key] for key in self._problems)
        return sorted((contest for contest in found if contest.day in window), key=lambda c: (c.day, int(c.id)))

    def problems(self, contest: Contest) -> list[LiveProblem]:
        return self._problems[contest.id]

    def fetch(self, problem: LiveProblem) -> ScrapedProblem | UnreadableRecord:
        return self._reader.read(problem.request, lambda answer: parse_problem(answer, problem))

    @cached_property
    def _contests(self) -> dict[str, Contest]:
        return self._reader.read(self._api("contest.list", gym="false"), parse_contests)

    @cached_property
    def _problems(self) -> dict[str, list[LiveProblem]]:
        """Problems by contest id, of contests that are over."""
        found: dict[str, list[LiveProblem]] = {}
        for row in self._reader.read(self._api("problemset.problems"), parse_problemset):
            if contest := self._contests.get(row.contest):
                found.setdefault(contest.id, []).append(self._listed(row, contest))
        return {key: sorted(listed, key=lambda p: p.key) for key, listed in found.items()}

    def _listed(self, row: Row, contest: Contest) -> LiveProblem:
        path = f"/problemset/problem/{contest.id}/{row.index}"
        return LiveProblem(
            key=f"{contest.id}{row.index}",
            title=row.title,
            contest=contest,
            request=Request(f"{self._settings.site}{path}"),
            url=f"{SITE}{path}",
            tags=row.tags,
            ratings=(("codeforces", row.rating),) if row.rating is not None else (),
        )

    def _api(self, method: str, **parameters: str) -> Request:
        query = f"?{urlencode(parameters)}" if parameters else ""
        return Request(f"{self._settings.api}/{method}{query}")


def parse_contests(answer: Answer) -> dict[str, Contest]:
    """Contests that are over, by id, of an answer of `contest.list`."""
    with known_shape(answer.url):
        rows = [row for row in answer.json()["result"] if row["phase"] == "FINISHED" and "startTimeSeconds" in row]
        found = {str(row["id"]): Contest(str(row["id"]), row["name"], day_of(row["startTimeSeconds"])) for row in rows}
    if not found:
        raise SourceChanged(f"{answer.url} lists nothing")
    return found


def parse_problemset(answer: Answer) -> list[Row]:
    """The problems of an answer of `problemset.problems` that belong to a contest."""
    with known_shape(answer.url):
        found = [
            Row(
                contest=str(int(row["contestId"])),
                index=row["index"].strip(),
                title=row["name"].strip(),
                tags=tuple(map(str, row["tags"])),
                rating=float(row["rating"]) if "rating" in row else None,
            )
            for row in answer.json()["result"]["problems"]
            if "contestId" in row
        ]
    if not found:
        raise SourceChanged(f"{answer.url} lists nothing")
    return found


def parse_problem(answer: Answer, listed: LiveProblem) -> ScrapedProblem | UnreadableRecord:
    """A problem page. Samples are the only tests that it shows. Names of files to read and write go with its header:
    programs use standard input and output. No checker is named."""
    if not urlsplit(answer.url).path.startswith(urlsplit(listed.request.url).path):
        raise NotServed(f"{listed.request.url} leads to {answer.url}")
    page = parse_page(answer)
    statement = by_class(page, "problem-statement")
    if statement is None:
        if any(_PDF.search(link.get("href", "")) for link in page.iter("a")):
            detail = "the statement is a PDF"
            return UnreadableRecord("codeforces", listed.key, "not_collected", detail)
        raise SourceChanged(f"{answer.url} holds no problem-statement")
    with known_shape(answer.url):
        return _problem(page, statement, listed)


def _problem(page: HtmlElement, statement: HtmlElement, listed: LiveProblem) -> ScrapedProblem:
    header = drop(statement, "header")
    seconds, megabytes = (_property(header, name) for name in ("time-limit", "memory-limit"))
    shown = statement.xpath(".//div[contains(@class, 'sample-test')]//pre")
    texts = [preformatted(pre) for pre in shown]
    samples = tuple(Sample(*pair) for pair in zip(texts[::2], texts[1::2], strict=True))
    while by_class(statement, "sample-tests") is not None:
        drop(statement, "sample-tests")
    titles = []
    for title in statement.xpath(".//div[contains(@class, 'section-title')]"):
        titles.append(text_of(title))
        if (title.getparent().get("class") or "").endswith("specification"):
            title.drop_tree()  # the class alone names these two sections
        else:
            title.tag = "h3"
    html = _MATHS.sub(_as_markdown, inner_html(statement)).strip()
    if not text_of(statement):
        raise ValueError("the statement is empty")
    words = plain(html)
    interactive = "interactive" in listed.tags or is_interactive(words) or "Interaction" in titles
    if not samples and not interactive and _SPECIAL not in listed.tags:
        raise ValueError("the page shows no sample")
    flags = set()
    if interactive:
        flags.add("interactive")
    return ScrapedProblem(
        platform="codeforces",
        native_id=listed.key,
        title=listed.title,
        statement=html,
        statement_format="html",
        statement_language="en",
        source_ref=listed.url,
        record_sha=sha_of(listed.facts, html, samples, seconds, megabytes),
        url=listed.url,
        contest=listed.contest.id,
        published=listed.contest.day,
        published_basis="contest",
        samples=samples,
        tests=stdin_tests(samples),
        time_limit_s=amount(seconds, "second"),
        memory_limit_mb=int(amount(megabytes, "megabyte")),
        tags=listed.tags,
        ratings=listed.ratings,
        flags=tuple(sorted(flags)),
        editorial_url=_editorial(page),
    )


def _property(header: HtmlElement, name: str) -> str:
    """`2 seconds` of `time limit per test2 seconds`."""
    cell = by_class(header, name)
    if cell is None:
        raise ValueError(f"the header has no {name}")
    drop(cell, "property-title")
    return text_of(cell)


def _editorial(page: HtmlElement) -> str | None:
    """Where the contest's materials say that the tutorial is; None where they do not yet."""
    for link in page.xpath(".//a[contains(@href, '/blog/entry/')]"):
        address: str = link.get("href")
        if "tutorial" in f"{text_of(link)} {link.get('title') or ''}".lower():
            return urljoin(SITE, address.partition("?")[0])
    return None


def _as_markdown(match: re.Match[str]) -> str:
    return f"$${match[1]}$$" if match[1] is not None else f"${match[2]}$"
