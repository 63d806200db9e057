"""What is wrong with this machine and this home, before a night finds out."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import dagster as dg
import httpx
from packaging.requirements import Requirement

from microcoder_assets.config import ServerSettings, Settings
from microcoder_assets.errors import UserError
from microcoder_assets.operations.daemon import waiting_in
from microcoder_assets.operations.status import size_of
from microcoder_assets.project import Project
from microcoder_assets.store.atomic import exclusive, write_text_atomic
from microcoder_judge.doctor import hints, try_rungs
from microcoder_judge.languages import Python, find_languages
from microcoder_judge.worker import RUNGS

PACKAGE = "microcoder"
LITTLE_DISK = 5 << 30
"""Free bytes below which a night may end in a full disk. Ours."""
TIMEOUT_S = 10.0
"""How long a server may take to list its models. Ours."""

Level = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """level: `wrong` is what stops a run, `warning` what a person should know."""

    subject: str
    level: Level
    words: str

    def __str__(self) -> str:
        return f"{self.level:<8} {self.subject:<12} {self.words}"


def examine(home: Path, now: dt.datetime) -> Iterator[Finding]:
    """Every subject in turn; what one raises is its finding, and the others are still asked."""
    subjects: dict[str, Callable[[], Iterator[Finding]]] = {
        "versions": versions,
        "sandbox": sandbox,
        "disk": lambda: disk(home),
        "home": lambda: inputs(home),
        "daemon": lambda: daemon(home, now),
        "llm": lambda: servers(Project.load(home).settings),
        "gpu": gpu,
    }
    for subject, ask in subjects.items():
        try:
            yield from ask()
        except (UserError, OSError, ValueError, RuntimeError, dg.DagsterError) as error:
            yield Finding(subject, "wrong", " ".join(str(error).split()))


def versions() -> Iterator[Finding]:
    """What is installed against what this package asks for; of an extra only what is there."""
    asked = [Requirement(line) for line in importlib.metadata.requires(PACKAGE) or ()]
    wrong = [words for requirement in asked if (words := _unmet(requirement))]
    engines = {name: importlib.metadata.version(name) for name in ("dagster", "dagster-webserver")}
    if len(set(engines.values())) > 1:
        both = ", ".join(f"{name} {version}" for name, version in engines.items())
        wrong.append(f"{both}: install the same version of both")
    yield from (Finding("versions", "wrong", words) for words in wrong)
    if not wrong:
        yield Finding("versions", "ok", f"{len(asked)} requirements hold; dagster {engines['dagster']}")


def _unmet(requirement: Requirement) -> str | None:
    extra = requirement.marker is not None and not requirement.marker.evaluate({"extra": ""})
    try:
        found = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return None if extra else f"{requirement.name} is not installed; {requirement} is needed"
    if requirement.specifier.contains(found, prereleases=True):
        return None
    return f"{requirement.name} {found} is installed; {requirement} is needed"


def sandbox() -> Iterator[Finding]:
    """The strongest rung under which programs run here."""
    python = find_languages(None)["python"]
    assert isinstance(python, Python)
    tried = try_rungs(python)
    best = next((rung for rung in RUNGS if tried[rung][0]), None)
    if best is None:
        yield Finding("sandbox", "wrong", "no rung works: `python -m microcoder_judge doctor` tells why")
    else:
        yield Finding("sandbox", "ok" if best != RUNGS[-1] else "warning", f"programs run under: {tried[best][1]}")
    yield from (Finding("sandbox", "warning", hint) for hint in hints(best))


def disk(home: Path) -> Iterator[Finding]:
    """Whether the home can be written, synced, renamed in and locked, and how much is free."""
    with exclusive(home / "doctor"):
        write_text_atomic(home / "doctor" / "probe", "whole")
    shutil.rmtree(home / "doctor")
    free = shutil.disk_usage(home).free
    yield Finding("disk", "ok" if free >= LITTLE_DISK else "warning", f"{home} can be written; {size_of(free)} free")


def inputs(home: Path) -> Iterator[Finding]:
    """Whether the sources, the benchmark and the settings that this home remembers can be read."""
    project = Project.load(home)
    project.check()
    yield Finding("home", "ok", f"sources {', '.join(project.sources) or 'none'}")
    for platform, by_reason in project.alarms().items():
        yield from (Finding("home", "warning", f"{platform}: {words}") for words in by_reason.values())


def daemon(home: Path, now: dt.datetime) -> Iterator[Finding]:
    """Whether Dagster's daemon is alive, and whether anything waits for it in vain."""
    found = waiting_in(home)
    if trap := found.trap(now):
        yield Finding("daemon", "wrong", trap)
    else:
        needless = "" if not found.silent(now) else "; runs from a terminal need none, the schedule and the web UI do"
        yield Finding("daemon", "ok", f"{found.daemon(now)}{needless}")


def servers(settings: Settings) -> Iterator[Finding]:
    """Whether each server that the settings name answers, and knows the model that it is asked for."""
    named = {
        section: part for section in type(settings).model_fields
        if isinstance(part := getattr(settings, section), ServerSettings) and part.model and not part.offline
    }
    for section, part in named.items():
        yield Finding("llm", *_server(section, part))
    if not named:
        yield Finding("llm", "ok", "no server is configured: the embedded scorer scores, nothing is translated")


def _server(section: str, settings: ServerSettings) -> tuple[Level, str]:
    address = (settings.base_url or "https://api.openai.com/v1").rstrip("/")
    key = os.environ.get("OPENAI_API_KEY")
    try:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = httpx.get(f"{address}/models", headers=headers, timeout=TIMEOUT_S)
        answer.raise_for_status()
        models = [str(model["id"]) for model in answer.json()["data"]]
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return "wrong", f"[{section}] {address}: {str(error).splitlines()[0]}"
    except (ValueError, KeyError, TypeError):
        return "warning", f"[{section}] {address} answers, but lists no models"
    if settings.model not in models:
        there = ", ".join(models[:5]) or "none"
        return "wrong", f"[{section}] {address} does not serve {settings.model!r}; it has {there}"
    return "ok", f"[{section}] {address} serves {settings.model!r}"


def gpu() -> Iterator[Finding]:
    """GPUs as their driver tells them."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        yield Finding("gpu", "ok", "none seen: training and scoring run on the CPU")
        return
    query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    asked = subprocess.run([tool, *query], capture_output=True, text=True, timeout=30, check=False)
    lines = asked.stdout.strip().splitlines()
    if asked.returncode or not lines:
        yield Finding("gpu", "warning", f"nvidia-smi says: {(asked.stderr or asked.stdout).strip() or 'no GPU'}")
    yield from (Finding("gpu", "ok", line) for line in lines if not asked.returncode)
