"""Programs that attack the judge, by kind. None may be accepted, none may do anything outside its sandbox."""

from __future__ import annotations

from attacks import answers, batch, calls, escapes, grader, memory, outputs, resources, sources, state, values
from attacks.attack import Attack
from attacks.world import World

CORPUS: dict[str, tuple[Attack, ...]] = {
    "answers": answers.ATTACKS,
    "grader": grader.ATTACKS,
    "values": values.ATTACKS,
    "outputs": outputs.ATTACKS,
    "sources": sources.ATTACKS,
    "resources": resources.ATTACKS,
    "memory": memory.ATTACKS,
    "escapes": escapes.ATTACKS,
    "calls": calls.ATTACKS,
    "batch": batch.ATTACKS,
    "state": state.ATTACKS,
}

__all__ = ["CORPUS", "Attack", "World"]
