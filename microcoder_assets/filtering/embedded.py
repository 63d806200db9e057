"""The scorer for when no model is served: a learnt rating says how hard, readable formulas in what.
It is not the LLM.

How hard: a RatingModel learnt from contest ratings (rating_model.py), one for each platform with enough of them, gives
a problem's rating, and `rating_score` places that on the scale of 1 to 5. A problem of another platform is rated by
the model whose platform asks for the same form (functions or programs).

In what: each dimension is `1 + 4 * sigmoid(bias + sum(coefficient * z) + shift)` over its own features, where z is the
feature in standard deviations from the training mean, cut to [-4, 4]; an unknown feature counts as the mean. The shift
is one number a problem, the same for all five dimensions, such that their weighted mean is the score of the rating.
So dimensions and score always agree, as they do in an LLM's answer; a dimension is monotone in each of its features
but for the shift; no input leaves the scale.

The coefficients lie in embedded.json, the arrays of the models in embedded.npz beside it; both are written by
`python -m microcoder_assets.filtering.fit_embedded`. Form, features and priors are ours.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from microcoder_assets.errors import UserError
from microcoder_assets.filtering.features import FEATURES, features
from microcoder_assets.filtering.rating_model import RatingModel, rating_inputs
from microcoder_assets.filtering.rubric import Rubric, load_rubric
from microcoder_assets.filtering.scorer import Draw, ProblemScore
from microcoder_assets.schema import DIMENSIONS

DEFAULT = Path(__file__).with_name("embedded.json")
LOWEST, SPAN = 1.0, 4.0
EASIEST_ELO, HARDEST_ELO = 800.0, 3500.0
"""Range of Codeforces ratings, mapped to 1..5; LeetCode's lie inside. Ours."""

SCORE_MARGIN = 0.05  # scores keep this distance from the ends, which no sigmoid reaches
LARGEST_SHIFT, HALVINGS = 60.0, 50
ROWS_AT_A_TIME = 4096
"""Problems that are measured at once. Ours."""
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


class RatingCard(BaseModel):
    """What is known of one platform's rating model.

    io_mode: the form of most of its problems. trained_on: rows. training_sha: sha256 over their ids and contents,
    sorted. held_out: newer rows that only measured. spearman: of their ratings with the score, and with the
    statement's length as a baseline. residual_sd: of held-out scores, in rubric points.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    io_mode: str | None
    trained_on: int
    training_sha: str
    held_out: int
    held_out_from: str
    spearman: float
    spearman_of_length: float
    residual_sd: float = Field(ge=0)


class Table(BaseModel):
    """embedded.json. ratings: platform -> card of its model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    origin: str
    rubric_version: str
    ratings: dict[str, RatingCard] = Field(min_length=1)
    features: dict[str, Standard]
    dimensions: dict[str, Formula]


@dataclass(frozen=True, slots=True)
class EmbeddedScorer:
    table: Table
    models: Mapping[str, RatingModel]
    rubric: Rubric
    version: str

    @property
    def name(self) -> str:
        return f"embedded:{self.version}"

    def score(self, problems: pl.DataFrame) -> Iterator[ProblemScore]:
        """As `Scorer.score`. Problems of one contest are scored together: each one's score hangs on the others."""
        platforms = self.rated_as(problems)
        scores = rating_score(self.ratings(problems, platforms))
        for start in range(0, len(platforms), ROWS_AT_A_TIME):
            part = slice(start, start + ROWS_AT_A_TIME)
            yield from self._score(problems[part], scores[part], platforms[part])

    def _score(self, problems: pl.DataFrame, scores: Floats, platforms: list[str]) -> Iterator[ProblemScore]:
        levels = dimension_levels(self.table, standardised(features(problems), self.table.features))
        values = shifted(levels, scores, self.rubric)
        for index, problem_id in enumerate(problems["problem_id"]):
            draw = Draw({name: float(values[name][index]) for name in DIMENSIONS})
            yield ProblemScore(problem_id, (draw,), uncertainty=self.table.ratings[platforms[index]].residual_sd)

    def rated_as(self, problems: pl.DataFrame) -> list[str]:
        """The platform whose model rates each row: its own, else the first of the same form, else the first."""
        cards = sorted(self.table.ratings.items())
        by_form = {card.io_mode: platform for platform, card in reversed(cards)}
        return [
            platform if platform in self.table.ratings else by_form.get(io_mode, cards[0][0])
            for platform, io_mode in problems.select("platform", "io_mode").iter_rows()
        ]

    def ratings(self, problems: pl.DataFrame, platforms: list[str]) -> Floats:
        """In points of the platform that each row is rated as. Only on that platform itself do the others of a contest
        count: elsewhere a contest may be of another kind."""
        rated = np.empty(len(platforms))
        for start in range(0, len(platforms), ROWS_AT_A_TIME):
            inputs, chosen = rating_inputs(problems[start : start + ROWS_AT_A_TIME]), platforms[start:][:ROWS_AT_A_TIME]
            for platform in sorted(set(chosen)):
                rows = [row for row, name in enumerate(chosen) if name == platform]
                rated[[start + row for row in rows]] = self.models[platform].average(inputs.take(rows))
        home = problems["platform"].to_list()
        contests = problems["contest"].fill_null("").to_list()
        for platform in sorted(set(platforms)):
            rows = [row for row, name in enumerate(platforms) if name == platform]
            among = [contests[row] if home[row] == platform else "" for row in rows]
            rated[rows] = self.models[platform].among_others(rated[rows], among)
        return rated


