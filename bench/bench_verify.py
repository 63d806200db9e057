"""What does verification cost? `python -m bench.bench_verify HOME --problems 200`.

HOME has `selected_problems`. The same problems, drawn by the hash of their ids, are verified into empty caches without
and with mutants, then once more with what the last run left: the cost of a night on which nothing changed. CPU is that
of this process and of what it waited for, programs among it but for those of a worker that had to be killed.
"""

from __future__ import annotations

import hashlib
import resource
import tempfile
from argparse import ArgumentParser
from pathlib import Path

import polars as pl

from bench.tables import print_table
from microcoder_assets.config import VerificationSettings
from microcoder_assets.schema import PREPARED, SELECTED
from microcoder_assets.store import Packs, ParquetStore
from microcoder_assets.verification.verify import verify


def cpu_s() -> float:
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in usage)


def measure(
    name: str, problems: pl.DataFrame, store: ParquetStore, cache: Packs, settings: VerificationSettings
) -> tuple[str, ...]:
    before = cpu_s()
    rows = verify(problems, problems, store.blobs, cache, settings).frame
    spent = cpu_s() - before
    programs = int(rows.select(pl.sum_horizontal("references_run", "wrong_run", "mutants_run").sum()).item())
    killed, ran = rows["mutants_killed"].sum(), rows["mutants_run"].sum()
    weak = rows["flags"].list.contains("weak_tests").sum()
    numbers = (f"{rows.height}/{problems.height}", f"{programs}", f"{killed}/{ran}", f"{weak}", f"{spent:.1f}")
    return name, *numbers, f"{1000 * spent / problems.height:.1f}", f"{programs / spent:.0f}"


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_verify", description="The cost of verification.")
    parser.add_argument("home", type=Path, help="home folder with selected_problems")
    parser.add_argument("--problems", type=int, default=200, help="how many (200)")
    parser.add_argument("--mutants", type=int, nargs="+", default=[0, 6, 12], help="mutants a problem (0 6 12)")
    parser.add_argument("--workers", type=int, default=0, help="judge workers (0: one a CPU)")
    arguments = parser.parse_args()
    store = ParquetStore(arguments.home / "store")
    ids = store.read("selected_problems", SELECTED)["problem_id"].to_list()
    drawn = sorted(ids, key=lambda name: hashlib.sha256(name.encode()).digest())[: arguments.problems]
    problems = store.read("prepared_problems", PREPARED).filter(pl.col("problem_id").is_in(drawn))
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for count in arguments.mutants:
            settings = VerificationSettings(workers=arguments.workers, mutants=count)  # type: ignore[call-arg]
            cache = Path(folder, str(count))
            lines.append(measure(f"{count} mutants", problems, store, Packs(cache), settings))
        lines.append(measure("the same again", problems, store, Packs(cache), settings))
    header = ("run", "verified", "programs", "killed", "weak", "CPU s", "CPU ms a problem", "programs a CPU s")
    print_table(header, lines)


if __name__ == "__main__":
    main()
