"""`microcoder_train` as a process of its own: the platform loads no model itself."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence

from microcoder_assets.errors import UserError

COMMAND = (sys.executable, "-m", "microcoder_train")


def require_torch(need: str, otherwise: str) -> None:
    """Raises UserError when torch is not installed. need: what needs it; otherwise: how to go without."""
    if importlib.util.find_spec("torch") is None:
        raise UserError(f"{need} torch: pip install 'microcoder[train]', or {otherwise}")


def environment(threads: int) -> dict[str, str]:
    """This process's, with so many threads for torch unless the user chose."""
    return {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads))}


def follow(arguments: Sequence[str]) -> int:
    """Run one command in the foreground, its output and progress shown; its exit code. Ctrl-C ends it too."""
    with subprocess.Popen([*COMMAND, *arguments], env=environment(os.cpu_count() or 1)) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise


def run(arguments: Sequence[str]) -> None:
    """Run one command for the files that it writes, on every core. Raises UserError with the mistake that it names."""
    command = [*COMMAND, *arguments]
    threads = environment(os.cpu_count() or 1)
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, env=threads)
    if done.returncode == 2:
        raise UserError(done.stderr.strip().rpartition("\n")[2].removeprefix("error: "))
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
