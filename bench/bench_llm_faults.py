"""Is every row scored once and every call accounted for? `python -m bench.bench_llm_faults [--rows 5000 --kills 3]`.

The LLM scorer rates made-up problems against a server on loopback (`chat_faults`) of which every twentieth answer is
one of eight faults; the scoring process is killed by SIGKILL each time that the server has had another share of the
requests, and begun again in the same home. Then the client's books are compared with the server's, call by call: what
it records as answered must be what the server charged, to the token; what it records as lost is the most that the
server can have charged, and holds every call that the server worked on in vain.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from bench.chat_faults import bill_of
from bench.tables import print_table
from microcoder_assets.config import ScoringSettings
from microcoder_assets.filtering.rubric import load_rubric
from microcoder_assets.filtering.score import make_scorer, score_problems
from microcoder_assets.llm.journal import LOST
from microcoder_assets.schema import DIMENSIONS, PREPARED
from microcoder_assets.store import Packs

PRICES = {"price_per_million_prompt": 2.5, "price_per_million_completion": 10.0}
SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Outcome:
    """rows, errors: scored and not. answered, lost: calls in the client's books by id, with tokens and cost.
    server: its bill. asked_again: requests of one more run over the finished home."""

    rows: pl.DataFrame
    errors: int
    answered: dict[str, dict[str, Any]]
    lost: dict[str, dict[str, Any]]
    server: dict[str, Any]
    asked_again: int

    def faults(self) -> list[str]:
        """What is wrong; empty when every row was scored once and the books agree."""
        worked = self.server["worked"]
        tokens = {call: [a["prompt_tokens"], a["completion_tokens"]] for call, a in self.answered.items()}
        booked = tokens.keys() | self.lost.keys()
        checks = {
            "rows without a score": self.errors,
            "rows scored twice": self.rows.height - self.rows["problem_id"].n_unique(),
            "answers with other tokens than the server charged": sum(worked.get(c) != t for c, t in tokens.items()),
            "calls that the server charged and the client does not know": len(worked.keys() - booked),
            "calls both answered and lost": len(tokens.keys() & self.lost.keys()),
            "lost calls at less than the server charged": sum(
                worked[c][0] > a["prompt_tokens"] or worked[c][1] > a["completion_tokens"]
                for c, a in self.lost.items() if c in worked
            ),
            "requests of a second run": self.asked_again,
        }
        return [f"{count} {what}" for what, count in checks.items() if count]


def problems(rows: int) -> pl.DataFrame:
    values = [
        {**dict.fromkeys(PREPARED), "problem_id": f"made:{n:05}", "title": f"Problem {n}", "content_sha": str(n)}
        | {"statement": f"Given {n % 97 + 1} integers, print the sum of those not divisible by {n}. " * (n % 7 + 1)}
        for n in range(rows)
    ]
    return pl.DataFrame(values, schema=PREPARED)


def score(home: Path, url: str, rows: int, concurrency: int) -> None:
    """What a killed process does: all of it, from what is there."""
    settings = ScoringSettings(
        **{"model": "m", "base_url": url, "concurrency": concurrency, "budget_usd": 1e6, **PRICES},
        timeout_s=5.0,
        backoff_s=0.05,
    )
    rubric = load_rubric()
    result = score_problems(problems(rows), make_scorer(settings, rubric, Packs(home / "llm")), rubric)
    if fault := result.accounted():
        raise SystemExit(fault)
    result.frame.write_parquet(home / "scored.parquet")
    (home / "errors.json").write_text(json.dumps(sum(d.kind == "error" for d in result.decisions)))


def measure(home: Path, rows: int, kills: int, concurrency: int, seed: int) -> Outcome:
    """Score `rows` problems in `home` through `kills` kills. Raises SystemExit when a run ends in another way."""
    serve = [sys.executable, "-m", "bench.chat_faults", str(SHARE), str(seed), *DIMENSIONS]
    with subprocess.Popen(serve, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin and server.stdout
        url = server.stdout.readline().strip()
        work = [sys.executable, "-m", "bench.bench_llm_faults", "--score", str(home), "--url", url]
        work += ["--rows", str(rows), "--concurrency", str(concurrency)]
        expected = rows * ScoringSettings().draws  # type: ignore[call-arg]
        for kill in range(1, kills + 1):
            with subprocess.Popen(work) as run:
                while bill_of(url)["requests"] < expected * kill // (kills + 1):
                    if run.poll() is not None:
                        raise SystemExit(f"a run ended before it was killed, with status {run.returncode}")
                    time.sleep(0.05)
                os.kill(run.pid, signal.SIGKILL)
        subprocess.run(work, check=True)
        bill = bill_of(url)
        subprocess.run(work, check=True)
        asked_again = bill_of(url)["requests"] - bill["requests"]
        server.stdin.close()
    packs = Packs(home / "llm")
    books = {key: json.loads(value) for key, value in packs.get(packs.known()).items()}
    answered = {a["call"]: a for key, a in books.items() if not key.startswith(LOST)}
    lost = {a["call"]: a for key, a in books.items() if key.startswith(LOST)}
    errors = json.loads((home / "errors.json").read_text())
    return Outcome(pl.read_parquet(home / "scored.parquet"), errors, answered, lost, bill, asked_again)


def report(outcome: Outcome, kills: int) -> None:
    worked = outcome.server["worked"]
    print_table(("fault", "requests"), [(name, f"{count:,}") for name, count in outcome.server["faults"].items()])
    print()
    why = Counter(a["lost"].partition(":")[0] for a in outcome.lost.values())
    done = Counter(a["lost"].partition(":")[0] for c, a in outcome.lost.items() if c in worked)
    print_table(("lost because", "calls", "the server had worked"), [(w, str(n), str(done[w])) for w, n in why.items()])
    print()
    exact = sum(a["cost_usd"] for a in outcome.answered.values())
    charged = {c: (p * PRICES["price_per_million_prompt"] + o * PRICES["price_per_million_completion"]) / 1e6
               for c, (p, o) in worked.items()}
    vain = sum(cost for call, cost in charged.items() if call in outcome.lost)
    lines = [
        ("kills", str(kills), ""),
        ("rows scored", f"{outcome.rows.height:,}", ""),
        ("requests", "", f"{outcome.server['requests']:,}"),
        ("completions answered", f"{len(outcome.answered):,}", f"{len(worked.keys() & outcome.answered.keys()):,}"),
        ("their cost, USD", f"{exact:.6f}", f"{sum(charged.values()) - vain:.6f}"),
        ("completions lost, at most", f"{len(outcome.lost):,}", f"{len(worked.keys() & outcome.lost.keys()):,}"),
        ("their cost, USD, at most", f"{sum(a['cost_usd'] for a in outcome.lost.values()):.6f}", f"{vain:.6f}"),
        ("completions in no book", "", f"{len(worked.keys() - outcome.answered.keys() - outcome.lost.keys()):,}"),
    ]
    print_table(("", "client", "server"), lines)


def main() -> None:
    parser = ArgumentParser(prog="python -m bench.bench_llm_faults", description="LLM scoring among faults and kills.")
    parser.add_argument("--rows", type=int, default=5000, help="problems, three draws each (5000)")
    parser.add_argument("--kills", type=int, default=3, help="how many times the scoring process is killed (3)")
    parser.add_argument("--concurrency", type=int, default=16, help="requests in flight (16)")
    parser.add_argument("--seed", type=int, default=0, help="of the faults (0)")
    parser.add_argument("--score", type=Path, metavar="HOME", help="be the process that is killed")
    parser.add_argument("--url", help="of the server that it asks")
    arguments = parser.parse_args()
    if arguments.score:
        score(arguments.score, arguments.url, arguments.rows, arguments.concurrency)
        return
    with tempfile.TemporaryDirectory(prefix="llm-faults-") as home:
        outcome = measure(Path(home), arguments.rows, arguments.kills, arguments.concurrency, arguments.seed)
    report(outcome, arguments.kills)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"\n{used.ru_utime + used.ru_stime:.0f} s of CPU, server and client")
    if found := outcome.faults():
        raise SystemExit("; ".join(found))
    print("every row scored once; the client's books hold every completion that the server made")


if __name__ == "__main__":
    main()
