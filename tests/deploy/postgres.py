"""A real Postgres server on loopback, for as long as a test runs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

USER, PASSWORD, DATABASE = "dagster", "a-test-password", "dagster"


def programs() -> Path | None:
    """The folder of initdb, pg_ctl and pg_dump; None where Postgres is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


class Postgres:
    """Data in `folder`, owned by the user that the server runs as: it refuses to run as root."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self._folder, self._binaries = folder, binaries
        self._data = folder / "data"
        self._user = "postgres" if os.geteuid() == 0 else None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def create(self) -> None:
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        if self._user:
            shutil.chown(self._folder, self._user)
            shutil.chown(secret, self._user)
        self._server("initdb", "--no-sync", "-D", self._data, "-U", USER, f"--pwfile={secret}", "-A", "scram-sha-256")
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._server("pg_ctl", "-D", self._data, "-w", "-l", self._folder / "log", "-o", options, "start")

    def stop(self) -> None:
        """At once, as when the machine it runs on is lost."""
        self._server("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    def empty(self) -> None:
        """A database with nothing in it."""
        drop, create = f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE}"
        self.client("psql", "--dbname=postgres", "-c", drop, "-c", create)

    @property
    def environment(self) -> dict[str, str]:
        """What deploy/dagster.yaml reads."""
        return {
            "DAGSTER_PG_HOST": "127.0.0.1",
            "DAGSTER_PG_PORT": str(self.port),
            "DAGSTER_PG_USERNAME": USER,
            "DAGSTER_PG_PASSWORD": PASSWORD,
            "DAGSTER_PG_DB": DATABASE,
        }

    def client(self, program: str, *arguments: str | Path) -> str:
        """What one of Postgres' client programs prints."""
        where = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": USER, "PGPASSWORD": PASSWORD}
        return self._run(program, *arguments, environment=where)

    def _server(self, program: str, *arguments: str | Path) -> None:
        self._run(program, *arguments, user=self._user)

    def _run(
        self,
        program: str,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> str:
        done = subprocess.run(
            [self._binaries / program, *arguments], user=user, cwd=self._folder, capture_output=True, text=True,
            env={**os.environ, **(environment or {})}, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
        return done.stdout


@contextmanager
def running() -> Iterator[Postgres]:
    binaries = programs()
    if binaries is None:
        pytest.skip("Postgres is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    server = Postgres(folder, binaries)
    try:
        server.create()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder)
