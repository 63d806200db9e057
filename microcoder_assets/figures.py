"""Figures small enough for asset metadata: matplotlib without a window, and PNG bytes that are equal for equal data."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE_INCHES = (5.6, 3.6)
DPI = 90


def figure() -> Figure:
    from matplotlib.figure import Figure  # most of a second to import

    return Figure(figsize=SIZE_INCHES, dpi=DPI, layout="constrained")


def png(drawn: Figure) -> bytes:
    buffer = io.BytesIO()
    drawn.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
