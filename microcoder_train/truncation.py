"""Which completions that ran into the length limit are kept from moving the policy.

Source: arXiv 2603.07777, equation 2: the normalised advantage of completion o is multiplied by
1 - 1[|o| = L_max and non-incorrect(o) and not repeat(o, m) and U(0, 1) < rho], m = 128. A masked completion still
counts in its group's mean and deviation and in the number of tokens.

Ours: |o| does not count the end token, so a completion that ended in time is never masked, however long; `incomplete`
is a completion without a program, as the end of its code block was cut off; U is drawn for every completion, from a
generator of the seed, the step and the process, so that nothing has to be saved to go on after a kill.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from microcoder_judge import Verdict
from microcoder_train.rewards import NO_CODE

NON_INCORRECT = frozenset({str(Verdict.AC), NO_CODE})
"""Correct or incomplete. A program that fails is incorrect, and one that could not be judged has no advantage."""


@dataclass(frozen=True, slots=True)
class TruncationMask:
    """rule: `conditional` (the paper's), `all` (every cut completion, as in DeepCoder) or `none`.

    length: L_max, in tokens. stop_ids: the tokens that end a completion. rho, repeat: the paper's rho and m.
    """

    rule: Literal["conditional", "all", "none"]
    length: int
    stop_ids: Collection[int]
    rho: float
    repeat: int
    seed: int

    def truncated(self, ids: Sequence[int]) -> bool:
        return len(ids) == self.length and ids[-1] not in self.stop_ids

    def masked(self, completions: Sequence[Sequence[int]], verdicts: Sequence[str], draw: str) -> list[bool]:
        """Whether each completion's advantage becomes 0. completions: token ids with the end token, if there is one.

        draw: names the numbers U that are drawn; equal names, equal numbers.
        """
        generator = random.Random(f"truncation {self.seed} {draw}")
        return [
            self._masked(ids, verdict, generator.random()) for ids, verdict in zip(completions, verdicts, strict=True)
        ]

    def _masked(self, ids: Sequence[int], verdict: str, drawn: float) -> bool:
        if self.rule == "none" or not self.truncated(ids):
            return False
        return self.rule == "all" or (verdict in NON_INCORRECT and not repeats(ids, self.repeat) and drawn < self.rho)


def repeats(ids: Sequence[int], size: int) -> bool:
    """repeat(o, m): whether the last `size` tokens equal the `size` tokens before them."""
    return len(ids) >= 2 * size and ids[-size:] == ids[-2 * size : -size]
