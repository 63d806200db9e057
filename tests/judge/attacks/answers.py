"""Looking for the answer where a judge could have it: its frames, objects, memory, descriptors, files, environment."""

from __future__ import annotations

from attacks.attack import Attack

ATTACKS = (
    Attack(
        "frames",
        """
        frame = sys._getframe()
        while frame:
            tell(repr((frame.f_locals, frame.f_globals)).encode())
            frame = frame.f_back
        """,
    ),
    Attack(
        "frames of every thread and of a traceback",
        """
        try:
            1 / 0
        except ZeroDivisionError as error:
            trace = error.__traceback__
        frames = [*sys._current_frames().values(), trace.tb_frame]
        while frames:
            frame = frames.pop()
            tell(repr((frame.f_locals, frame.f_globals)).encode())
            frames += [frame.f_back] if frame.f_back else []
        """,
    ),
    Attack(
        "objects of the collector",
        """
        import gc
        gc.collect()
        gc.unfreeze()
        for thing in gc.get_objects():
            for part in gc.get_referents(thing):
                if type(part) is str:
                    tell(part.encode(errors="replace"))
                elif type(part) in (bytes, bytearray):
                    tell(part)
        """,
    ),
    Attack(
        "every module",
        """
        for module in list(sys.modules.values()):
            for value in list(vars(module).values()):
                if type(value) in (str, bytes, list, tuple, dict, set):
                    tell(repr(value).encode())
        """,
    ),
    Attack(
        "own memory",
        """
        for centre in (id(KEY), id(object()), id(sys), id(os.environ), id("".join(["x", "y"]))):
            for step in range(-200, 200):
                tell(peek((centre & ~0xFFFF) + (step << 16), 1 << 16))
        """,
    ),
    Attack(
        "the parent's memory, where a fork has the same",
        """
        class Span(ctypes.Structure):
            _fields_ = [("start", ctypes.c_void_p), ("size", ctypes.c_size_t)]
        buffer = ctypes.create_string_buffer(1 << 16)
        here = Span(ctypes.addressof(buffer), len(buffer))
        one, none = ctypes.c_ulong(1), ctypes.c_ulong(0)
        for pid in (os.getppid(), JUDGE, 1):
            for centre in (id(KEY), id(object()), id(sys), ctypes.addressof(buffer)):
                for step in range(-100, 100):
                    there = Span((centre & ~0xFFFF) + (step << 16), len(buffer))
                    if libc.process_vm_readv(pid, ctypes.byref(here), one, ctypes.byref(there), one, none) > 0:
                        tell(buffer.raw)
        """,
    ),
    Attack(
        "memory by /proc",
        """
        for pid in ("self", str(os.getppid()), str(JUDGE), "1"):
            try:
                with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
                    for line in maps:
                        start, end = (int(number, 16) for number in line.split()[0].split("-"))
                        if "rw" in line and end - start < 1 << 26:
                            memory.seek(start)
                            tell(memory.read(end - start))
            except (OSError, ValueError):
                pass
        """,
    ),
    Attack(
        "ptrace",
        """
        ATTACH, TRACEME, SEIZE, DETACH = 16, 0, 0x4206, 17
        for pid in (os.getppid(), JUDGE, SENTINEL):
            for request in (SEIZE, ATTACH):
                if libc.ptrace(request, pid, None, None) == 0:
                    libc.ptrace(DETACH, pid, None, None)
                    escaped(f"ptrace of {pid}")
        """,
    ),
    Attack(
        "every descriptor",
        """
        for fd in range(3, 1024):
            for read in (lambda: os.pread(fd, 1 << 20, 0), lambda: os.read(fd, 1 << 16)):
                try:
                    os.set_blocking(fd, False)
                    tell(read())
                except OSError:
                    pass
        """,
    ),
    Attack(
        "descriptors opened again",
        """
        for folder in ("/proc/self/fd", "/dev/fd", "/proc/1/fd", f"/proc/{os.getppid()}/fd", f"/proc/{JUDGE}/fd"):
            for fd in range(1024):
                try:
                    with open(f"{folder}/{fd}", "rb", 0) as file:
                        os.set_blocking(file.fileno(), False)
                        tell(file.read(1 << 20) or b"")
                except OSError:
                    pass
        """,
    ),
    Attack(
        "a descriptor taken from the parent",
        """
        for pid in (os.getppid(), JUDGE, 1):
            handle = syscall("pidfd_open", pid, 0)
            for fd in range(64) if handle >= 0 else ():
                got = syscall("pidfd_getfd", handle, fd, 0)
                if got >= 0:
                    escaped(f"descriptor {fd} of {pid}")
        """,
    ),
    Attack(
        "answer files",
        """
        for top in ("/tmp", "/var/tmp", "/dev/shm", "/run", "/root", "/home", "/"):
            for number, (folder, _, names) in enumerate(os.walk(top)):
                for name in names:
                    try:
                        with open(os.path.join(folder, name), "rb") as file:
                            tell(file.read(1 << 14))
                    except OSError:
                        pass
                if number > 500:
                    break
        """,
    ),
    Attack(
        "the judge's own files",
        """
        import glob
        places = [*sys.path, os.path.dirname(os.path.abspath(__file__)), os.getcwd(), os.path.dirname(os.getcwd())]
        for place in places:
            for path in glob.glob(f"{place}/*") + glob.glob(f"{place}/.*"):
                try:
                    with open(path, "rb") as file:
                        tell(file.read(1 << 14))
                except OSError:
                    pass
        """,
    ),
    Attack(
        "the judge's own modules",
        """
        import importlib
        for name in ("microcoder_judge.judge", "microcoder_judge.supervisor", "microcoder_judge.engine",
                     "__main__", "_zygote", "_solution", "_runner", "_program"):
            try:
                tell(repr(vars(importlib.import_module(name))).encode())
            except ImportError:
                pass
        """,
    ),
    Attack(
        "a secret in the environment",
        """
        tell(repr(dict(os.environ)).encode())
        variables = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
        position = 0
        while variables and variables[position]:
            tell(variables[position])
            position += 1
        """,
        cases=(("", "<secret>"),),
    ),
    Attack(
        "a secret in the environment of others",
        """
        for pid in ("self", "1", os.getppid(), JUDGE, *range(2, 400)):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    tell(file.read())
            except OSError:
                pass
        """,
        cases=(("", "<secret>"),),
    ),
    Attack(
        "a file of the host",
        """
        for prefix in ("", "/../../../../..", "../../../../../../..", "/proc/self/root", "/proc/1/root", "/proc/1/cwd"):
            try:
                tell(open(f"{prefix}{FOLDER}/answers", "rb").read())
            except OSError:
                pass
        """,
        cases=(("", "<file>"),),
    ),
    Attack(
        "a file of the host behind a link",
        """
        for link in (os.symlink, os.link):
            try:
                link(f"{FOLDER}/answers", "mine")
                tell(open("mine", "rb").read())
            except OSError:
                pass
        """,
        cases=(("", "<file>"),),
    ),
)
