"""What a zygote does before its first fork so that its children have less to do. Standard library."""

from __future__ import annotations

import os
import resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from microcoder_judge import _job, _solution
    from microcoder_judge._zygote import Zygote
else:
    # Found beside this file: through the package they would bring all of microcoder_judge into the process.
    import _job
    import _solution

REHEARSALS = 20
"""Python 3.11 begins to make code faster when it has run eight times. Ours."""
REHEARSED = (
    (b"n = int(input())\nprint(n * 2)\n", b"1\n", None),
    (b"class Solution:\n    def double(self, n: int) -> int:\n        return n * 2\n", b"[1]", "double"),
)
"""Source, input and entry point of what is rehearsed."""


def rehearse(zygote: Zygote) -> None:
    """Be small programs again and again before the forks: the interpreter makes code that is run often faster, once
    and not in every child, and what it need not look up any more leaves pages alone that a child would copy."""
    kept = [os.dup(fd) for fd in range(3)]
    null = os.open(os.devnull, os.O_WRONLY)
    for source, arguments, entry_point in REHEARSED:
        files = [os.memfd_create(name) for name in ("data", "errors", "output")]
        _job.write(files[0], source + arguments)
        inputs = [[len(source), len(arguments)]] * 2
        message = ["run", False, False, 1.0, 0, 0, [0, len(source)], inputs, {}, entry_point, False, [], False]
        for _ in range(REHEARSALS):
            job = _job.Job(message, files)
            job.limits = [(kind, resource.getrlimit(kind)) for kind in zygote.ceilings]
            run = _solution.ready(zygote, job, null)
            if run is None:
                raise RuntimeError(f"the rehearsal failed: {source!r}")
            _solution.confine(job, None)
            _solution.run_all(zygote, job, run, null)
            os.close(run.stdin)
            if run.null is not None:
                os.close(run.null)
        for fd in files:
            os.close(fd)
    for fd, copy in enumerate(kept):
        os.dup2(copy, fd)
    for fd in (*kept, null):
        os.close(fd)
    _solution.open_streams()
