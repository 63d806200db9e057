"""The floors: a package imports only the floors below it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
HEAVY = {"torch", "trl", "transformers", "vllm", "deepspeed", "accelerate", "peft", "datasets"}


def imports(package: str) -> Iterator[tuple[str, str]]:
    """(file, top-level name) of every import statement in a package."""
    for path in sorted((CHECKOUT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for name in names:
                yield str(path.relative_to(CHECKOUT)), name.partition(".")[0]


def test_the_judge_needs_only_the_standard_library() -> None:
    siblings = {path.stem for path in (CHECKOUT / "microcoder_judge").glob("_*.py")}  # the runner is started as a file
    allowed = {*sys.stdlib_module_names, "microcoder_judge", *siblings}
    assert [found for found in imports("microcoder_judge") if found[1] not in allowed] == []


def test_training_knows_nothing_of_dagster() -> None:
    banned = {"dagster", "polars", "duckdb", "microcoder_assets"}
    assert [found for found in imports("microcoder_train") if found[1] in banned] == []
    pipes = {file for file, name in imports("microcoder_train") if name == "dagster_pipes"}
    assert len(pipes) <= 1


def test_the_platform_never_loads_a_model() -> None:
    """`datasets` is no model: the sets are read through it, where they are read and nowhere else."""
    banned = HEAVY | {"microcoder_train"}
    allowed = (str(Path("microcoder_assets", "collection", "sets", "rows.py")), "datasets")
    assert {found for found in imports("microcoder_assets") if found[1] in banned} <= {allowed}


@pytest.mark.parametrize("package", ["microcoder_judge", "microcoder_train", "microcoder_assets"])
def test_every_package_has_code(package: str) -> None:
    assert len({file for file, _ in imports(package)}) > 3
