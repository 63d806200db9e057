"""The experiments of `microcoder_train`, by name: what `insight_experiments` is partitioned by, and its runs."""

from __future__ import annotations

from pathlib import Path

from microcoder_assets.config import ExperimentSettings
from microcoder_assets.store import ParquetStore
from microcoder_assets.training.history import RECORD, record_run

EXPERIMENTS = ("methods", "data", "truncation", "temperature", "evaluator", "context", "batch", "kl-clip")
"""The names in `microcoder_train.experiments.grids`, which is not imported here."""


def arguments(name: str, split: Path, out: Path, settings: ExperimentSettings) -> list[str]:
    """The command line of one experiment."""
    config = ["--config", str(settings.config)] if settings.config else []
    return [
        "experiment", name, "--split", str(split), "--model", settings.model, "--out", str(out),
        "--seeds", str(settings.seeds), "--preset", settings.preset, *config,
    ]  # fmt: skip


def record_cells(store: ParquetStore, out: Path) -> int:
    """Put every finished run of the experiments in `out` into the store, as `CELL/seed-N`; how many there are."""
    found = sorted(out.glob(f"cells/*/seed-*/{RECORD}"))
    for path in found:
        record_run(store, path.parent, f"{path.parent.parent.name}/{path.parent.name}", "experiment")
    return len(found)
