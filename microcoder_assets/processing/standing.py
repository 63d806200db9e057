"""What stands of `unique_problems` from the run before: what was decided, and all that deciding again needs.

One file beside the store's assets, whose columns are mapped into memory: a night reads of them what it looks at. The
file may be deleted; the next run then decides about all rows anew, and finds the same.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from microcoder_assets.processing.decontaminate import Alone, Overlap
from microcoder_assets.processing.documents import FACTS, Corpus
from microcoder_assets.processing.duplicates import MATCHES
from microcoder_assets.processing.gram_index import Grams
from microcoder_assets.processing.minhash import Buckets
from microcoder_assets.schema import RATING, UNIQUE, Schema
from microcoder_assets.store.atomic import write_atomic
from microcoder_assets.store.ledger import SNAPSHOT

ADDED: Schema = {
    name: UNIQUE[name] for name in ("tags", "ratings", "merged_ids", "benchmark_nearest", "benchmark_overlap")
}
"""What a row gains that stays."""

OVERLAP = pl.Struct(
    {"item": pl.Int64, "reason": pl.String, "rule": pl.String, "score": pl.Float64, "detail": pl.String}
)
"""A `decontaminate.Overlap`; detail as JSON."""

MATCH = pl.Struct({"of": pl.String, **{name: dtype for name, dtype in MATCHES.items() if name not in ("row", "other")}})
"""A line of MATCHES; of: the problem_id of the other row."""

INPUTS: Schema = {
    "problem_id": pl.String,
    "partition": pl.String,
    "source": pl.String,  # sha256 of the partition's rows
    "key": pl.String,  # hash of all that is decided from
    "content_sha": pl.String,
    "published": pl.Date,
    "references": pl.Int64,  # how many
    "tests": pl.Int64,
    "tags": pl.List(pl.String),
    "ratings": pl.List(RATING),
}

ALONE: Schema = {
    **{name: dtype for name, dtype in FACTS.items() if name != "problem_id"},
    "signature": pl.Array(pl.UInt32, 0),  # in truth as long as a signature
    "buckets": pl.List(pl.UInt64),
    "positions": pl.List(pl.Int32),  # this and the next three as in `gram_index.RowGrams`
    "grams": pl.Int64,
    "strict": pl.Boolean,
    "paper_share": pl.Float64,
    "first": OVERLAP,  # by a rule of the ladder that comes before its 8-grams, else null
    "last": OVERLAP,  # by one that comes after them, else null
    "in_window": pl.Boolean,
    "raw_item": pl.Int64,
    "raw_score": pl.Float64,
}
"""What is known of a row by itself."""

DECIDED: Schema = {
    "telling_item": pl.Int64,
    "telling_score": pl.Float64,
    "overlaps": pl.Boolean,
    "matches": pl.List(MATCH),  # with later rows
    "decision": pl.Struct({name: dtype for name, dtype in SNAPSHOT.items() if name != "problem_id"}),
    "added": pl.Struct(ADDED),  # null for a row that ends here
    "facts": pl.String,  # hash of the two above
}
"""What depends on the other rows."""


def blank(permutations: int) -> pl.DataFrame:
    """No rows."""
    return pl.DataFrame(schema={**INPUTS, **ALONE, **DECIDED, "signature": pl.Array(pl.UInt32, permutations)})


def read(folder: Path, scheme: str) -> pl.DataFrame | None:
    """The rows as they were decided under `scheme`; None where there are none."""
    with contextlib.suppress(OSError, pa.ArrowInvalid), pa.memory_map(str(folder / f"{scheme}.arrow")) as file:
        return pl.DataFrame(pa.ipc.open_file(file).read_all())
    return None


def write(folder: Path, scheme: str, rows: pl.DataFrame) -> None:
    """In place of what was decided before, under whatever scheme."""
    path = folder / f"{scheme}.arrow"
    write_atomic(path, rows.write_ipc)
    for other in folder.glob("*.arrow"):
        if other != path:
            other.unlink(missing_ok=True)


def together(
    new: pl.DataFrame, known: pl.DataFrame, before: pl.DataFrame, unchanged: Collection[str]
) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    """All rows that stand now, by problem_id, and for each the number of the row in `before` that it is, or -1.

    new: INPUTS and ALONE. known: INPUTS of rows that `before` has under their keys. unchanged: partitions whose rows
    stand as they are in `before`.
    """
    numbered = before.with_columns(then=pl.int_range(pl.len()))
    stand = numbered.filter(pl.col("partition").is_in(list(unchanged)))
    inside = numbered.drop(name for name in INPUTS if name not in ("problem_id", "key"))
    again = known.join(inside, on=["problem_id", "key"])
    rows = pl.concat([numbered.clear(), stand, again, new], how="diagonal").sort("problem_id")
    return rows.drop("then"), rows["then"].fill_null(-1).to_numpy()


def rows_alone(corpus: Corpus, buckets: Buckets, alone: Alone, window: Sequence[int]) -> pl.DataFrame:
    """The rows of a corpus as columns of ALONE. window: those in it."""
    grams, size = corpus.grams, corpus.facts.height
    inside = np.zeros(size, dtype=bool)
    inside[list(window)] = True
    return corpus.facts.with_columns(
        pl.Series("signature", corpus.signatures, pl.Array(pl.UInt32, corpus.signatures.shape[1])),
        _lists(pl.Series("buckets", buckets.values), np.bincount(buckets.rows, minlength=size)),
        _lists(pl.Series("positions", grams.positions, pl.Int32), grams.hits),
        pl.Series("grams", grams.grams),
        pl.Series("strict", grams.strict),
        pl.Series("paper_share", grams.paper_share),
        _overlap_column("first", alone.first, size),
        _overlap_column("last", alone.last, size),
        pl.Series("in_window", inside),
        pl.Series("raw_item", alone.raw_item),
        pl.Series("raw_score", alone.raw_score),
    )


def corpus_of(rows: pl.DataFrame) -> Corpus:
    hits = rows["positions"].list.len().to_numpy().astype(np.int64)
    positions = _values(rows["positions"]).to_numpy().astype(np.int64)
    columns = (rows[name].to_numpy() for name in ("grams", "strict", "paper_share"))
    return Corpus(rows.select(*FACTS), rows["signature"].to_numpy(), Grams(positions, hits, *columns))


def alone_of(rows: pl.DataFrame) -> Alone:
    first, last = (_overlaps(rows[name]) for name in ("first", "last"))
    return Alone(first, last, rows["raw_item"].to_numpy(), rows["raw_score"].to_numpy())


def _overlap_column(name: str, overlaps: Mapping[int, Overlap], size: int) -> pl.Series:
    lines = [
        {**overlap._asdict(), "detail": json.dumps(overlap.detail)} if overlap else None
        for overlap in map(overlaps.get, range(size))
    ]
    return pl.Series(name, lines, OVERLAP)


def _overlaps(column: pl.Series) -> dict[int, Overlap]:
    found = column.to_frame("overlap").with_row_index("row").filter(pl.col("overlap").is_not_null()).unnest("overlap")
    return {
        row: Overlap(item, reason, rule, score, json.loads(detail))
        for row, item, reason, rule, score, detail in found.iter_rows()
    }


def buckets_of(rows: pl.DataFrame, numbers: NDArray[np.int64]) -> Buckets:
    """numbers: what the rows are called."""
    return Buckets(np.repeat(numbers, rows["buckets"].list.len().to_numpy()), _values(rows["buckets"]).to_numpy())


def matches_of(rows: pl.DataFrame) -> pl.DataFrame:
    """MATCHES rows."""
    matched = rows.select("matches", row=pl.int_range(pl.len())).filter(pl.col("matches").list.len() > 0)
    lines = matched.explode("matches").unnest("matches")
    numbers = rows.select(of="problem_id", other=pl.int_range(pl.len()))
    return lines.join(numbers, on="of", maintain_order="left").select(*MATCHES)


def as_they_were(before: pl.DataFrame, numbers: NDArray[np.int64]) -> tuple[Buckets, pl.DataFrame]:
    """The buckets and the MATCHES of `before`. numbers: what its rows are called now, -1 for those that are gone."""
    stayed, lines = ~before["overlaps"], matches_of(before)
    renamed = (pl.Series(name, numbers[lines[name].to_numpy()]) for name in ("row", "other"))
    return buckets_of(before.select("buckets").filter(stayed), numbers[stayed.to_numpy()]), lines.with_columns(renamed)


def match_lists(matches: pl.DataFrame, ids: pl.Series) -> pl.Series:
    """The column `matches` of rows with these ids. matches: MATCHES rows."""
    lines = matches.sort("row", "other")
    lines = lines.with_columns(of=ids.gather(lines["other"]))
    structs = lines.select(matches=pl.struct(field.name for field in MATCH.fields)).to_series()
    return _lists(structs, np.bincount(lines["row"].to_numpy(), minlength=len(ids)))


def _values(column: pl.Series) -> pl.Series:
    """Those of all lists, one after the other; there are no nulls among them."""
    return column.explode(empty_as_null=False, keep_nulls=False)


def _lists(values: pl.Series, lengths: NDArray[np.int64]) -> pl.Series:
    """Consecutive values as lists of the lengths given."""
    ends = pl.Series(np.concatenate([[0], np.cumsum(lengths)]), dtype=pl.Int64)
    return pl.Series(values.name, pa.LargeListArray.from_arrays(ends.to_arrow(), values.to_arrow()))
