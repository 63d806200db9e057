"""Which process this is of those that torchrun, `accelerate launch` or DeepSpeed's launcher started for one run."""

from __future__ import annotations

import os


def world_size() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this is the process that reads, writes and reports for all; a run of one process is its own first."""
    return int(os.environ.get("RANK", "0")) == 0


def local_place() -> int:
    """The number of this process on its machine, which is that of its GPU."""
    return int(os.environ.get("LOCAL_RANK", "0"))
