"""The languages that programs and checkers may be written in, each a small class: what it needs, how it is built.

To add one, write a `Language` and put it into LANGUAGES.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

FEW_MODULES = "abc array atexit bisect collections functools heapq io itertools math operator os re string sys time"
MORE_MODULES = (
    "collections.abc copy datetime decimal enum fractions json random statistics traceback types typing "
    "sortedcontainers"
)
"""Imported once a worker instead of once a program; the others only where a program may want one: what a process has
imported, every child's page tables must hold. Ours."""

_NUMPY = re.compile(r"\bnumpy\b")
_MORE = re.compile(rf"\b({'|'.join(map(re.escape, MORE_MODULES.split()))})\b")


class LanguageNotSupported(ValueError):
    """A program or a checker in a language that this judge does not run; the message names it and the mend."""


@dataclass(frozen=True, slots=True)
class Flavour:
    """What a zygote has before its first program.

    modules: imported. site: folders that modules may come from. paths: folders and files that programs see.
    executes: it starts programs other than itself. tmp_mb: its /tmp in MiB.
    """

    name: str
    modules: tuple[str, ...] = ()
    site: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    executes: bool = False
    tmp_mb: int = 16


@dataclass(frozen=True)
class Python:
    """Python programs under one interpreter, without its packages but for numpy and sortedcontainers."""

    interpreter: str
    prefix: str
    site: tuple[str, ...]
    version: str
    name: str = "python"
    compiled: bool = False

    @classmethod
    def find(cls, interpreter: str | None) -> Python:
        """Raises ValueError when it cannot be run."""
        wanted = interpreter or sys.executable
        found = shutil.which(wanted)
        if found is None:
            raise ValueError(f"no interpreter {wanted!r}; give the path of a Python executable")
        question = "import site, sys; print(sys.base_prefix, sys.version.split()[0], *site.getsitepackages(), sep='|')"
        try:
            answer = subprocess.run([found, "-c", question], capture_output=True, text=True, timeout=60, check=True)
            prefix, version, *site = answer.stdout.strip().split("|")
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise ValueError(f"interpreter {found} does not run Python: {error}") from error
        return cls(found, prefix, tuple(site), version)

    def flavour(self, source: str, more: bool = False) -> str:
        """What a program needs. more: it may use modules that it does not name."""
        if _NUMPY.search(source):
            return "numpy"
        return "full" if more or _MORE.search(source) else "lean"

    def flavours(self) -> list[Flavour]:
        few = tuple(FEW_MODULES.split())
        modules = (*few, *MORE_MODULES.split())
        packages = [f"{folder}/{name}" for folder in self.site for name in ("sortedcontainers", "numpy", "numpy.libs")]
        paths = (*self.library(), "/usr/share/zoneinfo", *packages)
        return [
            Flavour("lean", few, self.site, paths),
            Flavour("full", modules, self.site, paths),
            Flavour("numpy", (*modules, "numpy"), self.site, paths),
        ]

    def library(self) -> tuple[str, ...]:
        """What the interpreter itself needs to see."""
        return f"{self.prefix}/lib", "/lib", "/lib64", "/usr/lib", "/usr/lib64"


@dataclass(frozen=True)
class Cpp:
    """C++20 by g++ -O2, with a precompiled <bits/stdc++.h> for programs that include it.

    headers: a folder that `#include` also looks in, for testlib.h.
    """

    compiler: str
    version: str
    headers: str | None = None
    name: str = "cpp"
    compiled: bool = True
    options: tuple[str, ...] = ("-O2", "-std=c++20", "-pipe", "-w")
    precompiled: list[str | None] = field(default_factory=list)

    @classmethod
    def find(cls, headers: str | None = None) -> Cpp | None:
        """None where there is no g++. Raises ValueError for headers that programs could not see."""
        if headers is not None:
            headers = os.path.realpath(headers)
            if not Path(headers).is_dir():
                raise ValueError(f"no folder {headers} with headers")
            if headers.startswith("/tmp/"):
                raise ValueError(f"headers in {headers} would not be seen: programs have a /tmp of their own")
        compiler = shutil.which("g++")
        if compiler is None:
            return None
        asked = subprocess.run([compiler, "-dumpfullversion"], capture_output=True, text=True, check=False)
        return cls(os.path.realpath(compiler), asked.stdout.strip() or "unknown", headers)

    def flavour(self, source: str, more: bool = False) -> str:
        return "native"

    def flavours(self) -> list[Flavour]:
        paths = ["/usr/bin", "/usr/libexec", "/usr/include"]
        paths += ["/usr/local/include", "/bin", *filter(None, (self.headers, self.stdc_header()))]
        return [Flavour("native", paths=tuple(paths), executes=True, tmp_mb=256)]

    def command(self, source: str, program: str, text: str) -> list[str]:
        """How file `source` becomes file `program`."""
        header = self.stdc_header() if "bits/stdc++.h" in text else None
        headers = [f"-I{folder}" for folder in (header, self.headers) if folder]
        return [self.compiler, *self.options, *headers, "-o", program, source]

    def stdc_header(self) -> str | None:
        """The folder with the precompiled header, made at the first call and kept for the next process; None where it
        cannot be made. Programs then compile without it, half a second slower."""
        if not self.precompiled:
            self.precompiled.append(self._precompile())
        return self.precompiled[0]

    def _precompile(self) -> str | None:
        key = hashlib.sha256("\0".join((self.compiler, self.version, *self.options)).encode()).hexdigest()[:16]
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "microcoder-judge"
        folder = cache / f"headers-{key}"
        if (folder / "bits" / "stdc++.h.gch").is_file():
            return str(folder)
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="headers-", dir=cache) as making:
                Path(making).chmod(0o755)
                header = Path(making) / "bits" / "stdc++.h"
                header.parent.mkdir()
                header.write_text("#include_next <bits/stdc++.h>\n")
                command = [self.compiler, *self.options, "-x", "c++-header", str(header), "-o", f"{header}.gch"]
                subprocess.run(command, check=True, capture_output=True, timeout=120)
                if not folder.exists():
                    shutil.copytree(making, cache / f"{key}-{os.getpid()}")
                    (cache / f"{key}-{os.getpid()}").rename(folder)
        except (OSError, subprocess.SubprocessError):
            return str(folder) if (folder / "bits" / "stdc++.h.gch").is_file() else None
        return str(folder)


Language = Python | Cpp


def find_languages(interpreter: str | None, headers: str | None = None) -> dict[str, Language]:
    """The languages of this host by name. Raises ValueError for an interpreter that does not run, and for headers
    that programs could not see."""
    found: list[Language | None] = [Python.find(interpreter), Cpp.find(headers)]
    return {language.name: language for language in found if language is not None}
