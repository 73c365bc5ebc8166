"""A real PostgreSQL for tests: Debian's, on loopback, with a folder of its own, gone at the end.

Import the fixture in a `conftest.py`: `from tests.support.postgres_server import postgres`, with
`__all__ = ["postgres"]`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.ports import kept_port

HOW_TO_GET_IT = "no PostgreSQL server here: install it (Debian: apt install postgresql)"
DEBIAN = Path("/usr/lib/postgresql")
PASSWORD = "Very-S3cret"
PATIENCE_S = 30.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_preload_libraries": "pg_stat_statements",
    "max_connections": "20",
    "shared_buffers": "16MB",
    "deadlock_timeout": "50ms",
    "fsync": "off",
    "autovacuum": "off",
}


@dataclass(frozen=True)
class Postgres:
    """A server that is up; its superuser is `postgres`."""

    port: int
    pid: int

    def dsn(
        self, database: str = "postgres", user: str = "postgres", password: str = PASSWORD
    ) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"


def programs() -> Path:
    """The folder of `initdb` and `postgres`; skipped without, or failed where services are required."""
    newest = sorted(DEBIAN.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    found = shutil.which("postgres") if not newest else str(newest[-1])
    if found:
        return Path(found).resolve().parent
    if os.environ.get("IORA_SERVICE_TESTS") == "required":
        pytest.fail(HOW_TO_GET_IT)
    pytest.skip(HOW_TO_GET_IT)


def unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root; a test that isn't root stays who it is."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = known.get("postgres") or known["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextmanager
def started() -> Iterator[Postgres]:
    """A new server, until the end of the block."""
    bin_folder, identity = programs(), unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="iora-postgres-"))
    try:
        if identity:
            os.chown(folder, identity["user"], identity["group"])
        data = folder / "data"
        _init(bin_folder, data, identity)
        options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        with kept_port() as port:
            with (folder / "log").open("ab") as log:
                process = subprocess.Popen(
                    [bin_folder / "postgres", "-D", data, "-p", str(port), *options],
                    cwd=folder,
                    stdout=log,
                    stderr=log,
                    **identity,
                )
            try:
                server = Postgres(port, process.pid)
                _wait(server, process, folder / "log")
                yield server
            finally:
                process.send_signal(signal.SIGQUIT)  # ends at once, its children too
                process.wait(PATIENCE_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _init(bin_folder: Path, data: Path, identity: dict[str, Any]) -> None:
    secret = data.parent / "secret"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    made = subprocess.run(
        [
            *(bin_folder / "initdb", "-D", data, "-U", "postgres", "--pwfile", secret),
            *("--auth=scram-sha-256", "--locale=C", "--encoding=UTF8", "--no-sync"),
        ],
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=False,
        **identity,
    )
    assert made.returncode == 0, made.stdout + made.stderr


def _wait(server: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            psycopg.connect(server.dsn(), connect_timeout=2).close()
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        else:
            return


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests; each makes what it needs in a database of its own."""
    with started() as server:
        yield server
