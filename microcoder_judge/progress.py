"""A bar on standard error, redrawn a few times a second."""

from __future__ import annotations

import sys
import time

BAR_WIDTH, REDRAW_S = 30, 0.2


class Progress:
    """total: how much there is to do, in bytes or submissions, None where nobody knows; then only counts are shown."""

    def __init__(self, total: int | None, shown: bool) -> None:
        self._total = total
        self._shown = shown
        self._began = time.monotonic()
        self._drawn = 0.0

    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def show(self, read: int, done: int) -> None:
        """read: how much of the total is done. done: how many results these are."""
        now = time.monotonic()
        if self._shown and now - self._drawn >= REDRAW_S:
            self._drawn = now
            text = f"{self._bar(read)}{done} judged, {done / self.elapsed_s():.1f} a second"
            print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave the line empty."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _bar(self, read: int) -> str:
        if not self._total:
            return ""
        share = min(1.0, read / self._total)
        return f"[{'#' * int(BAR_WIDTH * share):<{BAR_WIDTH}}] {share:4.0%}  "
