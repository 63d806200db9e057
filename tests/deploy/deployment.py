"""A deployment on this machine: deploy/dagster.yaml on a real Postgres, a home folder, and packages to curate."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from postgres import Postgres

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

    def run(self, *arguments: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """`python -m ARGUMENTS` to its end."""
        return subprocess.run(
            self.command(*arguments), cwd=self.folder, env=self.environment, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip
