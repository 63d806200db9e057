"""The commands: arguments in, a report out. Heavy libraries are imported only by the command that needs them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from microcoder_train.artifacts import require_model
from microcoder_train.config import PRESETS, BaseSettings, describe, load_settings
from microcoder_train.errors import TrainError
from microcoder_train.reports import Report

OVERVIEW = """\
Train a coding policy on a published split with GRPO, and score policies on a benchmark.

  python -m microcoder_train grpo --split SPLIT --model embedded --out runs/demo
  python -m microcoder_train livecodebench --benchmark BENCHMARK --model base=runs/base-KEY \\
      --model tuned=runs/demo/model --out runs/scores

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
    _make_base(commands)
    _grpo(commands)
    _livecodebench(commands)
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
    _add_settings(command)


def _livecodebench(commands: Commands) -> None:
    command = _add(
        commands,
        "livecodebench",
        "Score policies on a benchmark: pass@1 by difficulty, with intervals, side by side.",
        "Every sample is judged against all tests. Written to --out: scores.json, scores.parquet (a row a sample) and\n"
        "scores.png. Intervals are 95 % bootstraps over problems; differences pair each later model with the first.",
    )
    command.add_argument("--benchmark", type=Path, required=True, help="folder: manifest.json and data/")
    command.add_argument("--model", action="append", required=True, metavar="NAME=PATH", help="repeat to compare")
    command.add_argument("--out", type=Path, required=True, help=OUT_HELP)
    command.add_argument("--samples", type=_positive, default=8, help="completions a problem (default: 8)")
    command.add_argument("--temperature", type=_above_zero, default=0.2, help="LiveCodeBench's own 0.2 by default")
    _add_settings(command)


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


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument("--preset", choices=sorted(PRESETS), default="tiny", help="named settings (default: tiny)")
    command.add_argument("--config", type=Path, metavar="FILE.json", help="values on top of the preset")
    command.add_argument("--seed", type=int, default=0, help="seed of everything drawn (default: 0)")


def run(arguments: Sequence[str], say: Callable[[str], None]) -> Report:
    """Carry out one command. say: takes progress lines. Raises TrainError for a user's mistake."""
    options = parser().parse_args(arguments)
    if options.command == "embed":
        from microcoder_train.embedding import embed_file

        return embed_file(options.model, options.input, options.output)
    settings = load_settings(options.preset, options.config)
    if options.command == "make-base":
        from microcoder_train.grpo import base_report, make_base

        return base_report(make_base(options.split, options.out, settings.base, options.seed, say))
    if options.command == "grpo":
        from microcoder_train.grpo import grpo_report, run_grpo

        chosen = replace(settings, steps=options.max_steps or settings.steps)
        summary = run_grpo(options.split, options.model, options.out, chosen, options.seed, say)
        return grpo_report(summary, options.out)
    evaluation = replace(settings.evaluation, samples=options.samples, temperature=options.temperature)
    if options.command == "livecodebench":
        from microcoder_train.livecodebench import livecodebench_report, run_livecodebench

        models = named_models(options.model)
        record = run_livecodebench(options.benchmark, models, options.out, evaluation, options.seed, say)
        return livecodebench_report(record, options.out)
    from microcoder_train.generation import load_policy, sample

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
