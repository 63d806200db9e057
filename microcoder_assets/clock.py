"""What time it is: the one place that asks, so that a year of nights can be lived through in a minute."""

from __future__ import annotations

import datetime as dt


def now() -> dt.datetime:
    """Now, UTC."""
    return dt.datetime.now(dt.UTC)
