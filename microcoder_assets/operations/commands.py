"""The commands of the person on call: backfill."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from microcoder_assets.command import FAILURE, command, raise_alarms
from microcoder_assets.errors import UserError
from microcoder_assets.project import Project

if TYPE_CHECKING:  # Dagster takes a second to import
    from microcoder_assets.operations.backfill import Span


@click.command()
@click.option("--from", "first", metavar="YYYY-MM", help="First contest month.")
@click.option("--to", "last", metavar="YYYY-MM", help="Last contest month.")
@click.option("--platform", "platforms", multiple=True, metavar="NAME[,NAME...]",
              help="Only these platforms; may be given several times.")
@click.option("--stage", default="normalized_problems", show_default=True, metavar="ASSET",
              help="Make up to this stage; scraped_problems is the other.")
@click.option("--chunk", type=click.IntRange(min=1), default=6, show_default=True, help="Months a Dagster run.")
@click.option("--max-parallel", "parallel", type=click.IntRange(min=1), default=1, show_default=True,
              help="Chunks at a time; more than one are made in worker processes.")
@click.option("--retries", type=click.IntRange(min=0), default=2, show_default=True,
              help="How often a failed chunk is tried again, after the others.")
@click.option("--resume", is_flag=True, help="Go on with the last backfill that was stopped, killed or had failures; "
              "with --from and --to, with the last of that span.")
@click.option("--force", is_flag=True, help="Make partitions again even where they stand.")
@click.option("--dry-run", is_flag=True, help="Print what would run.")
@click.pass_obj
@command
def backfill(
    home: Path, first: str | None, last: str | None, platforms: tuple[str, ...], stage: str, chunk: int, parallel: int,
    retries: int, resume: bool, force: bool, dry_run: bool,
) -> None:
    """Make a span of contest months here and now, against the real Dagster instance and without a daemon.

    Only partitions that are missing, or were made from other inputs, settings or code than stand now. Each chunk is a
    run in the web UI, all of them under one backfill. A chunk that fails is tried again, then reported, and the rest
    goes on. After Ctrl-C, SIGTERM or kill -9 the same command, or --resume, goes on where it stopped.

    \b
    Exit codes: 0 all of it stands; 1 chunks failed; 2 a mistake in what was typed; 3 it stands, but a source on the
    web raised an alarm; 130 stopped.
    \b
    microcoder backfill --from 2023-01 --to 2026-10 --platform codeforces,atcoder --max-parallel 2
    microcoder backfill --from 2023-01 --to 2026-10 --dry-run
    microcoder backfill --resume
    """
    from microcoder_assets.operations.launch import find_resumable, launch, planned
    from microcoder_assets.runner import Runner

    span = _span(first, last, platforms, stage, chunk, force, resume)
    project = Project.load(home)
    project.check()
    runner = Runner(project)
    warn_of_trap(home)
    span, resumed = find_resumable(home, span, resume)
    if dry_run:
        click.echo(planned(runner, span))
        return
    report = launch(runner, span, parallel=parallel, retries=retries, resumed=resumed)
    click.echo(report)
    for outcome in report.failed:
        click.echo(f"failed: {outcome.task}: {outcome.error}", err=True)
    if report.failed:
        click.echo("`microcoder backfill --resume` tries them again", err=True)
        sys.exit(FAILURE)
    for asset in span.assets:
        runner.assure(asset)
    raise_alarms(project.alarms())


def _span(
    first: str | None, last: str | None, platforms: tuple[str, ...], stage: str, chunk: int, force: bool, resume: bool
) -> Span | None:
    """What was typed; None where a backfill is to be resumed, whichever was the last."""
    from microcoder_assets.operations.backfill import Span

    if first is None and last is None and resume:
        return None
    if first is None or last is None:
        raise UserError("give --from and --to, both as YYYY-MM, or --resume to go on with the last backfill")
    return Span.asked(first, last, platforms, stage, chunk, force)


def warn_of_trap(home: Path) -> None:
    """Say on standard error what was launched and will not start, because no daemon runs."""
    from microcoder_assets.operations.daemon import waiting_in

    if trap := waiting_in(home).trap(dt.datetime.now(dt.UTC)):
        click.echo(f"warning: {trap}", err=True)


COMMANDS = (backfill,)
