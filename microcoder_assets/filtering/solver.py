"""A solver's attempts at the problems to be calibrated: asked for, judged, counted, and asked for again where a few do
not tell the band.

Every problem that can be judged is attempted `settings.attempts` times. While the probability that a problem lies in
its likeliest band is below `settings.confidence`, its attempts are doubled, up to `settings.most_attempts`. Imported
attempts count first; a server is asked for the rest. An answer without a program is a failed attempt; one that the
judge itself failed on, or that the server did not give, is none. arXiv 2603.07779 makes four attempts; more is ours.

Answers are kept in an LLM cache of the solver's own, verdicts by program and content of the problem: a killed run goes
on where it was, and a night pays for new problems only.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from microcoder_assets.config import CalibrationSettings, VerificationSettings
from microcoder_assets.filtering.attempts import Attempt, ImportedAttempts, Solver
from microcoder_assets.filtering.bands import boundaries_of
from microcoder_assets.filtering.calibrate import expected_solve_rates
from microcoder_assets.llm.budget import BudgetSpent
from microcoder_assets.llm.client import AnswerError, ChatClient, Message, open_client
from microcoder_assets.publication.prompt import build_prompt
from microcoder_assets.schema import ATTEMPTED, Rows, conform
from microcoder_assets.store import Packs, ParquetStore
from microcoder_assets.verification.verify import judge_problem
from microcoder_judge import JUDGE_VERSION, Judge, Problem, RecordError, Submission, Verdict
from microcoder_judge.trl_reward import last_code_block

PROBLEMS_A_BATCH = 64
UNJUDGEABLE = ("multi_answer", "unsupported_checker")
"""Flags of problems whose verdicts would not be the solver's: the first only where no checker is declared."""

POSED = (
    "problem_id", "content_sha", "statement", "io_mode", "entry_point", "starter_code", "tests", "checker", "flags",
    "time_limit_s", "memory_limit_mb",
)  # fmt: skip
"""Columns that an attempt is asked for and judged by."""

Row = Mapping[str, Any]
Outcomes = dict[int, bool | None]
"""Sample -> whether it solves the problem; None: nobody knows."""
Coming = tuple[str, int, Future[str | None]]
"""Problem, sample, and the text of an answer; None where there is none."""


@dataclass(frozen=True, slots=True)
class Attempted:
    """frame: ATTEMPTED rows. counts: attempts, solved, unjudged (the judge failed), unanswered (the server did, or the
    budget was spent)."""

    frame: pl.DataFrame
    counts: dict[str, int]


