"""What training runs leave, in the store: a row a run, a row a step and metric, and two runs side by side."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from microcoder_assets.errors import UserError
from microcoder_assets.schema import TRAINING_CURVES, TRAINING_RUNS
from microcoder_assets.store import ParquetStore
from microcoder_assets.store.catalogue import query

RECORD = "summary.json"


def record_run(store: ParquetStore, folder: Path, run: str, source: str) -> str:
    """Put the finished run in `folder` into `training_runs` and `training_curves`, in place of an equal one; its key.

    run: what it is called from now on. Raises UserError naming a folder that holds no finished run.
    """
    path = folder / RECORD
    try:
        summary = json.loads(path.read_text("utf-8"))
        key = str(summary["key"])
        if not key.isalnum():
            raise ValueError(f"key {key!r} is not of letters and digits")
        runs, curves = _run_row(summary, folder, run, source), _curve_rows(summary, run)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist; give the --out folder of a finished `grpo` run") from error
    except (ValueError, KeyError, TypeError, AttributeError, pl.exceptions.PolarsError) as error:
        raise UserError(f"{path} is no record of a `grpo` run ({type(error).__name__}: {error})") from error
    store.keep("training_curves", key, curves)
    store.keep("training_runs", key, runs)
    return key


def _run_row(summary: dict[str, Any], folder: Path, run: str, source: str) -> pl.DataFrame:
    scores = summary["validation"]
    row = {
        "run": run,
        "source": source,
        "folder": str(folder),
        "config": json.dumps(summary["config"], sort_keys=True),
        "base_pass_at_1": scores["base"]["pass@1"],
        "pass_at_1": scores["tuned"]["pass@1"],
        "pass_at_1_low": scores["tuned"]["low"],
        "pass_at_1_high": scores["tuned"]["high"],
        "gain": scores["difference"]["pass@1"],
        "gain_low": scores["difference"]["low"],
        "gain_high": scores["difference"]["high"],
        **{name: summary[name] for name in ("key", "seed", "data_version", "base", "steps", "problems", "seconds")},
    }
    return pl.DataFrame([row], schema=TRAINING_RUNS)


def _curve_rows(summary: dict[str, Any], run: str) -> pl.DataFrame:
    rows = [
        {"key": summary["key"], "run": run, "step": point["step"], "metric": metric, "value": value}
        for point in summary["curve"]
        for metric, value in point.items()
        if metric != "step" and value is not None
    ]
    return pl.DataFrame(rows, schema=TRAINING_CURVES)


@dataclass(frozen=True, slots=True)
class Run:
    """A stored run. config: its settings, nested groups as `group.key`."""

    name: str
    key: str
    facts: dict[str, Any]

    @property
    def config(self) -> dict[str, Any]:
        return _flat(json.loads(self.facts["config"]))


def _flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in config.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def find_run(store: ParquetStore, wanted: str) -> Run:
    """The run of that name, or whose key begins so. Raises UserError where there is none, or more than one."""
    named = "SELECT * FROM training_runs WHERE run = $1 OR starts_with(key, $1) ORDER BY run, key"
    found = query(store, named, [wanted]).to_dicts()
    exact = [row for row in found if wanted in (row["run"], row["key"])] or found
    if not exact:
        raise UserError(f"no run {wanted!r} in this home; `microcoder runs list` names them")
    if len(exact) > 1:
        keys = ", ".join(row["key"] for row in exact)
        raise UserError(f"{wanted!r} names {len(exact)} runs; give one of their keys: {keys}")
    return Run(exact[0]["run"], exact[0]["key"], exact[0])


def differing_settings(first: Run, second: Run) -> pl.DataFrame:
    """One row for each setting, and for seed, data and base, that the two do not share."""
    shared = ("seed", "data_version", "base")
    a, b = ({name: run.facts[name] for name in shared} | run.config for run in (first, second))
    names = [name for name in a | b if a.get(name) != b.get(name)]
    rows = [{"setting": name, "a": _text(a.get(name)), "b": _text(b.get(name))} for name in names]
    return pl.DataFrame(rows, schema={"setting": pl.String, "a": pl.String, "b": pl.String})


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def paired_steps(store: ParquetStore, first: Run, second: Run) -> pl.DataFrame:
    """The view `training_pairs` of two runs: metric, step, a, b, difference, in order."""
    wanted = """
        SELECT metric, step, a, b, difference FROM training_pairs
        WHERE key_a = $1 AND key_b = $2 ORDER BY metric, step
    """
    return query(store, wanted, [first.key, second.key])


def score_table(first: Run, second: Run) -> pl.DataFrame:
    """pass@1 on the validation part of both, base, tuned and gain, with their 95 % intervals over problems."""
    scores = ("base", "tuned", "gain")
    return pl.DataFrame([{"pass@1": name, "a": _score(first, name), "b": _score(second, name)} for name in scores])


def _score(run: Run, score: str) -> str:
    facts = run.facts
    if score == "base":
        return _number(facts["base_pass_at_1"])
    name = "gain" if score == "gain" else "pass_at_1"
    return f"{_number(facts[name])} [{_number(facts[f'{name}_low'])}, {_number(facts[f'{name}_high'])}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
