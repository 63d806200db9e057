"""The scorer for when no model is served: features to dimensions by formulas one can read. It is not the LLM.

Each dimension is `1 + 4 * sigmoid(bias + sum(coefficient * z))` over its own features, where z is the feature in
standard deviations from the training mean, cut to [-4, 4]; an unknown feature counts as the mean. So a dimension is
monotone in every feature, its direction is the coefficient's sign, and no input leaves the scale.
The coefficients lie in embedded.json, fitted by `python -m microcoder_assets.filtering.fit_embedded` towards the
priors below. Form, features and priors are ours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from microcoder_assets.errors import UserError
from microcoder_assets.filtering.features import FEATURES, features
from microcoder_assets.filtering.scorer import Draw, ProblemScore
from microcoder_assets.schema import DIMENSIONS

DEFAULT = Path(__file__).with_name("embedded.json")
LOWEST, SPAN = 1.0, 4.0
Floats = npt.NDArray[np.float64]

PRIORS: dict[str, dict[str, float]] = {
    "algorithmic_thinking": {
        "log_words": 0.1, "log_largest_bound": 0.2, "time_limit_s": 0.1, "tags": 0.2,
        "topic_arrays": -0.1, "topic_implementation": -0.3, "topic_brute_force": -0.1, "topic_sorting": -0.1,
        "topic_greedy": 0.0, "topic_constructive": 0.2, "topic_two_pointers": 0.0, "topic_binary_search": 0.2,
        "topic_dynamic_programming": 0.4, "topic_bit_manipulation": 0.1, "topic_divide_and_conquer": 0.2,
        "topic_graphs": 0.2, "topic_shortest_paths": 0.1, "topic_flows": 0.3, "topic_games": 0.1,
        "topic_interactive": 0.1, "cue_counting": 0.1, "cue_subsequence": 0.1, "cue_permutation": 0.1,
        "cue_xor": 0.1, "cue_optimum": 0.1, "cue_lexicographic": 0.1, "cue_pairs": 0.0, "cue_test_cases": 0.0,
        "cue_graph": 0.1,
    },
    "implementation": {
        "log_words": 0.2, "samples": 0.0, "log_sample_bytes": 0.1, "function": 0.0, "log_cyclomatic": 0.2,
        "log_volume": 0.2, "log_difficulty": 0.1, "log_effort": 0.1, "loop_depth": 0.1, "log_code_lines": 0.2,
        "topic_implementation": 0.0, "topic_graphs": 0.1, "topic_geometry": 0.1, "topic_range_structures": 0.1,
    },
    "mathematics": {
        "maths_share": 0.1, "log_largest_bound": 0.2, "topic_mathematics": 0.1, "topic_number_theory": 0.2,
        "topic_combinatorics": 0.4, "topic_probability": 0.3, "topic_geometry": 0.2, "topic_games": 0.2,
        "topic_transforms": 0.3, "cue_modulo": 0.3, "cue_expected": 0.2, "cue_counting": 0.1, "cue_polygon": 0.1,
    },
    "data_structures": {
        "log_smallest_bound": 0.1, "time_limit_s": 0.2, "topic_hashing": 0.0, "topic_linear_structures": 0.1,
        "topic_range_structures": 0.4, "topic_union_find": 0.2, "topic_trees": 0.2, "topic_string_structures": 0.2,
        "cue_queries": 0.3, "cue_tree": 0.2, "cue_segments": 0.1,
    },
    "edge_cases": {
        "bounds": 0.1, "log_largest_bound": 0.1, "log_smallest_bound": 0.1, "log_cyclomatic": 0.1,
        "topic_greedy": 0.1, "topic_constructive": 0.1, "cue_special_cases": 0.1,
        "cue_any_answer": 0.0, "cue_precision": 0.1, "cue_guaranteed": 0.1,
    },
}  # fmt: skip
"""Dimension -> feature -> coefficient to start from, before any rating was seen. The number and size of tests are
left out: the platforms with ratings show their samples only, so nothing could be learnt for those with full tests."""


class Standard(BaseModel):
    """Mean and standard deviation of a feature over the training problems that have it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean: float
    sd: float = Field(gt=0)


class Formula(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    bias: float
    coefficients: dict[str, float]


class Table(BaseModel):
    """embedded.json. residual_sd: of the held-out scores against ratings on the rubric's scale.
    trained_on, held_out_spearman: per platform; empty where the table holds the priors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    origin: str
    rubric_version: str
    trained_on: dict[str, int]
    held_out_spearman: dict[str, float]
    residual_sd: float = Field(ge=0)
    features: dict[str, Standard]
    dimensions: dict[str, Formula]


@dataclass(frozen=True, slots=True)
class EmbeddedScorer:
    table: Table
    version: str

    @property
    def name(self) -> str:
        return f"embedded:{self.version}"

    def score(self, problems: pl.DataFrame) -> Iterator[ProblemScore]:
        values = dimension_values(self.table, standardised(features(problems), self.table.features))
        for index, problem_id in enumerate(problems["problem_id"]):
            draw = Draw({name: float(values[name][index]) for name in DIMENSIONS})
            yield ProblemScore(problem_id, (draw,), uncertainty=self.table.residual_sd)


def load_embedded(path: Path = DEFAULT) -> EmbeddedScorer:
    """Raises UserError naming the file and the fault. Its version is the declared one and a hash of the file."""
    try:
        content = path.read_bytes()
        table = Table.model_validate_json(content)
    except OSError as error:
        raise UserError(f"coefficient table {path}: {error.strerror}; restore it from the package") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(f"coefficient table {path}: {key}: {first['msg']}; refit it with fit_embedded") from error
    named = {name for formula in table.dimensions.values() for name in formula.coefficients}
    unknown = sorted((named | set(table.features)) - set(FEATURES))
    if unknown or set(table.dimensions) != set(DIMENSIONS) or not named <= set(table.features):
        detail = f"unknown features {', '.join(unknown)}" if unknown else "dimensions or features are missing"
        raise UserError(f"coefficient table {path}: {detail}; refit it with fit_embedded")
    return EmbeddedScorer(table, f"{table.version}-{hashlib.sha256(content).hexdigest()[:8]}")


def dump_table(table: Table) -> str:
    return json.dumps(table.model_dump(), indent=1, ensure_ascii=False) + "\n"


def standardised(measured: pl.DataFrame, standards: Mapping[str, Standard]) -> dict[str, Floats]:
    """Feature -> z of every row, in [-4, 4]; 0 where unknown."""
    return {
        name: (
            ((pl.Series(measured[name]) - standard.mean) / standard.sd)
            .fill_nan(None)
            .fill_null(0.0)
            .clip(-4.0, 4.0)
            .to_numpy()
        )
        for name, standard in standards.items()
    }


def dimension_values(table: Table, z: Mapping[str, Floats]) -> dict[str, Floats]:
    """Dimension -> value of every row, within 1 and 5."""
    rows = len(next(iter(z.values())))
    values = {}
    for name, formula in table.dimensions.items():
        linear = np.full(rows, formula.bias)
        for feature, coefficient in formula.coefficients.items():
            linear += coefficient * z[feature]
        values[name] = LOWEST + SPAN / (1 + np.exp(-np.clip(linear, -30, 30)))
    return values
