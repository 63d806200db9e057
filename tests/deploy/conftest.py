"""A deployment on this machine: deploy/dagster.yaml on a real Postgres, a home folder, and a few packages to curate."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "assets")]

from postgres import Postgres, running

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("lampposts", "beadblocks")


@dataclass(frozen=True)
class Deployment:
    """folder: holds `dagster/` (its DAGSTER_HOME), `home/` and `packages/`."""

    folder: Path
    postgres: Postgres

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.postgres.environment,
            "DAGSTER_HOME": str(self.folder / "dagster"),
            "MICROCODER_HOME": str(self.home),
            "MICROCODER_LOGS": str(self.folder / "logs"),
        }

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", *arguments]

    def run(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """`python -m ARGUMENTS` to its end."""
        return subprocess.run(
            self.command(*arguments), cwd=self.folder, env=self.environment, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip

    def microcoder(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("microcoder_assets.cli", *arguments)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    pytest.importorskip("dagster_postgres", reason="needs the extra `postgres`")
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def deployment(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """One with empty books and an empty home."""
    postgres.empty()
    folder = tmp_path_factory.mktemp("deployment")
    (folder / "dagster").mkdir()
    shutil.copyfile(CHECKOUT / "deploy" / "dagster.yaml", folder / "dagster" / "dagster.yaml")
    for name in PACKAGES:
        shutil.copytree(CHECKOUT / "examples" / "archive" / name, folder / "packages" / name)
    return Deployment(folder, postgres)
