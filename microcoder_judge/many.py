"""Many submissions at once, for every kind of judge that has `submit`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import replace

from microcoder_judge.progress import Progress
from microcoder_judge.records import Result, Submission

Progressing = Callable[[int], None] | bool
"""True: a bar on standard error, if that is a terminal. A function: called with the number of submissions that have
their result, whenever it grows."""


def evaluate_all(
    submit: Callable[[Submission], Future[Result]], submissions: Sequence[Submission], progress: Progressing
) -> list[Result]:
    """The results in the order given. Equal submissions are handed in once; what is left when one raises is dropped."""
    positions: dict[Submission, list[int]] = {}
    for position, submission in enumerate(submissions):
        positions.setdefault(replace(submission, id=""), []).append(position)
    futures = {submit(submission): places for submission, places in positions.items()}
    results: dict[int, Result] = {}
    bar = Progress(len(submissions), shown=progress is True and os.isatty(2))
    try:
        for future in as_completed(futures):
            results.update(dict.fromkeys(futures[future], future.result()))
            bar.show(len(results), len(results))
            if callable(progress):
                progress(len(results))
    finally:
        bar.clear()
        for future in futures:
            future.cancel()
    return [replace(results[n], submission_id=submission.id) for n, submission in enumerate(submissions)]
