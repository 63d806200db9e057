"""Which assets ask a model and can do so in batches, and where their batches lie."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from microcoder_assets.errors import UserError
from microcoder_assets.project import Project
from microcoder_assets.schema import PREPARED, UNIQUE

if TYPE_CHECKING:  # openai takes a second to import
    from microcoder_assets.llm.client import ChatClient

ASSETS = ("scored_problems", "prepared_problems")
IN_ORDER = {"concurrency": 1, "offline": False}
"""Settings under which a stage asks one request after the other, so that equal inputs give equal files."""


def batch_folder(home: Path, asset: str) -> Path:
    return home / "batches" / asset


def asking(project: Project, asset: str) -> tuple[ChatClient, float, Callable[[], object]]:
    """The client that an asset asks, a batch's share of its prices, and the work that asks all of it and keeps nothing.

    Raises UserError when the settings name no model.
    """
    return _scoring(project) if asset == "scored_problems" else _preparation(project)


def _scoring(project: Project) -> tuple[ChatClient, float, Callable[[], object]]:
    from microcoder_assets.filtering.llm_scorer import llm_scorer
    from microcoder_assets.filtering.rubric import load_rubric
    from microcoder_assets.filtering.score import score_problems

    settings, rubric = project.settings.scoring.model_copy(update=IN_ORDER), load_rubric()
    scorer = llm_scorer(settings, rubric, project.store.packs("llm"), os.environ.get("OPENAI_API_KEY"))

    def work() -> object:
        return score_problems(project.store.scan("prepared_problems", PREPARED), scorer, rubric)

    return scorer.client, settings.batch_price, work


def _preparation(project: Project) -> tuple[ChatClient, float, Callable[[], object]]:
    from microcoder_assets.processing.benchmark import benchmark_of
    from microcoder_assets.processing.prepare import prepare
    from microcoder_assets.processing.translate import make_translator

    settings = project.settings.preparation.model_copy(update={**IN_ORDER, "stdin_forms": False})
    translator = make_translator(settings, project.store.packs("llm"))
    if translator is None:
        raise UserError("preparation.model is not set; name a model of the server")

    def work() -> object:
        problems, benchmark = project.store.read("unique_problems", UNIQUE), benchmark_of(project)
        blobs, decontamination = project.store.blobs, project.settings.decontamination
        return prepare(problems, benchmark, blobs, translator, settings, decontamination)

    return translator.client, settings.batch_price, work
