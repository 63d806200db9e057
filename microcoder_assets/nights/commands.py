"""The command about alerts: what waits, and whether the channels work."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from microcoder_assets.command import FAILURE, command
from microcoder_assets.errors import UserError


@click.command()
@click.option("--test", "trial", is_flag=True, help="Send a trial alert through every channel now.")
@click.pass_obj
@command
def alerts(home: Path, trial: bool) -> None:
    """Alerts that wait for a channel; with --test, whether the channels of operations.toml work.

    Exit code 1: a channel did not take the trial.

    \b
    microcoder alerts --test
    """
    from microcoder_assets import clock
    from microcoder_assets.nights.alerts import Alert, Undelivered, channels_of
    from microcoder_assets.nights.outbox import outbox_of
    from microcoder_assets.nights.settings import load_operations

    channels = channels_of(load_operations(home).alerts)
    if not trial:
        for alert in outbox_of(home).waiting():
            click.echo(f"{alert.at[:16]}  {alert.kind:8}  {alert.title}")
        click.echo(f"channels: {', '.join(channels) or 'none; docs/operations.md shows how to name some'}")
        return
    if not channels:
        raise UserError("operations.toml names no channel; docs/operations.md shows one")
    now = clock.now()
    trial_alert = Alert(f"trial-{now:%Y%m%dT%H%M%S}", "success", "a trial alert", "The channel works.", now.isoformat())
    failed = False
    for name, channel in channels.items():
        try:
            channel.send(trial_alert)
            click.echo(f"{name}: taken")
        except (Undelivered, UserError) as error:
            failed = True
            click.echo(f"{name}: {error}", err=True)
    if failed:
        sys.exit(FAILURE)
