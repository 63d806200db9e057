"""Select: the problems that are sound enough to judge and hard enough to teach, each decision with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from microcoder_assets.config import SelectionPolicy
from microcoder_assets.filtering.draw import draw
from microcoder_assets.filtering.features import accepted_python
from microcoder_assets.schema import SELECTED, Rows, conform
from microcoder_assets.stage import REASONS, Deciding, Decision, Kind, StageResult

DIFFICULTY = ("too_easy", "too_hard")
DRAW = ("over_cap", "over_size")


@dataclass(frozen=True, slots=True)
class SelectionReport:
    """rows: problem_id, platform, published, band, reason (null: selected), rank (null: not in the draw). caps: see
    `draw.Drawn`."""

    rows: pl.DataFrame
    caps: pl.DataFrame


def select(
    calibrated: pl.DataFrame, problems: Rows, policy: SelectionPolicy
) -> tuple[StageResult, SelectionReport]:
    """CALIBRATED rows, of which the columns of SELECTED are read, to SELECTED rows. problems: their PREPARED rows.

    The first objection counts, in the order of `_objections`: what cannot be judged, what misses a gate, what is too
    easy or too hard. What is left is drawn.
    """
    accepted = pl.col("references").list.eval(accepted_python(pl.element()).cast(pl.UInt32)).list.sum()
    facts = problems.lazy().select(
        "problem_id",
        "platform",
        "contest",
        "published",
        "tags",
        "checker",
        "checker_evidence",
        flags=pl.col("flags").fill_null([]),
        tests=pl.col("tests").list.len().fill_null(0),
        references=accepted.fill_null(0),
    )
    rows = calibrated.join(facts.collect(), on="problem_id", how="left").sort("problem_id")
    if unknown := rows.filter(pl.col("references").is_null())["problem_id"].to_list():
        raise ValueError(f"calibrated rows without a problem: {', '.join(unknown[:3])}")
    objections = _objections(policy)
    judged = rows.with_columns(
        reason=pl.coalesce(pl.when(against).then(pl.lit(reason)) for reason, _, against in objections),
        rule=pl.coalesce(pl.when(against).then(pl.lit(rule)) for _, rule, against in objections),
    )
    drawn = draw(judged.filter(pl.col("reason").is_null()), policy)
    decided = (
        judged.join(drawn.rows, on="problem_id", how="left")
        .with_columns(pl.coalesce(name, f"{name}_right") for name in ("reason", "rule"))
        .sort("problem_id")
    )
    result = StageResult(
        conform(decided.filter(pl.col("reason").is_null()), SELECTED),
        Deciding(decided.drop("contest", "tags"), partial(_decision, policy.draws)),
    )
    return result, SelectionReport(
        decided.select("problem_id", "platform", "published", "band", "reason", "rank"), drawn.caps
    )


def _objections(policy: SelectionPolicy) -> list[tuple[str, str, pl.Expr]]:
    """(reason, rule, what speaks for it), the first that holds decides. rule: the part of the policy, with its value;
    empty where none is asked."""
    gates, window = policy.gates, policy.difficulty
    score, rate = pl.col("score"), pl.col("expected_solve_rate")
    custom = pl.col("checker").str.json_path_match("$.name") == "custom"
    flags = [(flag if flag in REASONS else "flagged", f"gates.flags: {flag}", _flagged(flag)) for flag in gates.flags]
    return [
        ("unjudgeable", "", _flagged("multi_answer") & ~custom.fill_null(False)),
        *flags,
        ("unsupported_checker", "", _flagged("unsupported_checker")),
        ("no_tests", f"gates.min_tests = {gates.min_tests}", pl.col("tests") < gates.min_tests),
        ("no_reference", f"gates.min_references = {gates.min_references}", pl.col("references") < gates.min_references),
        ("too_easy", f"difficulty.min_score = {window.min_score:g}", score < window.min_score),
        ("too_easy", f"difficulty.max_solve_rate = {window.max_solve_rate:g}", rate > window.max_solve_rate),
        ("too_hard", f"difficulty.min_solve_rate = {window.min_solve_rate:g}", rate < window.min_solve_rate),
    ]


def _flagged(flag: str) -> pl.Expr:
    return pl.col("flags").list.contains(flag)


def _decision(draws: bool, row: Mapping[str, Any]) -> Decision:
    reason = row["reason"]
    return Decision(
        row["problem_id"],
        Kind.DROPPED if reason else Kind.KEPT,
        reason or "ok",
        detail=_detail(row, draws),
        score=row["score"],
        rule=row["rule"] or None,
        sha_in=row["content_sha"],
        sha_out=None if reason else row["content_sha"],
    )


def _detail(row: Mapping[str, Any], draws: bool) -> dict[str, Any]:
    """Facts that stay true whatever other problems there are: a rank among them would be news every night."""
    detail = {"expected_solve_rate": round(row["expected_solve_rate"], 4), "band": row["band"]}
    if row["draw"] is not None and draws:
        detail |= {name: float(f"{row[name]:.6g}") for name in ("weight", "draw")}
    match row["reason"]:
        case "over_cap":
            return {**detail, "full": row["full"]}
        case "unjudgeable":
            said = [found["sentence"] for found in row["checker_evidence"] or ()]
            return {**detail, "flags": row["flags"], "checker": row["checker"], "said": said}
        case "needs_image" | "unsupported_checker" | "flagged":
            return {**detail, "flags": row["flags"], "checker": row["checker"]}
        case "no_tests" | "no_reference":
            return {**detail, "tests": row["tests"], "references": row["references"]}
    return detail
