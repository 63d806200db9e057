"""Results on disk: whole or absent, and not made twice."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from microcoder_train.errors import TrainError

PACKAGES = ("microcoder_judge", "microcoder_train")
ROOT = Path(__file__).parent.parent
TELLING = ("grids", "insights", "report", "verdicts")
"""Modules of `experiments` that lay runs out and tell of them; a run's settings are in its key, so they decide none."""
BASE_RECORD = "base.json"
"""What is told of a base beside its files; how long it took to make is no part of the model."""
WHOLE_FILE_BYTES = 64 * 2**20
"""Larger files are fingerprinted by their size, first and last MiB: training changes every weight."""


def code_version(root: Path = ROOT) -> str:
    """Hash of the source files below `root` that decide a result; 12 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        if path.parent.name == "experiments" and path.stem in TELLING:
            continue
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def run_key(**parts: Any) -> str:
    """Name of a result: the hash of everything it depends on; 16 hexadecimal digits."""
    text = json.dumps({**parts, "code_version": code_version()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def model_fingerprint(model: str) -> str:
    """Hash of a model folder's files but for what is told of it; for any other value, a Hub name, the name itself."""
    folder = Path(model)
    if not folder.is_dir():
        return model
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file() and path.name != BASE_RECORD):
        size = path.stat().st_size
        digest.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as file:
            if size <= WHOLE_FILE_BYTES:
                digest.update(hashlib.file_digest(file, "sha256").digest())
            else:
                digest.update(file.read(2**20))
                file.seek(-(2**20), os.SEEK_END)
                digest.update(file.read())
    return digest.hexdigest()


def require_model(model: str) -> None:
    """Refuse a path that is not there before anything slow begins; a Hub name is left to transformers."""
    looks_like_path = model.startswith((".", "/", "~")) or model.count("/") > 1
    if not Path(model).is_dir() and (looks_like_path or Path(model).exists()):
        raise TrainError(f"model {model} is not a folder; give a Hugging Face model folder, a Hub name or `embedded`")


def read_result(out: Path, file: str, key: str) -> dict[str, Any] | None:
    """The JSON record `file` of a finished result with this key, else None."""
    try:
        record = json.loads((out / file).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("key") == key else None


@contextmanager
def new_result(out: Path, file: str) -> Iterator[Path]:
    """A scratch folder beside `out` that becomes `out` when the block ends well and vanishes when it does not.

    An older result in `out` (known by its record `file`) is replaced; any other non-empty folder is refused.
    """
    if out.exists() and not (out / file).is_file() and not (out.is_dir() and not any(out.iterdir())):
        raise TrainError(f"{out} exists and holds no {file} of an earlier run; choose another --out")
    host = socket.gethostname()
    scratch = out.with_name(f"{out.name}.tmp-{host}-{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(out, host)
        scratch.mkdir()
    except OSError as error:
        raise TrainError(f"cannot write beside {out}: {error.strerror}; choose another --out") from error
    try:
        yield scratch
        old = out.with_name(f"{scratch.name}.old")
        if out.exists():
            out.rename(old)
        scratch.rename(out)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _remove_leftovers(out: Path, host: str) -> None:
    """Scratch folders that killed runs of this host left."""
    for path in out.parent.glob(f"{out.name}.tmp-{host}-*"):
        owner = path.name.rsplit("-", 1)[1].removesuffix(".old")
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(path, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")
