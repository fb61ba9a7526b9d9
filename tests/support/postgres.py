"""Throw-away PostgreSQL servers from the system's binaries, durable as in production."""

import os
import shutil
import signal
import uuid
from pathlib import Path
from typing import Self

import psutil

from tests.support.cache import temporary_folder
from tests.support.need import need
from tests.support.processes import Process, free_port, run, wait_until

SETTINGS = """
listen_addresses = '127.0.0.1'
max_connections = 100
shared_buffers = 128MB
max_wal_size = 1GB
timezone = 'UTC'
log_checkpoints = off
"""


def binaries() -> Path:
    """The folder of the newest installed server's programs, which distributions keep off the PATH."""
    asked = shutil.which("pg_config")
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    folders.sort(key=lambda folder: float(folder.parent.name), reverse=True)
    if asked:
        folders.append(Path(run(asked, "--bindir").strip()))
    found = next((folder for folder in folders if (folder / "initdb").exists()), None)
    return need("PostgreSQL", found, "install a PostgreSQL server (Debian's package postgresql)")


class Postgres:
    """A server of its own port and disk. Leaving the context ends it and removes the disk.

    PostgreSQL refuses to run as root; root runs it as the postgres user.
    """

    def __init__(self, settings: str = "") -> None:
        """`settings` are lines of postgresql.conf that go after the usual ones."""
        self._programs = binaries()
        self._user = "postgres" if os.geteuid() == 0 else None
        self._settings = SETTINGS + settings
        self._folder = temporary_folder(self._user)
        self._data = self._folder / "data"
        self._starts = 0
        self._process: Process | None = None
        self.port = free_port()

    def __enter__(self) -> Self:
        try:
            self._initialise()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.running:
            self.kill()
        shutil.rmtree(self._folder)

    def _initialise(self) -> None:
        run(
            self._programs / "initdb",
            *("--pgdata", self._data, "--username", "postgres", "--auth", "trust"),
            *("--locale", "C.UTF-8", "--encoding", "UTF8", "--no-sync"),
            cwd=self._folder,
            user=self._user,
        )
        sockets = f"unix_socket_directories = '{self._folder}'\n"
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.write(f"port = {self.port}\n{sockets}{self._settings}")

    @property
    def process(self) -> Process:
        """The running postmaster."""
        assert self._process is not None, "the server was never started"
        return self._process

    def start(self) -> None:
        """Start, again or for the first time, and wait until it takes connections."""
        self._starts += 1
        self._process = Process(
            self._programs / "postgres",
            "-D",
            self._data,
            log=self._folder / f"start-{self._starts}.log",
            cwd=self._folder,
            user=self._user,
        )
        self._process.wait_for("database system is ready to accept connections", within=60)

    def stop(self) -> None:
        """A fast shutdown: open transactions are rolled back."""
        self.process.stop(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL the postmaster and every backend, as a power cut would."""
        family = self._family()
        for member in family:
            member.kill()
        self.process.wait()
        wait_until(lambda: all(map(ended, family)), ignore=(psutil.NoSuchProcess,))

    def pause(self) -> None:
        """SIGSTOP the postmaster and every backend: clients see silence."""
        for member in self._family():
            member.suspend()

    def resume(self) -> None:
        """SIGCONT them all."""
        for member in self._family():
            member.resume()

    def _family(self) -> list[psutil.Process]:
        postmaster = psutil.Process(self.process.pid)
        return [postmaster, *postmaster.children(recursive=True)]

    def dsn(self, database: str = "postgres") -> str:
        """The address of a database, as asyncpg and psql take it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """Make an empty database; its address."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name}")
        return self.dsn(name)

    def drop_database(self, dsn: str) -> None:
        """Remove a database, ending its connections."""
        self.execute(f"DROP DATABASE IF EXISTS {dsn.rpartition('/')[2]} WITH (FORCE)")

    def execute(self, sql: str, dsn: str | None = None) -> str:
        """Run SQL with psql; its rows as text, one a line, values separated by a bar."""
        options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]
        return run(self._programs / "psql", *options, "--dbname", dsn or self.dsn(), "--command", sql).strip()


def ended(process: psutil.Process) -> bool:
    """Whether a process is gone, or only waits for its parent to notice. Raises NoSuchProcess as it goes."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
