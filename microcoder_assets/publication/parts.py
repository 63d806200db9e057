"""Train and validation: apart in time, and with no near-duplicates across the two. The rules are ours.

Validation is what was published last: every problem from one day on. What reads like an older problem, or like one
without a date, is in neither part, so that no train row is younger than a validation row and none gives one away.
"""

from __future__ import annotations

import datetime as dt
import hashlib

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from microcoder_assets.config import DedupSettings, PublicationSettings
from microcoder_assets.processing.documents import read_corpus
from microcoder_assets.processing.duplicates import find_relatives
from microcoder_assets.processing.minhash import Cache

DATED_BY = ("contest", "inferred")
"""Bases of a date that says when a problem was new. An archive's date says when it was archived. Ours."""


def find_families(rows: pl.DataFrame, dedup: DedupSettings, cache: Cache | None = None) -> pl.Series:
    """The family of each row, named by its first problem_id: near-duplicates that were not merged, versions of one
    problem (easy and hard, I and II) and the two io forms of one.

    rows: of `schema.PREPARED`, sorted by problem_id.
    """
    ids = rows["problem_id"].to_list()
    row_of = {problem_id: row for row, problem_id in enumerate(ids)}
    links = [(group[0], member) for group in find_relatives(read_corpus(rows, dedup, cache=cache), dedup)
             for member in group]
    links += [(row, row_of[of]) for row, of in enumerate(rows["form_of"]) if of in row_of]
    left, right = np.array(links, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(links), bool), (left, right)), shape=(len(ids), len(ids)))
    _, labels = connected_components(graph, directed=False)
    first: dict[int, str] = {}
    return pl.Series("family", [first.setdefault(label, ids[row]) for row, label in enumerate(labels.tolist())],
                     pl.String)


def assign_parts(rows: pl.DataFrame, settings: PublicationSettings) -> pl.Series:
    """`train` or `validation` for each row; null where it belongs to neither.

    A family is in validation where all of it was published from the first day held out on. Of another family what is
    that young is in neither part, and the rest is in train. Where no two rows have different dates, families are held
    out by a hash of their name.

    rows: family, published, published_basis.
    """
    dated = pl.when(pl.col("published_basis").is_in(DATED_BY)).then("published")
    rows = rows.select("family", day=dated)
    start = settings.validation_from or first_day_held_out(rows["day"], settings.validation_fraction)
    if start is None:
        return pl.Series("part", [_by_hash(family, settings) for family in rows["family"]], pl.String)
    young = (pl.col("day") >= start).fill_null(False)
    part = pl.when(young.all().over("family")).then(pl.lit("validation")).when(~young).then(pl.lit("train"))
    return rows.select(part=part)["part"]


def first_day_held_out(days: pl.Series, fraction: float) -> dt.date | None:
    """The day from which on the share of the dated rows is nearest to `fraction`; never the oldest of them.

    None where no two days differ.
    """
    counts = days.drop_nulls().value_counts().sort(days.name, descending=True).rows()
    wanted, held, nearest = fraction * sum(count for _, count in counts), 0, None
    for day, count in counts[:-1]:
        held += count
        if nearest is None or abs(held - wanted) < abs(nearest[1] - wanted):
            nearest = day, held
    return nearest[0] if nearest else None


def _by_hash(family: str, settings: PublicationSettings) -> str:
    digest = hashlib.sha256(f"{settings.split_salt}\0{family}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return "validation" if share < settings.validation_fraction else "train"
