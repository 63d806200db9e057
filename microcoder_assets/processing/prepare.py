"""`unique_problems` to `prepared_problems`: in the languages and the io forms to train on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import polars as pl

from microcoder_assets.config import DecontaminationSettings, PreparationSettings
from microcoder_assets.processing.decontaminate import OVERLAP, find_overlap
from microcoder_assets.processing.stdin_form import NoStdinForm, stdin_form
from microcoder_assets.processing.translate import NotTranslated, TooExpensive, Translator
from microcoder_assets.schema import PREPARED, UNIQUE, conform
from microcoder_assets.stage import Decision, Kind, StageResult

FORMS_A_BATCH = 256
Row = Mapping[str, Any]


class Blobs(Protocol):
    """Bytes by their sha256 in hex."""

    def get_many(self, shas: Sequence[str]) -> dict[str, bytes]: ...

    def put_many(self, blobs: Sequence[bytes]) -> list[str]: ...


def prepare(
    problems: pl.DataFrame,
    benchmark: pl.DataFrame,
    blobs: Blobs,
    translator: Translator | None,
    settings: PreparationSettings,
    decontamination: DecontaminationSettings,
) -> StageResult:
    """UNIQUE rows to PREPARED rows: translated where needed, and with a second row for the stdin form where wanted.

    benchmark: BENCHMARK rows, which a translation is compared with once more. translator: None where no server is.
    """
    rows = problems.with_columns(pl.lit(None, PREPARED[name]).alias(name) for name in PREPARED if name not in UNIQUE)
    wanted = pl.col("statement_language").is_in(settings.languages).fill_null(False)
    ready, foreign = rows.filter(wanted), rows.filter(~wanted)
    decisions = [
        Decision(problem_id, Kind.KEPT, "ok", sha_in=sha, sha_out=sha)
        for problem_id, sha in ready.select("problem_id", "content_sha").iter_rows()
    ]
    translated, decided = _translate(foreign, benchmark, translator, settings, decontamination)
    frame = pl.concat([conform(ready, PREPARED), translated])
    decisions += decided
    if settings.stdin_forms:
        forms, made, unmade = _stdin_forms(frame, blobs)
        frame = pl.concat([frame, forms])
        decisions = [replace(d, detail={**d.detail, **unmade.get(d.problem_id, {})}) for d in decisions] + made
    return StageResult(conform(frame, PREPARED), decisions)


def _translate(
    foreign: pl.DataFrame,
    benchmark: pl.DataFrame,
    translator: Translator | None,
    settings: PreparationSettings,
    decontamination: DecontaminationSettings,
) -> tuple[pl.DataFrame, list[Decision]]:
    if translator is None:
        return pl.DataFrame(schema=PREPARED), [
            _untranslated(row, settings)
            for row in foreign.select("problem_id", "content_sha", "statement_language").iter_rows(named=True)
        ]
    rows = foreign.to_dicts()
    outcomes = list(translator.translate(rows))
    done = [outcome for outcome in outcomes if isinstance(outcome, dict)]
    frame = conform(pl.DataFrame(done, schema=PREPARED), PREPARED)
    found = find_overlap(frame, benchmark, decontamination) if done else pl.DataFrame(schema=OVERLAP)
    overlap = {line["problem_id"]: line for line in found.iter_rows(named=True)}
    decisions = []
    for row, outcome in zip(rows, outcomes, strict=True):
        if isinstance(outcome, TooExpensive):
            decisions.append(_untranslated(row, settings, error=str(outcome)))
        elif isinstance(outcome, NotTranslated):
            decisions.append(_failed(row, outcome, translator.name))
        elif row["problem_id"] in overlap:
            decisions.append(_overlaps(row, overlap[row["problem_id"]]))
        else:
            decisions.append(_translated(row, outcome))
    return frame.filter(~pl.col("problem_id").is_in(list(overlap))), decisions


def _untranslated(row: Row, settings: PreparationSettings, **detail: Any) -> Decision:
    detail = {"language": row["statement_language"], **detail}
    rule = f"languages = {', '.join(settings.languages)}"
    return Decision(row["problem_id"], Kind.DROPPED, "needs_translation", detail, rule=rule, sha_in=row["content_sha"])


def _failed(row: Row, failure: NotTranslated, translator: str) -> Decision:
    detail = {"language": row["statement_language"], "error": str(failure), "cost_usd": failure.cost_usd}
    return Decision(
        row["problem_id"], Kind.ERROR, "translation_failed", detail, rule=translator, sha_in=row["content_sha"]
    )


def _overlaps(row: Row, overlap: Row) -> Decision:
    item = overlap["benchmark_id"]
    return Decision(
        row["problem_id"],
        Kind.DROPPED,
        "benchmark_text",
        {"item": item, "language": row["statement_language"]},
        rule=overlap["rule"],
        sha_in=row["content_sha"],
        parents=[item],
    )


def _translated(row: Row, translated: Row) -> Decision:
    return Decision(
        row["problem_id"],
        Kind.KEPT,
        "translated",
        {"language": row["statement_language"]},
        rule=translated["translated_from"]["translator"],
        sha_in=row["content_sha"],
        sha_out=translated["content_sha"],
    )


def _stdin_forms(frame: pl.DataFrame, blobs: Blobs) -> tuple[pl.DataFrame, list[Decision], dict[str, dict[str, str]]]:
    """A second row for each function problem that has a stdin form; for the others, by id, why they have none."""
    forms, decisions, unmade = [], [], {}
    for batch in frame.filter(pl.col("io_mode") == "function").iter_slices(FORMS_A_BATCH):
        rows = batch.to_dicts()
        shas = {t[part] for row in rows for t in row["tests"] for part in ("input_sha", "expected_sha")}
        stored = blobs.get_many(sorted(shas))
        fresh: list[bytes] = []
        for row in rows:
            try:
                form = stdin_form(row, stored)
            except NoStdinForm as reason:
                unmade[row["problem_id"]] = {"no_stdin_form": str(reason)}
                continue
            forms.append(form.row)
            fresh.extend(form.blobs)
            problem_id, sha = row["problem_id"], form.row["content_sha"]
            decisions.append(
                Decision(
                    form.row["problem_id"],
                    Kind.KEPT,
                    "stdin_form",
                    {"of": problem_id},
                    sha_in=row["content_sha"],
                    sha_out=sha,
                    parents=[problem_id],
                )
            )
        blobs.put_many(list(dict.fromkeys(fresh)))
    return conform(pl.DataFrame(forms, schema=PREPARED), PREPARED), decisions, unmade
