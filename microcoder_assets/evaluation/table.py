"""Base and tuned side by side, as `microcoder run` prints them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from microcoder_assets.project import Project


def score_table(project: Project) -> pl.DataFrame:
    """pass@1 of base and tuned on the validation part and, where it was scored, on LiveCodeBench by difficulty.

    Columns: on, problems, base, tuned, difference (tuned - base), each `value [low, high]` with its 95 % interval.
    """
    rows = [_row("validation", _read(project, "grpo_policy", "summary.json")["validation"])]
    if project.store.manifest("livecodebench_scores"):
        scores = _read(project, "livecodebench_scores", "scores.json")
        models = scores["models"]
        for group in models["base"]:
            found = {name: models[name][group] for name in ("base", "tuned")}
            if group == "overall":
                found["difference"] = scores["differences"]["tuned - base"]
            rows.append(_row(f"livecodebench {group}", found))
    return pl.DataFrame(rows)


def _read(project: Project, asset: str, name: str) -> dict[str, Any]:
    manifest = project.store.manifest(asset)
    assert manifest is not None
    text = (Path(project.home) / manifest.extra["folder"] / name).read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _row(name: str, scores: dict[str, Any]) -> dict[str, Any]:
    return {
        "pass@1 on": name,
        "problems": scores["base"]["problems"],
        "base": _interval(scores["base"]),
        "tuned": _interval(scores["tuned"]),
        "difference": _interval(scores["difference"]) if "difference" in scores else "",
    }


def _interval(score: dict[str, float]) -> str:
    return f"{score['pass@1']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"
