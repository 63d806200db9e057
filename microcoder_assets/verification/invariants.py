"""What all inputs of a problem obey beside their form: likely invariants in the sense of Ernst et al., "Dynamically
discovering likely program invariants" (2001). Which ones are looked for is ours."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations, product
from typing import Any

from microcoder_assets.verification.input_form import Block, Numbers, Values

COMPARE: dict[str, Callable[[Any, Any], bool]] = {"<=": operator.le, "<": operator.lt, "!=": operator.ne}


@dataclass(frozen=True, slots=True)
class Invariant:
    """kind: `<=`, `<` or `!=` between two columns row by row, or between a column and a single number (broadcast);
    `distinct`, `rising` or `increasing` of one column; `rows` for distinct rows of several."""

    kind: str
    columns: tuple[str, ...]

    def holds(self, values: Mapping[str, Sequence[Any]]) -> bool:
        match self.kind:
            case "distinct":
                return len(set(values[self.columns[0]])) == len(values[self.columns[0]])
            case "rows":
                rows = list(zip(*(values[name] for name in self.columns), strict=True))
                return len(set(rows)) == len(rows)
            case "rising" | "increasing":
                compared = COMPARE["<" if self.kind == "increasing" else "<="]
                return all(compared(one, other) for one, other in pairwise(values[self.columns[0]]))
        one, other = (list(values[name]) for name in self.columns)
        pairs = zip(one, other * len(one) if len(other) == 1 else other, strict=False)
        return all(COMPARE[self.kind](a, b) for a, b in pairs)


def find_invariants(blocks: Sequence[Block], inputs: Sequence[Values]) -> list[Invariant]:
    """Those that hold in every input. Of a column they need three values in some input, else they say nothing."""
    singles = [n for b in blocks if b.single for n, c in zip(b.names, b.columns, strict=True) if isinstance(c, Numbers)]
    candidates = [Invariant(kind, pair) for pair in permutations(singles, 2) for kind in ("<", "<=")]
    for block in blocks:
        numeric = [
            n for n, c in zip(block.names, block.columns, strict=True) if isinstance(c, Numbers) and not block.single
        ]
        candidates += [Invariant(kind, pair) for pair in product(numeric, singles) for kind in ("<", "<=")]
        candidates += [Invariant(kind, pair) for pair in permutations(numeric, 2) for kind in ("<", "<=")]
        candidates += [Invariant("!=", pair) for pair in combinations(numeric, 2)]
        if not block.single and any(len(values[block.names[0]]) > 2 for values in inputs if block.names):
            candidates += [Invariant(k, (n,)) for n in numeric for k in ("increasing", "rising", "distinct")]
            if len(block.names) > 1:
                candidates.append(Invariant("rows", block.names))
            elif block.names and not numeric:
                candidates.append(Invariant("distinct", block.names))
    return [candidate for candidate in candidates if all(map(candidate.holds, inputs))]
