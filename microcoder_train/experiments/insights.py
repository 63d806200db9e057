"""The 34 insights of arXiv 2603.07777, each with what would show it in the runs of `grids`, or why nothing can.

The paper's repository words them in seven groups; the numbering and the wording are ours. A contrast predicts that one
cell's measure exceeds another's, or, with `below`, falls short of it. Measures are defined in `verdicts`.
"""

from __future__ import annotations

from dataclasses import dataclass

from microcoder_train.experiments.grids import REFERENCE

MASK = ("masked", "mask-all")
HELD_BACK = "needs thousands of tokens and hundreds of steps; no run here is that long"
NO_RULE = "the paper gives no rule or threshold that could be rerun"
NO_RECOVERY = "a harm that stays looks as one that needs more than the 4 to 8 steps left here"


@dataclass(frozen=True, slots=True)
class Contrast:
    """measure of cell `more` - measure of cell `less` (0 without one) is predicted above 0; below it with `below`."""

    measure: str
    more: str
    less: str | None = None
    below: bool = False

    def __str__(self) -> str:
        against = f" - {self.less}" if self.less else ""
        return f"{self.measure}: {self.more}{against} {'<' if self.below else '>'} 0"


@dataclass(frozen=True, slots=True)
class Insight:
    """contrasts: all of them must hold. premise: (measure, cell) that must be above 0 for them to mean anything.
    reason: why there is no contrast."""

    experiment: str
    claim: str
    contrasts: tuple[Contrast, ...] = ()
    premise: tuple[str, str] | None = None
    reason: str = ""


def _tested(experiment: str, claim: str, *contrasts: Contrast, premise: tuple[str, str] | None = None) -> Insight:
    return Insight(experiment, claim, contrasts, premise)


def _left(experiment: str, claim: str, reason: str) -> Insight:
    return Insight(experiment, claim, reason=reason)


INSIGHTS: tuple[Insight, ...] = (
    _tested("evaluator", "Lenient matching gives higher pass rates.", Contrast("reward, first", "lenient", "strict")),
    _tested("evaluator", "It gives a higher reward in training.", Contrast("reward, last", "lenient", "strict")),
    _tested("evaluator", "Held-out accuracy is higher with it.", Contrast("pass@1", "lenient", "strict")),
    _tested(
        "evaluator",
        "Its effect is strongest early.",
        Contrast("reward, growth", "lenient", "strict", below=True),
        premise=("reward, first", "lenient"),
    ),
    _left("temperature", "The highest temperature that is stable rises with training.", NO_RULE),
    _tested("temperature", "A higher temperature raises D.", Contrast("D, first", "hot", "cold")),
    _tested("temperature", "D falls at a fixed temperature.", Contrast("D, growth", REFERENCE, below=True)),
    _tested(
        "temperature",
        "A start below the value that D converges to ends in failure.",
        Contrast("pass@1", "cold", REFERENCE, below=True),
    ),
    _tested("temperature", "T 0.6 can fail.", Contrast("gain", "cold", below=True)),
    _tested("temperature", "T 1.8 is survived.", Contrast("gain", "hot")),
    _tested(
        "temperature",
        "D converges to like values at every temperature.",
        Contrast("D, growth", "hot", "cold", below=True),
    ),
    _left("temperature", "The temperature is best chosen by D.", NO_RULE),
    _tested("temperature", "Low to high in stages beats constantly high.", Contrast("pass@1", "staged", "hot")),
    _tested("temperature", "A continuous ramp does harm.", Contrast("pass@1", "ramp", "staged", below=True)),
    _tested("data", "The selected set raises held-out accuracy more.", Contrast("gain", "selected", REFERENCE)),
    _tested("data", "It has the lower reward: it is harder.", Contrast("reward, first", "selected", REFERENCE, True)),
    _left("data", "Rewards grow alike; only the hard set's growth carries over.", "needs a second, easier set"),
    _tested("data", "Harder data lengthen responses faster.", Contrast("length, growth", "selected", REFERENCE)),
    _tested("context", "A longer limit gives higher accuracy.", Contrast("pass@1", "long", "short")),
    _tested("context", "It lets responses grow faster.", Contrast("length, growth", "long", "short")),
    _tested("context", "It keeps D higher.", Contrast("D, last", "long", "short")),
    _tested("context", "A short limit at the start does lasting harm.", Contrast("pass@1", "late", "long", below=True)),
    _tested("context", "The smaller and the longer, the worse.", Contrast("pass@1", "late", "early", below=True)),
    _left("context", "At some point the harm cannot be undone.", NO_RECOVERY),
    _tested(
        "truncation",
        "With a mask for all, accuracy rises and then falls.",
        Contrast("fall", "mask-all", "without-mask"),
        premise=MASK,
    ),
    _tested(
        "truncation",
        "A higher rho lengthens responses faster.",
        Contrast("length, growth", "rho-0.3", REFERENCE),
        premise=MASK,
    ),
    _tested(
        "truncation",
        "A higher rho reaches its first peak sooner.",
        Contrast("peak at", "rho-0.3", REFERENCE, below=True),
        premise=MASK,
    ),
    _tested("truncation", "A lower rho peaks higher.", Contrast("peak", REFERENCE, "rho-0.3"), premise=MASK),
    _tested(
        "truncation",
        "A higher rho lowers D.",
        Contrast("D, last", "rho-0.3", REFERENCE, below=True),
        premise=MASK,
    ),
    _tested(
        "truncation",
        "The conditional mask is the most stable.",
        Contrast("fall", REFERENCE, "mask-all", below=True),
        Contrast("fall", REFERENCE, "without-mask", below=True),
        premise=MASK,
    ),
    _tested("batch", "On-policy training is less stable.", Contrast("fall", "on-policy", "middle")),
    _tested(
        "batch",
        "A middle size is best.",
        Contrast("pass@1", "middle", "on-policy"),
        Contrast("pass@1", "middle", "large"),
    ),
    _tested(
        "kl-clip",
        "Without KL and with a high clip, D, length and accuracy hold.",
        Contrast("D, last", REFERENCE, "kl"),
        Contrast("length, last", REFERENCE, "kl"),
        Contrast("pass@1", REFERENCE, "kl"),
        premise=("clip high", REFERENCE),
    ),
    _left("kl-clip", "Shrinking D comes before a decline.", HELD_BACK),
)
