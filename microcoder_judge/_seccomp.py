"""Which system calls a program may make: two BPF filters, built once a zygote. Standard library, self-contained.

The first is an allow-list that the zygote takes on itself and every child inherits; what it does not name fails with
EPERM. The second is small, so that installing it costs a child little: it takes away what only the zygote needs, new
processes and programs, messages, signals to others, raised limits.
"""

from __future__ import annotations

import ctypes
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes import CDLL

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
PR_SET_NAME, PR_GET_NAME = 15, 16
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CLONE_THREAD = 0x00010000
X32_BIT = 0x40000000
ANY_PID = struct.pack("I", 0xFEDCBA98)
SIGNALLING_FCNTL = (8, 10, 15)
SIGNALLING_IOCTL = (0x5452, 0x8901, 0x8902)
"""F_SETOWN, F_SETSIG, F_SETOWN_EX; FIOASYNC, FIOSETOWN, SIOCSPGRP: they make a descriptor send signals to others."""

ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
EPERM, ENOSYS = 1, 38
LEAF = 4
"""Calls that are looked through one by one: a jump of a filter reaches 255 instructions."""
LOAD, JUMP_EQUAL, JUMP_ABOVE, JUMP_SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER_AT, ARCH_AT, ARGUMENTS_AT = 0, 4, 16

SHARED = {
    # name: (x86_64, aarch64); -1: the machine has no such call
    "read": (0, 63), "write": (1, 64), "open": (2, -1), "close": (3, 57), "stat": (4, -1), "fstat": (5, 80),
    "lstat": (6, -1), "poll": (7, -1), "lseek": (8, 62), "mmap": (9, 222), "mprotect": (10, 226),
    "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "ioctl": (16, 29), "pread64": (17, 67), "pwrite64": (18, 68), "readv": (19, 65),
    "writev": (20, 66), "access": (21, -1), "pipe": (22, -1), "select": (23, -1), "sched_yield": (24, 124),
    "mremap": (25, 216), "msync": (26, 227), "mincore": (27, 232), "madvise": (28, 233), "dup": (32, 23),
    "dup2": (33, -1), "pause": (34, -1), "nanosleep": (35, 101), "getitimer": (36, 102), "alarm": (37, -1),
    "setitimer": (38, 103), "getpid": (39, 172), "sendfile": (40, 71), "exit": (60, 93), "wait4": (61, 260),
    "uname": (63, 160), "fcntl": (72, 25), "flock": (73, 32), "fsync": (74, 82), "fdatasync": (75, 83),
    "truncate": (76, 45), "ftruncate": (77, 46), "getdents": (78, -1), "getcwd": (79, 17), "chdir": (80, 49),
    "fchdir": (81, 50), "rename": (82, -1), "mkdir": (83, -1), "rmdir": (84, -1), "creat": (85, -1), "link": (86, -1),
    "unlink": (87, -1), "symlink": (88, -1), "readlink": (89, -1), "chmod": (90, -1), "fchmod": (91, 52),
    "umask": (95, 166), "gettimeofday": (96, 169), "getrlimit": (97, 163), "getrusage": (98, 165),
    "sysinfo": (99, 179), "times": (100, 153), "getuid": (102, 174), "getgid": (104, 176), "geteuid": (107, 175),
    "getegid": (108, 177), "getppid": (110, 173), "getpgrp": (111, -1), "setsid": (112, 157), "getgroups": (115, 158),
    "getresuid": (118, 148), "getresgid": (120, 150), "getpgid": (121, 155), "getsid": (124, 156),
    "rt_sigpending": (127, 136), "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133),
    "sigaltstack": (131, 132), "utime": (132, -1), "statfs": (137, 43), "fstatfs": (138, 44),
    "sched_getparam": (143, 121), "sched_getscheduler": (145, 120), "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126), "mlock": (149, 228), "munlock": (150, 229), "prctl": (157, 167),
    "arch_prctl": (158, -1), "gettid": (186, 178), "readahead": (187, 213), "time": (201, -1), "futex": (202, 98),
    "sched_getaffinity": (204, 123), "getdents64": (217, 61), "set_tid_address": (218, 96),
    "restart_syscall": (219, 128), "fadvise64": (221, 223), "timer_create": (222, 107), "timer_settime": (223, 110),
    "timer_gettime": (224, 108), "timer_getoverrun": (225, 109), "timer_delete": (226, 111),
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "clock_nanosleep": (230, 115), "exit_group": (231, 94),
    "epoll_wait": (232, -1), "epoll_ctl": (233, 21), "utimes": (235, -1), "waitid": (247, 95), "openat": (257, 56),
    "mkdirat": (258, 34), "newfstatat": (262, 79), "unlinkat": (263, 35), "renameat": (264, 38), "linkat": (265, 37),
    "symlinkat": (266, 36), "readlinkat": (267, 78), "fchmodat": (268, 53), "faccessat": (269, 48),
    "pselect6": (270, 72), "ppoll": (271, 73), "set_robust_list": (273, 99), "get_robust_list": (274, 100),
    "splice": (275, 76), "utimensat": (280, 88), "epoll_pwait": (281, 22), "timerfd_create": (283, 85),
    "eventfd": (284, -1), "fallocate": (285, 47), "timerfd_settime": (286, 86), "timerfd_gettime": (287, 87),
    "eventfd2": (290, 19), "epoll_create1": (291, 20), "dup3": (292, 24), "pipe2": (293, 59), "preadv": (295, 69),
    "pwritev": (296, 70), "prlimit64": (302, 261), "getcpu": (309, 168), "renameat2": (316, 276),
    "getrandom": (318, 278), "membarrier": (324, 283), "copy_file_range": (326, 285), "preadv2": (327, 286),
    "pwritev2": (328, 287), "statx": (332, 291), "rseq": (334, 293), "close_range": (436, 436),
    "faccessat2": (439, 439), "epoll_pwait2": (441, 441), "kill": (62, 129), "tkill": (200, 130),
    "tgkill": (234, 131), "clone": (56, 220), "clone3": (435, 435),
}  # fmt: skip

