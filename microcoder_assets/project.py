"""A home folder and what it is fed with: sources, benchmark, settings.

    <home>/project.json   sources, benchmark and settings file of the last `microcoder run --source ...`
           store/         the Parquet store        exports/   train_split and benchmark for others to read
           models/        trained policies         dagster/   the Dagster instance: runs, events, schedules

With `[store] url` in the settings file the store is in a bucket, and `store/` holds journals of calls only.

Without `project.json` a home is fed with the sample archive and benchmark that come with the package.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from microcoder_assets.bundled_files import bundled
from microcoder_assets.collection.benchmark_files import benchmark_items
from microcoder_assets.collection.livecodebench import benchmark_files, releases
from microcoder_assets.collection.records import Source, SourceSpec
from microcoder_assets.collection.sources import open_source, parse_spec
from microcoder_assets.collection.web.source import WebSource
from microcoder_assets.config import Settings, load_policy, load_settings
from microcoder_assets.errors import UserError
from microcoder_assets.processing.embedding_model import check_model
from microcoder_assets.store import ParquetStore
from microcoder_assets.store.atomic import write_text_atomic
from microcoder_assets.store.storage import open_storage

HOME_VARIABLE = "MICROCODER_HOME"
DEFAULT_HOME = "microcoder-home"


def home_from_environment() -> Path:
    return Path(os.environ.get(HOME_VARIABLE, DEFAULT_HOME)).resolve()


class _Inputs(BaseModel):
    """The form of project.json."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sources: tuple[str, ...] = Field(strict=False)
    benchmark: Path | None
    settings: Path | None


@dataclass(frozen=True)
class Project:
    """sources: `KIND:PATH` each. benchmark: LiveCodeBench folder, file or set on the hub, None: train without
    decontamination."""

    home: Path
    sources: tuple[str, ...] = field(default_factory=lambda: (f"kattis:{bundled('examples') / 'archive'}",))
    benchmark: Path | None = field(default_factory=lambda: bundled("examples") / "benchmark")
    settings_file: Path | None = field(default_factory=lambda: bundled("examples") / "settings.toml")

    @classmethod
    def load(cls, home: Path) -> Project:
        """The project of `home`. Raises UserError when its project.json is damaged."""
        path = home / "project.json"
        try:
            raw = _Inputs.model_validate_json(path.read_text("utf-8"))
            return cls(home, raw.sources, raw.benchmark, raw.settings)
        except FileNotFoundError:
            return cls(home)
        except (ValueError, OSError) as error:
            first = str(error).splitlines()[0]
            raise UserError(f"{path} is damaged ({first}); delete it, or give --source again") from error

    def with_inputs(
        self, sources: Sequence[str], benchmark: Path | None, settings_file: Path | None, no_benchmark: bool = False
    ) -> Project:
        """This project fed with what the command line gives; what it leaves out stays as it was, except that new
        sources never keep the sample benchmark or the sample settings."""
        kept = self if not sources or (self.home / "project.json").exists() else Project(self.home, (), None, None)
        return Project(
            self.home,
            tuple(_absolute(source) for source in sources) or self.sources,
            None if no_benchmark else (_resolved(benchmark) if benchmark else kept.benchmark),
            settings_file.resolve() if settings_file else kept.settings_file,
        )

    def save(self) -> None:
        """Remember the inputs for the web UI, the schedule and the next run."""
        if self == Project(self.home):
            (self.home / "project.json").unlink(missing_ok=True)
            return
        text = json.dumps(
            {
                "sources": self.sources,
                "benchmark": str(self.benchmark) if self.benchmark else None,
                "settings": str(self.settings_file) if self.settings_file else None,
            },
            indent=1,
        )
        write_text_atomic(self.home / "project.json", text + "\n")

    @cached_property
    def store(self) -> ParquetStore:
        return ParquetStore(open_storage(self.settings.store.url, self.home / "store"))

    @cached_property
    def settings(self) -> Settings:
        return load_settings(self.settings_file)

    @property
    def exports(self) -> Path:
        return self.home / "exports"

    @property
    def models(self) -> Path:
        return self.home / "models"

    def check(self) -> None:
        """Raises UserError for the first input that cannot be used, before any work is done."""
        self.open_sources()
        settings = load_settings(self.settings_file)
        benchmark_items(settings.decontamination.benchmarks)
        if settings.dedup.embedding_model:
            check_model(settings.dedup.embedding_model)
        load_policy(settings.selection.policy)
        releases(settings.benchmark.release)
        if self.benchmark:
            benchmark_files(self.benchmark)

    def open_sources(self) -> list[Source]:
        """Raises UserError for a kind that is unknown or a path that is not there."""
        return self._open(map(parse_spec, self.sources))

    def _open(self, specs: Iterable[SourceSpec]) -> list[Source]:
        return [open_source(spec, self.settings.collection) for spec in specs]

    def web_sources(self, platform: str) -> list[WebSource]:
        """Those that are collected from the web."""
        return [source for source in self._web() if platform in source.platforms]

    def alarms(self) -> dict[str, dict[str, str]]:
        """By platform: why its last collection from the web is not whole, by reason."""
        found = {platform: source.cursor(platform).alarms for source in self._web() for platform in source.platforms}
        return {platform: alarms for platform, alarms in found.items() if alarms}

    def file_sources(self) -> list[Source]:
        """Those that are there as a whole. To open one may mean to list a million files: open them once for all."""
        return self._open(spec for spec in map(parse_spec, self.sources) if spec.kind != WebSource.kind)

    def _web(self) -> list[WebSource]:
        specs = [spec for spec in map(parse_spec, self.sources) if spec.kind == WebSource.kind]
        return [source for source in self._open(specs) if isinstance(source, WebSource)]


def _absolute(source: str) -> str:
    spec = parse_spec(source)
    return f"{spec.kind}:{_resolved(spec.path)}"


def _resolved(path: Path) -> Path:
    """A name on the Hugging Face Hub stays as it is."""
    return path.resolve() if path.exists() else path
