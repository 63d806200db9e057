"""Alerts on their way. Each is a file until every channel took it: a channel that is down delays an alert, a kill loses
none, and neither touches the run that it is about. One may arrive twice, never not at all until it is too old."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from microcoder_assets import clock
from microcoder_assets.errors import UserError
from microcoder_assets.nights.alerts import Alert, Channel, Undelivered, channels_of
from microcoder_assets.nights.settings import AlertSettings
from microcoder_assets.store.atomic import exclusive, write_text_atomic


class Outbox:
    """Files `<id>.json` in a folder: the alert, and the channels that have not taken it yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def waiting(self) -> list[Alert]:
        """The oldest first. Raises UserError for a damaged file."""
        return [alert for _, alert, _ in self._entries()]

    def put(self, alert: Alert, channels: Sequence[str]) -> None:
        """Keep an alert for those channels. Raises UserError where the disk does not take it."""
        with exclusive(self._folder):
            self._write(self._folder / f"{alert.id}.json", alert, channels)

    def deliver(self, channels: Mapping[str, Channel], keep_h: float) -> list[str]:
        """Try once what waits, the oldest first; a line about whatever did not arrive.

        A channel that fails is left alone until the next time. Alerts older than `keep_h` are given up.
        """
        told, failed = list[str](), set[str]()
        if not self._folder.is_dir():
            return told
        with exclusive(self._folder):
            for path, alert, left in self._entries():
                for name in [name for name in left if name in channels and name not in failed]:
                    try:
                        channels[name].send(alert)
                    except (Undelivered, UserError) as error:
                        failed.add(name)
                        told.append(f"{name}: {alert.title!r} waits: {error}")
                    else:
                        left.remove(name)
                        self._write(path, alert, left)
                left = [name for name in left if name in channels]
                age = clock.now() - dt.datetime.fromisoformat(alert.at)
                if left and age > dt.timedelta(hours=keep_h):
                    told.append(f"{', '.join(left)}: {alert.title!r} is given up after {keep_h:g} h")
                    left = []
                if not left:
                    path.unlink()
        return told

    def _entries(self) -> Iterator[tuple[Path, Alert, list[str]]]:
        found = []
        for path in self._folder.glob("[!.]*.json"):
            try:
                raw = json.loads(path.read_text("utf-8"))
                found.append((path, Alert(**raw["alert"]), list(raw["left"])))
            except (ValueError, TypeError, KeyError) as error:
                raise UserError(f"{path} is damaged ({error}); delete it") from error
        yield from sorted(found, key=lambda entry: (entry[1].at, entry[1].id))

    def _write(self, path: Path, alert: Alert, left: Sequence[str]) -> None:
        write_text_atomic(path, json.dumps({"alert": asdict(alert), "left": list(left)}, indent=1) + "\n")


def outbox_of(home: Path) -> Outbox:
    return Outbox(home / "alerts")


def raise_alert(home: Path, alert: Alert, settings: AlertSettings) -> list[str]:
    """Keep an alert for the next delivery; on a disk that does not take it, send it now. A line about what failed."""
    channels = channels_of(settings)
    if alert.kind not in settings.events or not channels:
        return []
    try:
        outbox_of(home).put(alert, list(channels))
    except (UserError, OSError) as full:
        told = [f"the alert {alert.title!r} is sent once, because it cannot be kept: {full}"]
        for name, channel in channels.items():
            try:
                channel.send(alert)
            except (Undelivered, UserError) as error:
                told.append(f"{name}: {alert.title!r} is lost: {error}")
        return told
    return []
