"""A home of four packages of the sample archive, and the command line over it."""

from __future__ import annotations

import shutil
from pathlib import Path

from click.testing import CliRunner, Result

from microcoder_assets.cli import main
from microcoder_assets.project import Project

PACKAGES = ("frostdiary", "lampposts", "orchardlog", "paradeorder")
"""Two months of lantern's, two of harbor's."""
PARTITIONS = ("2025-10|lantern", "2025-10|harbor", "2026-01|lantern", "2026-01|harbor")
SPAN = ("--from", "2025-10", "--to", "2026-06")


def small_home(folder: Path, archive: Path) -> Project:
    """Its packages are copies, in `folder`/packages, that a test may change."""
    for name in PACKAGES:
        shutil.copytree(archive / name, folder / "packages" / name)
    project = Project(folder / "home", (f"kattis:{folder / 'packages'}",), None, None)
    project.save()
    return project


def microcoder(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--home", str(project.home), *arguments])


def standing_files(project: Project) -> set[tuple[str, str, str]]:
    """Of each scraped and normalized partition the names of its rows and decisions, which are hashes of them."""
    assets = ("scraped_problems", "normalized_problems")
    return {(f"{m.asset} {m.partition}", m.data, m.decisions) for a in assets for m in project.store.manifests(a)}
