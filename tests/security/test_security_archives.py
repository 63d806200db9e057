"""Hostile packages through the two readers that take archives: collection's, in memory, and the judge's.

Traversal, links that leave, devices and damaged archives of every kind are in test_collection_kattis.py and
test_judge_kattis.py; here is what costs memory or time out of all proportion.
"""

from __future__ import annotations

import io
import lzma
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from microcoder_assets.collection import package_files
from microcoder_assets.collection.sources import open_source, parse_spec
from microcoder_assets.config import CollectionSettings
from microcoder_judge import package_files as judge_files
from microcoder_judge.kattis_package import read_package

LIMIT_BYTES, LIMIT_FILES = 1 << 20, 200
Reader = Callable[[Path], str]


def collected(path: Path) -> str:
    """What collection says of an archive: one unreadable record."""
    (record,) = open_source(parse_spec(f"kattis:{path}"), CollectionSettings()).records()
    return getattr(record, "detail", "it was read")


def judged(path: Path) -> str:
    """What the judge says of it."""
    try:
        read_package(path)
    except judge_files.PackageError as error:
        return str(error)
    return "it was read"


@pytest.fixture(params=[collected, judged])
def read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Both readers, with limits small enough to be met quickly."""
    monkeypatch.setattr(package_files, "MAX_PACKAGE_BYTES", LIMIT_BYTES)
    monkeypatch.setattr(package_files, "MAX_PACKAGE_FILES", LIMIT_FILES)
    monkeypatch.setattr(judge_files, "LARGEST_PACKAGE", LIMIT_BYTES)
    monkeypatch.setattr(judge_files, "MAX_FILES", LIMIT_FILES)
    reader: Reader = request.param
    return reader


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, target
    return info


def packed(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:xz", preset=1) as archive:
        archive.addfile(member("p/problem.yaml", size=7), io.BytesIO(b"name: p"))
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return path


def test_a_file_that_unpacks_to_more_than_the_limit(read: Reader, tmp_path: Path) -> None:
    bomb = packed(tmp_path / "p.tar.xz", (member("p/data/secret/1.in", size=8 << 20), bytes(8 << 20)))
    assert bomb.stat().st_size < 10_000
    assert "more than" in read(bomb)


def test_a_header_that_unpacks_to_more_than_the_limit(read: Reader, tmp_path: Path) -> None:
    """A name may be as long as the archive says, and is read before anyone sees a member."""
    header = member("p/long", tarfile.GNUTYPE_LONGNAME, 8 << 20)
    assert "unpacks to more than" in read(packed(tmp_path / "p.tar.xz", (header, b"n" * (8 << 20))))


def test_what_follows_the_end_of_the_archive_is_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_files, "MAX_PACKAGE_BYTES", LIMIT_BYTES)
    path = packed(tmp_path / "p.tar.xz")
    path.write_bytes(path.read_bytes() + lzma.compress(bytes(8 << 20), preset=1))
    assert "unpacks to more than 1 MiB" in collected(path)


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE])
def test_more_members_than_anyone_needs(read: Reader, tmp_path: Path, kind: bytes) -> None:
    many = [(member(f"p/{number}", kind), b"") for number in range(2 * LIMIT_FILES)]
    assert f"holds more than {LIMIT_FILES} files" in read(packed(tmp_path / "p.tar.xz", *many))


def test_links_that_multiply_a_folder(read: Reader, tmp_path: Path) -> None:
    """Of empty files, so that no limit on bytes is met: 90 links to 90 files are 8,100."""
    files = [(member(f"p/data/{number}"), b"") for number in range(90)]
    links = [(member(f"p/again{number}", tarfile.SYMTYPE, target="data"), b"") for number in range(90)]
    said = read(packed(tmp_path / "p.tar.xz", *files, *links))
    assert f"more than {LIMIT_FILES} files" in said


@pytest.mark.parametrize("size", [1 << 62, (1 << 64) + 1, -1])
def test_a_member_with_an_impossible_size(read: Reader, tmp_path: Path, size: int) -> None:
    """Of a folder, whose size nobody adds up: what comes next is looked for there."""
    path = tmp_path / "p.tar"
    info = tarfile.TarInfo("p/data")
    info.type, info.pax_headers = tarfile.DIRTYPE, {"size": str(size)}
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info)
        archive.addfile(member("p/problem.yaml", size=7), io.BytesIO(b"name: p"))
    said = read(path)
    assert said != "it was read" and "\n" not in said


def test_headers_that_each_wait_for_the_next(read: Reader, tmp_path: Path) -> None:
    """A chain of long names, deeper than Python's stack."""
    chain = b"".join(member("x", tarfile.GNUTYPE_LONGNAME, 0).tobuf() for _ in range(1900))
    path = tmp_path / "p.tar"
    path.write_bytes(chain + bytes(1024))
    said = read(path)
    assert ("cannot be unpacked" in said or "no readable tar archive" in said) and "\n" not in said


def test_a_zip_that_lies_about_its_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_files, "MAX_PACKAGE_BYTES", LIMIT_BYTES)
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p/problem.yaml", "name: p")
        archive.writestr("p/data/secret/1.in", bytes(8 << 20))
    honest = path.read_bytes()
    assert "unpacks to more than 1 MiB" in collected(path)
    path.write_bytes(honest.replace((8 << 20).to_bytes(4, "little"), (64).to_bytes(4, "little")))
    assert "cannot be unpacked" in collected(path)


def test_yaml_whose_aliases_multiply(read: Reader, tmp_path: Path) -> None:
    """Ten billion words in half a kilobyte, for who writes them out."""
    lines = ["a0: &a0 [word, word, word, word, word, word, word, word, word, word]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    text = "\n".join([*lines, "name: *a9", "limits: *a9", ""]).encode()
    path = tmp_path / "p.tar.xz"
    with tarfile.open(path, "w:xz", preset=1) as archive:
        archive.addfile(member("p/problem.yaml", size=len(text)), io.BytesIO(text))
        archive.addfile(member("p/problem_statement/problem.md", size=5), io.BytesIO(b"Words"))
    started = time.process_time()
    said = read(path)
    assert said != "it was read" and len(said) < 2000
    assert time.process_time() - started < 5


def test_nothing_of_an_archive_is_written_anywhere(read: Reader, tmp_path: Path) -> None:
    files = [(member(name, size=1), b"x") for name in ("p/data/secret/1.in", "p/.ssh/authorized_keys")]
    read(packed(tmp_path / "p.tar.xz", *files))
    assert [path.name for path in tmp_path.iterdir()] == ["p.tar.xz"]
