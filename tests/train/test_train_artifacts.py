from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from microcoder_train.artifacts import (
    PACKAGES,
    ROOT,
    code_version,
    model_fingerprint,
    new_result,
    read_result,
    require_model,
    run_key,
    write_json,
)
from microcoder_train.errors import TrainError


def finish(out: Path, key: str) -> None:
    with new_result(out, "record.json") as folder:
        write_json(folder / "record.json", {"key": key})


def test_a_result_appears_whole_and_replaces_the_one_before(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    finish(out, "first")
    assert read_result(out, "record.json", "first") == {"key": "first"}
    finish(out, "second")
    assert read_result(out, "record.json", "first") is None
    assert read_result(out, "record.json", "second") == {"key": "second"}
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_failed_run_keeps_the_old_result_and_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    finish(out, "first")
    with pytest.raises(RuntimeError), new_result(out, "record.json") as folder:
        (folder / "half").write_text("x", encoding="utf-8")
        raise RuntimeError
    assert read_result(out, "record.json", "first")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_something_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x", encoding="utf-8")
    with pytest.raises(TrainError, match="choose another --out"):
        finish(tmp_path, "first")
    assert (tmp_path / "thesis.tex").exists()


def test_what_a_killed_run_left_is_swept_by_the_next(tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = (
        "import os, pathlib, sys; from microcoder_train.artifacts import new_result\n"
        "with new_result(pathlib.Path(sys.argv[1]), 'record.json') as folder:\n"
        "    (folder / 'half').write_text('x'); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(out)], check=False).returncode == -9
    assert not out.exists()
    assert len(list(tmp_path.iterdir())) == 1
    finish(out, "first")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_key_changes_with_any_part_and_with_a_models_bytes(tmp_path: Path) -> None:
    assert run_key(kind="a", seed=0) == run_key(seed=0, kind="a") != run_key(kind="a", seed=1)
    (tmp_path / "weights").write_bytes(b"1")
    before = model_fingerprint(str(tmp_path))
    (tmp_path / "weights").write_bytes(b"2")
    after = model_fingerprint(str(tmp_path))
    assert after != before
    (tmp_path / "base.json").write_text('{"seconds": 7}')
    assert model_fingerprint(str(tmp_path)) == after
    assert model_fingerprint("owner/name") == "owner/name"


@pytest.mark.parametrize(("module", "decides"), [("report", False), ("grids", False), ("splits", True), ("run", True)])
def test_code_that_only_lays_runs_out_or_tells_of_them_makes_no_run_stale(
    tmp_path: Path, module: str, decides: bool
) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    assert code_version(tmp_path) == code_version()
    changed = tmp_path / "microcoder_train" / "experiments" / f"{module}.py"
    changed.write_text(f"{changed.read_text('utf-8')}\n")
    assert (code_version(tmp_path) != code_version()) is decides


def test_a_path_that_is_no_model_folder_is_refused_and_a_hub_name_is_not(tmp_path: Path) -> None:
    require_model(str(tmp_path))
    require_model("owner/name")
    for missing in (str(tmp_path / "none"), "./none", "runs/demo/model"):
        with pytest.raises(TrainError, match="is not a folder"):
            require_model(missing)
