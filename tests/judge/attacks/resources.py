"""Time, processes and threads: programs that will not end, that hide what they use, or that multiply."""

from __future__ import annotations

from attacks.attack import ECHO_CASES, Attack
from microcoder_judge import Verdict

TOO_SLOW = frozenset({Verdict.TLE})
STOPPED = frozenset({Verdict.TLE, Verdict.RE, Verdict.MLE})
"""Ended by a limit or by the refusal of what it tried."""

ATTACKS = (
    Attack(
        "a swallowed timeout",
        """
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass
        """,
        allowed=TOO_SLOW,
    ),
    Attack(
        "every timer cancelled and every signal blocked",
        """
        import signal
        for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
            signal.setitimer(timer, 0)
        signal.alarm(0)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            pass
        """,
        allowed=TOO_SLOW,
    ),
    Attack("a loop in C", "sum(range(1 << 60))", allowed=TOO_SLOW, bare=True),
    Attack("a hopeless regular expression", "import re\nre.match('(a*)*b', 'a' * 40)", allowed=TOO_SLOW, bare=True),
    Attack("a sleep", "import time\ntime.sleep(1000)", allowed=TOO_SLOW, bare=True),
    Attack(
        "a wait for itself",
        "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
        allowed=TOO_SLOW,
        bare=True,
    ),
    Attack("a read that never ends", "r, w = os.pipe()\nos.read(r, 1)", allowed=TOO_SLOW),
    Attack(
        "a stop signal",
        "import signal\nos.kill(os.getpid(), signal.SIGSTOP)\nwhile True:\n    time.sleep(1)",
        allowed=TOO_SLOW,
    ),
    Attack(
        "a right answer, then no end",
        "print(input(), flush=True)\nwhile True:\n    pass",
        cases=ECHO_CASES,
        allowed=TOO_SLOW,
    ),
    Attack(
        "a right answer, then no end at exit",
        "import atexit\nprint(input(), flush=True)\n@atexit.register\ndef never():\n    while True:\n        pass",
        cases=ECHO_CASES,
        allowed=TOO_SLOW,
    ),
    Attack(
        "a right answer, then no end of a finalizer",
        """
        print(input(), flush=True)
        class Never:
            def __del__(self):
                while True:
                    pass
        kept = Never()
        """,
        cases=ECHO_CASES,
        allowed=TOO_SLOW,
    ),
    Attack(
        "a right answer, then a thread that never ends",
        """
        import threading
        print(input(), flush=True)
        threading.Thread(target=lambda: time.sleep(1000)).start()
        """,
        cases=ECHO_CASES,
        allowed=TOO_SLOW,
    ),
    Attack(
        "a right answer, after clocks were turned back",
        """
        import resource
        for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time", "clock_gettime"):
            setattr(time, name, lambda *_: 0.0)
        resource.getrusage = os.times = lambda *_: (0.0,) * 16
        word = input()
        for _ in range(100_000_000):
            pass
        print(word)
        """,
        cases=ECHO_CASES,
        allowed=TOO_SLOW,
    ),
    Attack(
        "work in threads while the main one sleeps",
        """
        import hashlib, threading
        def work():
            hashlib.pbkdf2_hmac("sha256", b"x", b"y", 100_000_000)
        for _ in range(4):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(1000)
        """,
        allowed=TOO_SLOW,
    ),
    Attack(
        "threads without end",
        """
        import threading
        threading.stack_size(32768)
        for _ in range(2000):
            threading.Thread(target=time.sleep, args=(1000,)).start()
        """,
        allowed=STOPPED,
    ),
    Attack(
        "a fork bomb",
        """
        forked = 0
        for _ in range(64):
            child = libc.fork()
            if child == 0:
                time.sleep(2)
                os._exit(0)
            forked += child > 0
        if forked:
            escaped(f"{forked} forks")
        """,
    ),
    Attack(
        "a fork bomb by the os module",
        """
        import multiprocessing
        for start in (os.fork, os.forkpty, multiprocessing.Process(target=time.sleep, args=(2,)).start):
            try:
                if start() == 0:
                    os._exit(0)
                escaped("a process of the os module")
            except OSError:
                pass
        """,
    ),
    Attack(
        "a fork bomb by raw calls",
        """
        forked = 0
        for name, *arguments in (("fork",), ("clone", 17, 0, 0, 0, 0)) * 16:
            child = syscall(name, *arguments)
            if child == 0:
                time.sleep(2)
                os._exit(0)
            forked += child > 0
        if forked:
            escaped(f"{forked} raw forks")
        """,
    ),
    Attack(
        "a process by clone3",
        """
        import struct
        arguments = struct.pack("11Q", 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)
        child = syscall("clone3", arguments, len(arguments))
        if child == 0:
            os._exit(0)
        if child > 0:
            escaped("clone3")
        """,
    ),
    Attack(
        "a process by clone with the flags of a thread left out one by one",
        """
        VM, FS, FILES, SIGHAND, SYSVSEM = 0x100, 0x200, 0x400, 0x800, 0x40000
        for flags in (FS, FILES, FS | FILES, SYSVSEM, FS | FILES | SYSVSEM):
            child = syscall("clone", flags | 17, 0, 0, 0, 0)
            if child == 0:
                os._exit(0)
            if child > 0:
                escaped(f"clone {flags:x}")
        """,
    ),
    Attack(
        "a process by vfork",
        """
        machine = bytes.fromhex("b83a0000000f05" "85c0" "7509" "b83c000000" "31ff" "0f05" "c3")
        import mmap
        if os.uname().machine == "x86_64":
            page = mmap.mmap(-1, 4096, prot=7)
            page.write(machine)
            child = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
            if child > 0:
                escaped("vfork")
        """,
    ),
    Attack(
        "a process by calls of 32 bits",
        """
        import mmap
        if os.uname().machine == "x86_64":
            page = mmap.mmap(-1, 4096, prot=7)
            page.write(bytes.fromhex("b802000000" "cd80" "c3"))
            child = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
            if child == 0:
                os._exit(0)
            if child > 0:
                escaped("fork of 32 bits")
            child = libc.syscall(ctypes.c_long(0x40000000 + 57))
            if child == 0:
                os._exit(0)
            if child > 0:
                escaped("fork of x32")
        """,
    ),
    Attack(
        "a daemon that holds stdout",
        """
        try:
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(8)
                    open(f"{FOLDER}/daemon", "w").close()
                os._exit(0)
            escaped("a daemon")
        except OSError:
            pass
        """,
    ),
    Attack(
        "a better place in the queue",
        """
        for policy in (os.SCHED_FIFO, os.SCHED_RR):
            try:
                os.sched_setscheduler(0, policy, os.sched_param(50))
                escaped("real time")
            except OSError:
                pass
        try:
            os.setpriority(os.PRIO_PROCESS, 0, -20)
            escaped("priority")
        except OSError:
            pass
        """,
    ),
    Attack(
        "endless recursion",
        "sys.setrecursionlimit(1 << 30)\ndef f(): return f() + 1\nf()",
        allowed=frozenset({Verdict.RE, Verdict.MLE, Verdict.TLE}),
    ),
)
