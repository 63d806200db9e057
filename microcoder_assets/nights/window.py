"""Which partitions a night makes: contest months and platforms."""

from __future__ import annotations

import datetime as dt

from microcoder_assets import plan
from microcoder_assets.collection.platforms import PLATFORMS
from microcoder_assets.collection.web.source import SITES
from microcoder_assets.project import Project
from microcoder_assets.store import Partition

WEB = "web"
"""In the manifest of a scraped partition: what of the web it was made from (`plan.web_inputs`)."""


def trailing_months(now: dt.datetime) -> tuple[str, str]:
    """The month before `now`'s and its own: late edits and added tests arrive after a contest."""
    before = now.replace(day=1) - dt.timedelta(days=1)
    return f"{before:%Y-%m}", f"{now:%Y-%m}"


def months_of_night(project: Project, now: dt.datetime, catch_up_months: int) -> tuple[str, str]:
    """First and last month to make at `now` (UTC): the trailing ones, and as far back as something is behind."""
    before, running = trailing_months(now)
    earliest = _months_before(before, catch_up_months)
    behind = [month for platform in SITES for month in _behind(project, platform, now) if earliest <= month < before]
    return min([before, *behind]), running


def platforms_of_night(project: Project) -> tuple[str, str]:
    """First and last of the platforms, in their order, that sources serve or the store holds: Dagster books every
    partition between them, whether there is anything in it or not. Raises UserError where a source cannot be opened."""
    served = {platform for source in project.open_sources() for platform in source.platforms}
    stored = {Partition.named(manifest.partition).platform for manifest in project.store.manifests("scraped_problems")}
    found = [platform for platform in PLATFORMS if platform in served | stored] or list(PLATFORMS)
    return found[0], found[-1]


def _behind(project: Project, platform: str, now: dt.datetime) -> set[str]:
    """Months of a platform that are to be asked for, or whose partitions are not made of what the web gave since."""
    web = plan.web_inputs(project, platform)
    return plan.due_months(project, platform, now) | {
        month for month, inputs in web.items() if not _stands(project, Partition(month, platform), inputs)
    }


def _stands(project: Project, partition: Partition, inputs: str) -> bool:
    scraped = project.store.manifest("scraped_problems", partition)
    normalized = project.store.manifest("normalized_problems", partition)
    return (
        scraped is not None
        and scraped.extra.get(WEB, inputs) == inputs  # manifests of earlier versions do not say
        and normalized is not None
        and normalized.inputs == plan.inputs_of_partition(project, partition)
    )


def _months_before(month: str, count: int) -> str:
    number = int(month[:4]) * 12 + int(month[5:]) - 1 - count
    return f"{number // 12}-{number % 12 + 1:02d}"
