"""Blocking checks: a stage whose rows do not hold what they promise stops the run before anything is built on it.
Alarms: what a person should look at, while the run goes on."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import dagster as dg
import polars as pl

from microcoder_assets import plan
from microcoder_assets.drift import DRIFT
from microcoder_assets.processing.benchmark import benchmark_of
from microcoder_assets.processing.decontaminate import find_overlap, overlap_scheme
from microcoder_assets.processing.documents import COLUMNS
from microcoder_assets.project import Project
from microcoder_assets.publication.parts import DATED_BY
from microcoder_assets.resources import Workspace
from microcoder_assets.schema import SPLIT
from microcoder_assets.stage import Kind
from microcoder_assets.store import Manifest, ParquetStore, Partition
from microcoder_assets.store.catalogue import STAGES, TABLES

PREVIOUS = dict(zip(STAGES[1:], STAGES, strict=False))
"""The stage whose rows come into a stage."""

MIN_GATED = 300
"""Problems of known solve rate from which the error of a calibration is more than noise. Ours."""

_NO_IDS = pl.DataFrame(schema={"problem_id": pl.String})

Finding = str | None
"""What is wrong, in one line; None when nothing is."""


def _unchecked(project: Project, scheme: str, facts: Mapping[str, str]) -> tuple[list[Partition], Callable[[], None]]:
    """Those partitions of which it was not yet found that they hold `scheme`, and what to call once they do.

    facts: of each partition the files that are asked, by hash. Files never change, so that what was found stands.
    """
    sound = project.store.packs("sound")
    keys, known = {f"{scheme}:{fact}": partition for partition, fact in facts.items()}, sound.known()
    new = {key: Partition.named(partition) for key, partition in keys.items() if key not in known}
    return sorted(new.values()), lambda: sound.put(dict.fromkeys(new, b""))


def has_schema(project: Project, asset: str) -> Finding:
    """Every current file has exactly the columns and types of `schema.py`."""
    expected = pl.Schema(TABLES[asset])
    scheme = f"schema-{hashlib.sha256(repr(expected).encode()).hexdigest()[:16]}"
    facts = {manifest.partition: manifest.sha256 for manifest in project.store.manifests(asset)}
    partitions, remember = _unchecked(project, scheme, facts)
    for path in project.store.data_files(asset, partitions):
        found = pl.read_parquet_schema(path)
        if found != dict(expected):
            wrong = [name for name in {*expected, *found} if expected.get(name) != found.get(name)]
            return f"{path}: columns {', '.join(sorted(wrong))} are not as schema.py says"
    remember()
    return None


def has_unique_ids(project: Project, asset: str) -> Finding:
    """No problem id twice over all partitions."""
    files = project.store.data_files(asset)
    if not files:
        return None
    twice = pl.scan_parquet(files).group_by("problem_id").len().filter(pl.col("len") > 1).collect()
    return f"{twice.height} ids occur more than once, such as {twice['problem_id'].min()!r}" if twice.height else None


def accounts_for_rows(project: Project, asset: str) -> Finding:
    """Every row that came in was decided once, those kept are exactly the rows, and all came from the stage before.

    An asset that has the partitions of the one before is compared with it partition by partition; one that is
    partitioned in Dagster only where it was made, since a run makes some of them.
    """
    store, stage, before = project.store, plan.STAGES[asset], PREVIOUS.get(asset)
    made = {manifest.partition: manifest for manifest in store.manifests(asset)}
    came = {manifest.partition: manifest for manifest in store.manifests(before)} if before else {}
    if not (stage.partitioned or stage.in_parts):
        return _unaccounted(project, asset, list(made.values()), list(came.values()))
    names = made.keys() | (came.keys() if stage.in_parts else ())
    facts = {name: f"{_files(made.get(name))} {_files(came.get(name))}" for name in names}
    partitions, remember = _unchecked(project, f"accounted-{asset}", facts)
    chosen = ([of[str(name)] for name in partitions if str(name) in of] for of in (made, came))
    if finding := _unaccounted(project, asset, *chosen):
        return finding
    remember()
    return None


def _files(manifest: Manifest | None) -> str:
    return f"{manifest.data} {manifest.decisions}" if manifest else ""


def _unaccounted(project: Project, asset: str, made: Sequence[Manifest], came: Sequence[Manifest]) -> Finding:
    store, before = project.store, PREVIOUS.get(asset)
    decisions = store.scan_decisions(made).select("problem_id", "ref", "decision", "reason").collect()
    rows = _problem_ids(store, made)
    kept = decisions.filter(pl.col("decision").is_in([Kind.KEPT.value, Kind.CHANGED.value]))
    undecided = rows.join(kept, on="problem_id", how="anti")
    lost = kept.join(rows, on="problem_id", how="anti")
    if undecided.height or lost.height or kept.height != rows.height:
        return f"{rows.height} rows, {kept.height} kept; undecided {undecided.height}, lost {lost.height}"
    if twice := decisions.height - decisions.unique(["problem_id", "ref"]).height:
        return f"{twice} rows were decided more than once"
    if before:
        arrived = decisions.filter(pl.col("reason") != "stdin_form")  # those are made here
        ids = _problem_ids(store, came)
        if ids.height != arrived.height or ids.join(arrived, on="problem_id", how="anti").height:
            return f"{before} holds {ids.height} rows, but {arrived.height} were decided"
    return None


def _problem_ids(store: ParquetStore, manifests: Sequence[Manifest]) -> pl.DataFrame:
    partitions = [Partition.named(manifest.partition) for manifest in manifests]
    return store.read(manifests[0].asset, {"problem_id": pl.String}, partitions) if manifests else _NO_IDS


def is_free_of_benchmark(project: Project, asset: str) -> Finding:
    """No row is a benchmark problem: asked anew of the rows themselves, whatever earlier stages decided."""
    store, settings = project.store, project.settings
    benchmark = benchmark_of(project)
    scheme = overlap_scheme(benchmark, settings.decontamination)
    facts = {manifest.partition: manifest.sha256 for manifest in store.manifests(asset)}
    partitions, remember = _unchecked(project, scheme, facts)
    if not partitions:
        return None
    columns = {name: dtype for name, dtype in TABLES[asset].items() if name in COLUMNS}
    rows = store.read(asset, columns, partitions)
    overlap = find_overlap(rows, benchmark, settings.decontamination, settings.dedup, store.packs("documents"))
    if overlap.height:
        return f"{overlap.height} rows overlap, such as {overlap.row(0)!r}"
    remember()
    return None


def has_disjoint_parts(project: Project, asset: str) -> Finding:
    """No problem, no content and no family in both the train and the validation part, and validation is newer."""
    columns = ("problem_id", "content_sha", "statement", "family", "split", "published", "published_basis")
    rows = project.store.read(asset, {name: SPLIT[name] for name in columns})
    for column in ("problem_id", "content_sha", "statement", "family"):
        parts = rows.drop_nulls(column).group_by(column).agg(pl.col("split").n_unique())
        if shared := parts.filter(pl.col("split") > 1).height:
            return f"{shared} values of {column} are in both parts"
    dated = rows.filter(pl.col("published_basis").is_in(DATED_BY)).drop_nulls("published")
    train, validation = (dated.filter(split=part)["published"].to_list() for part in ("train", "validation"))
    if len({*train, *validation}) > 1 and train and validation and max(train) >= min(validation):
        return f"a train row is of {max(train)}, a validation row of {min(validation)}"
    return None


def is_calibrated(project: Project, asset: str) -> Finding:
    """Expected solve rates agree with known ones, on every platform that has enough of those to tell."""
    manifest, limits = project.store.manifest(asset), project.settings.calibration
    for row in manifest.extra.get("calibration", ()) if manifest else ():
        if row["labelled"] < MIN_GATED:
            continue
        if row["calibration_error"] > limits.max_error:
            return f"{row['platform']}: calibration error {row['calibration_error']:.3f} is over {limits.max_error:g}"
        if row["spearman"] is None or row["spearman"] < limits.min_spearman:
            return f"{row['platform']}: Spearman {row['spearman']} is below {limits.min_spearman:g}"
    return None


def sources_are_known(project: Project, asset: str) -> Finding:
    """No web source answers in a shape that its parser does not know."""
    return _alarms(project, "source_changed")


def sources_answer(project: Project, asset: str) -> Finding:
    """No web source was down, or refused to serve, when it was last collected."""
    return _alarms(project, "blocked", "not_collected")


def _alarms(project: Project, *reasons: str) -> Finding:
    every = [(platform, *alarm) for platform, alarms in project.alarms().items() for alarm in alarms.items()]
    return "; ".join(f"{platform}: {detail}" for platform, reason, detail in every if reason in reasons) or None


EVERY_STAGE: dict[str, Callable[[Project, str], Finding]] = {
    "schema": has_schema,
    "unique_ids": has_unique_ids,
    "rows_accounted": accounts_for_rows,
}
CHECKS: dict[str, dict[str, Callable[[Project, str], Finding]]] = {
    **dict.fromkeys(STAGES, EVERY_STAGE),
    "livecodebench_problems": {"schema": has_schema, "unique_ids": has_unique_ids},
    "unique_problems": {**EVERY_STAGE, "zero_benchmark_overlap": is_free_of_benchmark},
    "calibrated_problems": {**EVERY_STAGE, "calibration": is_calibrated},
    "train_split": {
        **EVERY_STAGE,
        "zero_benchmark_overlap": is_free_of_benchmark,
        "split_disjoint": has_disjoint_parts,
    },
}
ALARMS: dict[str, dict[str, Callable[[Project, str], Finding]]] = {
    "scraped_problems": {"source_changed": sources_are_known, "source_down": sources_answer},
}
"""Checks that do not block: what was collected is sound, but there may be less of it than there should be."""


def checks_of(asset: str) -> dg.AssetChecksDefinition:
    """The asset's checks as one step; all but the alarms and the drift block."""
    checks, alarms, drift = CHECKS[asset], ALARMS.get(asset, {}), DRIFT.get(asset, {})
    specs = [
        dg.AssetCheckSpec(name, asset=asset, blocking=name in checks, description=(check.__doc__ or "").strip())
        for name, check in {**checks, **alarms, **drift}.items()
    ]

    @dg.multi_asset_check(name=f"{asset}_checks", specs=specs)
    def run(context: dg.AssetCheckExecutionContext, workspace: Workspace) -> Iterator[dg.AssetCheckResult]:
        project = workspace.project()
        made = context.instance.get_latest_materialization_event(dg.AssetKey(asset))
        for name, check in {**checks, **alarms}.items():
            yield _result(asset, name, check(project, asset), blocking=name in checks)
        for name, compare in drift.items():
            yield _result(asset, name, compare(project, asset, made.run_id if made else ""), blocking=False)

    return run


def _result(asset: str, name: str, finding: Finding, blocking: bool) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=finding is None,
        severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
        metadata={"finding": finding or "none"},
    )


ASSET_CHECKS = [checks_of(asset) for asset in CHECKS]
