"""Started by torchrun with OUT and the arguments of a run: `grpo` from end to end in OUT/unbroken, then in OUT/run,
where the last process is sent SIGTERM once a checkpoint is there, and once more to the end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from microcoder_train.__main__ import main


def without_its_kernel() -> None:
    """DeepSpeed would compile a kernel for shared memory, half a minute of a test; without it, it uses gloo."""
    import deepspeed

    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False


def code(out: Path, arguments: list[str]) -> int:
    try:
        return main(["grpo", "--out", str(out), *arguments])
    except SystemExit as ended:
        return int(ended.code or 0)


def end_when_saved(out: Path) -> None:
    while not list(out.parent.glob(f"{out.name}.checkpoints-*/checkpoint-*/microcoder.json")):
        time.sleep(0.005)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    folder, arguments = Path(sys.argv[1]), sys.argv[2:]
    if any(argument.startswith("deepspeed=") for argument in arguments):
        without_its_kernel()
    found = [code(folder / "unbroken", arguments)]
    if os.environ["RANK"] == "1":
        threading.Thread(target=end_when_saved, args=(folder / "run",), daemon=True).start()
    found += [code(folder / "run", arguments) for _ in range(2)]
    (folder / f"codes-{os.environ['RANK']}").write_text(" ".join(map(str, found)), encoding="utf-8")
    os._exit(0)
