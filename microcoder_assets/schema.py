"""The one schema: what a row of each asset holds, as Polars types.

The DuckDB view of an asset has the same columns. Bytes of tests are not in these rows: a test names its input and
expected output by sha256, and `store.blobs` holds each once.
"""

from __future__ import annotations

import polars as pl

Schema = dict[str, pl.DataType | type[pl.DataType]]
Rows = pl.DataFrame | pl.LazyFrame
"""Rows at hand, or rows of the store (`ParquetStore.scan`) of which only what is looked at is read."""

REFERENCE = pl.Struct({"name": pl.String, "language": pl.String, "label": pl.String, "code": pl.String})
"""A submission known to the source. label: accepted, wrong_answer, time_limit_exceeded, run_time_error or rejected."""

TEST = pl.Struct(
    {
        "name": pl.String,
        "sample": pl.Boolean,
        "input_sha": pl.String,
        "expected_sha": pl.String,
        "bytes": pl.Int64,
    }
)
"""A test by reference. stdin problems: raw bytes. Function problems: JSON array of arguments, JSON value."""

CHECKER_EVIDENCE = pl.Struct({"rule": pl.String, "sentence": pl.String})
"""Why a checker was inferred: a rule of `processing.checkers` and the sentence of the statement that it fired on."""

SAMPLE = pl.Struct({"input": pl.String, "output": pl.String, "explanation": pl.String})
BOUND = pl.Struct(
    {
        "variable": pl.String,
        "low": pl.Float64,
        "low_strict": pl.Boolean,
        "high": pl.Float64,
        "high_strict": pl.Boolean,
        "text": pl.String,
    }
)
"""What a statement allows a variable to be: `1 ≤ n < 10^5`. low / high null: not stated as a number; strict: the number
itself is not allowed."""
RATING = pl.Struct({"source": pl.String, "value": pl.Float64})
"""Difficulty as a platform or its community measured it: an Elo-like number, or a solve rate in [0, 1] when the
source name ends in `_solve_rate`."""

IDENTITY: Schema = {
    "problem_id": pl.String,  # platform:native-id, stable for ever
    "platform": pl.String,
    "native_id": pl.String,
    "title": pl.String,
    "url": pl.String,  # null where the source has none
    "contest": pl.String,  # null where unknown
    "published": pl.Date,  # null where unknown
    "published_basis": pl.String,  # contest | archive | inferred | null
}

JUDGING: Schema = {
    "io_mode": pl.String,  # stdin | function | null (not a program: SQL, shell, output-only)
    "entry_point": pl.String,
    "starter_code": pl.String,
    "tests": pl.List(TEST),
    "checker": pl.String,  # microcoder_judge.Checker as JSON; null: the source declares none
    "time_limit_s": pl.Float64,
    "memory_limit_mb": pl.Int64,
    "references": pl.List(REFERENCE),
}

EVIDENCE: Schema = {
    "tags": pl.List(pl.String),
    "difficulty_label": pl.String,  # the platform's own word, lower case: easy, medium, hard, gold, ...
    "ratings": pl.List(RATING),
    "license": pl.String,
}

SCRAPED: Schema = {
    **IDENTITY,
    "source_kind": pl.String,  # the adapter: leetcode, codeforces, kattis, ...
    "source_ref": pl.String,  # file and row inside the source, relative: problems.jsonl.gz#17
    "statement": pl.String,  # as served
    "statement_format": pl.String,  # html | latex | markdown | text
    "statement_language": pl.String,  # en | zh | sv | ...
    "samples": pl.List(SAMPLE),  # those the source lists apart from the statement
    **JUDGING,
    **EVIDENCE,
    "flags": pl.List(pl.String),  # interactive, output_only, premium, scoring, unsupported_checker, ...
    "record_sha": pl.String,  # sha256 of the record as served
    "editorial_url": pl.String,  # where its solution is explained; null where unknown
}

NORMALIZED: Schema = {
    **IDENTITY,
    "source_kind": pl.String,
    "source_ref": pl.String,
    "statement": pl.String,  # whole, clean Markdown, LaTeX maths in $...$, samples and constraints included
    "description": pl.String,  # Markdown sections; null where the source has no such section
    "input_spec": pl.String,
    "output_spec": pl.String,
    "constraints": pl.String,
    "bounds": pl.List(BOUND),  # of the constraints and the input section, as numbers where they parse
    "notes": pl.String,
    "statement_language": pl.String,
    "samples": pl.List(SAMPLE),
    **JUDGING,
    **EVIDENCE,
    "checker_evidence": pl.List(CHECKER_EVIDENCE),  # empty where the source declares the checker, or nothing is said
    "flags": pl.List(pl.String),  # adds needs_image, multi_answer, samples_unparsed, sample_shape, tests_out_of_bounds
    "content_sha": pl.String,  # over the canonical content: statement, limits, tests, checker
}

