"""Warnings: what the last run changed is unlike what was there before. Rows may be sound and still be fewer, or other,
than a person expects; the run goes on. All limits are ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from microcoder_assets.project import Project
from microcoder_assets.schema import NORMALIZED
from microcoder_assets.stage import GOES_ON
from microcoder_assets.store import Manifest, ParquetStore, Partition
from microcoder_assets.store.catalogue import STAGES

MAX_FALL = 0.1
"""Share of the rows that may go from one version to the next."""

MAX_SHIFT = 0.1
"""How far the share of rows that do not go on may move from one version to the next."""

MAX_DISTANCE = 0.25
"""Total variation distance between the checkers of months just made and those of the platform's other months."""

MIN_ROWS = 50
"""Fewer rows on either side are noise."""

Drift = Callable[[Project, str, str], str | None]


def rows_fell(project: Project, asset: str, run_id: str) -> str | None:
    """What a run made again has at least nine tenths of the rows that it had before."""
    made = [manifest for manifest in project.store.manifests(asset) if manifest.run_id == run_id]
    now, before = sum(manifest.rows for manifest in made), _going_on(_total(manifest.before for manifest in made))
    if before >= MIN_ROWS and now < (1 - MAX_FALL) * before:
        return f"{now:,} rows where there were {before:,}"
    return None


def drops_shifted(project: Project, asset: str, run_id: str) -> str | None:
    """Of what a run made again, the share of rows that do not go on is within ten points of what it was."""
    made = [m for m in project.store.manifests(asset) if m.run_id == run_id and m.before]
    now, before = _total(manifest.counts for manifest in made), _total(manifest.before for manifest in made)
    if min(now.total(), before.total()) < MIN_ROWS:
        return None
    shares = [1 - _going_on(counts) / counts.total() for counts in (before, now)]
    if abs(shares[1] - shares[0]) > MAX_SHIFT:
        return f"{shares[1]:.0%} of the rows do not go on, where it was {shares[0]:.0%}"
    return None


def checkers_shifted(project: Project, asset: str, run_id: str) -> str | None:
    """The months that a run made have checkers of the kinds that the platform's other months have."""
    store, found = project.store, []
    manifests = store.manifests(asset)
    for platform in sorted({_platform(manifest) for manifest in manifests if manifest.run_id == run_id}):
        own = [manifest for manifest in manifests if _platform(manifest) == platform and manifest.rows]
        made = _checkers(store, asset, [manifest for manifest in own if manifest.run_id == run_id])
        others = _checkers(store, asset, [manifest for manifest in own if manifest.run_id != run_id])
        if min(made.total(), others.total()) < MIN_ROWS:
            continue
        shares = {kind: (made[kind] / made.total(), others[kind] / others.total()) for kind in made | others}
        if sum(abs(new - old) for new, old in shares.values()) / 2 > MAX_DISTANCE:
            kind, (new, old) = max(shares.items(), key=lambda item: (abs(item[1][0] - item[1][1]), item[0]))
            found.append(f"{platform}: {new:.0%} {kind}, {old:.0%} in its other months")
    return "; ".join(found) or None


DRIFT: dict[str, dict[str, Drift]] = {
    **{asset: {"rows_fell": rows_fell} for asset in STAGES},
    **{
        asset: {"rows_fell": rows_fell, "drops_shifted": drops_shifted}
        for asset in ("unique_problems", "selected_problems", "verified_problems")
    },
    "normalized_problems": {
        "rows_fell": rows_fell,
        "drops_shifted": drops_shifted,
        "checkers_shifted": checkers_shifted,
    },
}
"""By asset. Each is asked of the run that made the asset last."""


def _total(counts: Iterable[dict[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return total


def _going_on(counts: Counter[str]) -> int:
    return sum(counts[kind.value] for kind in GOES_ON)


def _platform(manifest: Manifest) -> str:
    return Partition.named(manifest.partition).platform


def _checkers(store: ParquetStore, asset: str, manifests: Iterable[Manifest]) -> Counter[str]:
    """Rows by the kind of their checker."""
    columns = {name: NORMALIZED[name] for name in ("problem_id", "checker")}
    rows = store.read(asset, columns, [Partition.named(manifest.partition) for manifest in manifests])
    kinds = rows["checker"].str.json_path_match("$.name").fill_null("no checker")
    return Counter(dict(kinds.value_counts().iter_rows()))
