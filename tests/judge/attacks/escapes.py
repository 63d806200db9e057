"""Out of the sandbox: other programs, the network, sockets, other processes, other files and folders."""

from __future__ import annotations

from attacks.attack import Attack

ATTACKS = (
    Attack(
        "a shell",
        """
        import subprocess
        for start in (lambda: os.system("echo ESCAPED"), lambda: os.popen("echo ESCAPED").read(),
                      lambda: subprocess.run("echo ESCAPED", shell=True),
                      lambda: os.posix_spawn("/bin/sh", ["sh", "-c", "echo ESCAPED"], {})):
            try:
                start()
            except OSError:
                pass
        """,
    ),
    Attack("a shell in its place", "os.execv('/bin/sh', ['sh', '-c', 'echo ESCAPED'])"),
    Attack("the interpreter in its place", "os.execv(sys.executable, [sys.executable, '-c', 'print(\"ESCAPED\")'])"),
    Attack(
        "a library before all others",
        """
        open("mine.so", "wb").write(b"\\x7fELF")
        os.environ["LD_PRELOAD"] = os.path.abspath("mine.so")
        os.execve(sys.executable, [sys.executable, "-c", "print('ESCAPED')"], dict(os.environ))
        """,
    ),
    Attack(
        "a program in memory",
        """
        file = os.memfd_create("x")
        os.write(file, b"#!/bin/echo ESCAPED\\n")
        syscall("execveat", file, b"", (ctypes.c_char_p * 2)(b"x", None), (ctypes.c_char_p * 1)(None), 0x1000)
        """,
    ),
    Attack(
        "a program of its own",
        """
        with open("mine", "w") as file:
            file.write("#!/bin/echo ESCAPED\\n")
        os.chmod("mine", 0o4755)
        try:
            os.execv("./mine", ["mine"])
        except OSError:
            file = os.open("mine", os.O_RDONLY)
            syscall("execveat", file, b"", (ctypes.c_char_p * 2)(b"x", None), (ctypes.c_char_p * 1)(None), 0x1000)
        """,
    ),
    Attack(
        "TCP",
        """
        import socket
        with socket.create_connection(("127.0.0.1", PORT), timeout=0.3) as connection:
            connection.send(b"x")
            escaped("a connection")
        """,
    ),
    Attack(
        "TCP by a raw call",
        """
        import struct
        fd = libc.socket(2, 1, 0)
        address = struct.pack("=H", 2) + struct.pack(">H", PORT) + bytes([127, 0, 0, 1]) + bytes(8)
        if fd >= 0 and libc.connect(fd, address, 16) == 0:
            escaped("a connection")
        """,
    ),
    Attack(
        "UDP",
        """
        import socket
        for _ in range(3):
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", PORT))
        """,
    ),
    Attack(
        "TCP that opens fast",
        """
        import socket
        socket.socket(socket.AF_INET, socket.SOCK_STREAM).sendto(b"x", 0x20000000, ("127.0.0.1", PORT))
        """,
    ),
    Attack(
        "a Unix socket",
        """
        import socket
        socket.socket(socket.AF_UNIX).connect(f"{FOLDER}/socket")
        escaped("a Unix socket")
        """,
    ),
    Attack(
        "an abstract Unix socket",
        """
        import socket
        socket.socket(socket.AF_UNIX).connect(f"\\0{FOLDER}")
        escaped("an abstract socket")
        """,
    ),
    Attack(
        "a message on the worker's socket",
        """
        import socket
        for fd in range(3, 64):
            try:
                connection = socket.socket(fileno=fd)
                connection.setblocking(False)
                connection.send(b'{"done": true, "clean": true}')
                escaped(f"a message on {fd}")
            except OSError:
                pass
        """,
    ),
    Attack(
        "another process killed",
        """
        for kill in (lambda: os.kill(SENTINEL, 9), lambda: os.kill(JUDGE, 0),
                     lambda: syscall("tgkill", SENTINEL, SENTINEL, 9) and 1 / 0,
                     lambda: syscall("pidfd_send_signal", os.pidfd_open(SENTINEL), 9, None, 0) and 1 / 0):
            try:
                kill()
                escaped("a kill")
            except (OSError, ZeroDivisionError):
                pass
        """,
    ),
    Attack("the parent killed", "os.kill(os.getppid(), 9)\ntime.sleep(0.1)"),
    Attack("the group killed", "os.killpg(0, 9)"),
    Attack("the first process killed", "os.kill(1, 9)\ntime.sleep(0.1)"),
    Attack(
        "everyone killed",
        """
        try:
            os.kill(SENTINEL, 0)
        except OSError:
            # Only where the sentinel is out of reach: this must harm nobody, whatever the sandbox.
            os.kill(-1, 9)
        else:
            escaped("a process of the host in reach")
        """,
    ),
    Attack(
        "the parent killed by a descriptor",
        """
        import fcntl
        reader, writer = os.pipe()
        for number in (9, 19):
            try:
                fcntl.fcntl(reader, 10, number)
                fcntl.fcntl(reader, fcntl.F_SETOWN, os.getppid())
                fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
                os.write(writer, b"x")
            except OSError:
                pass
        time.sleep(0.1)
        """,
    ),
    Attack(
        "files of the host",
        """
        import pwd
        try:
            homes = [user.pw_dir for user in pwd.getpwall()]
        except OSError:
            homes = []
        names = [f"{home}/{name}" for home in ["/root", *homes] for name in (".bashrc", ".profile", ".ssh/id_ed25519")]
        for path in ["/etc/passwd", "/etc/shadow", "/etc/hostname", "/proc/1/cmdline", "/proc/version",
                     "/sys/kernel/mm/transparent_hugepage/enabled", *names]:
            try:
                if open(path, "rb").read(1):
                    escaped(path)
            except OSError:
                pass
        """,
    ),
    Attack(
        "devices",
        """
        for name in ("mem", "kmsg", "port", "kvm", "fuse", "tty", "net/tun", "sda", "vda", "loop0", "userfaultfd"):
            for flags in (os.O_RDONLY, os.O_RDWR):
                try:
                    os.open(f"/dev/{name}", flags | os.O_NONBLOCK)
                    escaped(name)
                except OSError:
                    pass
        """,
    ),
    Attack(
        "a device made",
        """
        import stat
        for kind, device in ((stat.S_IFCHR, os.makedev(1, 1)), (stat.S_IFBLK, os.makedev(8, 0))):
            try:
                os.mknod("device", kind | 0o666, device)
                os.open("device", os.O_RDONLY)
                escaped("a device")
            except OSError:
                pass
        """,
    ),
    Attack(
        "writing outside",
        """
        places = ["/", "/bin", "/etc", "/usr/bin", "/dev", "/root", "/var/tmp", os.path.dirname(os.__file__)]
        for place in [*places, os.path.dirname(os.path.realpath(sys.executable))]:
            try:
                path = f"{place}/left-by-a-program"
                open(path, "x").close()
                os.unlink(path)
                escaped(place)
            except OSError:
                pass
        for path in (os.__file__, sys.executable):
            try:
                open(path, "r+b").close()
                escaped(path)
            except OSError:
                pass
        """,
    ),
    Attack(
        "writing into the host's folder",
        """
        for path in (f"{FOLDER}/left", f"/../../..{FOLDER}/left", f"/proc/1/root{FOLDER}/left"):
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                open(path, "w").close()
            except OSError:
                pass
        for change in (lambda: os.unlink(f"{FOLDER}/answers"), lambda: os.rename(f"{FOLDER}/answers", "mine"),
                       lambda: os.truncate(f"{FOLDER}/answers", 0)):
            try:
                change()
            except OSError:
                pass
        """,
    ),
    Attack(
        "modes, owners and times of the host's files",
        """
        for path in (f"{FOLDER}/answers", FOLDER, f"{FOLDER}/socket"):
            for change in (lambda: os.chmod(path, 0o700), lambda: os.chown(path, 65533, 65533),
                           lambda: os.utime(path, (1, 1)), lambda: os.setxattr(path, "user.attack", b"x"),
                           lambda: os.fchmod(os.open(path, os.O_PATH), 0o700)):
                try:
                    change()
                    escaped("a change of a host's file")
                except OSError:
                    pass
        """,
    ),
    Attack(
        "a file by its handle",
        """
        import struct
        mount = os.open("/", os.O_RDONLY)
        for inode in (1, 2, 128):
            handle = struct.pack("IiII", 8, 1, inode, 0)
            if libc.open_by_handle_at(mount, handle, os.O_RDONLY) >= 0:
                escaped("a handle")
        """,
    ),
    Attack(
        "another root",
        """
        os.mkdir("jail")
        for jail in ("jail", "/", "."):
            if libc.chroot(jail.encode()) == 0:
                for _ in range(64):
                    libc.chdir(b"..")
                libc.chroot(b".")
                escaped("chroot")
        """,
    ),
    Attack(
        "mounts",
        """
        os.mkdir("here")
        for kind in (b"tmpfs", b"proc", b"sysfs"):
            if libc.mount(b"none", b"here", kind, ctypes.c_ulong(0), None) == 0:
                escaped("a mount")
        BIND, REMOUNT = 4096, 32
        for target in (b"/", b"/usr", b"/tmp", os.path.dirname(os.__file__).encode()):
            if libc.mount(b"none", target, None, ctypes.c_ulong(BIND | REMOUNT), None) == 0:
                escaped("a mount made writable")
            if libc.umount2(target, 2) == 0:
                escaped("a mount taken away")
        """,
    ),
)
