"""The commands that ask a model offline, in batches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from microcoder_assets.batches import ASSETS, asking, batch_folder
from microcoder_assets.command import command
from microcoder_assets.errors import UserError
from microcoder_assets.project import Project


@click.group()
def batch() -> None:
    """Ask a model offline: for tens of thousands of rows, at a batch's price or without a server.

    ASSET is scored_problems (the default) or prepared_problems (translations). Its section of the settings names the
    model. Files lie in HOME/batches/ASSET; with offline = true in the section, a run asks no server at all.

    \b
    microcoder batch write                     requests-0001.jsonl, ... of all that has no answer yet
    microcoder batch submit                    ... to the batch API of the server, or without one
    python -m vllm.entrypoints.openai.run_batch --model MODEL -i requests-0001.jsonl -o answers-0001.jsonl
    microcoder batch import                    what came back, into the cache
    microcoder run                             finds every answer there
    """


_asset = click.argument("asset", type=click.Choice(ASSETS), default=ASSETS[0])


@batch.command()
@_asset
@click.pass_obj
@command
def write(home: Path, asset: str) -> None:
    """Write what has no answer yet and waits for none, malformed answers to be repaired too."""
    from microcoder_assets.llm.batch import BatchFolder

    client, _, work = asking(Project.load(home), asset)
    for path, count in BatchFolder(batch_folder(home, asset)).write(client, work).items():
        click.echo(f"{path}: {count} requests")
    spent = "; the budget allows no more, raise budget_usd to write the rest" if client.budget.closed else ""
    click.echo(f"at most {client.budget.spent_usd:.2f} USD at the full price{spent}")


@batch.command()
@_asset
@click.pass_obj
@command
def submit(home: Path, asset: str) -> None:
    """Send what waits to the server's batch API. What it has already is not sent again."""
    from microcoder_assets.llm.batch import BatchFolder

    client, _, _ = asking(Project.load(home), asset)
    _print_batches(BatchFolder(batch_folder(home, asset)).submit(client))


@batch.command("import")
@click.option("--fetch", is_flag=True, help="First download what the server's batch API has done.")
@_asset
@click.pass_obj
@command
def import_(home: Path, asset: str, fetch: bool) -> None:
    """Put what came back into the cache of answers, and say what did not in report.csv.

    What failed or is missing is written again by the next `microcoder batch write`.
    """
    import polars as pl

    from microcoder_assets.llm.batch import BatchFolder, Line
    from microcoder_assets.reports import text_table

    client, price, _ = asking(Project.load(home), asset)
    folder = BatchFolder(batch_folder(home, asset))
    if fetch:
        _print_batches(folder.fetch(client))
    lines = pl.DataFrame(folder.read(client, price), schema=list(Line.__slots__), orient="row")
    if lines.is_empty():
        raise UserError(f"no answers in {folder.folder}; they are expected beside the requests as answers-N.jsonl")
    lines.filter(~pl.col("outcome").is_in(["answered", "known"])).write_csv(folder.folder / "report.csv")
    click.echo(text_table(lines.group_by("outcome").len("requests").sort("outcome")))


def _print_batches(batches: Mapping[Path, Any]) -> None:
    for path, batch in batches.items():
        done = batch.request_counts
        click.echo(f"{path.name}: {batch.id} {batch.status}" + (f" {done.completed}/{done.total}" if done else ""))
    if not batches:
        click.echo("nothing waits, or the server has none of it")
