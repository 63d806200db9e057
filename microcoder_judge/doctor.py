"""`python -m microcoder_judge doctor`: what sandbox this host gives, what would raise it, and which languages run."""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import os
import platform
from pathlib import Path

from microcoder_judge.languages import Python, find_languages
from microcoder_judge.worker import RUNGS, UNSAFE_RUNG, SandboxRefused, Worker, WorkerFailed

SYS_LANDLOCK_CREATE_RULESET = 444
DEPTH_OF_RUNG = {
    "root": "namespaces by root's right, a user id of its own",
    "user": "namespaces by a user namespace",
    "process": "Landlock and seccomp, in the host's namespaces",
    UNSAFE_RUNG: "resource limits only",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--interpreter", metavar="PYTHON", help="the Python that runs programs (default: this one)")


def main(options: argparse.Namespace) -> int:
    """Try every rung and print what it gives. Exit status 0, or 1 where no rung but the unsafe one works."""
    try:
        languages = find_languages(options.interpreter)
    except ValueError as error:
        print(f"error: {error}")
        return 2
    python = languages["python"]
    assert isinstance(python, Python)
    print("host")
    for name, fact in host_facts().items():
        print(f"  {name:<28} {fact}")
    print("languages")
    for name in ("python", "cpp"):
        print(f"  {name:<28} {languages[name].version if name in languages else 'not here; install g++'}")
    print("sandbox, strongest first")
    tried = try_rungs(python)
    for rung, (works, words) in tried.items():
        print(f"  {rung:<28} {'ok: ' if works else 'refused: '}{words}  ({DEPTH_OF_RUNG[rung]})")
    best = next((rung for rung in RUNGS if tried[rung][0]), None)
    if best is None:
        print("programs are refused here unless the judge is told `unsafe`")
    else:
        print(f"programs run under: {tried[best][1]}")
    for hint in hints(best):
        print(f"hint: {hint}")
    return 0 if best else 1


def try_rungs(python: Python) -> dict[str, tuple[bool, str]]:
    """Of each rung, the strongest first and the unsafe one last: whether it works, and its level or why it does not."""
    return {rung: _try(python, rung) for rung in (*RUNGS, UNSAFE_RUNG)}


def _try(python: Python, rung: str) -> tuple[bool, str]:
    async def start() -> str:
        worker = await Worker.start(python.interpreter, python.flavours()[0], rung)
        worker.end()
        return worker.level

    try:
        return True, asyncio.run(start())
    except (SandboxRefused, WorkerFailed) as refusal:
        return False, str(refusal).removeprefix(f"{rung}: ")


def host_facts() -> dict[str, str]:
    """What decides the rungs, as this host says it."""
    return {
        "kernel": f"{platform.release()} {platform.machine()}",
        "user id": str(os.geteuid()),
        "landlock abi": str(landlock_abi() or "none"),
        "max user namespaces": _read("/proc/sys/user/max_user_namespaces"),
        "unprivileged user namespaces": _read("/proc/sys/kernel/unprivileged_userns_clone", "no switch"),
        "apparmor restricts them": _read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "no"),
        "seccomp filters on us": _status("Seccomp_filters"),
        "container": "yes" if Path("/.dockerenv").exists() or "KUBERNETES_SERVICE_HOST" in os.environ else "none seen",
    }


def landlock_abi() -> int:
    """The version of Landlock that the kernel has; 0: none."""
    abi = ctypes.CDLL(None).syscall(SYS_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    return max(0, int(abi))


def hints(rung: str | None) -> list[str]:
    """What would raise the sandbox from `rung`."""
    found: list[str] = []
    if rung in ("root", "user"):
        return found
    if _read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "0") == "1":
        found.append("AppArmor keeps user namespaces from unprivileged programs (Ubuntu 23.10 and later): set "
                     "kernel.apparmor_restrict_unprivileged_userns=0, or give the interpreter a profile with `userns,`")
    if _read("/proc/sys/user/max_user_namespaces", "1") == "0":
        found.append("user.max_user_namespaces is 0: set it above 0")
    if _read("/proc/sys/kernel/unprivileged_userns_clone", "1") == "0":
        found.append("kernel.unprivileged_userns_clone is 0: set it to 1")
    if _status("Seccomp_filters") not in ("0", "unknown"):
        found.append("a filter of the container runtime forbids unshare: run it with a profile that allows it "
                     "(Docker: --security-opt seccomp=FILE), or with --cap-add SYS_ADMIN as root")
    if not landlock_abi():
        found.append("the kernel has no Landlock: Linux 5.13 or later with `landlock` among its lsm= modules has it")
    return found


def _read(path: str, otherwise: str = "unknown") -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return otherwise


def _status(name: str) -> str:
    lines = _read("/proc/self/status").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:")), "unknown")
