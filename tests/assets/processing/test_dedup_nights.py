"""Nights that add, change, move and delete rows decide as one build of what stands at the end does."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microcoder_assets.config import DecontaminationSettings, DedupSettings
from microcoder_assets.processing import minhash
from microcoder_assets.processing.unique import Decided, decide
from microcoder_assets.schema import BENCHMARK, NORMALIZED

DEDUP, DECONTAMINATION = DedupSettings(permutations=32, bands=8), DecontaminationSettings()
PARTITIONS = ("a", "b", "c")
STORIES = [" ".join(f"w{n}x{k * k % 61}" for k in range(40)) for n in range(3)]
ITEM = " ".join(f"item{k * k % 83}" for k in range(60))
PHRASE = " ".join(ITEM.split()[:14])
"""Three rows that hold it make it boilerplate: then it is no overlap with ITEM any more."""
SAMPLE = {"input": "5 3\n4 1 7 2 9\n1 2 3", "output": "4 11 12", "explanation": None}
IDS = [f"judge{judge}:{n}" for judge in range(6) for n in range(2)]

TEXTS = st.builds(
    lambda story, tail: f"{STORIES[story]} {tail}",
    st.integers(0, len(STORIES) - 1),
    st.sampled_from(["", "", "and a few more words at its end", PHRASE]),
)
ROWS = st.fixed_dictionaries(
    {
        "statement": TEXTS | st.just(ITEM),
        "title": st.sampled_from(["Toy", "Toy II", "Box"]),
        "samples": st.sampled_from([[], [SAMPLE]]),
        "constraints": st.sampled_from([None, "n <= 100"]),
        "tags": st.sampled_from([[], ["dp"], ["bit", "dp"]]),
        "partition": st.sampled_from(PARTITIONS),
    }
)
NIGHTS = st.lists(st.dictionaries(st.sampled_from(IDS), st.none() | ROWS, max_size=6), min_size=2, max_size=4)
"""Each night: what becomes of some problems. None: gone."""


class Remembered(dict[str, bytes]):
    def get(self, keys: list[str]) -> dict[str, bytes]:  # type: ignore[override]
        return {key: self[key] for key in keys if key in self}

    def put(self, values: dict[str, bytes]) -> None:
        self.update(values)


KNOWN = Remembered()


def frame(rows: dict[str, dict[str, Any]]) -> pl.DataFrame:
    blank = dict.fromkeys(NORMALIZED) | {name: [] for name in ("tests", "references", "ratings")}
    lines = []
    for problem_id, row in sorted(rows.items()):
        platform, _, native_id = problem_id.partition(":")
        content = repr([row[name] for name in ("statement", "samples", "constraints")])
        own = {"problem_id": problem_id, "platform": platform, "native_id": native_id, "content_sha": content}
        lines.append(blank | own | {"statement_language": "en", "io_mode": "stdin"} | row)
    return pl.DataFrame(lines, schema={**NORMALIZED, "partition": pl.String}, infer_schema_length=None)


def benchmark() -> pl.DataFrame:
    item = {"problem_id": "bench:1", "platform": "bench", "native_id": "1", "title": "Of the benchmark"}
    return pl.DataFrame([dict.fromkeys(BENCHMARK) | item | {"statement": ITEM, "io_mode": "stdin"}], schema=BENCHMARK)


def decided(problems: pl.DataFrame, *before: Any) -> tuple[Decided, pl.DataFrame]:
    outcome, overlap = decide(problems, benchmark(), DEDUP, DECONTAMINATION, KNOWN, None, None, *before)
    return outcome, overlap.items


@settings(max_examples=25, deadline=None)
@given(NIGHTS, st.sampled_from([1, 2, 16]))
def test_nights_decide_as_one_build(nights: list[dict[str, dict[str, Any] | None]], links: int) -> None:
    """links: how many members of a bucket the others are compared with, so that small ones are large here."""
    rows: dict[str, dict[str, Any]] = {}
    before: pl.DataFrame | None = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minhash, "BUCKET_LINKS", links)
        for night in nights:
            old = dict(rows)
            rows = {name: row for name, row in (rows | night).items() if row is not None}
            every = frame(rows)
            places = [{n: row for n, row in stood.items() if row["partition"] == p} for p in PARTITIONS for stood in (old, rows)]
            unchanged = [p for p, was, now in zip(PARTITIONS, places[::2], places[1::2], strict=True) if was == now]
            came = every.filter(~pl.col("partition").is_in(unchanged)) if before is not None else every
            outcome, items = decided(came, before, unchanged)
            at_once, items_at_once = decided(every)
            assert outcome.rows.equals(at_once.rows)
            assert outcome.parts() == at_once.parts()
            assert items.equals(items_at_once)
            before = outcome.rows
