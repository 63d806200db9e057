"""What an experiment's runs are trained on: the split itself, or one made from it that differs in its train part alone.

`selected` is the paper's predict-calibrate-select at the size of a toy. The base itself is the solver, with the 32
attempts a problem and the limits of 1 % and 97 % of arXiv 2603.24202; of what is left the easiest 30 % go, as filtering
is said to cut the paper's set by about as much (a third party's reading). `strict` and `lenient` change how outputs of
train problems are compared, where a checker compares tokens or values; programs that check are left alone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from microcoder_judge import Judge
from microcoder_train.artifacts import model_fingerprint, new_result, read_result, run_key, write_json
from microcoder_train.config import TrainSettings
from microcoder_train.data import part_files, read_data_version, read_part, read_table
from microcoder_train.errors import TrainError
from microcoder_train.experiments.grids import Data

RECORD = "manifest.json"
ATTEMPTS = 32
LOWEST, HIGHEST = 0.01, 0.97
CUT = 0.3
RULES: dict[str, dict[str, str]] = {
    "strict": {"tokens": "lines", "tokens_float": "lines"},
    "lenient": {"tokens": "unordered_tokens", "tokens_float": "unordered_tokens", "value": "unordered"},
}
"""Checker by checker, what stands in its place."""


def prepare(split: Path, data: Data, out: Path, base: str, settings: TrainSettings, say: Callable[[str], None]) -> Path:
    """The folder of the split to train on: `split`, or `out`, made or found there. Raises TrainError as `read_part`."""
    if data == "all":
        return split
    version = read_data_version(split)
    parts: dict[str, Any] = {"kind": "experiment_data", "data": data, "split": version}
    if data == "selected":
        parts |= {"model": model_fingerprint(base), "attempts": ATTEMPTS, "limits": [LOWEST, HIGHEST], "cut": CUT}
        parts |= {"max_prompt_tokens": settings.max_prompt_tokens}
    key = run_key(**parts)
    if read_result(out, RECORD, key) is not None:
        return out
    table = read_table(split, "train")
    with new_result(out, RECORD) as folder:
        if data == "selected":
            rates = solve_rates(split, base, settings, say)
            kept = select(rates)
            chosen = table.filter(pa.array([problem in kept for problem in table["problem_id"].to_pylist()]))
            if not len(chosen):
                raise TrainError(
                    f"none of the {len(rates)} train problems is solved in {100 * LOWEST:g} % to {100 * HIGHEST:g} % "
                    f"of {ATTEMPTS} attempts; give a stronger --model"
                )
            say(f"selected {len(chosen)} of {len(rates)} problems by {ATTEMPTS} attempts each")
        else:
            rates = {}
            checkers = [_replaced(checker, RULES[data]) for checker in table["checker"].to_pylist()]
            place = table.column_names.index("checker")
            chosen = table.set_column(place, "checker", pa.array(checkers, pa.string()))
        (folder / "data").mkdir()
        pq.write_table(chosen, folder / "data" / "train-00000-of-00001.parquet")
        for path in part_files(split, "validation"):
            shutil.copyfile(path, folder / "data" / path.name)
        made = hashlib.sha256(f"{version} {data} {chosen['problem_id'].to_pylist()}".encode()).hexdigest()[:16]
        write_json(folder / RECORD, {"key": key, "data_version": made, "of": version, "data": data, "rates": rates})
    return out


def select(rates: Mapping[str, float]) -> set[str]:
    """Those within the limits but for the easiest share CUT, rounded down. rates: problem -> solve rate."""
    within = [problem for problem, rate in rates.items() if LOWEST <= rate <= HIGHEST]
    hardest = sorted(within, key=lambda problem: (rates[problem], problem))
    return set(hardest[: len(hardest) - int(CUT * len(hardest))])


def solve_rates(split: Path, base: str, settings: TrainSettings, say: Callable[[str], None]) -> dict[str, float]:
    """Share of ATTEMPTS of the base that each train problem accepts, of those whose prompt fits, sampled as it is
    scored."""
    from microcoder_train.estimates import pass_rates
    from microcoder_train.generation import load_policy
    from microcoder_train.validation import evaluate

    part = read_part(split, "train")
    policy = load_policy(base, settings.dtype)
    part.rows = tuple(row for row in part.rows if len(policy.encode(row.prompt)) <= settings.max_prompt_tokens)
    say(f"measuring {len(part.rows)} train problems by {ATTEMPTS} attempts of the base")
    own = replace(settings.evaluation, samples=ATTEMPTS)
    with Judge(workers=settings.judge_workers) as judge:
        return pass_rates((s.problem_id, s.accepted) for s in evaluate("base", base, part, judge, own, 0))


def _replaced(checker: str | None, rules: dict[str, str]) -> str | None:
    name = json.loads(checker)["name"] if checker else ""
    return json.dumps({"name": rules[name]}) if name in rules else checker
