from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from fabricated import function_row, stdin_row, write_folder

from microcoder_train.data import read_data_version, read_part
from microcoder_train.errors import TrainError


def test_rows_and_problems_are_those_of_the_file(split: Path) -> None:
    part = read_part(split, "train")
    assert [row.problem_id for row in part.rows] == ["test:sum", "test:difference", "test:product", "test:double"]
    problem = part.problem("test:double")
    assert (problem.io_mode, problem.entry_point, problem.checker.name) == ("function", "twice", "value")
    assert part.problem("test:sum").tests[0].expected == b"5\n"
    assert part.problem("test:sum").limits.time_s == 5.0
    assert read_data_version(split) == "v1"


def test_torn_file_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "split", {"train": [stdin_row("sum", "sum", "+", "-")]})
    path = folder / "data" / "train-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(TrainError, match=r"train-00000-of-00001\.parquet is not a readable Parquet file"):
        read_part(folder, "train")


def test_missing_file_column_version_and_rows_are_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "split", {"train": [stdin_row("sum", "sum", "+", "-")]})
    with pytest.raises(TrainError, match=r"validation.* does not exist"):
        read_part(folder, "validation")
    path = folder / "data" / "train-00000-of-00001.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["checker"]), path)
    with pytest.raises(TrainError, match="lacks the columns checker"):
        read_part(folder, "train")
    pq.write_table(table.slice(0, 0), path)
    with pytest.raises(TrainError, match="holds no problem"):
        read_part(folder, "train")
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(TrainError, match="data_version"):
        read_data_version(folder)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"checker": None}, "declares no checker"),
        ({"checker": '{"name": "guess"}'}, "unknown checker"),
        ({"entry_point": None}, "entry_point"),
        ({"tests": []}, "no tests"),
    ],
)
def test_a_row_that_cannot_be_judged_is_named(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    rows = [function_row("other"), {**function_row("bad"), **change}]
    part = read_part(write_folder(tmp_path / "split", {"train": rows}), "train")
    assert part.problem("test:other").id == "test:other"
    with pytest.raises(TrainError, match=rf"test:bad .*{reason}"):
        part.problem("test:bad")


def test_a_problem_is_there_once(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "split", {"train": [function_row("a"), function_row("a")]})
    with pytest.raises(TrainError, match="problem_id twice"):
        read_part(folder, "train")
