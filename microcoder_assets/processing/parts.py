"""What a night changes: the partitions of `unique_problems` and `prepared_problems`, each made only when it must be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial

import polars as pl

from microcoder_assets import plan
from microcoder_assets.collection import benchmark_files
from microcoder_assets.processing import documents, standing, unique
from microcoder_assets.processing.benchmark import benchmark_of
from microcoder_assets.processing.decontaminate import OverlapReport
from microcoder_assets.processing.embeddings import make_embedder
from microcoder_assets.processing.prepare import prepare
from microcoder_assets.processing.translate import make_translator
from microcoder_assets.project import Project
from microcoder_assets.schema import NORMALIZED, UNIQUE, Schema
from microcoder_assets.stage import StageResult
from microcoder_assets.store import ParquetStore, Part, Partition


def unique_parts(project: Project) -> tuple[list[Part], OverlapReport]:
    """The partitions of `normalized_problems` without duplicates and overlap.

    What was decided of them before stands, but for rows that are new and those that these touch. Texts are read where
    content is new, and of those partitions whose rows or decisions changed. With an embedding model all rows are
    decided about together, since it compares each with all others.
    """
    store, settings = project.store, project.settings
    embedder = make_embedder(settings.dedup, store.packs("embeddings"))
    columns = unique.COLUMNS | ({"statement": pl.String} if embedder else {})
    scheme, folder = _scheme(project), store.root / "standing" / "unique_problems"
    before = None if embedder else standing.read(folder, scheme)
    manifests = store.manifests("normalized_problems")
    known = dict(before.select("partition", "source").unique().iter_rows()) if before is not None else {}
    unchanged = {m.partition for m in manifests if known.get(m.partition) == m.sha256}
    problems = store.read_with_partition(
        "normalized_problems", columns, [m for m in manifests if m.rows and m.partition not in unchanged]
    )
    decided, overlap = unique.decide(
        problems,
        benchmark_of(project),
        settings.dedup,
        settings.decontamination,
        store.packs("documents"),
        embedder,
        partial(_whole, store),
        before,
        unchanged,
    )
    if not embedder:
        standing.write(folder, scheme, decided.rows)

    def make(partition: Partition) -> StageResult:
        return decided.result(store.read("normalized_problems", NORMALIZED, [partition]))

    facts = decided.parts()
    parts = []
    for manifest in manifests:
        made_from = hashlib.sha256(f"{manifest.sha256} {facts.get(manifest.partition)}".encode()).hexdigest()
        partition = Partition.named(manifest.partition)
        parts.append(Part(partition, made_from, partial(make, partition)))
    return parts, overlap


def _scheme(project: Project) -> str:
    """What was decided of a row stands for as long as this and the other rows do."""
    settings = project.settings
    parts = [
        plan.code_version("unique_problems"),
        repr(standing.blank(settings.dedup.permutations).schema),
        settings.dedup.model_dump_json(),
        settings.decontamination.model_dump_json(),
        project.store.fingerprint("livecodebench_problems"),
        benchmark_files.fingerprint(settings.decontamination.benchmarks),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def prepared_parts(project: Project) -> Iterator[Part]:
    """The partitions of `unique_problems`, prepared: each is made from its own rows alone."""
    store, settings = project.store, project.settings
    benchmark = benchmark_of(project)
    translator = make_translator(settings.preparation, store.packs("llm"))
    beside = plan.inputs_of(project, "prepared_problems", apart="unique_problems")

    def make(partition: Partition) -> StageResult:
        problems = store.read("unique_problems", UNIQUE, [partition])
        return prepare(problems, benchmark, store.blobs, translator, settings.preparation, settings.decontamination)

    for manifest in store.manifests("unique_problems"):
        partition = Partition.named(manifest.partition)
        yield Part(partition, f"{beside} {manifest.sha256}", partial(make, partition))


def _whole(store: ParquetStore, rows: pl.DataFrame) -> pl.DataFrame:
    """rows: with the column partition."""
    columns: Schema = {name: NORMALIZED[name] for name in documents.COLUMNS}
    partitions = [Partition.named(name) for name in rows["partition"].unique()]
    found = store.read("normalized_problems", columns, partitions)
    return rows.select("problem_id").join(found, on="problem_id", how="left", maintain_order="left")
