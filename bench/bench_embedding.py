"""From which cosine is a pair one problem? `python -m bench.bench_embedding HOME MODEL [--pairs FILE]`.

HOME has `normalized_problems`, MODEL is the folder of an embedding model. The pairs are labelled by hand: a table with
the columns left, right and label (`same` or another word), by default those of the tests. Told are, for thresholds of
`[dedup] embedding_similarity`, how many pairs would be taken for one problem by the cosine alone, with how many of the
same and how many wrongly; and how fast texts are embedded. The platform asks for a witness besides.
"""

from __future__ import annotations

import csv
import time
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import polars as pl

from bench.tables import print_table
from microcoder_assets.schema import NORMALIZED
from microcoder_assets.store import ParquetStore
from microcoder_train.embedding import load_embedding_model

PAIRS = Path(__file__).resolve().parents[1] / "tests" / "assets" / "processing" / "labelled_pairs.csv"
THRESHOLDS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_embedding", description="A threshold for an embedding model.")
    parser.add_argument("home", type=Path, help="home folder with normalized_problems")
    parser.add_argument("model", type=Path, help="folder of an embedding model")
    parser.add_argument("--pairs", type=Path, default=PAIRS, help="labelled pairs (those of the tests)")
    arguments = parser.parse_args()
    with arguments.pairs.open(encoding="utf-8") as stream:
        pairs = list(csv.DictReader(stream))
    wanted = {pair[side] for pair in pairs for side in ("left", "right")}
    rows = ParquetStore(arguments.home / "store").read("normalized_problems", NORMALIZED)
    rows = rows.filter(pl.col("problem_id").is_in(list(wanted)))
    statements = dict(rows.select("problem_id", "statement").iter_rows())
    pairs = [pair for pair in pairs if {pair["left"], pair["right"]} <= statements.keys()]

    model = load_embedding_model(arguments.model)
    began = time.process_time()
    vectors = dict(zip(statements, model.embed(list(statements.values())), strict=True))
    spent = time.process_time() - began
    print(f"{len(statements)} statements, {len(statements) / spent:.0f} a CPU second; {len(pairs)} pairs\n")

    cosines = np.array([float(vectors[pair["left"]] @ vectors[pair["right"]]) for pair in pairs])
    same = np.array([pair["label"] == "same" for pair in pairs])
    print_table(["pairs", "number", "10 %", "median", "90 %"], [
        [name, str(chosen.sum()), *(f"{value:.3f}" for value in np.quantile(cosines[chosen], (0.1, 0.5, 0.9)))]
        for name, chosen in (("same", same), ("others", ~same))
    ])  # fmt: skip
    print()
    lines = []
    for threshold in THRESHOLDS:
        taken = cosines >= threshold
        right = int((taken & same).sum())
        precision = f"{right / taken.sum():.3f}" if taken.any() else "none"
        lines.append([f"{threshold}", str(taken.sum()), f"{right / same.sum():.3f}", precision])
    print_table(["cosine from", "pairs", "recall", "precision"], lines)


if __name__ == "__main__":
    main()
