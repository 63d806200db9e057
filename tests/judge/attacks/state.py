"""State carried from one test to the next: each test of a judge is a run of its own, so the second knows nothing.

The first test gives a word and wants it back, the second wants it again without giving it.
"""

from __future__ import annotations

from textwrap import indent

from attacks.attack import Attack

AGAIN = (("<a>", "<a>"), ("again", "<a>"))
NUMBER_AGAIN = (("<n>", "<n>"), ("again", "<n>"))


def _carried(name: str, save: str, load: str, cases: tuple[tuple[str, str], ...] = AGAIN) -> Attack:
    """A program that does `save` with `word` in the first test and prints `load` in the second."""
    return Attack(
        name,
        f"word = input()\nif word != 'again':\n{indent(save, '    ')}\nelse:\n    word = {load}\nprint(word)\n",
        cases=cases,
    )


ALL_FILES = "for fd in range(3, 64):\n    try:\n"
OR_NOT = "    except OSError:\n        pass"

LATER = """\
def later(*_, os=os, word=word):
    try:
        if os.pread(0, 5, 0) == b"again":
            os.write(1, word.encode())
            os._exit(0)
    except OSError:
        pass
"""
"""What is called in the second test, if anything is, and says there what the first one knew."""


def _called_later(name: str, save: str, wait: str = "time.sleep(0.2)") -> Attack:
    return Attack(
        name,
        f"word = input()\nif word != 'again':\n{indent(LATER + save, '    ')}\n    print(word)\nelse:\n    {wait}\n",
        cases=AGAIN,
    )


