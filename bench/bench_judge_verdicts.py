"""Right and wrong verdicts on the labelled cases of `tests/judge/cases`, ours and LiveCodeBench's.

    python bench/bench_judge_verdicts.py [--livecodebench PATH]

PATH is a checkout of LiveCodeBench, which whoever runs this brings; its packages numpy and tqdm must be importable. Its
`check_correctness` gets each case in a process of its own, with the time limit that its own command line sets.

The cases stand where judges differ, and we wrote them; their shares say which rules hold, not how often real programs
meet them.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from microcoder_judge import Judge, Submission, Verdict

if TYPE_CHECKING:
    from cases import Case

CASES_FOLDER = Path(__file__).resolve().parent.parent / "tests" / "judge"
LIVECODEBENCH_TIME_S = 6
PATIENCE_S = 60
ACCEPTS, REJECTS = 42, 43
DRIVER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from lcb_runner.evaluation.compute_code_generation_metrics import check_correctness
sample, code, time_s, accepts, rejects = json.load(sys.stdin)
try:
    results, _ = check_correctness(sample, code, time_s, debug=False)
    right = all(result > 0 for result in results)
except Exception:
    right = False
sys.exit(accepts if right else rejects)
"""
"""LiveCodeBench's caller takes an exception for a failure, too."""

Verdicts = dict["Case", bool | None]
"""Whether each case was accepted; None where the judge itself failed."""


def judge_all(cases: tuple[Case, ...]) -> Verdicts:
    """Our verdicts."""
    with Judge() as judge:
        results = judge.evaluate_many([Submission(case.code, case.problem) for case in cases])
    return {c: None if r.verdict is Verdict.IE else r.accepted for c, r in zip(cases, results, strict=True)}


def livecodebench_all(cases: tuple[Case, ...], path: Path) -> Verdicts:
    """LiveCodeBench's verdicts."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return dict(zip(cases, pool.map(lambda case: _livecodebench_accepts(case, path), cases), strict=True))


def _livecodebench_accepts(case: Case, path: Path) -> bool | None:
    question = json.dumps([_sample(case), case.code, LIVECODEBENCH_TIME_S, ACCEPTS, REJECTS]).encode()
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            start_new_session=True,
        )
        with process, suppress(subprocess.TimeoutExpired):
            try:
                process.communicate(question, PATIENCE_S)
            finally:
                # Also what LiveCodeBench or the program left behind.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    return {ACCEPTS: True, REJECTS: False, -signal.SIGKILL: False}.get(process.returncode)


def _sample(case: Case) -> dict[str, str]:
    """The problem as a row of LiveCodeBench's data: a function's arguments stand on a line each."""
    tests = case.problem.tests
    inputs = [test.input.decode() for test in tests]
    if case.problem.entry_point:
        inputs = ["\n".join(map(json.dumps, json.loads(text))) for text in inputs]
    outputs = [test.expected.decode() for test in tests]
    in_outs = {"inputs": inputs, "outputs": outputs, "fn_name": case.problem.entry_point}
    return {"input_output": json.dumps(in_outs)}


def report(name: str, verdicts: Verdicts) -> Iterator[str]:
    """One line for every group and one for all: cases, right, wrongly accepted, wrongly rejected, failures."""
    for group in ("stdout", "values", "programs", "all"):
        count = Counter(
            _outcome(case.right, accepted) for case, accepted in verdicts.items() if group in (case.group, "all")
        )
        row = [count[what] for what in ("right", "false accept", "false reject", "failed")]
        share = f"{row[0] / sum(row):.1%}"
        yield f"{name:14} {group:9} {sum(row):5} {row[0]:6} {share:>7} {row[1]:13} {row[2]:13} {row[3]:7}"


def wrong_cases(name: str, verdicts: Verdicts) -> Iterator[str]:
    """A paragraph for each kind of mistake that a judge made, with the names of the cases."""
    for outcome in ("false accept", "false reject", "failed"):
        named = [f"{c.name} ({c.group})" for c, accepted in verdicts.items() if _outcome(c.right, accepted) == outcome]
        if named:
            yield textwrap.fill(f"{name}, {outcome}: {'; '.join(named)}", 120)


def _outcome(right: bool, accepted: bool | None) -> str:
    if accepted is None:
        return "failed"
    if accepted == right:
        return "right"
    return "false accept" if accepted else "false reject"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--livecodebench", type=Path, metavar="PATH", help="a checkout of LiveCodeBench")
    options = parser.parse_args()
    path: Path | None = options.livecodebench
    if path and not (path / "lcb_runner").is_dir():
        parser.error(f"{path} holds no lcb_runner/; give the folder of a checkout of LiveCodeBench")
    sys.path.insert(0, str(CASES_FOLDER))
    from cases import CASES

    columns: dict[str, Verdicts] = {"microcoder": judge_all(CASES)}
    if path:
        columns["livecodebench"] = livecodebench_all(CASES, path.resolve())
    print(f"{'judge':14} {'group':9} cases  right   share false accepts false rejects  failed")
    for name, verdicts in columns.items():
        print(*report(name, verdicts), sep="\n")
    for name, verdicts in columns.items():
        for paragraph in wrong_cases(name, verdicts):
            print(f"\n{paragraph}")
    if not path:
        print("\nFor LiveCodeBench's column: git clone LiveCodeBench/LiveCodeBench, then --livecodebench PATH")


if __name__ == "__main__":
    main()
