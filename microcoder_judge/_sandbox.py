"""The sandbox of a zygote, set up once before its first program. Standard library, self-contained.

The rungs of the ladder, strongest first; `enter` takes the first that this host lets it have:

root      namespaces (mount, pid, network, IPC, host name) by root's right, and a user id that nothing else has
user      the same by a user namespace, for whoever is not root
process   no namespaces: Landlock confines files, network and signals; under root with a user id of its own
none      resource limits only; taken only when asked for by name

Every rung but the last also has Landlock where the kernel knows it, and seccomp filters. In the first two the file
system is a new read-only root with the interpreter's library in it, no /proc, and a small private /tmp.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from ctypes import CDLL

    from microcoder_judge import _seccomp
else:
    # Found beside this file: through the package they would bring all of microcoder_judge into the process.
    import _signal as signal

    import _seccomp

RUNGS = ("root", "user", "process", "none")
WORK = "/tmp/work"
DEVICES = ("null", "zero", "full", "random", "urandom")
FIRST_UID, NOBODY = 1_900_000_000, 65534
MAX_THREADS = 128

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER = 0x20000, 0x4000000, 0x8000000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
NAMESPACES = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = (
    1, 2, 4, 8, 32, 4096, 16384, 1 << 18,
)  # fmt: skip
LOCKED = {2: MS_NOSUID, 4: MS_NODEV, 8: MS_NOEXEC, 1024: 1024, 2048: 2048, 4096: 1 << 21}
"""Flags of a mount by statvfs's bits: a user namespace must keep them when it mounts again."""
MNT_DETACH = 2
CAPABILITY_VERSION = 0x20080522
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
SYS_LANDLOCK = 444