UNIQUE: Schema = {
    **NORMALIZED,
    "merged_ids": pl.List(pl.String),  # problems merged into this one
    "benchmark_nearest": pl.String,  # problem_id of the nearest benchmark item, null without a benchmark
    "benchmark_overlap": pl.Float64,  # containment of 8-grams in it, [0, 1]
}

ORIGINAL = pl.Struct({"language": pl.String, "title": pl.String, "statement": pl.String, "translator": pl.String})
"""What was translated, as it was, and the model that did it."""

PREPARED: Schema = {
    **UNIQUE,
    "translated_from": ORIGINAL,  # null where the statement is in its own language
    "form_of": pl.String,  # problem_id of the function problem that this row puts over standard input, else null
    "driver": pl.String,  # with form_of: the program that calls such a function, with a hole for it
}

DIMENSIONS = ("algorithmic_thinking", "implementation", "mathematics", "data_structures", "edge_cases")
"""Rubric dimensions, each scored 1 to 5. The first two are named by arXiv 2603.07779; the other three are ours."""

DRAW = pl.Struct(
    {
        **dict.fromkeys(DIMENSIONS, pl.Float64),
        "prompt_tokens": pl.Int64,
        "completion_tokens": pl.Int64,
        "cost_usd": pl.Float64,
    }
)

SCORED: Schema = {
    "problem_id": pl.String,
    "content_sha": pl.String,
    "scorer": pl.String,  # embedded:<version> or llm:<model>
    "rubric_version": pl.String,
    **dict.fromkeys(DIMENSIONS, pl.Float64),  # mean of the draws
    "score": pl.Float64,  # weighted mean of the dimensions, 1 to 5
    "uncertainty": pl.Float64,  # standard deviation of the draws' scores; for the embedded scorer of its prediction
    "draws": pl.List(DRAW),
}

ATTEMPTED: Schema = {
    "problem_id": pl.String,
    "attempts": pl.Int64,  # of one solver, judged; those that the judge itself failed on are not counted
    "solved": pl.Int64,
}

CALIBRATED: Schema = {
    "problem_id": pl.String,
    "content_sha": pl.String,
    "score": pl.Float64,
    "expected_solve_rate": pl.Float64,  # [0, 1]; by the row's own rating and attempts, else by the map
    "expected_solve_rate_low": pl.Float64,  # 90 % interval of its Beta distribution
    "expected_solve_rate_high": pl.Float64,
    "band": pl.String,  # easy | medium | hard | expert
    "evidence": pl.String,  # what the map was fitted to for this row's platform; `prior` where nothing was known
    "observed_solve_rate": pl.Float64,  # of its ratings and attempts; null where unknown
    "mapped_solve_rate": pl.Float64,  # what the map alone says: falls as the index of difficulty rises
    "mapped_solve_rate_low": pl.Float64,  # 90 % bootstrap interval of the map
    "mapped_solve_rate_high": pl.Float64,
    "attempts": pl.Int64,  # of the solver; null where none was made
    "solved": pl.Int64,
    "model": pl.String,  # the solver that the rates are of; null: the reference population
    "step": pl.Int64,  # of its training; null for a model that is not in training
}

SELECTED: Schema = {
    "problem_id": pl.String,
    "content_sha": pl.String,
    "score": pl.Float64,
    "expected_solve_rate": pl.Float64,
    "band": pl.String,
}

KILL = pl.Struct({"test": pl.String, "submissions": pl.List(pl.String)})
"""A test by name, and the known-wrong submissions and mutants that it rejects."""

ADDED_TEST = pl.Struct(
    {
        "name": pl.String,
        "input_sha": pl.String,
        "expected_sha": pl.String,
        "bytes": pl.Int64,
        "family": pl.String,
        "seed": pl.String,
    }
)
"""A test that strengthening made: as TEST, and the family of inputs and the seed that drew it."""

VERIFIED: Schema = {
    "problem_id": pl.String,
    "content_sha": pl.String,
    "references_run": pl.Int64,
    "references_accepted": pl.Int64,
    "wrong_run": pl.Int64,
    "wrong_rejected": pl.Int64,
    "mutants_run": pl.Int64,  # mutants of a reference that the tests decided on
    "mutants_killed": pl.Int64,
    "tests_run": pl.Int64,
    "tests_sha": pl.String,  # sha256 over the hashes of the tests, in order
    "kills": pl.List(KILL),  # in the problem's order; with few tests, and of mutants, only the first that rejects one
    "added_tests": pl.List(ADDED_TEST),  # beside the problem's own; `kills` names them too
    "survivors": pl.List(pl.String),  # mutants that pass every test
    "flags": pl.List(pl.String),  # near_limit, unsteady_reference, weak_tests
    "verified_references": pl.List(pl.String),  # names of the accepted references that passed every test, each time
    "judge_version": pl.String,
}

