"""What a command tells its caller, whoever that is: a person at a terminal or an orchestrator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Report:
    """numbers, tables (Markdown) and plots (PNG files) by name. version: names the result; equal input, equal name."""

    headline: str
    version: str
    numbers: Mapping[str, float | int | None] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    plots: Mapping[str, Path] = field(default_factory=dict)


def number(value: float | None) -> str:
    """Three digits; a dash where nothing could be judged."""
    return "-" if value is None else f"{value:.3f}"


def validation_table(validation: Mapping[str, Any]) -> str:
    """Base, tuned and their difference, and both by difficulty, as Markdown. validation: of a run's record."""
    lines = [f"| {name} | {cells(validation[name])} |" for name in ("base", "tuned", "difference")]
    for level in validation["base"]["by_difficulty"]:
        lines += [
            f"| {name}, {level} | {cells(validation[name]['by_difficulty'][level])} |" for name in ("base", "tuned")
        ]
    return "\n".join(["| validation | pass@1 | 95 % interval |", "| --- | --- | --- |", *lines])


def cells(estimate: Mapping[str, float | None]) -> str:
    """An estimate's JSON form as two cells of a Markdown row."""
    return f"{number(estimate['pass@1'])} | {number(estimate['low'])} to {number(estimate['high'])}"
