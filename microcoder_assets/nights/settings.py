"""When nights run and whom they tell: `operations.toml` of a home, typed. Every default is ours unless it says else."""

from __future__ import annotations

import os
import zoneinfo
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from microcoder_assets.config import BesideSettings, Section, load_section
from microcoder_assets.errors import UserError

FILE = "operations.toml"
FILE_VARIABLE = "MICROCODER_OPERATIONS"
"""Names another file, for homes that hold no settings of their own."""

_CLOCK = r"^(?:[01]\d|2[0-3]):[0-5]\d$"


class Secret(Section):
    """A value that no settings file, log or metadata holds: where to read it, when it is needed."""

    env: str | None = Field(None, description="Environment variable.")
    file: BesideSettings | None = Field(None, description="File, as Docker and Kubernetes mount secrets.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("a secret is { env = NAME } or { file = PATH }, one of the two")
        return self

    def read(self) -> str:
        """Raises UserError naming the place, never the value."""
        try:
            found = os.environ.get(self.env, "") if self.env else (self.file or Path()).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"the secret file {self.file} cannot be read ({type(error).__name__})") from error
        if not found.strip():
            raise UserError(f"the secret {self.env or self.file} is empty; set it, or take it out of {FILE}")
        return found.strip()


class WebhookSettings(Section):
    """Where alerts are POSTed as JSON. The address counts as a secret: those of chat services hold their key."""

    url: Secret = Field(description="The address.")
    token: Secret | None = Field(None, description="Sent as `Authorization: Bearer`.")
    timeout_s: float = Field(
        10.0, gt=0, le=20, description="Longest silence of the connection. Ours: a sensor's tick has 60 s."
    )


class MailSettings(Section):
    """The SMTP server that alerts are mailed by."""

    host: str = Field(min_length=1, description="Its name.")
    port: int = Field(587, gt=0, lt=65536, description="RFC 6409: 587 for submission.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="RFC 8314 prefers tls, on port 465. Ours: starttls, as port 587 has it."
    )
    username: str | None = Field(None, description="None: no login. Ours.")
    password: Secret | None = Field(None, description="Of `username`.")
    sender: str = Field(pattern=r"^[^\s@]+@[^\s@]+$", description="From.")
    recipients: tuple[str, ...] = Field(min_length=1, description="To.")
    timeout_s: float = Field(10.0, gt=0, le=20, description="As of the webhook. Ours.")

    @model_validator(mode="after")
    def _whole_login(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        if self.username and self.security == "none":
            raise ValueError("a password is never sent without tls or starttls")
        return self


class AlertSettings(Section):
    """Whom to tell what. Without a channel nobody is told."""

    events: tuple[Literal["failure", "partial", "stale", "success"], ...] = Field(
        ("failure", "partial", "stale", "success"), description="Which alerts are sent. Ours: all."
    )
    webhook: WebhookSettings | None = Field(None, description="Ours: none.")
    ui_url: str | None = Field(
        None, pattern=r"^https?://", description="Where the web UI is, for links to runs. Ours: none."
    )
    mail: MailSettings | None = Field(None, description="Ours: none.")
    keep_h: float = Field(72.0, gt=0, description="Hours for which an alert that no channel took is tried again. Ours.")


class ScheduleSettings(Section):
    """When what runs. Contest months are UTC months whatever the time zone."""

    timezone: str = Field("UTC", description="IANA name, such as Europe/Berlin. Ours.")
    nightly_at: str = Field("03:00", pattern=_CLOCK, description="Time of the nightly refresh. Ours.")
    weekly_on: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = Field(
        "sunday", description="Day of the weekly training. Ours."
    )
    weekly_at: str = Field("06:00", pattern=_CLOCK, description="Time of the weekly training. Ours: after the night.")
    catch_up_months: int = Field(
        12,
        ge=0,
        description="How far before the previous month a night goes back for what earlier nights missed. Ours.",
    )
    longest_night_h: float = Field(
        20.0,
        gt=0,
        description="A night that runs for longer is ended by Dagster's run "
        "monitoring. Ours: before the next one begins.",
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in zoneinfo.available_timezones():
            raise ValueError(f"{name!r} is no time zone; write it as Europe/Berlin")
        return name


class OperationsSettings(Section):
    """`operations.toml` of a home: what happens without anyone there."""

    schedule: ScheduleSettings = ScheduleSettings()  # type: ignore[call-arg]
    alerts: AlertSettings = AlertSettings()  # type: ignore[call-arg]


def load_operations(home: Path) -> OperationsSettings:
    """The settings of a home, defaults where it has none. Raises UserError naming the file and the key."""
    given = os.environ.get(FILE_VARIABLE)
    path = Path(given) if given else home / FILE
    return load_section(path, OperationsSettings) if given or path.exists() else OperationsSettings()
