"""Offline batches: requests as files, answered elsewhere, and their answers read into the cache.

A folder holds, by number, what is asked and what came back, in the form of OpenAI's batch API, which vLLM reads too:

    requests-0001.jsonl    {"custom_id": cache key, "method": "POST", "url": ..., "body": a chat completions request}
    answers-0001.jsonl     {"id": ..., "custom_id": ..., "response": {"status_code": 200, "body": ...}, "error": null}
    errors-0001.jsonl      the same of requests that failed, where the provider keeps them apart

A request waits until its file has answers; one that waits is never written again.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import openai
from openai.types import Batch
from openai.types.chat import ChatCompletion

from microcoder_assets.errors import UserError
from microcoder_assets.llm.client import Body, ChatClient
from microcoder_assets.store.atomic import exclusive, write_atomic

ENDPOINT: Final = "/v1/chat/completions"
MAX_REQUESTS, MAX_BYTES = 50_000, 200_000_000  # of one file: OpenAI's limits
WINDOW: Final = "24h"  # the only one that OpenAI offers
OVER = ("completed", "expired", "cancelled")  # with whatever was answered until then
_REQUESTS = re.compile(r"requests-\d+\.jsonl")


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one request. outcome: `answered`, `known` (there was an answer already), `failed`, `unreadable`,
    `missing` (nothing came back) or `stray` (never asked)."""

    key: str
    outcome: str
    detail: str = ""


