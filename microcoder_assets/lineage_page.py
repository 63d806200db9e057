"""One problem's story as a page: a single file that loads nothing, runs nothing and shows every text as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined

from microcoder_assets.checks import CHECKS
from microcoder_assets.lineage import standing
from microcoder_assets.project import Project
from microcoder_assets.publication.versions import PARTS, exported_versions
from microcoder_assets.runner import prepare_instance
from microcoder_assets.stage import REASONS
from microcoder_assets.store.atomic import write_text_atomic
from microcoder_assets.store.catalogue import query, report

TEMPLATE = "lineage_page.html"
FOLDER = "lineage"


@dataclass(frozen=True, slots=True)
class Check:
    """How an asset check of one stage ended when it was last run; outcome: passed, failed or not run."""

    stage: str
    name: str
    outcome: str
    finding: str
    at: str


def write_page(project: Project, problem_id: str, path: Path | None) -> Path:
    """Write the page to `path`, or to `<home>/lineage/`; where it lies.

    Raises UserError when no stage knows the id, naming ids that are close.
    """
    path = path or project.home / FOLDER / f"{problem_id.replace(':', '-').replace('/', '-')}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_atomic(path, page(project, problem_id))
    return path


def page(project: Project, problem_id: str) -> str:
    """The page's HTML."""
    store = project.store
    decisions = standing(store, problem_id).to_dicts()
    own = [row for row in decisions if row["problem_id"] == problem_id]
    known = query(store, report("problem"), [problem_id])
    template = _environment().get_template(TEMPLATE)
    return template.render(
        problem_id=problem_id,
        problem=known.row(0, named=True) if known.height else {},
        decisions=[_told(row) for row in own],
        merged=[_told(row) for row in decisions if row["problem_id"] != problem_id],
        history=[_told(row) for row in query(store, report("timeline"), [problem_id]).to_dicts()],
        programs=query(store, report("programs"), [problem_id]).to_dicts(),
        checks=_checks(project.home, [row["stage"] for row in own]),
        versions=_versions(project.exports / "train_split", problem_id),
    )


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("microcoder_assets", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """A decision with its reason in words and its details as pairs."""
    details = json.loads(row["detail"] or "{}")
    texts = {key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
             for key, value in details.items()}  # fmt: skip
    return {**row, "meaning": REASONS.get(row["reason"], ""), "details": texts}


def _checks(home: Path, stages: Iterable[str]) -> list[Check]:
    """Of the stages that the row came into; as the home's Dagster instance remembers them."""
    prepare_instance(home)
    keys = {
        dg.AssetCheckKey(dg.AssetKey(stage), name): (stage, name)
        for stage in dict.fromkeys(stages)
        for name in CHECKS.get(stage, {})
    }
    with dg.DagsterInstance.get() as instance:
        found = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(keys))
    checks = []
    for key, (stage, name) in keys.items():
        record = found.get(key)
        event = record.event.dagster_event if record and record.event else None
        if record is None or event is None or event.event_type != dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            checks.append(Check(stage, name, "not run", "", ""))
            continue
        evaluation = event.asset_check_evaluation_data
        finding = evaluation.metadata.get("finding")
        words = "" if evaluation.passed or finding is None else str(finding.value)
        when = f"{pl.from_epoch(pl.Series([int(record.create_timestamp)])).item():%Y-%m-%d %H:%M}"
        checks.append(Check(stage, name, "passed" if evaluation.passed else "failed", words, when))
    return checks


def _versions(folder: Path, problem_id: str) -> Sequence[dict[str, str]]:
    """The exported versions of the split that hold the row, the oldest first: version, data_version, part, made."""
    return [
        {
            "version": version.name,
            "data_version": version.data_version,
            "part": part,
            "made": f"{version.made:%Y-%m-%d %H:%M}",
        }
        for version in exported_versions(folder)
        for part in PARTS
        if any(problem_id in batch.column("problem_id").to_pylist() for batch in version.batches(part, ["problem_id"]))
    ]
