"""Benchmark suites, one file each, behind one interface (`tasks.Suite`)."""

from __future__ import annotations

from pathlib import Path

from microcoder_train.evaluation.suites.cruxeval import CruxEval
from microcoder_train.evaluation.suites.humaneval import HumanEval
from microcoder_train.evaluation.suites.livecodebench import EVERYTHING, LiveCodeBench, Window
from microcoder_train.evaluation.suites.mbpp import Mbpp
from microcoder_train.evaluation.tasks import Suite

SUITES = ("livecodebench", "humaneval", "mbpp", "cruxeval-output", "cruxeval-input")
"""`livecodebench` also reads any folder in the format of the sample benchmark."""


def open_suite(name: str, path: Path, window: Window = EVERYTHING, examples: Path | None = None) -> Suite:
    """path: the exported folder of `livecodebench`, the suite's JSON lines of the others, which know no window.

    Raises TrainError where it cannot be read.
    """
    match name:
        case "humaneval":
            return HumanEval(path)
        case "mbpp":
            return Mbpp(path)
        case "cruxeval-output" | "cruxeval-input":
            return CruxEval(path, name.removeprefix("cruxeval-"))
    return LiveCodeBench(path, window, examples)
