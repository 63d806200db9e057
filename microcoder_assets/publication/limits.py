"""What a user of the split should know against it: facts counted from the rows, none of them an opinion."""

from __future__ import annotations

import polars as pl

from microcoder_assets.schema import PREPARED, SCORED, VERIFIED, Rows, Schema, of_problems

FEW_TESTS = 5
"""A row with fewer tests counts as one with few. Ours."""

_PREPARED = ("problem_id", "checker_evidence", "translated_from", "form_of")
_VERIFIED = ("problem_id", "references_accepted", "wrong_run")
KNOWN: dict[str, Schema] = {
    "prepared_problems": {name: PREPARED[name] for name in _PREPARED},
    "verified_problems": {name: VERIFIED[name] for name in _VERIFIED},
    "scored_problems": {name: SCORED[name] for name in ("problem_id", "scorer")},
}
"""The columns of earlier assets that tell of a row's limits."""


def known_limits(rows: pl.DataFrame, *earlier: Rows) -> pl.DataFrame:
    """limit, problems: how many rows each limit holds for, those that hold for none left out.

    rows: of `schema.SPLIT`. earlier: those of KNOWN, each a superset by problem_id.
    """
    for frame in earlier:
        rows = rows.join(of_problems(frame, rows["problem_id"]).collect(), on="problem_id", how="left")
    language = pl.col("translated_from").struct.field("language")
    translator = pl.col("translated_from").struct.field("translator")
    embedded = pl.col("scorer").str.starts_with("embedded:")
    limits = {
        f"fewer than {FEW_TESTS} tests": pl.col("tests").list.len() < FEW_TESTS,
        "no known-wrong submission was run against the tests": pl.col("wrong_run") == 0,
        "one accepted reference proves the tests": pl.col("references_accepted") == 1,
        "the checker was inferred from the statement": pl.col("checker_evidence").list.len() > 0,
        "nobody declared how outputs are compared": pl.col("checker").is_null(),
        "published on an unknown day": pl.col("published").is_null(),
        "dated from the contest's number": pl.col("published_basis") == "inferred",
        "dated by the archive it is in, so older than that": pl.col("published_basis") == "archive",
        "no licence is stated": pl.col("license").is_null(),
        "a function problem put over standard input here": pl.col("form_of").is_not_null(),
    }
    no_llm = pl.when(embedded).then(pl.lit(", which is no LLM")).otherwise(pl.lit(""))
    told = (
        pl.format("the statement was translated from {} by {}", language, translator),
        pl.format("difficulty is the word of {}{}", "scorer", no_llm),
    )
    held = [(limit, rows.filter(holds).height) for limit, holds in limits.items()]
    for limit in told:
        held += rows.select(limit=limit).drop_nulls().group_by("limit").len().sort("limit").rows()
    schema = {"limit": pl.String, "problems": pl.Int64}
    return pl.DataFrame([row for row in held if row[1]], schema=schema, orient="row")
