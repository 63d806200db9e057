"""`microcoder evaluate`: any policy on any suite, in the process that `microcoder_train` is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from microcoder_assets.config import EvaluationSettings
from microcoder_assets.errors import UserError
from microcoder_assets.project import Project
from microcoder_assets.train_process import follow, require_torch


def choices(settings: EvaluationSettings) -> list[str]:
    """The settings as options of `python -m microcoder_train evaluate`."""
    cutoffs = [f"--cutoff={name}={date.isoformat()}" for name, date in settings.cutoffs.items()]
    return ["--style", settings.style, "--window", settings.window, *cutoffs]


def evaluate(project: Project, arguments: Sequence[str]) -> int:
    """Run `evaluate`, or `regrade` where that is the first argument; the exit code.

    Where the arguments name no benchmark it is this home's, and the result goes to a folder below `models/evaluations`
    that is named after what is scored, where the view `leaderboard` finds it.
    """
    require_torch("scoring needs", "install it where the scores are made")
    command, given = ("regrade", arguments[1:]) if arguments and arguments[0] == "regrade" else ("evaluate", arguments)
    asked = {argument.partition("=")[0] for argument in given}
    added: list[str] = []
    if not asked & {"-h", "--help"}:
        if "--benchmark" not in asked:
            added += ["--benchmark", _export(project)]
        if "--out" not in asked:
            added += ["--out", str(project.models / "evaluations" / _name(command, given))]
    return follow([command, *given, *added])


def _export(project: Project) -> str:
    benchmark = project.store.manifest("livecodebench_problems")
    if benchmark is None or not benchmark.rows:
        raise UserError("this home has no benchmark to score on; run with --benchmark PATH first, or give one here")
    return str(project.home / benchmark.extra["export"])


def _name(command: str, arguments: Sequence[str]) -> str:
    """What is scored: the policies and the suite, or the file that is judged again."""
    if command == "regrade":
        parts = [*arguments[:1]]
    else:
        parts = [value.partition("=")[0] for value in _values(arguments, "--model")] + _values(arguments, "--suite")
    name = re.sub(r"[^\w.-]+", "-", "-".join(part.rpartition("/")[2] for part in parts)).strip("-.")
    if not name:
        raise UserError(f"nothing to {command}; `microcoder evaluate --help` shows how")
    return name


def _values(arguments: Sequence[str], option: str) -> list[str]:
    """Of `--option VALUE` and `--option=VALUE`."""
    after = [value for name, value in pairwise(arguments) if name == option]
    return after + [text.partition("=")[2] for text in arguments if text.startswith(f"{option}=")]
