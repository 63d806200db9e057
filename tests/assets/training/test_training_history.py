"""Training runs in the store: recorded from what training leaves, listed, and compared step by step."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from training_runs import finished

from microcoder_assets.cli import main
from microcoder_assets.errors import UserError
from microcoder_assets.project import Project
from microcoder_assets.store.catalogue import query
from microcoder_assets.training.history import find_run, record_run


def command(home: Path, *arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["--home", str(home), "runs", *map(str, arguments)])
    return done.exit_code, done.output


def test_a_run_is_listed_as_it_was_imported_and_once_only(tmp_path: Path) -> None:
    home = tmp_path / "home"
    folder = finished(tmp_path / "demo", "ab12")
    assert "no run yet" in command(home, "list")[1]
    for name in ("demo", "first"):
        code, said = command(home, "import", folder, *(() if name == "demo" else ("--name", name)))
        assert code == 0 and f"{name} (ab12) imported" in said
    store = Project.load(home).store
    assert query(store, "SELECT run, key, source, seed, pass_at_1, gain FROM training_runs").rows() == [
        ("first", "ab12", "imported", 0, 0.5, 0.25)
    ]
    curves = query(store, "SELECT metric, step, value FROM training_curves ORDER BY metric, step")
    assert set(curves["metric"]) == {"reward", "loss", "completion_length"}, "no row where a step has no value"
    assert curves.filter(pl.col("metric") == "reward")["value"].to_list() == [0.02, 0.04]
    assert "first" in command(home, "list")[1]


def test_two_runs_are_compared_step_by_step_and_drawn(tmp_path: Path) -> None:
    home, picture = tmp_path / "home", tmp_path / "out" / "both.png"
    command(home, "import", finished(tmp_path / "one", "aa11"))
    command(home, "import", finished(tmp_path / "two", "bb22", seed=1, steps=(4, 6), beta=0.04))
    code, said = command(home, "compare", "one", "bb2", "--out", picture)
    assert code == 0, said
    assert "beta" in said and "0.04" in said and "evaluation.samples" not in said
    assert picture.read_bytes().startswith(b"\x89PNG")
    store = Project.load(home).store
    pairs = query(store, "SELECT step, a, b FROM training_pairs WHERE metric = 'reward' AND key_a = 'aa11'")
    assert pairs.rows() == [(4, 0.04, 1.04)], "steps that only one has are left out"
    found = query(
        store, "SELECT steps, difference, last_b FROM training_comparison WHERE metric = 'reward' AND key_a = 'aa11'"
    )
    assert found.row(0) == pytest.approx((1, 1.0, 1.04))


def test_seeds_of_one_configuration_are_summed_up(tmp_path: Path) -> None:
    store = Project.load(tmp_path / "home").store
    for seed in range(3):
        record_run(store, finished(tmp_path / f"s{seed}", f"k{seed}", seed), "cell", "experiment")
    record_run(store, finished(tmp_path / "other", "z9", beta=0.04), "other", "experiment")
    found = query(store, "SELECT run, seeds, pass_at_1, deviation FROM training_over_seeds ORDER BY run")
    assert found.rows() == [("cell", 3, 0.5, 0.0), ("other", 1, 0.5, None)]
    with pytest.raises(UserError, match="names 3 runs; give one of their keys: k0, k1, k2"):
        find_run(store, "cell")
    assert find_run(store, "k1").name == "cell"


def test_runs_without_a_common_step_are_not_drawn(tmp_path: Path) -> None:
    home, picture = tmp_path / "home", tmp_path / "both.png"
    command(home, "import", finished(tmp_path / "one", "aa11", steps=(2,)))
    command(home, "import", finished(tmp_path / "two", "bb22", steps=(3,)))
    code, said = command(home, "compare", "one", "two", "--out", picture)
    assert code == 0 and "nothing to draw" in said and not picture.exists()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "does not exist"),
        ("{}", "no record of a `grpo` run"),
        ("[1]", "no record"),
        ("{", "no record"),
        ('{"key": "../../elsewhere"}', "is not of letters and digits"),
    ],
)
def test_what_is_no_run_is_refused_in_one_line(tmp_path: Path, content: str | None, complaint: str) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    if content is not None:
        (folder / "summary.json").write_text(content)
    code, said = command(tmp_path / "home", "import", folder)
    assert code == 2 and complaint in said and said.count("\n") == 1


def test_an_unknown_run_and_a_run_beside_itself_are_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    command(home, "import", finished(tmp_path / "one", "aa11"))
    assert command(home, "compare", "one", "two")[0] == 2
    code, said = command(home, "compare", "one", "aa11")
    assert code == 2 and "the same run" in said
