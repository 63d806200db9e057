"""A version of the train split written in another trainer's columns, a batch of rows at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from microcoder_assets.errors import UserError
from microcoder_assets.publication.card import HEADER
from microcoder_assets.publication.export import whole_folder, write_manifest
from microcoder_assets.publication.formats import FORMATS, CannotHold, Format
from microcoder_assets.publication.versions import PARTS, ROWS_A_BATCH, Version
from microcoder_assets.store.atomic import write_atomic, write_text_atomic


@dataclass(slots=True)
class Converted:
    """files: rows by name. left_out: why rows that the format cannot hold are not there, by problem_id."""

    files: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def convert(version: Version, name: str, output: Path) -> Converted:
    """Write `output`, a folder in the format `name`, in one go; one that is there in the same version is kept.

    Raises UserError where `output` is something else.
    """
    facts = {"format": name, "version": version.name, "data_version": version.data_version}
    if output.exists():
        return _found(output, facts)
    done, form = Converted(), FORMATS[name]
    with whole_folder(output) as scratch:
        for part in PARTS:
            file = form.file.format(part)
            done.files[file] = 0
            write_atomic(scratch / file, _writer(form, _rows(version, part, form, file, done)))
        if name == "trl":
            write_text_atomic(scratch / "README.md", HEADER.format(version=version.data_version))
        write_manifest(scratch, done.files, left_out=done.left_out, **facts)
    return done


def _found(output: Path, facts: dict[str, str]) -> Converted:
    try:
        raw = json.loads((output / "manifest.json").read_text("utf-8"))
        if {key: raw[key] for key in facts} == facts:
            return Converted({file: of["rows"] for file, of in raw["files"].items()}, raw["left_out"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise UserError(f"{output} is there and holds something else; name another folder with --output")


def _rows(version: Version, part: str, form: Format, file: str, done: Converted) -> Iterator[dict[str, Any]]:
    """The part's rows in the format; `done` learns how many there are and which are left out."""
    for batch in version.batches(part):
        for row in batch.to_pylist():
            try:
                yield form.row(row, done.files[file])
                done.files[file] += 1
            except CannotHold as error:
                done.left_out[row["problem_id"]] = str(error)


def _writer(form: Format, rows: Iterable[dict[str, Any]]) -> Any:
    def parquet(path: Path) -> None:
        with pq.ParquetWriter(path, form.schema, compression="zstd") as file:
            for batch in _batched(rows):
                file.write_table(pa.Table.from_pylist(batch, schema=form.schema))

    def json_array(path: Path) -> None:
        with path.open("w", encoding="utf-8") as file:
            file.write("[")
            for number, row in enumerate(rows):
                file.write(f"{',' if number else ''}\n{json.dumps(row, ensure_ascii=False)}")
            file.write("\n]\n")

    return json_array if form.schema is None else parquet


def _batched(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == ROWS_A_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
