"""Fixtures of this room, and the way to the servers of tests/assets."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment import CHECKOUT, PACKAGES, Deployment
from postgres import Postgres, running

sys.path.insert(0, str(Path(__file__).parents[1] / "assets"))


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
