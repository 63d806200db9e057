"""The commands: arguments in, a report out. Heavy libraries are imported only by the command that needs them."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from microcoder_train.artifacts import require_model
from microcoder_train.config import METHODS, PRESETS, BaseSettings, EvaluationSettings, as_yaml, describe, load_settings
from microcoder_train.errors import TrainError
from microcoder_train.evaluation.prompts import STYLES
from microcoder_train.evaluation.suites import SUITES, open_suite
from microcoder_train.evaluation.suites.livecodebench import WINDOWS, Window
from microcoder_train.experiments.grids import EXPERIMENTS, find_experiments
from microcoder_train.reports import Report

OVERVIEW = """\
Train a coding policy on a published split with GRPO, and score policies on a benchmark.

  python -m microcoder_train grpo --split SPLIT --model embedded --out runs/demo
  python -m microcoder_train evaluate --benchmark BENCHMARK --model base=runs/base-KEY \\
      --model tuned=runs/demo/model --out runs/scores
  python -m microcoder_train regrade FILE --benchmark BENCHMARK --out runs/regraded

A split is a folder with manifest.json and data/{train,validation}-00000-of-00001.parquet, a benchmark one with
data/test-00000-of-00001.parquet; `datasets.load_dataset` reads both. A result is written whole or not at all, and a
command whose result is already there says `unchanged`. Exit code 2: a mistake that one line names."""

if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]

SPLIT_HELP = "folder of the split: manifest.json and data/"
OUT_HELP = "folder of the result; made whole, or not at all"


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        "python -m microcoder_train", description=OVERVIEW, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _config(commands)
    _make_base(commands)
    _grpo(commands)
    _choose_temperature(commands)
    _memory(commands)
    _experiment(commands)
    _insights(commands)
    _evaluate(commands)
    _regrade(commands)
    _generate(commands)
    _embed(commands)
    return root


def _add(commands: Commands, name: str, summary: str, teaching: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=f"{summary}\n\n{teaching}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _config(commands: Commands) -> None:
    command = _add(
        commands,
        "config",
        "Print every setting with its meaning and the origin of its default, as a config file.",
        "Keep what you mean to change, and give it to another command as --config FILE.yaml:\n\n"
        "  python -m microcoder_train config --preset paper learning_rate=2e-6 > run.yaml",
    )
    _add_method(command)
    _add_settings(command)


def _make_base(commands: Commands) -> None:
    command = _add(
        commands,
        "make-base",
        "Make the small embedded base model from a split's own programs.",
        "A byte-level tokenizer and a Qwen3 model of about a million parameters, trained from scratch on prompt ->\n"
        "program pairs of the whole split, accepted and known-wrong ones; a benchmark is never read.\n"
        "The result loads with transformers; base.json holds its settings and loss. It shows the machinery only.\n\n"
        f"Settings, under `base` in a --config file:\n{describe(BaseSettings())}",
    )
    command.add_argument("--split", type=Path, required=True, help=SPLIT_HELP)
    command.add_argument("--out", type=Path, required=True, help=OUT_HELP)
    _add_settings(command)


def _grpo(commands: Commands) -> None:
    command = _add(
        commands,
        "grpo",
        "Fine-tune a policy with GRPO and score it on the validation part.",
        "The reward is 1 when a program passes every test, else 0, as microcoder_judge decides. Written to --out:\n"
        "model/ (loads with transformers), summary.json, curve.png, completions/ (every rollout, with verdicts) and\n"
        "validation.parquet (every sample of base and tuned, with its verdict).\n\n"
        f"Settings of the preset `paper`:\n{describe(PRESETS['paper'])}\n\n"
        f"Under `evaluation`:\n{describe(PRESETS['paper'].evaluation)}\n\n"
        f"The preset `tiny` (the default) differs in:\n{describe(PRESETS['tiny'], beside=PRESETS['paper'])}",
    )
    command.add_argument("--split", type=Path, required=True, help=SPLIT_HELP)
    command.add_argument("--model", default="embedded", help="`embedded`, or a Hugging Face folder or Hub name")
    command.add_argument("--out", type=Path, required=True, help=OUT_HELP)
    command.add_argument("--max-steps", type=_positive, help="optimiser updates, instead of the preset's")
    _add_method(command)
    _add_settings(command)


def _choose_temperature(commands: Commands) -> None:
    command = _add(
        commands,
        "choose-temperature",
        "Measure the diversity of a policy's samples by temperature, and choose one.",
        "D is the share of distinct 4-grams in a prompt's completions, averaged over prompts. Chosen is the lowest\n"
        "temperature whose D is at least diversity_low, the highest where none is. The paper gives no rule; this is\n"
        "ours. Written to --out: temperature.json and diversity.png.",
    )
    command.add_argument("--split", type=Path, required=True, help=SPLIT_HELP)
    command.add_argument("--model", default="embedded", help="`embedded`, or a Hugging Face folder or Hub name")
    command.add_argument("--out", type=Path, required=True, help=OUT_HELP)
    command.add_argument("--temperature", type=_above_zero, action="append", help="repeat (default: 0.6 to 1.8)")
    command.add_argument("--prompts", type=_positive, default=200, help="train prompts to sample (default: 200)")
    _add_settings(command)


def _memory(commands: Commands) -> None:
    command = _add(
        commands,
        "memory",
        "Estimate the memory that a GRPO run takes on each GPU.",
        "From the model's shape and the settings alone; no weight is loaded. An estimate by published formulas, which\n"
        "the module `microcoder_train.memory` names.",
    )
    command.add_argument("--model", required=True, help="qwen3-1.7b, qwen3-4b, qwen3-8b, or a Hugging Face folder")
    command.add_argument("--gpus", type=_positive, default=1, help="GPUs that train (default: 1)")
    command.add_argument("--gpu-gib", type=_above_zero, default=80, help="memory of each in GiB (default: 80)")
    _add_settings(command)


def _experiment(commands: Commands) -> None:
    listed = "\n".join(f"  {name:<12} {item.hypothesis}" for name, item in EXPERIMENTS.items())
    command = _add(
        commands,
        "experiment",
        "Rerun insights of the paper as small grids of runs, one for each cell and seed.",
        "Runs stand in OUT/cells/CELL/seed-N and are shared by experiments; one that is there is left alone, so the\n"
        "same command goes on after a kill. All cells of a seed come before the next; `insights` reports on them.\n"
        f"\nExperiments and their hypotheses:\n{listed}\n\n"
        "The preset `small` (the default) differs from `tiny` in:\n"
        f"{describe(PRESETS['small'], beside=PRESETS['tiny'])}",
    )
    command.add_argument("names", metavar="NAMES", help="experiments, comma-separated, or `all`")
    command.add_argument("--split", type=Path, required=True, help=SPLIT_HELP)
    command.add_argument("--model", default="embedded", help="`embedded`, or a Hugging Face folder or Hub name")
    command.add_argument("--out", type=Path, required=True, help="folder of the runs")
    command.add_argument("--seeds", type=_positive, default=5, help="runs of each cell (default: 5)")
    _add_settings(command, preset="small", seeded=False)


def _insights(commands: Commands) -> None:
    command = _add(
        commands,
        "insights",
        "Say of each insight of the paper whether the runs of `experiment` reproduce it.",
        "Written to --out: insights.md, a figure for each grid, and insights.json. Nothing is run.",
    )
    command.add_argument("--results", type=Path, required=True, help="the --out of `experiment`")
    command.add_argument("--out", type=Path, required=True, help=OUT_HELP)


def _evaluate(commands: Commands) -> None:
    command = _add(
        commands,
        "evaluate",
        "Score policies on a benchmark suite, side by side, with intervals.",
        "Every sample is judged against all tests; LiveCodeBench's by its own rules, and as an online judge beside.\n"
        "Written to --out: report.md, scores.json, scores.parquet (a row a sample), plots, NAME_eval_all.json (which\n"
        "LiveCodeBench's own score script reads), results_NAME.json (lm-evaluation-harness's layout) and times.json.\n"
        "Completions are kept one by one beside --out, in completions/: a run that was killed goes on where it was.\n\n"
        "Settings of the preset `paper`, under `benchmark` in a --config file:\n"
        f"{describe(PRESETS['paper'].benchmark)}\n\n"
        f"The preset `upstream` differs in:\n{_unlike('upstream')}\n\n`tiny` (the default) in:\n{_unlike('tiny')}",
    )
    _add_suite(command)
    command.add_argument("--model", action="append", required=True, metavar="NAME=PATH", help="repeat to compare")
    command.add_argument("--out", type=Path, required=True, help=OUT_HELP)
    command.add_argument(
        "--backend",
        choices=("transformers", "vllm", "openai"),
        default="transformers",
        help="what draws completions; openai: any compatible server, PATH is its name of the model",
    )
    command.add_argument("--base-url", help="of that server, for example http://127.0.0.1:8000/v1")
    command.add_argument("--parallel", type=_positive, default=16, help="requests at a time to a server (default: 16)")
    command.add_argument(
        "--style",
        default="auto",
        help="prompts: auto, LiveCodeBench's for the model's family (the "
        "default); plain, in this project's words; or the name of one: " + ", ".join(STYLES),
    )
    command.add_argument(
        "--cutoff",
        action="append",
        default=[],
        metavar="NAME=YYYY-MM-DD",
        help="a date to compare before and after: of a model's or the data's knowledge",
    )
    command.add_argument("--samples", type=_positive, help="completions a problem, instead of the preset's")
    command.add_argument("--temperature", type=_above_zero, help="instead of the preset's")
    _add_settings(command)


def _regrade(commands: Commands) -> None:
    command = _add(
        commands,
        "regrade",
        "Judge recorded generations of others and compare with their verdicts.",
        "FILE is LiveCodeBench's eval_all.json or output, a list of {question_id, code_list}, or JSON lines with\n"
        "question_id, code and passed; gzip or not. A recorded failing input, where it is whole, is one more test.\n"
        "Written to --out as by evaluate, and agreement.md: each verdict that is not the recorded one, with a reason\n"
        "where one is known. Without private tests a recorded failure whose input is not there proves nothing.",
    )
    command.add_argument("file", type=Path, metavar="FILE", help="recorded generations")
    _add_suite(command)
    command.add_argument("--out", type=Path, required=True, help=OUT_HELP)
    command.add_argument("--name", help="of the policy, where the file names none (default: the file's)")
    command.add_argument("--cutoff", action="append", default=[], metavar="NAME=YYYY-MM-DD", help="as for evaluate")
    _add_settings(command)


def _add_suite(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--suite", choices=SUITES, default="livecodebench", help="default: livecodebench, and any folder in its format"
    )
    command.add_argument(
        "--benchmark",
        type=Path,
        required=True,
        help="folder with manifest.json and data/, or the suite's file of JSON lines",
    )
    command.add_argument("--examples", type=Path, help="LiveCodeBench's few_shot_examples/generation, for base models")
    command.add_argument(
        "--window",
        choices=sorted(WINDOWS),
        default="all",
        help="paper: the 175 problems of the v6 increment (default: all)",
    )
    command.add_argument("--from", dest="first", type=_date, metavar="DATE", help="first contest date, YYYY-MM-DD")
    command.add_argument("--to", dest="last", type=_date, metavar="DATE", help="last contest date")
    command.add_argument("--platform", action="append", help="only this one; repeat for more")
    command.add_argument("--difficulty", action="append", help="only this one; repeat for more")
    command.add_argument("--release", action="append", help="only this increment, such as v6; repeat for more")


def _unlike(preset: str) -> str:
    return describe(PRESETS[preset].benchmark, beside=PRESETS["paper"].benchmark)


def _generate(commands: Commands) -> None:
    command = _add(
        commands,
        "generate",
        "Print a policy's completions of a prompt.",
        "The prompt is read from --prompt, or from standard input.",
    )
    command.add_argument("--model", required=True, help="a Hugging Face folder or Hub name")
    command.add_argument("--prompt", help="the text to continue")
    command.add_argument("--samples", type=_positive, default=1, help="completions to draw (default: 1)")
    command.add_argument("--temperature", type=_above_zero, default=1.0, help="sampling temperature (default: 1.0)")
    _add_settings(command)


def _embed(commands: Commands) -> None:
    command = _add(
        commands,
        "embed",
        "Turn texts into vectors with a local embedding model.",
        "The model is the folder of an encoder as transformers and sentence-transformers write it; nothing is\n"
        "downloaded. Hidden states are pooled as the folder says (mean or cls; else the mean), to length one.",
    )
    command.add_argument("--model", type=Path, required=True, help="folder of the model")
    command.add_argument("--input", type=Path, required=True, help='JSON lines, {"text": ...} each')
    command.add_argument("--output", type=Path, required=True, help="NumPy file: a row of float32 for each line")


def _add_method(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--method",
        choices=METHODS,
        help="the paper's method or a baseline, over the preset and under --config (default: the preset's own values)",
    )


def _add_settings(command: argparse.ArgumentParser, preset: str = "tiny", seeded: bool = True) -> None:
    command.add_argument(
        "--preset", choices=sorted(PRESETS), default=preset, help=f"named settings (default: {preset})"
    )
    command.add_argument("--config", type=Path, metavar="FILE.yaml", help="YAML or JSON: values on top of the preset")
    command.add_argument(
        "overrides",
        nargs="*",
        metavar="KEY=VALUE",
        help="values on top of all, in one place, such as learning_rate=1e-5 evaluation.samples=8",
    )
    if seeded:
        command.add_argument("--seed", type=int, default=0, help="seed of everything drawn (default: 0)")


def run(arguments: Sequence[str], say: Callable[[str], None]) -> Report:
    """Carry out one command. say: takes progress lines. Raises TrainError for a user's mistake."""
    options = parser().parse_args(arguments)
    if options.command == "embed":
        from microcoder_train.embedding import embed_file

        return embed_file(options.model, options.input, options.output)
    if options.command == "insights":
        from microcoder_train.experiments.report import write_report

        return write_report(options.results, options.out)
    settings = load_settings(options.preset, options.config, getattr(options, "method", None), options.overrides)
    if options.command == "config":
        return Report(as_yaml(settings), "")
    if options.command == "memory":
        from microcoder_train.memory import memory_report

        return memory_report(options.model, settings, options.gpus, options.gpu_gib)
    if options.command == "make-base":
        from microcoder_train.grpo import base_report, make_base

        return base_report(make_base(options.split, options.out, settings.base, options.seed, say))
    if options.command == "grpo":
        from microcoder_train.grpo import grpo_report, run_grpo

        chosen = replace(settings, steps=options.max_steps or settings.steps)
        summary = run_grpo(options.split, options.model, options.out, chosen, options.seed, say)
        return grpo_report(summary, options.out)
    if options.command == "choose-temperature":
        from microcoder_train.choose_temperature import TEMPERATURES, choose_report, run_choose

        asked = options.temperature or TEMPERATURES
        record = run_choose(
            options.split, options.model, options.out, settings, asked, options.prompts, options.seed, say
        )
        return choose_report(record, options.out)
    if options.command == "experiment":
        from microcoder_train.experiments.report import experiments_report
        from microcoder_train.experiments.run import run_experiments

        chosen_experiments = find_experiments(options.names.split(","))
        made = run_experiments(
            options.split, options.model, options.out, chosen_experiments, settings, options.seeds, say
        )
        return experiments_report(options.out, chosen_experiments, options.seeds, made)
    if options.command in ("evaluate", "regrade"):
        return _run_benchmark(options, settings.benchmark, say)
    from microcoder_train.generation import load_policy, sample

    evaluation = replace(settings.evaluation, samples=options.samples, temperature=options.temperature)
    require_model(options.model)
    policy = load_policy(options.model, evaluation.dtype)
    text = options.prompt if options.prompt is not None else sys.stdin.read()
    found = sample(
        policy,
        [policy.encode(text)],
        evaluation.samples,
        temperature=evaluation.temperature,
        max_tokens=evaluation.max_completion_tokens,
        batch=evaluation.batch,
        seed=options.seed,
    )
    return Report("\n\n".join(item.text for item in found[0]), "")


