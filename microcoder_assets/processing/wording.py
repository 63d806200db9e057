"""What only the statement's wording says of how a problem is judged."""

from __future__ import annotations

from microcoder_assets.collection.wording import is_interactive


def interactive(text: str) -> bool:
    return is_interactive(" ".join(text.split()))


def for_quantum_computers(text: str) -> bool:
    """Whether the answer is an operation in Q#, as in the rounds of Codeforces for quantum computing."""
    return "Microsoft.Quantum" in text
