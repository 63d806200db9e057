"""Calibrated solve rates against LiveCodeBench's public ones: `python -m bench.bench_calibration [DATA]`.

DATA is the folder of real records (by default MICROCODER_DATA, else ../shared/data): livecodebench, leetcode-doocs,
leetcode-zerotrac, atcoder-kenkoooo and codeforces-api. Prints the links that `evidence.REFERENCE` holds, how well they
predict public pass rates of contests and months that they were not fitted to, and the same of the whole pipeline for
LeetCode problems as if they had no rating, of those that the shipped scorer did not learn from.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from bench.tables import print_table
from microcoder_assets.collection.codeforces import read_dump
from microcoder_assets.collection.leetcode import read_ratings
from microcoder_assets.collection.scrape import scrape
from microcoder_assets.collection.sources import open_source, parse_spec
from microcoder_assets.config import CollectionSettings
from microcoder_assets.filtering.calibration_report import measure
from microcoder_assets.filtering.embedded import load_embedded
from microcoder_assets.filtering.evidence import elo_rating
from microcoder_assets.filtering.features import features
from microcoder_assets.filtering.public_rates import (
    as_if_unrated,
    by_contest,
    by_month,
    link_of,
    newest_fifth,
    read_public_rates,
    worth,
)
from microcoder_assets.filtering.rubric import load_rubric
from microcoder_assets.filtering.score import score_problems
from microcoder_assets.processing.normalize import normalize
from microcoder_assets.store import Blobs

SOURCES = {"leetcode": "zerotrac", "atcoder": "atcoder", "codeforces": "codeforces"}


def main() -> None:
    default = os.environ.get("MICROCODER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
    data = Path(sys.argv[1] if len(sys.argv) > 1 else default)
    rated = rated_problems(data)
    links, held_out = [], []
    for platform, source in SOURCES.items():
        part = rated.filter(platform=platform)
        link = link_of(part)
        rho = part.select(-pl.corr("rating", "observed_solve_rate", method="spearman")).item()
        links.append([source, str(part.height), f"{link.strength:.0f}", f"{link.scale:.0f}", f"{rho:.3f}"])
        if platform == "codeforces":  # nine problems: nothing to hold out
            continue
        held_out += [
            line(f"{source}, other contests", by_contest(part)),
            line(f"{source}, a month by the six before", by_month(part)),
            line(f"{source}, a month by all before", by_month(part, None)),
            line(f"{source}, the newest fifth by the rest", newest_fifth(part)),
        ]
    print_table(("rating", "problems", "strength", "scale", "Spearman"), links)
    print()
    print_table(HEADER, held_out)
    rows, measured = scored_leetcode(data)
    public = unseen(rated.filter(platform="leetcode"), rows)
    for newest in (False, True):
        unrated = as_if_unrated(rows, measured, public, newest)
        print()
        label = ", newest fifth" if newest else ""
        print_table(HEADER, [line(f"{inputs}{label}", checked) for inputs, checked in unrated.items()])
        if not newest:
            print()
            print_table(HEADER, [line(*mixed) for mixed in mixtures(by_contest(public), unrated["score"])])


HEADER = ("predicted by", "rows", "Spearman", "ECE", "Brier", "worth, attempts")


def mixtures(by_rating: pl.DataFrame, by_score: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """What a rating says of a problem, with more and more of what the score says."""
    slug = pl.col("problem_id").str.split(":").list.last()
    both = by_score.join(by_rating.select(slug=slug, rating_rate="predicted"), on="slug")
    for share in (0.0, 0.1, 0.3, 0.5):
        mixed = pl.col("rating_rate") * (1 - share) + pl.col("predicted") * share
        yield f"rating, {share:.0%} of the score", both.with_columns(predicted=mixed)


def line(name: str, checked: pl.DataFrame) -> list[str]:
    found: dict[str, Any] = measure(checked)
    numbers = [f"{found[key]:.3f}" for key in ("spearman", "calibration_error", "brier")]
    return [name, str(checked.height), *numbers, f"{worth(checked):.1f}"]


def rated_problems(data: Path) -> pl.DataFrame:
    """Public rates of every problem with a rating: PUBLIC and `rating`."""
    leetcode = {f"leetcode:{slug}": r.value for slug, r in read_ratings(data / "leetcode-zerotrac/data.json").items()}
    models = json.loads(gzip.decompress((data / "atcoder-kenkoooo/problem-models.json.gz").read_bytes()))
    atcoder = {f"atcoder:{task}": model.get("difficulty") for task, model in models.items()}
    dump = read_dump(data / "codeforces-api/problemset.problems.json.gz")
    known = leetcode | atcoder | {f"codeforces:{name}": problem.rating for name, problem in dump.items()}
    ratings = pl.DataFrame(list(known.items()), schema={"problem_id": pl.String, "rating": pl.Float64}, orient="row")
    return read_public_rates(data / "livecodebench").join(ratings.drop_nulls(), on="problem_id").sort("problem_id")


def scored_leetcode(data: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every rated LeetCode problem as `as_if_unrated` wants it, and their features."""
    with tempfile.TemporaryDirectory() as folder:
        blobs = Blobs(Path(folder))
        source = open_source(parse_spec(f"leetcode:{data / 'leetcode-doocs'}"))
        scraped = scrape(source.records(), blobs, CollectionSettings(), "leetcode").frame
        problems = normalize(scraped.filter(scraped.select(elo_rating().is_not_null()).to_series()), blobs).frame
    scores = score_problems(problems, load_embedded(), load_rubric()).frame.select("problem_id", "score")
    rows = problems.with_columns(rating=elo_rating(), slug=pl.col("url").str.extract(r"([^/]+)/?$"))
    return rows.join(scores, on="problem_id").drop("ratings"), features(problems)


def unseen(public: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Of the public rates those of problems that the shipped scorer did not learn from. rows: of `scored_leetcode`."""
    first = rows.filter(problem_id=load_embedded().table.ratings["leetcode"].held_out_from)["published"].item()
    slugs = rows.filter(pl.col("published") >= first)["slug"]
    return public.filter(pl.col("problem_id").str.split(":").list.last().is_in(slugs.implode()))


if __name__ == "__main__":
    main()