VERIFICATION_EVIDENCE: Schema = {
    "problem_id": pl.String,
    "program": pl.String,
    "label": pl.String,  # of REFERENCE, or mutant
    "language": pl.String,
    "sha": pl.String,  # sha256 of its code
    "verdict": pl.String,  # of its first run
    "failed_test": pl.String,  # null where it passed
    "verdicts": pl.List(pl.String),  # of every run
    "cpu_s": pl.Float64,  # on the slowest test
    "tests_sha": pl.String,
    "judge_version": pl.String,
    "judged_at": pl.Datetime("us", "UTC"),
    "evidence": pl.String,  # key of the outcome in the store's pack `verdicts`
}
"""A view: one row for every program that was run on a problem of `verified_problems`, kept or dropped."""

SPLIT_TEST = pl.Struct({"name": pl.String, "sample": pl.Boolean, "input": pl.Binary, "expected": pl.Binary})

JUDGEABLE: Schema = {
    **IDENTITY,
    "split": pl.String,  # train | validation; benchmark rows: test
    "prompt": pl.String,  # what the policy is asked: statement, io instructions, starter code
    "statement": pl.String,
    "io_mode": pl.String,
    "entry_point": pl.String,
    "starter_code": pl.String,
    "tests": pl.List(SPLIT_TEST),  # self-contained: bytes inside
    "checker": pl.String,
    "time_limit_s": pl.Float64,
    "memory_limit_mb": pl.Int64,
    "references": pl.List(REFERENCE),  # verified accepted ones and known-wrong ones; empty for a benchmark
    "difficulty": pl.String,  # train: the band; benchmark: its own easy | medium | hard
    "score": pl.Float64,
    "expected_solve_rate": pl.Float64,
    "tags": pl.List(pl.String),
    "license": pl.String,
    "content_sha": pl.String,
}
"""What rows of `train_split` and of the benchmark have: everything training or scoring needs, nothing of Dagster."""

SPLIT: Schema = {
    **JUDGEABLE,
    "family": pl.String,  # the first problem_id of those near-duplicates and versions that lie on one side
}

BENCHMARK: Schema = {**JUDGEABLE, "release": pl.String, "samples": pl.List(SAMPLE), "question_id": pl.String}
"""`livecodebench_problems`: the release that added the problem, its public samples, and the id that
LiveCodeBench itself gives it."""


SCORES: Schema = {
    "model": pl.String,
    "suite": pl.String,
    "problem_id": pl.String,
    "question_id": pl.String,
    "platform": pl.String,
    "difficulty": pl.String,
    "month": pl.String,
    "release": pl.String,
    "sample": pl.Int64,
    "accepted": pl.Boolean,  # by the suite's own rules; null where the judge failed
    "verdict": pl.String,
    "passed": pl.Int64,
    "total": pl.Int64,
    "message": pl.String,
    "faithful": pl.Boolean,  # as an online judge would say
    "faithful_verdict": pl.String,
    "difference": pl.String,
    "errata": pl.String,
    "extracted": pl.String,
    "truncated": pl.Boolean,
    "tokens": pl.Int64,
    "prompt_tokens": pl.Int64,
    "code": pl.String,
    "completion": pl.String,
    "filename": pl.String,  # the evaluation's scores.parquet
}
"""A row a sample of every evaluation, as `microcoder_train.evaluation.scoring.Graded` writes it."""


TRAINING_RUNS: Schema = {
    "run": pl.String,  # what it is called: of the asset, an experiment's cell and seed, or as it was imported
    "key": pl.String,  # names what it was made from: equal keys, equal runs
    "source": pl.String,  # grpo_policy | experiment | imported
    "seed": pl.Int64,
    "data_version": pl.String,
    "base": pl.String,
    "steps": pl.Int64,
    "problems": pl.Int64,
    "seconds": pl.Float64,
    "base_pass_at_1": pl.Float64,  # on the validation part
    "pass_at_1": pl.Float64,
    "pass_at_1_low": pl.Float64,
    "pass_at_1_high": pl.Float64,
    "gain": pl.Float64,
    "gain_low": pl.Float64,
    "gain_high": pl.Float64,
    "config": pl.String,  # JSON
    "folder": pl.String,
}
"""A row a training run, from the `summary.json` that `microcoder_train grpo` leaves."""

TRAINING_CURVES: Schema = {
    "key": pl.String,
    "run": pl.String,
    "step": pl.Int64,
    "metric": pl.String,  # a column of microcoder_train.trainer.CURVE
    "value": pl.Float64,
}
"""A row for each run, step and metric of its curve; nothing where a step has no value."""


def conform(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Exactly `schema`'s columns, in its order and types, sorted by problem_id. A missing column is an error."""
    missing = [name for name in schema if name not in frame.columns]
    if missing and frame.height:
        raise ValueError(f"rows lack the columns {', '.join(missing)}")
    if not frame.height:
        return pl.DataFrame(schema=schema)
    return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items()).sort("problem_id")


def of_problems(rows: Rows, ids: pl.Series) -> pl.LazyFrame:
    """The rows of these problem ids, sorted by problem_id."""
    return rows.lazy().filter(pl.col("problem_id").is_in(ids.implode())).sort("problem_id")
