"""What is wrong with the way an attack ended; empty when the judge held."""

from __future__ import annotations

from attacks.attack import ESCAPED, Attack
from microcoder_judge import Verdict

GRACE_S = 1.0
"""How long after its limit an attack may go on (issue 3)."""


def complaints(attack: Attack, verdict: str, message: str) -> list[str]:
    """Whether the attack was accepted, got out, or has a verdict that it should not have."""
    if verdict == Verdict.AC:
        return ["accepted"]
    if ESCAPED in message:
        return [f"got out: {message}"]
    if verdict not in attack.allowed:
        return [f"is {verdict} ({message}), right is {' or '.join(sorted(attack.allowed))}"]
    return []


def in_time(attack: Attack, cpu_s: float, wall_s: float) -> bool:
    """Within the limit and a second: of CPU time, and of wall time where the program did not work or wait for a core.

    The judge's own guard, 3 x limit + 1 s of wall time, holds for all.
    """
    limit = attack.limits.time_s + GRACE_S
    waited_for_a_core = cpu_s > 0.1 * wall_s
    return cpu_s <= limit and wall_s <= (3 * attack.limits.time_s + 1 + GRACE_S if waited_for_a_core else limit)
