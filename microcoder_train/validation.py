"""pass@1 of policies on judged problems, with intervals, by difficulty, and paired between two policies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from microcoder_train.config import EvaluationSettings
from microcoder_train.data import Part, Row
from microcoder_train.estimates import Estimate, bootstrap, paired_difference, pass_rates
from microcoder_train.generation import Completion, Policy, load_policy, sample
from microcoder_train.rewards import Judging, judge_completions

TOO_LONG = "TOO_LONG"
"""Verdict of every sample of a prompt that leaves no room to answer in the model's context: a failure."""
NO_ANSWER = Completion("", (), False)


@dataclass(frozen=True, slots=True)
class Sample:
    """One judged completion. accepted: None where the judge itself failed."""

    model: str
    problem_id: str
    difficulty: str
    sample: int
    accepted: bool | None
    verdict: str
    passed: int
    total: int
    truncated: bool
    tokens: int
    code: str | None
    completion: str


@dataclass(frozen=True, slots=True)
class Score:
    """pass@1 of one policy. too_long: problems whose prompt left no room to answer; they count as failures."""

    overall: Estimate
    samples: int
    too_long: int
    truncated: float
    by_difficulty: dict[str, Estimate]

    def groups(self) -> dict[str, Estimate]:
        """`overall`, then each difficulty."""
        return {"overall": self.overall, **self.by_difficulty}

    def to_dict(self) -> dict[str, Any]:
        return {
            **estimate_dict(self.overall),
            "samples": self.samples,
            "too_long": self.too_long,
            "truncated": self.truncated,
            "by_difficulty": {name: estimate_dict(value) for name, value in self.by_difficulty.items()},
        }


def estimate_dict(value: Estimate) -> dict[str, float | None]:
    """The JSON form; null where nothing could be judged."""
    numbers = {"pass@1": value.mean, "low": value.low, "high": value.high}
    known = {name: None if math.isnan(number) else number for name, number in numbers.items()}
    return {**known, "problems": value.problems}


def fits(policy: Policy, rows: Sequence[Row], room: int) -> list[list[int] | None]:
    """Each row's encoded prompt, or None where fewer than `room` tokens of the context are left to answer in."""
    encoded = [policy.encode(row.prompt) for row in rows]
    return [ids if len(ids) + room <= policy.context else None for ids in encoded]


def evaluate(name: str, path: str, part: Part, judge: Judging, settings: EvaluationSettings, seed: int) -> list[Sample]:
    """Samples of the policy at `path` for every problem of `part`, judged against all tests, in row order."""
    policy = load_policy(path, settings.dtype)
    prompts = fits(policy, part.rows, settings.max_completion_tokens)
    drawn = iter(
        sample(
            policy,
            [ids for ids in prompts if ids is not None],
            settings.samples,
            temperature=settings.temperature,
            max_tokens=settings.max_completion_tokens,
            batch=settings.batch,
            seed=seed,
            label=f"sampling {name}",
        )
    )
    answers = [[NO_ANSWER] * settings.samples if ids is None else next(drawn) for ids in prompts]
    flat = [
        (row, number, answer)
        for row, found in zip(part.rows, answers, strict=True)
        for number, answer in enumerate(found)
    ]
    judged = judge_completions(judge, part.problem, [(row.problem_id, answer.text) for row, _, answer in flat])
    return [
        Sample(
            model=name,
            problem_id=row.problem_id,
            difficulty=row.difficulty,
            sample=number,
            accepted=item.accepted,
            verdict=TOO_LONG if answer is NO_ANSWER else item.verdict,
            passed=item.passed,
            total=item.total,
            truncated=answer.truncated,
            tokens=answer.tokens,
            code=item.code,
            completion=answer.text,
        )
        for (row, number, answer), item in zip(flat, judged, strict=True)
    ]


def score(samples: Sequence[Sample], resamples: int) -> Score:
    """The scores of one policy's samples."""
    rates = pass_rates((item.problem_id, item.accepted) for item in samples)
    difficulty = {item.problem_id: item.difficulty for item in samples}
    names = sorted(set(difficulty.values()), key=difficulty_order)
    return Score(
        overall=bootstrap(list(rates.values()), resamples),
        samples=max(item.sample for item in samples) + 1,
        too_long=len({item.problem_id for item in samples if item.verdict == TOO_LONG}),
        truncated=sum(item.truncated for item in samples) / len(samples),
        by_difficulty={
            name: bootstrap([rate for problem, rate in rates.items() if difficulty[problem] == name], resamples)
            for name in names
        },
    )


def compare(first: Sequence[Sample], second: Sequence[Sample], resamples: int) -> Estimate:
    """pass@1 of second minus first, paired by problem."""
    rates = [pass_rates((item.problem_id, item.accepted) for item in samples) for samples in (first, second)]
    return paired_difference(rates[0], rates[1], resamples)


def difficulty_order(name: str) -> tuple[int, str]:
    known = ("easy", "medium", "hard", "expert")
    return (known.index(name) if name in known else len(known), name)


def write_samples(path: Path, samples: Sequence[Sample]) -> None:
    """One row a sample, in order; the columns of `Sample`."""
    pq.write_table(pa.Table.from_pylist([asdict(item) for item in samples]), path)