def load_embedded(path: Path = DEFAULT) -> EmbeddedScorer:
    """Raises UserError naming the file and the fault. Its version is the declared one and a hash of both files."""
    arrays_path = path.with_suffix(".npz")
    try:
        content, arrays_content = path.read_bytes(), arrays_path.read_bytes()
        table = Table.model_validate_json(content)
        with np.load(arrays_path, allow_pickle=False) as arrays:
            models = {platform: load_model(arrays, platform) for platform in table.ratings}
    except OSError as error:
        raise UserError(f"embedded scorer {error.filename}: {error.strerror}; restore it from the package") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(f"coefficient table {path}: {key}: {first['msg']}; refit it with fit_embedded") from error
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(f"rating models {arrays_path}: {error}; refit them with fit_embedded") from error
    named = {name for formula in table.dimensions.values() for name in formula.coefficients}
    unknown = sorted((named | set(table.features)) - set(FEATURES))
    if unknown or set(table.dimensions) != set(DIMENSIONS) or not named <= set(table.features):
        detail = f"unknown features {', '.join(unknown)}" if unknown else "dimensions or features are missing"
        raise UserError(f"coefficient table {path}: {detail}; refit it with fit_embedded")
    version = f"{table.version}-{hashlib.sha256(content + arrays_content).hexdigest()[:8]}"
    return EmbeddedScorer(table, models, load_rubric(), version)


def load_model(arrays: Mapping[str, npt.NDArray[np.generic]], platform: str) -> RatingModel:
    """Raises KeyError for a missing array."""
    prefix = f"{platform}."
    return RatingModel.of({name.removeprefix(prefix): arrays[name] for name in arrays if name.startswith(prefix)})


def save_embedded(path: Path, table: Table, models: Mapping[str, RatingModel]) -> None:
    """Writes the table to `path` and the models beside it."""
    arrays = {
        f"{platform}.{name}": array for platform in sorted(models) for name, array in models[platform].arrays().items()
    }
    path.write_text(json.dumps(table.model_dump(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    np.savez_compressed(path.with_suffix(".npz"), allow_pickle=False, **arrays)


def rating_score(ratings: Floats) -> Floats:
    """Elo-like ratings on the rubric's scale."""
    scores = LOWEST + SPAN * (ratings - EASIEST_ELO) / (HARDEST_ELO - EASIEST_ELO)
    return np.clip(scores, LOWEST + SCORE_MARGIN, LOWEST + SPAN - SCORE_MARGIN)


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


def dimension_levels(table: Table, z: Mapping[str, Floats]) -> dict[str, Floats]:
    """Dimension -> bias + sum(coefficient * z) of every row."""
    rows = len(next(iter(z.values())))
    levels = {}
    for name, formula in table.dimensions.items():
        levels[name] = np.full(rows, formula.bias)
        for feature, coefficient in formula.coefficients.items():
            levels[name] += coefficient * z[feature]
    return levels


def dimension_values(levels: Mapping[str, Floats]) -> dict[str, Floats]:
    """Dimension -> value of every row, within 1 and 5."""
    return {name: LOWEST + SPAN / (1 + np.exp(-np.clip(level, -30, 30))) for name, level in levels.items()}


def shifted(levels: Mapping[str, Floats], scores: Floats, rubric: Rubric) -> dict[str, Floats]:
    """Dimension -> value of every row, all moved by the one shift that makes their weighted mean the score."""
    low, high = np.full(len(scores), -LARGEST_SHIFT), np.full(len(scores), LARGEST_SHIFT)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        values = dimension_values({name: level + middle for name, level in levels.items()})
        below = sum(rubric.dimensions[name].weight * values[name] for name in DIMENSIONS) < scores
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return dimension_values({name: level + (low + high) / 2 for name, level in levels.items()})