class BatchFolder:
    """max_requests, max_bytes: of one file of requests."""

    def __init__(self, folder: Path, max_requests: int = MAX_REQUESTS, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self._limits = max_requests, max_bytes

    def requests(self) -> list[Path]:
        """Files of requests, the oldest first."""
        return sorted(path for path in self.folder.glob("*") if _REQUESTS.fullmatch(path.name))

    def waiting(self) -> list[Path]:
        """Those without answers."""
        return [path for path in self.requests() if not _beside(path, "answers").exists()]

    def write(self, client: ChatClient, work: Callable[[], object]) -> dict[Path, int]:
        """Write what `work` asks of the client and has no answer yet; by new file, its requests.

        The client's budget is charged with the most that each can cost; when it is spent, the rest stays unwritten.
        """
        with exclusive(self.folder):
            asked = {key for path in self.waiting() for key, _ in _requests(path)}
            number = max((int(path.stem.partition("-")[2]) for path in self.requests()), default=0)
            files = _Files(self.folder, number, *self._limits)

            def add(key: str, body: Body) -> None:
                if key not in asked:
                    asked.add(key)
                    files.add({"custom_id": key, "method": "POST", "url": ENDPOINT, "body": body})

            client.outbox = add
            work()
            files.close()
        return files.written

    def submit(self, client: ChatClient) -> dict[Path, Batch]:
        """Send what waits to the provider's batch API; by file, its batch there.

        Which file is there already is asked of the provider, by the sha256 in a batch's metadata: a submission that was
        cut short is never repeated.
        """
        with exclusive(self.folder), _explained(client):
            there = self._batches(client)
            for path in self.waiting():
                if path not in there:
                    file = client.openai.files.create(file=path, purpose="batch")
                    there[path] = client.openai.batches.create(
                        input_file_id=file.id,
                        endpoint=ENDPOINT,
                        completion_window=WINDOW,
                        metadata={"requests": _digest(path)},
                    )
            return there

    def fetch(self, client: ChatClient) -> dict[Path, Batch]:
        """Download what the provider has done of what waits; by file, its batch there."""
        with exclusive(self.folder), _explained(client):
            there = self._batches(client)
            for path, batch in there.items():
                if batch.status in OVER:
                    for kind, file in (("errors", batch.error_file_id), ("answers", batch.output_file_id)):
                        _write(_beside(path, kind), client.openai.files.content(file).content if file else b"")
            return there

    def read(self, client: ChatClient, price: float) -> list[Line]:
        """Put the answers that are there into the client's cache; what became of each request that does not wait.

        price: of a batch, as a share of the client's prices. Answers that are known already are left as they are.
        """
        lines: list[Line] = []
        for path in self.requests():
            if path not in self.waiting():
                lines += self._read(path, client, price)
        return lines

    def _read(self, path: Path, client: ChatClient, price: float) -> Iterator[Line]:
        unanswered = dict(_requests(path))
        client.cache.prefetch(unanswered)
        fresh: dict[str, dict[str, Any]] = {}
        failures: dict[str, Line] = {}
        for number, raw in enumerate(_lines(_beside(path, "answers")) + _lines(_beside(path, "errors")), 1):
            try:
                answer = json.loads(raw)
                key, call = str(answer["custom_id"]), str(answer["id"])
            except (ValueError, KeyError, TypeError):
                yield Line(f"line {number} for {path.name}", "unreadable", "no answer of a batch")
                continue
            if key not in unanswered:
                if key not in fresh:
                    yield Line(key, "stray")
                continue
            if client.cache.get(key):
                del unanswered[key]
                yield Line(key, "known")
                continue
            try:
                completion = ChatCompletion.model_validate(_completed(answer))
                read = client.read(completion, unanswered[key], price)
            except ValueError as error:
                failures[key] = Line(key, "failed", " ".join(str(error).split())[:200])
                continue
            fresh[key] = {"call": call, **asdict(read)}
            del unanswered[key]
            yield Line(key, "answered")
        client.cache.put(fresh)
        for key in unanswered:
            yield failures.get(key, Line(key, "missing"))

    def _batches(self, client: ChatClient) -> dict[Path, Batch]:
        """Of the files that wait, the batches that the provider has and has not refused."""
        waiting = {_digest(path): path for path in self.waiting()}
        found = {}
        try:
            for batch in client.openai.batches.list(limit=100) if waiting else ():
                path = waiting.get((batch.metadata or {}).get("requests", ""))
                if path and batch.status != "failed":
                    found[path] = batch
        except openai.NotFoundError as error:
            raise UserError(
                f"the server {client.server} has no batch API; answer {self.folder}/requests-*.jsonl with "
                "`python -m vllm.entrypoints.openai.run_batch -i requests-N.jsonl -o answers-N.jsonl --model MODEL`"
            ) from error
        return found


@dataclass(slots=True)
class _Files:
    """Files of requests, each whole before it has its name."""

    folder: Path
    number: int
    max_requests: int
    max_bytes: int
    written: dict[Path, int] = field(default_factory=dict)
    _lines: list[bytes] = field(default_factory=list)
    _bytes: int = 0

    def add(self, request: dict[str, Any]) -> None:
        line = json.dumps(request, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        if len(self._lines) == self.max_requests or self._bytes + len(line) > self.max_bytes:
            self.close()
        self._lines.append(line)
        self._bytes += len(line)

    def close(self) -> None:
        if self._lines:
            self.number += 1
            path = self.folder / f"requests-{self.number:04}.jsonl"
            _write(path, b"".join(self._lines))
            self.written[path] = len(self._lines)
            self._lines, self._bytes = [], 0


@contextlib.contextmanager
def _explained(client: ChatClient) -> Iterator[None]:
    try:
        yield
    except openai.OpenAIError as error:
        said = client.masked(" ".join(str(error).split()))[:200]
        raise UserError(f"the batch API of {client.server}: {said}; run again, nothing is sent twice") from error


def _write(path: Path, content: bytes) -> None:
    write_atomic(path, lambda temporary: temporary.write_bytes(content))


def _beside(requests: Path, kind: str) -> Path:
    return requests.with_name(requests.name.replace("requests", kind))


def _requests(path: Path) -> Iterator[tuple[str, Body]]:
    for line in _lines(path):
        request = json.loads(line)
        yield request["custom_id"], request["body"]


def _lines(path: Path) -> list[bytes]:
    return [line for line in path.read_bytes().split(b"\n") if line.strip()] if path.exists() else []


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _completed(answer: dict[str, Any]) -> Any:
    """The completion in a line of answers. Raises ValueError when the request failed."""
    response = answer.get("response")
    if answer.get("error") or not isinstance(response, dict) or response.get("status_code") != 200:
        raise ValueError(json.dumps(answer.get("error") or response))
    return response.get("body")
