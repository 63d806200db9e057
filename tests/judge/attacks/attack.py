"""What an attack is, and the prelude that its program begins with.

The expected outputs hold words that are drawn anew for each run and that only the judge knows, so an accepted program
has broken out of its role. `<name>` in a case stands for such a word, the same wherever the name stands; the words of
one attack are no other's. Words look like KEY in the prelude, so that a program can know one when it finds it.
`<n>` is a number of three digits, `<secret>` is in the environment of the judge, `<file>` in a file of the host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from textwrap import dedent

from attacks.world import World
from microcoder_judge import Checker, Limits, Problem, Submission, Test, Verdict

REJECTED = frozenset(Verdict) - {Verdict.AC, Verdict.IE, Verdict.CE}
ESCAPED = "ESCAPED"
LIMITS = Limits(time_s=0.5, memory_mb=128, output_mb=8)

PRELUDE = '''\
import os, re, sys, time
FOLDER, PORT, SENTINEL, JUDGE, NAME = {facts!r}
KEY = re.compile(rb"key[0-9a-f]{{24}}")

def escaped(what):
    """Say that something succeeded which must not, and end."""
    os.write(1, b"{escaped}:" + what.encode())
    os._exit(0)

def tell(data):
    """Print the first word that looks like an answer, and end."""
    found = KEY.search(data)
    if found:
        os.write(1, found[0])
        os._exit(0)

'''

NATIVE = '''\
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(15, NAME.encode(), 0, 0, 0)
CALLS = {
    "x86_64": dict(clone=56, fork=57, vfork=58, tgkill=234, keyctl=250, add_key=248, perf=298, seccomp=317, bpf=321,
                   execveat=322, userfaultfd=323),
    "aarch64": dict(clone=220, fork=1079, vfork=1071, tgkill=131, keyctl=219, add_key=217, perf=241, seccomp=277,
                    bpf=280, execveat=281, userfaultfd=282),
}[os.uname().machine] | dict(pidfd_send_signal=424, io_uring_setup=425, pidfd_open=434, clone3=435, pidfd_getfd=438)

def syscall(name, *arguments):
    given = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return libc.syscall(ctypes.c_long(CALLS[name]), *given)

def peek(address, size):
    """Our own memory there as bytes, nothing where there is none: the kernel copies it and does not crash."""
    with open("peek", "wb+", 0) as file:
        got = libc.pwrite(file.fileno(), ctypes.c_void_p(address), ctypes.c_size_t(size), ctypes.c_long(0))
        return os.pread(file.fileno(), max(got, 0), 0)

'''
"""What programs begin with that call the kernel themselves. The others go without: whoever imports ctypes is not given
a process for several tests, and batch is to be attacked too."""

NATIVE_WORDS = re.compile(r"\b(ctypes|libc|syscall|peek|CALLS)\b")

STDIN_CASES = (("1", "<a>"), ("2", "<b>"))
FUNCTION_CASES = (("[1]", '"<a>"'), ("[2]", '"<b>"'))
ECHO_CASES = (("<a>", "<a>"), ("<b>", "<b>"))
"""The right answer is the input: for programs that are right, but end badly."""


@dataclass(frozen=True)
class Attack:
    """One program and what it is judged against.

    cases: input and expected output of each test. allowed: the verdicts that are right. entry_point: makes it a
    function problem. bare: the program goes without the prelude.
    """

    name: str
    code: str
    cases: tuple[tuple[str, str], ...] | None = None
    allowed: frozenset[Verdict] = REJECTED
    checker: Checker | None = None
    entry_point: str | None = None
    limits: Limits = LIMITS
    bare: bool = False

    def submission(self, world: World) -> Submission:
        """The attack with the words of this run in its tests and the facts of `world` in its prelude."""
        cases = self.cases or (FUNCTION_CASES if self.entry_point else STDIN_CASES)
        tests = tuple(Test(self._fill(given, world), self._fill(expected, world)) for given, expected in cases)
        problem = Problem(
            f"attack:{self.name}",
            tests,
            self.limits,
            self.checker,
            io_mode="function" if self.entry_point else "stdin",
            entry_point=self.entry_point,
        )
        return Submission(self.code if self.bare else with_prelude(self.code, world), problem, id=self.name)

    def _fill(self, text: str, world: World) -> bytes:
        return re.sub(r"<(\w+)>", lambda match: world.word(self.name, match[1]), text).encode()


def with_prelude(code: str, world: World) -> str:
    plain = PRELUDE.format(facts=world.facts, escaped=ESCAPED)
    return plain + (NATIVE if NATIVE_WORDS.search(code) else "") + dedent(code)