ATTACKS = (
    _carried("a module", "import math\nmath.seen = word", "__import__('math').seen"),
    _carried("a module that stays", "import json.decoder\njson.decoder.seen = word", "__import__('json').decoder.seen"),
    _carried("a module of its own", "import types\nsys.modules['seen'] = word", "sys.modules['seen']"),
    _carried(
        "a class of a module",
        "import fractions\nfractions.Fraction.seen = word",
        "__import__('fractions').Fraction.seen",
    ),
    _carried("a function of a module", "import os.path\nos.path.join.seen = word", "os.path.join.seen"),
    _carried("builtins", "import builtins\nbuiltins.seen = word", "seen"),
    _carried("the main module", "sys.modules['__main__'].seen = word", "sys.modules['__main__'].seen"),
    _carried("the module sys", "sys.ps1 = word", "sys.ps1"),
    _carried("the path of imports", "sys.path.append(word)", "sys.path[-1]"),
    _carried("a hook of imports", "sys.meta_path.append(word)", "sys.meta_path[-1]"),
    _carried("arguments", "sys.argv.append(word)", "sys.argv[-1]"),
    _carried(
        "flags of warnings", "import warnings\nwarnings.filters.append(word)", "__import__('warnings').filters[-1]"
    ),
    _carried(
        "the registry of pickle",
        "import copyreg\ncopyreg.dispatch_table['x'] = word",
        "__import__('copyreg').dispatch_table['x']",
    ),
    _carried(
        "a codec",
        "import codecs\ncodecs.register_error('seen', lambda _, word=word: (word, 0))",
        "__import__('codecs').lookup_error('seen')(None)[0]",
    ),
    _carried("a cache of a library", "import re\nre._cache['x'] = word", "__import__('re')._cache['x']"),
    _carried("lines of sources", "import linecache\nlinecache.cache['x'] = word", "__import__('linecache').cache['x']"),
    _carried(
        "a decimal context",
        "import decimal\ndecimal.getcontext().prec = int(word)",
        "__import__('decimal').getcontext().prec",
        NUMBER_AGAIN,
    ),
    _carried(
        "a subclass",
        "kept = type(word, (), {})\nkept.kept = kept",
        "next(c.__name__ for c in object.__subclasses__() if KEY.match(c.__name__.encode()))",
    ),
    _carried(
        "garbage",
        "kept = [word]\nkept.append(kept)",
        "next(t[0] for t in __import__('gc').get_objects() if type(t) is list and len(t) == 2 and t[1] is t)",
    ),
    _carried("the environment", "os.environ['SEEN'] = word", "os.environ['SEEN']"),
    _carried(
        "the environment of C",
        "libc.setenv(b'SEEN', word.encode(), 1)",
        "(setattr(libc.getenv, 'restype', ctypes.c_char_p), libc.getenv(b'SEEN'))[1].decode()",
    ),
    _carried("a file", "open('seen', 'w').write(word)", "open('seen').read()"),
    _carried("a file in /tmp", "open('/tmp/seen', 'w').write(word)", "open('/tmp/seen').read()"),
    _carried("a file above", "open('../seen', 'w').write(word)", "open('../seen').read()"),
    _carried("its source", "open(__file__, 'a').write('#' + word)", "open(__file__).read()[-27:]"),
    _carried("a folder's name", "os.mkdir(word)\nos.chdir(word)", "os.path.basename(os.getcwd())"),
    _carried(
        "the age of its source", "os.utime(__file__, (int(word), 1))", "int(os.stat(__file__).st_atime)", NUMBER_AGAIN
    ),
    _carried("the mask of new files", "os.umask(int(word) & 511)", "os.umask(0)", NUMBER_AGAIN),
    _carried(
        "the limit of recursion",
        "sys.setrecursionlimit(int(word) + 1000)",
        "sys.getrecursionlimit() - 1000",
        NUMBER_AGAIN,
    ),
    _carried(
        "thresholds of the collector",
        "import gc\ngc.set_threshold(int(word))",
        "__import__('gc').get_threshold()[0]",
        NUMBER_AGAIN,
    ),
    _carried(
        "a limit of the process",
        "import resource as r\nr.setrlimit(r.RLIMIT_STACK, (int(word) << 12, r.getrlimit(r.RLIMIT_STACK)[1]))",
        "(r := __import__('resource')).getrlimit(r.RLIMIT_STACK)[0] >> 12",
        NUMBER_AGAIN,
    ),
    _carried(
        "a descriptor", "r, w = os.pipe()\nos.write(w, word.encode())\nos.dup2(r, 200)", "os.read(200, 99).decode()"
    ),
    _carried("the standard input", "import io\nsys.stdin = io.StringIO(word)", "sys.stdin.readline()"),
    Attack(
        "the output of the next test",
        f"word = input()\n{ALL_FILES}        os.pwrite(fd, word.encode() * (word != 'again'), 0)\n{OR_NOT}\n"
        "if word != 'again':\n    print(word)\n",
        cases=AGAIN,
    ),
    Attack(
        "a file of the harness",
        f"word = input()\n{ALL_FILES}        if b'again' not in os.pread(fd, 1 << 20, 0):\n            continue\n"
        "        if word != 'again':\n            os.pwrite(fd, word.encode(), 1 << 20)\n"
        f"        else:\n            tell(os.pread(fd, 99, 1 << 20))\n{OR_NOT}\nprint(word)\n",
        cases=AGAIN,
    ),
    _carried(
        "memory at a known address",
        "libc.mmap.restype = ctypes.c_void_p\n"
        "at = libc.mmap(ctypes.c_void_p(0x133700000000), 4096, 3, 0x32, -1, ctypes.c_long(0))\n"
        "ctypes.memmove(0x133700000000, word.encode(), len(word))",
        "peek(0x133700000000, 27).decode()",
    ),
    _carried(
        "memory that was freed",
        "kept = [word + str(number) for number in range(1000)]",
        "[tell(peek((id(word) & ~0xFFFF) + (step << 16), 1 << 16)) for step in range(-100, 100)]",
    ),
    _called_later(
        "a thread",
        "import threading\ndef wait():\n    for _ in range(200):\n        later()\n"
        "        time.sleep(0.005)\nthreading.Thread(target=wait, daemon=True).start()",
    ),
    _called_later(
        "a raw thread",
        "import _thread\ndef wait():\n    for _ in range(200):\n        later()\n"
        "        time.sleep(0.005)\n_thread.start_new_thread(wait, ())",
    ),
    _called_later(
        "a timer",
        "import signal\nsignal.signal(signal.SIGALRM, later)\nsignal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)",
    ),
    _called_later(
        "a timer of CPU time",
        "import signal\nsignal.signal(signal.SIGPROF, later)\nsignal.setitimer(signal.ITIMER_PROF, 0.02, 0.02)",
        "sum(range(10_000_000))",
    ),
    _called_later(
        "a handler of signals",
        "import signal\nsignal.signal(signal.SIGUSR1, later)",
        "import signal; signal.raise_signal(signal.SIGUSR1)",
    ),
    _called_later(
        "a handler of another signal",
        "import signal\nsignal.signal(signal.SIGWINCH, later)",
        "import signal; signal.raise_signal(signal.SIGWINCH)",
    ),
    _called_later("a trace", "sys.settrace(later)", "(lambda: 1)()"),
    _called_later("a profile", "sys.setprofile(later)", "(lambda: 1)()"),
    _called_later(
        "a profile of new threads",
        "import threading\nthreading.setprofile(later)",
        "import threading; threading.Thread(target=int).start()",
    ),
    _called_later("an audit hook", "sys.addaudithook(later)", "open('/dev/null').close()"),
    _called_later("a function at exit", "import atexit\natexit.register(later)"),
    _called_later(
        "a finalizer", "class Kept:\n    __del__ = later\nkept = Kept()\nkept.kept = kept", "import gc; gc.collect()"
    ),
    _called_later("a callback of the collector", "import gc\ngc.callbacks.append(later)", "import gc; gc.collect()"),
    _called_later("a hook of exceptions", "sys.excepthook = later", "1 / 0"),
    _called_later("a hook of displays", "sys.displayhook = later", "exec(compile('1', '', 'single'))"),
    _called_later("a function of builtins", "import builtins\nbuiltins.len = later", "len('')"),
    _called_later("a replaced function of a module", "import math\nmath.sqrt = later", "import math; math.sqrt(4)"),
    _called_later(
        "a method of a class of a library",
        "import fractions\nfractions.Fraction.limit_denominator = later",
        "import fractions; fractions.Fraction(1).limit_denominator()",
    ),
    _called_later(
        "code of a library",
        "import re, textwrap\nre.sub.__code__ = (lambda *_: late()).__code__\nre.sub.__globals__['late'] = later",
        "import textwrap; textwrap.dedent('x')",
    ),
)
