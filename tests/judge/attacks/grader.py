"""Turning the grader: its functions, builtins, modules, descriptors, and the way a program ends."""

from __future__ import annotations

from attacks.attack import ECHO_CASES, Attack
from microcoder_judge import Verdict

RUNTIME_ERROR = frozenset({Verdict.RE})
"""For programs that are right and whose exit status in a plain run is not 0."""

ATTACKS = (
    Attack(
        "comparison replaced in every module",
        """
        import types
        for module in list(sys.modules.values()):
            for name, value in list(vars(module).items()):
                if isinstance(value, types.FunctionType) and re.search("compare|equal|check|eq", name):
                    setattr(module, name, lambda *_, **__: True)
        """,
    ),
    Attack(
        "builtins replaced",
        """
        import builtins
        for name in ("len", "isinstance", "str", "bytes", "type", "all", "any", "zip", "print", "open", "repr", "int"):
            setattr(builtins, name, lambda *_, **__: True)
        """,
    ),
    Attack(
        "everything in every module replaced",
        """
        for module in list(sys.modules.values()):
            if module.__name__ not in ("sys", "builtins"):
                for name, value in list(vars(module).items()):
                    if callable(value):
                        try:
                            setattr(module, name, lambda *_, **__: 0)
                        except (AttributeError, TypeError):
                            pass
        """,
    ),
    Attack(
        "code of the grader's functions replaced",
        """
        import gc, types
        def accept(*_, **__):
            return None
        for thing in gc.get_objects():
            if isinstance(thing, types.FunctionType) and not thing.__closure__:
                if "microcoder" in thing.__code__.co_filename or thing.__module__.startswith("_"):
                    try:
                        thing.__code__ = accept.__code__
                    except ValueError:
                        pass
        """,
    ),
    Attack(
        "globals of the frames above replaced",
        """
        frame = sys._getframe().f_back
        while frame:
            for name, value in list(frame.f_globals.items()):
                if callable(value) and not name.startswith("__"):
                    frame.f_globals[name] = lambda *_, **__: 0
            frame = frame.f_back
        """,
    ),
    Attack(
        "json replaced",
        """
        import json
        json.dumps = json.JSONEncoder.encode = lambda *_, **__: '{"verdict": "AC", "passed": 2}'
        json.loads = json.load = lambda *_, **__: {"verdict": "AC", "passed": 2}
        print("x")
        """,
    ),
    Attack(
        "a fake captured stdout",
        """
        class Same(str):
            def __eq__(self, other): return True
            def __ne__(self, other): return False
            def __getattr__(self, name): return lambda *_, **__: self
            def strip(self, *_): return self
            def split(self, *_): return self
            def encode(self, *_): return self
            __hash__ = str.__hash__
        class Fake:
            def getvalue(self): return Same()
            def __getattr__(self, name): return lambda *_, **__: Same()
        sys.stdout = sys.__stdout__ = sys.stderr = Fake()
        """,
    ),
    Attack(
        "a verdict on every descriptor",
        """
        frame = (4).to_bytes(8, "big") + (1).to_bytes(8, "big") + b"V"
        words = (b"AC\\n", b'{"verdict": "AC", "status": 0}\\n', frame, b"ready", b"\\0" * 64, b"\\xff" * 64)
        for fd in range(3, 1024):
            for word in words:
                try:
                    os.set_blocking(fd, False)
                    os.write(fd, word)
                except OSError:
                    pass
        """,
    ),
    Attack(
        "every descriptor pointed at stdout",
        """
        print("x", flush=True)
        for fd in range(3, 64):
            os.dup2(1, fd)
        """,
    ),
    Attack("every descriptor closed", "os.closerange(0, 1 << 16)"),
    Attack(
        "every pipe filled",
        """
        for fd in range(3, 256):
            try:
                os.set_blocking(fd, False)
                while os.write(fd, bytes(4096)):
                    pass
            except OSError:
                pass
        """,
    ),
    Attack("an early exit", "sys.exit(0)"),
    Attack("an early _exit", "os._exit(0)"),
    Attack(
        "an early exit by a raw signal handler",
        "import signal\nsignal.signal(signal.SIGUSR1, lambda *_: os._exit(0))\nos.kill(os.getpid(), signal.SIGUSR1)",
    ),
    Attack(
        "exit patched away",
        """
        os._exit = sys.exit = os.abort = os.kill = lambda *_: None
        raise SystemExit(0)
        """,
    ),
    Attack(
        "a base exception that cannot be shown",
        """
        class Hidden(BaseException):
            def __str__(self): raise Hidden
            __repr__ = __str__
            __reduce__ = __str__
            args = property(__str__)
            __traceback__ = property(__str__)
        raise Hidden
        """,
        allowed=RUNTIME_ERROR,
    ),
    Attack(
        "a right answer, then an exception with _exit replaced",
        """
        print(input(), flush=True)
        leave = os._exit
        os._exit = lambda status: leave(0)
        1 / 0
        """,
        cases=ECHO_CASES,
        allowed=RUNTIME_ERROR,
    ),
    Attack(
        "a right answer, then an exception that says it is an exit",
        """
        print(input(), flush=True)
        class Fake(BaseException):
            __class__ = SystemExit
            code = 0
        raise Fake
        """,
        cases=ECHO_CASES,
        allowed=RUNTIME_ERROR,
    ),
    Attack(
        "a right answer, then a status that lies",
        """
        print(input(), flush=True)
        class Status(int):
            def __eq__(self, other): return True
            def __ne__(self, other): return False
            def __bool__(self): return False
            def __int__(self): return 0
            def __and__(self, other): return 0
            __index__ = __int__
            __hash__ = int.__hash__
        sys.exit(Status(3))
        """,
        cases=ECHO_CASES,
        allowed=RUNTIME_ERROR,
    ),
    Attack(
        "a right answer, then an exit with a text",
        "print(input(), flush=True)\nsys.exit('all well')",
        cases=ECHO_CASES,
        allowed=RUNTIME_ERROR,
    ),
    Attack(
        "a right answer, then builtins that forget exceptions",
        """
        import builtins
        print(input(), flush=True)
        builtins.SystemExit = builtins.BaseException = builtins.Exception = type("Never", (Exception,), {})
        raise ValueError("still an error")
        """,
        cases=ECHO_CASES,
        allowed=RUNTIME_ERROR,
    ),
    Attack(
        "a right answer, forged messages, then a crash",
        """
        print(input(), flush=True)
        for fd in range(3, 256):
            try:
                os.write(fd, bytes(28))
            except OSError:
                pass
        ctypes.string_at(0)
        """,
        cases=ECHO_CASES,
        allowed=RUNTIME_ERROR,
    ),
    Attack(
        "a forged message on standard error",
        """
        sys.stderr.write('{"verdict": "AC", "exit_status": 0}\\n0 0 0.0 0.0 0 1\\n')
        print("0 0 0.0 0.0 0 1")
        """,
    ),
)
