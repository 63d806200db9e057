"""The one way to ask a site: slowly, conditionally, within robots.txt, and never twice for the same answer."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urljoin

import httpx
from protego import Protego

from microcoder_assets.collection.web.archive import Entry, ResponseArchive
from microcoder_assets.collection.web.errors import NotServed, Refused, SourceDown
from microcoder_assets.collection.web.exchange import KEPT_HEADERS, Answer, Request
from microcoder_assets.collection.web.pages import is_challenge, refuse
from microcoder_assets.config import WebSettings
from microcoder_assets.throttle import TokenBucket, backoff, retry_after

T = TypeVar("T")

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_SETTLED = frozenset({200, 404, 410})
"""What a site says of a page for good; anything else is asked for again at the next opportunity."""
_ROBOTS = "microcoder"
"""The name that robots.txt knows this program by."""


class WebClient:
    """A Reader that asks, and archives what it is told. Use it inside `archive.writing()` and as a context.

    now: when the night began; an archived answer younger than `settings.fresh_s` is not asked for again.
    """

    def __init__(
        self,
        archive: ResponseArchive,
        settings: WebSettings,
        now: dt.datetime,
        *,
        sleep: Callable[[float], None] = time.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self._archive = archive
        self._settings = settings
        self._now = now
        self._sleep = sleep
        self._chance = chance or random.Random()
        self._buckets: dict[str, TokenBucket] = {}
        self._rules: dict[str, Protego] = {}
        self._http = httpx.Client(
            headers={"User-Agent": f"{_ROBOTS} (contest problems for research; {settings.contact})"},
            timeout=settings.timeout_s,
            follow_redirects=True,
            max_redirects=5,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def read(self, request: Request, parse: Callable[[Answer], T]) -> T:
        """Of a fresh answer, or of the site's. Raises WebError."""
        self._obey_robots(request)
        return parse(refuse(self._answer(request)))

    def _answer(self, request: Request) -> Answer:
        entry = self._archive.newest(request)
        if entry and entry.status in _SETTLED and self._is_fresh(entry):
            return self._archive.answer(entry)
        answer = self._ask(request, entry)
        if entry and answer.status == 304:
            self._archive.touch(request, self._now)
            return self._archive.answer(entry)
        self._archive.add(request, answer, self._now)
        return answer

    def _is_fresh(self, entry: Entry) -> bool:
        """One of a time to come, from before the clock was set back, is not."""
        return 0 <= (self._now - entry.asked).total_seconds() < self._settings.fresh_s

    def _ask(self, request: Request, entry: Entry | None) -> Answer:
        """One answer, after as many attempts as it takes. Raises SourceDown when there is none, NotServed for one that
        is too large."""
        failure = ""
        for attempt in range(self._settings.retries + 1):
            self._sleep(self._bucket(request.host).take(time.monotonic()))
            pause = None
            try:
                answer, headers = self._send(request, entry)
                if answer.status not in _RETRIED or is_challenge(answer):
                    return answer
                failure = f"status {answer.status}"
                pause = retry_after(headers, dt.datetime.now(dt.UTC))
                if pause is not None and pause > self._settings.longest_wait_s:
                    raise SourceDown(f"{request.url} asks to come back in {pause:.0f} s (status {answer.status})")
            except (httpx.TransportError, httpx.DecodingError) as error:
                failure = " ".join(str(error).split()) or type(error).__name__
            except httpx.TooManyRedirects as error:
                raise NotServed(f"{request.url} redirects in circles") from error
            if attempt < self._settings.retries:
                settings = self._settings
                wait = backoff(attempt, settings.backoff_s, settings.longest_wait_s, self._chance)
                self._sleep(wait if pause is None else pause)
        raise SourceDown(f"{request.url} gives no answer in {self._settings.retries + 1} attempts: {failure}")

    def _send(self, request: Request, entry: Entry | None) -> tuple[Answer, httpx.Headers]:
        """The answer and all of its headers. A body that ends before its Content-Length raises TransportError."""
        headers = {"Content-Type": "application/json"} if request.body is not None else {}
        if entry and entry.status == 200:
            for name, field in (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")):
                if field in entry.headers:
                    headers[name] = entry.headers[field]
        method = "GET" if request.body is None else "POST"
        late = time.monotonic() + self._settings.longest_answer_s
        body = bytearray()
        with self._http.stream(method, request.url, content=request.body, headers=headers) as response:
            for part in response.iter_bytes():
                body += part
                if len(body) > self._settings.max_bytes:
                    raise NotServed(f"{request.url} is larger than {self._settings.max_bytes >> 20} MiB")
                if time.monotonic() > late:
                    raise httpx.ReadTimeout(f"the answer takes longer than {self._settings.longest_answer_s:g} s")
            kept = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
            return Answer(str(response.url), response.status_code, kept, bytes(body)), response.headers

    def _bucket(self, host: str) -> TokenBucket:
        if host not in self._buckets:
            self._buckets[host] = TokenBucket(self._settings.requests_per_s)
        return self._buckets[host]

    def _obey_robots(self, request: Request) -> None:
        """Raises Refused for a forbidden page. A host without readable robots.txt forbids nothing (RFC 9309)."""
        if request.host not in self._rules:
            answer = self._answer(Request(urljoin(request.url, "/robots.txt")))
            if is_challenge(answer):
                refuse(answer)
            rules = Protego.parse(answer.text if answer.status == 200 else "")
            self._rules[request.host] = rules
            delay = rules.crawl_delay(_ROBOTS)
            if delay:
                slower = min(self._settings.requests_per_s, 1 / delay)
                self._buckets[request.host] = TokenBucket(slower)
                self._buckets[request.host].take(time.monotonic())
        if not self._rules[request.host].can_fetch(request.url, _ROBOTS):
            raise Refused(f"robots.txt of {request.host} forbids {request.url}")