OURS = {
    "fork": (57, -1), "vfork": (58, -1), "setrlimit": (160, 164), "sendmsg": (46, 211), "recvmsg": (47, 212),
    "memfd_create": (319, 279), "seccomp": (317, 277), "pidfd_open": (434, 434), "setpgid": (109, 154),
    "socketpair": (53, 199),
    "shutdown": (48, 210), "getsockopt": (55, 209), "getsockname": (51, 204),
}  # fmt: skip
"""What the zygote needs and no program does."""

MODES_AND_TIMES = ("chmod", "fchmod", "fchmodat", "utime", "utimes", "utimensat")

PROGRAMS = {"execve": (59, 221), "execveat": (322, 281)}
"""Added for zygotes that start other programs: compilers and what they made."""


def machine() -> str:
    """The machine as the tables name it. Raises OSError on one that they do not know."""
    name = os.uname().machine
    if name not in AUDIT_ARCH:
        raise OSError(f"no system call table for {name}")
    return name


def zygote_filter(executes: bool) -> bytes:
    """The allow-list, as an array of BPF instructions. executes: other programs may be started."""
    name = machine()
    column = list(AUDIT_ARCH).index(name)
    calls = {**SHARED, **OURS, **(PROGRAMS if executes else {})}
    allowed = {numbers[column]: _instruction(RETURN, ALLOW) for numbers in calls.values() if numbers[column] >= 0}
    return _head(name) + _tree(sorted(allowed.items()), _answer(EPERM))


class Filter:
    """A filter ready to be put on a process. Making one takes longer than a small program, so it is made before the
    forks; only the process's id is filled in after."""

    def __init__(self, program: bytes, libc: CDLL) -> None:
        self._buffer = ctypes.create_string_buffer(program, len(program))
        self._words = memoryview(self._buffer).cast("B").cast("I")
        (own,) = struct.unpack("I", ANY_PID)
        self._pids = [at for at, word in enumerate(self._words) if word == own]
        self._head = ctypes.c_char_p(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(self._buffer)))
        self._prctl = libc.prctl
        if self._prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "seccomp filters are refused")

    def install(self) -> None:
        """Put it on this process and all that it starts from now on. Raises OSError where the kernel refuses."""
        for at in self._pids:
            self._words[at] = os.getpid()
        if self._prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, self._head, 0, 0):
            raise OSError(ctypes.get_errno(), "seccomp filters are refused")


