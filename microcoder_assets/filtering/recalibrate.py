"""Calibrate the problems that stand for one solver, such as a checkpoint, beside the calibrations of others."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from microcoder_assets.errors import UserError
from microcoder_assets.filtering.attempts import ImportedAttempts, Solver, read_attempts, solver_name
from microcoder_assets.filtering.calibrate import calibrate
from microcoder_assets.filtering.solver import attempt_problems
from microcoder_assets.project import Project
from microcoder_assets.reports import text_table
from microcoder_assets.schema import PREPARED, SCORED


def recalibrate(
    project: Project,
    model: str,
    step: int | None,
    attempts_file: Path | None = None,
    base_url: str | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> str:
    """Import attempts, ask a server for more where one is named, and keep the calibration; a report of it.

    Raises UserError where nothing is scored yet, where the file cannot be read, and where there is no attempt at all.
    """
    store = project.store
    scored, problems = store.read("scored_problems", SCORED), store.scan("prepared_problems", PREPARED)
    if not scored.height:
        raise UserError("there are no scored problems to calibrate; `microcoder run --until scored_problems`")
    changes = {"model": model, "step": step, "base_url": base_url}
    settings = project.settings.calibration.model_copy(update=changes)
    said = []
    if attempts_file:
        read = list(read_attempts(attempts_file, model))
        shas = dict(problems.select("problem_id", "content_sha").collect().iter_rows())
        ours = [attempt for attempt in read if attempt.problem_id in shas]
        new = ImportedAttempts(store, Solver(model, step)).add(ours, shas)
        said.append(f"{new} attempts imported, {len(ours) - new} known, {len(read) - len(ours)} at other problems")
    key = os.environ.get("OPENAI_API_KEY")
    attempted = attempt_problems(scored, problems, store, settings, project.settings.verification, key, progress)
    if not attempted.frame.height:
        raise UserError(f"there is no attempt of {model} at these problems; give --attempts FILE or --base-url URL")
    result, report = calibrate(scored, problems, settings, attempted.frame)
    store.keep("calibrations", solver_name(settings), result.frame)
    counts = ", ".join(f"{count} {name}" for name, count in attempted.counts.items())
    return "\n\n".join([*said, f"{attempted.frame.height} problems: {counts}", *map(text_table, report.tables())])