def attempt_problems(
    scored: pl.DataFrame,
    problems: Rows,
    store: ParquetStore,
    settings: CalibrationSettings,
    verification: VerificationSettings,
    api_key: str | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Attempted:
    """All attempts of `settings.model`. scored: SCORED rows. problems: their PREPARED rows.

    Raises UserError where no request to the server can succeed. progress: called with the number of problems attempted.
    """
    assert settings.model is not None
    solver = Solver(settings.model, settings.step)
    client = None
    if settings.base_url is not None:
        answers = store.packs(f"answers/{solver.name}")
        limits = {"temperature": settings.temperature, "max_tokens": settings.max_tokens}
        client = open_client(settings, "calibration", answers, api_key, **limits)  # type: ignore[arg-type]
    posed = problems.lazy().sort("problem_id").select(POSED).collect()
    rows = [row for row in posed.iter_rows(named=True) if _may_be_judged(row)]
    imported = ImportedAttempts(store, solver).of(row["content_sha"] for row in rows)
    headers = str(verification.headers.resolve()) if verification.headers else None
    with Judge(workers=verification.workers, headers=headers) as judge:
        desk = _Desk(store, store.packs("attempt_verdicts"), judge, verification)
        given = {row["problem_id"]: imported.get(row["content_sha"], []) for row in rows}
        outcomes: dict[str, Outcomes] = {name: {a.sample: a.solved for a in found} for name, found in given.items()}
        desk.judge_imported(rows, given, outcomes)
        wanted = dict.fromkeys(outcomes, settings.attempts) if client else {}
        boundaries = None
        while client and wanted:
            asked = [row for row in rows if row["problem_id"] in wanted]
            with closing(_in_advance(client, settings.concurrency, asked, wanted, outcomes)) as coming:
                desk.judge_answers(coming, outcomes, progress)
            frame = _counted(outcomes)
            rates = expected_solve_rates(scored, problems, settings, frame)
            boundaries = boundaries or boundaries_of(rates.select(_mean()).to_series(), settings)
            unsure = set(rates.filter(~_is_sure(rates, boundaries.rising, settings.confidence))["problem_id"])
            most = settings.most_attempts
            wanted = {name: min(2 * n, most) for name, n in wanted.items() if name in unsure and n < most}
    frame = _counted(outcomes)
    totals = frame.select(pl.col("attempts", "solved").sum()).row(0, named=True)
    return Attempted(frame, {**totals, "unjudged": desk.unjudged, "unanswered": desk.unanswered})


def messages(row: Row) -> list[Message]:
    """What the solver is asked: the prompt that training will ask."""
    return [{"role": "user", "content": build_prompt(row["statement"], row["io_mode"], row["starter_code"])}]


@dataclass(slots=True)
class _Desk:
    """Where attempts are judged. unjudged: those the judge failed on. unanswered: those the server did not give."""

    store: ParquetStore
    verdicts: Packs
    judge: Judge
    verification: VerificationSettings
    unjudged: int = field(default=0, init=False)
    unanswered: int = field(default=0, init=False)

    def judge_imported(
        self, rows: Sequence[Row], given: Mapping[str, list[Attempt]], outcomes: dict[str, Outcomes]
    ) -> None:
        """Judge the programs of imported attempts that came without a verdict."""
        open_ones = {name: [a for a in found if a.solved is None and a.code] for name, found in given.items()}
        for batch in _batches([row for row in rows if open_ones[row["problem_id"]]]):
            codes = [(name, a.sample, a.code) for name in (row["problem_id"] for row in batch) for a in open_ones[name]]
            self._judge(batch, codes, outcomes)

    def judge_answers(
        self,
        answers: Iterable[tuple[Sequence[Row], list[Coming]]],
        outcomes: dict[str, Outcomes],
        progress: Callable[[int], None],
    ) -> None:
        """Judge what the server answers, a batch of rows at a time."""
        for batch, coming in answers:
            texts = [(name, sample, answer.result()) for name, sample, answer in coming]
            codes = [(name, sample, last_code_block(text)) for name, sample, text in texts if text is not None]
            self.unanswered += len(texts) - len(codes)
            self._judge(batch, codes, outcomes)
            progress(len(batch))

    def _judge(
        self, batch: Sequence[Row], codes: Sequence[tuple[str, int, str | None]], outcomes: dict[str, Outcomes]
    ) -> None:
        """Add the outcome of each program to `outcomes`; None as a program fails."""
        rows = {row["problem_id"]: row for row in batch}
        keys = {(name, code): self._key(rows[name], code) for name, _, code in codes if code is not None}
        known = self.verdicts.get(keys.values())
        todo = [pair for pair, key in keys.items() if key not in known]
        problems = self._problems([rows[name] for name in dict.fromkeys(name for name, _ in todo)])
        run = [(name, code) for name, code in todo if name in problems]
        results = self.judge.evaluate_many([Submission(code, problems[name]) for name, code in run])
        fresh = {
            keys[pair]: result.verdict.value.encode()
            for pair, result in zip(run, results, strict=True)
            if result.verdict is not Verdict.IE
        }
        self.verdicts.put(fresh)
        known |= fresh
        for name, sample, code in codes:
            verdict = None if code is None else known.get(keys[name, code])
            if code is not None and verdict is None:
                self.unjudged += 1
            outcomes[name][sample] = verdict == Verdict.AC.value.encode() if code is None or verdict else None

    def _problems(self, rows: Sequence[Row]) -> dict[str, Problem]:
        """Those that the judge takes."""
        shas = {sha for row in rows for test in row["tests"] for sha in (test["input_sha"], test["expected_sha"])}
        stored = self.store.blobs.get_many(sorted(shas))
        found = {}
        for row in rows:
            try:
                problem = judge_problem(row, stored, self.verification)
            except RecordError:
                continue
            if problem.rule.language in self.judge.languages:
                found[row["problem_id"]] = problem
        return found

    def _key(self, row: Row, code: str) -> str:
        limits = self.verification.model_dump_json(include={"default_time_limit_s", "time_limit_factor"})
        parts = [row["content_sha"], JUDGE_VERSION, limits, code]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _in_advance(
    client: ChatClient,
    concurrency: int,
    rows: Sequence[Row],
    wanted: Mapping[str, int],
    outcomes: Mapping[str, Outcomes],
) -> Generator[tuple[Sequence[Row], list[Coming]], None, None]:
    """Ask for what each row lacks of `wanted` attempts, by batches of rows; while one is judged, the server works on
    the next."""
    pool = ThreadPoolExecutor(concurrency)
    try:
        ready = None
        for batch in _batches(rows):
            lacking = [(row, n) for row in batch for n in range(wanted[row["problem_id"]])]
            tasks = [(row, sample) for row, sample in lacking if sample not in outcomes[row["problem_id"]]]
            client.cache.prefetch(client.key(messages(row), None, sample) for row, sample in tasks)
            coming = [(row["problem_id"], sample, pool.submit(_answer, client, row, sample)) for row, sample in tasks]
            if ready:
                yield ready
            ready = batch, coming
        if ready:
            yield ready
    finally:
        pool.shutdown(cancel_futures=True)
        client.cache.flush()


def _answer(client: ChatClient, row: Row, sample: int) -> str | None:
    """None where the server gives none, or the budget is spent."""
    try:
        return client.ask(messages(row), None, sample).text
    except (AnswerError, BudgetSpent):
        return None


def _may_be_judged(row: Row) -> bool:
    flags = set(row["flags"] or ()) & set(UNJUDGEABLE)
    declared = "custom" in (row["checker"] or "")
    callable_ = (row["io_mode"] == "function") == bool(row["entry_point"])
    return bool(row["tests"]) and callable_ and not (flags - ({"multi_answer"} if declared else set()))


def _batches(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), PROBLEMS_A_BATCH):
        yield rows[start : start + PROBLEMS_A_BATCH]


def _counted(outcomes: Mapping[str, Outcomes]) -> pl.DataFrame:
    """ATTEMPTED rows of the problems with an attempt whose outcome is known."""
    counts = {name: Counter(found.values()) for name, found in outcomes.items()}
    lines: Iterable[tuple[str, int, int]] = (
        (name, count[True] + count[False], count[True]) for name, count in counts.items() if count[True] + count[False]
    )
    return conform(pl.DataFrame(list(lines), schema=ATTEMPTED, orient="row"), ATTEMPTED)


def _mean() -> pl.Expr:
    return pl.col("alpha") / (pl.col("alpha") + pl.col("beta"))


def _is_sure(rates: pl.DataFrame, edges: Sequence[float], confidence: float) -> pl.Series:
    """Whether a row's Beta distribution holds `confidence` of its mass between two neighbouring edges."""
    from scipy.special import betainc

    alpha, beta = (np.maximum(rates[name].to_numpy(), 1e-3) for name in ("alpha", "beta"))
    below = np.stack([np.zeros(rates.height), *(betainc(alpha, beta, edge) for edge in edges), np.ones(rates.height)])
    return pl.Series(np.diff(below, axis=0).max(axis=0) >= confidence)
