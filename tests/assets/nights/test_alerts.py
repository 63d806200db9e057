"""Alerts against a real webhook and a real mail server: none is lost, none tells a secret, none holds anything up."""

from __future__ import annotations

import datetime as dt
import logging
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest
import trustme
from click.testing import CliRunner, Result
from receivers import SILENT, Hook, MailServer

from microcoder_assets import clock
from microcoder_assets.cli import main
from microcoder_assets.errors import UserError
from microcoder_assets.nights.alerts import Alert, channels_of
from microcoder_assets.nights.outbox import outbox_of, raise_alert
from microcoder_assets.nights.settings import AlertSettings, load_operations

TOKEN = "token-that-nobody-may-see"
NIGHT = dt.datetime(2026, 4, 3, 4, tzinfo=dt.UTC)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        yield server


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def settings(hook: Hook, mail: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AlertSettings:
    monkeypatch.setenv("HOOK_TOKEN", TOKEN)
    monkeypatch.setattr(clock, "now", lambda: NIGHT)
    (tmp_path / "hook-url").write_text(hook.url + "\n")
    (tmp_path / "operations.toml").write_text(
        '[alerts.webhook]\nurl = { file = "hook-url" }\ntoken = { env = "HOOK_TOKEN" }\ntimeout_s = 0.5\n'
        f'[alerts.mail]\nhost = "127.0.0.1"\nport = {mail.port}\nsecurity = "none"\ntimeout_s = 0.5\n'
        'sender = "night@example.org"\nrecipients = ["on-call@example.org", "second@example.org"]\n'
    )
    return load_operations(tmp_path).alerts


def alert(number: int = 1, **more: Any) -> Alert:
    values = {"kind": "failure", "title": f"night {number} failed", "text": "scored_problems failed", **more}
    return Alert(id=f"failure-{number}", at=NIGHT.isoformat(), **values)


def deliver(home: Path, settings: AlertSettings) -> list[str]:
    return outbox_of(home).deliver(channels_of(settings), settings.keep_h)


def test_both_channels_are_told_once(tmp_path: Path, settings: AlertSettings, hook: Hook, mail: MailServer) -> None:
    told = alert(run_id="r1", url="http://ui.example.org/runs/r1")
    assert raise_alert(tmp_path, told, settings) == []
    assert hook.tried == 0 and [waiting.id for waiting in outbox_of(tmp_path).waiting()] == ["failure-1"]
    assert deliver(tmp_path, settings) == deliver(tmp_path, settings) == []
    (payload,) = hook.taken
    assert payload["kind"] == "failure" and payload["run_id"] == "r1"
    assert payload["text"] == "night 1 failed\n\nscored_problems failed\nhttp://ui.example.org/runs/r1"
    assert hook.headers[0]["Idempotency-Key"] == "failure-1"
    assert hook.headers[0]["Authorization"] == f"Bearer {TOKEN}"
    (sent,) = map(message_from_string, mail.taken)
    assert sent["Subject"] == "[microcoder] night 1 failed"
    assert sent["To"] == "on-call@example.org, second@example.org"
    assert sent["Message-ID"] == "<failure-1@example.org>"
    assert outbox_of(tmp_path).waiting() == []


@pytest.mark.parametrize("status", [500, 302, 404, SILENT])
def test_a_channel_that_fails_delays_its_own_alerts_only(
    tmp_path: Path, settings: AlertSettings, hook: Hook, mail: MailServer, status: int
) -> None:
    hook.status = status
    for number in (1, 2):
        raise_alert(tmp_path, alert(number), settings)
    (line,) = deliver(tmp_path, settings)
    assert line.startswith("webhook: 'night 1 failed' waits: the webhook") and hook.tried == 1
    assert len(mail.taken) == 2
    hook.status = 200
    assert deliver(tmp_path, settings) == []
    assert [payload["id"] for payload in hook.taken] == ["failure-1", "failure-2"]
    assert len(mail.taken) == 2


def test_a_mail_server_that_refuses_gets_it_later(
    tmp_path: Path, settings: AlertSettings, hook: Hook, mail: MailServer
) -> None:
    mail.refusal = "451 try again later"
    raise_alert(tmp_path, alert(), settings)
    assert deliver(tmp_path, settings) == ["mail: 'night 1 failed' waits: the mail server answers with status 451"]
    mail.refusal = ""
    assert deliver(tmp_path, settings) == [] and len(mail.taken) == len(hook.taken) == 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_and_password_go_through_tls_to_a_server_that_can_prove_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    authority, safe = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(safe)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("MAIL_PASSWORD", TOKEN)
    monkeypatch.setattr(clock, "now", lambda: NIGHT)
    with MailServer(safe, starttls=security == "starttls") as mail:
        (tmp_path / "operations.toml").write_text(
            f'[alerts.mail]\nhost = "127.0.0.1"\nport = {mail.port}\nsecurity = "{security}"\ntimeout_s = 2\n'
            'username = "night"\npassword = { env = "MAIL_PASSWORD" }\n'
            'sender = "night@example.org"\nrecipients = ["on-call@example.org"]\n'
        )
        settings = load_operations(tmp_path).alerts
        raise_alert(tmp_path, alert(), settings)
        (waits,) = deliver(tmp_path, settings)  # nobody vouches for the server yet
        assert waits == "mail: 'night 1 failed' waits: the mail server does not take it (SSLCertVerificationError)"
        assert (mail.taken, mail.logins) == ([], [])
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        assert deliver(tmp_path, settings) == []
        assert len(mail.taken) == 1
        assert mail.logins == [(f"\0night\0{TOKEN}", True)]


def test_an_alert_that_nobody_takes_is_given_up_when_it_is_old(
    tmp_path: Path, settings: AlertSettings, hook: Hook, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.status, mail.refusal = 500, "550 no"
    raise_alert(tmp_path, alert(), settings)
    monkeypatch.setattr(clock, "now", lambda: NIGHT + dt.timedelta(hours=73))
    assert deliver(tmp_path, settings)[-1] == "webhook, mail: 'night 1 failed' is given up after 72 h"
    assert outbox_of(tmp_path).waiting() == []


def test_no_secret_is_told(
    tmp_path: Path, settings: AlertSettings, hook: Hook, mail: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    lines = []
    for status in (500, SILENT, 200):
        hook.status = status
        raise_alert(tmp_path, alert(), settings)
        lines += deliver(tmp_path, settings)
    hook.closing.set()
    kept = "".join(path.read_text() for path in (tmp_path / "alerts").rglob("*.json"))
    said = "\n".join([*lines, kept, caplog.text, repr(settings), *mail.taken, str(hook.taken)])
    assert len(lines) == 2 and hook.taken
    assert TOKEN not in said and "key-of-the-hook" not in said


def test_nothing_listens_is_a_delay_too(tmp_path: Path, settings: AlertSettings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        (tmp_path / "hook-url").write_text(f"http://127.0.0.1:{closed.getsockname()[1]}/key-of-the-hook")
    raise_alert(tmp_path, alert(), settings)
    (line,) = deliver(tmp_path, settings)
    assert line == "webhook: 'night 1 failed' waits: the webhook cannot be reached (ConnectionRefusedError)"


def test_a_secret_that_is_gone_names_its_place(
    tmp_path: Path, settings: AlertSettings, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK_TOKEN")
    raise_alert(tmp_path, alert(), settings)
    (line,) = deliver(tmp_path, settings)
    assert "HOOK_TOKEN is empty" in line and len(mail.taken) == 1


def test_kinds_that_nobody_wants_are_not_kept(tmp_path: Path, settings: AlertSettings) -> None:
    wanted = settings.model_copy(update={"events": ("failure",)})
    assert raise_alert(tmp_path, alert(kind="success"), wanted) == []
    assert raise_alert(tmp_path, alert(), AlertSettings()) == []
    assert outbox_of(tmp_path).waiting() == []


FULL = """
import datetime as dt, pathlib, shutil, sys
from microcoder_assets.nights.alerts import Alert
from microcoder_assets.nights.outbox import raise_alert
from microcoder_assets.nights.settings import load_operations
settings, home = load_operations(pathlib.Path(sys.argv[1])).alerts, pathlib.Path(sys.argv[2])
with (home / "filler").open("wb") as filler:
    filler.write(bytes(shutil.disk_usage(home).free))
at = dt.datetime.now(dt.UTC).isoformat()
print(*raise_alert(home, Alert("failure-1", "failure", "disk full", "no space", at), settings), sep="\\n")
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare to mount a small disk")
def test_of_a_full_disk_people_are_told_at_once(
    tmp_path: Path, settings: AlertSettings, hook: Hook, mail: MailServer
) -> None:
    (tmp_path / "disk").mkdir()
    shell = 'mount -t tmpfs -o size=100k none "$1/disk" && exec "$2" -c "$3" "$1" "$1/disk"'
    command = ["unshare", "-Urm", "sh", "-c", shell, "sh", str(tmp_path), sys.executable, FULL]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if "mount" in run.stderr or "unshare" in run.stderr:
        pytest.skip(f"cannot mount a small disk here: {run.stderr.strip()}")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("the alert 'disk full' is sent once, because it cannot be kept: disk full")
    assert [payload["title"] for payload in hook.taken] == ["disk full"] and len(mail.taken) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[schedule]\ntimezone = "Berlin"', "schedule.timezone: Value error, 'Berlin' is no time zone"),
        ('[schedule]\nnightly_at = "25:00"', "schedule.nightly_at"),
        ('[alerts.webhook]\nurl = "http://x"', "alerts.webhook.url"),
        ("[alerts.webhook]\nurl = { }", "one of the two"),
        ('[alerts.mail]\nhost = "h"\nsender = "a@b"\nrecipients = ["c@d"]\nusername = "u"', "go together"),
        ('[alert]\nevents = ["failure"]', "alert"),
        ("[alerts", "not valid TOML"),
    ],
)
def test_a_mistake_in_operations_toml_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "operations.toml").write_text(text)
    with pytest.raises(UserError) as caught:
        load_operations(tmp_path)
    assert words in str(caught.value) and "operations.toml" in str(caught.value) and "\n" not in str(caught.value)


def test_a_deployment_names_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.toml").write_text('[schedule]\ntimezone = "Asia/Tokyo"\n')
    monkeypatch.setenv("MICROCODER_OPERATIONS", str(tmp_path / "other.toml"))
    assert load_operations(tmp_path / "home").schedule.timezone == "Asia/Tokyo"


def test_the_command_tries_every_channel(tmp_path: Path, settings: AlertSettings, hook: Hook, mail: MailServer) -> None:
    def alerts(*options: str) -> Result:
        return CliRunner().invoke(main, ["--home", str(tmp_path), "alerts", *options])

    raise_alert(tmp_path, alert(), settings)
    assert alerts().output.splitlines() == ["2026-04-03T04:00  failure   night 1 failed", "channels: webhook, mail"]
    tried = alerts("--test")
    assert (tried.exit_code, tried.output) == (0, "webhook: taken\nmail: taken\n")
    assert [payload["title"] for payload in hook.taken] == ["a trial alert"] and len(mail.taken) == 1
    hook.status = 500
    tried = alerts("--test")
    assert tried.exit_code == 1 and "webhook: the webhook answers with status 500" in tried.output
    (tmp_path / "operations.toml").unlink()
    assert alerts("--test").exit_code == 2
