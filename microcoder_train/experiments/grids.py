"""The insights of arXiv 2603.07777 as small grids of runs that are alike but for what an insight is about.

Every grid is laid around one reference, the full method, and shares its runs. The hypotheses and the paper's findings
stand beside what is run; which insights a grid can answer, and how, stands in `insights`. The temperatures and stages
are ours, for the 12 steps of the preset `small`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from microcoder_train.config import METHODS, TrainSettings, override
from microcoder_train.errors import TrainError

Data = Literal["all", "selected", "strict", "lenient"]
"""What a run is trained on; see `splits`."""

REFERENCE = "microcoder"


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting of a grid. values: what it changes of the reference. data: what it is trained on."""

    name: str
    doc: str
    values: Mapping[str, Any]
    data: Data = "all"


@dataclass(frozen=True, slots=True)
class Experiment:
    """A grid: the reference and `cells`. paper: what arXiv 2603.07777 found, in our words."""

    name: str
    title: str
    hypothesis: str
    paper: str
    cells: tuple[Cell, ...]

    def all_cells(self) -> tuple[Cell, ...]:
        return (REFERENCE_CELL, *self.cells)


REFERENCE_CELL = Cell(
    REFERENCE,
    "the whole method: conditional mask, a temperature chosen by D, no KL, high clip",
    {**METHODS["microcoder"], "temperature": 1.2, "temperature_schedule": "constant"},
)
"""1.2 is the paper's, and what `choose-temperature` finds for the embedded base (D 0.654, the band begins at 0.65)."""
USUAL = {"temperature": 1.0}
"""What TRL samples at by default; the temperature of the baselines."""


def _staged(stages: str) -> dict[str, Any]:
    return {"temperature": 0.6, "temperature_schedule": "staged", "temperature_stages": stages}


RAMP = "2=0.84,4=1.08,6=1.32,8=1.56,10=1.8"

