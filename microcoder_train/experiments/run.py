"""Running experiments: one GRPO run for each cell and seed, each kept as soon as it is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from microcoder_train.artifacts import require_model
from microcoder_train.config import TrainSettings
from microcoder_train.errors import TrainError
from microcoder_train.experiments.grids import EXPERIMENTS, Cell, Experiment, settings_of
from microcoder_train.experiments.splits import prepare
from microcoder_train.grpo import EMBEDDED, RUN_RECORD, embedded_base, run_grpo

Summary = dict[str, Any]
CELLS, DATA = "cells", "data"


def run_experiments(
    split: Path,
    model: str,
    out: Path,
    experiments: Sequence[Experiment],
    settings: TrainSettings,
    seeds: int,
    say: Callable[[str], None],
) -> int:
    """Every cell of `experiments` for seeds 0 to `seeds` - 1 below out/cells; how many runs were made now.

    All cells of a seed come before the next seed, so that what is there after a kill compares like with like. A run
    that is there is left alone. One base for all: seeds are of sampling and training.
    """
    if model == EMBEDDED:
        base = embedded_base(split, out / CELLS, settings.base, 0, say)
    else:
        require_model(model)
        base = model
    cells = list({cell.name: cell for experiment in experiments for cell in experiment.all_cells()}.values())
    made, total = 0, len(cells) * seeds
    for place, (seed, cell) in enumerate(((seed, cell) for seed in range(seeds) for cell in cells), start=1):
        chosen = settings_of(cell, settings)
        data = prepare(split, cell.data, out / DATA / cell.data, base, chosen, say)
        say(f"run {place}/{total}: {cell.name}, seed {seed}")
        made += not run_grpo(data, base, run_folder(out, cell, seed), chosen, seed, say)["unchanged"]
    return made


def run_folder(out: Path, cell: Cell, seed: int) -> Path:
    return out / CELLS / cell.name / f"seed-{seed}"


def read_runs(out: Path) -> dict[str, dict[int, Summary]]:
    """Cell -> seed -> summary of every finished run below `out`, of the cells that there are.

    Raises TrainError where the runs of a cell are not alike but for their seed.
    """
    names = dict.fromkeys(cell.name for experiment in EXPERIMENTS.values() for cell in experiment.all_cells())
    runs = {name: dict(_seeds(out / CELLS / name)) for name in names}
    for name, made in runs.items():
        if len({json.dumps([run["config"], run["data_version"]], sort_keys=True) for run in made.values()}) > 1:
            raise TrainError(
                f"{out / CELLS / name} holds runs of different settings or data; run `experiment` again for all of its "
                "seeds, or delete the older ones"
            )
    return runs


def _seeds(folder: Path) -> Iterator[tuple[int, Summary]]:
    for path in sorted(folder.glob(f"seed-*/{RUN_RECORD}")):
        yield int(path.parent.name.partition("-")[2]), json.loads(path.read_text(encoding="utf-8"))
