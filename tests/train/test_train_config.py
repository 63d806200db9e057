"""One typed config: a preset, a method, a YAML file and KEY=VALUE, each over the one before."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from microcoder_train.cli import run
from microcoder_train.config import PRESETS, load_settings
from microcoder_train.errors import TrainError

ORIGINS = ("ours", "paper", "dapo", "livecodebench", "trl")


def test_each_layer_is_over_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("learning_rate: 1e-6\nepsilon_high: 0.3\nevaluation:\n  samples: 3\n", encoding="utf-8")
    found = load_settings("tiny", path, "microcoder", ["epsilon_high=0.4", "evaluation.samples=5", "epsilon_high=0.5"])
    assert (found.truncation_mask, found.learning_rate, found.epsilon_high) == ("conditional", 1e-6, 0.5)
    assert (found.evaluation.samples, found.evaluation.batch) == (5, PRESETS["tiny"].evaluation.batch)


def test_a_json_file_is_a_yaml_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text('{"learning_rate": 1E-6, "base": {"steps": 4}}', encoding="utf-8")
    assert load_settings("tiny", path) == load_settings("tiny", None, None, ["learning_rate=1e-06", "base.steps=4"])


def test_values_are_read_by_their_settings_type() -> None:
    texts = ["temperature=1", "use_vllm=true", "truncation_mask=none", "context_stages=4=96,8=128", "lora_rank=8"]
    found = load_settings("tiny", None, None, [*texts, "vllm_server_base_url=http://127.0.0.1:8000"])
    assert (found.use_vllm, found.truncation_mask, found.context_stages) == (True, "none", "4=96,8=128")
    assert (found.lora_rank, found.vllm_server_base_url) == (8, "http://127.0.0.1:8000")
    assert isinstance(found.temperature, float)
    assert load_settings("tiny", None, None, ["lora_rank=8", "lora_rank=null"]) == PRESETS["tiny"]


@settings(max_examples=25, deadline=None)
@given(st.floats(min_value=0, allow_infinity=False, allow_nan=False))
def test_any_number_survives(value: float) -> None:
    for text in (repr(value), f"{value:e}", yaml.safe_dump(value).removesuffix("...\n").strip()):
        assert load_settings("tiny", None, None, [f"beta={text}"]).beta == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("preset", PRESETS)
def test_what_config_prints_is_a_config_file_of_the_same_settings(preset: str, tmp_path: Path) -> None:
    report = run(["config", "--preset", preset, "--method", "dapo", "evaluation.stop='###'"], pytest.fail)
    path = tmp_path / "run.yaml"
    path.write_text(report.headline, encoding="utf-8")
    other = "tiny" if preset != "tiny" else "paper"
    asked = load_settings(preset, None, "dapo", ["evaluation.stop='###'"])
    assert load_settings(other, path) == asked
    assert "# Higher clip. DAPO.\nepsilon_high: 0.28\n" in report.headline


def test_overrides_may_stand_before_options_too() -> None:
    first = run(["config", "steps=3", "base.steps=2", "--preset", "tiny"], pytest.fail)
    last = run(["config", "--preset", "tiny", "steps=3", "base.steps=2"], pytest.fail)
    assert first == last
    assert "steps: 3\n" in first.headline


def test_every_setting_says_where_its_default_comes_from() -> None:
    def check(settings: Any, inherited: str) -> None:
        for item in fields(settings):
            value, doc = getattr(settings, item.name), item.metadata["doc"]
            if is_dataclass(value):
                check(value, (type(value).__doc__ or "").lower())
            else:
                assert any(origin in doc.lower() or origin in inherited for origin in ORIGINS), item.name

    check(PRESETS["paper"], "")


@pytest.mark.parametrize(("text", "words"), [
    ("stepz=3", "unknown key 'stepz'"),
    ("steps", "write KEY=VALUE"),
    ("steps=", "steps must be a positive whole number, got None"),
    ("steps=three", "steps must be a positive whole number, got 'three'"),
    ("steps.more=3", "steps must be a positive whole number"),
    ("evaluation=3", "evaluation must be"),
    ("stop=[", "not readable YAML"),
    ("lora_rank=0", "lora_rank must be"),
])  # fmt: skip
def test_a_wrong_text_is_named(text: str, words: str) -> None:
    with pytest.raises(TrainError, match=words) as caught:
        load_settings("tiny", None, None, ["base.steps=3", text])
    assert f"setting {text!r}" in str(caught.value)
