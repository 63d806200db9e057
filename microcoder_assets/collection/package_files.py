"""Problem packages as mappings from relative names to bytes, read in memory so that no member can land anywhere."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import posixpath
import stat
import tarfile
import zipfile
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BufferedIOBase
from pathlib import Path

from microcoder_judge.package_files import DAMAGED, Bounded

MAX_PACKAGE_BYTES = 1 << 30
MAX_PACKAGE_FILES = 100_000
"""A package over either limit is refused before it is unpacked further. Ours."""

SUFFIXES = (".tar.xz", ".txz", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar", ".zip")

_DAMAGED = (*DAMAGED, OSError, zipfile.BadZipFile)


class BadPackage(ValueError):
    """A package that cannot be read; the message says why in one line."""


def suffix_of(path: Path) -> str | None:
    """The archive suffix of a package's file name, None for other files."""
    return next((suffix for suffix in SUFFIXES if path.name.endswith(suffix)), None)


def read_package(path: Path) -> dict[str, bytes]:
    """Every file of a package by its name relative to the folder that holds problem.yaml; links resolved.

    Of several packages the one whose folder has the shortest name; else as `read_packages`.
    """
    packages = read_packages(path)
    return packages[min(packages, key=len)]


def read_packages(path: Path) -> dict[str, dict[str, bytes]]:
    """The packages of a folder or archive by the folders that hold their problem.yaml, "" for the top; one inside
    another is part of it.

    path: a folder, or an archive with one of SUFFIXES. Raises BadPackage for a damaged archive, a member or link that
    leaves the archive, one over the limits, and one without problem.yaml.
    """
    contents = _Contents()
    try:
        if path.is_dir():
            _read_folder(path, contents)
        elif path.name.endswith(".zip"):
            _read_zip(path, contents)
        else:
            _read_tar(path, contents)
    except BadPackage:
        raise
    except _DAMAGED as error:
        raise BadPackage(f"cannot be unpacked: {error or type(error).__name__}") from error
    files = contents.resolved()
    roots = outermost(posixpath.dirname(name) for name in files if posixpath.basename(name) == "problem.yaml")
    if not roots:
        raise BadPackage("holds no problem.yaml")
    packages: dict[str, dict[str, bytes]] = {root: {} for root in roots}
    for name, content in files.items():
        for root in ("", *_folders_above(name)):
            if root in packages:
                packages[root][name.removeprefix(f"{root}/") if root else name] = content
                break
    return packages


def outermost(folders: Iterable[str]) -> list[str]:
    """Folders that lie in no other of them, sorted."""
    found: list[str] = []
    for folder in sorted(set(folders), key=lambda name: name.count("/") + bool(name)):
        if not {"", *_folders_above(folder)}.intersection(found):
            found.append(folder)
    return sorted(found)


def _folders_above(name: str) -> list[str]:
    """`a` and `a/b` for `a/b/c`."""
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


@dataclass(slots=True)
class _Contents:
    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    total: int = 0
    members: int = 0

    def reserve(self, size: int, members: int = 1) -> None:
        self.total += size
        self.members += members
        if self.total > MAX_PACKAGE_BYTES:
            raise _too_large()
        if self.members > MAX_PACKAGE_FILES:
            raise BadPackage(f"holds more than {MAX_PACKAGE_FILES} files")

    def add(self, name: str, content: bytes) -> None:
        self.files[_inside(name)] = content

    def link(self, name: str, target: str) -> None:
        self.links[_inside(name)] = _inside(target)

    def resolved(self) -> dict[str, bytes]:
        """Files with every link replaced by what it names: a file, or all files of a folder."""
        files = dict(self.files)
        ordered = sorted(self.files)
        for name, target in self.links.items():
            seen = {name}
            while target in self.links and target not in seen:
                seen.add(target)
                target = self.links[target]
            if target in self.files:
                files[name] = self.files[target]
                continue
            # "0" is the character after "/".
            below = ordered[bisect_left(ordered, f"{target}/") : bisect_left(ordered, f"{target}0")]
            if not below:
                raise BadPackage(f"link {name!r} names {target!r}, which is not in the package")
            self.reserve(sum(len(self.files[other]) for other in below), len(below))
            files.update({name + other.removeprefix(target): self.files[other] for other in below})
        return files


def _too_large() -> BadPackage:
    return BadPackage(f"unpacks to more than {MAX_PACKAGE_BYTES >> 20} MiB")


def _inside(name: str) -> str:
    """A member's normal name. Raises BadPackage for one that leaves the package."""
    normal = posixpath.normpath(name.replace("\\", "/"))
    if normal.startswith(("/", "../")) or normal == ".." or normal[1:2] == ":":
        raise BadPackage(f"member {name!r} leaves the package")
    return normal


def _read_tar(path: Path, contents: _Contents) -> None:
    with _opened(path) as opened_file:
        stream = Bounded(opened_file, MAX_PACKAGE_BYTES, _too_large())
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                contents.reserve(member.size if member.isfile() else 0)
                if member.isfile():
                    opened = archive.extractfile(member)
                    contents.add(member.name, opened.read() if opened else b"")
                elif member.issym():
                    contents.link(member.name, posixpath.join(posixpath.dirname(member.name), member.linkname))
                elif member.islnk():
                    contents.link(member.name, member.linkname)
                elif not member.isdir():
                    raise BadPackage(f"member {member.name!r} is a device or pipe")
        while stream.read(1 << 20):  # A checksum is verified only at the end.
            pass


def _opened(path: Path) -> BufferedIOBase:
    """The tar inside."""
    if path.name.endswith("xz"):
        return lzma.open(path)
    if path.name.endswith("bz2"):
        return bz2.open(path)
    return path.open("rb") if path.name.endswith(".tar") else gzip.open(path)


def _read_zip(path: Path, contents: _Contents) -> None:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            contents.reserve(member.file_size)
            with archive.open(member) as opened:
                content = opened.read(member.file_size)
            if stat.S_ISLNK(member.external_attr >> 16):
                contents.link(member.filename, posixpath.join(posixpath.dirname(member.filename), content.decode()))
            else:
                contents.add(member.filename, content)


def _read_folder(root: Path, contents: _Contents) -> None:
    for path in folder_files(root):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            contents.link(name, posixpath.join(posixpath.dirname(name), path.readlink().as_posix()))
        elif path.is_file():
            contents.reserve(path.stat().st_size)
            contents.add(name, path.read_bytes())


def folder_files(root: Path) -> Iterable[Path]:
    """Every file and link below a folder in the order of their names, hidden ones included, links not followed."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in sorted([*files, *links]):
            yield Path(folder) / name
