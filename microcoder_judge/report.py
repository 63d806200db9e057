"""`python -m microcoder_judge report`: where LiveCodeBench's own semantics and faithful judging part, and why."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future

from microcoder_judge.command import (
    Entry,
    Output,
    add_judge_options,
    entries_ahead,
    open_input,
    open_judge,
    printable,
    submitting,
)
from microcoder_judge.records import Result, Verdict
from microcoder_judge.run import LINES_PER_WORKER

EPILOG = """\
Each line is judged twice: as an online judge would, and with strict="livecodebench". A line of the report names a
submission whose two verdicts differ; the reason of each stands below. Counts follow.

example:
  $ python -m microcoder_judge report --input submissions.jsonl
  layout
    judge          AC
    livecodebench  WA  test 0: 2 lines, expected 1
  judged by both: 120, accepted by both: 70, by the judge alone: 9, by livecodebench alone: 2, by neither: 39
  ...

exit status: 0 whatever is found, 2 for a file that cannot be read.
"""

Pair = tuple[Future[Result], Future[Result]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--input", required=True, metavar="FILE", help="JSON lines as for run; - is standard input")
    add_judge_options(parser)


def main(options: argparse.Namespace) -> int:
    source = open_input(options.input)
    with (
        open_judge(options) as judge,
        open_judge(options, "livecodebench") as strict,
        submitting(judge) as submit,
        submitting(strict) as submit_strict,
        Output("-") as output,
    ):
        found = entries_ahead(
            source, lambda line: (submit(line), submit_strict(line)), LINES_PER_WORKER * judge.workers
        )
        for line in report(found):
            output.write(line + "\n")
    return 0


def report(found: Iterator[Entry[Pair]]) -> Iterator[str]:
    """The lines of the report, each as soon as it is known."""
    accepted: Counter[tuple[bool, bool]] = Counter()
    changes: Counter[tuple[Verdict, Verdict]] = Counter()
    bad = ours = 0
    for entry in found:
        if entry.work is None:
            bad += 1
            yield printable(f"{_name(entry)}: not judged: {entry.reason}")
            continue
        faithful, strict = (future.result() for future in entry.work)
        if Verdict.IE in (faithful.verdict, strict.verdict):
            ours += 1
        else:
            accepted[faithful.accepted, strict.accepted] += 1
        if faithful.verdict != strict.verdict:
            changes[faithful.verdict, strict.verdict] += 1
            yield from _difference(entry, faithful, strict)
    yield (
        f"judged by both: {accepted.total()}, accepted by both: {accepted[True, True]}, "
        f"by the judge alone: {accepted[True, False]}, by livecodebench alone: {accepted[False, True]}, "
        f"by neither: {accepted[False, False]}"
    )
    for (one, other), count in sorted(changes.items()):
        yield f"judge {one}, livecodebench {other}: {count}"
    yield f"not comparable: {ours} with IE, {bad} bad lines"


def _difference(entry: Entry[Pair], faithful: Result, strict: Result) -> Iterator[str]:
    yield printable(_name(entry))
    yield printable(f"  judge          {faithful.verdict:<3} {faithful.message}").rstrip()
    yield printable(f"  livecodebench  {strict.verdict:<3} {strict.message}").rstrip()


def _name(entry: Entry[Pair]) -> str:
    return f"line {entry.number}" if entry.id is None else str(entry.id)
