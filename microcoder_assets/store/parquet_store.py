"""The store: one current, immutable Parquet file for every asset and partition, named by an atomic manifest.

    <root>/<asset>/<partition>/manifest.json      which files are current; replaced atomically, last
                               data/<sha>.parquet        the rows
                               decisions/<sha>.parquet   the standing decision for every row that came in
                               ledger/<version>.parquet  the decisions that were new at that version
    <root>/scorings/<rubric>@<scorer>.parquet     a table beside the assets: one part for each rubric and scorer
    <root>/calibrations/<solver>.parquet          another: one part for each solver
    <root>/training_runs/<key>.parquet            and training_curves: one part for each training run
    <root>/packs/<name>/*.parquet                 what is paid for once (test bytes, signatures, verdicts)

A writer holds its partition's lock; readers need none, because they follow a manifest to files that never change.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

import polars as pl

from microcoder_assets.errors import UserError
from microcoder_assets.schema import Schema, conform
from microcoder_assets.stage import StageResult
from microcoder_assets.store import ledger
from microcoder_assets.store.atomic import exclusive, write_atomic, write_text_atomic
from microcoder_assets.store.packs import Blobs, Packs

_FOLDERS = ("all", "month=*/platform=*")


@dataclass(frozen=True, order=True, slots=True)
class Partition:
    """Contest month (YYYY-MM) and platform; both empty for an asset that is not partitioned."""

    month: str = ""
    platform: str = ""

    @classmethod
    def named(cls, name: str) -> Self:
        """The partition that `str` gives `name` for."""
        month, _, platform = name.partition("|")
        return cls(month, platform)

    @property
    def folder(self) -> str:
        return f"month={self.month}/platform={self.platform}" if self.month else "all"

    def __str__(self) -> str:
        return f"{self.month}|{self.platform}" if self.month else ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is current of one asset and partition.

    sha256: of the data file. inputs: fingerprint of everything the rows were made from; equal inputs, equal rows.
    counts: decisions by kind. extra: small facts that the asset keeps with its rows.
    """

    asset: str
    partition: str
    version: int
    rows: int
    sha256: str
    data: str
    decisions: str
    counts: dict[str, int]
    inputs: str
    code_version: str
    run_id: str
    extra: dict[str, Any] = field(default_factory=dict)


class Part(NamedTuple):
    """One partition of an asset that is made as a whole. inputs: fingerprint of what its rows and decisions are made
    from; make: makes them, and is called only when they do not stand."""

    partition: Partition
    inputs: str
    make: Callable[[], StageResult]


