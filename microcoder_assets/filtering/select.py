"""Select: the problems that are clean enough to judge and hard enough to teach, each decision with its reason."""

from __future__ import annotations

from typing import Any

import polars as pl

from microcoder_assets.config import SelectionSettings
from microcoder_assets.filtering.features import shortest_reference
from microcoder_assets.schema import SELECTED, conform
from microcoder_assets.stage import Decision, Kind, StageResult


def select(calibrated: pl.DataFrame, problems: pl.DataFrame, settings: SelectionSettings) -> StageResult:
    """CALIBRATED rows to SELECTED rows. problems: the PREPARED rows they came from.

    The first objection counts, in the order of `_objections`: what cannot be judged, then what is too easy or too hard.
    """
    referenced = problems[shortest_reference(problems)["row"].to_list()]["problem_id"]
    facts = problems.select(
        "problem_id",
        "checker",
        "checker_evidence",
        flags=pl.col("flags").fill_null([]),
        tests=pl.col("tests").list.len().fill_null(0),
        referenced=pl.col("problem_id").is_in(referenced.implode()),
    )
    rows = calibrated.join(facts, on="problem_id", how="left").sort("problem_id")
    if unknown := rows.filter(pl.col("referenced").is_null())["problem_id"].to_list():
        raise ValueError(f"calibrated rows without a problem: {', '.join(unknown[:3])}")
    objections = _objections(settings)
    first = pl.coalesce(pl.when(against).then(pl.lit(reason)) for reason, against in objections)
    decided = rows.with_columns(reason=first)
    return StageResult(
        conform(decided.filter(pl.col("reason").is_null()), SELECTED),
        [_decision(row, settings) for row in decided.iter_rows(named=True)],
    )


def _objections(settings: SelectionSettings) -> list[tuple[str, pl.Expr]]:
    """(reason, what speaks for it), the first that holds decides."""
    rate = pl.col("expected_solve_rate")
    custom = pl.col("checker").str.json_path_match("$.name") == "custom"
    return [
        ("unjudgeable", _flagged("multi_answer") & ~custom.fill_null(False)),
        ("needs_image", _flagged("needs_image")),
        ("unsupported_checker", _flagged("unsupported_checker")),
        ("no_tests", pl.col("tests") == 0),
        ("no_reference", ~pl.col("referenced")),
        ("too_easy", (pl.col("score") < settings.min_score) | (rate > settings.max_solve_rate)),
        ("too_hard", rate < settings.min_solve_rate),
    ]


def _flagged(flag: str) -> pl.Expr:
    return pl.col("flags").list.contains(flag)


def _decision(row: dict[str, Any], settings: SelectionSettings) -> Decision:
    reason = row["reason"]
    return Decision(
        row["problem_id"],
        Kind.DROPPED if reason else Kind.KEPT,
        reason or "ok",
        detail=_detail(row),
        score=row["score"],
        rule=_rule(reason, row, settings),
        sha_in=row["content_sha"],
        sha_out=None if reason else row["content_sha"],
    )


def _detail(row: dict[str, Any]) -> dict[str, Any]:
    detail = {"expected_solve_rate": round(row["expected_solve_rate"], 4), "band": row["band"]}
    match row["reason"]:
        case "unjudgeable":
            said = [found["sentence"] for found in row["checker_evidence"] or ()]
            return {**detail, "flags": row["flags"], "checker": row["checker"], "said": said}
        case "needs_image" | "unsupported_checker":
            return {**detail, "flags": row["flags"], "checker": row["checker"]}
    return detail


def _rule(reason: str | None, row: dict[str, Any], settings: SelectionSettings) -> str | None:
    """The setting that decided, with its value; None where no setting did."""
    match reason:
        case "too_easy" if row["score"] < settings.min_score:
            return f"min_score = {settings.min_score:g}"
        case "too_easy":
            return f"max_solve_rate = {settings.max_solve_rate:g}"
        case "too_hard":
            return f"min_solve_rate = {settings.min_solve_rate:g}"
    return None
