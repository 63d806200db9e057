"""Nights that add, change, move and delete rows decide as one build of what stands at the end does."""

from __future__ import annotations

from random import Random
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

Rows = dict[str, dict[str, Any]]


def draw(random: Random) -> dict[str, Any]:
    tail = random.choice(["", "", "and a few more words at its end", PHRASE])
    return {
        "statement": ITEM if random.random() < 0.1 else f"{random.choice(STORIES)} {tail}",
        "title": random.choice(["Toy", "Toy II", "Box", "Ark"]),
        "samples": random.choice([[], [SAMPLE]]),
        "constraints": random.choice([None, "n <= 100"]),
        "tags": random.choice([[], ["dp"], ["bit", "dp"]]),
        "partition": random.choice(PARTITIONS),
    }


def a_night(rows: Rows, random: Random) -> Rows:
    """Afterwards: of some ids a new row, or none."""
    rows = dict(rows)
    for name in random.sample(IDS, 3):
        rows.pop(name, None)
        if random.random() < 0.7:
            rows[name] = draw(random)
    return rows


class Remembered(dict[str, bytes]):
    def get(self, keys: list[str]) -> dict[str, bytes]:  # type: ignore[override]
        return {key: self[key] for key in keys if key in self}

    def put(self, values: dict[str, bytes]) -> None:
        self.update(values)


KNOWN = Remembered()


def frame(rows: Rows) -> pl.DataFrame:
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


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, 2, 16]))
def test_nights_decide_as_one_build(seed: int, links: int) -> None:
    """links: how many members of a bucket the others are compared with, so that small ones are large here."""
    random = Random(seed)
    rows: Rows = {name: draw(random) for name in IDS if random.random() < 0.8}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minhash, "BUCKET_LINKS", links)
        before = decided(frame(rows))[0].rows
        for _ in range(3):
            stood, rows = rows, a_night(rows, random)
            every = frame(rows)
            unchanged = [place for place in PARTITIONS if inside(place, stood) == inside(place, rows)]
            outcome, items = decided(every.filter(~pl.col("partition").is_in(unchanged)), before, unchanged)
            at_once, items_at_once = decided(every)
            assert outcome.rows.equals(at_once.rows)
            assert items.equals(items_at_once)
            before = outcome.rows


def inside(partition: str, rows: Rows) -> Rows:
    return {name: row for name, row in rows.items() if row["partition"] == partition}
