"""Does a year of nights end as one run does, and what does each night cost? `python -m bench.bench_year_of_nights`.

Every night of a year with a leap day is a tick of the nightly schedule and a run of its job, over a replay server on
loopback that holds contests on three sites, late ratings, edits, deletions, outages, a changed page layout, and over a
folder in which packages of the sample archive arrive (`tests/assets/collection/year.py`). At the end one run into an
empty home must give the same rows and decisions, by sha256. Costs are counts: no time is measured.
"""

from __future__ import annotations

import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from rich.progress import track

from bench.tables import print_table
from microcoder_assets.project import Project

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests" / "assets" / "collection"))

from year import Night, Nights, Sites, clock_at, day_of, morning, new_home, standing  # noqa: E402

from microcoder_assets.runner import Runner  # noqa: E402


def quarter(nights: list[Night]) -> list[str]:
    """One line of the table."""
    quiet = [night for night in nights if not night.lines]
    count = len(nights)
    return [
        f"{day_of(nights[0].number + 1)} to {day_of(nights[-1].number + 1)}",
        str(count),
        str(sum(bool(night.partial) for night in nights)),
        str(len(quiet)),
        f"{sum(night.asked.total() for night in nights) / count:.1f}",
        f"{sum(night.asked[200] for night in nights) / count:.1f}",
        f"{sum(night.lines for night in nights) / count:.1f}",
        str(max(night.lines for night in nights)),
        str(sum(night.programs for night in nights)),
    ]


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_year_of_nights", description="A year of nights.")
    parser.add_argument("--nights", type=int, default=366, help="how many (366)")
    parser.add_argument("--packages", type=int, default=40, help="how many packages arrive over a year (40)")
    arguments = parser.parse_args()
    archive = ROOT / "examples" / "archive"
    names = sorted(path.name for path in archive.iterdir() if path.is_dir())[: arguments.packages]
    arrivals = {number * 366 // len(names): name for number, name in enumerate(names)}
    last = arguments.nights - 1
    with tempfile.TemporaryDirectory(prefix="year-") as folder:
        with Sites(archive, Path(folder) / "packages", arrivals) as sites:
            project = new_home(Path(folder) / "nightly", sites)
            nights = Nights(project, sites)
            lived = [nights.live(number) for number in track(range(arguments.nights), "nights", transient=True)]
            lived.append(nights.live(last))  # what changed in older months that night is made by the next
            once = new_home(Path(folder) / "once", sites)
            with clock_at(morning(last)):
                Runner(Project.load(once.home)).run("train_split")
        header = ("nights", "count", "partial", "nothing new", "requests", "with a body", "decisions", "most", "proven")
        step = max(arguments.nights // 4, 1)
        print_table(header, [quarter(lived[at : at + step]) for at in range(0, arguments.nights, step)])
        same = standing(project) == standing(once)
        rows = {stage: project.store.manifest(stage) for stage in ("verified_problems", "train_split")}
        held = ", ".join(f"{stage} {manifest.rows if manifest else 0}" for stage, manifest in rows.items())
        print("\nrequests, with a body, decisions: a night on average; most: decisions of one night")
        print(f"{len(standing(project))} partitions after {len(lived)} nights, {held}")
        print(f"equal to a single run by sha256: {'yes' if same else 'NO'}")
    raise SystemExit(not same)


if __name__ == "__main__":
    main()
