"""The folder of an embedding model: whether it can be run, and what names it."""

from __future__ import annotations

from pathlib import Path

import xxhash

from microcoder_assets.errors import UserError
from microcoder_assets.train_process import require_torch

_READ_BYTES = 1 << 20


def check_model(folder: Path) -> None:
    """Raises UserError for a folder that is not there or holds no model, and when the extra that runs it is missing."""
    if not folder.is_dir():
        raise UserError(f"dedup.embedding_model {folder} is not a folder; name a local Hugging Face model folder")
    if not (folder / "config.json").is_file():
        raise UserError(f"dedup.embedding_model {folder} has no config.json; name a Hugging Face model folder")
    require_torch("dedup.embedding_model needs", "leave that setting out")


def model_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def fingerprint(folder: Path) -> str:
    """Hash of everything in the folder: a copy of a model is the same model."""
    digest = xxhash.xxh3_128()
    for path in model_files(folder):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while part := file.read(_READ_BYTES):
                digest.update(part)
    return digest.hexdigest()
