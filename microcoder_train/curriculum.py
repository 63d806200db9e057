"""Which problems a rollout takes: every problem once an epoch, or drawn by difficulty band and step.

Sources: the classic, reverse, soft and hard schedules are those of arXiv 2603.24202, its tables of sampling weights,
with its 40,000 steps scaled to the run's; medium alone is its single-level training. The bands are those of the split's
`difficulty`. Its fourth band, easy-medium, is not in a split, so `reverse` runs from hard to easy. `adaptive` is ours.
`hard_focus` follows the second stage of DRIVE (arXiv 2511.06307): many rollouts of each problem of a small set, in
which the hardest stay throughout. Its abstract gives 64 rollouts; that every problem is measured once, first, and that
the set is chosen anew by the latest measure of each, is ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import torch
from torch.utils.data import Sampler

from microcoder_train.errors import TrainError

BANDS = ("easy", "medium", "hard")
Weights = tuple[float, float, float]

SCHEDULES: dict[str, list[tuple[float, Weights]]] = {
    "medium": [(1, (0, 1, 0))],
    "classic": [
        (0.25, (1, 0, 0)),
        (0.375, (0.75, 0.25, 0)),
        (0.625, (0, 1, 0)),
        (0.75, (0, 0.75, 0.25)),
        (1, (0, 0, 1)),
    ],
    "reverse": [
        (0.25, (0, 0, 1)),
        (0.375, (0, 0.25, 0.75)),
        (0.625, (0, 1, 0)),
        (0.75, (0.25, 0.75, 0)),
        (1, (1, 0, 0)),
    ],
    "soft": [
        (0.1875, (0.8, 0.15, 0.05)),
        (0.4375, (0.15, 0.8, 0.05)),
        (0.75, (0.15, 0.4, 0.45)),
        (1, (0.05, 0.15, 0.8)),
    ],
    "hard": [(0.1875, (0.9, 0.05, 0.05)), (0.4375, (0.05, 0.9, 0.05)), (1, (0.05, 0.05, 0.9))],
}
"""(until this share of the run, weights of easy, medium and hard)."""

Solved = Mapping[int, Mapping[str, tuple[int, int]]]
"""Of each rollout, by its number: problem id -> completions accepted, completions judged."""


def band_weights(schedule: str, progress: float) -> dict[str, float]:
    """Weight of each band at `progress`, the share of the run that is done, 0 to 1."""
    stages = SCHEDULES[schedule]
    weights = next((weights for until, weights in stages if progress < until), stages[-1][1])
    return dict(zip(BANDS, weights, strict=True))


def adaptive_weight(accepted: int, judged: int) -> float:
    """4 p (1 - p) of the pass rate p, one success and one failure added to what was seen: the most for the problems
    whose groups carry most signal, 1 for a problem not seen yet, and never 0. Ours."""
    rate = (accepted + 1) / (judged + 2)
    return 4 * rate * (1 - rate)


class PromptSampler(Sampler[int]):  # type: ignore[misc]
    """Positions of prompts, each rollout's repeated as TRL wants them, as a function of the seed and the epoch alone.

    An epoch is as many rollouts as TRL's own sampler gives, and `uniform` is that sampler's order to the last prompt;
    but TRL's starts from its first epoch again in a run that is resumed. The others draw without replacement within a
    rollout, unless fewer problems than it takes have any weight. rollouts: of the whole run.

    focus: problems that `hard_focus` keeps; its first epoch is that of `uniform`.

    solved: filled by the trainer; `adaptive` and `hard_focus` look at all rollouts but the one before, whose verdicts
    may not be there yet when the loader asks.
    """

    def __init__(
        self, problems: Sequence[str], bands: Sequence[str], curriculum: str, *, prompts: int, generations: int,
        repeats: int, rollouts: int, seed: int, solved: Solved, focus: int = 1,
    ) -> None:  # fmt: skip
        self.epoch = 0
        self._solved = solved
        self._problems, self._bands, self._curriculum = problems, bands, curriculum
        self._prompts, self._generations, self._repeats = prompts, generations, repeats
        self._rollouts, self._seed, self._focus = rollouts, seed, focus
        if curriculum in SCHEDULES:
            self._refuse_empty_bands()

    def _refuse_empty_bands(self) -> None:
        wanted = {
            band
            for _, weights in SCHEDULES[self._curriculum]
            for band, weight in zip(BANDS, weights, strict=True)
            if weight
        }
        missing = [band for band in BANDS if band in wanted - set(self._bands)]
        if missing:
            raise TrainError(
                f"curriculum {self._curriculum!r} needs problems of difficulty {', '.join(missing)}, and the train "
                "part holds none that fits; choose another curriculum"
            )

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self._per_epoch * self._prompts * self._generations * self._repeats

    def __iter__(self) -> Iterator[int]:
        for number in range(self._per_epoch):
            chosen = self.rollout(self.epoch * self._per_epoch + number)
            for _ in range(self._repeats):
                yield from (place for place in chosen for _ in range(self._generations))

    @property
    def _per_epoch(self) -> int:
        return len(self._problems) // self._prompts

    def rollout(self, number: int) -> list[int]:
        """Positions of the prompts of a rollout, counted from 0 over the whole run."""
        measuring = self._curriculum == "hard_focus" and number < self._per_epoch
        return self._uniform(number) if measuring or self._curriculum == "uniform" else self.draw(number, 0)

    def draw(self, number: int, attempt: int) -> list[int]:
        """Positions drawn by the weights of rollout `number`; another `attempt` draws others."""
        weights = torch.tensor(self._weights(number), dtype=torch.float64)
        generator = torch.Generator().manual_seed((self._seed * 1_000_003 + number) * 1_009 + attempt)
        few = int((weights > 0).sum()) < self._prompts
        return list(torch.multinomial(weights, self._prompts, replacement=few, generator=generator).tolist())

    def _weights(self, number: int) -> list[float]:
        if self._curriculum == "uniform":
            return [1.0] * len(self._problems)
        if self._curriculum == "adaptive":
            known = [found for rollout, found in self._solved.items() if rollout < number - 1]
            return [adaptive_weight(*_sum(found.get(problem, (0, 0)) for found in known)) for problem in self._problems]
        if self._curriculum == "hard_focus":
            kept = set(self._hardest(number))
            return [float(place in kept) for place in range(len(self._problems))]
        weights = band_weights(self._curriculum, number / self._rollouts)
        return [weights.get(band, 0.0) / self._bands.count(band) for band in self._bands]

    def _hardest(self, number: int) -> list[int]:
        """Positions of the `focus` problems whose latest pass rate is lowest; of equal ones the harder band's first.
        One that was never judged counts as never solved, so that it is measured."""
        latest: dict[str, float] = {}
        for rollout in sorted(found for found in self._solved if found < number - 1):
            rated = self._solved[rollout].items()
            latest.update((problem, accepted / judged) for problem, (accepted, judged) in rated if judged)
        order = sorted(
            range(len(self._problems)),
            key=lambda place: (latest.get(self._problems[place], 0.0), -_rank(self._bands[place]), place),
        )
        return order[: self._focus]

    def _uniform(self, number: int) -> list[int]:
        epoch, place = divmod(number, self._per_epoch)
        generator = torch.Generator().manual_seed(self._seed)
        for _ in range(epoch):
            torch.randperm(len(self._problems), generator=generator)
        order = torch.randperm(len(self._problems), generator=generator).tolist()
        return list(order[place * self._prompts : (place + 1) * self._prompts])


def _rank(band: str) -> int:
    return BANDS.index(band) if band in BANDS else -1


def _sum(pairs: Iterable[tuple[int, int]]) -> tuple[int, int]:
    accepted, judged = 0, 0
    for one, other in pairs:
        accepted, judged = accepted + one, judged + other
    return accepted, judged
