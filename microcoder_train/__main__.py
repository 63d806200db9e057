"""`python -m microcoder_train`: at a terminal, or as a Dagster Pipes process when the environment says so."""

from __future__ import annotations

import base64
import errno
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

from dagster_pipes import PipesContext, PipesEnvVarParamsLoader, open_dagster_pipes

from microcoder_train.cli import run
from microcoder_train.errors import TrainError
from microcoder_train.processes import is_first
from microcoder_train.reports import Report

MENDS = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EFBIG: "raise the file size limit",
    errno.EACCES: "change its permissions",
    errno.EROFS: "choose another place",
}
"""Disk problems that a user can mend. Libraries written in Rust report them by text alone."""

TORCH_CANNOT_WRITE = "PytorchStreamWriter failed writing"
"""What torch says of a full disk; it keeps no number of the system's."""


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 done, 2 a mistake of the user's, 130 and 143 ended by SIGINT and SIGTERM."""
    signal.signal(signal.SIGTERM, _end)
    _set_defaults()
    try:
        if not is_first():
            run(arguments, _say)
            return 0
        if not PipesEnvVarParamsLoader().is_dagster_pipes_process():  # type: ignore[no-untyped-call]
            _print(run(arguments, _say))
            return 0
        with open_dagster_pipes() as context:
            _materialize(context, run(arguments, context.log.info))
        return 0
    except TrainError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if (line := _disk_problem(error)) is None:
            raise
        return _refuse(line)


def _end(number: int, frame: FrameType | None) -> None:
    """Unwind, so that scratch folders and judge processes go, then exit as a terminated process does."""
    sys.exit(128 + number)


def _set_defaults() -> None:
    """Library defaults, where the user set none: no bars and warnings beside our lines; one thread, because more
    were slower beside the judge's processes."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _refuse(line: str) -> int:
    print(f"error: {line}", file=sys.stderr)
    return 2


def _disk_problem(error: Exception) -> str | None:
    """One line for a full or forbidden disk, however deep in a library it was met."""
    for number, mend in MENDS.items():
        if getattr(error, "errno", None) == number or f"(os error {number})" in str(error):
            return f"{getattr(error, 'filename', None) or 'the output'}: {os.strerror(number)}; {mend}"
    if TORCH_CANNOT_WRITE in str(error):
        return f"the output: cannot be written; {MENDS[errno.ENOSPC]}"
    return None


def _print(report: Report) -> None:
    print("\n\n".join([report.headline, *report.tables.values()]), flush=True)


def _materialize(context: PipesContext, report: Report) -> None:
    context.log.info(report.headline)
    metadata: dict[str, Any] = {name: value for name, value in report.numbers.items() if value is not None}
    for name, table in report.tables.items():
        metadata[name] = {"raw_value": table, "type": "md"}
    for name, plot in report.plots.items():
        data = base64.b64encode(plot.read_bytes()).decode()
        metadata[name] = {"raw_value": f"![{name}](data:image/png;base64,{data})", "type": "md"}
    context.report_asset_materialization(metadata=metadata, data_version=report.version)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
