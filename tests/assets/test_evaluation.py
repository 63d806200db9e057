"""`microcoder evaluate` and the leaderboard over what it leaves."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from microcoder_assets.cli import main
from microcoder_assets.config import EvaluationSettings
from microcoder_assets.evaluation import command
from microcoder_assets.evaluation.command import choices
from microcoder_assets.project import Project
from microcoder_assets.schema import SCORES
from microcoder_assets.store.catalogue import query
from microcoder_train.evaluation.scoring import Graded


def scored(home: Path, evaluation: str, model: str, outcomes: dict[str, list[bool | None]]) -> None:
    """scores.parquet and report.md as an evaluation leaves them."""
    folder = home / "models" / evaluation
    folder.mkdir(parents=True)
    rows = [
        {"model": model, "suite": "livecodebench", "problem_id": problem, "difficulty": problem[0], "platform": "a",
         "sample": number, "accepted": accepted, "faithful": True, "errata": "wrong" if problem == "e2" else None}
        for problem, own in outcomes.items()
        for number, accepted in enumerate(own)
    ]  # fmt: skip
    columns = {name: dtype for name, dtype in SCORES.items() if name != "filename"}
    frame = pl.DataFrame([{**dict.fromkeys(columns), **row} for row in rows], schema=columns)
    frame.write_parquet(folder / "scores.parquet")
    (folder / "report.md").write_text("# Scores\n")


def test_the_leaderboard_ranks_every_evaluation_of_the_home(tmp_path: Path) -> None:
    scored(tmp_path, "evaluations/one", "weak", {"e1": [True, False], "e2": [False, False], "h1": [None, None]})
    scored(tmp_path, "livecodebench_scores/two", "strong", {"e1": [True, True], "e2": [False, True]})
    (tmp_path / "models" / "x" / "unfinished").mkdir(parents=True)
    store = Project.load(tmp_path).store
    found = query(store, "FROM leaderboard")
    assert found["model"].to_list() == ["strong", "weak"]
    assert found["evaluation"].to_list() == ["livecodebench_scores/two", "evaluations/one"]
    assert found["pass@1"].to_list() == [0.75, 0.25]
    assert found["without_errata"].to_list() == [1.0, 0.5]
    assert found["problems"].to_list() == [2, 2], "what could not be judged is neither right nor wrong"
    levels = query(store, "SELECT model, difficulty, problems FROM leaderboard_by_difficulty")
    assert levels.rows() == [("strong", "e", 2), ("weak", "e", 2)]


def test_the_view_has_the_columns_that_an_evaluation_writes() -> None:
    assert [*(field.name for field in fields(Graded)), "filename"] == list(SCORES)


def test_without_an_evaluation_the_leaderboard_is_empty(tmp_path: Path) -> None:
    assert query(Project.load(tmp_path).store, "FROM leaderboard").is_empty()


def test_the_command_fills_in_the_homes_benchmark_and_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is handed to `microcoder_train` is seen instead of run: its own tests run it."""
    asked: list[list[str]] = []
    monkeypatch.setattr(command, "follow", lambda arguments: asked.append(list(arguments)) or 0)

    def evaluate(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["--home", str(tmp_path), "evaluate", *arguments])
        return done.exit_code, done.output

    assert evaluate("--model", "a=x", "--model=b=y", "--suite", "mbpp", "--benchmark", "m.jsonl")[0] == 0
    out = str(tmp_path / "models" / "evaluations" / "a-b-mbpp")
    assert asked.pop()[-2:] == ["--out", out]
    assert evaluate("regrade", "gen/eval all.json", "--benchmark", "b", "--out", "o")[0] == 0
    assert asked.pop() == ["regrade", "gen/eval all.json", "--benchmark", "b", "--out", "o"]
    assert evaluate("--help")[0] == 0 and asked.pop() == ["evaluate", "--help"]
    code, said = evaluate("--model", "a=x")
    assert (code, asked) == (2, []) and "no benchmark to score on" in said
    code, said = evaluate("--benchmark", "b")
    assert code == 2 and "nothing to evaluate" in said


def test_settings_become_options() -> None:
    settings = EvaluationSettings.model_validate({"window": "paper", "cutoffs": {"model": "2024-06-30"}})
    assert choices(settings) == ["--style", "plain", "--window", "paper", "--cutoff=model=2024-06-30"]
