"""What people are told, and how: a webhook, a mail. No secret is in an alert, in an error or in a log."""

from __future__ import annotations

import http.client
import json
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from typing import Any, Literal, Protocol

from microcoder_assets.nights.settings import AlertSettings, MailSettings, WebhookSettings

Kind = Literal["failure", "partial", "stale", "success"]


class Undelivered(Exception):
    """A channel did not take an alert; the message is one line without any secret."""


@dataclass(frozen=True, slots=True)
class Alert:
    """id: of what happened, so that whoever is told twice can see it. title: one line. text: plain text, all of it.
    at: when, UTC, ISO 8601. run_id, url: the Dagster run and its page, where there are."""

    id: str
    kind: Kind
    title: str
    text: str
    at: str
    run_id: str | None = None
    url: str | None = None

    def to_json(self) -> dict[str, Any]:
        """With `text` as chat services show it: the title first, the page last."""
        return {**asdict(self), "text": "\n".join([self.title, "", self.text, *([self.url] if self.url else [])])}


class Channel(Protocol):
    def send(self, alert: Alert) -> None:
        """Raises Undelivered, or UserError for a secret that cannot be read."""
        ...


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A POST that is redirected would arrive as a GET, without the alert."""

    def redirect_request(self, *arguments: Any, **options: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Webhook:
    """POSTs `Alert.to_json`; any 2xx status takes it. The standard library's client logs no address."""

    settings: WebhookSettings

    def send(self, alert: Alert) -> None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": alert.id, "User-Agent": "microcoder"}
        if self.settings.token:
            headers["Authorization"] = f"Bearer {self.settings.token.read()}"
        address, body = self.settings.url.read(), json.dumps(alert.to_json()).encode()
        if not address.startswith(("http://", "https://")):
            raise Undelivered("the webhook's address begins with neither http:// nor https://")
        try:
            request = urllib.request.Request(address, body, headers, method="POST")
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=self.settings.timeout_s):
                return
        except urllib.error.HTTPError as error:
            raise Undelivered(f"the webhook answers with status {error.code}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            cause = getattr(error, "reason", error)
            name = type(cause).__name__ if isinstance(cause, Exception) else type(error).__name__
            raise Undelivered(f"the webhook cannot be reached ({name})") from None


@dataclass(frozen=True, slots=True)
class Mail:
    """Sends a plain-text mail. Its Message-ID is the alert's, so that a second copy is known as one."""

    settings: MailSettings

    def send(self, alert: Alert) -> None:
        settings = self.settings
        password = settings.password.read() if settings.password else None
        message = EmailMessage()
        message["Subject"] = " ".join(f"[microcoder] {alert.title}".split())
        message["From"], message["To"] = settings.sender, ", ".join(settings.recipients)
        message["Message-ID"] = f"<{alert.id}@{settings.sender.rpartition('@')[2]}>"
        message.set_content("\n".join([alert.text, *([alert.url] if alert.url else [])]) + "\n")
        try:
            with self._connect() as server:
                if settings.username and password:
                    server.login(settings.username, password)
                server.send_message(message)
        except smtplib.SMTPResponseException as error:
            raise Undelivered(f"the mail server answers with status {error.smtp_code}") from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise Undelivered(f"the mail server does not take it ({type(error).__name__})") from None

    def _connect(self) -> smtplib.SMTP:
        settings, safe = self.settings, ssl.create_default_context()
        if settings.security == "tls":
            return smtplib.SMTP_SSL(settings.host, settings.port, timeout=settings.timeout_s, context=safe)
        server = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_s)
        if settings.security == "starttls":
            server.starttls(context=safe)
        return server


def channels_of(settings: AlertSettings) -> Mapping[str, Channel]:
    """Those that are configured, by name."""
    found: dict[str, Channel] = {}
    if settings.webhook:
        found["webhook"] = Webhook(settings.webhook)
    if settings.mail:
        found["mail"] = Mail(settings.mail)
    return found
