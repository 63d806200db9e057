"""The store: one current, immutable Parquet file for every asset and partition, named by an atomic manifest.

    <root>/<asset>/<partition>/manifest.json      which files are current; replaced atomically, last
                               data/<sha>.parquet        the rows
                               decisions/<sha>.parquet   the standing decision for every row that came in
                               ledger/<version>-<sha>.parquet  the decisions that were new at that version
    <root>/scorings/<rubric>@<scorer>.parquet     a table beside the assets: one part for each rubric and scorer
    <root>/calibrations/<solver>.parquet          another: one part for each solver
    <root>/training_runs/<key>.parquet            and training_curves: one part for each training run
    <root>/packs/<name>/*.parquet                 what is paid for once (test bytes, signatures, verdicts)

The root is a folder or a prefix of a bucket (`storage`). A writer holds its partition's lock where there is one, and
replaces the manifest only if it is the one that it read; readers follow a manifest to files that never change.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

import polars as pl

from microcoder_assets import clock
from microcoder_assets.errors import UserError
from microcoder_assets.schema import Schema, conform
from microcoder_assets.stage import StageResult
from microcoder_assets.store import ledger
from microcoder_assets.store.packs import Blobs, Packs, parquet_bytes
from microcoder_assets.store.storage import LocalFolder, Storage

_MANIFEST = "manifest.json"
_MANIFESTS = (f"all/{_MANIFEST}", f"month=*/platform=*/{_MANIFEST}")


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
    counts: decisions by kind. ledger: the files of its versions, the first one first. extra: small facts that the asset
    keeps with its rows. before: counts of the version that this one took the place of; none for the first.
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
    ledger: list[str]
    extra: dict[str, Any] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)


class Part(NamedTuple):
    """One partition of an asset that is made as a whole. inputs: fingerprint of what its rows and decisions are made
    from; make: makes them, and is called only when they do not stand."""

    partition: Partition
    inputs: str
    make: Callable[[], StageResult]


class ParquetStore:
    """Assets' rows and decisions under one root. Cheap to make; holds no handles.

    root: the folder or, of a bucket, a folder of this machine for what is not whole yet.
    """

    def __init__(self, place: Storage | Path) -> None:
        self.storage: Storage = LocalFolder(place) if isinstance(place, Path) else place
        self.root = self.storage.local
        self.blobs = Blobs(self.storage.at("packs/blobs"))
        self._packs: dict[str, Packs] = {}
        self._made = self.packs("made")

    def packs(self, name: str) -> Packs:
        """The same each time, since it remembers the keys that it has read."""
        return self._packs.setdefault(name, Packs(self.storage.at(f"packs/{name}")))

    def folder(self, asset: str, partition: Partition) -> Path:
        """Below `root`."""
        return self.root / asset / partition.folder

    def manifest(self, asset: str, partition: Partition = Partition()) -> Manifest | None:
        seen = _stored_manifest(self._folder(asset, partition))
        return seen.manifest if seen else None

    def manifests(self, asset: str) -> list[Manifest]:
        """Current manifests of all partitions, in partition order."""
        folder = self.storage.at(asset)
        names = [name for pattern in _MANIFESTS for name in folder.names(pattern)]
        found = zip(names, folder.read(names), strict=True)
        manifests = [_read_manifest(stored.data, folder.url(name)) for name, stored in found if stored]
        return sorted(manifests, key=lambda manifest: manifest.partition)

    def fingerprint(self, asset: str) -> str:
        """sha256 over the current rows of an asset: what a later stage's inputs are made of."""
        lines = [f"{m.partition} {m.sha256}" for m in self.manifests(asset) if m.rows]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def data_files(self, asset: str, partitions: Iterable[Partition] | None = None) -> list[str]:
        """What polars and DuckDB read the rows from, of `partitions` or of all."""
        if partitions is None:
            return [self._url(m, m.data) for m in self.manifests(asset)]
        wanted = (self.manifest(asset, partition) for partition in sorted(set(partitions)))
        return [self._url(m, m.data) for m in wanted if m]

    def decision_files(self, asset: str) -> list[str]:
        return [self._url(m, m.decisions) for m in self.manifests(asset)]

    def ledger_files(self, asset: str) -> list[str]:
        """The ledger of every published version; a file that a killed writer left behind is not among them."""
        return [self._url(m, name) for m in self.manifests(asset) for name in m.ledger]

    def read(self, asset: str, schema: Schema, partitions: Iterable[Partition] | None = None) -> pl.DataFrame:
        """Current rows of an asset, of `partitions` or of all, sorted by problem_id: the columns of `schema`."""
        files = self.data_files(asset, partitions)
        return conform(pl.read_parquet(files, columns=list(schema)) if files else pl.DataFrame(schema=schema), schema)

    def scan(self, asset: str, schema: Schema) -> pl.LazyFrame:
        """As `read` of all partitions, but in no order; read when it is collected, and then only what is asked for."""
        files = self.data_files(asset)
        return pl.scan_parquet(files).select(list(schema)) if files else pl.LazyFrame(schema=schema)

    def read_with_partition(self, asset: str, schema: Schema, manifests: Sequence[Manifest]) -> pl.DataFrame:
        """As `read` of those partitions, with the columns partition and source: the name of the one that each row is
        in, and the sha256 of its rows."""
        files = [self._url(manifest, manifest.data) for manifest in manifests]
        rows = pl.read_parquet(files, columns=list(schema)) if files else pl.DataFrame(schema=schema)
        columns = {"partition": [m.partition for m in manifests], "source": [m.sha256 for m in manifests]}
        of_files = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
        of_rows = of_files.select(pl.all().repeat_by(pl.Series([m.rows for m in manifests], dtype=pl.Int64)).explode())
        return conform(rows.hstack(of_rows), {**schema, **of_files.schema})

    def scan_decisions(self, manifests: Iterable[Manifest]) -> pl.LazyFrame:
        """The standing decisions of those partitions as SNAPSHOT rows, read as far as they are asked for."""
        files = [self._url(manifest, manifest.decisions) for manifest in manifests]
        return pl.scan_parquet(files) if files else pl.LazyFrame(schema=ledger.SNAPSHOT)

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
        folder = self._folder(asset, partition)
        with folder.exclusive():
            standing = ledger.snapshot(result.decisions)
            counts = dict(standing["decision"].value_counts().sort("decision").iter_rows())
            data = _content_file(folder, "data/", result.frame)
            decisions = _content_file(folder, "decisions/", standing)
            while True:
                seen = _stored_manifest(folder)
                current = seen.manifest if seen else None
                same = current and (current.data, current.decisions) == (data.name, decisions.name)
                if same and current and (current.inputs, current.code_version) == (inputs, code_version):
                    return current
                version, ledgers = (current.version, current.ledger) if current else (0, [])
                if not same:
                    version += 1
                    old = pl.scan_parquet(folder.url(current.decisions)) if current else standing.clear().lazy()
                    lines = ledger.changed(old, standing).with_columns(
                        stage=pl.lit(asset),
                        partition=pl.lit(str(partition)),
                        version=pl.lit(version),
                        run_id=pl.lit(run_id),
                        code_version=pl.lit(code_version),
                        decided_at=pl.lit(_not_before(folder, ledgers)),
                    )
                    lines = lines.select(pl.col(name).cast(dtype) for name, dtype in ledger.LEDGER.items())
                    ledgers = [*ledgers, _content_file(folder, f"ledger/{version:06d}-", lines).name]
                manifest = Manifest(
                    asset=asset,
                    partition=str(partition),
                    version=version,
                    rows=result.frame.height,
                    sha256=data.sha256,
                    data=data.name,
                    decisions=decisions.name,
                    counts=counts,
                    inputs=inputs,
                    code_version=code_version,
                    run_id=run_id,
                    ledger=ledgers,
                    extra=extra or {},
                    before=(current.before if same else current.counts) if current else {},
                )
                text = json.dumps(asdict(manifest), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
                if folder.swap(_MANIFEST, text.encode(), seen.tag if seen else None):
                    return manifest

    def keep(self, table: str, name: str, frame: pl.DataFrame) -> None:
        """Put `frame` beside the assets as the part `name` of a table; other parts stay as they are."""
        self.storage.write(f"{table}/{name}.parquet", parquet_bytes(frame))

    def kept_files(self, table: str) -> list[str]:
        """Every part of such a table."""
        return [self.storage.url(name) for name in self.storage.names(f"{table}/[!.]*.parquet")]

    def publish_parts(
        self, asset: str, parts: Iterable[Part], *, schema: Schema, inputs: str, code_version: str, run_id: str
    ) -> list[Manifest]:
        """Make `parts` the current rows of an asset; of the partitions only those that changed are made and written.

        inputs: of the whole asset. It is remembered last, so that a run which dies between two partitions is no
        `made_from`. A partition that is no longer among the parts becomes empty.
        """
        manifests = []
        standing = {manifest.partition: manifest for manifest in self.manifests(asset)}
        gone = {partition for partition, manifest in standing.items() if manifest.counts}
        for partition, made_from, make in parts:
            gone.discard(str(partition))
            current = standing.get(str(partition))
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

    def _folder(self, asset: str, partition: Partition) -> Storage:
        return self.storage.at(f"{asset}/{partition.folder}")

    def _url(self, manifest: Manifest, name: str) -> str:
        return self._folder(manifest.asset, Partition.named(manifest.partition)).url(name)


def _made_key(asset: str, inputs: str, manifests: Iterable[Manifest]) -> str:
    lines = sorted(f"{m.partition} {m.data} {m.decisions}" for m in manifests if m.counts)
    return f"{asset}-{hashlib.sha256(chr(10).join([inputs, *lines]).encode()).hexdigest()}"


class _Seen(NamedTuple):
    manifest: Manifest
    tag: str


def _stored_manifest(folder: Storage) -> _Seen | None:
    (stored,) = folder.read([_MANIFEST])
    return _Seen(_read_manifest(stored.data, folder.url(_MANIFEST)), stored.tag) if stored else None


def _not_before(folder: Storage, ledgers: Sequence[str]) -> dt.datetime:
    """Now, or when the ledger's last line was written, whatever a clock that was set back says."""
    for name in reversed(ledgers):
        last = pl.read_parquet(folder.url(name), columns=["decided_at"])["decided_at"].max()
        if last is not None:
            assert isinstance(last, dt.datetime)
            return max(last, clock.now())
    return clock.now()


def _read_manifest(data: bytes, url: str) -> Manifest:
    try:
        fields = json.loads(data)
        # Stores made before a manifest named its ledger had one file a version, by its number.
        fields.setdefault("ledger", [f"ledger/{n:06d}.parquet" for n in range(1, fields["version"] + 1)])
        return Manifest(**fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{url} is damaged ({error}); delete that file and run again") from error


class _ContentFile(NamedTuple):
    name: str
    sha256: str


def _content_file(folder: Storage, prefix: str, frame: pl.DataFrame) -> _ContentFile:
    """Store `frame` under its own hash, unless it is there; equal rows are equal bytes."""
    data = parquet_bytes(frame)
    sha256 = hashlib.sha256(data).hexdigest()
    name = f"{prefix}{sha256[:24]}.parquet"
    if not folder.has(name):
        folder.write(name, data)
    return _ContentFile(name, sha256)
