"""Does a run that is killed lose or double anything? `python -m bench.bench_faults [--kills 50]`.

First some packages of the sample archive are curated once, undisturbed, and once by two runs at the same time. Then
runs are killed by SIGKILL, with all that they started, in each stage of a home by turns: Dagster's own books say when a
stage begins, and the moment is drawn evenly from the time that it took undisturbed, its checks included. The next run
goes on in the same home; a home whose stages all had their kill is let finish, and a fresh one is begun. After every
kill each manifest must be readable and name files with the bytes that it says; every home that was finished must hold
the same rows, decisions, ledger lines and exports as the first, by sha256. A ledger is compared by what was decided,
not by when or by which run.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter, defaultdict
from hashlib import sha256
from pathlib import Path

import dagster as dg
import polars as pl
from rich.progress import Progress

from bench.tables import print_table
from microcoder_assets import plan
from microcoder_assets.project import Project
from microcoder_assets.store.catalogue import STAGES
from microcoder_assets.store.parquet_store import ParquetStore

UNTIL = "train_split"
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
MADE = sorted(plan.until(UNTIL), key=lambda stage: not plan.STAGES[stage].partitioned)
"""In the order in which a run makes them."""

BETWEEN = "between stages"
RUN_S = 1800.0
POLL_S = 0.05


def begin(home: Path, packages: Path) -> subprocess.Popen[bytes]:
    """A run in a session of its own; what it says goes to a file beside its home."""
    command = [sys.executable, "-m", "microcoder_assets.cli", "--home", str(home), "run", "--until", UNTIL]
    command += ["--source", f"kattis:{packages}", "--benchmark", str(EXAMPLES / "benchmark")]
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    with home.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(command, env=environment, start_new_session=True, stdout=log, stderr=log)


def finish(run: subprocess.Popen[bytes], home: Path) -> None:
    """Raises SystemExit when the run fails."""
    if status := run.wait(timeout=RUN_S):
        said = home.with_suffix(".log").read_text(errors="replace")[-3000:]
        raise SystemExit(f"a run ended with status {status}:\n{said}")


def facts(home: Path) -> dict[str, str]:
    """sha256 of everything that a finished home must share with every other."""
    store = Project.load(home).store
    found = {}
    for stage in STAGES:
        for manifest in store.manifests(stage):
            name = f"{stage} {manifest.partition}"
            found[f"{name} rows"] = manifest.sha256
            found[f"{name} decisions"] = Path(manifest.decisions).stem
        files = store.ledger_files(stage)
        lines = pl.concat([pl.read_parquet(file) for file in files]).drop("run_id", "decided_at", "version")
        found[f"{stage} ledger"] = sha256("\n".join(sorted(map(str, lines.rows()))).encode()).hexdigest()
    latest = home / "exports" / UNTIL / "latest"
    files = [path for path in latest.rglob("*") if path.is_file()]
    return found | {str(path.relative_to(latest)): sha256(path.read_bytes()).hexdigest() for path in files}


def torn(store: ParquetStore) -> list[str]:
    """Manifests that cannot be read, and files that are not what their manifest says."""
    wrong = []
    for stage in STAGES:
        for manifest, file in zip(store.manifests(stage), map(Path, store.data_files(stage)), strict=True):
            if not file.is_file() or sha256(file.read_bytes()).hexdigest() != manifest.sha256:
                wrong.append(str(file))
        wrong += [file for file in store.decision_files(stage) if not Path(file).is_file()]
    return wrong


def books(home: Path) -> dg.DagsterInstance:
    """A home's Dagster instance; of one that has run."""
    return dg.DagsterInstance.from_config(str(home / "dagster"))


def stage_times(home: Path) -> dict[str, float]:
    """Seconds that each stage of a finished home took, its checks and every partition included."""
    took: defaultdict[str, float] = defaultdict(float)
    with books(home) as instance:
        for run in instance.get_runs():
            for step in instance.get_run_step_stats(run.run_id):
                if step.start_time and step.end_time:
                    took[_stage(step.step_key)] += step.end_time - step.start_time
    return took


def stage_running(instance: dg.DagsterInstance, earlier: set[str]) -> str:
    """The stage at work in the newest Dagster run that is not one of `earlier`, or BETWEEN."""
    for run in instance.get_runs(limit=1):
        if run.run_id not in earlier:
            for step in instance.get_run_step_stats(run.run_id):
                if step.start_time and not step.end_time:
                    return _stage(step.step_key)
    return BETWEEN


def kill_in(stage: str, run: subprocess.Popen[bytes], home: Path, earlier: set[str], after_s: float) -> str | None:
    """Kill a run `after_s` seconds after it begins `stage`, or a later one where that stands already.

    earlier: Dagster runs of the home before this one. Returns the stage that it fell in; None when the run had ended.
    """
    while not (home / "dagster" / "history").exists() and run.poll() is None:
        time.sleep(POLL_S)
    with books(home) as instance:
        while stage_running(instance, earlier) not in MADE[MADE.index(stage) :] and run.poll() is None:
            time.sleep(POLL_S)
        try:
            run.wait(timeout=after_s)
            return None
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
            return stage_running(instance, earlier)


def _runs(home: Path) -> set[str]:
    if not (home / "dagster" / "history").exists():
        return set()
    with books(home) as instance:
        return {run.run_id for run in instance.get_runs()}


def _stage(step: str) -> str:
    return step.removesuffix("_checks")


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_faults", description="Runs that are killed.")
    parser.add_argument("--kills", type=int, default=50, help="how many runs to kill (50)")
    parser.add_argument("--packages", type=int, default=12, help="how many packages of the sample archive (12)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (0)")
    arguments = parser.parse_args()
    moments = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        packages = Path(folder) / "packages"
        archive = sorted(package for package in (EXAMPLES / "archive").iterdir() if package.is_dir())
        for package in archive[:: max(len(archive) // arguments.packages, 1)]:
            shutil.copytree(package, packages / package.name)
        undisturbed = Path(folder) / "undisturbed"
        began = time.monotonic()
        finish(begin(undisturbed, packages), undisturbed)
        took_s = time.monotonic() - began
        took = stage_times(undisturbed)
        meant = facts(undisturbed)
        together = Path(folder) / "together"
        for run in [begin(together, packages) for _ in range(2)]:
            finish(run, together)
        differences = {"two runs at once": facts(together) != meant}
        kills: Counter[str] = Counter()
        finished = damaged = 0
        with Progress(transient=True) as bar:
            killing = bar.add_task("killing", total=arguments.kills)
            while kills.total() < arguments.kills:
                home = Path(folder) / f"home-{finished}"
                for stage in MADE[: arguments.kills - kills.total()]:
                    earlier = _runs(home)
                    run = begin(home, packages)
                    fell = kill_in(stage, run, home, earlier, moments.uniform(0, took[stage]))
                    if fell is None:
                        finish(run, home)
                        break
                    kills[fell] += 1
                    damaged += len(torn(Project.load(home).store))
                    bar.advance(killing)
                finish(begin(home, packages), home)
                finished += 1
                differences[home.name] = facts(home) != meant
                shutil.rmtree(home)
    print_table(("killed while it made", "kills"), [(stage, str(kills[stage])) for stage in (*MADE, BETWEEN)])
    unlike = [name for name, differs in differences.items() if differs]
    print(f"\n{kills.total()} kills, {finished} homes finished after them, undisturbed run {took_s:.0f} s")
    print(f"files damaged after a kill: {damaged}; homes unlike the undisturbed one: {', '.join(unlike) or 'none'}")
    raise SystemExit(bool(unlike or damaged))


if __name__ == "__main__":
    main()
