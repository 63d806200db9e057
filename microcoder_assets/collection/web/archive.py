"""Every answer that sites gave, so that problems can be read again without asking again.

    <folder>/bodies/ab/<sha256>.gz   each body once, named by its content
             answers.jsonl           one line an answer: what was asked, when, and what came
             .lock                   held by the one process that asks

A body is whole before a line names it, and a line without an end, left by a killed process, counts for nothing.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from microcoder_assets.collection.web.errors import NotCollected, WebError
from microcoder_assets.collection.web.exchange import Answer, Request
from microcoder_assets.collection.web.pages import refuse
from microcoder_assets.errors import UserError
from microcoder_assets.store.atomic import append_line, exclusive, write_atomic

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of answers.jsonl. at: when it was last asked, UTC."""

    key: str
    at: str
    url: str
    status: int
    headers: Mapping[str, str]
    sha: str

    @property
    def asked(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.at)


class ResponseArchive:
    """A Reader of what was collected. Only the process inside `writing()` may add."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._journal = folder / "answers.jsonl"

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Wait for other writers, and see what they added."""
        with exclusive(self.folder):
            self.__dict__.pop("_entries", None)
            if self._journal.exists():
                whole = self._journal.read_bytes().rpartition(b"\n")[0]
                os.truncate(self._journal, len(whole) + 1 if whole else 0)
            yield

    def newest(self, request: Request) -> Entry | None:
        entries = self._entries.get(request.key)
        return entries[-1] if entries else None

    def add(self, request: Request, answer: Answer, at: dt.datetime) -> None:
        sha = hashlib.sha256(answer.body).hexdigest()
        path = self._body(sha)
        if not path.exists():
            write_atomic(path, lambda temporary: temporary.write_bytes(gzip.compress(answer.body, mtime=0)))
        self._append(Entry(request.key, at.isoformat(), answer.url, answer.status, dict(answer.headers), sha))

    def touch(self, request: Request, at: dt.datetime) -> None:
        """The newest answer still stands: the site said so."""
        entry = self._entries[request.key][-1]
        self._append(Entry(entry.key, at.isoformat(), entry.url, entry.status, entry.headers, entry.sha))

    def answer(self, entry: Entry) -> Answer:
        """Raises UserError for a body that is lost or damaged."""
        path = self._body(entry.sha)
        try:
            body = gzip.decompress(path.read_bytes())
        except (OSError, EOFError, ValueError) as error:
            raise UserError(f"{path} is damaged ({error}); delete {self._journal} to collect again") from error
        return Answer(entry.url, entry.status, entry.headers, body)

    def read(self, request: Request, parse: Callable[[Answer], T]) -> T:
        """From the newest answer that can be read; a refusal or a changed page hides no older answer that was whole."""
        first: WebError | None = None
        for entry in reversed(self._entries.get(request.key, [])):
            try:
                return parse(refuse(self.answer(entry)))
            except WebError as error:
                first = first or error
        raise first or NotCollected(f"{request.url} has not been asked yet")

    @cached_property
    def _entries(self) -> dict[str, list[Entry]]:
        """By key, oldest first; of answers with one body after another only the last."""
        found: dict[str, list[Entry]] = {}
        if self._journal.exists():
            for line in self._journal.read_bytes().split(b"\n")[:-1]:
                self._remember(found, self._entry(line))
        return found

    def _entry(self, line: bytes) -> Entry:
        try:
            return Entry(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise UserError(f"{self._journal} is damaged ({error}); delete that line and run again") from error

    def _append(self, entry: Entry) -> None:
        append_line(self._journal, json.dumps(asdict(entry), sort_keys=True).encode())
        self._remember(self._entries, entry)

    @staticmethod
    def _remember(found: dict[str, list[Entry]], entry: Entry) -> None:
        entries = found.setdefault(entry.key, [])
        if entries and (entries[-1].sha, entries[-1].status) == (entry.sha, entry.status):
            entries.pop()
        entries.append(entry)

    def _body(self, sha: str) -> Path:
        return self.folder / "bodies" / sha[:2] / f"{sha}.gz"
