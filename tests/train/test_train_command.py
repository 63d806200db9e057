"""The commands from end to end on a model that learns nothing, and what a user's mistakes look like."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from microcoder_train.cli import run
from microcoder_train.errors import TrainError

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(*arguments: str | Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "microcoder_train", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, env=environment or ENVIRONMENT)


@pytest.fixture(scope="module")
def trained(split: Path, config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "demo"
    lines: list[str] = []
    run(["grpo", "--split", str(split), "--out", str(out), "--config", str(config)], lines.append)
    assert any("step 2/2" in line for line in lines)
    return out


def test_grpo_leaves_a_model_a_record_a_curve_and_every_sample(trained: Path) -> None:
    summary: dict[str, Any] = json.loads((trained / "summary.json").read_text(encoding="utf-8"))
    assert summary["data_version"] == "v1"
    assert (summary["steps"], summary["problems"], summary["skipped"]) == (2, 4, 0)
    assert [point["step"] for point in summary["curve"]] == [2]
    assert summary["curve"][0]["completion_length"] > 0
    for policy in ("base", "tuned"):
        score = summary["validation"][policy]
        assert score["problems"] == 2
        assert set(score["by_difficulty"]) == {"easy", "medium"}
        assert 0 <= score["low"] <= score["pass@1"] <= score["high"] <= 1
    samples = pq.read_table(trained / "validation.parquet").to_pylist()
    assert len(samples) == 2 * 2 * 2
    assert {sample["verdict"] for sample in samples} <= {"AC", "WA", "RE", "CE", "TLE", "NO_CODE"}
    completions = pq.read_table(trained / "completions").to_pylist()
    assert len(completions) == 8
    assert {"problem_id", "verdict", "judge", "advantage"} <= set(completions[0])
    assert (trained / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert (trained / "curve.png").stat().st_size < 80_000
    base = (trained / summary["base"]).resolve()
    assert json.loads((base / "base.json").read_text(encoding="utf-8"))["problems"] == 6
    for folder in (trained / summary["model"], base):
        assert AutoModelForCausalLM.from_pretrained(folder).config.model_type == "qwen3"
        assert AutoTokenizer.from_pretrained(folder)("a\nb")["input_ids"]
    assert [path.name for path in trained.parent.iterdir() if "tmp" in path.name] == []


def test_the_same_run_again_is_unchanged_and_another_seed_is_not(split: Path, config: Path, trained: Path) -> None:
    again = ["grpo", "--split", str(split), "--out", str(trained), "--config", str(config)]
    before = (trained / "summary.json").read_bytes()
    report = run(again, pytest.fail)
    assert "unchanged" in report.headline
    assert (trained / "summary.json").read_bytes() == before
    assert set(report.numbers) == {
        "steps",
        "seconds",
        "validation/base_pass@1",
        "validation/tuned_pass@1",
        "validation/difference",
    }


def test_a_benchmark_is_scored_side_by_side(split: Path, config: Path, trained: Path, tmp_path: Path) -> None:
    benchmark = tmp_path / "benchmark"
    (benchmark / "data").mkdir(parents=True)
    (benchmark / "manifest.json").write_text('{"data_version": "b1"}', encoding="utf-8")
    name = "data/{}-00000-of-00001.parquet"
    (benchmark / name.format("test")).write_bytes((split / name.format("validation")).read_bytes())
    models = [f"--model=first={trained / 'model'}", f"--model=second={trained / 'model'}"]
    arguments = ["evaluate", "--benchmark", str(benchmark), "--out", str(tmp_path / "scores"), "--samples", "3"]
    arguments += ["--style", "plain"]
    report = run([*arguments, *models, "--config", str(config)], lambda _: None)
    record = json.loads((tmp_path / "scores" / "scores.json").read_text(encoding="utf-8"))
    assert list(record["models"]) == ["first", "second"]
    assert record["models"]["first"] == record["models"]["second"]
    assert {group: value["problems"] for group, value in record["models"]["first"].items()} == {
        "overall": 2,
        "easy": 1,
        "medium": 1,
    }
    assert record["differences"]["second - first"] == {"pass@1": 0.0, "low": 0.0, "high": 0.0, "problems": 2}
    assert record["comparisons"]["second - first"]["p_value"] == 1.0
    assert len(pq.read_table(tmp_path / "scores" / "scores.parquet")) == 2 * 2 * 3
    assert (tmp_path / "scores" / "scores.png").stat().st_size < 80_000
    assert "| first | overall |" in report.tables["scores"]
    assert {path.name for path in (tmp_path / "scores").glob("*.json")} == {
        "scores.json",
        "times.json",
        "first_eval_all.json",
        "second_eval_all.json",
        "results_first.json",
        "results_second.json",
    }
    assert len(list((tmp_path / "completions").glob("*.jsonl"))) == 2
    assert "unchanged" in run([*arguments, *models, "--config", str(config)], pytest.fail).headline


def test_a_prompt_without_room_to_answer_counts_as_a_failure(split: Path, trained: Path) -> None:
    from microcoder_judge import Judge
    from microcoder_train.config import EvaluationSettings
    from microcoder_train.data import read_part
    from microcoder_train.validation import evaluate, score

    settings = EvaluationSettings(samples=2, max_completion_tokens=1020, dtype="float32")
    with Judge(workers=1) as judge:
        samples = evaluate("x", str(trained / "model"), read_part(split, "validation"), judge, settings, seed=0)
    assert {sample.verdict for sample in samples} == {"TOO_LONG"}
    assert (score(samples, 10).too_long, score(samples, 10).overall.mean) == (2, 0.0)


def test_prompts_over_the_budget_are_skipped_and_too_few_are_refused(split: Path) -> None:
    from microcoder_train.config import PRESETS
    from microcoder_train.data import read_part
    from microcoder_train.grpo import trainable

    rows = read_part(split, "train").rows
    settings = PRESETS["tiny"]
    lengths = [settings.max_prompt_tokens, settings.max_prompt_tokens + 1, 1, 1]
    with pytest.raises(TrainError, match="only 3 of 4 train prompts fit"):
        trainable(rows, lengths, settings)
    kept = trainable([*rows, *rows, *rows], lengths * 3, settings)
    assert len(kept) == 9


def test_a_rollout_that_could_not_be_judged_has_no_reward_in_the_curve() -> None:
    from microcoder_train.trainer import curve

    history = [{"step": 2, "reward": float("nan"), "loss": 0.5}, {"step": 3, "loss": 0.1}, {"step": 4, "reward": 1.0}]
    assert [(point["step"], point["reward"]) for point in curve(history)] == [(2, None), (4, 1.0)]


def test_a_reader_who_stops_reading_is_no_error(split: Path, config: Path, trained: Path) -> None:
    line = [sys.executable, "-m", "microcoder_train", "grpo", "--split", split, "--out", trained, "--config", config]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(line, stdout=writer, stderr=subprocess.PIPE, text=True, check=False, env=ENVIRONMENT)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_temperature_is_chosen_by_the_diversity_of_samples(split: Path, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "temperature"
    arguments = ["choose-temperature", "--split", str(split), "--out", str(out), "--config", str(config)]
    arguments += ["--temperature", "2.0", "--temperature", "0.01", "--prompts", "3"]
    report = run(arguments, lambda _: None)
    record = json.loads((out / "temperature.json").read_text(encoding="utf-8"))
    (low, cold), (high, hot) = record["diversity"]
    assert (low, high, record["prompts"]) == (0.01, 2.0, 3)
    assert cold < 0.65 < hot
    assert record["chosen"] == report.numbers["temperature"] == 2.0
    assert (out / "diversity.png").read_bytes().startswith(b"\x89PNG")
    assert "unchanged" in run(arguments, pytest.fail).headline


def test_a_method_is_one_flag_under_the_values_of_a_file(tmp_path: Path) -> None:
    from microcoder_train.config import load_settings

    path = tmp_path / "config.json"
    path.write_text('{"epsilon_high": 0.3}', encoding="utf-8")
    settings = load_settings("tiny", path, "microcoder")
    assert (settings.truncation_mask, settings.epsilon_high, settings.steps) == ("conditional", 0.3, 40)
    assert load_settings("tiny", None).truncation_mask == "none"


def test_the_method_grpo_trains_with_its_reference_model(split: Path, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(["grpo", "--split", str(split), "--out", str(out), "--config", str(config), "--method", "grpo"], lambda _: None)
    record = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert (record["config"]["loss_type"], record["config"]["beta"]) == ("grpo", 0.04)


def test_a_full_disk_is_one_line(split: Path, config: Path, tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys; from microcoder_train.__main__ import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["make-base", "--split", split, "--out", tmp_path / "out", "--config", config]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False, env=ENVIRONMENT
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: the output: ")
    assert not (tmp_path / "out").exists()


def test_help_teaches() -> None:
    overview = command("--help")
    assert overview.returncode == 0
    assert "evaluate" in overview.stdout
    assert "0.95" in command("evaluate", "--help").stdout
    assert "DAPO" in command("grpo", "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["grpo", "--split", "none", "--out", "o"], ["none/manifest.json does not exist"]),
        (["grpo", "--split", "SPLIT", "--out", "o", "--model", "./none"], ["./none", "is not a folder"]),
        (["grpo", "--split", "SPLIT", "--out", "o", "--config", "SPLIT/no.json"], ["no.json does not exist"]),
        (["evaluate", "--benchmark", "SPLIT", "--out", "o", "--model", "x=y"], ["test-00000", "exist"]),
        (["evaluate", "--suite", "mbpp", "--benchmark", "SPLIT/no", "--out", "o", "--model", "x=y"], ["no", "exist"]),
        (["regrade", "FILE", "--benchmark", "SPLIT", "--out", "o", "--cutoff", "soon"], ["test-00000", "exist"]),
        (["make-base", "--split", "SPLIT", "--out", "SPLIT"], ["holds no base.json", "another --out"]),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(split: Path, arguments: list[str], words: list[str]) -> None:
    done = command(*(argument.replace("SPLIT", str(split)) for argument in arguments))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert all(word in done.stderr for word in words)


def test_wrong_settings_are_named(tmp_path: Path, split: Path) -> None:
    path = tmp_path / "config.json"
    for text, words in (
        ('{"stepz": 3}', "unknown key 'stepz'"),
        ('{"steps": "3"}', "steps must be a positive whole number, got '3'"),
        ('{"base": {"layers": 1.5}}', "layers must be a positive whole number"),
        ('{"steps": 0}', "steps must be a positive whole number"),
        ('{"learning_rate": -1}', "learning_rate must be a number that is not negative"),
        ('{"temperature": 0}', "temperature must be"),
        ('{"learning_rate": NaN}', "learning_rate must be"),
        ('{"use_vllm": 1}', "use_vllm must be"),
        ('{"dtype": "float16"}', "dtype must be 'bfloat16' or 'float32'"),
        ("[]", "one mapping of settings"),
        ("{", "not readable YAML"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(TrainError, match=words):
            run(["grpo", "--split", str(split), "--out", str(tmp_path / "out"), "--config", str(path)], pytest.fail)


def test_sigterm_ends_cleanly(split: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"base": {"steps": 10**6}}), encoding="utf-8")
    line = [sys.executable, "-m", "microcoder_train", "make-base", "--split", split, "--out", tmp_path / "out"]
    line += ["--config", tmp_path / "config.json"]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stderr is not None
        assert "making the base model" in process.stderr.readline()
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_under_pipes_the_report_becomes_metadata(split: Path, config: Path, trained: Path, tmp_path: Path) -> None:
    from dagster_pipes import encode_param

    messages = tmp_path / "messages"
    context = {"asset_keys": ["grpo_policy"], "code_version_by_asset_key": None, "provenance_by_asset_key": None,
               "partition_key": None, "partition_key_range": None, "partition_time_window": None,
               "run_id": "run", "job_name": "job", "retry_number": 0, "extras": {}}  # fmt: skip
    environment = {
        **ENVIRONMENT,
        "DAGSTER_PIPES_CONTEXT": encode_param({"data": context}),
        "DAGSTER_PIPES_MESSAGES": encode_param({"path": str(messages)}),
    }
    done = command("grpo", "--split", split, "--out", trained, "--config", config, environment=environment)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in messages.read_text(encoding="utf-8").splitlines()]
    (report,) = (message["params"] for message in told if message["method"] == "report_asset_materialization")
    assert report["data_version"] == json.loads((trained / "summary.json").read_text(encoding="utf-8"))["key"]
    assert report["metadata"]["curve"]["raw_value"].startswith("![curve](data:image/png;base64,")
    assert "| tuned |" in report["metadata"]["summary"]["raw_value"]
    assert "validation/tuned_pass@1" in report["metadata"]


def test_the_floor_below_knows_nothing_of_the_one_above() -> None:
    script = (
        "import pkgutil, sys, importlib, microcoder_train\n"
        "for module in pkgutil.iter_modules(microcoder_train.__path__):\n"
        "    if module.name != '__main__': importlib.import_module('microcoder_train.' + module.name)\n"
        "print(sorted({'dagster', 'dagster_pipes', 'polars', 'microcoder_assets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert done.stdout.strip() == "[]"
