"""A question to a site, its answer, and who gives answers to parsers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from microcoder_assets.collection.web.errors import SourceChanged

T = TypeVar("T")

KEPT_HEADERS = ("content-type", "etag", "last-modified", "server", "cf-mitigated")


@dataclass(frozen=True, slots=True)
class Request:
    """url: to GET; with a body, JSON to POST there."""

    url: str
    body: str | None = None

    @property
    def key(self) -> str:
        return self.url if self.body is None else f"{self.url} {self.body}"

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class Answer:
    """url: where redirects led. headers: lower case, those in KEPT_HEADERS."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Raises SourceChanged when it is none."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise SourceChanged(f"{self.url} serves no JSON any more: {error}") from error


class Reader(Protocol):
    """Gives answers to what a site's parser makes of them: from the archive, or from the site."""

    def read(self, request: Request, parse: Callable[[Answer], T]) -> T:
        """Raises WebError."""
        ...