EXPERIMENTS: dict[str, Experiment] = {
    item.name: item
    for item in (
        Experiment(
            "methods",
            "Methods and ablations",
            "The whole method ends above GRPO and DAPO, and each of its parts helps.",
            "LiveCodeBench v6, trained at 4K and tested at 8K: 4B 38.7 % against 36.3 % of both baselines, 1.7B 24.0 % "
            "against 19.3 % (GRPO) and 20.4 % (DAPO). One run each.",
            (
                Cell("grpo", "GRPO: KL 0.04, symmetric clip, no mask, T 1.0", {**METHODS["grpo"], **USUAL}),
                Cell("dapo", "DAPO: high clip, dynamic sampling, no mask, T 1.0", {**METHODS["dapo"], **USUAL}),
                Cell("without-mask", "the method without its truncation mask", {"truncation_mask": "none"}),
                Cell("without-temperature", "the method at a constant T of 1.0", USUAL),
                Cell("without-high-clip", "the method with the symmetric clip of 0.2", {"epsilon_high": 0.2}),
            ),
        ),
        Experiment(
            "data",
            "Data",
            "At the same number of steps, the harder problems within reach of the policy teach it more than all do.",
            "Within 300 steps its filtered set gains 5.6 points and DeepCoder's set 2.0, about three times as much; "
            "it has the lower reward, and responses grow faster.",
            (Cell("selected", "without the 30 % of problems that the base solves most often", {}, data="selected"),),
        ),
        Experiment(
            "truncation",
            "Truncation mask",
            "Sparing some unfinished completions lets programs grow past L_max's pressure without losing diversity.",
            "Without a mask 36.3 %, all masked 36.9 % and then a collapse, rho 0.1 38.9 %, 0.2 38.7 %, 0.3 37.6 %; a "
            "higher rho lengthens responses faster, peaks earlier and lower, and costs diversity.",
            (
                Cell("without-mask", "no mask", {"truncation_mask": "none"}),
                Cell("rho-0.3", "conditional mask, rho 0.3", {"truncation_rho": 0.3}),
                Cell("mask-all", "every cut completion masked, as DeepCoder does", {"truncation_mask": "all"}),
            ),
        ),
        Experiment(
            "temperature",
            "Temperature",
            "Diversity D decides: a temperature that starts too low loses it, low to high in stages keeps it.",
            "D ends alike whatever the temperature; T 0.6 starts below that value and fails, 1.8 survives; 0.6, then "
            "1.8 from step 140 on, is best of all; continuous ramps do harm.",
            (
                Cell("cold", "T 0.6 throughout", {"temperature": 0.6}),
                Cell("hot", "T 1.8 throughout", {"temperature": 1.8}),
                Cell("staged", "T 0.6, and 1.8 from half of the run on", _staged("6=1.8")),
                Cell("ramp", "T from 0.6 to 1.8, a step at every rollout", _staged(RAMP)),
            ),
        ),
        Experiment(
            "evaluator",
            "Evaluator",
            "A lenient comparison of outputs gives fewer false negatives, and so a better reward.",
            "Against LiveCodeBench's exact comparison, a cascade of lenient ones gives a reward about a quarter higher "
            "and 44.9 % against 41.5 % after 100 steps, most of it early. No false positives were counted.",
            (
                Cell("strict", "outputs compared line by line", {}, data="strict"),
                Cell("lenient", "outputs compared as unordered tokens", {}, data="lenient"),
            ),
        ),
        Experiment(
            "context",
            "Context",
            "A longer limit gives better programs; a short one at the start does lasting harm.",
            "Limits of 4K, 6K and 8K peak at 36.6 %, 39.4 % and 41.2 %; going up to 8K at step 260 still recovers, "
            "at step 520 it does not.",
            (
                Cell("short", "L_max 16", {"max_completion_tokens": 16}),
                Cell("long", "L_max 32", {"max_completion_tokens": 32}),
                Cell("early", "L_max 16, and 32 from a third of the run on",
                     {"max_completion_tokens": 16, "context_stages": "4=32"}),
                Cell("late", "L_max 16, and 32 from two thirds of the run on",
                     {"max_completion_tokens": 16, "context_stages": "8=32"}),
            ),
        ),
        Experiment(
            "batch",
            "Batch and on-policy",
            "Rollouts of a middle size, used for a few updates, are best; one update a rollout is less stable.",
            "Batches of 32, 64 and 128 problems at one minibatch size peak at 39.4 %, 40.7 % and 39.3 %; the smallest, "
            "which is on-policy, swings most.",
            (
                Cell("on-policy", "2 problems a rollout, one update", {"prompts_per_rollout": 2, "iterations": 1}),
                Cell("middle", "4 problems a rollout, two updates", {"minibatches": 2, "iterations": 1}),
                Cell("large", "8 problems a rollout, four updates",
                     {"prompts_per_rollout": 8, "minibatches": 4, "iterations": 1}),
            ),
        ),
        Experiment(
            "kl-clip",
            "KL and clip",
            "Without KL and with a high clip, diversity, length and accuracy hold.",
            "With KL and a symmetric clip D falls from 0.67 to about 0.2 and accuracy from 36 % to 28 % by step 460; "
            "without KL and with the high clip D stays near 0.75 and accuracy at 40 %.",
            (
                Cell("kl", "KL 0.04 and the symmetric clip", {"beta": 0.04, "epsilon_high": 0.2}),
                Cell("kl-high-clip", "KL 0.04 and the high clip", {"beta": 0.04}),
                Cell("without-high-clip", "no KL and the symmetric clip", {"epsilon_high": 0.2}),
            ),
        ),
    )
}  # fmt: skip
"""The seven aspects of the paper and, first, its comparison of methods."""


def find_experiments(names: Sequence[str]) -> list[Experiment]:
    """Those named, in the order of the table; `all` names every one. Raises TrainError for an unknown name."""
    unknown = [name for name in names if name != "all" and name not in EXPERIMENTS]
    if unknown:
        raise TrainError(f"unknown experiment {unknown[0]!r}; one of {', '.join(EXPERIMENTS)}, or all")
    return [item for name, item in EXPERIMENTS.items() if name in names or "all" in names]


def settings_of(cell: Cell, settings: TrainSettings) -> TrainSettings:
    """`settings`, the reference's values over them, then the cell's."""
    return override(override(settings, REFERENCE_CELL.values, REFERENCE), cell.values, cell.name)
