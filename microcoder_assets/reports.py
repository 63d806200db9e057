"""Tables and pictures as a person reads them: Markdown for asset metadata, plain text for a terminal."""

from __future__ import annotations

import base64
import html
import re
from typing import Any

import polars as pl

_ACTIVE = re.compile(r"[\\`*\[\]|]")
"""What begins a link, a picture, code or another cell in Markdown."""


def plain_markdown(text: str) -> str:
    """`text` such that Markdown shows it letter by letter: what a source wrote is never a tag, a link or a picture."""
    return _ACTIVE.sub(r"\\\g<0>", html.escape(text, quote=False))


def markdown_table(frame: pl.DataFrame, limit: int = 60) -> str:
    """`frame` as a Markdown table of plain text; rows past `limit` are counted, not shown."""
    head = "| " + " | ".join(frame.columns) + " |"
    rule = "|" + "|".join(" ---: " if dtype.is_numeric() else " --- " for dtype in frame.dtypes) + "|"
    cells = ([plain_markdown(_cell(value)) for value in row] for row in frame.head(limit).iter_rows())
    body = ["| " + " | ".join(row) + " |" for row in cells]
    rest = [f"\n{frame.height - limit} more rows"] if frame.height > limit else []
    return "\n".join([head, rule, *body, *rest])


def text_table(frame: pl.DataFrame) -> str:
    """`frame` with aligned columns for a terminal; nulls are blank."""
    rows = [frame.columns, *([_cell(value) for value in row] for row in frame.iter_rows())]
    widths = [max(len(row[n]) for row in rows) for n in range(frame.width)]
    right = [dtype.is_numeric() for dtype in frame.dtypes]
    lines = [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def inline_png(png: bytes, title: str) -> str:
    """Markdown with the picture inside it, as the Dagster UI shows it."""
    return f"![{title}](data:image/png;base64,{base64.b64encode(png).decode()})"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".") or "0"
    return " ".join(str(value).splitlines())
