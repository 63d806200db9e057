"""What every command of the command line does with an error: one line and an exit code."""

from __future__ import annotations

import functools
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from microcoder_assets.errors import UserError

USER_ERROR, FAILURE, ALARM, DIFFERENT = 2, 1, 3, 4
"""Exit codes beside 0. DIFFERENT: `microcoder diff` found two versions that are not equal."""
ENGINES = ("dagster", "dagster_postgres", "duckdb", "polars", "sqlalchemy")
"""Libraries whose errors are about files and queries, not about this code: one line, no traceback."""
SPARE_BYTES = 1 << 20
"""A disk with less than this free counts as full. Ours."""


def _cause(error: Exception, home: Path) -> str:
    """An engine's error in one line, with the mend where the place it failed in is known."""
    said = next(iter(str(error).strip().splitlines()), type(error).__name__)
    if type(error).__module__.startswith("dagster_postgres") or "psycopg2." in said:
        return f"the database of runs cannot be reached ({said}): start it and run again, nothing stored is lost"
    if shutil.disk_usage(_existing(home)).free < SPARE_BYTES:
        return f"{said}; the disk of {home} is full: free some space and run again, nothing stored is lost"
    return said


def _existing(path: Path) -> Path:
    """The nearest folder above that is there."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def command(function: Callable[..., Any]) -> Callable[..., Any]:
    """Users' mistakes and failed runs end in one line, not in a traceback. The first argument is the home."""

    @functools.wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except UserError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(USER_ERROR)
        except OSError as error:
            click.echo(f"error: {error.filename or 'input or output'}: {error.strerror or error}", err=True)
            sys.exit(USER_ERROR)
        except Exception as error:
            if not isinstance(error, RuntimeError) and type(error).__module__.partition(".")[0] not in ENGINES:
                raise
            click.echo(f"error: {_cause(error, arguments[0])}", err=True)
            sys.exit(FAILURE)
        except KeyboardInterrupt:
            click.echo("stopped; what was finished is stored, run again to go on", err=True)
            sys.exit(130)

    return wrapped


def raise_alarms(found: Mapping[str, Mapping[str, str]]) -> None:
    """Say what sources on the web did not give, by platform and reason, and exit with ALARM; the rest is done."""
    alarms = [f"{platform}: {detail}" for platform, by in found.items() for detail in by.values()]
    for alarm in alarms:
        click.echo(f"alarm: {alarm}", err=True)
    if alarms:
        sys.exit(ALARM)
