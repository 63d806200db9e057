"""The benchmark as rows: the same shape as a train split, so that one reader serves both."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl

from microcoder_assets.collection.livecodebench import BenchmarkProblem, read_benchmark
from microcoder_assets.collection.records import UnreadableRecord
from microcoder_assets.errors import UserError
from microcoder_assets.publication.prompt import build_prompt
from microcoder_assets.schema import BENCHMARK, conform
from microcoder_assets.stage import Decision, Kind, StageResult
from microcoder_judge import Checker

TIME_LIMIT_S = 6.0
"""Seconds a test, as LiveCodeBench's own grader allows."""


def benchmark_result(path: Path | None, tag: str = "release_latest") -> StageResult:
    """BENCHMARK rows of one release tag of LiveCodeBench; none without a path. Unreadable records are errors.

    Raises UserError where no record can be read: an empty benchmark would switch decontamination off unseen.
    """
    rows, decisions = [], []
    for problem in read_benchmark(path, tag) if path else ():
        if isinstance(problem, UnreadableRecord):
            name = f"{problem.platform}:?{problem.source_ref}"
            decisions.append(Decision(name, Kind.ERROR, problem.reason, {"error": problem.detail}))
            continue
        row = _row(problem)
        rows.append(row)
        decisions.append(Decision(row["problem_id"], Kind.KEPT, "ok", sha_out=row["content_sha"]))
    if path and not rows:
        first = f"{decisions[0].problem_id}: {decisions[0].detail['error']}" if decisions else "it is empty"
        raise UserError(f"benchmark {path} holds no readable problem; {first}")
    return StageResult(conform(pl.DataFrame(rows, schema=BENCHMARK), BENCHMARK), decisions)


def _row(problem: BenchmarkProblem) -> dict[str, Any]:
    tests = (*problem.public_tests, *problem.private_tests)
    function = problem.io_mode == "function"
    content = [problem.statement, problem.io_mode, problem.entry_point or ""]
    digest = hashlib.sha256(json.dumps(content).encode())
    for test in tests:
        digest.update(hashlib.sha256(test.input).digest() + hashlib.sha256(test.expected).digest())
    return {
        "problem_id": problem.problem_id,
        "platform": problem.platform,
        "native_id": problem.problem_id.partition(":")[2],
        "title": problem.title,
        "url": None,
        "contest": problem.contest_id,
        "published": problem.contest_date,
        "published_basis": "contest",
        "split": "test",
        "prompt": build_prompt(problem.statement, problem.io_mode, problem.starter_code),
        "statement": problem.statement,
        "io_mode": problem.io_mode,
        "entry_point": problem.entry_point,
        "starter_code": problem.starter_code,
        "tests": [
            {"name": t.name, "sample": t.sample, "input": t.input, "expected": t.expected} for t in tests
        ],
        "checker": Checker("value" if function else "tokens").to_json(),
        "time_limit_s": TIME_LIMIT_S,
        "memory_limit_mb": None,
        "references": [],
        "difficulty": problem.difficulty,
        "score": None,
        "expected_solve_rate": None,
        "tags": [],
        "license": None,
        "content_sha": digest.hexdigest(),
        "release": problem.release,
        "question_id": problem.question_id,
        "samples": [
            {"input": t.input.decode("utf-8", "replace"), "output": t.expected.decode("utf-8", "replace")}
            for t in problem.public_tests
        ],
    }
