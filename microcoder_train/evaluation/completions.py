"""Completions of a policy, each drawn once: kept as soon as it is there, so that a killed run goes on where it was."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from microcoder_train.errors import TrainError
from microcoder_train.evaluation.tasks import Prompt
from microcoder_train.progress import Progress


@dataclass(frozen=True, slots=True)
class Drawn:
    """One completion. tokens: without the end token; as the server counts them. truncated: it was cut off.
    refused: the prompt left no room to answer in the model's context; text is empty then."""

    text: str
    tokens: int
    truncated: bool
    prompt_tokens: int = 0
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One completion to draw: sample number `sample` of a problem."""

    problem_id: str
    sample: int
    prompt: Prompt

    @property
    def key(self) -> str:
        """sha256 over all three: a changed prompt is another request."""
        return hashlib.sha256(json.dumps([self.problem_id, self.sample, self.prompt]).encode()).hexdigest()

    def seed(self, seed: int) -> int:
        """A seed of its own, from the run's: 31 bits."""
        return int(hashlib.sha256(f"{seed} {self.key}".encode()).hexdigest()[:8], 16) >> 1


class Backend(Protocol):
    """What draws completions. parallel: batches at a time."""

    parallel: int

    def batches(self, requests: Sequence[Request]) -> list[list[Request]]:
        """Requests that are drawn together; the same for the same requests, whatever is drawn already."""
        ...

    def draw(self, batch: Sequence[Request]) -> list[Drawn]:
        """Their completions in order; what they are hangs on nothing but the batch."""
        ...


class CompletionFile:
    """JSON lines, one a completion, appended and never changed. A torn last line, which a killed run leaves, goes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.known: dict[str, Drawn] = {}

    def all_of(self, requests: Sequence[Request]) -> list[Drawn] | None:
        """Their completions in order if all are there: then no model need be loaded."""
        if self._path.exists():
            self._read()
        found = [self.known.get(request.key) for request in requests]
        return [drawn for drawn in found if drawn is not None] if None not in found else None

    @contextmanager
    def writing(self) -> Iterator[Callable[[Mapping[str, Drawn]], None]]:
        """What keeps completions by request key. Raises TrainError while another process writes the file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise TrainError(f"{self._path} is being written by another run; wait for it") from error
            os.truncate(file.fileno(), self._read())

            def keep(drawn: Mapping[str, Drawn]) -> None:
                new = {key: value for key, value in drawn.items() if key not in self.known}
                text = "".join(json.dumps({"key": key, **asdict(value)}) + "\n" for key, value in new.items())
                view = memoryview(text.encode())
                while view:
                    view = view[os.write(file.fileno(), view) :]
                self.known.update(new)

            yield keep

    def _read(self) -> int:
        """Take in every whole line; how many bytes those are."""
        whole = 0
        for line in self._path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            fields = json.loads(line)
            key = fields.pop("key")
            self.known[key] = Drawn(**fields)
            whole += len(line)
        return whole


def draw_all(
    requests: Sequence[Request], backend: Backend, file: CompletionFile, label: str
) -> tuple[list[Drawn], int]:
    """The completion of every request, in order, and how many had to be drawn now.

    A batch with anything missing is drawn as a whole, and of it only what is missing is kept. Each batch is kept as
    soon as it is there; where one raises, what was drawn is kept and the error goes on.
    """
    with file.writing() as keep:
        due = [batch for batch in backend.batches(requests) if any(r.key not in file.known for r in batch)]
        before = len(file.known)
        with ThreadPoolExecutor(backend.parallel) as pool, Progress(sum(map(len, due)), label) as bar:
            waiting: dict[Future[list[Drawn]], list[Request]] = {}
            left = iter(due)
            try:
                while True:
                    while len(waiting) < backend.parallel and (batch := next(left, None)) is not None:
                        waiting[pool.submit(backend.draw, batch)] = batch
                    if not waiting:
                        break
                    for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                        batch = waiting.pop(future)
                        keep(dict(zip((r.key for r in batch), future.result(), strict=True)))
                        bar.advance(len(batch))
            finally:
                for future, batch in waiting.items():
                    if not future.cancel() and future.exception() is None:
                        keep(dict(zip((r.key for r in batch), future.result(), strict=True)))
        return [file.known[request.key] for request in requests], len(file.known) - before
