"""Kernel interfaces that a contest program has no use for, each tried with arguments that would succeed."""

from __future__ import annotations

from attacks.attack import Attack

ATTACKS = (
    Attack(
        "namespaces",
        """
        for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000, 0x8000000, 0x4000000, 0x2000000, 0x80):
            if libc.unshare(flag) == 0:
                escaped(f"namespace {flag:x}")
        """,
    ),
    Attack(
        "namespaces with a new user",
        """
        if libc.unshare(0x10000000 | 0x20000 | 0x40000000) == 0:
            escaped("a user namespace")
        child = syscall("clone", 0x10000000 | 17, 0, 0, 0, 0)
        if child == 0:
            os._exit(0)
        if child > 0:
            escaped("a process in a user namespace")
        """,
    ),
    Attack(
        "namespaces of others",
        """
        for pid in (1, os.getppid(), SENTINEL):
            handle = syscall("pidfd_open", pid, 0)
            for flag in (0x20000, 0x40000000):
                if handle >= 0 and libc.setns(handle, flag) == 0:
                    escaped("setns")
        """,
    ),
    Attack(
        "io_uring",
        """
        ring = syscall("io_uring_setup", 4, ctypes.create_string_buffer(256))
        if ring >= 0:
            escaped("io_uring")
        """,
    ),
    Attack(
        "bpf",
        """
        import struct
        made = struct.pack("5I", 2, 4, 4, 1, 0) + bytes(100)
        if syscall("bpf", 0, made, len(made)) >= 0:
            escaped("bpf")
        """,
    ),
    Attack(
        "perf_event_open",
        """
        import struct
        attributes = struct.pack("IIQ", 1, 128, 0) + bytes(24) + struct.pack("Q", 0x61) + bytes(80)
        if syscall("perf", attributes, 0, -1, -1, 0) >= 0:
            escaped("perf_event_open")
        """,
    ),
    Attack(
        "userfaultfd",
        "for flags in (0, 1):\n    if syscall('userfaultfd', flags) >= 0:\n        escaped('userfaultfd')",
    ),
    Attack(
        "the keyring",
        """
        for ring in (-1, -2, -3, -4, -5):
            if syscall("add_key", b"user", b"attack", b"x", 1, ring) >= 0:
                syscall("keyctl", 7, ring)
                escaped("a key")
        if syscall("keyctl", 1, b"attack") >= 0:
            escaped("a keyring")
        """,
    ),
    Attack(
        "System V shared memory",
        """
        for key in (0, 0x6A756467):
            shared = libc.shmget(key, 1 << 20, 0o1666)
            if shared >= 0:
                libc.shmctl(shared, 0, None)
                escaped("shared memory")
        """,
    ),
    Attack(
        "System V semaphores and messages",
        """
        for made, remove in ((libc.semget(0, 1, 0o1666), libc.semctl), (libc.msgget(0, 0o1666), libc.msgctl)):
            if made >= 0:
                remove(made, 0, 0) if remove is libc.semctl else remove(made, 0, None)
                escaped("System V IPC")
        """,
    ),
    Attack(
        "POSIX message queues and shared memory",
        """
        if libc.mq_open(b"/attack", os.O_CREAT | os.O_RDWR, 0o666, None) >= 0:
            libc.mq_unlink(b"/attack")
            escaped("a message queue")
        if libc.shm_open(b"/attack", os.O_CREAT | os.O_RDWR, 0o666) >= 0:
            libc.shm_unlink(b"/attack")
            escaped("POSIX shared memory")
        """,
    ),
    Attack(
        "another user",
        """
        for change in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setresuid(0, 0, 0),
                       lambda: os.setreuid(0, 0), lambda: os.setgroups([0]), lambda: os.setfsuid(0)):
            before = os.getresuid()
            try:
                change()
                if os.getresuid() != before:
                    escaped("another user")
            except (OSError, AttributeError):
                pass
        """,
    ),
    Attack(
        "capabilities",
        """
        head, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        if libc.capget(head, sets) == 0 and any(sets):
            escaped("capabilities")
        sets = (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
        if libc.capset(head, sets) == 0:
            escaped("all capabilities")
        """,
    ),
    Attack(
        "prctl",
        """
        DEATHSIG, DUMPABLE, NO_NEW_PRIVS, KEEPCAPS, SUBREAPER, PTRACER, SECUREBITS = 1, 4, 38, 8, 36, 0x59616D61, 28
        libc.prctl(DEATHSIG, 0, 0, 0, 0)
        for option, value in ((DUMPABLE, 1), (KEEPCAPS, 1), (SUBREAPER, 1), (PTRACER, -1), (SECUREBITS, 0)):
            libc.prctl(option, ctypes.c_long(value), 0, 0, 0)
        if libc.prctl(NO_NEW_PRIVS, 0, 0, 0, 0) == 0 or libc.prctl(39, 0, 0, 0, 0) == 0:
            escaped("new privileges")
        """,
    ),
    Attack("a clock that kills who reads it", "libc.prctl(26, 2, 0, 0, 0)\ntime.time()"),
    Attack("seccomp's strict mode", "libc.prctl(22, 1, 0, 0, 0)"),
    Attack(
        "a filter of its own",
        """
        import struct
        for answer in (0x00050000, 0x7FFF0000):
            lines = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, answer))
            head = struct.pack("HxxxxxxP", 1, ctypes.addressof(lines))
            libc.prctl(22, 2, head, 0, 0)
            syscall("seccomp", 1, 0, head)
        """,
    ),
    Attack(
        "a name for the host",
        """
        name = os.uname().nodename.encode()
        if libc.sethostname(name, len(name)) == 0 or libc.setdomainname(name, len(name)) == 0:
            escaped("a host name")
        """,
    ),
    Attack(
        "a table of segments and another personality",
        """
        libc.personality(ctypes.c_ulong(0x0040000))
        if os.uname().machine == "x86_64":
            libc.syscall(ctypes.c_long(154), ctypes.c_long(1), ctypes.create_string_buffer(16), ctypes.c_long(16))
        """,
    ),
    Attack(
        "the kernel's log",
        """
        buffer = ctypes.create_string_buffer(4096)
        if libc.klogctl(3, buffer, 4096) > 0:
            escaped("the kernel's log")
        """,
    ),
    Attack(
        "watching files",
        """
        if libc.inotify_init1(0) >= 0 and libc.inotify_add_watch(libc.inotify_init1(0), FOLDER.encode(), 0xFFF) >= 0:
            escaped("inotify on the host's folder")
        if libc.fanotify_init(0x200, 0) >= 0:
            escaped("fanotify")
        """,
    ),
)
