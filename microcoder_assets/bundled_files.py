"""Files shipped with the package: inside the wheel under `bundled/`, in a checkout at the top level."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def bundled(name: str) -> Path:
    """Path of `sql`, `examples` or `dagster.yaml`, wherever this installation keeps it."""
    installed = PACKAGE / "bundled" / name
    return installed if installed.exists() else PACKAGE.parent / name