def _run_benchmark(options: argparse.Namespace, settings: EvaluationSettings, say: Callable[[str], None]) -> Report:
    from microcoder_train.evaluation.benchmark import Sampling, evaluation_report, run_evaluation
    from microcoder_train.evaluation.regrade import run_regrade

    named = WINDOWS[options.window]
    window = Window(
        options.first,
        options.last,
        tuple(options.platform or ()),
        tuple(options.difficulty or ()),
        tuple(options.release or named.releases),
    )
    suite = open_suite(options.suite, options.benchmark, window, options.examples)
    cutoffs = named_dates(options.cutoff)
    if options.command == "regrade":
        return run_regrade(options.file, suite, options.out, settings, cutoffs, options.name, say)
    chosen = replace(
        settings,
        samples=options.samples or settings.samples,
        temperature=options.temperature or settings.temperature,
    )
    sampling = Sampling(
        options.backend, options.style, options.base_url, os.environ.get("OPENAI_API_KEY"), options.parallel, cutoffs
    )
    record = run_evaluation(suite, named_models(options.model), options.out, chosen, sampling, options.seed, say)
    return evaluation_report(record, options.out)


def named_dates(values: Sequence[str]) -> dict[str, dt.date]:
    """NAME=YYYY-MM-DD arguments in their order. Raises TrainError on another form."""
    dates = {}
    for value in values:
        name, equals, text = value.partition("=")
        try:
            dates[name] = dt.date.fromisoformat(text)
        except ValueError as error:
            raise TrainError(f"--cutoff {value}: write it as NAME=YYYY-MM-DD") from error
        if not (name and equals):
            raise TrainError(f"--cutoff {value}: write it as NAME=YYYY-MM-DD")
    return dates


def named_models(values: Sequence[str]) -> dict[str, str]:
    """NAME=PATH arguments in their order. Raises TrainError on another form or a name given twice."""
    models: dict[str, str] = {}
    for value in values:
        name, equals, path = value.partition("=")
        if not (name and equals and path):
            raise TrainError(f"--model {value}: write it as NAME=PATH, for example base=runs/base")
        if name in models:
            raise TrainError(f"--model {name} is given twice; choose another name")
        models[name] = path
    return models


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is not a date; write YYYY-MM-DD") from error


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive whole number")
    return value


def _above_zero(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value
