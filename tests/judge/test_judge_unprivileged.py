"""The corpus of attacks through the command line, by a user who may do nothing special on this host."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from attacks import CORPUS
from attacks.verdicts import complaints
from attacks.world import SECRET_VARIABLE, open_world

import microcoder_judge
from microcoder_judge import Problem, Submission, Test
from microcoder_judge.wire import write_submission

NOBODY = 65534
SYSTEM_PYTHON = Path("/usr/bin/python3")
HONEST = Submission("print(input())", Problem("honest", (Test(b"x", b"x"),)), id="honest")


def test_the_corpus_as_an_unprivileged_user() -> None:
    user = NOBODY if os.geteuid() == 0 else None
    interpreter = _interpreter(user)
    attacks = {f"{kind}: {attack.name}": attack for kind, found in CORPUS.items() for attack in found}
    with open_world(user) as world, tempfile.TemporaryDirectory(prefix="unprivileged-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o777)
        _copy_package(folder)
        lines = {name: write_submission(attack.submission(world)) | {"id": name} for name, attack in attacks.items()}
        text = "".join(json.dumps(line) + "\n" for line in (*lines.values(), write_submission(HONEST)))
        environment = {"PATH": os.defpath, "TMPDIR": str(folder), SECRET_VARIABLE: world.secret}
        done = subprocess.run(
            [interpreter, "-m", "microcoder_judge", "run", "--workers", "2", "--isolation", "batch"],
            input=text.encode(), capture_output=True, cwd=folder, env=environment, timeout=300,
            user=user, group=user, extra_groups=None if user is None else [],
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        rows = {row["id"]: row for row in map(json.loads, done.stdout.splitlines())}
        assert rows.keys() == {*attacks, "honest"}
        found = [
            f"{name}: {complaint}"
            for name, attack in attacks.items()
            for complaint in complaints(attack, rows[name]["verdict"], rows[name]["reason"])
        ]
        assert not found, "\n" + "\n".join(found)
        assert rows["honest"]["verdict"] == "AC"
        assert "root" not in rows["honest"]["sandbox"]
        assert world.harm() == []
        assert [path.name for path in folder.iterdir()] == ["microcoder_judge"]


def _interpreter(user: int | None) -> str:
    """A Python 3.11 or newer that the user can execute; this one where that is ourselves."""
    if user is None:
        return sys.executable
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    if not SYSTEM_PYTHON.exists() or subprocess.run([SYSTEM_PYTHON, "-c", check], user=user).returncode:
        pytest.skip(f"user {user} has no Python 3.11 or newer at {SYSTEM_PYTHON}")
    return str(SYSTEM_PYTHON)


def _copy_package(folder: Path) -> None:
    """The judge's package where every user can read it."""
    package = Path(microcoder_judge.__file__).parent
    copy = shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
