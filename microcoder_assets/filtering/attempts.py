"""Attempts at problems by one solver: a model, at one step of its training. What a file brings is kept for ever.

A solver has packs of its own, so that one checkpoint's attempts are added to without a look at another's.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from microcoder_assets.config import CalibrationSettings
from microcoder_assets.errors import UserError
from microcoder_assets.store import Packs, ParquetStore
from microcoder_judge import Verdict
from microcoder_judge.trl_reward import last_code_block


@dataclass(frozen=True, slots=True)
class Solver:
    """step: of its training; None for a model that is not in training."""

    model: str
    step: int | None = None

    @property
    def name(self) -> str:
        """As the name of a file: two solvers never share one."""
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", self.model)[-60:]
        digest = hashlib.sha256(f"{self.model}\0{self.step}".encode()).hexdigest()[:8]
        return f"{stem}@{'' if self.step is None else self.step}-{digest}"


def solver_name(settings: CalibrationSettings) -> str:
    """Whose calibration the settings make: the solver's name, or `reference`."""
    return Solver(settings.model, settings.step).name if settings.model else "reference"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer to a problem. sample: tells apart those of one problem. code: None where the answer holds none, or
    nobody kept it. solved: as who made it judged it; None: not judged yet."""

    problem_id: str
    sample: int
    code: str | None
    solved: bool | None


class ImportedAttempts:
    """A solver's attempts from files. One is (content of the problem, sample), and the first to come stays: the same
    file twice adds nothing, and a problem that changes is attempted anew."""

    def __init__(self, store: ParquetStore, solver: Solver) -> None:
        self._packs: Packs = store.packs(f"attempts/{solver.name}")

    def add(self, attempts: Iterable[Attempt], content_sha: Mapping[str, str]) -> int:
        """Keep attempts at problems of `content_sha`; how many of them were new."""
        before = len(self._packs.known())
        lines = {f"{content_sha[a.problem_id]}/{a.sample}": json.dumps(asdict(a)).encode() for a in attempts}
        self._packs.put(lines)
        return len(self._packs.known()) - before

    def of(self, content_shas: Iterable[str]) -> dict[str, list[Attempt]]:
        """Content hash -> its attempts by sample, of those that have any."""
        wanted, found = set(content_shas), dict[str, list[Attempt]]()
        keys = [key for key in self._packs.known() if key.partition("/")[0] in wanted]
        for key, value in self._packs.get(keys).items():
            found.setdefault(key.partition("/")[0], []).append(Attempt(**json.loads(value)))
        return {sha: sorted(attempts, key=lambda attempt: attempt.sample) for sha, attempts in found.items()}

    def fingerprint(self) -> str:
        return hashlib.sha256("\n".join(sorted(self._packs.known())).encode()).hexdigest()


class _Line(BaseModel):
    """A line of an attempts file; other fields are passed over."""

    model_config = ConfigDict(extra="ignore", strict=True)

    problem_id: str
    model: str | None = None
    sample: int | None = None
    code: str | None = None
    completion: str | None = None
    verdict: str | None = None
    accepted: bool | None = None

    def solved(self) -> bool | None:
        """Raises ValueError where there is nothing to tell it by."""
        if self.accepted is not None or self.verdict not in (None, Verdict.IE):
            return self.verdict == Verdict.AC if self.accepted is None else self.accepted
        if self.code is None and self.completion is None and self.verdict is None:
            raise ValueError("needs code, completion, verdict or accepted")
        return None


def read_attempts(path: Path, model: str) -> Iterator[Attempt]:
    """Attempts of `model` in JSON lines, or in a Parquet file such as the scores.parquet of `microcoder_train`.

    Each names its problem_id and has `accepted` or `verdict` (then it is believed), or `code` or `completion` (then it
    is judged here). `sample` tells apart those of one problem, by default their order. Rows that name another `model`
    are left out. Raises UserError naming the file and the line.
    """
    samples: dict[str, int] = {}
    for number, raw in enumerate(_rows(path), start=1):
        try:
            line = _Line.model_validate(raw)
            solved = line.solved()
        except ValueError as error:
            said = _first_fault(error) if isinstance(error, ValidationError) else error
            raise UserError(f"{path}, row {number}: {said}; each row is one attempt at a problem_id") from error
        if line.model not in (None, model):
            continue
        sample = samples.get(line.problem_id, 0) if line.sample is None else line.sample
        samples[line.problem_id] = sample + 1
        code = line.code if line.code is not None or line.completion is None else last_code_block(line.completion)
        if solved is None and code is None and line.completion is not None:
            solved = False
        yield Attempt(line.problem_id, sample, code, solved)


def _first_fault(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'row'}: {first['msg']}"


def _rows(path: Path) -> Iterator[Any]:
    try:
        if path.suffix == ".parquet":
            yield from pl.read_parquet(path).iter_rows(named=True)
            return
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise UserError(f"{path}, row {number}: not JSON ({error})") from error
    except (OSError, pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise UserError(f"attempts {path}: {str(error).splitlines()[0]}; give JSON lines or a Parquet file") from error
