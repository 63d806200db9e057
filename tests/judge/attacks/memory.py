"""Memory and disk: in the address space, lazily, beside it in files and pipes, on standard output, in folders."""

from __future__ import annotations

from attacks.attack import Attack
from microcoder_judge import Limits, Verdict

TOO_LARGE = frozenset({Verdict.MLE})
TOO_LONG = frozenset({Verdict.OLE})
ENDED = frozenset({Verdict.OLE, Verdict.RE, Verdict.TLE, Verdict.WA, Verdict.MLE})
PATIENT = Limits(time_s=2, memory_mb=128, output_mb=8)
"""For programs that need a moment to reach the limit that they are about."""
MANY = tuple((str(number), f"<w{number}>") for number in range(40))

RAISE_LIMITS = """
    import resource
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC,
                 resource.RLIMIT_NOFILE, resource.RLIMIT_STACK, resource.RLIMIT_MEMLOCK):
        soft, hard = resource.getrlimit(kind)
        for value in (resource.RLIM_INFINITY, hard):
            for limit in (lambda: resource.setrlimit(kind, (value, value)),
                          lambda: resource.prlimit(os.getppid(), kind, (value, value))):
                try:
                    limit()
                except (OSError, ValueError):
                    pass
        if hard != resource.RLIM_INFINITY and resource.getrlimit(kind)[1] == resource.RLIM_INFINITY:
            escaped(f"limit {kind}")
"""

ATTACKS = (
    Attack("more than there is", "x = bytearray(8 << 30)", allowed=TOO_LARGE),
    Attack(
        "more and more",
        "kept = []\nfor _ in range(1024):\n    kept.append(b'x' * (1 << 20))",
        allowed=TOO_LARGE,
        limits=PATIENT,
    ),
    Attack(
        "small objects without end",
        "kept = []\nwhile len(kept) < 20_000_000:\n    kept.append(object())",
        allowed=frozenset({Verdict.MLE, Verdict.TLE}),
        limits=PATIENT,
    ),
    Attack(
        "a memory error that is swallowed",
        """
        kept = []
        while True:
            try:
                while len(kept) < 4096:
                    kept.append(bytearray(1 << 20))
            except MemoryError:
                pass
        """,
        allowed=frozenset({Verdict.TLE, Verdict.MLE}),
    ),
    Attack(
        "memory mapped lazily",
        """
        import mmap
        kept = []
        for _ in range(64):
            area = mmap.mmap(-1, 16 << 20)
            for page in range(0, len(area), 4096):
                area[page] = 1
            kept.append(area)
        escaped("a GiB")
        """,
        limits=PATIENT,
    ),
    Attack(
        "one memory file",
        """
        file = os.memfd_create("x")
        for _ in range(512):
            os.write(file, bytes(1 << 20))
        escaped("a memory file")
        """,
        limits=PATIENT,
    ),
    Attack(
        "many memory files",
        """
        held = 0
        for number in range(200):
            file = os.memfd_create(str(number))
            held += os.write(file, bytes(4 << 20))
            if held > 300 << 20:
                escaped("memory files")
        """,
        limits=PATIENT,
    ),
    Attack(
        "the descriptors at hand, filled",
        """
        held = 0
        for fd in range(3, 512):
            try:
                os.set_blocking(fd, False)
                while held < 300 << 20:
                    held += os.write(fd, bytes(1 << 20))
            except OSError:
                pass
        if held >= 250 << 20:
            escaped(f"{held >> 20} MiB in descriptors")
        """,
        cases=MANY,
        limits=PATIENT,
    ),
    Attack(
        "pipes",
        """
        import fcntl
        held = 0
        for _ in range(400):
            reader, writer = os.pipe()
            try:
                fcntl.fcntl(writer, 1031, 1 << 20)
            except OSError:
                pass
            os.set_blocking(writer, False)
            held += os.write(writer, bytes(1 << 20))
        if held > 300 << 20:
            escaped(f"{held >> 20} MiB in pipes")
        """,
        limits=PATIENT,
    ),
    Attack(
        "a full disk",
        """
        held = 0
        for place in (".", "/tmp", "/var/tmp", "/dev/shm", FOLDER):
            for number in range(400):
                try:
                    with open(f"{place}/fill{number}", "wb") as file:
                        for _ in range(8):
                            held += file.write(bytes(1 << 20))
                except OSError:
                    break
                if held > 400 << 20:
                    escaped("a disk without end")
        """,
        limits=PATIENT,
    ),
    Attack(
        "a disk without names",
        """
        import tempfile
        kept, held = [], 0
        for _ in range(60):
            file = open(f"x{len(kept)}", "wb+", 0)
            os.unlink(file.name)
            kept.append(file)
            held += file.write(bytes(7 << 20))
        escaped("files without names")
        """,
        limits=PATIENT,
    ),
    Attack(
        "files without end",
        "for number in range(50_000):\n    open(f'f{number}', 'w').close()\nescaped('inodes')",
        limits=PATIENT,
    ),
    Attack(
        "folders without end",
        "for _ in range(2000):\n    os.mkdir('deep' * 20)\n    os.chdir('deep' * 20)",
    ),
    Attack(
        "a flood",
        "data = b'x' * (1 << 20)\nfor _ in range(500):\n    os.write(1, data)",
        allowed=frozenset({Verdict.OLE, Verdict.RE}),
    ),
    Attack("a flood by print", "while True:\n    print('x' * 10_000)", allowed=TOO_LONG, bare=True, limits=PATIENT),
    Attack(
        "a flood that swallows errors",
        "while True:\n    try:\n        os.write(1, b'x' * (1 << 20))\n    except BaseException:\n        pass",
        allowed=frozenset({Verdict.OLE, Verdict.TLE}),
    ),
    Attack(
        "a flood with its signal ignored",
        """
        import signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        os.write(1, b"x" * (64 << 20))
        os.write(1, b"x" * (64 << 20))
        """,
        allowed=frozenset({Verdict.OLE, Verdict.RE}),
    ),
    Attack(
        "a flood on standard error",
        "for _ in range(500):\n    os.write(2, b'x' * (1 << 20))",
        allowed=ENDED,
    ),
    Attack("an endless line on standard error", "sys.stderr.write('x' * (50 << 20))\nsys.exit(1)", allowed=ENDED),
    Attack("a hole in stdout", "os.lseek(1, 1 << 40, 0)\nos.write(1, b'x')", allowed=ENDED),
    Attack("a stretched stdout", "os.ftruncate(1, 1 << 40)", allowed=ENDED),
    Attack(
        "space set aside in stdout",
        """
        if libc.fallocate(1, 1, ctypes.c_long(0), ctypes.c_long(300 << 20)) == 0:
            escaped("300 MiB in stdout")
        """,
    ),
    Attack(
        "a stretched standard error and stdin",
        """
        for fd in (0, 2):
            for stretch in (lambda: os.ftruncate(fd, 1 << 40), lambda: os.pwrite(fd, b"x", 1 << 40)):
                try:
                    stretch()
                    escaped(f"descriptor {fd}")
                except OSError:
                    pass
        """,
        allowed=ENDED,
    ),
    Attack("raised limits", RAISE_LIMITS + "\n    x = bytearray(1 << 30)\n    escaped('a GiB')\n", allowed=ENDED),
    Attack(
        "memory locked",
        "if libc.mlockall(3) == 0 and ctypes.create_string_buffer(1 << 30):\n    escaped('a locked GiB')",
        allowed=ENDED,
    ),
)
