"""Everything that training must not hold: the pinned LiveCodeBench release and the files that the settings name."""

from __future__ import annotations

import polars as pl

from microcoder_assets.collection.benchmark_files import benchmark_items
from microcoder_assets.project import Project
from microcoder_assets.schema import BENCHMARK


def benchmark_of(project: Project) -> pl.DataFrame:
    """BENCHMARK rows. Raises UserError for a file of the settings that cannot be read."""
    scored = project.store.read("livecodebench_problems", BENCHMARK)
    return pl.concat([scored, benchmark_items(project.settings.decontamination.benchmarks)])
