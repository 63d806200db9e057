"""The canonical content of a problem and its hash."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from microcoder_assets.processing.headings import TEXT_SECTIONS


def content_sha(row: Mapping[str, Any]) -> str:
    """sha256 of what a problem is: the words of its sections, limits, io mode, entry point, tests and checker.

    row: the columns of `schema.NORMALIZED` but content_sha. White space, Unicode compatibility forms and the layout of
    samples do not count: a cosmetic re-scrape keeps the hash. Nor do names and order of tests.
    """
    content = {
        "sections": {name: canonical_text(row[name] or "") for name in TEXT_SECTIONS},
        "samples": [[canonical_text(sample["input"]), canonical_text(sample["output"])] for sample in row["samples"]],
        "limits": [row["time_limit_s"], row["memory_limit_mb"]],
        "io_mode": row["io_mode"],
        "entry_point": row["entry_point"],
        "tests": _tests(row["tests"]),
        "checker": row["checker"],
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def canonical_text(text: str) -> str:
    """NFKC, with white space collapsed."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _tests(tests: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    return sorted([test["input_sha"], test["expected_sha"]] for test in tests)
