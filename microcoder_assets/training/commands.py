"""`microcoder runs`: the training runs of a home, listed, imported and compared."""

from __future__ import annotations

from pathlib import Path

import click

from microcoder_assets.command import command
from microcoder_assets.errors import UserError
from microcoder_assets.project import Project


@click.group()
def runs() -> None:
    """Training runs of this home: list them, import one, compare two."""


@runs.command("list")
@click.pass_obj
@command
def list_runs(home: Path) -> None:
    """Every run, the best on its validation part first; RUN or KEY names it elsewhere."""
    from microcoder_assets.reports import text_table
    from microcoder_assets.store.catalogue import query

    found = query(Project.load(home).store, "FROM training_leaderboard")
    if found.is_empty():
        click.echo("no run yet; `microcoder run` trains one, `microcoder runs import FOLDER` takes one in")
        return
    click.echo(text_table(found))


@runs.command("import")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", help="What to call it; by default, the folder's name.")
@click.pass_obj
@command
def import_run(home: Path, folder: Path, name: str | None) -> None:
    """Take in the run in FOLDER, the --out of `python -m microcoder_train grpo`. Its files stay where they are.

    \b
    microcoder runs import runs/demo --name demo
    """
    from microcoder_assets.training.history import record_run

    run = name or folder.resolve().name
    key = record_run(Project.load(home).store, folder.resolve(), run, "imported")
    click.echo(f"{run} ({key}) imported; `microcoder runs list` shows it")


@runs.command()
@click.argument("a")
@click.argument("b")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=Path("comparison.png"),
              show_default=True, metavar="FILE.png", help="Where the picture goes.")
@click.pass_obj
@command
def compare(home: Path, a: str, b: str, out: Path) -> None:
    """Two runs side by side: what differs in their settings, their scores, their curves step by step, and a picture.

    A and B are names or keys of `microcoder runs list`. Steps that only one has are left out.

    \b
    microcoder runs compare demo 3f2a9c --out comparison.png
    """
    from microcoder_assets.reports import text_table
    from microcoder_assets.store.atomic import write_atomic
    from microcoder_assets.training.comparison import comparison_plot, summary_of
    from microcoder_assets.training.history import differing_settings, find_run, paired_steps, score_table

    store = Project.load(home).store
    first, second = find_run(store, a), find_run(store, b)
    if first.key == second.key:
        raise UserError(f"{a!r} and {b!r} are the same run, {first.key}")
    differing, pairs = differing_settings(first, second), paired_steps(store, first, second)
    click.echo(f"a: {first.name} ({first.key})\nb: {second.name} ({second.key})\n")
    click.echo(text_table(differing) if differing.height else "no setting differs")
    click.echo("\n" + text_table(score_table(first, second)))
    if pairs.is_empty():
        click.echo("\nno step is in both curves: nothing to draw")
        return
    click.echo("\n" + text_table(summary_of(pairs)))
    picture = comparison_plot(pairs, (f"a: {first.name}", f"b: {second.name}"))
    write_atomic(out, lambda temporary: temporary.write_bytes(picture))
    click.echo(f"\ncurves drawn in {out}")
