"""What each asset is made from, and whether that still stands: the reason a second run does nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from microcoder_assets.batches import batch_folder
from microcoder_assets.collection import benchmark_files, livecodebench
from microcoder_assets.collection.records import Source
from microcoder_assets.config import TrainingSettings, load_policy
from microcoder_assets.errors import UserError
from microcoder_assets.filtering.attempts import ImportedAttempts, Solver
from microcoder_assets.filtering.rubric import load_rubric
from microcoder_assets.processing.embedding_model import model_files
from microcoder_assets.project import Project
from microcoder_assets.store import Partition
from microcoder_judge import JUDGE_VERSION


@dataclass(frozen=True, slots=True)
class Stage:
    """upstream: assets whose rows it reads. sections: its parts of Settings. version: raise it when its code means
    something else; only then, and when inputs or settings change, is the stage redone. in_parts: made as a whole, and
    published by the partitions of what it reads."""

    upstream: tuple[str, ...]
    sections: tuple[str, ...]
    version: str
    partitioned: bool = False
    in_parts: bool = False


STAGES: dict[str, Stage] = {
    "scraped_problems": Stage((), ("collection",), "5", partitioned=True),
    "livecodebench_problems": Stage((), ("benchmark",), "2"),
    "normalized_problems": Stage(("scraped_problems",), (), "5", partitioned=True),
    "unique_problems": Stage(
        ("normalized_problems", "livecodebench_problems"), ("dedup", "decontamination"), "3", in_parts=True
    ),
    "prepared_problems": Stage(
        ("unique_problems", "livecodebench_problems"), ("preparation", "decontamination"), "2", in_parts=True
    ),
    "scored_problems": Stage(("prepared_problems",), ("scoring",), "4"),
    "calibrated_problems": Stage(("scored_problems", "prepared_problems"), ("calibration",), "3"),
    "selected_problems": Stage(("calibrated_problems", "prepared_problems"), ("selection",), "3"),
    "verified_problems": Stage(
        ("selected_problems", "prepared_problems"), ("verification", "readability"), f"4-{JUDGE_VERSION}"
    ),
    "train_split": Stage(
        ("verified_problems", "calibrated_problems", "prepared_problems"), ("publication", "dedup"), "4"
    ),
    "grpo_policy": Stage(("train_split",), ("training",), "1"),
    "livecodebench_scores": Stage(("grpo_policy", "livecodebench_problems"), ("training", "evaluation"), "2"),
}
"""Every asset, in an order in which each comes after what it reads."""


def until(asset: str) -> list[str]:
    """The assets to make so that `asset` stands, in order. Raises UserError for an unknown name."""
    if asset not in STAGES:
        raise UserError(f"unknown asset {asset!r}; one of {', '.join(STAGES)}")
    needed, ordered = {asset}, []
    for name in reversed(STAGES):
        if name in needed:
            ordered.append(name)
            needed.update(STAGES[name].upstream)
    return ordered[::-1]


def code_version(asset: str) -> str:
    return STAGES[asset].version


@dataclass(frozen=True, slots=True)
class PlatformInputs:
    """Fingerprints of everything `scraped_problems` of one platform is made from. files: of all that is there as a
    whole. web: of each month that was collected from the web."""

    files: str
    web: Mapping[str, str]

    def of(self, month: str) -> str:
        if month not in self.web:
            return self.files
        return hashlib.sha256(f"{self.files} {self.web[month]}".encode()).hexdigest()


def inputs_of_platform(project: Project, platform: str, files: Sequence[Source]) -> PlatformInputs:
    """files: the project's sources of files, opened."""
    sources = [source.fingerprint() for source in files if platform in source.platforms]
    return PlatformInputs(_digest(project, "scraped_problems", sources), web_inputs(project, platform))


def web_inputs(project: Project, platform: str) -> dict[str, str]:
    """What the archives hold of each month of a platform; needs no file to be read."""
    web: dict[str, str] = {}
    for source in project.web_sources(platform):
        for month, fingerprint in source.cursor(platform).held.items():
            web[month] = f"{web.get(month, '')} {fingerprint}"
    return web


