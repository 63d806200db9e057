"""The commands about versions of the train split: list, compare, export for other trainers, push."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from microcoder_assets.command import DIFFERENT, command
from microcoder_assets.errors import UserError
from microcoder_assets.project import Project

_VERSION = click.option("--version", "wanted", default="latest", show_default=True, metavar="VERSION",
                        help="A version, or how its name begins; `microcoder versions` lists them.")


def _exports(home: Path) -> Path:
    return Project.load(home).exports / "train_split"


@click.command()
@click.pass_obj
@command
def versions(home: Path) -> None:
    """The versions of the train split that were exported, the oldest first."""
    from microcoder_assets.publication.versions import version_table
    from microcoder_assets.reports import text_table

    click.echo(text_table(version_table(_exports(home))))


@click.command()
@click.argument("before", required=False)
@click.argument("after", default="latest")
@click.option("--json", "as_json", is_flag=True, help="All rows, as JSON.")
@click.pass_obj
@command
def diff(home: Path, before: str | None, after: str, as_json: bool) -> None:
    """What entered, left, moved between parts or changed from version BEFORE to version AFTER, and why.

    Without BEFORE it is the version exported before AFTER. Exit code 0: equal rows. 4: they differ.

    \b
    microcoder diff 3f2a latest
    """
    from microcoder_assets.publication.diff import compare
    from microcoder_assets.publication.versions import exported_versions, find_version

    exports = _exports(home)
    new = find_version(exports, after)
    earlier = [version for version in exported_versions(exports) if version.made < new.made]
    if before is None and not earlier:
        raise UserError(f"no version was exported before {new.name}; `microcoder versions` lists them")
    old = find_version(exports, before) if before else earlier[-1]
    found = compare(old, new, Project.load(home).store)
    click.echo(json.dumps(found.to_json(), indent=1, ensure_ascii=False) if as_json else found.to_text())
    if found:
        sys.exit(DIFFERENT)


@click.command()
@click.option("--format", "name", type=click.Choice(["trl", "verl", "rllm"]), required=True, help="Whose columns.")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="FOLDER",
              help="A folder to make.")
@_VERSION
@click.pass_obj
@command
def export(home: Path, name: str, output: Path, wanted: str) -> None:
    """Write the train split in the columns of another trainer; docs/publication.md tells them.

    \b
    microcoder export --format verl --output split-verl
    """
    from microcoder_assets.publication.convert import convert
    from microcoder_assets.publication.versions import find_version

    done = convert(find_version(_exports(home), wanted), name, output)
    for file, rows in done.files.items():
        click.echo(f"{output / file}: {rows} rows")
    for problem_id, reason in done.left_out.items():
        click.echo(f"left out {problem_id}: {reason}", err=True)


@click.command()
@click.argument("repository", metavar="OWNER/NAME")
@_VERSION
@click.option("--private", is_flag=True, help="Make the data set private where it is new.")
@click.pass_obj
@command
def push(home: Path, repository: str, wanted: str, private: bool) -> None:
    """Put a version of the train split on the Hugging Face Hub as the data set OWNER/NAME, with its card.

    The token is HF_TOKEN. Typed again it finds everything there.
    """
    from microcoder_assets.publication.push import push as push_version
    from microcoder_assets.publication.versions import find_version

    click.echo(push_version(find_version(_exports(home), wanted), repository, private=private))


COMMANDS = (versions, diff, export, push)
