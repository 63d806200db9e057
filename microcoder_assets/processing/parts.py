"""What a night changes: the partitions of `unique_problems` and `prepared_problems`, each made only when it must be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial

import polars as pl

from microcoder_assets import plan
from microcoder_assets.processing import documents, unique
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

    All rows are decided about together, from what is stored of their content. Texts are read where that is new, and of
    those partitions whose rows or decisions changed.
    """
    store, settings = project.store, project.settings
    embedder = make_embedder(settings.dedup, store.packs("embeddings"))
    columns = unique.COLUMNS | ({"statement": pl.String} if embedder else {})
    problems = store.read_with_partition("normalized_problems", columns)
    decided, overlap = unique.decide(
        problems,
        benchmark_of(project),
        settings.dedup,
        settings.decontamination,
        store.packs("documents"),
        embedder,
        partial(_whole, store),
    )

    def make(partition: Partition) -> StageResult:
        return decided.result(store.read("normalized_problems", NORMALIZED, [partition]))

    facts = dict(decided.parts(problems.select("problem_id", "partition")).iter_rows())
    parts = []
    for manifest in store.manifests("normalized_problems"):
        made_from = hashlib.sha256(f"{manifest.sha256} {facts.get(manifest.partition)}".encode()).hexdigest()
        partition = Partition.named(manifest.partition)
        parts.append(Part(partition, made_from, partial(make, partition)))
    return parts, overlap


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