class ParquetStore:
    """Assets' rows and decisions under one root folder. Cheap to make; holds no handles."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = Blobs(root / "packs" / "blobs")
        self._made = self.packs("made")

    def packs(self, name: str) -> Packs:
        return Packs(self.root / "packs" / name)

    def folder(self, asset: str, partition: Partition) -> Path:
        return self.root / asset / partition.folder

    def manifest(self, asset: str, partition: Partition = Partition()) -> Manifest | None:
        path = self.folder(asset, partition) / "manifest.json"
        return _read_manifest(path) if path.exists() else None

    def manifests(self, asset: str) -> list[Manifest]:
        """Current manifests of all partitions, in partition order."""
        paths = (path for folder in _FOLDERS for path in (self.root / asset).glob(f"{folder}/manifest.json"))
        return sorted(map(_read_manifest, paths), key=lambda manifest: manifest.partition)

    def fingerprint(self, asset: str) -> str:
        """sha256 over the current rows of an asset: what a later stage's inputs are made of."""
        lines = [f"{m.partition} {m.sha256}" for m in self.manifests(asset) if m.rows]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def data_files(self, asset: str, partitions: Iterable[Partition] | None = None) -> list[Path]:
        if partitions is None:
            return [self._path(m, m.data) for m in self.manifests(asset)]
        wanted = (self.manifest(asset, partition) for partition in sorted(set(partitions)))
        return [self._path(m, m.data) for m in wanted if m]

    def decision_files(self, asset: str) -> list[Path]:
        return [self._path(m, m.decisions) for m in self.manifests(asset)]

    def ledger_files(self, asset: str) -> list[Path]:
        """The ledger of every published version; a file that a killed writer left behind is not among them."""
        return [
            path
            for m in self.manifests(asset)
            for path in sorted(self._path(m, "ledger").glob("[0-9]*.parquet"))
            if int(path.stem) <= m.version
        ]

    def read(self, asset: str, schema: Schema, partitions: Iterable[Partition] | None = None) -> pl.DataFrame:
        """Current rows of an asset, of `partitions` or of all, sorted by problem_id: the columns of `schema`."""
        files = self.data_files(asset, partitions)
        return conform(pl.read_parquet(files, columns=list(schema)) if files else pl.DataFrame(schema=schema), schema)

    def read_with_partition(self, asset: str, schema: Schema) -> pl.DataFrame:
        """As `read` of all partitions, with the column partition: the name of the one that each row is in."""
        manifests = self.manifests(asset)
        names = [manifest.partition for manifest in manifests for _ in range(manifest.rows)]
        files = [self._path(manifest, manifest.data) for manifest in manifests]
        rows = pl.read_parquet(files, columns=list(schema)) if files else pl.DataFrame(schema=schema)
        rows = rows.with_columns(partition=pl.Series(names, dtype=pl.String))
        return conform(rows, {**schema, "partition": pl.String})

    def read_decisions(self, manifests: Iterable[Manifest]) -> pl.DataFrame:
        """The standing decisions of those partitions as SNAPSHOT rows."""
        files = [self._path(manifest, manifest.decisions) for manifest in manifests]
        return pl.read_parquet(files) if files else pl.DataFrame(schema=ledger.SNAPSHOT)

    def publish(
        self,
        asset: str,
        result: StageResult,
        *,
        partition: Partition = Partition(),
        inputs: str,
        code_version: str,
        run_id: str,
        extra: dict[str, Any] | None = None,
    ) -> Manifest:
        """Make `result` the current rows and append what changed to the ledger.

        Nothing is written when rows, decisions, inputs and code version all stand already. A writer that dies
        leaves the manifest, and so every reader, at the version before.
        """
        folder = self.folder(asset, partition)
        with exclusive(folder):
            current = self.manifest(asset, partition)
            standing = ledger.snapshot(result.decisions)
            data = _content_file(folder, "data", result.frame)
            decisions = _content_file(folder, "decisions", standing)
            same = current and (current.data, current.decisions) == (data.name, decisions.name)
            if same and current and (current.inputs, current.code_version) == (inputs, code_version):
                return current
            before = current.version if current else 0
            version = before if same else before + 1
            if not same:
                old = pl.read_parquet(self._path(current, current.decisions)) if current else standing.clear()
                lines = ledger.changed(old, standing).with_columns(
                    stage=pl.lit(asset),
                    partition=pl.lit(str(partition)),
                    version=pl.lit(version),
                    run_id=pl.lit(run_id),
                    code_version=pl.lit(code_version),
                    decided_at=pl.lit(dt.datetime.now(dt.UTC)),
                )
                lines = lines.select(pl.col(name).cast(dtype) for name, dtype in ledger.LEDGER.items())
                write_atomic(folder / "ledger" / f"{version:06d}.parquet", lines.write_parquet)
            manifest = Manifest(
                asset=asset,
                partition=str(partition),
                version=version,
                rows=result.frame.height,
                sha256=data.sha256,
                data=data.name,
                decisions=decisions.name,
                counts={kind.value: count for kind, count in sorted(result.counts.items())},
                inputs=inputs,
                code_version=code_version,
                run_id=run_id,
                extra=extra or {},
            )
            text = json.dumps(asdict(manifest), indent=1, sort_keys=True, ensure_ascii=False)
            write_text_atomic(folder / "manifest.json", text + "\n")
            return manifest

    def keep(self, table: str, name: str, frame: pl.DataFrame) -> None:
        """Put `frame` beside the assets as the part `name` of a table; other parts stay as they are."""
        data = parquet_bytes(frame)
        write_atomic(self.root / table / f"{name}.parquet", lambda temporary: temporary.write_bytes(data))

    def kept_files(self, table: str) -> list[Path]:
        """Every part of such a table."""
        return sorted((self.root / table).glob("[!.]*.parquet"))

    def publish_parts(
        self, asset: str, parts: Iterable[Part], *, schema: Schema, inputs: str, code_version: str, run_id: str
    ) -> list[Manifest]:
        """Make `parts` the current rows of an asset; of the partitions only those that changed are made and written.

        inputs: of the whole asset. It is remembered last, so that a run which dies between two partitions is no
        `made_from`. A partition that is no longer among the parts becomes empty.
        """
        manifests = []
        gone = {manifest.partition for manifest in self.manifests(asset) if manifest.counts}
        for partition, made_from, make in parts:
            gone.discard(str(partition))
            current = self.manifest(asset, partition)
            if current is None or (current.inputs, current.code_version) != (made_from, code_version):
                current = self.publish(
                    asset, make(), partition=partition, inputs=made_from, code_version=code_version, run_id=run_id
                )
            manifests.append(current)
        for name in sorted(gone):
            nothing, partition = StageResult(pl.DataFrame(schema=schema), []), Partition.named(name)
            self.publish(asset, nothing, partition=partition, inputs="", code_version=code_version, run_id=run_id)
        self._made.put({_made_key(asset, inputs, manifests): b""})
        return manifests

    def made_from(self, asset: str, inputs: str) -> bool:
        """Whether what stands of an asset published in parts is as it was made from `inputs`."""
        standing = [manifest for manifest in self.manifests(asset) if manifest.counts]
        return _made_key(asset, inputs, standing) in self._made.known()

    def _path(self, manifest: Manifest, name: str) -> Path:
        return self.folder(manifest.asset, Partition.named(manifest.partition)) / name


def _made_key(asset: str, inputs: str, manifests: Iterable[Manifest]) -> str:
    lines = sorted(f"{m.partition} {m.data} {m.decisions}" for m in manifests if m.counts)
    return f"{asset}-{hashlib.sha256(chr(10).join([inputs, *lines]).encode()).hexdigest()}"


def _read_manifest(path: Path) -> Manifest:
    try:
        return Manifest(**json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is damaged ({error}); delete that file and run again") from error


@dataclass(frozen=True, slots=True)
class _ContentFile:
    name: str
    sha256: str


def _content_file(folder: Path, kind: str, frame: pl.DataFrame) -> _ContentFile:
    """Store `frame` under its own hash, unless it is there; equal rows are equal bytes."""
    data = parquet_bytes(frame)
    sha256 = hashlib.sha256(data).hexdigest()
    name = f"{kind}/{sha256[:24]}.parquet"
    if not (folder / name).exists():
        write_atomic(folder / name, lambda temporary: temporary.write_bytes(data))
    return _ContentFile(name, sha256)


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """`frame` as one Parquet file, always with the same bytes for the same rows."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=True)
    return buffer.getvalue()
