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
from microcoder_assets.collection.sets.apps import APPS
from microcoder_assets.collection.sets.code_contests import CODE_CONTESTS
from microcoder_assets.collection.sets.code_contests_plus import CODE_CONTESTS_PLUS
from microcoder_assets.collection.sets.deepcoder import DEEPCODER
from microcoder_assets.collection.sets.open_r1 import OPEN_R1
from microcoder_assets.collection.sets.source import HUB_NAME, ProblemSet, open_set
from microcoder_assets.collection.sets.taco import TACO
from microcoder_assets.collection.web.source import open_web
from microcoder_assets.config import CollectionSettings, Settings
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

SETS: Mapping[str, ProblemSet] = MappingProxyType(
    {known.kind: known for known in (CODE_CONTESTS, CODE_CONTESTS_PLUS, TACO, APPS, OPEN_R1, DEEPCODER)}
)
"""Hugging Face data sets by kind. Each is a folder, or a name on the hub with a commit."""


def parse_spec(text: str) -> SourceSpec:
    """`KIND:PATH`, of a data set also `KIND:OWNER/NAME@COMMIT`.

    Raises UserError for a missing colon, an unknown kind and a path that does not exist.
    """
    kind, colon, path = text.partition(":")
    if not colon or not path:
        raise UserError(f"source {text!r} must be KIND:PATH, for example kattis:examples/archive")
    if kind not in KINDS and kind not in SETS:
        raise UserError(f"unknown source kind {kind!r} in {text!r}; one of {', '.join([*KINDS, *SETS])}")
    if not Path(path).exists() and not (kind in SETS and HUB_NAME.fullmatch(path)):
        raise UserError(f"source path {path} does not exist")
    return SourceSpec(kind, Path(path))


def open_source(spec: SourceSpec, settings: CollectionSettings | None = None) -> Source:
    """settings: the defaults where there are none. Raises UserError when the path holds nothing of its kind."""
    if spec.kind in SETS:
        return open_set(SETS[spec.kind], spec.path, (settings or Settings().collection).max_references)
    return KINDS[spec.kind](spec.path)
