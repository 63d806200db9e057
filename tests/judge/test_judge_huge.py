"""The interpreter goes on as before when its code has moved to huge pages, and where it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import microcoder_judge

SCRIPT = """
import ctypes, sys
sys.path.append(sys.argv[1])
import _huge

def huge():
    return next(int(line.split()[1]) for line in open("/proc/self/smaps_rollup") if line.startswith("AnonHuge"))

libc = ctypes.CDLL(None)
PR_SET_THP_DISABLE = 41
if sys.argv[2] == "off" and libc.prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0):
    sys.exit("the kernel does not let a process go without huge pages")
before = huge()
moved = _huge.code_on_huge_pages(libc)
import decimal, json, re
assert json.loads("[1]") == [1] and re.sub("a", "b", "aa") == "bb"
assert decimal.Decimal(1) / 8 == decimal.Decimal("0.125")
print(moved, huge() > before)
"""


@pytest.mark.parametrize("pages", ["on", "off"])
def test_code_moves_to_huge_pages_or_stays_where_it_is(pages: str) -> None:
    command = [sys.executable, "-P", "-c", SCRIPT, str(Path(microcoder_judge.__file__).parent), pages]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == "" and done.returncode == 0
    moved, grown = done.stdout.split()
    assert moved == grown and (pages == "on" or moved == "False")
