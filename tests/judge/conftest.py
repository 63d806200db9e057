"""One judge for the whole folder; problems made from a few words."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from microcoder_judge import Judge


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    with Judge(workers=2) as judge:
        yield judge


@pytest.fixture(scope="session")
def public_interpreter() -> str:
    """This Python, or where only root can read it, the system's: programs of the `process` rung are not root."""
    folders = Path(os.__file__).resolve().parents
    public = os.geteuid() != 0 or all(folder.stat().st_mode & 0o005 == 0o005 for folder in folders)
    return sys.executable if public else shutil.which("python3", path=os.defpath) or sys.executable
