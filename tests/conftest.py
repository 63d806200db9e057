"""Fixtures every test room shares."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """No example is too slow on a busy machine."""
    hypothesis.settings.register_profile("steady", deadline=None)
    hypothesis.settings.load_profile("steady")


@pytest.fixture(autouse=True)
def no_instance_is_left() -> Iterator[None]:
    """A Dagster instance that a test leaves open would stay the current one, and be gone, for those that follow."""
    yield
    if storages := sys.modules.get("dagster._core.storage.defs_state.base"):
        storages._current_storage.set(None)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real public records; skipped where it is absent, except under CI=true."""
    path = Path(os.environ.get("MICROCODER_DATA", CHECKOUT.parent / "shared" / "data"))
    if not path.is_dir():
        message = f"no real records at {path.name}/; set MICROCODER_DATA to their folder"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture(scope="session")
def examples_dir() -> Path:
    return CHECKOUT / "examples"
