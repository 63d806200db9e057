"""Files that are either whole or not there: write beside the target, sync, rename, sync the folder."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from microcoder_assets.errors import UserError

TEMPORARY = ".tmp-"


def write_atomic(path: Path, write: Callable[[Path], object]) -> None:
    """Make `path` whole by `write(temporary)`. A killed or failed writer leaves `path` as it was.

    Raises UserError naming the folder when the disk is full or read-only.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}")
    try:
        write(temporary)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _explained(error, path) or error from error
    except Exception as error:
        if "No space left" in str(error) or "os error 28" in str(error):
            raise _disk_full(path) from error
        raise
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text_atomic(path: Path, text: str) -> None:
    write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def append_line(path: Path, line: bytes) -> None:
    """Add `line`, synced, to a file of lines, of which the writer is the only one. Raises UserError as `write_atomic`
    does, and leaves the file as long as it was."""
    size = path.stat().st_size if path.exists() else 0
    try:
        with path.open("ab") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with contextlib.suppress(OSError):
            os.truncate(path, size)
        raise _explained(error, path) or error from error


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold `folder` against other processes. Leftovers of killed writers are removed, because none can be alive."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in folder.rglob(f"{TEMPORARY}*"):
            leftover.unlink(missing_ok=True)
        yield


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _disk_full(path: Path) -> UserError:
    return UserError(
        f"disk full while writing {path.parent}: free some space and run again; what was stored before is whole"
    )


def _explained(error: OSError, path: Path) -> UserError | None:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _disk_full(path)
    if error.errno in (errno.EROFS, errno.EACCES):
        return UserError(f"cannot write {path.parent}: {error.strerror}; choose another folder with --home")
    return None