def due_months(project: Project, platform: str, now: dt.datetime) -> set[str]:
    """Months that the web has to be asked for before anyone can say whether they stand."""
    return {month for source in project.web_sources(platform) for month in source.due(platform, now)}


def inputs_of_partition(project: Project, partition: Partition) -> str:
    """Fingerprint of what one partition of `normalized_problems` is made from."""
    scraped = project.store.manifest("scraped_problems", partition)
    return _digest(project, "normalized_problems", [scraped.sha256 if scraped else ""])


def inputs_of(project: Project, asset: str, apart: str | None = None) -> str:
    """Fingerprint of what an asset without partitions is made from. apart: an asset above it that is left out."""
    if asset == "livecodebench_problems":
        parts = [livecodebench.fingerprint(project.benchmark) if project.benchmark else ""]
    else:
        parts = [project.store.fingerprint(name) for name in STAGES[asset].upstream if name != apart]
    parts += _facts(sorted(batch_folder(project.home, asset).glob("answers-*.jsonl")))
    if asset == "train_split":  # its card tells the whole funnel
        parts += [state(project, name) for name in until(asset)[:-1]]
    if "decontamination" in STAGES[asset].sections:
        parts.append(benchmark_files.fingerprint(project.settings.decontamination.benchmarks))
    model = project.settings.dedup.embedding_model
    if "dedup" in STAGES[asset].sections and model:
        parts += _facts(model_files(model))
    if "scoring" in STAGES[asset].sections:
        parts.append(load_rubric().version)
    calibration = project.settings.calibration
    if "calibration" in STAGES[asset].sections and calibration.model:
        parts.append(ImportedAttempts(project.store, Solver(calibration.model, calibration.step)).fingerprint())
    if "training" in STAGES[asset].sections:
        parts += _files_of(project.settings.training)
    if "selection" in STAGES[asset].sections:
        parts.append(load_policy(project.settings.selection.policy).model_dump_json())
    return _digest(project, asset, parts)


def _files_of(settings: TrainingSettings) -> list[str]:
    """What the files that training settings name hold: a changed file is a changed setting."""
    parts = [settings.config.read_text("utf-8")] if settings.config else []
    model = Path(settings.model)
    if model.is_dir():
        parts += _facts(path for path in sorted(model.iterdir()) if path.is_file())
    return parts


def _facts(paths: Iterable[Path]) -> list[str]:
    """Name, size and time of each file: cheaper than to read a model, and enough to see that it changed."""
    files = [(path.name, path.stat()) for path in paths]
    return [f"{name} {facts.st_size} {facts.st_mtime_ns}" for name, facts in files]


def is_fresh(project: Project, asset: str) -> bool:
    """Whether the current rows of an asset without partitions were made from what stands now."""
    if STAGES[asset].in_parts:
        return project.store.made_from(asset, inputs_of(project, asset))
    manifest = project.store.manifest(asset)
    if manifest is None or manifest.inputs != inputs_of(project, asset):
        return False
    beside = (manifest.extra[name] for name in ("export", "folder") if name in manifest.extra)
    return all((project.home / path).is_dir() for path in beside)


def state(project: Project, asset: str) -> str:
    """Fingerprint of what stands of an asset and of what it reads, rows and decisions: what its checks look at."""
    benchmark = [name for name in until(asset) if name == "livecodebench_problems"]
    names = [asset, *STAGES[asset].upstream, *benchmark]
    lines = [
        f"{name} {manifest.partition} {manifest.data} {manifest.decisions}"
        for name in names
        for manifest in project.store.manifests(name)
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _digest(project: Project, asset: str, parts: list[str]) -> str:
    stage = STAGES[asset]
    settings = [getattr(project.settings, section).model_dump_json() for section in stage.sections]
    return hashlib.sha256("\n".join([asset, stage.version, *settings, *parts]).encode()).hexdigest()
