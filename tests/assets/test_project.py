"""A home folder's inputs, settings and what makes an asset stale."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from microcoder_assets import plan
from microcoder_assets.config import (
    Caps,
    DifficultyWindow,
    QualityGates,
    Recency,
    SelectionPolicy,
    Settings,
    load_policy,
    load_settings,
)
from microcoder_assets.errors import UserError
from microcoder_assets.project import Project
from microcoder_assets.reports import markdown_table, text_table
from microcoder_assets.runner import spans
from microcoder_assets.stage import StageResult


def test_a_new_home_is_fed_with_the_samples(tmp_path: Path, examples_dir: Path) -> None:
    project = Project.load(tmp_path)
    assert project.sources == (f"kattis:{examples_dir / 'archive'}",)
    assert project.benchmark == examples_dir / "benchmark"
    project.check()
    project.save()
    assert not (tmp_path / "project.json").exists()


def test_inputs_are_remembered(tmp_path: Path, examples_dir: Path) -> None:
    source = f"kattis:{examples_dir / 'archive' / 'lampposts'}"
    project = Project.load(tmp_path).with_inputs([source], None, None)
    assert (project.benchmark, project.settings_file) == (None, None), "samples do not mix with a user's sources"
    project.save()
    assert Project.load(tmp_path) == project
    later = Project.load(tmp_path).with_inputs([], examples_dir / "benchmark", None)
    assert later.sources == (source,)
    later.save()
    assert Project.load(tmp_path).with_inputs([source], None, None).benchmark == examples_dir / "benchmark"


def test_a_damaged_project_file_is_a_users_error(tmp_path: Path) -> None:
    (tmp_path / "project.json").write_text("{")
    with pytest.raises(UserError, match=r"project\.json is damaged"):
        Project.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[publication]\nmax_test = 1", "publication.max_test"),
        ("[dedup]\nbands = 0", "dedup.bands"),
        ("[selection", "not valid TOML"),
    ],
)
def test_settings_mistakes_name_the_key(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        load_settings(path)


def test_every_setting_says_where_its_default_comes_from() -> None:
    origins = ("ours", "paper", "measured", "arxiv", "open-r1")
    sections = [field.default.__class__ for field in Settings.model_fields.values()]
    for section in (*sections, QualityGates, DifficultyWindow, Recency, Caps, SelectionPolicy):
        for key, field in section.model_fields.items():
            name = f"{section.__name__}.{key}"
            assert field.description, f"{name} is not described"
            assert any(word in field.description.lower() for word in origins), f"{name} has no origin"


def test_until_names_what_is_needed_in_order() -> None:
    assert plan.until("unique_problems") == [
        "scraped_problems",
        "livecodebench_problems",
        "normalized_problems",
        "unique_problems",
    ]
    assert plan.until("livecodebench_scores") == list(plan.STAGES)
    with pytest.raises(UserError, match="unknown asset 'nothing'"):
        plan.until("nothing")


def test_an_asset_is_stale_when_its_settings_or_what_it_reads_change(tmp_path: Path) -> None:
    project = Project(tmp_path, (), None, None)
    empty = StageResult(pl.DataFrame({"problem_id": ["a:1"]}), [])
    asset = "scored_problems"
    inputs = plan.inputs_of(project, asset)
    project.store.publish(asset, empty, inputs=inputs, code_version="1", run_id="r")
    assert plan.is_fresh(project, asset)

    settings = tmp_path / "settings.toml"
    settings.write_text("[publication]\nmax_tests = 2")
    assert plan.is_fresh(Project(tmp_path, (), None, settings), asset), "another stage's setting changes nothing"
    settings.write_text("[scoring]\ndraws = 5")
    assert not plan.is_fresh(Project(tmp_path, (), None, settings), asset)

    project.store.publish("prepared_problems", empty, inputs="new", code_version="1", run_id="r")
    assert not plan.is_fresh(project, asset)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("siz: 3", "siz: Extra inputs"),
        ("caps: {band: {simple: 0.2}}", "caps.band.simple"),
        ("caps: {platform: {a: 1.0}}", "caps.platform.a: .*a share between 0 and 1, not 1.0"),
        ("caps: {platform: {a: many}}", "caps.platform.a: .*not 'many'"),
        ("caps: {band: {easy: 0.2, '*': 0.1}}", "shares of the four bands sum to 0.5"),
        ("recency: {half_life_months: 0}", "recency.half_life_months"),
        ("- caps", "policy .*: Input should be"),
        ("caps: {", "not valid YAML"),
    ],
)
def test_mistakes_in_a_policy_name_the_key_before_any_work(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "policy.yaml").write_text(text)
    settings = tmp_path / "settings.toml"
    settings.write_text('[selection]\npolicy = "policy.yaml"\n')
    with pytest.raises(UserError, match=words):
        Project(tmp_path / "home", (), None, settings).check()


def test_an_empty_policy_is_the_default_and_another_content_makes_selection_stale(tmp_path: Path) -> None:
    policy, settings = tmp_path / "policy.yaml", tmp_path / "settings.toml"
    settings.write_text('[selection]\npolicy = "policy.yaml"\n')
    policy.write_text("# nothing\n")
    project = Project(tmp_path / "home", (), None, settings)
    assert load_policy(project.settings.selection.policy) == load_policy(None)
    inputs = plan.inputs_of(project, "selected_problems")
    policy.write_text("seed: 0  # the default, said\n")
    assert plan.inputs_of(project, "selected_problems") == inputs
    policy.write_text("seed: 1\n")
    assert plan.inputs_of(project, "selected_problems") != inputs


def test_further_benchmarks_are_checked_first_and_make_unique_problems_stale(tmp_path: Path) -> None:
    items, settings = tmp_path / "mbpp.jsonl", tmp_path / "settings.toml"
    settings.write_text(f'[decontamination]\nbenchmarks = ["{items}"]\n')
    project = Project(tmp_path / "home", (), None, settings)
    with pytest.raises(UserError, match=r"mbpp\.jsonl"):
        project.check()
    items.write_text('{"task_id": 1, "text": "Write a function.", "test_list": ["assert f(1) == 2"]}\n')
    project.check()
    inputs = plan.inputs_of(project, "unique_problems")
    items.write_text('{"task_id": 1, "text": "Write another.", "test_list": ["assert f(1) == 2"]}\n')
    assert plan.inputs_of(project, "unique_problems") != inputs


def test_an_embedding_model_is_checked_first_and_makes_unique_problems_stale(tmp_path: Path) -> None:
    model, settings = tmp_path / "model", tmp_path / "settings.toml"
    project = Project(tmp_path / "home", (), None, settings)
    settings.write_text("")
    without = plan.inputs_of(project, "unique_problems")
    settings.write_text(f'[dedup]\nembedding_model = "{model}"\n')
    project = Project(tmp_path / "home", (), None, settings)
    with pytest.raises(UserError, match=r"dedup\.embedding_model .*model is not a folder"):
        project.check()
    model.mkdir()
    (model / "config.json").write_text("{}")
    project.check()
    inputs = plan.inputs_of(project, "unique_problems")
    assert inputs != without
    (model / "model.safetensors").write_bytes(b"weights")
    assert plan.inputs_of(project, "unique_problems") != inputs


def test_spans_of_months() -> None:
    months = ["1999-12", "2024-11", "2025-01", "2025-02", "2025-08"]
    assert spans(months) == [["1999-12"], months[1:]]
    assert spans(months, size=3) == [["1999-12"], ["2024-11", "2025-01"], ["2025-02"], ["2025-08"]]
    assert spans([]) == []


def test_tables() -> None:
    frame = pl.DataFrame({"name": ["a|b", None], "share": [0.5, 12.0]})
    assert markdown_table(frame).splitlines() == [
        "| name | share |",
        "| --- | ---: |",
        "| a\\|b | 0.5 |",
        "|  | 12 |",
    ]
    assert text_table(frame).splitlines()[2] == "a|b     0.5"
    assert "1 more rows" in markdown_table(frame, limit=1)


@pytest.mark.parametrize("text", ["{", '{"sources": "abc", "benchmark": null, "settings": null}', "[]"])
def test_every_kind_of_damage_to_the_project_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "project.json").write_text(text)
    with pytest.raises(UserError, match=r"project\.json is damaged"):
        Project.load(tmp_path)


def test_a_folder_that_is_no_benchmark_is_refused_before_it_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty"):
        Project(tmp_path / "home", (), tmp_path / "empty", None).check()
