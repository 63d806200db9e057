"""A small problem package and ways to write it: as a folder, a tar or a zip."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PACKAGE = {
    "problem.yaml": b"name: Two Numbers\nlicense: cc by-sa\nlimits: {time_limit: 1.5, memory: 64}\n",
    "problem_statement/problem.en.md": b"Add two numbers.\n",
    "problem_statement/problem.sv.md": b"Addera tv\xc3\xa5 tal.\n",
    "data/sample/1.in": b"1 2\n",
    "data/sample/1.ans": b"3\n",
    "data/secret/group1/1.in": b"5 6\n",
    "data/secret/group1/1.ans": b"11\n",
    "submissions/accepted/good.py": b"print(sum(map(int, input().split())))\n",
    "submissions/wrong_answer/bad.cc": b"int main() {}\n",
    "submissions/partially_accepted/half.py": b"print(3)\n",
}


def write_folder(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def write_tar(path: Path, files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> Path:
    compression = {"xz": "xz", "gz": "gz", "z2": "bz2"}.get(path.name[-2:], "")
    with tarfile.open(path, f"w:{compression}") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return path


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_rows(path: Path, rows: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return path
