"""The commands of the person on call: backfill, status, gc, doctor; and what a shell completes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from microcoder_assets.command import FAILURE, command, raise_alarms
from microcoder_assets.errors import UserError
from microcoder_assets.operations import CHUNK_MONTHS, KEEP_DAYS, KEEP_VERSIONS, RETRIES, completion
from microcoder_assets.project import Project

if TYPE_CHECKING:  # Dagster takes a second to import
    from microcoder_assets.operations.backfill import Span


@click.command()
@click.option("--from", "first", metavar="YYYY-MM", help="First contest month.")
@click.option("--to", "last", metavar="YYYY-MM", help="Last contest month.")
@click.option("--platform", "platforms", multiple=True, metavar="NAME[,NAME...]", shell_complete=completion.platforms,
              help="Only these platforms; may be given several times.")
@click.option("--stage", default="normalized_problems", show_default=True, metavar="ASSET",
              shell_complete=completion.stages,
              help="Make up to this stage; scraped_problems is the other.")
@click.option("--chunk", type=click.IntRange(min=1), default=CHUNK_MONTHS, show_default=True,
              help="Months a Dagster run.")
@click.option("--max-parallel", "parallel", type=click.IntRange(min=1), default=1, show_default=True,
              help="Chunks at a time; more than one are made in worker processes.")
@click.option("--retries", type=click.IntRange(min=0), default=RETRIES, show_default=True,
              help="How often a failed chunk is tried again, after the others.")
@click.option("--resume", is_flag=True, help="Go on with the last backfill that was stopped, killed or had failures, "
              "as it was asked for; with --from and --to, with the last of that span, or anew where it has none.")
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


@click.command()
@click.option("--json", "as_json", is_flag=True, help="All of it, as JSON.")
@click.pass_obj
@command
def status(home: Path, as_json: bool) -> None:
    """What stands, what is stale, what runs, waits or failed, the last night, the daemon and the disk.

    \b
    microcoder status --json | jq '.assets[] | select(.state != "stands") | .asset'
    """
    from microcoder_assets.operations.status import status_of

    found = status_of(Project.load(home), dt.datetime.now(dt.UTC))
    click.echo(found.to_json() if as_json else found.to_text())


@click.command()
@click.option("--keep", type=click.IntRange(min=1), default=KEEP_VERSIONS, show_default=True,
              help="Versions of each partition to keep, the current one among them, and newest runs.")
@click.option("--days", type=click.IntRange(min=0), default=KEEP_DAYS, show_default=True,
              help="Runs that began later stay too.")
@click.option("--dry-run", is_flag=True, help="Print what would go.")
@click.pass_obj
@command
def gc(home: Path, keep: int, days: int, dry_run: bool) -> None:
    """Delete what nothing refers to: replaced versions of rows, leftovers of killed writers, old runs.

    Never deleted is what a current manifest, an exported version or the ledger refers to, and what was paid for:
    test bytes, LLM answers, verdicts, signatures. Small files of these, of which each night adds some, are joined into
    larger ones. Refused while a run is under way. Killed midway it has lost nothing; type it again.

    \b
    microcoder gc --keep 3 --dry-run
    """
    import dagster as dg

    from microcoder_assets.operations.garbage import garbage, summary
    from microcoder_assets.resources import progress
    from microcoder_assets.runner import prepare_instance

    prepare_instance(home)
    with dg.DagsterInstance.get() as instance:
        items = list(garbage(Project.load(home), instance, keep, days, dt.datetime.now(dt.UTC)))
        with progress("deleting", len(items)) as done:
            for item in items:
                if dry_run:
                    click.echo(f"{item.kind}: {item.name}")
                else:
                    item.remove()
                done(1)
    click.echo(summary(items, "would go" if dry_run else "gone"))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="All findings, as JSON.")
@click.pass_obj
@command
def doctor(home: Path, as_json: bool) -> None:
    """Look at versions, the sandbox, the disk, the inputs, Dagster's daemon, LLM servers and GPUs.

    Exit codes: 0 nothing is wrong, there may be warnings; 1 something is.
    """
    from microcoder_assets.operations.doctor import examine

    findings = list(examine(home, dt.datetime.now(dt.UTC)))
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=1, ensure_ascii=False))
    else:
        click.echo("\n".join(map(str, findings)))
    if any(finding.level == "wrong" for finding in findings):
        sys.exit(FAILURE)


@click.command("completion")
@click.argument("shell", type=click.Choice(completion.SHELLS))
@click.pass_context
def complete(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete commands, options, stages, platforms and problem ids.

    \b
    eval "$(microcoder completion bash)"                    in ~/.bashrc
    eval "$(microcoder completion zsh)"                     in ~/.zshrc
    microcoder completion fish > ~/.config/fish/completions/microcoder.fish
    """
    click.echo(completion.script(context.find_root().command, shell))


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


COMMANDS = (backfill, status, gc, doctor, complete)
