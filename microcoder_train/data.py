"""Splits and benchmarks on disk: folders in the Hugging Face layout, read without anything of the pipeline.

    <folder>/manifest.json                       {"data_version": ...}
             data/<part>-00000-of-00001.parquet  part: train and validation, or test; more files for many rows
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from microcoder_judge import Checker, Limits, Problem, RecordError, Test
from microcoder_train.errors import TrainError

COLUMNS = (
    "problem_id",
    "prompt",
    "io_mode",
    "entry_point",
    "tests",
    "checker",
    "time_limit_s",
    "memory_limit_mb",
    "references",
    "difficulty",
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A submission whose verdict is known. label: `accepted`, or what is wrong with it."""

    language: str
    label: str
    code: str


@dataclass(frozen=True, slots=True)
class Row:
    """One problem as training sees it; its tests stay in the `Part` until they are judged against."""

    problem_id: str
    prompt: str
    difficulty: str
    references: tuple[Reference, ...]


class Part:
    """The rows of one part. Tests stay in Arrow memory, so a large part costs little more than its file."""

    def __init__(self, table: pa.Table, source: str) -> None:
        missing = [name for name in COLUMNS if name not in table.column_names]
        if missing:
            raise TrainError(f"{source} lacks the columns {', '.join(missing)}; export the split again")
        self._table = table.select(COLUMNS)
        self._source = source
        self.rows: tuple[Row, ...] = tuple(_rows(self._table))
        tests = pc.list_value_length(self._table["tests"]).to_pylist()
        self.untested = {row.problem_id for row, number in zip(self.rows, tests, strict=True) if not number}
        self._index = {row.problem_id: number for number, row in enumerate(self.rows)}
        if len(self._index) != len(self.rows):
            raise TrainError(f"{source} holds a problem_id twice; export the split again")

    def __len__(self) -> int:
        return len(self.rows)

    def problem(self, problem_id: str, first: Sequence[Test] = ()) -> Problem:
        """What programs for this row are judged against: `first`, then its own tests. Raises TrainError if the row
        cannot be judged."""
        raw = self._table.slice(self._index[problem_id], 1).to_pylist()[0]
        if raw["checker"] is None:
            raise TrainError(f"{self._source}: {problem_id} declares no checker and cannot be judged; remove the row")
        default = Limits()
        try:
            return Problem(
                id=problem_id,
                tests=(*first, *(Test(t["input"], t["expected"], t["name"]) for t in raw["tests"] or ())),
                limits=Limits(
                    time_s=raw["time_limit_s"] or default.time_s, memory_mb=raw["memory_limit_mb"] or default.memory_mb
                ),
                checker=Checker.from_json(raw["checker"]),
                io_mode=raw["io_mode"],
                entry_point=raw["entry_point"],
            )
        except (RecordError, TypeError, ValueError) as error:
            raise TrainError(f"{self._source}: {problem_id} cannot be judged: {error}") from error


def _rows(table: pa.Table) -> Iterator[Row]:
    narrow = table.select(["problem_id", "prompt", "difficulty", "references"])
    for raw in narrow.to_pylist():
        references = tuple(Reference(r["language"], r["label"], r["code"]) for r in raw["references"] or ())
        yield Row(raw["problem_id"], raw["prompt"], raw["difficulty"] or "unknown", references)


def read_part(folder: Path, part: str) -> Part:
    """The rows of `part` (train, validation or test). Raises TrainError naming the file."""
    loaded = Part(read_table(folder, part), str(part_files(folder, part)[0]))
    if not len(loaded):
        raise TrainError(f"{part_files(folder, part)[0]} holds no problem; collect more problems or change the split")
    return loaded


def part_files(folder: Path, part: str) -> list[Path]:
    """The files of `part`, in order; the name of the first where there are none."""
    first = folder / "data" / f"{part}-00000-of-00001.parquet"
    paths = sorted(first.parent.glob(f"{part}-*-of-*.parquet")) or [first]
    if len(paths) != int(paths[0].stem.rpartition("-")[2]):
        raise TrainError(f"{first.parent} holds {len(paths)} files of {part}, not all of them; export it again")
    return paths


def read_table(folder: Path, part: str) -> pa.Table:
    """Every column of `part`. Raises TrainError naming the file."""
    return pa.concat_tables(map(_read_file, part_files(folder, part)))


def _read_file(path: Path) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            return file.read()
    except FileNotFoundError as error:
        raise TrainError(f"{path} does not exist; give the folder that holds manifest.json and data/") from error
    except (OSError, pa.ArrowException) as error:
        raise TrainError(f"{path} is not a readable Parquet file ({_first_line(error)}); export it again") from error


def read_data_version(folder: Path) -> str:
    """The version that the exporter wrote. Raises TrainError naming the file."""
    path = folder / "manifest.json"
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["data_version"])
    except FileNotFoundError as error:
        raise TrainError(f"{path} does not exist; give the folder that holds manifest.json and data/") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainError(f"{path} does not hold a data_version ({_first_line(error)}); export it again") from error


def prompts_dataset(rows: Sequence[Row], prompts: Sequence[Any]) -> Any:
    """A `datasets.Dataset` of `prompt` (text, or messages for a chat model) and `problem_id`, one entry a row."""
    from datasets import Dataset

    return Dataset.from_dict({"prompt": list(prompts), "problem_id": [row.problem_id for row in rows]})


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
