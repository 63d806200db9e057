"""AtCoder: contests and difficulties as AtCoder Problems publishes them, tasks and statements from AtCoder."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from microcoder_assets.collection.records import Sample, ScrapedProblem, UnreadableRecord
from microcoder_assets.collection.web.errors import NotServed, SourceChanged
from microcoder_assets.collection.web.exchange import Answer, Reader, Request
from microcoder_assets.collection.web.html import (
    amount,
    by_class,
    inner_html,
    parse_page,
    preformatted,
    sha_of,
    stdin_tests,
    text_of,
)
from microcoder_assets.collection.web.live import Contest, LiveProblem, Window, day_of, known_shape
from microcoder_assets.collection.wording import is_interactive, plain
from microcoder_assets.config import AtCoderSite

SITE = "https://atcoder.jp"
"""How rows name problems, wherever they were fetched from."""

_LIMITS = re.compile(r"(?:Time Limit|実行時間制限).*/")
_HEURISTIC = "ahc"
"""Contests whose answers are scored, not right or wrong."""
_TASK = re.compile(r"/contests/[\w-]+/tasks/([\w-]+)$")
_SAMPLE = {"Sample Input": 0, "入力例": 0, "Sample Output": 1, "出力例": 1}


class AtCoder:
    """A LiveSource."""

    platform = "atcoder"

    def __init__(self, settings: AtCoderSite, reader: Reader) -> None:
        self._settings = settings
        self._reader = reader

    def contests(self, window: Window) -> list[Contest]:
        listed = self._reader.read(Request(f"{self._settings.api}/contests.json"), parse_contests)
        return sorted((contest for contest in listed if contest.day in window), key=lambda c: (c.day, c.id))

    def problems(self, contest: Contest) -> list[LiveProblem]:
        path = f"/contests/{contest.id}/tasks"
        tasks = self._reader.read(Request(f"{self._settings.site}{path}?lang=en"), parse_tasks)
        return [self._listed(task, title, contest) for task, title in sorted(tasks.items())]

    def fetch(self, problem: LiveProblem) -> ScrapedProblem | UnreadableRecord:
        return self._reader.read(problem.request, lambda answer: parse_problem(answer, problem))

    @cached_property
    def _difficulties(self) -> dict[str, float]:
        return self._reader.read(Request(f"{self._settings.api}/problem-models.json"), parse_difficulties)

    def _listed(self, task: str, title: str, contest: Contest) -> LiveProblem:
        path = f"/contests/{contest.id}/tasks/{task}"
        difficulty = self._difficulties.get(task)
        return LiveProblem(
            key=task,
            title=title,
            contest=contest,
            request=Request(f"{self._settings.site}{path}?lang=en"),
            url=f"{SITE}{path}",
            ratings=(("atcoder", difficulty),) if difficulty is not None else (),
        )


def parse_contests(answer: Answer) -> list[Contest]:
    """AtCoder Problems' `contests.json`; it lists a contest once it has begun."""
    with known_shape(answer.url):
        found = [Contest(row["id"], row["title"], day_of(row["start_epoch_second"])) for row in answer.json()]
    if not found:
        raise SourceChanged(f"{answer.url} lists nothing")
    return found


def parse_difficulties(answer: Answer) -> dict[str, float]:
    """AtCoder Problems' `problem-models.json`: its estimate of the rating that solves a task half the time, by task;
    below 400 as it stands there, unbent."""
    with known_shape(answer.url):
        models: dict[str, dict[str, Any]] = answer.json()
        return {
            task: float(model["difficulty"]) for task, model in models.items() if model.get("difficulty") is not None
        }


def parse_tasks(answer: Answer) -> dict[str, str]:
    """Title by task of a contest's task list, in either language."""
    links = parse_page(answer).xpath(".//tr[td[1]//a/@href = td[2]//a/@href]/td[2]//a")
    named = [(_TASK.search(link.get("href")), text_of(link)) for link in links]
    found = {task[1]: title for task, title in named if task}
    if not found:
        raise SourceChanged(f"{answer.url} lists no tasks")
    return found


def parse_problem(answer: Answer, listed: LiveProblem) -> ScrapedProblem:
    """A task page, in English where AtCoder has it in English. Samples are the only tests that it shows; no checker
    is named."""
    if urlsplit(answer.url).path != urlsplit(listed.request.url).path:
        raise NotServed(f"{listed.request.url} leads to {answer.url}")
    page = parse_page(answer)
    whole = page.get_element_by_id("task-statement", None)
    if whole is None:
        raise SourceChanged(f"{answer.url} holds no task-statement")
    with known_shape(answer.url):
        english = by_class(whole, "lang-en")
        japanese = by_class(whole, "lang-ja")
        statement = english if english is not None else japanese if japanese is not None else whole
        return _problem(page, statement, "ja" if english is None else "en", listed)


def _problem(page: HtmlElement, statement: HtmlElement, language: str, listed: LiveProblem) -> ScrapedProblem:
    limits = next(filter(_LIMITS.match, map(text_of, page.iter("p"))), "")
    seconds, _, memory = limits.partition("/")
    for variable in statement.xpath(".//var"):
        if not variable.xpath("./ancestor::pre"):
            _wrap(variable, "$")
        variable.drop_tag()
    for rule in statement.xpath(".//hr"):
        rule.drop_tree()
    samples = _samples(statement)
    html = inner_html(statement).strip()
    words = plain(html)
    flags = set()
    if is_interactive(words):
        flags.add("interactive")
    elif listed.contest.id.startswith(_HEURISTIC):
        flags.add("scoring")
    elif not samples:
        raise ValueError("the page shows no sample")
    return ScrapedProblem(
        platform="atcoder",
        native_id=listed.key,
        title=listed.title,
        statement=html,
        statement_format="html",
        statement_language=language,
        source_ref=listed.url,
        record_sha=sha_of(listed.facts, html, samples, limits),
        url=listed.url,
        contest=listed.contest.id,
        published=listed.contest.day,
        published_basis="contest",
        samples=samples,
        tests=stdin_tests(samples),
        time_limit_s=amount(seconds, "sec"),
        memory_limit_mb=int(amount(memory, "Mi?B")),
        ratings=listed.ratings,
        flags=tuple(sorted(flags)),
    )


def _samples(statement: HtmlElement) -> tuple[Sample, ...]:
    """Samples with what is said below their output; their sections leave the statement."""
    sides: tuple[list[str], list[str]] = ([], [])
    said: list[str | None] = []
    for heading in statement.xpath(".//h3"):
        side = next((n for words, n in _SAMPLE.items() if text_of(heading).startswith(words)), None)
        if side is None:
            continue
        section = heading.getparent()
        shown = section.xpath("./pre")[0]
        sides[side].append(preformatted(shown))
        if side == 1:
            words = [text_of(element) for element in shown.itersiblings()]
            said.append("\n\n".join(filter(None, words)) or None)
        section.drop_tree()
    return tuple(Sample(*fields) for fields in zip(*sides, said, strict=True)) if sides[1] else ()


def _wrap(element: HtmlElement, mark: str) -> None:
    """Put a mark before and after an element's text."""
    element.text = mark + (element.text or "")
    if len(element):
        element[-1].tail = (element[-1].tail or "") + mark
    else:
        element.text += mark
