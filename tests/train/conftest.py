"""A fabricated split of small problems, and settings with which everything runs in seconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from fabricated import TINY, function_row, stdin_row, write_folder


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    train = [
        stdin_row("sum", "sum", "+", "-"),
        stdin_row("difference", "difference", "-", "+"),
        stdin_row("product", "product", "*", "+"),
        function_row("double"),
    ]
    validation = [stdin_row("total", "total", "+", "-"), function_row("twofold")]
    return write_folder(tmp_path_factory.mktemp("data") / "split", {"train": train, "validation": validation})


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "config.json"
    path.write_text(json.dumps(TINY), encoding="utf-8")
    return path
