"""The `microcoder` command as a process, and what it leaves on disk."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path


def microcoder(home: Path, *arguments: str, timeout: float = 400) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "microcoder_assets.cli", "--home", str(home), *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    return subprocess.run(
        command, cwd=home.parent, capture_output=True, text=True, timeout=timeout, env=environment, check=False
    )


def tree(root: Path) -> dict[str, str]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