READ_FILES, FILES_OF_ABI = (1 << 0) | (1 << 2) | (1 << 3), {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
WRITE_FILE, TRUNCATE = 1 << 1, 1 << 14
NETWORK, SCOPES = 3, 3


class Refused(Exception):
    """This host does not give the rung; the message says what was refused."""


class Sandbox:
    """What `enter` reached.

    rung: its name. level: what every result says. folder: where a program works. uid: the user id it has. contained: it
    has processes of its own, which end with the first of them.
    """

    def __init__(self, rung: str, level: str, folder: str, uid: int) -> None:
        self.rung, self.level, self.folder, self.uid = rung, level, folder, uid
        self.contained = rung in ("root", "user")


def enter(libc: CDLL, rung: str, paths: list[str], folder: str, executes: bool, tmp_mb: int) -> Sandbox:
    """Confine this process as `rung` says; for `root` and `user`, go on in a child that is the first of its namespace.

    paths: folders and files to see, read-only. folder: a folder of ours on the host, for rungs without a root of their
    own. executes: other programs may be started. tmp_mb: size of the private /tmp in MiB.
    The parent of that child only waits for it. Raises Refused or OSError: then this process is in no certain state and
    must end.
    """
    uid = os.geteuid()
    if rung in ("root", "user"):
        uid = _namespaces(libc, rung)
        _new_root(libc, paths, tmp_mb)
        child = os.fork()
        if child:
            os.close(3)
            _, status = os.waitpid(child, 0)
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
        folder = WORK
    else:
        if uid == 0 and _readable(FIRST_UID + os.getpid()):
            uid = FIRST_UID + os.getpid()
        elif uid == 0 and rung == "process":
            raise Refused(f"no user but root can read {os.__file__}, and programs must not be root")
        folder += "/work"
    os.mkdir(folder, 0o755)
    if os.geteuid() == 0 and uid and rung != "user":
        _become(uid, folder)
    _drop_capabilities(libc)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    names = {"root": ["root namespaces"], "user": ["user namespaces"]}.get(rung, [])
    if rung == "none":
        return Sandbox(rung, "rlimits", folder, uid)
    abi = _landlock(libc, [*paths, *(f"/dev/{name}" for name in DEVICES)], folder, rung)
    if abi:
        names.append(f"landlock {abi}")
    elif rung == "process":
        raise Refused("the kernel has no Landlock")
    _seccomp.Filter(_seccomp.zygote_filter(executes), libc).install()
    if uid != os.getuid():
        raise Refused("the user id did not change")
    return Sandbox(rung, ", ".join([*names, "seccomp"]), folder, uid)


def _namespaces(libc: CDLL, rung: str) -> int:
    """Leave the host's namespaces; the user id that programs will have."""
    user, group = os.geteuid(), os.getegid()
    if rung == "root" and user != 0:
        raise Refused("not root")
    wanted = NAMESPACES | (CLONE_NEWUSER if rung == "user" else 0)
    if libc.unshare(wanted):
        raise Refused(f"unshare: {os.strerror(ctypes.get_errno())}")
    if rung == "root":
        return FIRST_UID + os.getpid()
    for name, text in (("setgroups", "deny"), ("uid_map", f"{NOBODY} {user} 1"), ("gid_map", f"{NOBODY} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    return NOBODY


def _new_root(libc: CDLL, paths: list[str], tmp_mb: int) -> None:
    """A root of its own: `paths` and a few devices read-only, a small /tmp, nothing else.

    It is built over /proc, where nothing lies that it would have to show.
    """
    root = "/proc"
    _mount(libc, "none", "/", "", MS_REC | MS_PRIVATE)
    _mount(libc, "tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, f"size={4 << 20},mode=755")
    os.mkdir(f"{root}/tmp")
    os.mkdir(f"{root}/dev")
    for name in ("lib", "lib64", "bin"):
        if os.path.islink(f"/{name}"):
            os.symlink(os.readlink(f"/{name}"), f"{root}/{name}")
    for path in paths:
        _show(libc, path, root, MS_NODEV)
    for name in DEVICES:
        _show(libc, f"/dev/{name}", root, MS_NOEXEC)
    os.symlink("/tmp/stdin", f"{root}/dev/stdin")
    _mount(libc, "tmpfs", f"{root}/tmp", "tmpfs", MS_NOSUID | MS_NODEV, f"size={tmp_mb << 20},nr_inodes=4096,mode=777")
    os.chdir(root)
    if libc.syscall(SYS_PIVOT_ROOT[_seccomp.machine()], b".", b"."):
        raise Refused(f"pivot_root: {os.strerror(ctypes.get_errno())}")
    if libc.umount2(b".", MNT_DETACH):
        raise Refused(f"umount: {os.strerror(ctypes.get_errno())}")
    os.chdir("/")
    _mount(libc, "none", "/", "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)


def _show(libc: CDLL, path: str, root: str, flags: int) -> None:
    """Bind a folder or file read-only to its own place under `root`."""
    target = root + path
    if os.path.islink(target) or not os.path.exists(path):
        return
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "w").close()
    _mount(libc, path, target, "", MS_BIND | MS_REC)
    kept = os.statvfs(target).f_flag
    locked = sum(flag for bit, flag in LOCKED.items() if kept & bit)
    _mount(libc, "none", target, "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | flags | locked)


def _mount(libc: CDLL, source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    given = [text.encode() or None for text in (kind, options)]
    if libc.mount(source.encode(), target.encode(), given[0], ctypes.c_ulong(flags), given[1]):
        raise Refused(f"mount of {target}: {os.strerror(ctypes.get_errno())}")


def _become(uid: int, folder: str) -> None:
    """Be a user that nothing else is."""
    os.chown(folder, uid, uid)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    resource.setrlimit(resource.RLIMIT_NPROC, (MAX_THREADS, MAX_THREADS))


def _readable(uid: int) -> bool:
    """Whether a user without a name could read the standard library."""
    os.setegid(uid)
    os.seteuid(uid)
    try:
        return os.access(os.__file__, os.R_OK, effective_ids=True)
    finally:
        os.seteuid(0)
        os.setegid(0)


def _drop_capabilities(libc: CDLL) -> None:
    header, none = struct.pack("Ii", CAPABILITY_VERSION, 0), bytes(24)
    if libc.capset(header, none):
        raise Refused(f"capset: {os.strerror(ctypes.get_errno())}")


def _landlock(libc: CDLL, paths: list[str], folder: str, rung: str) -> int:
    """Reading below `paths` and all below `folder` or /tmp, no TCP, no signals or abstract sockets to others; the ABI
    that the kernel has, 0 where it has none."""
    abi = int(libc.syscall(SYS_LANDLOCK, None, ctypes.c_size_t(0), 1))
    if abi < 1:
        return 0
    files = (1 << FILES_OF_ABI.get(abi, 16)) - 1
    rules = struct.pack("QQQ", files, NETWORK if abi >= 4 else 0, SCOPES if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = int(libc.syscall(SYS_LANDLOCK, rules[:size], ctypes.c_size_t(size), 0))
    if ruleset < 0:
        raise Refused(f"landlock: {os.strerror(ctypes.get_errno())}")
    writable = folder if rung in ("process", "none") else "/tmp"
    for path in [*paths, writable]:
        if not os.path.exists(path):
            continue
        allowed = files if path == writable else READ_FILES
        if path.startswith("/dev/"):
            allowed |= WRITE_FILE
        if not os.path.isdir(path):
            allowed &= 1 | WRITE_FILE | 1 << 2 | TRUNCATE & files
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", allowed, opened)
        if libc.syscall(SYS_LANDLOCK + 1, ruleset, 1, rule, 0):
            raise Refused(f"landlock rule for {path}: {os.strerror(ctypes.get_errno())}")
        os.close(opened)
    libc.prctl(_seccomp.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.syscall(SYS_LANDLOCK + 2, ruleset, 0):
        raise Refused(f"landlock: {os.strerror(ctypes.get_errno())}")
    os.close(ruleset)
    return abi