def program_filter(executable: int | None, shared: bool) -> bytes:
    """What is taken from a process before it runs a program, with ANY_PID in the place of its id.

    executable: the descriptor that it may still execute by execveat, and nothing else. shared: its file system is the
    host's, so that it must not change modes and times, which Landlock does not guard.
    """
    name = machine()
    column = list(AUDIT_ARCH).index(name)
    number = {call: numbers[column] for call, numbers in {**SHARED, **OURS, **PROGRAMS}.items()}
    (own,) = struct.unpack("I", ANY_PID)
    denied = ["execve", "execveat", "tkill", *OURS, *(MODES_AND_TIMES if shared else ())]
    answers = {number[call]: _answer(EPERM) for call in denied}
    answers |= {
        number["clone3"]: _answer(ENOSYS),
        number["clone"]: _where(0, JUMP_SET, CLONE_THREAD),
        number["kill"]: _where(0, JUMP_EQUAL, own),
        number["tgkill"]: _where(0, JUMP_EQUAL, own),
        number["prlimit64"]: _where(2, JUMP_EQUAL, 0, upper=True),
        number["prctl"]: _where(0, JUMP_EQUAL, PR_SET_NAME, PR_GET_NAME),
        number["fcntl"]: _where(1, JUMP_EQUAL, *SIGNALLING_FCNTL, denied=True),
        number["ioctl"]: _where(1, JUMP_EQUAL, *SIGNALLING_IOCTL, denied=True),
    }
    if executable is not None:
        answers[number["execveat"]] = _where(0, JUMP_EQUAL, executable)
    answers.pop(-1, None)
    return _head(name) + _tree(sorted(answers.items()), _instruction(RETURN, ALLOW))


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def _answer(error: int) -> bytes:
    return _instruction(RETURN, ERRNO | error)


def _head(name: str) -> bytes:
    """Kill what speaks another machine's calls, then load the call's number."""
    checked = _instruction(LOAD, ARCH_AT) + _instruction(JUMP_EQUAL, AUDIT_ARCH[name], 1, 0)
    loaded = checked + _instruction(RETURN, KILL) + _instruction(LOAD, NUMBER_AT)
    return loaded + _instruction(JUMP_ABOVE, X32_BIT, 0, 1) + _answer(ENOSYS)


def _tree(answers: list[tuple[int, bytes]], otherwise: bytes) -> bytes:
    """Instructions that find the answer to a call's number by halving: the kernel runs a filter once for every call
    there is when it takes it on."""
    if len(answers) <= LEAF:
        checks = b"".join(_instruction(JUMP_EQUAL, n, 0, len(answer) // 8) + answer for n, answer in answers)
        return checks + otherwise
    middle = len(answers) // 2
    lower, upper = _tree(answers[:middle], otherwise), _tree(answers[middle:], otherwise)
    return _instruction(JUMP_ABOVE, answers[middle][0], len(lower) // 8, 0) + lower + upper


def _where(argument: int, test: int, *values: int, upper: bool = False, denied: bool = False) -> bytes:
    """The answer that allows a call where its argument meets one of `values`, and no other; upper: with all of its
    upper half zero; denied: where it meets none."""
    at = ARGUMENTS_AT + 8 * argument
    met, unmet = _instruction(RETURN, ALLOW), _answer(EPERM)
    if denied:
        met, unmet = unmet, met
    if upper:
        met = _instruction(LOAD, at + 4) + _instruction(JUMP_EQUAL, 0, 0, 1) + met + unmet
    checks = b"".join(_instruction(test, value, len(values) - n, 0) for n, value in enumerate(values))
    return _instruction(LOAD, at) + checks + unmet + met
