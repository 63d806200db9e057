"""The files of a problem package, in memory: a folder or a tar archive, with nothing unpacked on the disk.

Links are followed inside the package only, so that neither a path nor a link of an archive can reach another file.
"""

from __future__ import annotations

import lzma
import os
import posixpath
import tarfile
import zlib
from bz2 import BZ2File
from collections.abc import Callable
from gzip import GzipFile
from io import BufferedIOBase
from lzma import LZMAFile
from pathlib import Path

from microcoder_judge.records import RecordError

LARGEST_PACKAGE = 2 << 30
"""Bytes that the files of a package may have together, unpacked. Ours."""

MAX_FILES = 100_000
"""Members that an archive may have, and files that links may add. Ours."""

DAMAGED = (EOFError, RuntimeError, ValueError, lzma.LZMAError, tarfile.TarError, zlib.error)
"""What reading a broken archive raises beside OSError: a chain of long names, for one, ends in RecursionError."""

_MAGIC: dict[bytes, Callable[[Path], BufferedIOBase]] = {
    b"\x1f\x8b": GzipFile,
    b"BZh": BZ2File,
    b"\xfd7zXZ": LZMAFile,
}


class PackageError(RecordError):
    """Not a problem package, or a broken one; the message names the file and says what is wrong."""


class Bounded(BufferedIOBase):
    """The unpacked bytes of an archive, up to a limit: a header, too, can be as large as the disk.

    read raises `error` once more than `limit` bytes were read.
    """

    def __init__(self, stream: BufferedIOBase, limit: int, error: Exception) -> None:
        self._stream, self._left, self._error = stream, limit, error

    def read(self, size: int | None = -1, /) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise self._error
        return data


def read_files(path: Path) -> dict[str, bytes]:
    """Each file of the package at `path` by its name below the folder of problem.yaml, links followed.

    Raises PackageError: nothing there, a broken archive, a name or link that leaves the package, a link to nothing, a
    device, more than LARGEST_PACKAGE bytes or MAX_FILES members, or no problem.yaml at the top (or, of an archive, one
    folder below it).
    """
    try:
        files, links = _read_folder(path) if path.is_dir() else _read_archive(path)
    except PackageError:
        raise
    except DAMAGED as error:
        raise PackageError(f"{path} is no readable tar archive: {error}") from error
    except OSError as error:
        raise PackageError(f"cannot read {path}: {error.strerror or error}") from error
    _follow(links, files, path)
    roots = [name for name in files if name.count("/") < 2 and posixpath.basename(name) == "problem.yaml"]
    if not roots:
        raise PackageError(f"{path} is no problem package: it holds no problem.yaml")
    roots.sort(key=lambda name: name.count("/"))
    if len(roots) > 1 and roots[0] != "problem.yaml":
        raise PackageError(f"{path} holds several packages ({roots[0]}, {roots[1]}, ...): name one")
    top = roots[0].removesuffix("problem.yaml")
    return {name.removeprefix(top): data for name, data in files.items() if name.startswith(top)}


def _read_folder(root: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    if not (root / "problem.yaml").is_file():
        raise PackageError(f"{root} is no problem package: it holds no problem.yaml")
    files: dict[str, bytes] = {}
    links: dict[str, str] = {}
    size = 0
    for folder, below, names in os.walk(root):
        for name in (*below, *names):
            path = Path(folder, name)
            relative = path.relative_to(root).as_posix()
            if path.is_symlink():
                links[relative] = str(path.readlink())
            elif path.is_file():
                size += path.stat().st_size
                _require_size(size, root)
                files[relative] = path.read_bytes()
        below[:] = [name for name in below if not Path(folder, name).is_symlink()]
    return files, links


def _read_archive(path: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    files: dict[str, bytes] = {}
    links: dict[str, str] = {}
    size = 0
    too_large = PackageError(f"{path} unpacks to more than {LARGEST_PACKAGE >> 30} GiB")
    with (
        _unpacked(path) as stream,
        tarfile.open(fileobj=Bounded(stream, LARGEST_PACKAGE, too_large), mode="r|") as archive,
    ):
        for number, member in enumerate(archive, start=1):
            if number > MAX_FILES:
                raise PackageError(f"{path} holds more than {MAX_FILES:,} files")
            name = posixpath.normpath(member.name)
            if name.startswith(("/", "../")) or name == "..":
                raise PackageError(f"{path}: the name {member.name!r} leaves the package")
            if member.issym():
                links[name] = member.linkname
            elif member.islnk():
                links[name] = posixpath.relpath(member.linkname, posixpath.dirname(name) or ".")
            elif member.isfile():
                size += member.size
                _require_size(size, path)
                content = archive.extractfile(member)
                files[name] = content.read() if content else b""
            elif not member.isdir():
                raise PackageError(f"{path}: {member.name!r} is a device or a pipe; a package holds files and links")
    return files, links


def _unpacked(path: Path) -> BufferedIOBase:
    """The tar inside, packed by gzip, bzip2, xz or not at all."""
    with path.open("rb") as file:
        start = file.read(6)
    opened = next((opened for magic, opened in _MAGIC.items() if start.startswith(magic)), None)
    return path.open("rb") if opened is None else opened(path)


def _require_size(size: int, path: Path) -> None:
    if size > LARGEST_PACKAGE:
        raise PackageError(f"{path} holds more than {LARGEST_PACKAGE >> 30} GiB")


def _follow(links: dict[str, str], files: dict[str, bytes], path: Path) -> None:
    """Add what each link leads to under the link's own name; a link may lead to a link or to a folder."""
    folders: dict[str, list[str]] = {}

    def add(name: str) -> None:
        folder = posixpath.dirname(name)
        while folder:
            folders.setdefault(folder, []).append(name)
            folder = posixpath.dirname(folder)

    for name in files:
        add(name)
    pending = {name: posixpath.normpath(posixpath.join(posixpath.dirname(name), to)) for name, to in links.items()}
    for name, target in pending.items():
        if target.startswith(("/", "../")) or target in ("..", ".") or name.startswith(target + "/"):
            raise PackageError(f"{path}: the link {name} leads to {links[name]!r}, outside the package or to itself")
    added = 0
    while pending:
        settled = {
            name: target
            for name, target in pending.items()
            if target in files or (target in folders and not any(other.startswith(target + "/") for other in pending))
        }
        if not settled:
            name = min(pending)
            raise PackageError(f"{path}: the link {name} leads to {links[name]!r}, which is not there")
        for name, target in settled.items():
            found = [target] if target in files else list(folders[target])
            added += len(found)
            if added > MAX_FILES:
                raise PackageError(f"{path}: its links add more than {MAX_FILES:,} files")
            for source in found:
                alias = name + source.removeprefix(target)
                files[alias] = files[source]
                add(alias)
            del pending[name]
