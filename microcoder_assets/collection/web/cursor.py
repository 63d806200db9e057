"""How far a site was collected."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path

from microcoder_assets.errors import UserError
from microcoder_assets.store.atomic import write_text_atomic


@dataclass(slots=True)
class Cursor:
    """collected: when each contest month was last collected to its end, UTC. held: fingerprint of what the archive
    holds of a month. repeated: the first contest of each problem that several contests list, whose it is.
    alarms: why the last collection is not whole, by reason (codes of stage.REASONS)."""

    collected: dict[str, dt.datetime] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    repeated: dict[str, str] = field(default_factory=dict)
    alarms: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Cursor:
        """An empty one where there is no file. Raises UserError when it is damaged."""
        try:
            raw = json.loads(path.read_text("utf-8"))
            collected = {month: dt.datetime.fromisoformat(at) for month, at in raw["collected"].items()}
            return cls(collected, dict(raw["held"]), dict(raw["repeated"]), dict(raw["alarms"]))
        except FileNotFoundError:
            return cls()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path} is damaged ({error}); delete it: fresh answers are not asked for again") from error

    def save(self, path: Path) -> None:
        """Whole or not at all."""
        collected = {month: at.isoformat() for month, at in sorted(self.collected.items())}
        raw = {"collected": collected, "held": self.held, "repeated": self.repeated, "alarms": self.alarms}
        write_text_atomic(path, json.dumps(raw, indent=1) + "\n")
