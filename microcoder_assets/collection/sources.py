"""The kinds of sources that `--source KIND:PATH` knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from microcoder_assets.collection.codeforces import open_codeforces
from microcoder_assets.collection.kattis import open_kattis
from microcoder_assets.collection.leetcode import open_leetcode
from microcoder_assets.collection.oi import open_oi
from microcoder_assets.collection.records import Source, SourceSpec
from microcoder_assets.collection.rllm import open_rllm
from microcoder_assets.collection.web.source import open_web
from microcoder_assets.errors import UserError

KINDS: Mapping[str, Callable[[Path], Source]] = MappingProxyType(
    {
        "leetcode": open_leetcode,
        "codeforces": open_codeforces,
        "kattis": open_kattis,
        "rllm": open_rllm,
        "oi": open_oi,
        "web": open_web,
    }
)
"""How to open a path, by kind. Each opener raises UserError when the path holds nothing of its kind."""


def parse_spec(text: str) -> SourceSpec:
    """`KIND:PATH`. Raises UserError for a missing colon, an unknown kind and a path that does not exist."""
    kind, colon, path = text.partition(":")
    if not colon or not path:
        raise UserError(f"source {text!r} must be KIND:PATH, for example kattis:examples/archive")
    if kind not in KINDS:
        raise UserError(f"unknown source kind {kind!r} in {text!r}; one of {', '.join(KINDS)}")
    if not Path(path).exists():
        raise UserError(f"source path {path} does not exist")
    return SourceSpec(kind, Path(path))


def open_source(spec: SourceSpec) -> Source:
    """Raises UserError when the path holds nothing of its kind."""
    return KINDS[spec.kind](spec.path)
